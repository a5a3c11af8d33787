"""The journal's values as rows of a database and back.

Separate from the statements because every database with SQL stores the same text: times as RFC 3339 in UTC with
microseconds, so that text order is time order, and JSON for whatever has a shape of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson

from syncengine.errors import StateUnusable
from syncengine.jobs.job import HistoryEntry, Job, Run
from syncengine.jobs.lease import Holder, Lease

Row = Sequence[Any]


def text_of(at: datetime) -> str:
    """An aware time as text of fixed width; raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be stored: {at}")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def json_text(value: Any) -> str:
    """JSON as text, the same for equal values."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def job_row(job: Job) -> Row:
    """In the order of `sql.JOB_COLUMNS`."""
    return (
        job.instance,
        job.id,
        job.kind,
        job.state,
        job.group,
        json_text(job.facts),
        job.attempt,
        job.priority,
        job.place,
        json_text(job.after),
        job.epoch,
        job.seq,
        text_of(job.created_at),
        text_of(job.updated_at),
    )


def job_of(row: Row) -> Job:
    """The job of a row; raises StateUnusable for one that makes no sense."""
    instance, job_id, kind, state, group, facts, attempt, priority, place, after, epoch, seq, created, updated = row
    with readable(f"job {job_id!r} of {instance!r}"):
        return Job(
            id=job_id,
            instance=instance,
            kind=kind,
            state=state,
            group=group,
            facts=orjson.loads(facts),
            attempt=attempt,
            priority=priority,
            place=place,
            after=tuple(orjson.loads(after)),
            epoch=epoch,
            seq=seq,
            created_at=datetime.fromisoformat(created),
            updated_at=datetime.fromisoformat(updated),
        )


def history_row(instance: str, entry: HistoryEntry) -> Row:
    """In the order of `sql.INSERT_HISTORY`."""
    return (
        instance,
        entry.job_id,
        entry.seq,
        entry.event,
        entry.before,
        entry.after,
        entry.epoch,
        text_of(entry.at),
    )


def history_of(row: Row) -> HistoryEntry:
    """The entry of a row; raises StateUnusable for one that makes no sense."""
    job_id, seq, event, before, after, epoch, at = row
    with readable(f"the history of job {job_id!r}"):
        return HistoryEntry(job_id, seq, event, before, after, epoch, datetime.fromisoformat(at))


def run_row(run: Run) -> Row:
    """In the order of `sql.RUN_COLUMNS`."""
    ended = text_of(run.ended_at) if run.ended_at else None
    detail, report = json_text(run.detail), json_text(run.report)
    return (run.instance, run.id, run.kind, detail, text_of(run.started_at), ended, run.outcome, report)


def run_of(row: Row) -> Run:
    """The run of a row; raises StateUnusable for one that makes no sense."""
    instance, number, kind, detail, started, ended, outcome, report = row
    with readable(f"run {number} of {instance!r}"):
        return Run(
            instance,
            number,
            kind,
            orjson.loads(detail),
            datetime.fromisoformat(started),
            datetime.fromisoformat(ended) if ended else None,
            outcome,
            orjson.loads(report),
        )


def lease_row(lease: Lease) -> Row:
    """In the order of `sql.LEASE_COLUMNS`."""
    holder = json_text(asdict(lease.holder)) if lease.holder else None
    since, renewed_at = text_of(lease.since), text_of(lease.renewed_at)
    return (lease.instance, lease.work, lease.epoch, holder, since, renewed_at, lease.ttl_seconds)


def lease_of(row: Row) -> Lease:
    """The lease of a row; raises StateUnusable for one that makes no sense."""
    instance, work, epoch, holder, since, renewed_at, ttl_seconds = row
    with readable(f"the lease of {work!r}"):
        return Lease(
            instance,
            work,
            epoch,
            Holder(**orjson.loads(holder)) if holder else None,
            datetime.fromisoformat(since),
            datetime.fromisoformat(renewed_at),
            ttl_seconds,
        )


@contextmanager
def readable(what: str) -> Iterator[None]:
    """Damage that the database itself cannot see, as the refusal that it deserves."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise StateUnusable(
            f"the journal cannot be read: {what} is damaged",
            advice="Stop every syncengine on this state folder and restore it from a backup.",
        ) from error

"""Our jobs in Marketo's two queues, told from the journal's jobs: which they are, and since when they are there.

Apart from the reading of the journal, since only here the facts of windows and chunks are taken for words.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from syncengine.exports import window
from syncengine.imports import states
from syncengine.jobs.job import Job
from syncengine.service.seen.snapshot import BulkJob

EXPORT = "export"
IMPORT = "import"
# What the states of jobs that Marketo has mean to somebody who has not read the tables of moves.
WORDS = {
    window.CREATED: "created",
    window.QUEUED: "queued or running",
    states.SENDING: "being sent",
    states.AMBIGUOUS: "answer lost, being looked for",
    states.HELD: "answer lost, held for you",
    states.ACCEPTED: "queued or running",
}


def bulk_jobs(jobs: Sequence[Job]) -> tuple[BulkJob, ...]:
    """The exports and imports that Marketo has, or may have, the longest waiting first."""
    found = [_export(job) for job in jobs if job.kind == window.KIND and job.state in window.HOLDS_A_PLACE]
    works = {job.id: job.group.removeprefix("import ") for job in jobs if job.kind == states.IMPORT}
    found += [_chunk(job, works) for job in jobs if job.kind == states.CHUNK and job.state in states.AT_MARKETO]
    return tuple(sorted(found, key=lambda each: (each.queue, each.since)))


def _export(job: Job) -> BulkJob:
    start, end = window.stretch_of(job)
    what = f"{job.group}, {_instant(start)} to {_instant(end)}"
    return BulkJob(queue=EXPORT, what=what, state=job.state, since=_since(job, "enqueued_at"))


def _chunk(job: Job, works: dict[str, str]) -> BulkJob:
    run = str(job.facts.get("run", job.group))
    rows = job.facts.get("rows")
    what = f"{works.get(run, 'rows')} of import {run}" + (f", {rows:,} rows" if isinstance(rows, int) else "")
    return BulkJob(queue=IMPORT, what=what, state=job.state, since=_since(job, "sent_at"))


def _instant(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y %H:%MZ}"


def _since(job: Job, fact: str) -> datetime:
    said = job.facts.get(fact)
    return datetime.fromisoformat(said) if isinstance(said, str) else job.updated_at

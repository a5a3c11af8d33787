"""What a run will do, before it does anything: shapes, due windows, and what they will cost.

Apart from the run, so that `syncengine plan` shows exactly what `syncengine sync` then does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil

from syncengine.destinations import Destination, Standing
from syncengine.exports.slice import Reach, Stretch, due, prefix_end, window_id
from syncengine.exports.streams import STREAMS, Shape, shape
from syncengine.exports.window import KIND, MOVES, PLANNED, schema_facts, stretch_of
from syncengine.jobs.job import Job
from syncengine.jobs.store import JobStore
from syncengine.marketo.endpoints import leads
from syncengine.marketo.limits import EXPORT_RUNNING_MAX, EXPORT_STATUS_SECONDS
from syncengine.reports import StreamPlan
from syncengine.threads import run_blocking
from syncengine.transport.client import Client

# Create, enqueue, file.
CALLS_PER_WINDOW = 3
# What a job takes in Marketo's queue when it runs; nothing better is known before it does.
JOB_SECONDS_TYPICAL = 60.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """One stream as the configuration wants it."""

    name: str
    fields: tuple[str, ...]
    exclude: tuple[str, ...]
    reach: Reach


@dataclass(frozen=True, slots=True)
class Prepared:
    """One stream of this run: what to ask for, what is there, what an earlier run left, and the new windows."""

    shape: Shape
    standing: Standing
    resumed: tuple[Job, ...]
    abandoned: tuple[Job, ...]
    new: tuple[Stretch, ...]
    cursor: datetime
    bytes_per_second: float | None

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Every window of this run, oldest first."""
        resumed = (Stretch(*stretch_of(job)) for job in self.resumed)
        return tuple(sorted((*resumed, *self.new), key=lambda each: each.start))


async def prepare(
    client: Client, store: JobStore, destination: Destination, instance: str, wanted: Sequence[Wanted]
) -> list[Prepared]:
    """Find out what is due for each stream. Spends one call, `describe`, when leads are among them."""
    described = await client.send(leads.describe()) if any(not STREAMS[each.name].columns for each in wanted) else ()
    prepared = []
    for each in wanted:
        shaped = shape(STREAMS[each.name], described, each.fields, each.exclude)
        standing = await run_blocking(partial(destination.standing, instance, each.name))
        jobs = await store.jobs(instance, kind=KIND, group=each.name)
        now = client.server_now()
        prepared.append(_prepared(shaped, standing, jobs, each.reach, now))
    return prepared


def _prepared(
    shaped: Shape,
    standing: Standing,
    jobs: Sequence[Job],
    reach: Reach,
    now: datetime,
) -> Prepared:
    request = request_of(shaped)
    unfinished = [job for job in jobs if job.state not in MOVES.final]
    resumed = tuple(job for job in unfinished if job.facts["request"] == request)
    committed = [Stretch(interval.start, interval.end) for interval in standing.intervals]
    windows = due(committed, [Stretch(*stretch_of(job)) for job in resumed], reach, now)
    return Prepared(
        shape=shaped,
        standing=standing,
        resumed=resumed,
        abandoned=tuple(job for job in unfinished if job.facts["request"] != request),
        new=windows,
        cursor=prefix_end(committed, reach.start),
        bytes_per_second=_density(jobs),
    )


def request_of(shaped: Shape) -> dict[str, object]:
    """What makes two windows over the same time the same: filter and columns with their types."""
    return {"filter": shaped.stream.filter_field, "fields": schema_facts(shaped.schema), "generation": 0}


def new_jobs(prepared: Prepared, instance: str, *, epoch: int, turn: int) -> list[Job]:
    """The new windows as jobs of the holder with `epoch`; `turn` orders streams among windows of the same time.

    The ledger knows a window by what it asks for; a job is one attempt at it by one holder, and has an id of its own.
    """
    shaped = prepared.shape
    request = request_of(shaped)
    jobs = []
    for stretch in prepared.new:
        window = window_id(shaped.stream.name, stretch, {"instance": instance, **request})
        job = Job(
            id=f"{window}.{epoch}",
            instance=instance,
            kind=KIND,
            group=shaped.stream.name,
            state=PLANNED,
            place=int(stretch.start.timestamp()) * len(STREAMS) + turn,
            epoch=epoch,
            facts={
                "window": window,
                "start": stretch.start.isoformat(),
                "end": stretch.end.isoformat(),
                "request": request,
            },
        )
        jobs.append(job)
    return jobs


def _density(jobs: Sequence[Job]) -> float | None:
    """Bytes of file for a second of the stream, out of the windows that were fetched before."""
    known = [job for job in jobs if job.facts.get("file_bytes") is not None]
    seconds = sum((stretch_of(job)[1] - stretch_of(job)[0]).total_seconds() for job in known)
    return sum(job.facts["file_bytes"] for job in known) / seconds if seconds else None


def stream_plan(prepared: Prepared, now: datetime) -> StreamPlan:
    """What one stream of the run will cost."""
    stretches = prepared.stretches
    count = len(stretches)
    span = sum((each.end - each.start).total_seconds() for each in stretches)
    seconds = ceil(count / EXPORT_RUNNING_MAX) * JOB_SECONDS_TYPICAL + EXPORT_STATUS_SECONDS if count else 0.0
    polls = ceil(seconds / EXPORT_STATUS_SECONDS)
    density = prepared.bytes_per_second
    return StreamPlan(
        stream=prepared.shape.stream.name,
        windows=count,
        resumed=len(prepared.resumed),
        start=stretches[0].start if stretches else prepared.cursor,
        end=max((each.end for each in stretches), default=min(prepared.cursor, now)),
        calls=CALLS_PER_WINDOW * count + polls + (0 if prepared.shape.stream.columns else 1),
        bytes_estimate=None if density is None else round(density * span),
        seconds_estimate=seconds,
    )

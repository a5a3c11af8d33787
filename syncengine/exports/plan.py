"""What a run will do, before it does anything: shapes, due windows, and what they will cost.

Apart from the run, so that `syncengine plan` shows exactly what `syncengine sync` then does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from math import ceil

from syncengine.destinations import Destination, Standing
from syncengine.exports.slice import Reach, Stretch, due, prefix_end, window_id
from syncengine.exports.streams import STREAMS, Shape, shape
from syncengine.exports.window import CLEANED, COMMITTED, KIND, MOVES, PLANNED, schema_facts, stretch_of
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
    full: bool = False  # read everything since the start again


@dataclass(frozen=True, slots=True)
class Prepared:
    """One stream of this run: what to ask for, what is there, what an earlier run left, and the new windows."""

    shape: Shape
    request: Mapping[str, object]
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
    # Whatever else is asked, identity's answer shows Marketo's clock, by which windows end.
    await client.tokens.current()
    described = await client.send(leads.describe()) if any(not STREAMS[each.name].columns for each in wanted) else ()
    prepared = []
    for each in wanted:
        shaped = shape(STREAMS[each.name], described, each.fields, each.exclude)
        standing = await run_blocking(partial(destination.standing, instance, each.name))
        jobs = await store.jobs(instance, kind=KIND, group=each.name)
        now = client.server_now()
        prepared.append(_prepared(shaped, standing, jobs, each, now))
    return prepared


def _prepared(shaped: Shape, standing: Standing, jobs: Sequence[Job], wanted: Wanted, now: datetime) -> Prepared:
    reach = wanted.reach
    generation = (
        now.isoformat() if wanted.full else max((job.facts["request"]["generation"] for job in jobs), default="")
    )
    request = request_of(shaped, generation)
    unfinished = [job for job in jobs if job.state not in MOVES.final]
    # Rows that are committed stay, whatever is asked for now: such a window only has to be put away.
    put_away = [job for job in unfinished if job.state == COMMITTED]
    going_on = [job for job in unfinished if job.state != COMMITTED and job.facts["request"] == request]
    abandoned = [job for job in unfinished if job not in put_away and job not in going_on]
    committed = [Stretch(interval.start, interval.end) for interval in standing.intervals]
    windows = due(() if wanted.full else committed, _stretches(going_on), reach, now, again=_stretches(abandoned))
    return Prepared(
        shape=shaped if wanted.full else replace(shaped, notes=(*shaped.notes, *_changes(shaped, jobs))),
        request=request,
        standing=standing,
        resumed=tuple(job for job in unfinished if job not in abandoned),
        abandoned=tuple(abandoned),
        new=windows,
        cursor=prefix_end(committed, reach.start),
        bytes_per_second=_density(jobs),
    )


def _stretches(jobs: Sequence[Job]) -> list[Stretch]:
    return [Stretch(*stretch_of(job)) for job in jobs]


def _changes(shaped: Shape, jobs: Sequence[Job]) -> list[str]:
    """What a change of the fields means for rows that were read before, in the run that first meets it."""
    done = [job for job in jobs if job.state == CLEANED]
    if not done:
        return []
    latest = max(done, key=stretch_of)
    before = [name for name, _ in latest.facts["request"]["fields"]]
    stream, names = shaped.stream.name, shaped.schema.names
    notes = []
    if added := [name for name in names if name not in before]:
        notes.append(
            f"{stream}: new are {', '.join(added)}: rows that were read before have none of it until they change; "
            f"`syncengine sync --full {stream}` reads them all again."
        )
    if gone := [name for name in before if name not in names]:
        notes.append(f"{stream}: no longer read are {', '.join(gone)}: their columns stay as they are.")
    return notes


def request_of(shaped: Shape, generation: str = "") -> dict[str, object]:
    """What makes two windows over the same time the same: filter, columns with their types, and generation.

    A generation is the moment at which everything was asked for anew; an interrupted one is gone on with.
    """
    return {"filter": shaped.stream.filter_field, "fields": schema_facts(shaped.schema), "generation": generation}


def new_jobs(prepared: Prepared, instance: str, *, epoch: int, turn: int) -> list[Job]:
    """The new windows as jobs of the holder with `epoch`; `turn` orders streams among windows of the same time.

    The ledger knows a window by what it asks for and by the end of the run that asked: a long lookback may ask for the
    very same time again, and its rows must not be taken for those that the ledger has. A job is one attempt at a window
    by one holder, and has an id of its own.
    """
    shaped = prepared.shape
    request = prepared.request
    asked = {"instance": instance, "until": max((each.end.isoformat() for each in prepared.new), default=""), **request}
    jobs = []
    for stretch in prepared.new:
        window = window_id(shaped.stream.name, stretch, asked)
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


def stream_plans(prepared: Sequence[Prepared], now: datetime) -> tuple[StreamPlan, ...]:
    """What each stream of the run will cost. Windows of all streams go in turn: each kind is watched to the end."""
    run_seconds = sum(_seconds(len(each.stretches)) for each in prepared)
    return tuple(_stream_plan(each, now, ceil(run_seconds / EXPORT_STATUS_SECONDS)) for each in prepared)


def _seconds(windows: int) -> float:
    """About how long Marketo takes for so many windows."""
    return ceil(windows / EXPORT_RUNNING_MAX) * JOB_SECONDS_TYPICAL + EXPORT_STATUS_SECONDS if windows else 0.0


def _stream_plan(prepared: Prepared, now: datetime, polls: int) -> StreamPlan:
    stretches = prepared.stretches
    count = len(stretches)
    span = sum((each.end - each.start).total_seconds() for each in stretches)
    density = prepared.bytes_per_second
    return StreamPlan(
        stream=prepared.shape.stream.name,
        windows=count,
        resumed=len(prepared.resumed),
        start=stretches[0].start if stretches else prepared.cursor,
        end=max((each.end for each in stretches), default=min(prepared.cursor, now)),
        calls=CALLS_PER_WINDOW * count + (polls if count else 0) + (0 if prepared.shape.stream.columns else 1),
        bytes_estimate=None if density is None else round(density * span),
        seconds_estimate=_seconds(count),
        notes=prepared.shape.notes,
    )

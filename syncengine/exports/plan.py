"""What a run will do, before it does anything: shapes, and the windows that are due.

Apart from the run, so that `syncengine plan` shows exactly what `syncengine sync` then does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from syncengine.destinations import Destination, Standing
from syncengine.exports.budget import density, is_measured
from syncengine.exports.fields import Choice, Shape, shape
from syncengine.exports.slice import Reach, Stretch, due, prefix_end, window_id, window_length
from syncengine.exports.streams import STREAMS, stream_of
from syncengine.exports.window import CLEANED, COMMITTED, KIND, MOVES, PLANNED, request_of, stretch_of
from syncengine.jobs.job import Job
from syncengine.jobs.store import JobStore
from syncengine.marketo.endpoints import leads
from syncengine.threads import run_blocking
from syncengine.transport.client import Client

# What is new since the last run comes before what lies behind, whatever the streams.
INCREMENT, BACKFILL = 0, 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """One stream as the configuration wants it.

    `full` reads everything since the start again, `full_every` does so when the last full read is that old.
    """

    name: str
    choice: Choice
    reach: Reach
    full: bool = False
    full_every: timedelta | None = None
    hard_delete: bool = False


@dataclass(frozen=True, slots=True)
class NewWindow:
    """A window that is due: its time, whether it goes first, and before when a row that it inserts is a late one."""

    stretch: Stretch
    priority: int = BACKFILL
    late_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """One stream of this run: what to ask for, what is there, what an earlier run left, and the new windows."""

    wanted: Wanted
    shape: Shape
    request: Mapping[str, Any]
    standing: Standing
    resumed: tuple[Job, ...]
    abandoned: tuple[Job, ...]
    new: tuple[NewWindow, ...]
    cursor: datetime
    measured: tuple[Job, ...] = field(repr=False)  # windows of earlier runs whose files have a known size

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Every window of this run, oldest first."""
        resumed = _stretches(self.resumed)
        return tuple(sorted((*resumed, *(each.stretch for each in self.new)), key=lambda each: each.start))


async def prepare(
    client: Client, store: JobStore, destination: Destination, instance: str, wanted: Sequence[Wanted]
) -> list[Prepared]:
    """Find out what is due for each stream. Spends one call, `describe`, when leads are among them."""
    described = await client.send(leads.describe()) if any(not stream_of(each.name).columns for each in wanted) else ()
    prepared = []
    for each in wanted:
        shaped = shape(stream_of(each.name), described, each.choice)
        standing = await run_blocking(partial(destination.standing, instance, each.name))
        jobs = await store.jobs(instance, kind=KIND, group=each.name)
        prepared.append(_prepared(shaped, standing, jobs, each, client.server_now()))
    return prepared


def _prepared(shaped: Shape, standing: Standing, jobs: Sequence[Job], wanted: Wanted, now: datetime) -> Prepared:
    committed = [Stretch(interval.start, interval.end) for interval in standing.intervals]
    unfinished = [job for job in jobs if job.state not in MOVES.final]
    is_full = wanted.full or is_full_due(wanted.full_every, jobs, committed, now)
    generation = now.isoformat() if is_full else max((_generation(job) for job in jobs), default="")
    request = request_of(shaped, _filter_field(shaped), generation)
    # Rows that are committed stay, whatever is asked for now: such a window only has to be put away.
    put_away = [job for job in unfinished if job.state == COMMITTED]
    going_on = [job for job in unfinished if job.state != COMMITTED and job.facts["request"] == request]
    abandoned = [job for job in unfinished if job not in put_away and job not in going_on]
    measured = tuple(filter(is_measured, jobs))
    windows = due(
        () if is_full else committed,
        _stretches(going_on),
        wanted.reach,
        now,
        again=_stretches(abandoned),
        longest=window_length(density(measured)),
    )
    notes = [] if is_full else _changes(shaped, jobs)
    if is_full and not wanted.full:
        notes.append("everything is read again, as `full` says.")
    return Prepared(
        wanted=wanted,
        shape=replace(shaped, notes=(*shaped.notes, *notes)),
        request=request,
        standing=standing,
        resumed=tuple(job for job in unfinished if job not in abandoned),
        abandoned=tuple(abandoned),
        new=tuple(_new_window(each, committed, is_full=is_full) for each in windows),
        cursor=prefix_end(committed, wanted.reach.start),
        measured=measured,
    )


def is_full_due(every: timedelta | None, jobs: Sequence[Job], committed: Sequence[Stretch], now: datetime) -> bool:
    """Whether everything is to be read again because the last full read began long ago.

    The first read of a stream is a full one; a full read that is under way is gone on with.
    """
    if every is None or not committed or not jobs:
        return False
    generation = max(map(_generation, jobs))
    if any(job.state not in MOVES.final and _generation(job) == generation for job in jobs):
        return False
    began = datetime.fromisoformat(generation) if generation else min(job.created_at for job in jobs)
    return now - began >= every


def _new_window(stretch: Stretch, committed: Sequence[Stretch], *, is_full: bool) -> NewWindow:
    """What the window is among the others: the increment, with the lookback before it, or part of a backfill."""
    frontier = max((each.end for each in committed), default=None)
    if frontier is None or stretch.end <= frontier:
        return NewWindow(stretch)
    is_looking_back = not is_full and stretch.start < frontier
    return NewWindow(stretch, INCREMENT, frontier if is_looking_back else None)


def _generation(job: Job) -> str:
    # Journals of early versions counted generations.
    stated = job.facts["request"].get("generation", "")
    return stated if isinstance(stated, str) else ""


def _filter_field(shaped: Shape) -> str:
    return shaped.stream.way.filter_field


def _stretches(jobs: Sequence[Job]) -> list[Stretch]:
    return [Stretch(*stretch_of(job)) for job in jobs]


def _changes(shaped: Shape, jobs: Sequence[Job]) -> list[str]:
    """What a change of the fields means for rows that were read before, in the run that first meets it."""
    done = [job for job in jobs if job.state == CLEANED]
    if not done:
        return []
    request = max(done, key=lambda job: job.updated_at).facts["request"]
    before, hashed_before = [name for name, _ in request["fields"]], request.get("hashed", [])
    stream, names = shaped.stream.name, shaped.schema.names
    again = f"`syncengine sync --full {stream}` reads them all again."
    notes = []
    if added := [name for name in names if name not in before]:
        notes.append(f"new are {', '.join(added)}: rows read before have none of it until they change; {again}")
    if gone := [name for name in before if name not in names]:
        notes.append(f"no longer read are {', '.join(gone)}: their columns stay as they are.")
    if hidden := [name for name in shaped.hashed if name in before and name not in hashed_before]:
        notes.append(f"hashed from now on are {', '.join(hidden)}: rows that were read before keep the text; {again}")
    return notes


def new_jobs(prepared: Prepared, instance: str, *, epoch: int, turn: int) -> list[Job]:
    """The new windows as jobs of the holder with `epoch`; `turn` orders streams among windows of the same time."""
    until = max((each.stretch.end.isoformat() for each in prepared.new), default="")
    return [
        new_job(
            prepared.shape.stream.name,
            each.stretch,
            prepared.request,
            until=until,
            instance=instance,
            epoch=epoch,
            # The newest goes first: a backfill that is cut short has brought the years that matter most.
            place=turn - int(each.stretch.start.timestamp()) * len(STREAMS),
            priority=each.priority,
            late_before=each.late_before,
        )
        for each in prepared.new
    ]


def new_job(
    stream: str,
    stretch: Stretch,
    request: Mapping[str, Any],
    *,
    until: str,
    instance: str,
    epoch: int,
    place: int,
    priority: int,
    late_before: datetime | None = None,
) -> Job:
    """One window as a job.

    The ledger knows a window by what it asks for and by the end of the run that asked: a long lookback may ask for the
    very same time again, and its rows must not be taken for those that the ledger has. A job is one attempt at a window
    by one holder, and has an id of its own.
    """
    window = window_id(stream, stretch, {"instance": instance, "until": until, **request})
    facts: dict[str, Any] = {
        "window": window,
        "start": stretch.start.isoformat(),
        "end": stretch.end.isoformat(),
        "request": dict(request),
        "until": until,
    }
    if late_before is not None:
        facts["late_before"] = late_before.isoformat()
    return Job(
        id=f"{window}.{epoch}",
        instance=instance,
        kind=KIND,
        group=stream,
        state=PLANNED,
        priority=priority,
        place=place,
        epoch=epoch,
        facts=facts,
    )


def halves(job: Job, stretches: Sequence[Stretch]) -> list[Job]:
    """Jobs that take a window's place, one for each stretch, with all else as it was."""
    late = job.facts.get("late_before")
    return [
        new_job(
            job.group,
            each,
            job.facts["request"],
            until=job.facts.get("until", ""),
            instance=job.instance,
            epoch=job.epoch,
            place=job.place,
            priority=job.priority,
            late_before=datetime.fromisoformat(late) if late else None,
        )
        for each in stretches
    ]

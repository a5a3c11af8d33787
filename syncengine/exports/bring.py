"""The work of one run: streams in turns, each from what is due to what is committed, and the report of it.

Apart from `sync`, which holds the leases around it and writes down how the run ended.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path

import anyio

from syncengine.destinations import Destination
from syncengine.errors import MarketoError, QuotaExhausted
from syncengine.exports import request, views
from syncengine.exports.budget import Megabytes
from syncengine.exports.catalog import Catalog
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.keys import refuse_lost_keys
from syncengine.exports.load import Landing
from syncengine.exports.marks import MARKED
from syncengine.exports.plan import Planner, Prepared, new_jobs
from syncengine.exports.readers import Readers
from syncengine.exports.reading import PAGING, READING
from syncengine.exports.readings import Readings
from syncengine.exports.request import Watch
from syncengine.exports.run import Windows
from syncengine.exports.streams import stream_of
from syncengine.exports.window import APPLYING, AT_MARKETO, EXPECTED, FETCHING, HOLDS_A_PLACE, KIND, part_of, stretch_of
from syncengine.jobs.board import Failed, Outcome
from syncengine.jobs.halt import Halt
from syncengine.jobs.job import Job
from syncengine.jobs.scheduler import Beside, Handler, Scheduler
from syncengine.jobs.store import JobStore
from syncengine.marketo.endpoints.activities import activity_type
from syncengine.observe.events import Event, SchemaChanged, StreamPlanned
from syncengine.reports import SyncReport
from syncengine.threads import run_blocking
from syncengine.transport.client import Client

# Status is renewed once a minute and looked at once a minute, so a finished job may be counted for two minutes more:
# eight counted ones keep the two running slots busy even with short jobs, and leave two places of the ten to others.
PLACES = {AT_MARKETO: 8, FETCHING: 3, APPLYING: 1, PAGING: 3}
# Enough for all long steps at once and two more, so that Marketo's queue is refilled while files come in.
WORKERS = PLACES[FETCHING] + PLACES[APPLYING] + PLACES[PAGING] + 2
ACTIVITY_TYPES = "activity_types"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a sync works with, all of it opened by the engine.

    `lead_choice` and `hard_delete` are said of streams that other streams touch, also where they are not brought
    themselves. `halt` ends a run between two steps.
    """

    instance: str
    client: Client
    store: JobStore
    destination: Destination
    spool: Path
    poll_seconds: float
    observe: Callable[[Event], None]
    hash_key: bytes = field(default=b"", repr=False)
    lead_choice: Choice | None = None
    hard_delete: frozenset[str] = frozenset()
    halt: Halt = field(default_factory=Halt)


class Bringing:
    """The work of one run: streams in turns, since some take their keys from others, and all of it counted."""

    def __init__(self, parts: Parts, epochs: Mapping[str, int], catalog: Catalog, beside: Beside | None = None) -> None:
        self._parts = parts
        self._beside = beside
        self._epochs = epochs
        self._catalog = catalog
        self._planner = Planner(parts.client, parts.store, parts.destination, parts.instance, catalog)
        self._landing = Landing(
            clock=parts.client.clock,
            destination=parts.destination,
            spool=parts.spool,
            observe=parts.observe,
            hash_key=parts.hash_key,
        )
        self._prepared: list[Prepared] = []
        self._denied: dict[str, MarketoError] = {}
        self._lead_choice = Choice()
        self._failed: list[Failed] = []
        self._line = count()

    async def bring(self, wanted: Sequence[Wanted], run_id: str, started_at: datetime) -> SyncReport:
        """Bring the streams, turn by turn, and give the report."""
        refuse_lost_keys(wanted)
        calls_before = Counter(self._parts.client.calls)
        own = next((each.choice for each in wanted if each.name == MARKED), Choice())
        self._lead_choice = self._parts.lead_choice or own
        self._landing.hard_delete.update(self._parts.hard_delete, (each.name for each in wanted if each.hard_delete))
        turns = sorted({stream_of(each.name).turn for each in wanted})
        in_turn = {turn: [each for each in wanted if stream_of(each.name).turn == turn] for turn in turns}
        # What goes beside goes with the turn that has most to wait for.
        busiest = max(turns, key=lambda turn: len(in_turn[turn]))
        for turn in turns:
            if self._parts.halt.is_asked:
                break
            await self._turn(in_turn[turn], self._beside if turn == busiest else None)
        await self._show_views({each.name for each in wanted})
        return self._report(wanted, run_id, started_at, self._parts.client.calls - calls_before)

    async def _turn(self, wanted: Sequence[Wanted], beside: Beside | None) -> None:
        found = await self._planner.prepare(wanted)
        self._denied.update(found.denied)
        for name, line in found.skipped.items():
            self._landing.tally_of(name).say(line)
        self._prepared += found.streams
        jobs: list[Job] = []
        for each in found.streams:
            jobs += await self._planned(each, self._epochs[each.shape.stream.name])
        await self._tidy()
        outcome = await self._run(jobs, beside)
        self._failed += outcome.failed

    async def _planned(self, prepared: Prepared, epoch: int) -> list[Job]:
        """Write what is due of a stream into the journal: new jobs, and an earlier run's as our own."""
        store = self._parts.store
        resumed = await store.adopt(prepared.resumed, epoch)
        given_up = await store.adopt(prepared.abandoned, epoch)
        for job in given_up:
            await self._cancelled(job)
        if prepared.changed:
            self._parts.observe(SchemaChanged(prepared.shape.stream.name, prepared.changed))
        new = new_jobs(prepared, self._parts.instance, epoch=epoch, turn=next(self._line))
        # In one: what a window was to bring is planned anew exactly when it is given up.
        _, new = await store.replace(given_up, "abandon", by=new, problem="it is asked for in another way now")
        self._parts.observe(StreamPlanned(prepared.shape.stream.name, len(resumed) + len(new), len(resumed)))
        return [*resumed, *new]

    async def _cancelled(self, job: Job) -> None:
        """Take a window's job out of Marketo's queue: it would cost megabytes that nobody wants any more."""
        if job.kind == KIND and job.state in HOLDS_A_PLACE:
            # A job that cannot be cancelled, for whatever reason, does no harm but that.
            with suppress(MarketoError):
                await request.cancel(self._parts.client, request.kind_of(job), job.facts["export_id"])

    async def _run(self, jobs: Sequence[Job], beside: Beside | None) -> Outcome:
        """Let the scheduler take every job to its end, beside one watch for each kind of export."""
        parts = self._parts
        scheduler: Scheduler

        def wake(job_id: str) -> None:
            scheduler.wake(job_id)

        kinds = {request.kind_of(job) for job in jobs if job.kind == KIND}
        watches = {kind: Watch(parts.client, kind, parts.poll_seconds, wake) for kind in kinds}
        megabytes = Megabytes(parts.client.gate)
        for each in self._prepared:
            megabytes.learn(each.measured)
        for job in jobs:
            if job.kind == KIND and job.state in EXPECTED:
                megabytes.hold(job)
        windows = Windows(
            client=parts.client, store=parts.store, landing=self._landing, megabytes=megabytes, watches=watches
        )
        readers = Readers(parts.client, self._catalog, parts.destination, self._lead_choice)
        readings = Readings(client=parts.client, store=parts.store, landing=self._landing, readers=readers)
        handlers: dict[str, Handler] = {KIND: windows, READING: readings}
        lanes, workers, others = dict(PLACES), WORKERS, list[Job]()
        if beside is not None:
            handlers |= beside.handlers
            workers += sum(places for lane, places in beside.lanes.items() if lane not in lanes)
            lanes |= {lane: places for lane, places in beside.lanes.items() if lane not in lanes}
            others += beside.jobs
        scheduler = Scheduler(handlers, parts.client.clock, workers=workers, lanes=lanes)
        if beside is not None:
            beside.begun(scheduler)
        mine = {job.id for job in jobs}
        try:
            async with anyio.create_task_group() as group:
                for watch in watches.values():
                    group.start_soon(watch.run)
                group.start_soon(_stop_when_asked, parts.halt, scheduler)
                done = {earlier for job in jobs for earlier in job.after} - mine
                outcome = await scheduler.run([*jobs, *others], done=done)
                group.cancel_scope.cancel()
        except ExceptionGroup as errors:
            raise _first(errors) from errors
        return outcome if beside is None else beside.split(outcome)

    async def _show_views(self, names: Collection[str]) -> None:
        """Renew the views of activity types where both streams are wanted and could be read."""
        if not {views.STREAM, ACTIVITY_TYPES} <= set(names) or ACTIVITY_TYPES in self._unread():
            return
        shape = next((each.shape for each in self._prepared if each.shape.stream.name == views.STREAM), None)
        if shape is None:
            return
        if lost := [name for name in views.READ if name not in shape.schema.names or name in shape.hashed]:
            line = f"no views of activity types: {' and '.join(lost)} left out or hashed"
            self._landing.tally_of(views.STREAM).say(line)
            return
        types = [activity_type(row) for row in await self._catalog.activity_types()]
        parts = self._parts
        await run_blocking(partial(parts.destination.show, parts.instance, views.of_types(types)))

    def _unread(self) -> set[str]:
        """The streams of which something is missing."""
        return {*self._denied, *(each.job.group for each in self._failed)}

    def _report(self, wanted: Sequence[Wanted], run_id: str, started_at: datetime, calls: Counter[str]) -> SyncReport:
        waiting = [each for each in self._failed if isinstance(each.error, QuotaExhausted)]
        failed = [each for each in self._failed if not isinstance(each.error, QuotaExhausted)]
        notes = {each.shape.stream.name: each.shape.notes for each in self._prepared}
        tally_of = self._landing.tally_of
        streams = tuple(tally_of(each.name).report(each.name, notes.get(each.name, ())) for each in wanted)
        errors = [*self._denied.values(), *(each.error for each in (*failed, *waiting))]
        halted = ("The run was asked to stop before everything was brought",) if self._parts.halt.is_asked else ()
        is_partial = bool(failed or self._denied or halted) or any(each.rejected for each in streams)
        ended_at = self._parts.client.clock.now()
        return SyncReport(
            run_id=run_id,
            outcome="partial" if is_partial else "paused" if waiting else "done",
            started_at=started_at,
            ended_at=ended_at,
            seconds=(ended_at - started_at).total_seconds(),
            calls=calls.total(),
            calls_by_name=dict(sorted(calls.items())),
            streams=streams,
            problems=(
                *halted,
                *(f"{name}: {error}" for name, error in self._denied.items()),
                *_problems(failed),
                *_problems(waiting),
            ),
            errors=tuple(dict.fromkeys(type(error).__name__ for error in errors)),
            advice=tuple(dict.fromkeys(advice for error in errors if (advice := getattr(error, "advice", "")))),
            resume_at=_resume_at(waiting),
        )

    async def _tidy(self) -> None:
        """Remove spooled files of jobs that nobody works on any more."""
        parts = self._parts
        # The folder first: what another process begins in between is no leftover.
        found = await run_blocking(lambda: list(parts.spool.iterdir()))
        unfinished = await parts.store.jobs(parts.instance, unfinished_only=True)
        kept = {name for job in unfinished for name in (job.id, *job.after)}

        def remove() -> None:
            for path in found:
                if path.name.removesuffix(".part").rpartition(".")[0] in kept:
                    continue
                # A folder is what a join has spilled before it was killed. What cannot be removed does no harm.
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    with suppress(OSError):
                        path.unlink()

        await run_blocking(remove)


async def _stop_when_asked(halt: Halt, scheduler: Scheduler) -> None:
    await halt.wait()
    scheduler.stop()


def _resume_at(waiting: Sequence[Failed]) -> datetime | None:
    """When the day's quota is back for those that wait for it."""
    moments = [each.error.resume_at for each in waiting if isinstance(each.error, QuotaExhausted)]
    return max(moments, default=None)


def _first(errors: ExceptionGroup[Exception]) -> Exception:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


def _problems(failed: Sequence[Failed]) -> tuple[str, ...]:
    """A sentence for each thing that went wrong with a stream, and over which time."""
    alike: dict[tuple[str, str], list[Failed]] = {}
    for each in failed:
        list_id = part_of(each.job).list_id
        what = each.job.group if list_id is None else f"{each.job.group} of list {list_id}"
        alike.setdefault((what, str(each.error)), []).append(each)
    sentences = []
    for (what, error), all_of_it in alike.items():
        start = min(stretch_of(each.job)[0] for each in all_of_it)
        end = max(stretch_of(each.job)[1] for each in all_of_it)
        count = f" in {len(all_of_it)} windows" if len(all_of_it) > 1 else ""
        sentences.append(f"{what} from {start:%Y-%m-%dT%H:%MZ} to {end:%Y-%m-%dT%H:%MZ}{count}: {error}")
    return tuple(sentences)

"""Where things stand, without any network: read from the journal, the limiter's slots and the destination.

Apart from the engine, which opens what a command works with: this only looks, also while a sync is running.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from syncengine.choices import JOURNAL, KINDS, SLOTS, boot_of, gate_limits, limited_as, open_destination
from syncengine.clock import Clock, ScaledClock, SystemClock
from syncengine.config import Settings
from syncengine.config.streams import CUSTOM_OBJECTS
from syncengine.destinations import Destination
from syncengine.errors import SyncEngineError
from syncengine.exports.reading import JOBS
from syncengine.exports.slice import Stretch, prefix_end
from syncengine.exports.streams import CUSTOM_OBJECT
from syncengine.exports.window import FINAL, lease_name, stretch_of
from syncengine.imports.states import CLOSED, IMPORT
from syncengine.jobs.job import Job, Run
from syncengine.jobs.lease import is_held
from syncengine.jobs.sql import open_journal
from syncengine.jobs.store import JobStore
from syncengine.reports import RunSummary, SlotHolder, StatusReport, StreamStatus, WindowStatus
from syncengine.threads import run_blocking
from syncengine.transport.gate import Gate
from syncengine.transport.shared_slots import SharedSlotStore
from syncengine.transport.use import GateUse

RUNS_SHOWN = 10


async def read_status(settings: Settings) -> StatusReport:
    """The last runs, each stream's cursor, what is unfinished, today's spending and who is calling now.

    Raises StateUnusable when the journal cannot be read. Before the first run everything is empty.
    """
    limits = settings.limits
    # A sandbox's fast clock is ahead of ours by an unknown amount: time is compared only where clocks agree.
    now = SystemClock().now() if settings.instance.time_scale == 1.0 else None
    runs, jobs, busy = await _journal(settings, now)
    names = streams_shown(settings, jobs)
    windows = unfinished(jobs)
    cursors, problem = await run_blocking(lambda: read_cursors(settings, names))
    use = await read_limits(settings)
    return StatusReport(
        instance=settings.instance.name,
        runs=tuple(summary(run, outcome) for run, outcome in zip(runs, outcomes(runs, busy), strict=True)),
        streams=stream_statuses(names, cursors, [job.group for job in windows], now),
        windows_unfinished=tuple(window_status(job) for job in windows),
        calls_today=use.spent_today.calls if use else 0,
        calls_per_day=limits.calls_per_day,
        export_bytes_today=use.spent_today.export_bytes if use else 0,
        export_bytes_per_day=limits.export_bytes_per_day,
        window_slots_used=use.in_window if use else 0,
        in_flight=use.in_flight if use else 0,
        holders=tuple(SlotHolder(holder, count) for holder, count in use.holders.items()) if use else (),
        imports_unfinished=tuple(job.id for job in jobs if job.kind == IMPORT and job.state != CLOSED),
        destination_problem=problem,
    )


async def _journal(settings: Settings, now: datetime | None) -> tuple[list[Run], list[Job], set[str]]:
    """The last runs, every window and reading, and the kinds of work that a process which may live holds."""
    path = settings.state.path / JOURNAL
    if not await run_blocking(path.exists):
        return [], [], set()
    async with open_journal(path, KINDS, SystemClock()) as journal:
        runs = await journal.runs(settings.instance.name, RUNS_SHOWN)
        jobs = await journal.jobs(settings.instance.name)
        busy = await read_busy(journal, settings.instance.name, now)
    return runs, jobs, busy


async def read_busy(journal: JobStore, instance: str, now: datetime | None) -> set[str]:
    """The kinds of work that a process which may live holds; `now` is None where clocks cannot be compared."""
    return {each.work for each in await journal.leases(instance) if is_held(each, now)}


def unfinished(jobs: Sequence[Job]) -> list[Job]:
    """The windows and readings that no sync has brought to their end."""
    return [job for job in jobs if job.kind in JOBS and job.state not in FINAL]


def stream_statuses(
    names: Sequence[str], cursors: Mapping[str, datetime], unfinished_of: Sequence[str], now: datetime | None
) -> tuple[StreamStatus, ...]:
    """How far each stream has come, given its cursor and the stream of every unfinished window."""
    return tuple(
        StreamStatus(
            stream=name,
            cursor=cursors.get(name),
            lag_seconds=(now - cursor).total_seconds() if now and (cursor := cursors.get(name)) else None,
            windows_unfinished=unfinished_of.count(name),
        )
        for name in names
    )


def streams_shown(settings: Settings, jobs: Sequence[Job]) -> list[str]:
    """The streams of the configuration; of "all custom objects" those that a sync has met."""
    names = [name for name in settings.sync.streams if name != CUSTOM_OBJECTS]
    if CUSTOM_OBJECTS in settings.sync.streams:
        met = {job.group for job in jobs if job.group.startswith(CUSTOM_OBJECT)}
        names += sorted(met - set(names))
    return names


def outcomes(runs: Sequence[Run], busy: Collection[str]) -> list[str]:
    """How each run, newest first, ended. Of the open ones the newest holder of a living lease runs, the others died."""
    left = set(busy)
    found = []
    for run in runs:
        work = {lease_name(stream) for stream in run.detail.get("streams", ())} | set(run.detail.get("work", ()))
        found.append(run.outcome or ("running" if work & left else "died"))
        if run.outcome is None:
            left -= work
    return found


def read_cursors(
    settings: Settings, names: Sequence[str], opened: Callable[[Settings], Destination] = open_destination
) -> tuple[dict[str, datetime], str]:
    """Up to where the destination holds each stream without a gap, or why it cannot be read; blocks its thread."""
    destination = opened(settings)
    cursors = {}
    try:
        for name in names:
            standing = destination.standing(settings.instance.name, name)
            if standing.intervals:
                committed = [Stretch(each.start, each.end) for each in standing.intervals]
                cursors[name] = prefix_end(committed, settings.sync.start)
    except SyncEngineError as error:
        return {}, error.message
    finally:
        destination.close()
    return cursors, ""


async def read_limits(settings: Settings, clock: Clock | None = None) -> GateUse | None:
    """The limits' use by all processes on this state folder, None before the first; `clock` is the instance's.

    Raises StateUnusable and NoSpace.
    """
    path = settings.state.path / SLOTS
    if not await run_blocking(path.exists):
        return None
    if clock is None:
        # Slots hold seconds of the instance's clock, which a sandbox runs faster.
        scale = settings.instance.time_scale
        clock = SystemClock() if scale == 1.0 else ScaledClock(scale, SystemClock().now())
    opened = partial(
        SharedSlotStore,
        path,
        limited_as(settings),
        boot_of(settings),
        window_seconds=settings.limits.window_seconds,
        now=clock.monotonic(),
    )
    slots = await run_blocking(opened)
    try:
        return await Gate(slots, gate_limits(settings), clock, holder="status").use()
    finally:
        await slots.close()


def summary(run: Run, outcome: str) -> RunSummary:
    """One run in figures. A sync's report lists its streams; a night's and an import's have their sums."""
    streams, counts = run.report.get("streams", []), run.report.get("counts", {})
    if isinstance(streams, Mapping):
        rows, moved = run.report.get("rows"), run.report.get("moved")
    elif streams:
        rows = sum(each["rows"] for each in streams)
        moved = sum(each["inserted"] + each["changed"] for each in streams)
    else:
        rows = sum(counts.values()) or None
        moved = counts.get("imported", 0) + counts.get("warned", 0) or None
    return RunSummary(
        run_id=str(run.id),
        kind=run.kind,
        outcome=outcome,
        started_at=run.started_at,
        ended_at=run.ended_at,
        rows=rows,
        moved=moved,
        calls=run.report.get("calls"),
    )


def window_status(job: Job) -> WindowStatus:
    """A window or reading that is not through, with what went wrong last."""
    start, end = stretch_of(job)
    return WindowStatus(job.group, start, end, job.state, str(job.facts.get("problem", "")))

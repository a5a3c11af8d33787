"""Where things stand, without any network: read from the journal, the limiter's slots and the destination.

Apart from the engine, which opens what a command works with: this only looks, also while a sync is running.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from syncengine.choices import JOURNAL, KINDS, SLOTS, boot_of, gate_limits, limited_as, open_destination
from syncengine.clock import Clock, ScaledClock, SystemClock
from syncengine.config import Settings
from syncengine.config.streams import CUSTOM_OBJECTS
from syncengine.errors import SyncEngineError
from syncengine.exports.reading import JOBS
from syncengine.exports.slice import Stretch, prefix_end
from syncengine.exports.streams import CUSTOM_OBJECT
from syncengine.exports.window import FINAL, lease_name, stretch_of
from syncengine.imports.states import CLOSED, IMPORT
from syncengine.jobs.job import Job, Run
from syncengine.jobs.lease import is_held
from syncengine.jobs.sql import open_journal
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
    instance, limits = settings.instance.name, settings.limits
    # A sandbox's fast clock is ahead of ours by an unknown amount: time is compared only where clocks agree.
    now = SystemClock().now() if settings.instance.time_scale == 1.0 else None
    runs, jobs, busy = await _journal(settings, now)
    names = streams_shown(settings, jobs)
    windows = [job for job in jobs if job.kind in JOBS and job.state not in FINAL]
    cursors, problem = await _cursors(settings, names)
    use = await _use(settings)
    return StatusReport(
        instance=instance,
        runs=tuple(_summary(run, outcome) for run, outcome in zip(runs, outcomes(runs, busy), strict=True)),
        streams=tuple(
            StreamStatus(
                stream=name,
                cursor=cursors.get(name),
                lag_seconds=(now - cursor).total_seconds() if now and (cursor := cursors.get(name)) else None,
                windows_unfinished=sum(job.group == name for job in windows),
            )
            for name in names
        ),
        windows_unfinished=tuple(_window(job) for job in windows),
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
        leases = await journal.leases(settings.instance.name)
    return runs, jobs, {each.work for each in leases if is_held(each, now)}


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


async def _cursors(settings: Settings, names: Sequence[str]) -> tuple[dict[str, datetime], str]:
    destination = open_destination(settings)
    cursors = {}
    try:
        for name in names:
            standing = await run_blocking(partial(destination.standing, settings.instance.name, name))
            if standing.intervals:
                committed = [Stretch(each.start, each.end) for each in standing.intervals]
                cursors[name] = prefix_end(committed, settings.sync.start)
    except SyncEngineError as error:
        return {}, error.message
    finally:
        destination.close()
    return cursors, ""


async def _use(settings: Settings) -> GateUse | None:
    path = settings.state.path / SLOTS
    if not await run_blocking(path.exists):
        return None
    # Slots hold seconds of the instance's clock, which a sandbox runs faster.
    scale = settings.instance.time_scale
    clock: Clock = SystemClock() if scale == 1.0 else ScaledClock(scale, SystemClock().now())
    slots = SharedSlotStore(
        path,
        limited_as(settings),
        boot_of(settings),
        window_seconds=settings.limits.window_seconds,
        now=clock.monotonic(),
    )
    try:
        return await Gate(slots, gate_limits(settings), clock, holder="status").use()
    finally:
        await slots.close()


def _summary(run: Run, outcome: str) -> RunSummary:
    streams, counts = run.report.get("streams", []), run.report.get("counts", {})
    return RunSummary(
        run_id=str(run.id),
        kind=run.kind,
        outcome=outcome,
        started_at=run.started_at,
        ended_at=run.ended_at,
        rows=sum(each["rows"] for each in streams) if streams else sum(counts.values()) or None,
        moved=(
            sum(each["inserted"] + each["changed"] for each in streams)
            if streams
            else counts.get("imported", 0) + counts.get("warned", 0) or None
        ),
        calls=run.report.get("calls"),
    )


def _window(job: Job) -> WindowStatus:
    start, end = stretch_of(job)
    return WindowStatus(job.group, start, end, job.state, str(job.facts.get("problem", "")))

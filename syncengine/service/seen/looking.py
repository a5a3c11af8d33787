"""Reading what the operator is shown: the limiter's slots, the journal and the destination, each on its own.

Apart from the values, and from how often they are read: here is only what is asked of which file, and how a snapshot is
put together from the answers. What cannot be read becomes a sentence.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta

from syncengine.choices import JOURNAL, KINDS, open_destination
from syncengine.clock import Clock
from syncengine.config import Settings
from syncengine.config.streams import CUSTOM_OBJECTS
from syncengine.destinations import Destination
from syncengine.errors import SyncEngineError
from syncengine.jobs.job import Run
from syncengine.jobs.sql import open_journal
from syncengine.jobs.store import JobStore
from syncengine.service.schedule.nights import NightReport, night_of
from syncengine.service.seen.bulk import bulk_jobs
from syncengine.service.seen.snapshot import (
    NIGHTS_SHOWN,
    Cursors,
    InstanceSnapshot,
    Journal,
    Live,
    Snapshot,
    known_nights,
    live_of,
)
from syncengine.service.standing import GroupStanding, Problem, Standings
from syncengine.status import (
    outcomes,
    read_busy,
    read_cursors,
    read_limits,
    stream_statuses,
    streams_shown,
    summary,
    unfinished,
    window_status,
)
from syncengine.threads import run_blocking

RUNS_SHOWN = 20
# Runs are read from the newest on, in larger and larger bites, until the nights that are shown are all there.
BITES = (200, 1_000, 5_000)

OpenDestination = Callable[[Settings], Destination]


async def read_snapshot(
    settings: Sequence[Settings],
    standings: Standings,
    clocks: Mapping[str, Clock],
    *,
    clock: Clock,
    destination: OpenDestination = open_destination,
) -> Snapshot:
    """Everything, read now. `clocks` are those of the instances by name, `clock` is the machine's.

    What cannot be read is said in the snapshot; nothing is raised. A destination may keep this waiting for long.
    """
    journals = await read_journals(settings, clocks, clock)
    shown = []
    for each in settings:
        its, journal = clocks.get(each.instance.name, clock), journals[each.instance.name]
        cursors = await read_destination(each, its, journal.stream_names, destination=destination)
        shown.append(composed(each, standings, its.now(), live=await read_live(each, its), past=(journal, cursors)))
    return whole(standings, clock.now(), shown)


async def read_journals(settings: Sequence[Settings], clocks: Mapping[str, Clock], clock: Clock) -> dict[str, Journal]:
    """What the journal says of each instance, by name; the instances of one daemon have one journal."""
    found = {}
    try:
        path = settings[0].state.path / JOURNAL
        if await run_blocking(path.exists):
            async with open_journal(path, KINDS, clock) as journal:
                for each in settings:
                    its = clocks.get(each.instance.name, clock)
                    found[each.instance.name] = await _journal(journal, each, its.now())
        problem = ""
    except SyncEngineError as error:
        problem = error.message
    except Exception as error:  # noqa: BLE001  # a page that says so is worth more than none
        problem = f"it holds what this version does not understand ({type(error).__name__})"
    for each in settings:
        its, names = clocks.get(each.instance.name, clock), tuple(streams_shown(each, ()))
        found.setdefault(each.instance.name, Journal(read_at=its.now(), stream_names=names, problem=problem))
    return found


async def _journal(journal: JobStore, settings: Settings, now: datetime) -> Journal:
    instance = settings.instance.name
    runs = await _runs(journal, instance, now - timedelta(days=NIGHTS_SHOWN + 1))
    # Only a sync of all custom objects has streams that no more than its finished jobs may tell of.
    jobs = await journal.jobs(instance, unfinished_only=CUSTOM_OBJECTS not in settings.sync.streams)
    latest = runs[:RUNS_SHOWN]
    ended = outcomes(latest, await read_busy(journal, instance, now))
    return Journal(
        read_at=now,
        runs=tuple(summary(run, outcome) for run, outcome in zip(latest, ended, strict=True)),
        nights=tuple(night for run in runs if (night := _night(run))),
        stream_names=tuple(streams_shown(settings, jobs)),
        unfinished=tuple(window_status(job) for job in unfinished(jobs)),
        jobs=bulk_jobs(jobs),
    )


async def _runs(journal: JobStore, instance: str, since: datetime) -> list[Run]:
    runs: list[Run] = []
    for bite in BITES:
        runs = await journal.runs(instance, bite)
        if len(runs) < bite or runs[-1].started_at < since:
            break
    return runs


def _night(run: Run) -> NightReport | None:
    try:
        return night_of(run)
    except (KeyError, TypeError, ValueError):
        return None  # another version's account of a night: it still stands among the runs


async def read_live(settings: Settings, clock: Clock) -> Live:
    """Who uses the limits now."""
    use, problem = None, ""
    try:
        use = await read_limits(settings, clock)
    except SyncEngineError as error:
        problem = error.message
    except Exception as error:  # noqa: BLE001  # as above
        problem = f"they cannot be read ({type(error).__name__})"
    return live_of(use, settings.limits, clock.now(), problem)


async def read_destination(
    settings: Settings,
    clock: Clock,
    names: Sequence[str],
    *,
    destination: OpenDestination = open_destination,
    threads: Executor | None = None,
) -> Cursors:
    """How far the destination holds each of these streams."""
    try:
        ends, problem = await run_blocking(lambda: read_cursors(settings, names, destination), threads)
    except Exception as error:  # noqa: BLE001  # whatever a driver raises is said, and the page is shown
        ends, problem = {}, f"it cannot be read ({type(error).__name__})"
    return Cursors(read_at=clock.now(), ends=ends, problem=problem)


def composed(
    settings: Settings, standings: Standings, now: datetime, *, live: Live, past: tuple[Journal, Cursors]
) -> InstanceSnapshot:
    """One instance out of its parts, as of `now`."""
    name, (journal, cursors) = settings.instance.name, past
    schedule = {
        group: given for group, given in settings.schedule.items() if not given.instances or name in given.instances
    }
    groups = tuple(standings.groups.get((name, group), GroupStanding(instance=name, group=group)) for group in schedule)
    names = journal.stream_names
    streams = stream_statuses(names, cursors.ends, [each.stream for each in journal.unfinished], now)
    return InstanceSnapshot(
        name=name,
        at=now,
        schedule=schedule,
        groups=groups,
        inboxes=tuple(each for each in standings.inboxes.values() if each.instance == name),
        problems=tuple(sorted((p for p in standings.problems if p.instance == name), key=_when, reverse=True)),
        live=live,
        nights=known_nights(journal.nights, groups),
        runs=journal.runs,
        streams=streams,
        unfinished=journal.unfinished,
        jobs=journal.jobs,
        journal_read_at=journal.read_at,
        cursors_read_at=cursors.read_at,
        journal_problem=journal.problem,
        destination_problem=cursors.problem,
        taken_over=standings.taken_over.get(name, ""),
    )


def whole(standings: Standings, at: datetime, instances: Sequence[InstanceSnapshot]) -> Snapshot:
    """All instances together, with the problems that are of none of them, newest first."""
    names = {each.name for each in instances}
    others = (problem for problem in standings.problems if problem.instance not in names)
    return Snapshot(
        at=at,
        started_at=standings.started_at,
        instances=tuple(instances),
        problems=tuple(sorted(others, key=_when, reverse=True)),
        reloaded_at=standings.reloaded_at,
        is_stopping=standings.is_stopping,
    )


def _when(problem: Problem) -> datetime:
    return problem.at

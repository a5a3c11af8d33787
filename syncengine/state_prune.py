"""`state prune`: what ended long ago leaves the state folder, beside whatever runs.

Theory of operation
-------------------
Only what is finished and older than asked for goes, and of that only what nothing needs any more: `exports.needed`
knows what a plan looks at. An import run goes with its chunks, all or nothing. What a job that stays comes after
stays, and so does the import whose failed rows one that stays has sent again. The newest job of each group stays, so
that an instance's name keeps standing for the instance that it stood for.

Apart from the journal's own upkeep, which removes what it is told to and never heard of streams.
"""

import shutil
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from syncengine.choices import IMPORTS, JOURNAL, KINDS
from syncengine.clock import SystemClock
from syncengine.config import Settings
from syncengine.errors import NoSpace, StateUnusable
from syncengine.exports.needed import Trace, needed, trace_of
from syncengine.exports.reading import JOBS
from syncengine.imports.states import CHUNK, IMPORT
from syncengine.jobs import upkeep
from syncengine.jobs.inspection import look
from syncengine.jobs.job import Job
from syncengine.jobs.lease import is_held
from syncengine.jobs.sql import open_journal
from syncengine.jobs.upkeep import Key, Removed
from syncengine.state_folder import Listing, Seen, is_old, listed, orphans_of_imports, orphans_of_spool, size_of
from syncengine.state_reports import PruneReport
from syncengine.threads import run_blocking

# What lies in the spool of nobody may be another process's that is just beginning.
SPOOL_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether one job goes; `unit` is what goes with it: an import run, or the job alone."""

    key: Key
    unit: Key
    group: Key
    updated_at: datetime
    finished: bool
    after: tuple[str, ...]
    retries: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The jobs that go, those of them that are import runs, and who owns what in the folder afterwards."""

    jobs: tuple[Key, ...]
    imports: tuple[Key, ...]
    seen: Seen


async def prune(
    settings: Settings, keep: timedelta, *, dry_run: bool = False, now: datetime | None = None
) -> PruneReport:
    """Remove what ended more than `keep` ago, of every instance in the state folder, and files that are nobody's.

    Beside running work too; only then the files stay as large as they are. With `dry_run` nothing is changed. Raises
    StateUnusable, and NoSpace when the disk has no room for the transaction.
    """
    folder, journal = settings.state.path, settings.state.path / JOURNAL
    if not await run_blocking(journal.exists):
        return PruneReport(
            str(folder), SystemClock().now() - keep, dry_run, notes=("There is no journal: nothing has run yet.",)
        )
    # Where a sandbox's clock is faster than ours, the last move says what time it is there.
    is_real = settings.instance.time_scale == 1.0
    now = now or (SystemClock().now() if is_real else await run_blocking(partial(look, journal, upkeep.latest)))
    now = now or SystemClock().now()
    before = now - keep
    listing = await run_blocking(partial(listed, folder))
    size = await run_blocking(partial(upkeep.size_of, journal))
    chosen: list[Chosen] = []

    def choose(jobs: Iterable[tuple[Job, bool]]) -> Collection[Key]:
        chosen[:] = [choice(jobs, before)]
        return chosen[0].jobs

    if dry_run:
        removed = await run_blocking(partial(look, journal, lambda it: upkeep.outlived(it, before, choose)))
    else:
        async with open_journal(journal, KINDS, SystemClock()) as store:
            removed = await store.database.write(lambda it: upkeep.remove(it, before, choose))
    files = leftovers(listing, chosen[0], folder / IMPORTS, SystemClock().now())
    file_bytes = sum([await run_blocking(partial(size_of, path)) for path in files])
    report = _report(PruneReport(str(folder), before, dry_run), removed, chosen[0], len(files), file_bytes)
    if dry_run:
        return report
    await run_blocking(partial(_discard, files))
    note = await _compacted(journal, now if is_real else None)
    gained = size - await run_blocking(partial(upkeep.size_of, journal)) + file_bytes
    return replace(report, bytes_gained=max(0, gained), notes=(note,) if note else ())


def choice(jobs: Iterable[tuple[Job, bool]], before: datetime) -> Chosen:
    """Which jobs go, of all that there are; finished ones come marked so."""
    standings: list[Standing] = []
    traces: dict[str, list[Trace]] = defaultdict(list)
    seen = Seen()
    for job, finished in jobs:
        seen.take(job)
        standings.append(_standing(job, finished=finished))
        if job.kind in JOBS:
            traces[job.instance].append(trace_of(job))
    kept = {(instance, job_id) for instance, of_it in traces.items() for job_id in needed(of_it)}
    kept |= {each.key for each in standings if not each.finished or each.updated_at >= before}
    newest: dict[Key, Standing] = {}
    for each in standings:
        if each.group not in newest or newest[each.group].updated_at <= each.updated_at:
            newest[each.group] = each
    kept |= {each.key for each in newest.values()}
    units = _settled(standings, kept)
    gone = [each for each in standings if each.unit not in units]
    imports = {each.unit for each in gone if each.unit != each.key} | {
        each.key for each in gone if each.group[1] == IMPORT
    }
    return Chosen(tuple(each.key for each in gone), tuple(sorted(imports)), seen)


def _standing(job: Job, *, finished: bool) -> Standing:
    unit = (job.instance, str(job.facts.get("run", job.id))) if job.kind == CHUNK else (job.instance, job.id)
    # Imports are one group whatever they go into; chunks belong to their run.
    group = job.kind if job.kind in {IMPORT, CHUNK} else f"{job.kind} {job.group}"
    retries = str(job.facts.get("retries") or "") if job.kind == IMPORT else ""
    return Standing((job.instance, job.id), unit, (job.instance, group), job.updated_at, finished, job.after, retries)


def _settled(standings: Sequence[Standing], kept: set[Key]) -> set[Key]:
    """The units of which something stays, when whatever these come after, or send again, stays too."""
    unit_of = {each.key: each.unit for each in standings}
    members: dict[Key, list[Standing]] = defaultdict(list)
    for each in standings:
        members[each.unit].append(each)
    waiting = [unit_of[key] for key in kept]
    stay: set[Key] = set()
    while waiting:
        unit = waiting.pop()
        if unit in stay:
            continue
        stay.add(unit)
        for each in members[unit]:
            instance = each.key[0]
            wanted = [(instance, name) for name in (*each.after, each.retries) if name]
            waiting += [unit_of[key] for key in wanted if key in unit_of]
    return stay


def leftovers(listing: Listing, chosen: Chosen, imports: Path, now: datetime) -> list[Path]:
    """Files and folders of nobody: old ones, and whatever is left of an import that goes."""
    gone = {imports / instance / run_id for instance, run_id in chosen.imports}
    spooled = [path for path in orphans_of_spool(listing, chosen.seen) if is_old(path, now, SPOOL_AGE)]
    left = {*orphans_of_imports(listing, chosen.seen, now), *(path for path in listing.imports if path in gone)}
    return [*spooled, *sorted(left)]


def _report(empty: PruneReport, removed: Removed, chosen: Chosen, files: int, file_bytes: int) -> PruneReport:
    return replace(
        empty,
        jobs=len(removed.jobs),
        moves=removed.moves,
        imports=len(chosen.imports),
        runs=removed.runs,
        files=files,
        file_bytes=file_bytes,
    )


def _discard(paths: Sequence[Path]) -> None:
    """Remove what can be removed; what cannot, somebody else's say, is found again next time."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


async def _compacted(journal: Path, now: datetime | None) -> str:
    """Compact the journal while nobody works on it; otherwise, or when it cannot be done, a sentence why not."""
    leases = await run_blocking(partial(look, journal, upkeep.held_leases))
    holders = sorted({str(each.holder) for each in leases if is_held(each, now)})
    if holders:
        return f"The journal's file keeps its size for now: {', '.join(holders)} is at work."
    try:
        await run_blocking(partial(upkeep.compact, journal))
    except (NoSpace, StateUnusable) as error:
        return f"The journal's file keeps its size for now: {error.message}."
    return ""

"""`state verify`: whether what lies in the state folder fits together, and with the destination's ledger.

It only looks, also while a daemon runs. Apart from `status`, which tells how far the work is and believes what it
reads.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from syncengine.choices import IMPORTS, JOURNAL, KINDS, SLOTS, SPOOL, open_destination
from syncengine.clock import SystemClock
from syncengine.config import Settings
from syncengine.destinations import Destination
from syncengine.errors import StateUnusable, SyncEngineError
from syncengine.jobs.inspection import Inspection, damages, look
from syncengine.state_folder import Committed, Listing, Seen, listed, orphans_of_imports, orphans_of_spool, size_of
from syncengine.state_reports import Finding, VerifyReport
from syncengine.threads import run_blocking
from syncengine.transport.shared_slots import SCHEMA_VERSION

SLOTS_ADVICE = (
    "It holds the limiter's present state and what today has used: stop every syncengine on this folder and delete it."
)


async def verify(
    instances: Sequence[Settings], *, destination: bool = False, now: datetime | None = None
) -> VerifyReport:
    """Look at all of the state folder that these instances share and, with `destination`, at the ledger of each.

    Raises StateUnusable when the journal cannot be read at all.
    """
    first = instances[0]
    if now is None and first.instance.time_scale == 1.0:
        now = SystemClock().now()
    report, seen = await run_blocking(partial(looked_at, first.state.path, now))
    if not destination:
        return report
    found, asked = list(report.findings), 0
    for settings in instances:
        mine = [each for each in seen.committed if each.instance == settings.instance.name]
        found += await _ledger(settings, mine)
        asked += len(mine)
    return replace(report, findings=tuple(found), windows=asked)


def looked_at(folder: Path, now: datetime | None) -> tuple[VerifyReport, Seen]:
    """What lies in a state folder, and what its journal says of the rest. None for `now`: clocks differ. Blocking."""
    listing, journal, slots = listed(folder), folder / JOURNAL, folder / SLOTS

    def inspected(connection: sqlite3.Connection) -> tuple[Inspection, Seen]:
        seen = Seen()
        inspection = Inspection(journal, KINDS, now, seen.take)
        inspection.run(connection)
        return inspection, seen

    findings: list[Finding] = []
    inspection, seen = Inspection(journal, KINDS, now, lambda _: None), Seen()
    if journal.exists() or journal.with_name(f"{JOURNAL}-wal").exists():
        inspection, seen = look(journal, inspected)
        findings += [*inspection.findings, *_spool(listing, seen), *_imports(folder / IMPORTS, listing, seen)]
    else:
        findings.append(_without_journal(folder, listing))
    if slots.exists():
        findings += _slots(slots)
    report = VerifyReport(
        str(folder), tuple(findings), jobs=inspection.jobs, moves=inspection.history, runs=inspection.runs
    )
    return report, seen


def _without_journal(folder: Path, listing: Listing) -> Finding:
    if listing.spooled or listing.imports:
        what = "it is missing, and working files of syncs or imports lie beside its place"
        return Finding(
            JOURNAL, what, f"Put a backup of it back, or move {folder} away: a new one is begun at the next start."
        )
    return Finding(JOURNAL, "there is none: nothing has run yet", wrong=False)


def _slots(path: Path) -> list[Finding]:
    def asked(connection: sqlite3.Connection) -> tuple[int, list[str]]:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        return version, damages(connection)

    try:
        version, found = look(path, asked)
    except StateUnusable as error:
        return [Finding(path.name, error.message, SLOTS_ADVICE)]
    if version > SCHEMA_VERSION:
        what = f"it was written by a newer syncengine (schema {version}, this one knows {SCHEMA_VERSION})"
        return [Finding(path.name, what, "Upgrade syncengine, or use another state folder.")]
    return [Finding(path.name, what, SLOTS_ADVICE) for what in found]


def _spool(listing: Listing, seen: Seen) -> Iterator[Finding]:
    if left := orphans_of_spool(listing, seen):
        size = sum(map(size_of, left))
        what = f"{len(left)} files that no unfinished job owns ({size / 1e6:,.1f} MB), such as {left[0].name}"
        yield Finding(SPOOL, what, "The next sync removes them, and so does `syncengine state prune`.", wrong=False)


def _imports(folder: Path, listing: Listing, seen: Seen) -> Iterator[Finding]:
    there, now = {(path.parent.name, path.name) for path in listing.imports}, SystemClock().now()
    for instance, run_id in sorted(seen.open_imports - there):
        # A run that began since the folders were listed has its own by now.
        if not (folder / instance / run_id).is_dir():
            what = "it is unfinished, and its working files are gone"
            advice = f"Nobody can tell any more which rows its chunks hold: `syncengine imports abandon {run_id}`."
            yield Finding(f"import {run_id} of {instance}", what, advice)
    for path in orphans_of_imports(listing, seen, now):
        what = "it belongs to no unfinished import, and holds rows of people"
        advice = "The next import removes it, and so does `syncengine state prune`."
        yield Finding(f"{IMPORTS}/{path.parent.name}/{path.name}", what, advice)


async def _ledger(settings: Settings, committed: Sequence[Committed]) -> list[Finding]:
    """What the journal calls committed and the destination's ledger does not have."""
    destination = open_destination(settings)
    try:
        missing = await run_blocking(partial(_missing, destination, committed))
    except SyncEngineError as error:
        what = f"its ledger cannot be read: {error.message}"
        return [Finding(f"destination of {settings.instance.name}", what, error.advice)]
    finally:
        destination.close()
    asked = Counter(each.stream for each in committed)
    advice = (
        "The ledger is what counts: the next sync brings the time that it lacks again. If the destination is not the "
        "one that was synced to, mend [destination]."
    )
    return [
        Finding(
            f"ledger of {stream} of {settings.instance.name}",
            f"{count:,} of {asked[stream]:,} windows that the journal calls committed are not in it",
            advice,
        )
        for stream, count in missing.items()
    ]


def _missing(destination: Destination, committed: Sequence[Committed]) -> Counter[str]:
    return Counter(each.stream for each in committed if not destination.holds(each.instance, each.stream, each.window))

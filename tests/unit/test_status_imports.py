"""Where imports stand, read without any network."""

from pathlib import Path
from typing import Any

import pytest

from syncengine.choices import JOURNAL, KINDS
from syncengine.clock import SystemClock
from syncengine.imports.states import CHUNK, IMPORT
from syncengine.jobs.job import Job
from syncengine.jobs.lease import holding
from syncengine.jobs.sql import SqlJobStore, open_journal
from syncengine.status import read_status
from tests.unit.exports.opened import settings_for


async def import_in(journal: SqlJobStore, *states: str, run: str = "r-1") -> Job:
    """An unfinished import whose one chunk has taken these moves."""
    facts = {"target": {}, "rows": 3}
    job = Job(id=run, instance="acme", kind=IMPORT, state="OPEN", group="import people", facts=facts)
    chunk = Job(id=f"{run}-000001", instance="acme", kind=CHUNK, state="PLANNED", group=run, facts={"run": run})
    planned, moved = await journal.plan([job, chunk])
    for event in states:
        moved = await journal.move(moved, event)
    return planned


async def test_unfinished_imports_are_told_apart_from_windows(tmp_path: Path) -> None:
    """By their runs' ids, until they are closed; their chunks are nobody's windows."""
    settings = settings_for(tmp_path)
    settings.state.path.mkdir()
    async with open_journal(settings.state.path / JOURNAL, KINDS, SystemClock()) as journal:
        first = await import_in(journal, "intend", "accepted")
        await import_in(journal, run="r-2")
        during = await read_status(settings)
        await journal.move(first, "close", outcome="done")
        after = await read_status(settings)
    assert (("r-1", "r-2"), ()) == (during.imports_unfinished, during.windows_unfinished)
    assert [(0, 0)] == list({tuple(each.windows_unfinished for each in during.streams)})
    assert ("r-2",) == after.imports_unfinished


@pytest.mark.parametrize(
    ("report", "told"),
    [
        ({"counts": {"imported": 5, "warned": 2, "failed": 3, "waiting": 0}, "calls": 7}, (10, 7, 7)),
        ({"counts": {"imported": 0, "warned": 0, "failed": 3}, "calls": 1}, (3, None, 1)),
        ({}, (None, None, None)),
    ],
)
async def test_an_import_is_a_run_with_its_counts(
    tmp_path: Path, report: dict[str, Any], told: tuple[int | None, int | None, int | None]
) -> None:
    """All its rows, those of them that went in, and its calls; nothing is made up for one without a report."""
    settings = settings_for(tmp_path)
    settings.state.path.mkdir()
    async with open_journal(settings.state.path / JOURNAL, KINDS, SystemClock()) as journal:
        run = await journal.begin_run("acme", "import leads", {"run": "r-1", "work": ["import people"]})
        await journal.end_run(run, "partial", report)
        (shown,) = (await read_status(settings)).runs
    assert ("import leads", "partial", told) == (shown.kind, shown.outcome, (shown.rows, shown.moved, shown.calls))


async def test_an_import_runs_while_its_lease_is_held(tmp_path: Path) -> None:
    """It names its work itself, and has no streams; without a holder it has died."""
    settings = settings_for(tmp_path)
    settings.state.path.mkdir()
    async with open_journal(settings.state.path / JOURNAL, KINDS, SystemClock()) as journal:
        await journal.begin_run("acme", "import leads", {"run": "r-1", "work": ["import people"]})
        died = await read_status(settings)
        async with holding(journal, SystemClock(), "acme", "import people"):
            running = await read_status(settings)
    assert (["died"], ["running"]) == ([each.outcome for each in died.runs], [each.outcome for each in running.runs])

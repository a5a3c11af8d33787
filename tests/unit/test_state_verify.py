"""Whether the state folder fits together: beside a running engine, with leftovers, with the destination's ledger."""

import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from syncengine.clock import SystemClock
from syncengine.errors import StateUnusable
from syncengine.imports import states
from syncengine.jobs.job import Job
from syncengine.state_verify import verify
from tests.unit.exports.opened import Opened, opened, settings_for
from tests.virtual import virtual

OLD = timedelta(days=2)


def age(*paths: Path) -> None:
    """Make files look as if nobody had touched them for days."""
    at = (SystemClock().now() - OLD).timestamp()
    for path in paths:
        os.utime(path, (at, at))


def made(path: Path, *, old: bool = False) -> Path:
    """A folder with a file in it."""
    path.mkdir(parents=True)
    (path / "rows.csv").write_text("email\nx@y.example\n")
    if old:
        age(path)
    return path


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but the memory that SQLite's connections share."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm")]
    return {str(path): path.read_bytes() for path in paths}


async def with_import(here: Opened, run_id: str = "20260302-080000-abcd") -> str:
    """An unfinished import in the journal."""
    await here.engine.journal.plan(
        [Job(id=run_id, instance="acme", kind=states.IMPORT, state=states.OPEN, facts={"retries": ""})]
    )
    return run_id


@virtual
async def test_a_state_in_use_is_whole_and_untouched(tmp_path: Path) -> None:
    """After a sync whose engine is open: all records are looked at, the ledger has every window, no byte moves."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        await here.engine.sync()
        before = content(tmp_path)
        report = await verify((settings,), destination=True, now=here.clock.now())
        assert before == content(tmp_path)
    assert ((), True, 1) == (report.findings, report.whole, report.runs)
    assert report.jobs == report.windows == 6
    assert report.moves == 6 * 9


@virtual
async def test_before_the_first_run_there_is_nothing_to_find(tmp_path: Path) -> None:
    """That there is no journal is only told; but working files without one are wrong."""
    settings = settings_for(tmp_path)
    report = await verify((settings,))
    assert (True, ["there is none: nothing has run yet"]) == (report.whole, [each.what for each in report.findings])
    assert {} == content(tmp_path)

    made(settings.state.path / "imports" / "acme" / "20260302-080000-abcd")
    report = await verify((settings,))
    assert not report.whole
    assert "Put a backup of it back" in report.findings[0].advice


@virtual
async def test_leftovers_in_the_spool_are_only_told(tmp_path: Path) -> None:
    """A file whose job is unfinished is none; others are, those of early versions beside the instances' folders too."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        await with_import(here, "job.1")
        spool = settings.state.path / "spool" / "acme"
        spool.mkdir(parents=True)
        for path in (spool / "job.1.csv", spool / "job.1.csv.part", spool / "gone.1.csv", spool.parent / "older.2.csv"):
            path.write_bytes(b"x" * 1_000_000)
        made(settings.state.path / "imports" / "acme" / "job.1")
        report = await verify((settings,), now=here.clock.now())
    (finding,) = report.findings
    assert ("spool", False) == (finding.where, finding.wrong)
    assert "2 files that no unfinished job owns (2.0 MB)" in finding.what


@virtual
async def test_imports_and_their_folders_belong_together(tmp_path: Path) -> None:
    """An unfinished run without its files is wrong, and so is a folder of nobody with rows; a young one is not."""
    settings = settings_for(tmp_path)
    imports = settings.state.path / "imports" / "acme"
    async with opened(settings) as here:
        run_id = await with_import(here)
        made(imports / "new-abc")
        made(imports / "20250101-000000-dead", old=True)
        report = await verify((settings,), now=here.clock.now())
    assert [
        (f"import {run_id} of acme", "it is unfinished, and its working files are gone"),
        ("imports/acme/20250101-000000-dead", "it belongs to no unfinished import, and holds rows of people"),
    ] == [(each.where, each.what) for each in report.findings if each.wrong]


@virtual
async def test_windows_that_the_ledger_lacks_are_counted_by_stream(tmp_path: Path) -> None:
    """Another destination, or an older one, is found by --destination alone; one that cannot be read is told."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        await here.engine.sync()
        (tmp_path / "warehouse.duckdb").unlink()
        now = here.clock.now()
        assert (await verify((settings,), now=now)).whole
        report = await verify((settings,), destination=True, now=now)
        (tmp_path / "warehouse.duckdb").write_bytes(b"no database" * 1_000)
        unreadable = await verify((settings,), destination=True, now=now)
    assert {
        "ledger of leads of acme": "3 of 3 windows that the journal calls committed are not in it",
        "ledger of activities of acme": "3 of 3 windows that the journal calls committed are not in it",
    } == {each.where: each.what for each in report.findings}
    assert ["destination of acme"] == [each.where for each in unreadable.findings]


@virtual
async def test_damaged_slots_are_told_with_what_they_hold(tmp_path: Path) -> None:
    """They are not the journal: deleting them loses the day's counts and no more. Newer ones are another thing."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        await here.engine.sync()
    slots = settings.state.path / "slots.db"
    good = slots.read_bytes()
    with closing(sqlite3.connect(slots)) as connection:
        connection.execute("PRAGMA user_version = 99")
    (finding,) = (await verify((settings,))).findings
    assert "newer syncengine (schema 99" in finding.what

    slots.write_bytes(good[:4096] + b"\xa5" * 4096 + good[8192:])
    findings = (await verify((settings,))).findings
    assert findings
    assert all(each.where == "slots.db" and "delete it" in each.advice for each in findings)


@virtual
async def test_a_journal_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """With the way to restore it."""
    settings = settings_for(tmp_path)
    settings.state.path.mkdir()
    (settings.state.path / "journal.db").write_bytes(b"")
    with pytest.raises(StateUnusable, match="it is empty"):
        await verify((settings,))

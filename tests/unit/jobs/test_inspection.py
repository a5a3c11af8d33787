"""A journal looked at and never touched: what is told of damage, and that nothing is written."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from syncengine.clock import SystemClock
from syncengine.errors import StateUnusable
from syncengine.jobs.inspection import Inspection, damages, faults_of, last_runs, look
from syncengine.jobs.job import Job, Moves, entry, moved, planned
from syncengine.jobs.sql import open_journal
from syncengine.state_reports import Finding
from tests.virtual import ORIGIN

LOOP = Moves("idle", {("idle", "go"): "busy", ("busy", "rest"): "idle", ("idle", "end"): "over"}, frozenset({"over"}))
KINDS = {"loop": LOOP}
JOB = planned(Job(id="j", instance="acme", kind="loop", state="idle"), LOOP, ORIGIN)
BUSY = moved(JOB, JOB, "go", moves=LOOP, at=ORIGIN, attempt=None, facts={})
HISTORY = (entry(None, JOB, "plan"), entry(JOB, BUSY, "go"))


async def journal(folder: Path) -> Path:
    """The journal of two jobs, one of them over, and a run that is open."""
    path = folder / "journal.db"
    async with open_journal(path, KINDS, SystemClock()) as store:
        one, _ = await store.plan([JOB, replace(JOB, id="k")])
        await store.move(await store.move(await store.move(one, "go"), "rest"), "end")
        await store.begin_run("acme", "loop", {})
    return path


def inspected(path: Path) -> tuple[list[Finding], list[str]]:
    """What is found in a journal, and the jobs that could be read."""
    seen: list[str] = []
    inspection = Inspection(path, KINDS, ORIGIN, lambda job: seen.append(job.id))
    look(path, inspection.run)
    return inspection.findings, seen


def change(path: Path, *statements: str) -> None:
    """Change a journal behind its store's back, and leave no log."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_a_whole_journal_is_whole_and_stays_as_it_is(tmp_path: Path) -> None:
    """Nothing is found, every job is seen, and not a byte and not a file is other than before."""
    path = await journal(tmp_path)
    before = files(tmp_path)
    assert ([], ["j", "k"]) == inspected(path)
    assert before == files(tmp_path)


async def test_a_journal_in_use_is_read_as_of_one_moment(tmp_path: Path) -> None:
    """What its writer has only in its log is seen too, and the writer goes on."""
    path = await journal(tmp_path)
    async with open_journal(path, KINDS, SystemClock()) as store:
        await store.plan([replace(JOB, id="l")])
        names = files(tmp_path).keys()
        assert ([], ["j", "k", "l"]) == inspected(path)
        assert names == files(tmp_path).keys()
        await store.plan([replace(JOB, id="m")])
    assert ([], ["j", "k", "l", "m"]) == inspected(path)


async def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    """A journal without a log may get a writer at any moment: what was half seen is not believed."""
    path, counts = await journal(tmp_path), list[int]()

    def question(connection: sqlite3.Connection) -> int:
        if not counts:
            change(path, "DELETE FROM history WHERE job_id = 'k'", "DELETE FROM jobs WHERE id = 'k'")
        counts.append(connection.execute("SELECT count(*) FROM jobs").fetchone()[0])
        return counts[-1]

    assert 1 == look(path, question)
    assert len(counts) == 2


async def test_nothing_can_be_written_by_looking(tmp_path: Path) -> None:
    """A question that tries is refused, with and without a log."""
    path = await journal(tmp_path)
    with pytest.raises(StateUnusable, match="readonly"):
        look(path, lambda connection: connection.execute("DELETE FROM runs"))
    async with open_journal(path, KINDS, SystemClock()) as store:
        await store.plan([replace(JOB, id="l")])
        with pytest.raises(StateUnusable, match="readonly"):
            look(path, lambda connection: connection.execute("DELETE FROM runs"))


@pytest.mark.parametrize(
    ("statement", "where", "what"),
    [
        (
            "UPDATE jobs SET state = 'nowhere' WHERE id = 'k'",
            "job k of acme",
            "'nowhere', which its kind does not have",
        ),
        ("UPDATE jobs SET kind = 'other' WHERE id = 'k'", "job k of acme", "kind 'other'"),
        ("UPDATE jobs SET state = 'busy' WHERE id = 'k'", "job k of acme", "history ends in 'idle'"),
        ("UPDATE jobs SET finished = 1 WHERE id = 'k'", "job k of acme", "marked as finished in 'idle'"),
        ("UPDATE jobs SET facts = '{' WHERE id = 'k'", "job k of acme", "damaged"),
        ("UPDATE jobs SET facts = '[]' WHERE id = 'k'", "job k of acme", "no JSON object"),
        ("UPDATE jobs SET updated_at = 'soon' WHERE id = 'k'", "job k of acme", "damaged"),
        ("DELETE FROM history WHERE job_id = 'k'", "job k of acme", "no history"),
        ("DELETE FROM history WHERE job_id = 'j' AND seq = 2", "job j of acme", "gap: 3 moves, numbered 1 to 4"),
        ("UPDATE history SET event = 'leap' WHERE job_id = 'j' AND seq = 3", "job j of acme", "move 3, 'leap'"),
        ("DELETE FROM jobs WHERE id = 'k'", "journal.db", "1 rows of history name a row of jobs"),
        ("UPDATE runs SET report = 'x'", "run 1 of acme", "damaged"),
        ("UPDATE runs SET detail = '[]'", "run 1 of acme", "no JSON object"),
        (
            "INSERT INTO runs SELECT instance, 2, kind, detail, started_at, ended_at, outcome, report FROM runs",
            "runs of acme",
            "2 runs of 'loop' are open at once",
        ),
        ("INSERT INTO known VALUES ('acme', 'areas', '{')", "'areas' of acme", "no JSON"),
        ("INSERT INTO leases VALUES ('acme', 'w', 1, '?', 'x', 'x', 1)", "lease 'w' of acme", "damaged"),
    ],
)
async def test_each_damage_is_found_where_it_is(tmp_path: Path, statement: str, where: str, what: str) -> None:
    """One change that no engine makes, and it is told with what to do."""
    path = await journal(tmp_path)
    change(path, statement)
    findings, _ = inspected(path)
    found = [each for each in findings if what in each.what]
    assert [(where, True, True)] == [(each.where, each.wrong, bool(each.advice)) for each in found]
    # A gap breaks the chain of moves as well; all else is told once.
    assert {where} == {each.where for each in findings}


async def test_a_dead_holder_is_only_told(tmp_path: Path) -> None:
    """A lease whose process is gone is no damage: the next run takes it over."""
    path = await journal(tmp_path)
    async with open_journal(path, KINDS, SystemClock()) as store:
        await store.acquire_lease("acme", "loop")
    change(path, 'UPDATE leases SET holder = replace(holder, \'"started":"\', \'"started":"9\')')
    ((finding,), _) = inspected(path)
    assert (False, True) == (finding.wrong, finding.what.endswith("which holds it, is dead"))


async def test_journals_of_other_releases_are_told_apart(tmp_path: Path) -> None:
    """A newer one is refused, an older one is only told, and what is no journal is refused too."""
    path = await journal(tmp_path)
    change(path, "UPDATE meta SET value = '1'")
    ((finding,), _) = inspected(path)
    assert (False, True) == (finding.wrong, "older release (schema 1" in finding.what)
    change(path, "UPDATE meta SET value = '99'")
    with pytest.raises(StateUnusable, match="newer syncengine"):
        inspected(path)
    change(path, "DROP TABLE meta")
    with pytest.raises(StateUnusable, match="no schema version"):
        inspected(path)


@pytest.mark.parametrize("content", [b"", b"not a database, and long enough to be one" * 100])
async def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """With the way to restore it."""
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(StateUnusable) as refused:
        inspected(path)
    assert "put a backup" in refused.value.advice


async def test_a_damaged_page_never_passes_for_whole(tmp_path: Path) -> None:
    """Of every page that holds something, overwritten with noise: it is told, or the file refused."""
    path = await journal(tmp_path)
    good = path.read_bytes()
    for page in range(len(good) // 4096):
        path.write_bytes(good[: page * 4096] + b"\xa5" * 4096 + good[(page + 1) * 4096 :])
        try:
            findings, _ = inspected(path)
        except StateUnusable:
            continue
        assert [each for each in findings if each.wrong], page


async def test_a_log_without_its_database_is_refused(tmp_path: Path) -> None:
    """SQLite would play it into whatever comes next."""
    (tmp_path / "journal.db-wal").write_bytes(b"x")
    with pytest.raises(StateUnusable, match="missing while its log"):
        look(tmp_path / "journal.db", damages)


async def test_the_last_runs_come_newest_first(tmp_path: Path) -> None:
    """So many of one instance."""
    path = await journal(tmp_path)
    async with open_journal(path, KINDS, SystemClock()) as store:
        for kind in ("two", "three"):
            await store.begin_run("acme", kind, {})
        await store.begin_run("other", "four", {})
    assert ["three", "two"] == [run.kind for run in look(path, lambda it: last_runs(it, instance="acme", count=2))]


def test_a_history_that_leads_to_its_job_has_no_fault() -> None:
    """And each thing that does not fit has one."""
    assert [] == list(faults_of(BUSY, HISTORY, LOOP))
    assert ["its history begins with 'plan' into 'busy'"] == [
        each for each in faults_of(BUSY, (replace(HISTORY[0], after="busy"), HISTORY[1]), LOOP) if "begins" in each
    ]

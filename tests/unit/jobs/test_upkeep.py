"""What is removed of a journal, compacted and copied, beside a store that goes on."""

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from syncengine.clock import SystemClock
from syncengine.jobs import upkeep
from syncengine.jobs.inspection import damages, look
from syncengine.jobs.job import Job, Moves
from syncengine.jobs.sql import SqlJobStore, open_journal
from syncengine.jobs.upkeep import Key
from tests.virtual import ORIGIN, virtual, virtual_clock

LOOP = {"loop": Moves("idle", {("idle", "go"): "idle", ("idle", "end"): "over"}, frozenset({"over"}))}
JOB = Job(id="j", instance="acme", kind="loop", state="idle")


def everything(jobs: Iterable[tuple[Job, bool]]) -> Collection[Key]:
    return [(job.instance, job.id) for job, _ in jobs]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def filled(store: SqlJobStore, count: int = 3) -> None:
    """Jobs of which all but the first are over."""
    _, *rest = await store.plan([replace(JOB, id=f"j{number}") for number in range(count)])
    for job in rest:
        await store.move(await store.move(job, "go", note="x" * 1_000), "end")


async def test_only_what_is_finished_goes(tmp_path: Path) -> None:
    """Whatever is named, an unfinished job keeps its place and its history."""
    async with open_journal(tmp_path / "journal.db", LOOP, SystemClock()) as store:
        await filled(store)
        assert 7 == (await store.database.read(lambda it: upkeep.outlived(it, ORIGIN, everything))).moves
        removed = await store.database.write(lambda it: upkeep.remove(it, ORIGIN, everything))
        assert ["j0"] == [job.id for job in await store.jobs("acme")]
        assert 1 == len(await store.history("acme", "j0"))
        assert 6 == removed.moves
    assert [] == look(tmp_path / "journal.db", damages)


@virtual
async def test_of_each_kind_the_latest_run_stays(tmp_path: Path) -> None:
    """Old ones that ended go; open ones and the last of each kind stay, so ids never come again."""
    clock = virtual_clock()
    async with open_journal(tmp_path / "journal.db", LOOP, clock) as store:
        for kind in ("a", "a", "b", "a"):
            await store.end_run(await store.begin_run("acme", kind, {}), "done", {})
        await store.begin_run("acme", "a", {})
        await clock.sleep(100.0)
        before = clock.now() - timedelta(seconds=50)
        looked = await store.database.read(lambda it: upkeep.outlived(it, before, lambda _: ()))
        removed = await store.database.write(lambda it: upkeep.remove(it, before, lambda _: ()))
        assert (3, 3) == (looked.runs, removed.runs)
        assert [5, 3] == [run.id for run in await store.runs("acme", 9)]


async def test_a_compacted_journal_is_smaller_and_whole(tmp_path: Path) -> None:
    """Beside a store that has it open; afterwards that store writes as before."""
    path = tmp_path / "journal.db"
    async with open_journal(path, LOOP, SystemClock()) as store:
        await filled(store, 300)
        size = upkeep.size_of(path)
        await store.database.write(lambda it: upkeep.remove(it, ORIGIN, everything))
        upkeep.compact(path)
        assert upkeep.size_of(path) < size / 4
        await filled(store, 2)
        assert ["j0", "j1"] == [job.id for job in await store.jobs("acme")]
    assert [] == look(path, damages)


async def test_a_copy_is_of_one_moment_and_private(tmp_path: Path) -> None:
    """What is only in the log is in it; a transaction that is under way is not; the copy needs no log."""
    path, target = tmp_path / "journal.db", tmp_path / "copy.db"
    async with open_journal(path, LOOP, SystemClock()) as store:
        await filled(store)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("DELETE FROM history")
            upkeep.copy(path, target)
            other.execute("ROLLBACK")
    assert 3 == look(target, lambda it: len(list(upkeep.every_job(it))))
    assert [] == look(target, damages)
    assert 0o600 == target.stat().st_mode & 0o777
    assert ["copy.db", "journal.db"] == names_in(tmp_path)


@virtual
async def test_the_last_move_says_what_time_it_is(tmp_path: Path) -> None:
    """By the clock of who made it, and nothing before the first."""
    clock = virtual_clock()
    async with open_journal(tmp_path / "journal.db", LOOP, clock) as store:
        assert None is await store.database.read(upkeep.latest)
        await filled(store)
        assert clock.now() == await store.database.read(upkeep.latest)
        lease = await store.acquire_lease("acme", "work")
        assert [lease] == await store.database.read(upkeep.held_leases)

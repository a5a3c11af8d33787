"""The journal on SQLite, under what happens to processes, disks and machines."""

import asyncio
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import anyio
import pytest

from syncengine.clock import SystemClock
from syncengine.errors import NoSpace, StateUnusable
from syncengine.jobs.database import Database
from syncengine.jobs.job import Job, Moves
from syncengine.jobs.sql import SqlJobStore, open_journal

TABLE = {("idle", "go"): "busy", ("busy", "rest"): "idle", ("idle", "end"): "over"}
LOOP = {"loop": Moves("idle", TABLE, frozenset({"over"}))}

# Each line it prints is an acknowledgement: the move that it names must survive whatever comes.
MOVER = """
import asyncio, sys
from pathlib import Path
from syncengine.clock import SystemClock
from syncengine.jobs.job import Job, Moves
from syncengine.jobs.sql import open_journal

TABLE = {("idle", "go"): "busy", ("busy", "rest"): "idle", ("idle", "end"): "over"}
LOOP = {"loop": Moves("idle", TABLE, frozenset({"over"}))}

async def main():
    async with open_journal(Path(sys.argv[1]), LOOP, SystemClock()) as store:
        (job,) = await store.plan([Job(id="j", instance="acme", kind="loop", state="idle")])
        while True:
            print(job.seq, flush=True)
            job = await store.move(job, "go" if job.state == "idle" else "rest", tick=job.seq)

asyncio.run(main())
"""

# Waits for a line, so that all racers start at once; says what it got; holds it until its input ends.
RACER = """
import asyncio, sys
from pathlib import Path
from syncengine.clock import SystemClock
from syncengine.errors import AlreadyRunning
from syncengine.jobs.sql import open_journal

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    async with open_journal(Path(sys.argv[1]), {}, SystemClock()) as store:
        try:
            print("got", (await store.acquire_lease("acme", "sync")).epoch, flush=True)
        except AlreadyRunning as error:
            print("refused", error.holder, flush=True)
        sys.stdin.read()

asyncio.run(main())
"""


@contextmanager
def running(program: str, path: Path) -> Iterator["Child"]:
    """A process of its own; killed at the end if it still runs."""
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Child(process, process.stdin, process.stdout)
        finally:
            process.kill()


@dataclass(frozen=True)
class Child:
    """A process to talk with, line by line."""

    process: subprocess.Popen[str]
    stdin: IO[str]
    stdout: IO[str]

    def hear(self) -> str:
        return self.stdout.readline().strip()

    def go(self) -> None:
        self.stdin.write("go\n")
        self.stdin.flush()


async def test_no_acknowledged_move_is_lost_to_a_kill(tmp_path: Path) -> None:
    """Killed at random moments, a process never takes with it a move that the store has confirmed."""
    path = tmp_path / "journal.db"
    for _ in range(8):
        acknowledged = 0
        with running(MOVER, path) as mover:
            for _ in range(random.randint(1, 60)):
                acknowledged = int(mover.hear())
            mover.process.kill()
            acknowledged = max([acknowledged, *(int(line) for line in mover.stdout)])
        async with open_journal(path, LOOP, SystemClock()) as store:
            job = await store.get("acme", "j")
            history = await store.history("acme", "j")
        assert job is not None
        assert acknowledged <= job.seq <= acknowledged + 1
        assert list(range(1, job.seq + 1)) == [line.seq for line in history]
        assert [line.after for line in history[:-1]] == [line.before for line in history[1:]]
        assert job.state == history[-1].after
        assert {"tick": job.seq - 1} == job.facts or job.seq == 1


def test_one_of_many_processes_gets_a_lease(tmp_path: Path) -> None:
    """Of processes that ask at the same moment, with the journal not even made, one wins and the others name it."""
    path = tmp_path / "state" / "journal.db"
    with ExitStack() as stack:
        racers = [stack.enter_context(running(RACER, path)) for _ in range(4)]
        assert [racer.hear() for racer in racers] == ["ready"] * 4
        for racer in racers:
            racer.go()
        answers = {racer.process.pid: racer.hear() for racer in racers}
    (winner,) = (pid for pid, answer in answers.items() if answer == "got 1")

    assert sum(answer.startswith(f"refused process {winner} on ") for answer in answers.values()) == 3


def test_a_killed_holders_lease_is_taken_at_once(tmp_path: Path) -> None:
    """A process that died with a lease does not keep the next one waiting, and its epoch is over."""
    for epoch in (1, 2, 3):
        with running(RACER, tmp_path / "journal.db") as racer:
            racer.go()
            assert ["ready", f"got {epoch}"] == [racer.hear(), racer.hear()]


async def test_a_full_disk_stops_moves_and_loses_none(tmp_path: Path) -> None:
    """Wherever in a job's life the disk fills up: what was confirmed is there, and it goes on when there is room."""
    async with open_journal(tmp_path / "journal.db", LOOP, SystemClock()) as store:
        (job,) = await store.plan([Job(id="j", instance="acme", kind="loop", state="idle")])
        confirmed = [job]

        async def move_on() -> None:
            while True:
                event = "go" if confirmed[-1].state == "idle" else "rest"
                confirmed.append(await store.move(confirmed[-1], event, note="x" * 500))

        for _ in range(4):
            await limit_pages(store.database, extra=1)
            with pytest.raises(NoSpace):
                await move_on()
            assert confirmed[-1] == await store.get("acme", "j")
            assert len(confirmed) == len(await store.history("acme", "j"))

    assert len(confirmed) > 4


async def limit_pages(database: Database, extra: int) -> None:
    def limit(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + extra}")

    await database.read(limit)


async def test_a_cancelled_move_has_happened_or_not(tmp_path: Path) -> None:
    """A caller that is cancelled in a move leaves a journal that is whole, whichever way it went."""
    async with open_journal(tmp_path / "journal.db", LOOP, SystemClock()) as store:
        (job,) = await store.plan([Job(id="j", instance="acme", kind="loop", state="idle")])
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(store.move, job, "go")
                await asyncio.sleep(0)
                scope.cancel()
        stored = await store.get("acme", "j")

        assert stored is not None
        assert stored.seq == len(await store.history("acme", "j"))


async def test_times_are_text_in_utc(tmp_path: Path) -> None:
    """What a person or another program reads from the file is RFC 3339 with microseconds."""
    async with open_journal(tmp_path / "journal.db", LOOP, SystemClock()) as store:
        await store.plan([Job(id="j", instance="acme", kind="loop", state="idle")])
        ((text,),) = await store.database.read(lambda it: it.execute("SELECT created_at FROM jobs").fetchall())

    assert (len(text), text[-1]) == (27, "Z")


@pytest.mark.parametrize("column", ["facts", "created_at", "after_ids"])
async def test_a_row_that_makes_no_sense_is_refused(tmp_path: Path, column: str) -> None:
    """Damage that SQLite itself cannot see is found when the row is read."""
    async with open_journal(tmp_path / "journal.db", LOOP, SystemClock()) as store:
        await store.plan([Job(id="j", instance="acme", kind="loop", state="idle")])
        await store.database.write(lambda it: it.execute(f"UPDATE jobs SET {column} = '{{\"cut'"))  # ours
        with pytest.raises(StateUnusable, match="job 'j' of 'acme' is damaged"):
            await store.get("acme", "j")


async def test_two_journals_on_one_file_agree(tmp_path: Path) -> None:
    """Two open stores see each other's moves at once, and one cannot move a job from under the other."""
    path = tmp_path / "journal.db"
    clock = SystemClock()
    async with open_journal(path, LOOP, clock) as ours, open_journal(path, LOOP, clock) as theirs:
        (job,) = await ours.plan([Job(id="j", instance="acme", kind="loop", state="idle")])
        moved = await theirs.move(job, "go")

        assert moved == await ours.get("acme", "j")


async def test_two_journals_on_one_file_take_turns(tmp_path: Path) -> None:
    """Writers that meet wait for each other: no move fails because somebody else was writing."""
    path = tmp_path / "journal.db"

    async def spin(store: SqlJobStore, name: str) -> None:
        (job,) = await store.plan([Job(id=name, instance="acme", kind="loop", state="idle")])
        for event in ["go", "rest"] * 60:
            job = await store.move(job, event)

    async with open_journal(path, LOOP, SystemClock()) as ours, open_journal(path, LOOP, SystemClock()) as theirs:
        async with anyio.create_task_group() as group:
            group.start_soon(spin, ours, "a")
            group.start_soon(spin, theirs, "b")

        assert [job.seq for job in await ours.jobs("acme")] == [121, 121]


def test_the_journal_opens_without_the_working_folder(tmp_path: Path) -> None:
    """The statements that make the journal travel with the package."""
    program = RACER.replace('print("ready", flush=True)', "").replace("sys.stdin.readline()", "")
    command = [sys.executable, "-c", program, str(tmp_path / "journal.db")]
    done = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)

    assert done.stdout == "got 1\n"

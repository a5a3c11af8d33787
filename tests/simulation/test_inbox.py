"""A watched folder whose daemon dies after any of its effects: every row is in once, every drop in one place.

An effect is a transaction of the journal, a piece of work on files, or a call that has been carried out. Three files
are dropped, two with settings: all rows of one are good, Marketo takes only some of another's, one is no import at all.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import anyio
import orjson
import pytest

from syncengine.config.service import InboxSettings
from syncengine.errors import SyncEngineError
from syncengine.imports import states
from syncengine.imports.desk import Desk
from syncengine.imports.outcome import Outcome
from syncengine.jobs.lease import LEASE_TTL_SECONDS
from syncengine.service.folders.inbox import Inbox
from tests.simulation.import_checks import leads_by_key, read, wrong_lead
from tests.simulation.imports import Intake
from tests.simulation.people import People, Shares
from tests.simulation.seeded import Life, seeded, this_loop
from tests.simulation.small import quick_folder

ROWS = 12
STEP = 7
LIVES_MAX = 8
FILE_BYTES = 1_200
GOOD, MIXED, NOTES = "good.csv", "mixed.csv", "notes.pdf"


class Daemon:
    """A watched folder with its drops, and processes that work it off until they die."""

    def __init__(self, folder: Path, *names: str, seed: int = 3) -> None:
        self.intake = Intake(folder, seed, in_memory=True, file_bytes=FILE_BYTES, import_seconds=(10.0, 60.0))
        self.root = folder / "inbox"
        self.root.mkdir()
        self.people: dict[str, People] = {}
        self.names = names or (GOOD, MIXED, NOTES)
        if GOOD in self.names:
            self._drop(GOOD, Shares(failed=0.0, warned=0.0, quarantined=0.0), 'route = "bulk"\n')
        if MIXED in self.names:
            self._drop(MIXED, Shares(failed=0.2, warned=0.0), 'route = "rest"\nmax_failures = "100%"\n')
        if NOTES in self.names:
            (self.root / NOTES).write_bytes(b"%PDF")

    def _drop(self, name: str, shares: Shares, settings: str) -> None:
        people = self.intake.people(ROWS, shares=shares, seed=(GOOD, MIXED).index(name))
        people.written(self.root / name)
        os.utime(self.root / name, (1_000 + len(self.people),) * 2)
        (self.root / f"{name}.toml").write_text(f"{settings}allow_clear = true\n")
        self.people[name] = people

    async def lives(self, life: Life | None = None) -> bool:
        """Let one process work until nothing waits any more; False when it died before."""
        life, loop = life or Life(), this_loop()
        inbox = Inbox("inbox", InboxSettings(path=self.root), clock=self.intake.clock)
        try:
            async with self.intake.process(life) as parts, anyio.create_task_group() as background:
                loop.life = life
                background.start_soon(parts.client.tokens.keep_fresh)
                try:
                    await self._work(inbox, Desk(parts, FILE_BYTES))
                finally:
                    loop.life = Life()  # what is left is to close files, as the operating system does for the dead
                    background.cancel_scope.cancel()
        except BaseException:
            if not life.is_over:
                raise
        finally:
            loop.life = Life()
        if life.is_over:
            self.intake.died_at.append(self.intake.clock.now().timestamp())
            await self.intake.clock.sleep(LEASE_TTL_SECONDS + 1.0)
        return not life.is_over

    async def _work(self, inbox: Inbox, desk: Desk) -> None:
        while await inbox.look() or inbox.settling:
            await self.intake.clock.sleep(11.0)
            await inbox.look()
            try:
                while (ended := await inbox.take_one(desk)) and ended.outcome != "waiting":
                    continue
            except SyncEngineError:
                await self.intake.clock.sleep(60.0)

    async def problems(self) -> list[str]:
        """Everything that is not as it has to be when all is over."""
        return [*self._places(), *self._accounts(), *self._rows(), *await self._runs(), *self.intake.broken_limits()]

    def _places(self) -> Iterator[str]:
        for where, ends in {"done": (GOOD,), "failed": (MIXED, NOTES), "working": ()}.items():
            names = [name for name in ends if name in self.names]
            found = sorted(path.name[23:] for path in (self.root / where).iterdir())
            if found != names:
                yield f"{where} has {found}, not {names}"
        left = sorted(path.name for path in self.root.iterdir())
        if left != ["done", "failed", "working"]:
            yield f"the folder has {left}"

    def _accounts(self) -> Iterator[str]:
        for where in ("done", "failed"):
            for folder in (self.root / where).iterdir():
                name = folder.name[23:]
                there = {path.name for path in folder.iterdir()} - {f"{name}.toml"}
                ends = {row.end for row in self.people[name].rows} if name in self.people else set[Outcome]()
                wanted = {name, "report.json", "report.txt"}
                wanted |= {"failed.csv", "replay.csv"} if Outcome.FAILED in ends else set()
                wanted |= {"quarantine.csv"} if Outcome.QUARANTINED in ends else set()
                wanted |= {"superseded.csv"} if Outcome.SUPERSEDED in ends else set()
                optional = {"unresolved.csv", "failed.csv", "replay.csv"} if self.intake.died_at else set()
                if there ^ wanted > optional:
                    yield f"{folder.name} holds {sorted(there)}, not {sorted(wanted)}"
                told = orjson.loads((folder / "report.json").read_bytes())
                if told["outcome"] != where or told["file"] != name:
                    yield f"{folder.name} is told to be {told['outcome']}"

    def _rows(self) -> Iterator[str]:
        leads = leads_by_key(self.intake)
        # Some people are in both files: the one that arrived later has the last word.
        rows = {row.key: row for people in self.people.values() for row in people.sent}
        for key, row in rows.items():
            there = leads.get(key, [])
            if row.end is Outcome.FAILED and there:
                yield f"row {row.number} is there, which Marketo does not take"
            elif row.end is not Outcome.FAILED:
                yield from filter(None, [wrong_lead(row, there)])
        for key, found in leads.items():
            if len(found) > 1 and key.endswith("import.example"):
                yield f"{key} is there {len(found)} times"

    async def _runs(self) -> Iterator[str]:
        runs = await self.intake.jobs(states.IMPORT)
        found = [f"run {run.id} stands in {run.state}" for run in runs if run.state != states.CLOSED]
        if len(runs) != len(self.people):
            found.append(f"{len(self.people)} drops have {len(runs)} runs")
        imported = Counter(batch["sha256"] for batch in self.intake.batches() if batch["processed"])
        found += [f"{sha256} was imported {count} times" for sha256, count in imported.items() if count > 1]
        return iter(found)


@seeded
async def dies_once(folder: Path, length: int, *names: str) -> bool:
    """A daemon that dies after so many effects, and another that finds what it left; whether the first did."""
    daemon = Daemon(folder, *names)
    has_lived = await daemon.lives(Life(length))
    assert await daemon.lives()
    assert [] == await daemon.problems(), length
    return not has_lived


def deaths(tmp_path: Path, *names: str, step: int) -> int:
    """Let one daemon after another die, each a step later, until one lives to its end; gives when that was."""
    length = 1
    while True:
        with quick_folder(tmp_path) as folder:
            if not dies_once(folder, length, *names):
                return length
        length += step


def test_a_daemon_may_die_after_any_of_its_effects(tmp_path: Path) -> None:
    """Each of them, from the first look to the last move of a drop."""
    assert deaths(tmp_path, MIXED, step=1) > 60


def test_a_daemon_may_die_with_more_than_one_drop(tmp_path: Path) -> None:
    """At every seventh of the effects: the next one keeps the order."""
    assert deaths(tmp_path, step=STEP) > 140


@pytest.mark.parametrize("seed", range(3))
@seeded
async def test_a_daemon_that_dies_again_and_again_comes_to_an_end(tmp_path: Path, seed: int) -> None:
    """At moments that a seed draws: in the middle of what the one before had left, too."""
    daemon = Daemon(tmp_path, seed=seed)
    rng = random.Random(f"inbox {seed}")
    died = sum([not await daemon.lives(Life(rng.randint(1, 70))) for _ in range(LIVES_MAX)])
    assert died > 2
    assert await daemon.lives()
    assert [] == await daemon.problems()


@seeded
async def test_a_daemon_that_is_stopped_goes_on_at_once(tmp_path: Path) -> None:
    """A stop is no death: the answer that is on its way is waited for, and the drop stays where it is found."""
    daemon = Daemon(tmp_path)
    for _ in range(30):
        with daemon.intake.clock.move_on_after(17.0) as scope:
            await daemon.lives()
        if not scope.cancelled_caught:
            break
    assert [] == await daemon.problems()
    assert {} == {path.name: read(path) for path in daemon.root.glob("failed/*/unresolved.csv")}

"""An import that dies after any of its effects: the next process, over the same files, accounts for every row.

An effect is a transaction of the journal, a piece of work on files, or a call that has been carried out; a process may
die before its first one and after each of them. What Marketo had taken is never sent again, and nobody is there twice.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from syncengine.imports.asked import Asked
from syncengine.imports.route import Route
from tests.simulation.import_checks import problems
from tests.simulation.imports import Intake
from tests.simulation.people import People, Shares
from tests.simulation.seeded import Life, seeded, this_loop
from tests.simulation.small import quick_folder

PARTS = 4
# Every second effect; each of them with CRASH_STRIDE=1.
STRIDE = int(os.environ.get("CRASH_STRIDE", "2"))
ROWS = 30
DEATHS = 10
SHARES = Shares(failed=0.1, warned=0.1)


def order(folder: Path, route: Route, **options: Any) -> tuple[Intake, People, Asked]:
    """A small import of each kind of row, in a few chunks."""
    options = {"file_bytes": 1_700, "import_seconds": (10.0, 60.0), "has_ingestion": True, **options}
    intake = Intake(folder, 3, **options)
    people = intake.people(ROWS, shares=SHARES)
    return intake, people, intake.asked(people, route=route, failures_max=1.0)


async def losses(intake: Intake, people: People, asked: Asked) -> list[str]:
    """What is wrong when the run has been resumed to its end."""
    await intake.close(asked)
    await intake.clock.sleep(10.0)  # the Data Ingestion API writes a little later
    return await problems(intake, people)


@seeded
async def dies_once(folder: Path, length: int, route: Route, **options: Any) -> bool:
    """An import whose first process dies; whether it did."""
    intake, people, asked = order(folder, route, **options)
    how = await intake.ending(asked, Life(length))
    assert [] == await losses(intake, people, asked), length
    return how == "died"


def count_of_deaths(tmp_path: Path, dies: Callable[[Path, int], bool], first: int, step: int) -> int:
    """Let one process after another die, each a step later, until one lives to its end; gives how many have died."""
    length = first
    while True:
        with quick_folder(tmp_path) as folder:
            if not dies(folder, length):
                return (length - first) // step
        length += step


@pytest.mark.parametrize("part", range(0, PARTS, STRIDE))
@pytest.mark.parametrize("route", [Route.BULK, Route.REST, Route.INGESTION])
def test_an_import_may_die_after_any_of_its_effects(tmp_path: Path, route: Route, part: int) -> None:
    """Effects of a run, one after another: rows once, files once, and an account that is whole."""

    def dies(folder: Path, length: int) -> bool:
        return dies_once(folder, length, route, in_memory=True)

    deaths = count_of_deaths(tmp_path, dies, part + 1, PARTS)
    assert deaths > {Route.BULK: 25, Route.REST: 8, Route.INGESTION: 8}[route]


def test_an_import_may_die_between_the_transactions_of_its_files(tmp_path: Path) -> None:
    """The same with the journal and the slots on disk, at every fifth of its transactions."""
    assert count_of_deaths(tmp_path, lambda folder, length: dies_once(folder, length, Route.BULK), 3, 5) > 30


@pytest.mark.parametrize("seed", range(4))
@seeded
async def test_an_import_that_dies_again_and_again_is_whole_when_it_lives(tmp_path: Path, seed: int) -> None:
    """Ten deaths at moments that a seed draws, of first tries, of looks and of resumed runs alike."""
    intake, people, asked = order(tmp_path, Route.BULK, in_memory=True)
    rng, deaths = random.Random(f"deaths {seed}"), 0
    for _ in range(DEATHS):
        if not await intake.is_closed():
            deaths += "died" == await intake.ending(asked, Life(rng.randint(1, 60)))
    assert deaths >= DEATHS // 2
    assert [] == await losses(intake, people, asked)


class Interrupt(Life):
    """The life of a process that is asked to stop, as by Ctrl-C, after so many effects; it may tidy up."""

    def __init__(self, length: int, scope: anyio.CancelScope) -> None:
        super().__init__()
        self._at = length
        self._scope = scope

    def spend(self) -> None:
        super().spend()
        if self.effects == self._at:
            self._scope.cancel()


@seeded
async def is_interrupted(folder: Path, length: int) -> bool:
    """An import whose first process is stopped, and goes on at once in a second one; whether it was."""
    intake, people, asked = order(folder, Route.BULK)
    with anyio.CancelScope() as scope:
        await intake.ending(asked, Interrupt(length, scope))
    this_loop().life = Life()
    assert [] == await losses(intake, people, asked), length
    await intake.clock.sleep(60.0)  # a call that a stop cut off keeps its places until it can be over in Marketo, too
    async with intake.process() as parts:
        outcomes = {run.outcome for run in await parts.store.runs(parts.instance, 9)}
        assert {} == (await parts.client.gate.use()).holders, length
    assert {"partial", "interrupted"} >= outcomes, length
    return scope.cancelled_caught


def test_an_import_may_be_stopped_at_any_moment_and_goes_on_at_once(tmp_path: Path) -> None:
    """A stop waits for the answer that is on its way, so nothing has to be looked for; every fifth moment."""
    assert count_of_deaths(tmp_path, is_interrupted, 2, 5) > 30

"""A process that dies after any of its effects: the next one, over the same files, makes the night whole.

An effect is a transaction of the journal, the slots or the destination, a change in the spool, a call that has reached
the server, a piece of a file on disk. After the last one the process does nothing more; what it held in memory is gone.
Dying before an effect is the same as dying after the one before it.
"""

import os
import random
from pathlib import Path

import anyio
import pytest

from syncengine.exports.window import CREATED, DOWNLOADING, QUEUED
from syncengine.observe.events import Event, JobMoved
from syncengine.sandbox.messages import PIECE_BYTES
from tests.simulation.deaths import dies, mourned
from tests.simulation.nights import Night
from tests.simulation.seeded import Life, seeded, this_loop

PARTS = 4
# Every second effect; each of them with CRASH_STRIDE=1.
STRIDE = int(os.environ.get("CRASH_STRIDE", "2"))
DEATHS = 12


async def losses(night: Night, deaths: int) -> list[str]:
    """What is wrong after the last run: `problems`, and whatever was exported, sent or polled more than it need be."""
    found = await night.problems()
    report, applied, jobs = night.server.report(), await night.applied_bytes(), await night.jobs()
    if (metered := night.exported_bytes()) != applied:
        found.append(f"{metered} bytes were exported for {applied}")
    files = sum(job.facts["file_bytes"] for job in jobs if job.facts["records"])
    if not files <= report["file_bytes_total"] <= files + deaths * PIECE_BYTES:
        found.append(f"{report['file_bytes_total']} bytes were sent for {files}")
    if sum(report["jobs_created"].values()) > len(jobs) + deaths * 2:
        found.append(f"{report['jobs_created']} jobs were created for {len(jobs)} windows")
    if (gap := min(report["poll_gap_seconds_min"].values(), default=60.0)) < 60.0 - 1.0:
        found.append(f"the list was asked for after {gap} s")
    return found


@seeded
async def dies_once(folder: Path, length: int) -> bool:
    """A night whose first process dies; whether it did."""
    night = Night(folder, 1, streams=["leads"])
    died = await dies(night, Life(length))
    if died:
        await mourned(night)
        assert "done" == await night.ending(), (length, night.last_error)
    assert [] == await losses(night, deaths=1), length
    return died


@pytest.mark.parametrize("part", range(0, PARTS, STRIDE))
def test_a_process_may_die_after_any_of_its_effects(tmp_path: Path, part: int) -> None:
    """At points of a run, until one lives to its end: rows once, exports once, bytes once and one piece."""
    length = part + 1
    while dies_once(folder_of(tmp_path, length), length):
        length += PARTS
    assert length > 50


@pytest.mark.parametrize("seed", range(3))
@seeded
async def test_a_sync_that_dies_again_and_again_is_whole_when_it_lives(tmp_path: Path, seed: int) -> None:
    """Twelve deaths at moments that a seed draws, two streams at once: nothing is lost, doubled or paid for twice."""
    night, rng = Night(tmp_path, seed, days=35, bandwidth=50_000.0), random.Random(f"deaths {seed}")
    deaths = 0
    for _ in range(DEATHS):
        deaths += await dies(night, Life(rng.choice([rng.randint(1, 60), rng.randint(1, 250)])))
        night.change(update_leads=2, add_activities=1, seed=rng.random())
        await mourned(night)
    await night.settle()
    assert "done" == await night.ending(), night.last_error
    assert deaths >= DEATHS // 2
    assert [] == await losses(night, deaths)


@seeded
async def test_a_dead_process_counts_against_the_limits_that_it_used(tmp_path: Path) -> None:
    """The next process, which syncs another stream at once, finds the places that the dead one had taken, and waits."""
    night = Night(tmp_path, 1, calls_per_window=6, in_flight=2)
    leads, activities = night.wanted
    for length in (19, 30, 38, 46):
        night.wanted = [leads]
        assert await dies(night, Life(length))
        night.wanted = [activities]
        assert "done" == await night.ending(), night.last_error
        assert [] == night.broken_limits()
        await mourned(night)
    night.wanted = [leads, activities]
    assert "done" == await night.ending(), night.last_error
    assert [] == await losses(night, deaths=4)


class LastSeen(list[Event]):
    """Events of a process that dies as soon as a window has come to a state."""

    def __init__(self, state: str) -> None:
        self.life = Life()
        self._state = state

    def append(self, event: Event) -> None:
        super().append(event)
        if isinstance(event, JobMoved) and event.state == self._state:
            self.life.end()


@pytest.mark.parametrize("days", [6, 8, 33])
@pytest.mark.parametrize("state", [CREATED, QUEUED, DOWNLOADING])
@seeded
async def test_a_night_goes_on_after_many_days(tmp_path: Path, state: str, days: int) -> None:
    """What Marketo has forgotten meanwhile, a file or a whole job, is exported again; what it still has is not."""
    night = Night(tmp_path, 1, streams=["leads"])
    night.events = events = LastSeen(state)
    assert await dies(night, events.life)
    await night.clock.sleep(days * 86_400.0)
    assert "done" == await night.ending(), night.last_error
    assert [] == await night.problems()
    forgotten = days > 30 if state == CREATED else days > 7
    assert len(await night.jobs()) + forgotten == night.server.report()["jobs_created"]["leads"]


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
    """A night whose first process is stopped, and goes on at once in a second one; whether it was."""
    night, loop = Night(folder, 1, streams=["leads"]), this_loop()
    async with night.process() as parts:
        with anyio.CancelScope() as scope:
            loop.life = Interrupt(length, scope)
            await night.run(parts)
        loop.life = Life()
    assert "done" == await night.ending(), (length, night.last_error)
    async with night.process() as parts:
        assert {} == (await parts.client.gate.use()).holders, length
        outcomes = [run.outcome for run in await parts.store.runs(parts.instance, 9)]
    assert {"done", "interrupted"} >= set(outcomes), length
    assert [] == await losses(night, deaths=1), length
    return scope.cancelled_caught


def test_a_run_may_be_stopped_at_any_moment_and_goes_on_at_once(tmp_path: Path) -> None:
    """Every fourth point: the stopped run gives back its lease and its places, and says that it was interrupted."""
    length = 2
    while is_interrupted(folder_of(tmp_path, length), length):
        length += 4
    assert length > 50


def folder_of(parent: Path, length: int) -> Path:
    """A folder of its own for each night of a test."""
    folder = parent / str(length)
    folder.mkdir()
    return folder

"""Nights in which windows are too much for Marketo or for the day: all is whole in the end, no byte is paid twice."""

import random
from pathlib import Path
from typing import Any

import pytest

from syncengine.exports.window import ABANDONED
from tests.simulation.deaths import dies, mourned
from tests.simulation.nights import Night
from tests.simulation.seeded import Life, seeded

FAILING = {"action": "outcome", "status": "Failed", "message": "too large", "path": "*/create.json"}
YEARS_DAYS = 550


@pytest.mark.parametrize("seed", range(4))
@seeded
async def test_windows_that_fail_are_halved_until_they_come(tmp_path: Path, seed: int) -> None:
    """Half of all jobs fail: in one run or the next all rows are there, each file once, each hole told meanwhile."""
    night = Night(tmp_path, seed, days=100, leads=60, activities=120, faults=({**FAILING, "probability": 0.5},))
    ends = await night.endings(12)
    assert ({"done", "partial"} | set(ends), "done") == ({"done", "partial"}, ends[-1])
    assert [] == await night.problems()
    assert await night.applied_bytes() == night.exported_bytes()
    assert any(job.state == ABANDONED for job in await night.jobs())


@pytest.mark.parametrize("seed", range(4))
@seeded
async def test_processes_that_die_while_halving_lose_nothing(tmp_path: Path, seed: int) -> None:
    """The whole, its halves and theirs stand in the journal as far as the dead came; the first calm run has all."""
    night, rng = Night(tmp_path, seed, days=70, faults=({**FAILING, "probability": 0.6},)), random.Random(seed)
    for _ in range(6):
        await dies(night, Life(rng.randint(50, 400)))
        await mourned(night)
    night.server.set_faults([])
    await night.settle()
    assert "done" == await night.ending()
    assert [] == await night.problems()


@pytest.mark.parametrize("seed", [1])
@seeded
async def test_a_day_that_is_too_short_for_all_of_the_past_is_followed_by_others(tmp_path: Path, seed: int) -> None:
    """Megabytes for half of the years: some days later all of it is there, no byte was exported twice or too much."""
    years: dict[str, Any] = {"days": YEARS_DAYS, "leads": 150, "activities": 300}
    (tmp_path / "calm").mkdir()
    calm = Night(tmp_path / "calm", seed, **years)
    assert "done" == await calm.ending()
    # Each stream has one file that is larger than most others together, which nobody can foresee.
    *usual, one, other = sorted(job.facts["file_bytes"] for job in await calm.jobs())
    allowed = sum(usual) // 2

    (tmp_path / "short").mkdir()
    night = Night(tmp_path / "short", seed, own_bytes_per_day=allowed, **years)
    ends, days = [await night.ending()], [night.exported_bytes()]
    while ends[-1] == "paused" and len(ends) < 6:
        await night.pause()
        night.change(update_leads=2, add_activities=2, seed=len(ends))
        await night.settle()
        began = night.clock.now().timestamp()
        ends.append(await night.ending())
        days.append(night.exported_bytes() - sum(days))
        # What is new comes every day, before the rest of the past.
        assert began - 3_600.0 < await newest(night)
    assert [*["paused"] * (len(ends) - 1), "done"] == ends
    assert 2 <= len(ends)
    assert [] == await night.problems()
    assert await night.applied_bytes() == night.exported_bytes()
    assert all(day <= allowed + one + other for day in days)


async def newest(night: Night) -> float:
    """Up to when some window of each stream is there."""
    ends = {job.group: 0.0 for job in await night.jobs()}
    async with night.process() as parts:
        for stream in ends:
            ends[stream] = parts.destination.standing(parts.instance, stream).intervals[-1].end.timestamp()
    return min(ends.values())

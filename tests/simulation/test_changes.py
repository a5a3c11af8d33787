"""Data that changes while it is being synced: every version that stays is there in the end, late rows included."""

import random
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from tests.simulation.faults import on
from tests.simulation.nights import LOOKBACK, Night
from tests.simulation.seeded import seeded


async def cursor_seconds(night: Night, stream: str) -> float:
    """Up to where the destination has a stream."""
    async with night.process() as parts:
        return parts.destination.standing(parts.instance, stream).intervals[-1].end.timestamp()


def add_activity(night: Night, at_seconds: float) -> str:
    """An activity that becomes visible now and is dated otherwise; its GUID."""
    return str(night.change(new_activities=[{"activityDate": int(at_seconds)}])["added_activities"][0])


@pytest.mark.parametrize("seed", range(2))
@seeded
async def test_changes_between_runs_are_in_the_next_one(tmp_path: Path, seed: int) -> None:
    """Several days of new and changed rows, hostile texts among them: each run ends with the truth of its moment."""
    night, rng = Night(tmp_path, seed), random.Random(f"changes {seed}")
    for day in range(4):
        await night.settle()
        assert "done" == await night.ending()
        assert [] == await night.problems()
        night.change(update_leads=8, add_leads=2, add_activities=5, seed=f"{seed} {day}")
        await night.clock.sleep(rng.uniform(60.0, 30 * 3_600.0))


@pytest.mark.parametrize(("seed", "skew_minutes"), [(1, 0), (2, 0), (3, 20), (4, -20)])
@seeded
async def test_what_changes_during_a_run_is_whole_after_the_next_one(
    tmp_path: Path, seed: int, skew_minutes: int
) -> None:
    """Rows move between windows while these are planned and exported: without lookback, and by a clock that is off."""
    night = Night(tmp_path, seed, days=35, lookback=timedelta(), skew=timedelta(minutes=skew_minutes))
    rng = random.Random(f"changes {seed}")

    async def people() -> None:
        while True:
            await night.clock.sleep(rng.uniform(0.0, 10.0))
            night.change(update_leads=3, add_leads=1, add_activities=1, seed=rng.random())

    async with anyio.create_task_group() as background:
        background.start_soon(people)
        ends = [await night.ending() for _ in range(2)]
        background.cancel_scope.cancel()
    await night.settle()
    ends.append(await night.ending())
    assert ["done"] * 3 == ends
    assert [] == await night.problems()


@seeded
async def test_a_row_shows_up_late_by_as_much_as_the_lookback(tmp_path: Path) -> None:
    """Rows dated before the cursor, to the second: those within the lookback come, one second more is not asked for."""
    night = Night(tmp_path, 1)
    assert "done" == await night.ending()
    cursor, lookback = await cursor_seconds(night, "activities"), LOOKBACK.total_seconds()
    await night.clock.sleep(600.0)
    for date in (cursor - lookback, cursor - 3_600.0, cursor - 1.0, cursor):
        add_activity(night, date)
    too_late = add_activity(night, cursor - lookback - 1.0)
    assert "done" == await night.ending()
    assert [f"activities {too_late} is missing"] == await night.problems()


@pytest.mark.parametrize("hours_until_the_next_run", [1, 8])
@seeded
async def test_a_late_row_is_not_lost_with_a_run_that_ended_early(
    tmp_path: Path, hours_until_the_next_run: int
) -> None:
    """A row that was 21 hours late, behind an export that an earlier run had left unfinished, comes all the same."""
    night = Night(tmp_path, 1)
    assert "done" == await night.ending()
    await night.clock.sleep(10 * 3_600.0)
    night.change(update_leads=1, add_activities=1, seed=1)
    await night.settle()
    night.server.set_faults([on("file", {"action": "drop_before"}, times=10)])
    assert "Unavailable" == await night.ending()
    night.server.set_faults([])
    await night.clock.sleep(3_600.0)
    add_activity(night, (night.clock.now() - timedelta(hours=21)).timestamp())
    await night.clock.sleep(hours_until_the_next_run * 3_600.0)
    assert "done" == await night.ending()
    await night.clock.sleep(2 * 3_600.0)
    assert "done" == await night.ending()
    assert [] == await night.problems()

"""One group for as long as the daemon lives: it waits, brings a night, and waits for the next."""

from dataclasses import replace
from typing import Any

import anyio
import pytest

from syncengine.config import GroupSettings
from syncengine.observe.events import WindowApplied
from tests.simulation.seeded import seeded
from tests.unit.service.placed import DUE, NAME, NIGHTLY, PlayedPlace, placed, quick, settings_of, synced
from tests.unit.service.schedule.kept import DAY, HOUR, MINUTE, keeping, missed_since


def accounts(place: PlayedPlace) -> list[str]:
    """The files of accounts."""
    return sorted(path.name for path in (place.settings.service.reports / NAME).iterdir())


async def slow(**_: Any) -> Any:
    await anyio.sleep(HOUR.total_seconds())
    return synced()


@seeded
async def test_a_night_is_brought_at_its_time_and_told() -> None:
    """Before it the group waits, after it the next one is due; journal, files and people have the account."""

    async def brings(*, see: Any, **_: Any) -> Any:
        see(WindowApplied("leads", "w", 3, 2, 1, 0, 1_000, 1.0))
        return synced()

    with quick() as folder:
        async with placed(settings_of(folder), brings) as place, keeping(place):
            await place.until(DUE - MINUTE)
            assert ("waiting", DUE, DUE) == (place.standing.state, place.standing.next_at, place.standing.next_due)
            assert [] == place.script.asked
            await place.until(DUE + MINUTE)
            (night,) = await place.nights()
            assert (DUE, "done", 1, 6, 5) == (night.due, night.outcome, night.attempts, night.rows, night.calls)
            assert night.began_at - DUE < MINUTE
            assert ("waiting", DUE + DAY) == (place.standing.state, place.standing.next_due)
            assert place.standing.last is not None
            assert "done" == place.standing.last.outcome
            assert ["nightly is whole: 5 rows moved."] == place.notices("recovery")
            assert ["2026-03-01-nightly-20260302T0230Z.json", "2026-03-01-nightly-20260302T0230Z.txt"] == accounts(
                place
            )


@seeded
async def test_night_follows_night() -> None:
    """Each once, at its own time."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place, keeping(place):
            await place.until(DUE + 3 * DAY)
            await place.clock.sleep(60.0)
            assert [DUE + number * DAY for number in range(4)] == [each.due for each in await place.nights()]


@seeded
async def test_of_missed_nights_the_last_is_made_up_for() -> None:
    """The daemon was down for three of them; one brings what all of them would have brought."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            await missed_since(place, DUE - 4 * DAY)
            async with keeping(place):
                await place.clock.sleep(60.0)
                assert [DUE - DAY] == [each.due for each in await place.nights()]


@seeded
async def test_missed_nights_are_skipped_where_that_is_asked_for() -> None:
    """Nothing is brought, but the journal and people learn of it; the next one comes at its time."""
    skips = {"nightly": replace(NIGHTLY, missed="skip")}
    with quick() as folder:
        async with placed(settings_of(folder, schedule=skips)) as place:
            await missed_since(place, DUE - 4 * DAY)
            async with keeping(place):
                await place.clock.sleep(60.0)
                (night,) = await place.nights()
                assert (DUE - DAY, "skipped", []) == (night.due, night.outcome, place.script.asked)
                assert "missed` says skip" in night.problems[0]
                assert ["nightly ended as skipped."] == place.notices("failure")
                await place.until(DUE + MINUTE)
                assert ["skipped", "done"] == [each.outcome for each in await place.nights()]


@seeded
async def test_a_restart_goes_on_with_the_night_under_way() -> None:
    """The same due time, whatever is missed; what an earlier process has moved is in the account too."""

    async def brings(*, see: Any, **_: Any) -> Any:
        see(WindowApplied("leads", "w", 3, 2, 1, 0, 1_000, 1.0))
        await anyio.sleep(HOUR.total_seconds())
        return synced()

    with quick() as folder:
        async with placed(settings_of(folder), brings) as place:
            async with keeping(place):
                await place.until(DUE + MINUTE)
            await place.until(DUE + DAY + HOUR)
            async with keeping(place):
                await place.clock.sleep(1.5 * HOUR.total_seconds())
            first, whole = (await place.nights())[:2]
            assert [(DUE, "interrupted"), (DUE, "done")] == [(each.due, each.outcome) for each in (first, whole)]
            assert (6, 12, 2, 10) == (first.rows, whole.rows, whole.attempts, whole.calls)


@seeded
async def test_a_night_that_was_cut_in_two_is_not_missed() -> None:
    """It had begun, so it is gone on with after a restart, also where missed ones are skipped."""
    skips = {"nightly": replace(NIGHTLY, missed="skip")}
    with quick() as folder:
        async with placed(settings_of(folder, schedule=skips), slow, synced()) as place:
            async with keeping(place):
                await place.until(DUE + MINUTE)
            await place.clock.sleep(HOUR.total_seconds())
            async with keeping(place):
                await place.clock.sleep(60.0)
            assert [(DUE, "interrupted"), (DUE, "done")] == [(each.due, each.outcome) for each in await place.nights()]
            assert place.standing.last is not None
            assert place.standing.last.began_at - DUE < MINUTE


@seeded
async def test_waiting_takes_no_time_from_a_night() -> None:
    """One that was parked for a day, by a process that is gone, has all its hours to work."""
    with quick() as folder:
        settings = settings_of(folder, schedule={"nightly": replace(NIGHTLY, max_hours=1.5)})
        async with placed(settings, slow) as place:
            await missed_since(place, DUE - 2 * DAY, begun=DUE - DAY, began_at=DUE - DAY)
            async with keeping(place):
                await place.clock.sleep(HOUR.total_seconds() + 10.0)
                night = (await place.nights())[0]
                assert (DUE - DAY, "done") == (night.due, night.outcome)


@seeded
async def test_other_settings_are_used_between_two_windows() -> None:
    """The run is asked to halt, and goes on by the new settings at once, as the same night and attempt of it."""
    with quick() as folder:

        async def until_halted(*, halt: Any, **_: Any) -> Any:
            await halt.wait()
            return synced("partial", problems=("The run was asked to stop",))

        async with placed(settings_of(folder), until_halted, synced()) as place, keeping(place) as group:
            await place.until(DUE + MINUTE)
            assert "running" == place.standing.state
            place.settings = replace(place.settings, schedule={"nightly": replace(NIGHTLY, streams=("leads",))})
            group.renewed()
            await place.clock.sleep(1.0)
            assert ["leads"] == place.script.asked[1]["streams"]
            (night,) = await place.nights()
            assert ("done", 2, ()) == (night.outcome, night.attempts, night.problems)
            assert [] == place.notices("failure")


@seeded
async def test_other_times_are_used_at_once() -> None:
    """A group that waits does not wait for the time before."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place, keeping(place) as group:
            await place.clock.sleep(60.0)
            place.settings = replace(place.settings, schedule={"nightly": GroupSettings(cron="10 2 * * *")})
            group.renewed()
            await place.clock.sleep(1.0)
            assert DUE - 20 * MINUTE == place.standing.next_due


@pytest.mark.parametrize("jitter", [0.0, 30.0])
@seeded
async def test_jitter_delays_the_beginning(jitter: float) -> None:
    """The night keeps its due time; the standing shows when it begins."""
    with quick() as folder:
        settings = settings_of(folder, schedule={"nightly": replace(NIGHTLY, jitter_minutes=jitter)})
        async with placed(settings) as place, keeping(place) as group:
            await place.clock.sleep(1.0)
            assert DUE + group.schedule.delay(DUE) == place.standing.next_at
            await place.until(DUE + HOUR)
            (night,) = await place.nights()
            assert DUE == night.due
            assert abs(night.began_at - DUE - group.schedule.delay(DUE)) < MINUTE
            assert (group.schedule.delay(DUE) > 0 * MINUTE) == bool(jitter)

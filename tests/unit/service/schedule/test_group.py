"""One group for as long as the daemon lives: it waits, brings a night, and waits for the next."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import anyio
import pytest

from syncengine.config import GroupSettings
from syncengine.errors import CredentialsRejected, QuotaExhausted, StateUnusable, Unavailable
from syncengine.jobs.lease import holding
from syncengine.observe.events import WindowApplied
from syncengine.service.schedule.group import Group
from syncengine.service.schedule.memo import Memo, recalled, remember
from syncengine.service.schedule.reactions import Attempt
from syncengine.service.schedule.tally import Tally
from tests.simulation.mortal import Through
from tests.simulation.seeded import seeded
from tests.unit.service.placed import DUE, NAME, NIGHTLY, START, PlayedPlace, placed, quick, settings_of, synced

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
TIMES = "30 2 * * * UTC"


async def no_folders(_: str, __: Tally) -> Attempt:
    return Attempt("done")


@asynccontextmanager
async def keeping(place: PlayedPlace) -> AsyncIterator[Group]:
    """A group that is kept going as long as the block lasts."""
    group = Group(place, "nightly", no_folders)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(group.keep)
        yield group
        tasks.cancel_scope.cancel()


async def missed_since(place: PlayedPlace, settled: datetime, **more: Any) -> None:
    """The daemon was down since the night of `settled`."""
    await remember(place.journal, NAME, "nightly", Memo(settled, TIMES, **more))


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
    """The same due time, whatever is missed; what an earlier process has used of its time is over."""
    with quick() as folder:
        async with placed(settings_of(folder, schedule={"nightly": replace(NIGHTLY, max_hours=2)}), slow) as place:
            await missed_since(place, DUE - 2 * DAY, begun=DUE - DAY, began_at=START - 1.5 * HOUR)
            async with keeping(place):
                await place.clock.sleep(HOUR.total_seconds())
                night = (await place.nights())[0]
                assert (DUE - DAY, "stopped") == (night.due, night.outcome)
                assert night.ended_at is not None
                assert 29 * MINUTE < night.ended_at - START < 31 * MINUTE
                assert place.standing.last is not None
                assert START - 1.5 * HOUR == place.standing.last.began_at


@seeded
async def test_a_night_that_has_no_time_left_gets_a_minute() -> None:
    """It may have been done but for its last word."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            await missed_since(place, DUE - 2 * DAY, begun=DUE - DAY, began_at=START - DAY)
            async with keeping(place):
                await place.clock.sleep(5.0)
                assert ["done"] == [each.outcome for each in await place.nights()]


@seeded
async def test_a_used_up_quota_parks_the_night_until_the_reset() -> None:
    """Nobody has to come, so it is no failure; it is told once for each reset, and goes on as the same night."""
    reset = DUE + 3 * HOUR
    with quick() as folder:
        gone = QuotaExhausted("used up", resume_at=reset)
        async with placed(settings_of(folder), gone, synced()) as place, keeping(place):
            await place.until(DUE + HOUR)
            standing = place.standing
            assert ("parked", "used up", False, DUE) == (
                standing.state,
                standing.reason,
                standing.needs_somebody,
                standing.due,
            )
            assert standing.next_at is not None
            assert reset <= standing.next_at <= reset + 2 * MINUTE
            assert (["used up"], ["used up"], 1) == (
                place.problems,
                place.notices("quota"),
                len(place.script.asked),
            )
            assert ([], reset.isoformat()) == (place.notices("failure"), place.told[0].key)
            await place.until(reset + 3 * MINUTE)
            (night,) = await place.nights()
            assert (DUE, "done", 2, ()) == (night.due, night.outcome, night.attempts, night.problems)


@seeded
async def test_a_reset_behind_the_next_night_is_not_waited_for() -> None:
    """The night ends as paused, and the next one begins at its time."""
    late = QuotaExhausted("used up", resume_at=DUE + 30 * HOUR)
    with quick() as folder:
        async with placed(settings_of(folder), late, synced()) as place, keeping(place):
            await place.until(DUE + DAY + MINUTE)
            assert [(DUE, "paused"), (DUE + DAY, "done")] == [(each.due, each.outcome) for each in await place.nights()]
            assert ["nightly ended as paused."] == place.notices("failure")


@seeded
async def test_rejected_credentials_call_for_somebody() -> None:
    """At once, and the configuration is read again before each try, so that nothing has to be restarted."""
    with quick() as folder:
        refused = CredentialsRejected("refused", advice="Look them up.")
        async with placed(settings_of(folder), refused, refused, synced()) as place, keeping(place):
            await place.until(DUE + MINUTE)
            assert ("parked", True, "refused") == (
                place.standing.state,
                place.standing.needs_somebody,
                place.standing.reason,
            )
            assert (["refused"], [], ("Look them up.",)) == (
                place.notices("failure"),
                place.rereads,
                place.told[0].details,
            )
            await place.until(DUE + HOUR)
            assert (["done"], 2) == ([each.outcome for each in await place.nights()], len(place.rereads))
            assert not place.standing.needs_somebody


@seeded
async def test_an_outage_is_told_when_it_lasts() -> None:
    """The first minutes are nobody's business; from the fourth try on somebody is told, and the end of it too."""
    with quick() as folder:
        away = Unavailable("Marketo is away")
        async with placed(settings_of(folder), away, away, away, away, synced()) as place, keeping(place):
            await place.until(DUE + 3 * MINUTE)
            assert ("backing off", []) == (place.standing.state, place.notices())
            await place.until(DUE + 8 * MINUTE)
            assert (4, ["Marketo is away"], False) == (
                len(place.script.asked),
                place.notices("failure"),
                place.standing.needs_somebody,
            )
            await place.until(DUE + 20 * MINUTE)
            assert ["nightly is whole: 0 rows moved."] == place.notices("recovery")
            assert [] == place.rereads


@seeded
async def test_an_outage_ends_with_the_next_night() -> None:
    """Tried until then, never more often than every twenty minutes; the night has failed, and the next one begins."""
    with quick() as folder:
        async with placed(settings_of(folder), Unavailable("away")) as place, keeping(place):
            await place.until(DUE + DAY + MINUTE)
            failed, under_way = await place.nights()
            assert (DUE, "failed", DUE + DAY, "") == (failed.due, failed.outcome, under_way.due, under_way.outcome)
            assert 45 <= failed.attempts <= 80
            assert "nightly ended as failed." in place.notices("failure")


@seeded
async def test_a_night_that_works_for_too_long_is_stopped() -> None:
    """At max_hours of work, all attempts together."""
    with quick() as folder:
        hours = {"nightly": replace(NIGHTLY, max_hours=1.5)}
        away = Unavailable("away")

        async def long(**_: Any) -> Any:
            await anyio.sleep(HOUR.total_seconds())
            raise away

        async with placed(settings_of(folder, schedule=hours), long) as place, keeping(place):
            await place.until(DUE + 2 * HOUR)
            (night,) = await place.nights()
            assert ("stopped", 2) == (night.outcome, night.attempts)
            assert "after 1.5 hours" in night.problems[0]


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


@seeded
async def test_a_pause_ends_with_other_settings() -> None:
    """What was mended is tried at once."""
    with quick() as folder:
        refused = CredentialsRejected("refused")
        async with placed(settings_of(folder), refused, synced()) as place, keeping(place) as group:
            await place.until(DUE + 30 * timedelta(seconds=1))
            group.renewed()
            await place.clock.sleep(1.0)
            assert ["done"] == [each.outcome for each in await place.nights()]


@seeded
async def test_an_account_that_cannot_be_written_ends_no_night() -> None:
    """It is told, and the journal has the same."""
    with quick() as folder:
        (folder / "reports").write_text("a file")
        async with placed(settings_of(folder)) as place, keeping(place):
            await place.until(DUE + MINUTE)
            assert ["done"] == [each.outcome for each in await place.nights()]
            (problem,) = place.problems
            assert problem.startswith("The account of the night cannot be written: ")
            assert Memo(DUE, TIMES) == await recalled(place.journal, NAME, "nightly", TIMES, DUE)


class Ill(Through):
    """A journal that remembers nothing for a while."""

    def __init__(self, journal: Any, times: int) -> None:
        super().__init__(journal)
        self.times = times

    async def recall(self, instance: str, name: str) -> Any:
        if self.times:
            self.times -= 1
            raise StateUnusable("the journal is locked")
        return await self.store.recall(instance, name)


@seeded
async def test_a_journal_in_trouble_is_asked_again_in_a_minute() -> None:
    """The group goes on when it is well, and has said meanwhile why it did not."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            place.journal = Ill(place.journal, 3)  # type: ignore[assignment]  # it passes all else on
            async with keeping(place):
                await place.clock.sleep(1.0)
                assert ("backing off", "the journal is locked") == (place.standing.state, place.standing.reason)
                await place.clock.sleep(200.0)
                assert ("waiting", "", 3) == (place.standing.state, place.standing.reason, len(place.problems))


@seeded
async def test_a_night_is_not_brought_twice_at_once() -> None:
    """Another daemon is at it: this one waits until it has ended."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place, keeping(place):
            async with holding(place.journal, place.clock, NAME, "night nightly"):
                await place.until(DUE + 3 * MINUTE)
                assert ("backing off", []) == (place.standing.state, place.script.asked)
            await place.clock.sleep(60.0)
            assert ["done"] == [each.outcome for each in await place.nights()]


class Stepped(Through):
    """A clock whose wall side is set."""

    ahead = timedelta()

    def now(self) -> datetime:
        at: datetime = self.store.now() + self.ahead
        return at


@seeded
async def test_a_wall_clock_that_is_set_is_noticed_within_minutes() -> None:
    """As after the machine has slept: what was an hour away is due."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            clock = place.clock = Stepped(place.clock)
            async with keeping(place):
                await place.clock.sleep(1.0)
                clock.ahead = HOUR
                await place.clock.sleep(301.0)
                assert [DUE] == [each.due for each in await place.nights()]


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
            assert (group.schedule.delay(DUE) > timedelta()) == bool(jitter)

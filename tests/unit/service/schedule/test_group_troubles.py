"""One group and whatever goes wrong with its nights: who is told, when it goes on, and that nothing ends it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import anyio

from syncengine.errors import CredentialsRejected, QuotaExhausted, StateUnusable, Unavailable
from syncengine.jobs.lease import holding
from syncengine.service.schedule.memo import Memo, recalled
from tests.simulation.mortal import Through
from tests.simulation.seeded import seeded
from tests.unit.service.placed import DUE, NAME, NIGHTLY, placed, quick, settings_of, synced
from tests.unit.service.schedule.kept import DAY, HOUR, MINUTE, TIMES, keeping


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
async def test_a_journal_in_trouble_is_asked_again() -> None:
    """With pauses that grow; the group goes on when it is well, and has said meanwhile why it did not."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            place.journal = Ill(place.journal, 4)  # type: ignore[assignment]  # it passes all else on
            async with keeping(place):
                await place.clock.sleep(1.0)
                assert ("backing off", "the journal is locked") == (place.standing.state, place.standing.reason)
                await place.clock.sleep(250.0)
                assert [] == place.notices()
                await place.clock.sleep(700.0)
                assert ("waiting", "", 4) == (place.standing.state, place.standing.reason, len(place.problems))
                assert ["the journal is locked"] == place.notices("failure")


@seeded
async def test_a_night_is_not_brought_twice_at_once() -> None:
    """Another daemon is at it: this one waits until it has ended."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place, keeping(place):
            async with holding(place.journal, place.clock, NAME, "night nightly"):
                await place.until(DUE + 3 * MINUTE)
                assert ("backing off", []) == (place.standing.state, place.script.asked)
            await place.clock.sleep(600.0)
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


@seeded
async def test_an_outage_uses_up_no_tries_of_a_part_that_fails_by_itself() -> None:
    """However long Marketo was away: the part has its four tries, and then the night is what it is."""
    with quick() as folder:
        away, missing = Unavailable("away"), synced("partial", problems=("no such field",), errors=("CallRejected",))
        async with placed(settings_of(folder), *[away] * 6, missing) as place, keeping(place):
            await place.until(DUE + 4 * HOUR)
            (night,) = await place.nights()
            assert ("partial", 10, ("no such field",)) == (night.outcome, night.attempts, night.problems)

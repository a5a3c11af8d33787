"""When a group is due, around changes of the clock too."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.service.schedule.cron import MISSED_AFTER, Begin, Schedule, Skip, WaitUntil, decide

BERLIN = Schedule("30 2 * * *", "Europe/Berlin")
NEW_YORK = Schedule("30 1 * * *", "America/New_York")
FIRST, LAST = datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2034-12-31")
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
NIGHTLY = st.builds(lambda minute, hour: f"{minute} {hour} * * *", st.integers(0, 59), st.integers(0, 23))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        # 29 March 2026 has no half past two in Berlin, 25 October has two of them.
        (BERLIN, "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        (BERLIN, "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        # 1 November 2026 has two half past ones in New York.
        (NEW_YORK, "2026-10-31T12:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
        (Schedule("0 0 29 2 *", "UTC"), "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
    ],
)
def test_a_night_comes_once_whatever_the_clock_does(schedule: Schedule, after: str, expected: list[str]) -> None:
    """A time that the clock leaves out comes right after the gap; one that it shows twice comes the first time."""
    times = schedule.after(at(after))
    assert [at(each) for each in expected] == [next(times) for _ in expected]


@given(NIGHTLY, ZONES, INSTANTS)
def test_every_day_has_one_night(cron: str, zone: str, start: datetime) -> None:
    """Whatever the zone: nights follow each other by 22 to 26 hours, and 400 of them take 400 days."""
    times = Schedule(cron, zone).after(start)
    found = [next(times) for _ in range(400)]
    steps = {later - earlier for earlier, later in itertools.pairwise(found)}
    assert timedelta(hours=22) <= min(steps)
    assert max(steps) <= timedelta(hours=26)
    assert abs(found[-1] - found[0] - timedelta(days=399)) <= timedelta(hours=2)


@given(NIGHTLY, ZONES, INSTANTS, st.timedeltas(timedelta(), timedelta(days=70)))
def test_the_last_due_time_is_found_from_behind(cron: str, zone: str, start: datetime, span: timedelta) -> None:
    """The same as counting them all from the front."""
    schedule, until = Schedule(cron, zone), start + span
    counted = None
    for due in schedule.after(start):
        if due > until:
            break
        counted = due
    assert counted == schedule.last_within(start, until)


@given(INSTANTS, st.timedeltas(timedelta(), timedelta(hours=12)))
def test_jitter_delays_by_less_than_it_may_and_always_the_same(due: datetime, jitter: timedelta) -> None:
    """A restart does not draw again, and two groups do not draw alike."""
    one = Schedule("0 0 * * *", "UTC", "acme nightly", jitter)
    assert timedelta() <= one.delay(due) <= jitter
    assert one.delay(due) == Schedule("0 0 * * *", "UTC", "acme nightly", jitter).delay(due)


def test_two_groups_do_not_begin_at_once() -> None:
    """Jitter is there to spread them."""
    due, hour = at("2026-03-01T00:00"), timedelta(hours=1)
    drawn = {Schedule("0 0 * * *", "UTC", f"acme {number}", hour).delay(due) for number in range(50)}
    assert 50 == len(drawn)
    assert timedelta(minutes=50) < max(drawn)
    assert min(drawn) < timedelta(minutes=10)


@given(NIGHTLY, ZONES, INSTANTS, st.timedeltas(timedelta(), timedelta(days=40)), st.booleans())
def test_what_is_decided_fits_what_has_passed(
    cron: str, zone: str, settled: datetime, span: timedelta, skips: bool
) -> None:
    """A night begins at its time or after it, is skipped only when it was missed, and never comes twice."""
    schedule, now = Schedule(cron, zone, "x", timedelta(minutes=30), skips), settled + span
    match decide(schedule, settled, now):
        case WaitUntil(due, begin):
            assert due > settled
            assert begin > now
            assert due <= begin <= due + timedelta(minutes=30)
            assert schedule.last_within(settled, now) in {None, due}
        case Begin(due):
            assert settled < due <= now
            assert now >= due + schedule.delay(due)
            assert not skips or now - due - schedule.delay(due) <= MISSED_AFTER
            following = decide(schedule, due, now)
            assert isinstance(following, WaitUntil)
            assert following.due > now
        case Skip(due):
            assert skips
            assert settled < due < now - MISSED_AFTER


@pytest.mark.parametrize("change", ["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "America/Chicago", "Australia/Lord_Howe"])
def test_no_due_time_lies_before_what_was_asked_for(change: str, zone: str) -> None:
    """At every fifth minute of the days on which clocks change, and of those around them."""
    for cron in ("30 2 * * *", "30 1 * * *", "0 * * * *", "*/20 1,2 * * *"):
        schedule = Schedule(cron, zone)
        for minute in range(0, 2 * 1440, 5):
            now = at(change) - timedelta(hours=12) + timedelta(minutes=minute)
            assert schedule.next_after(now) > now
        day = at(change) - timedelta(hours=12)
        found = [schedule.last_within(day, day + timedelta(hours=hours)) for hours in range(1, 49)]
        assert all(due is None or day < due <= day + timedelta(hours=48) for due in found)

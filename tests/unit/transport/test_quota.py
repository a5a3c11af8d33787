"""The day's budget under both readings of its reset, on every hour of twelve years."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.transport.book import Spent
from syncengine.transport.quota import book_spending, counted_at, hour_of, last_resets, next_reset, spent_today

CENTRAL = ZoneInfo("America/Chicago")
FIXED = timezone(timedelta(hours=-6))
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
HOURS = int((datetime(2036, 1, 1, tzinfo=UTC) - FIRST) / timedelta(hours=1))


def test_resets_of_every_hour_begin_the_day_of_their_reading() -> None:
    """For 105,000 hours, DST days included, the last reset is where the local date under each reading began."""
    began: dict[object, datetime] = {}
    wrong = []
    for number in range(HOURS):
        hour = FIRST + timedelta(hours=number)
        days = [("fixed", hour.astimezone(FIXED).date()), ("central", hour.astimezone(CENTRAL).date())]
        expected = tuple(began.setdefault(day, hour) for day in days)
        # The first day of the range began before it.
        if number >= 48 and expected != last_resets(hour + timedelta(minutes=59, seconds=59)):
            wrong.append(hour)

    assert [] == wrong


def test_the_next_reset_is_the_first_hour_with_a_new_day() -> None:
    """For 105,000 hours, the moment to try again is the first at which either reading's date has changed."""
    expected = next_reset(FIRST + timedelta(hours=HOURS))
    wrong = []
    for number in reversed(range(48, HOURS)):
        hour = FIRST + timedelta(hours=number)
        if next_reset(hour) != expected:
            wrong.append(hour)
        if hour in last_resets(hour):
            expected = hour

    assert [] == wrong


def test_days_of_23_and_25_hours_are_whole() -> None:
    """Central midnights lie 23 hours apart in March and 25 in November."""
    assert datetime(2026, 3, 8, 6, tzinfo=UTC) == last_resets(datetime(2026, 3, 9, 4, 59, tzinfo=UTC))[1]
    assert datetime(2026, 3, 9, 5, tzinfo=UTC) == last_resets(datetime(2026, 3, 9, 5, tzinfo=UTC))[1]
    assert datetime(2026, 11, 1, 5, tzinfo=UTC) == last_resets(datetime(2026, 11, 2, 5, 59, tzinfo=UTC))[1]
    assert datetime(2026, 11, 2, 6, tzinfo=UTC) == last_resets(datetime(2026, 11, 2, 6, tzinfo=UTC))[1]


@given(st.integers(48, HOURS - 49), st.lists(st.tuples(st.integers(0, 47), st.integers(1, 900)), max_size=30))
def test_the_stricter_reading_rules(number: int, bookings: list[tuple[int, int]]) -> None:
    """What was spent today is the larger of the two readings' sums, calls and bytes each on their own."""
    now = FIRST + timedelta(hours=number, minutes=30)
    spent: dict[str, Spent] = {}
    for ago, calls in sorted(bookings, reverse=True):
        book_spending(spent, now - timedelta(hours=ago), calls=calls, export_bytes=calls * 10)
    sums = [
        sum(
            calls
            for ago, calls in bookings
            if (now - timedelta(hours=ago)).astimezone(zone).date() == now.astimezone(zone).date()
        )
        for zone in (FIXED, CENTRAL)
    ]

    assert Spent(max(sums), 10 * max(sums)) == spent_today(spent, now)


def test_at_a_reset_in_summer_the_other_reading_still_counts() -> None:
    """At 05:30 UTC in July Chicago has a new day and fixed CST has not: yesterday's calls count on for an hour."""
    spent: dict[str, Spent] = {}
    book_spending(spent, datetime(2026, 7, 1, 12, tzinfo=UTC), calls=7)

    assert [7, 0] == [
        spent_today(spent, datetime(2026, 7, 2, 5, 30, tzinfo=UTC)).calls,
        spent_today(spent, datetime(2026, 7, 2, 6, 0, tzinfo=UTC)).calls,
    ]


def test_refunds_never_go_below_nothing() -> None:
    """A call that is given back leaves the ledger; more refunds than calls leave zero."""
    spent: dict[str, Spent] = {}
    for calls in (1, 1, -1, -1, -1):
        book_spending(spent, FIRST, calls=calls)

    assert {hour_of(FIRST): Spent(0, 0)} == spent


def test_hours_that_no_day_reaches_are_forgotten() -> None:
    """The ledger stays small: two days and two hours back, bookings go."""
    spent: dict[str, Spent] = {}
    for number in range(200):
        book_spending(spent, FIRST + timedelta(hours=number), calls=1)

    assert 51 == len(spent)
    assert hour_of(FIRST + timedelta(hours=149)) == min(spent)


@pytest.mark.parametrize(
    ("now", "hours_before"),
    [("2026-07-01T05:30", 1.5), ("2026-07-01T04:30", 0), ("2026-07-01T06:30", 0), ("2026-01-10T05:30", 0)],
)
def test_between_the_two_resets_a_count_may_be_yesterdays(now: str, hours_before: float) -> None:
    """What Marketo counts then is booked before the earlier reset, so that no reading of the new day holds it."""
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert hours_before * 3_600 == (at - counted_at(at)).total_seconds()
    spent: dict[str, Spent] = {}
    book_spending(spent, counted_at(at), calls=45_000)
    assert 45_000 == spent_today(spent, at).calls
    if hours_before:
        assert 0 == spent_today(spent, at + timedelta(hours=1)).calls

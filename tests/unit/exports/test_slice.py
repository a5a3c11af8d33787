"""The algebra of windows: whatever was committed and whatever is planned, no second of a stream is left out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syncengine.exports.slice import (
    REMAINDER_SECONDS_MIN,
    SAMPLE,
    Reach,
    Stretch,
    due,
    gaps,
    joined,
    prefix_end,
    sampled,
    whole_second,
    window_id,
)

BASE = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NOTHING = timedelta()
SETTLE = timedelta(minutes=15)
MONTH = timedelta(days=31)
CHICAGO = ZoneInfo("America/Chicago")

# Coarse steps make windows touch and overlap often, fine ones make remainders.
OFFSETS = st.one_of(st.integers(0, 20).map(lambda days: days * 86_400), st.integers(0, 100 * 86_400))
MOMENTS = OFFSETS.map(lambda seconds: BASE + timedelta(seconds=seconds))
LENGTHS = st.one_of(st.integers(1, 40).map(lambda days: days * 86_400), st.integers(1, 40 * 86_400))
STRETCHES = st.tuples(MOMENTS, LENGTHS).map(lambda drawn: Stretch(drawn[0], drawn[0] + timedelta(seconds=drawn[1])))
COLLECTIONS = st.lists(STRETCHES, max_size=6)
LOOKBACKS = st.one_of(st.just(NOTHING), st.integers(0, 60 * 86_400).map(lambda seconds: timedelta(seconds=seconds)))
REACHES = st.builds(Reach, MOMENTS, LOOKBACKS, st.integers(0, 3_600).map(lambda seconds: timedelta(seconds=seconds)))
NOWS = st.tuples(MOMENTS, st.integers(0, 999_999)).map(lambda drawn: drawn[0].replace(microsecond=drawn[1]))


def days(start: float, end: float) -> Stretch:
    """The time between two numbers of days after BASE."""
    return Stretch(BASE + start * DAY, BASE + end * DAY)


def holds(stretches: list[Stretch], moment: datetime) -> bool:
    return any(each.start <= moment < each.end for each in stretches)


def edges(stretches: list[Stretch], within: Stretch) -> list[datetime]:
    """Every instant of `within` at which what is covered may change: to look at these is to look at all."""
    moments = {within.start, *(moment for each in stretches for moment in (each.start, each.end))}
    return sorted(moment for moment in moments if within.start <= moment < within.end)


@given(committed=COLLECTIONS, unfinished=COLLECTIONS, reach=REACHES, now=NOWS)
@example(committed=[], unfinished=[], reach=Reach(BASE, NOTHING, NOTHING), now=BASE + 400 * DAY)
@example(committed=[days(0, 1)], unfinished=[days(2, 3)], reach=Reach(BASE, DAY, SETTLE), now=BASE + 5 * DAY)
def test_nothing_between_start_and_the_settled_present_is_left_out(
    committed: list[Stretch], unfinished: list[Stretch], reach: Reach, now: datetime
) -> None:
    """What is held, planned before and planned now covers [start, now - settle), but for a remainder under a minute."""
    planned = list(due(committed, unfinished, reach, now))
    until = whole_second(now - reach.settle)
    everything = [*committed, *unfinished, *planned]
    open_at = [each for each in edges(everything, Stretch(reach.start, until)) if not holds(everything, each)]

    assert [] == [each for each in open_at if (until - each).total_seconds() >= REMAINDER_SECONDS_MIN]


@given(committed=COLLECTIONS, unfinished=COLLECTIONS, reach=REACHES, now=NOWS, again=COLLECTIONS)
def test_windows_are_whole_ordered_and_never_overlap(
    committed: list[Stretch], unfinished: list[Stretch], reach: Reach, now: datetime, again: list[Stretch]
) -> None:
    """Each window has whole seconds, at least one and at most 31 days, and starts no earlier than the last one ends."""
    planned = due(committed, unfinished, reach, now, again=again)

    assert {0} == {0, *(moment.microsecond for each in planned for moment in (each.start, each.end))}
    assert all(NOTHING < each.end - each.start <= MONTH for each in planned)
    assert all(earlier.end <= later.start for earlier, later in pairwise(planned))
    assert all(reach.start <= each.start and each.end <= now - reach.settle for each in planned)


@given(committed=COLLECTIONS, unfinished=COLLECTIONS, reach=REACHES, now=NOWS, again=COLLECTIONS)
def test_what_was_given_up_is_asked_for_again(
    committed: list[Stretch], unfinished: list[Stretch], reach: Reach, now: datetime, again: list[Stretch]
) -> None:
    """All of it within the run's reach, held or not, and beside it exactly what would be due without it."""
    planned = list(due(committed, unfinished, reach, now, again=again))
    usual = list(due(committed, unfinished, reach, now))
    looked_at = edges([*planned, *usual, *again], Stretch(reach.start, whole_second(now - reach.settle)))

    assert [holds(usual, each) or holds(again, each) for each in looked_at] == [
        holds(planned, each) for each in looked_at
    ]


@given(committed=COLLECTIONS, unfinished=COLLECTIONS, reach=REACHES, now=NOWS)
def test_only_the_lookback_is_asked_for_again(
    committed: list[Stretch], unfinished: list[Stretch], reach: Reach, now: datetime
) -> None:
    """Of what is held or planned already, at most the lookback before the last open time is planned once more."""
    known, planned = [*committed, *unfinished], list(due(committed, unfinished, reach, now))
    until = whole_second(now - reach.settle)
    last = max((each.end for each in joined(known) if each.start < until), default=reach.start)
    again = [each for each in edges([*known, *planned], Stretch(BASE, until)) if holds(planned, each)]

    assert [] == [each for each in again if holds(known, each) and not last - reach.lookback <= each < last]


@given(unfinished=COLLECTIONS, reach=REACHES, now=NOWS)
def test_without_a_lookback_nothing_is_planned_twice(unfinished: list[Stretch], reach: Reach, now: datetime) -> None:
    """No new window shares a second with an unfinished one."""
    planned = due((), unfinished, replace(reach, lookback=NOTHING), now)
    assert [] == [(new, old) for new in planned for old in unfinished if new.start < old.end and old.start < new.end]


def test_a_run_goes_on_behind_the_cursor_by_the_lookback() -> None:
    """The usual run takes [cursor - lookback, now - settle) as one window."""
    found = due([days(0, 10)], (), Reach(BASE, DAY, SETTLE), BASE + 12 * DAY)
    assert (Stretch(BASE + 9 * DAY, BASE + 12 * DAY - SETTLE),) == found


def test_the_lookback_stops_at_the_start() -> None:
    """A lookback longer than the stream's history begins with the history."""
    found = due([days(0, 10)], (), Reach(BASE, 30 * DAY, SETTLE), BASE + 12 * DAY)
    assert (Stretch(BASE, BASE + 12 * DAY - SETTLE),) == found


def test_a_start_moved_to_an_earlier_day_asks_for_the_days_before_alone() -> None:
    """What lies committed behind a gap is not fetched again."""
    found = due([days(10, 20)], (), Reach(BASE, NOTHING, NOTHING), BASE + 21 * DAY)
    assert (days(0, 10), days(20, 21)) == found


def test_a_gap_in_the_middle_is_fetched_without_a_lookback() -> None:
    """The lookback belongs to the newest rows: a hole that failed last time is asked for as it is."""
    found = due([days(0, 3), days(5, 10)], (), Reach(BASE, DAY, NOTHING), BASE + 12 * DAY)
    assert (days(3, 5), days(9, 12)) == found


def test_a_gap_that_the_lookback_reaches_is_one_stretch_with_it() -> None:
    """Time that two reasons ask for is asked for once."""
    found = due([days(0, 3), days(5, 6)], (), Reach(BASE, 2 * DAY, NOTHING), BASE + 8 * DAY)
    assert (days(3, 8),) == found


def test_unfinished_windows_keep_no_run_from_looking_back() -> None:
    """A window that fails night after night must not keep late rows of all other time from being found."""
    assert (days(11, 13),) == due([days(0, 9)], [days(9, 12)], Reach(BASE, DAY, NOTHING), BASE + 13 * DAY)


@pytest.mark.parametrize(("seconds", "count"), [(0, 0), (1, 0), (59, 0), (60, 1), (61, 1)])
def test_less_than_a_minute_is_left_to_the_next_run(seconds: int, count: int) -> None:
    """A job costs the same for a second as for a month, so a remainder under 60 s waits."""
    now = BASE + DAY + SETTLE + timedelta(seconds=seconds, microseconds=999_999)
    assert count == len(due([days(0, 1)], (), Reach(BASE, DAY, SETTLE), now))


@pytest.mark.parametrize("ahead", [NOTHING, SECOND, DAY])
def test_nothing_is_due_before_the_start(ahead: timedelta) -> None:
    """A start that has not settled, or lies in the future, asks for nothing."""
    assert () == due((), (), Reach(BASE + ahead, DAY, SETTLE), BASE + SETTLE)


def test_a_cursor_in_the_future_asks_for_nothing() -> None:
    """With everything up to a later instant committed there is no window, and none that ends before it starts."""
    assert () == due([days(0, 30)], (), Reach(BASE, DAY, SETTLE), BASE + 20 * DAY)


def test_a_lookback_in_fractions_of_a_second_still_gives_whole_windows() -> None:
    """A third of an hour is no whole number of seconds, and Marketo's filter takes nothing else."""
    (window,) = due([days(0, 10)], (), Reach(BASE, timedelta(hours=0.333), SETTLE), BASE + 12 * DAY)
    assert 0 == window.start.microsecond


def test_the_zone_of_the_start_does_not_matter() -> None:
    """A start written in local time is the same instant, on every day of a year with both changes of clocks."""
    for day in range(366):
        start = BASE + day * DAY + timedelta(hours=8)
        here = Reach(start, DAY, SETTLE)
        there = replace(here, start=start.astimezone(CHICAGO))
        assert due((), (), here, BASE + 400 * DAY) == due((), (), there, BASE + 400 * DAY)


def test_the_zone_of_the_present_does_not_matter() -> None:
    """Hours that local clocks skip or repeat move no window, though the settle delay reaches across them."""
    reach = Reach(BASE, DAY, SETTLE)
    moments = [BASE + timedelta(hours=hours, minutes=5) for hours in range(366 * 24)]
    moved = [now for now in moments if due((), (), reach, now) != due((), (), reach, now.astimezone(CHICAGO))]
    assert [] == moved


@given(seconds=st.integers(0, 366 * 86_400), microseconds=st.integers(0, 999_999))
def test_a_moment_is_cut_to_its_second_in_utc(seconds: int, microseconds: int) -> None:
    """Whatever zone a moment is written in, the second that it lies in is the same, also in a repeated hour."""
    second = BASE + timedelta(seconds=seconds)
    local = second.replace(microsecond=microseconds).astimezone(CHICAGO)
    assert (second, UTC) == (whole_second(local), whole_second(local).tzinfo)


@given(stretches=COLLECTIONS, start=MOMENTS)
@example(stretches=[days(2, 3), days(0, 1), days(1, 2), days(4, 5)], start=BASE)
@example(stretches=[days(0, 9), days(1, 2), days(9, 10)], start=BASE)
def test_the_prefix_ends_at_the_first_second_that_is_missing(stretches: list[Stretch], start: datetime) -> None:
    """However the stretches are ordered and overlap, all before the prefix's end is covered, and its end is not."""
    end = prefix_end(stretches, start)

    assert end == prefix_end(reversed(stretches), start)
    assert all(holds(stretches, moment) for moment in edges(stretches, Stretch(start, end)) if start < end)
    assert not holds(stretches, end)
    assert start <= end


@given(stretches=COLLECTIONS, within=STRETCHES)
def test_gaps_are_exactly_what_is_not_covered(stretches: list[Stretch], within: Stretch) -> None:
    """Every instant is in a stretch or in a gap, never in both; gaps are ordered and do not touch."""
    found = list(gaps(stretches, within))
    looked_at = edges([*stretches, *found], within)

    assert [not holds(stretches, each) for each in looked_at] == [holds(found, each) for each in looked_at]
    assert all(within.start <= each.start < each.end <= within.end for each in found)
    assert all(earlier.end < later.start for earlier, later in pairwise(found))


@given(stretches=COLLECTIONS)
@example(stretches=[days(1, 2), days(0, 1), days(3, 4)])
def test_joining_keeps_the_time_and_nothing_touches(stretches: list[Stretch]) -> None:
    """The joined stretches cover the same instants, in order, each as long as it can be."""
    found = list(joined(stretches))
    looked_at = edges([*stretches, *found], days(0, 200))

    assert [holds(stretches, each) for each in looked_at] == [holds(found, each) for each in looked_at]
    assert all(earlier.end < later.start for earlier, later in pairwise(found))


@given(reach=REACHES, now=NOWS)
@example(reach=Reach(BASE, NOTHING, NOTHING), now=BASE + 62 * DAY + SECOND)
@example(reach=Reach(BASE, NOTHING, NOTHING), now=BASE + 32 * DAY)
def test_of_several_windows_the_last_day_is_one_of_its_own(reach: Reach, now: datetime) -> None:
    """No second is lost or doubled by it; a single window stays whole, as does a last one of no more than a day."""
    before = due([], [], reach, now)
    found = sampled(before)

    assert joined(before) == joined(found)
    assert all(earlier.end == later.start for earlier, later in pairwise(found))
    is_cut = len(before) > 1 and before[-1].end - before[-1].start > SAMPLE
    assert len(before) + is_cut == len(found)
    assert not is_cut or SAMPLE == found[-1].end - found[-1].start


REQUEST: dict[str, object] = {"filter": "updatedAt", "fields": [["id", "integer"], ["email", "text"]], "generation": 0}


@pytest.mark.parametrize(
    ("stream", "stretch", "request_of_it"),
    [
        ("activities", days(0, 1), REQUEST),
        ("leads", days(0, 2), REQUEST),
        ("leads", days(0.5, 1), REQUEST),
        ("leads", days(0, 1), REQUEST | {"filter": "createdAt"}),
        ("leads", days(0, 1), REQUEST | {"fields": [["email", "text"], ["id", "integer"]]}),
        ("leads", days(0, 1), REQUEST | {"fields": [["id", "text"], ["email", "text"]]}),
        ("leads", days(0, 1), REQUEST | {"generation": 1}),
        ("leads", days(0, 1), REQUEST | {"instance": "acme"}),
    ],
)
def test_each_ingredient_makes_another_window(stream: str, stretch: Stretch, request_of_it: dict[str, object]) -> None:
    """Stream, start, end, filter, columns, their order and their types all belong to a window's identity."""
    assert window_id("leads", days(0, 1), REQUEST) != window_id(stream, stretch, request_of_it)


def test_the_same_request_has_the_same_id_for_ever() -> None:
    """The id depends on the content alone, not on the order of keys, and ledgers of earlier releases know it."""
    shuffled = dict(reversed(REQUEST.items()))
    assert "73a375256b997e983fcbba42b2962a4e" == window_id("leads", days(0, 1), REQUEST)
    assert window_id("leads", days(0, 1), REQUEST) == window_id("leads", days(0, 1), shuffled)

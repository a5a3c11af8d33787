"""What is summed and decided on the way from the journal's nights to what is shown."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.config import LimitSettings
from syncengine.service.schedule.nights import OUTCOMES, NightReport, StreamNight
from syncengine.service.seen.snapshot import Evening, evenings, harm, known_nights, live_of, resets, took
from syncengine.service.standing import GroupStanding
from syncengine.transport.book import Spent
from syncengine.transport.quota import last_resets
from syncengine.transport.use import GateUse
from tests.unit.service.seen.seen import seen
from tests.unit.service.seen.written import NOW, night

STREAM = st.builds(
    StreamNight,
    rows=st.integers(0, 10**6),
    inserted=st.integers(0, 999),
    changed=st.integers(0, 999),
    bytes=st.integers(0, 10**9),
)
NIGHTS = st.lists(
    st.builds(
        lambda days, outcome, calls, streams: night(days, outcome, calls=calls, streams=streams),
        st.integers(0, 40),
        st.sampled_from(OUTCOMES),
        st.integers(0, 5_000),
        st.dictionaries(st.sampled_from(["leads", "activities"]), STREAM),
    ),
    max_size=12,
)


@given(NIGHTS)
def test_evenings_hold_every_night_once_and_sum_them(nights: list[NightReport]) -> None:
    """Whatever groups there are, no night is lost or counted twice, and the worst outcome stands for the evening.

    One that was cut in two is counted as its later half, which has the figures of both.
    """
    found = evenings(seen(nights=tuple(nights)))
    assert sorted((each.due, each.calls) for each in nights) == sorted(
        (each.due, each.calls) for evening in found for each in evening.nights
    )
    by_age = sorted(nights, key=lambda each: (each.ended_at is not None, each.began_at))
    whole = {(each.group, each.due): each for each in by_age}
    assert sum(each.moved for each in whole.values()) == sum(evening.moved for evening in found)
    assert sum(each.export_bytes for each in whole.values()) == sum(evening.export_bytes for evening in found)
    assert sorted((evening.day for evening in found), reverse=True) == [evening.day for evening in found]
    for evening in found:
        assert harm(evening.outcome) == max(harm(each.outcome) for each in evening.last_words)
        assert evening.rows == sum(each.rows for each in evening.streams.values())


def test_a_night_belongs_to_the_evening_of_its_groups_zone() -> None:
    """Half past two on 2 March in UTC is the night of 1 March there."""
    (evening,) = evenings(seen(nights=(night(), night(group="gone"))))
    assert (date(2026, 3, 1), 2) == (evening.day, len(evening.nights))
    assert 2 * 38 * 60.0 == evening.seconds


@pytest.mark.parametrize(
    ("now", "first", "latest"),
    [
        (datetime(2026, 1, 15, 8, tzinfo=UTC), "2026-01-16 06", "2026-01-16 06"),
        (datetime(2026, 7, 15, 8, tzinfo=UTC), "2026-07-16 05", "2026-07-16 06"),
        (datetime(2026, 7, 15, 5, 30, tzinfo=UTC), "2026-07-15 06", "2026-07-15 06"),
        (datetime(2026, 7, 15, 4, 59, tzinfo=UTC), "2026-07-15 05", "2026-07-15 06"),
    ],
)
def test_budgets_are_back_by_one_reading_and_at_the_latest_by_the_other(now: datetime, first: str, latest: str) -> None:
    """In winter both fall on one hour; in summer the second is an hour later, until the first is over."""
    assert (first, latest) == tuple(f"{at:%Y-%m-%d %H}" for at in resets(now))


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)))  # noqa: DTZ001  # made aware below
def test_after_the_later_reset_both_readings_have_begun_a_new_day(moment: datetime) -> None:
    """At the latest means it: neither reading still counts what was spent before now.

    Between the two hours of a summer's morning one of them has just begun its day, and counts that alone.
    """
    now = moment.replace(tzinfo=UTC)
    first, latest = resets(now)
    assert now < first <= latest <= now + timedelta(hours=27)
    fixed, midnight = last_resets(now)
    counted_from = now if midnight <= fixed else midnight
    assert all(reset >= counted_from for reset in last_resets(latest))


def test_an_open_night_that_no_group_is_at_work_on_was_interrupted() -> None:
    """Its process died; one that a group says it is at work on is running."""
    open_ones = (night(0, ""), night(1, ""))
    running = GroupStanding(instance="acme", group="nightly", state="running", due=open_ones[0].due)
    assert ["", "interrupted"] == [each.outcome for each in known_nights(open_ones, (running,))]
    assert ["done"] == [each.outcome for each in known_nights((night(),), ())]


def test_an_evening_under_way_has_no_outcome_and_no_time_yet() -> None:
    """Nothing is made up for a night that runs; beside a whole one it is what can be said of the evening."""
    running = night(0, "")
    assert (None, 0.0) == (took(running), Evening(date(2026, 3, 1), (running,)).seconds)
    assert "" == Evening(date(2026, 3, 1), (running, night(group="assets"))).outcome
    assert "failed" == Evening(date(2026, 3, 1), (running, night(0, "failed", group="assets"))).outcome


def test_the_limits_show_what_is_used_and_what_is_ours() -> None:
    """Marketo's own figures beside the share that this engine takes; without any call yet, nothing is used."""
    limits = LimitSettings(share=0.5, reserve_calls=10_000)
    use = GateUse(7, 50, 3, 5, Spent(412, 86_000_000), {"a": 3}, NOW, None, frozenset({"b"}))
    live = live_of(use, limits, NOW)
    assert (7, 100, 50, 3, 10, 5) == (
        live.window,
        live.window_limit,
        live.window_ours,
        live.in_flight,
        live.flight_limit,
        live.flight_ours,
    )
    assert (412, 50_000, 10_000, NOW) == (
        live.calls.used,
        live.calls.limit,
        live.calls.reserve,
        live.calls.paused_until,
    )
    assert (86_000_000, 500_000_000, None) == (live.export.used, live.export.limit, live.export.paused_until)
    empty = live_of(None, limits, NOW)
    assert (0, 50, 0, 5, 0) == (
        empty.window,
        empty.window_ours,
        empty.in_flight,
        empty.flight_ours,
        empty.calls.used,
    )


def test_the_last_night_is_the_newest_that_ended(tmp_path: Path) -> None:
    """By when it was due; one that runs, or another group's, is not it."""
    shown = seen(nights=(night(0, ""), night(1, "partial"), night(2), night(0, group="other")))
    last = shown.last_night("nightly")
    assert last is not None
    assert (NOW.date() - timedelta(days=1), "partial") == (last.due.date(), last.outcome)
    assert seen().last_night("nightly") is None


def test_a_night_that_a_restart_cut_in_two_ended_as_its_second_half() -> None:
    """The second half has what both moved and spent; that the first was interrupted is no harm."""
    first = night(0, "interrupted", calls=100)
    second = night(0, "done", calls=120, began_at=first.began_at + timedelta(minutes=50))
    shown = seen(nights=(second, first))
    (evening,) = evenings(shown)
    assert ("done", 120, second.rows) == (evening.outcome, evening.calls, evening.rows)
    assert second == shown.last_night("nightly")
    assert second == seen(nights=(first, second)).last_night("nightly")
    assert "interrupted" == evenings(seen(nights=(first,)))[0].outcome

"""What of a stream is due, as plain values: which time, which jobs over it, and which of them stands for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.exports import due
from syncengine.exports.due import BACKFILL, INCREMENT, LEAD_CHANGES, New, Past, Wanted
from syncengine.exports.fields import Choice, Shape, needed_by, parts, shape
from syncengine.exports.reading import READING
from syncengine.exports.slice import Stretch
from syncengine.exports.streams import STREAMS
from syncengine.exports.window import request_of
from syncengine.marketo.rows import LeadField
from tests.unit.exports.journal import ALL, START, UNTIL, job, past
from tests.unit.exports.world import DAY, reach_of
from tests.virtual import ORIGIN

HOUR = timedelta(hours=1)


def fields(count: int = 1) -> list[LeadField]:
    """What describe names: the fields that every stream needs, and `count` more."""
    named = [("id", "integer"), ("updatedAt", "datetime"), ("programId", "integer"), ("leadId", "integer")]
    named += [(f"field{number:03}", "string") for number in range(count)]
    return [LeadField(name, name, kind, None, read_only=False) for name, kind in named]


def shaped(stream: str, count: int = 1) -> Shape:
    return shape(STREAMS[stream], () if STREAMS[stream].columns else fields(count), Choice())


def wanted(stream: str, days: float = 20, **changes: Any) -> Wanted:
    return Wanted(stream, Choice(), reach_of(days), **changes)


def only_last_counts(found: Sequence[New]) -> bool:
    """One of the jobs stands for the time of all of them, and it waits for the others."""
    return [False] * (len(found) - 1) + [True] == [each.counts for each in found] and (
        [False] * (len(found) - 1) + [len(found) > 1] == [each.after_others for each in found]
    )


# Streams that are exported by date.


def test_a_window_is_asked_for_by_the_streams_own_filter() -> None:
    """One job for a window: it counts, and waits for nobody."""
    (found,) = due.windows(shaped("leads"), wanted("leads"), past(), ORIGIN, can_filter=True)
    assert New(ALL, request_of(shaped("leads"), "updatedAt", ""), BACKFILL) == found


def test_the_increment_goes_first_and_counts_late_rows() -> None:
    """What is new since the last run, with its lookback; a row of the time before the cursor is a late one."""
    cursor = UNTIL - 2 * DAY
    found = due.windows(shaped("leads"), wanted("leads", 30), past(Stretch(START, cursor)), ORIGIN, can_filter=True)
    behind, new = found
    assert (Stretch(START - 10 * DAY, START), BACKFILL, None) == (behind.stretch, behind.priority, behind.late_before)
    assert (Stretch(cursor - DAY, UNTIL), INCREMENT, cursor) == (new.stretch, new.priority, new.late_before)


def test_a_full_read_asks_for_all_of_the_time() -> None:
    """Whatever the destination holds, and no row of it is late."""
    (found,) = due.windows(shaped("leads"), wanted("leads"), past(ALL, is_full=True), ORIGIN, can_filter=True)
    assert (ALL, None) == (found.stretch, found.late_before)


def test_without_the_filter_changed_leads_come_before_new_ones() -> None:
    """A reading of their changes, then those by createdAt, which alone stands for the time."""
    changes, new = due.windows(shaped("leads"), wanted("leads"), past(), ORIGIN, can_filter=False)
    assert (True, LEAD_CHANGES, False, False) == (
        changes.is_reading,
        changes.request["filter"],
        changes.counts,
        changes.after_others,
    )
    assert (False, "createdAt", True, True) == (new.is_reading, new.request["filter"], new.counts, new.after_others)
    assert {ALL} == {changes.stretch, new.stretch}


@pytest.mark.parametrize(("count", "lists"), [(1, 1), (296, 1), (297, 1), (299, 2), (900, 4)])
def test_a_long_list_of_fields_is_split_over_jobs(count: int, lists: int) -> None:
    """Each job has one list; the last is the one that joins them, and it alone stands for the time."""
    leads = shape(STREAMS["leads"], fields(count)[:2] + fields(count)[4:], Choice())
    found = due.windows(leads, wanted("leads"), past(), ORIGIN, can_filter=True)
    assert lists == len(found) == len(parts(leads.schema.names, needed_by(leads.stream)))
    assert only_last_counts(found)
    numbers = [each.request.get("columns") for each in found]
    assert ([None] if lists == 1 else [*range(1, lists), 0]) == numbers


def test_without_the_filter_each_window_has_its_own_reading() -> None:
    """Several windows and several lists of fields: in each window the last job alone counts."""
    leads = shape(STREAMS["leads"], fields(400)[:2] + fields(400)[4:], Choice())
    found = due.windows(leads, wanted("leads", 40), past(), ORIGIN, can_filter=False)
    by_time: dict[datetime, list[New]] = {}
    for each in found:
        by_time.setdefault(each.stretch.start, []).append(each)
    assert 2 == len(by_time)
    for together in by_time.values():
        assert [True, False, False] == [each.is_reading for each in together]
        assert only_last_counts(together)


# Parts of a stream: programs and lists.


def members(programs: int, known: Past, *, can_filter: bool = True, days: float = 20) -> tuple[New, ...]:
    ids = range(1, programs + 1)
    stream = shaped("program_members")
    return due.members(stream, wanted("program_members", days), known, ORIGIN, program_ids=ids, can_filter=can_filter)


@given(st.integers(0, 35))
def test_ten_programs_share_a_job(programs: int) -> None:
    """Every program is in one job, and the time is committed with the last of them."""
    found = members(programs, past())
    assert ceil(programs / 10) == len(found)
    assert list(range(1, programs + 1)) == [each for one in found for each in one.request["programs"]]
    assert not found or only_last_counts(found)
    assert {(ALL, BACKFILL, None)} >= {(each.stretch, each.priority, each.request["filter"]) for each in found}


@pytest.mark.parametrize(
    ("days_ago", "by_change"),
    [(1, True), (29, True), (30, True), (30.1, False), (90, False)],
)
def test_members_come_by_change_within_a_window(days_ago: float, by_change: bool) -> None:
    """The filter takes 31 days, lookback included; a cursor farther back means all members."""
    start = ORIGIN - 100 * DAY
    cursor = UNTIL - days_ago * DAY
    (found,) = members(3, past(Stretch(start, cursor)), days=100)
    expected = (cursor - DAY, "updatedAt", INCREMENT) if by_change else (start, None, BACKFILL)
    assert expected == (found.stretch.start, found.request["filter"], found.priority)
    assert UNTIL == found.stretch.end


@pytest.mark.parametrize(
    ("known", "can_filter"),
    [
        (past(ALL, is_full=True), True),
        (past(ALL), False),
        (past(), True),
        (past(Stretch(START, START)), True),
        (past(ALL, again=(job(filter_field=None),)), True),
    ],
    ids=["a full read", "no filter here", "never read", "only some groups came", "a full read was cut short"],
)
def test_all_members_come_where_changes_would_not_be_all(known: Past, can_filter: bool) -> None:
    """A member that has not changed since is not lost for that."""
    (found,) = members(3, known, can_filter=can_filter)
    assert (ALL, None) == (found.stretch, found.request["filter"])


def test_members_that_were_to_come_by_change_still_do() -> None:
    """An increment that was cut short is asked for again from the cursor, no more."""
    cursor = UNTIL - DAY
    known = past(Stretch(START, cursor), again=(job(filter_field="updatedAt"),))
    (found,) = members(3, known)
    assert (cursor - DAY, "updatedAt") == (found.stretch.start, found.request["filter"])


def test_each_list_has_a_job() -> None:
    """All its members of this moment; nothing is asked for without a list, or before the start."""
    stream = shaped("list_members")
    found = due.list_members(stream, wanted("list_members", lists=(7, 8, 9)), past(ALL), ORIGIN)
    assert [7, 8, 9] == [each.request["list"] for each in found]
    assert only_last_counts(found)
    assert {(Stretch(START, ORIGIN), INCREMENT)} == {(each.stretch, each.priority) for each in found}
    assert () == due.list_members(stream, wanted("list_members"), past(), ORIGIN)
    assert () == due.list_members(stream, wanted("list_members", lists=(7,)), past(), START)


# Readings.


@pytest.mark.parametrize("stream", ["deleted_leads", "lead_changes"])
def test_a_reading_by_time_goes_on_at_its_cursor(stream: str) -> None:
    """With the lookback before it, in one piece however long, and from the start the first time."""
    (first,) = due.readings(shaped(stream), wanted(stream, 400), past(), ORIGIN)
    cursor = UNTIL - 2 * DAY
    (next_,) = due.readings(shaped(stream), wanted(stream), past(Stretch(START, cursor)), ORIGIN)
    (full,) = due.readings(shaped(stream), wanted(stream), past(ALL, is_full=True), ORIGIN)
    assert [Stretch(ORIGIN - 400 * DAY, UNTIL), Stretch(cursor - DAY, UNTIL), ALL] == [
        each.stretch for each in (first, next_, full)
    ]
    assert all(each.is_reading and each.counts and each.priority == INCREMENT for each in (first, next_, full))


def test_a_full_reading_that_was_cut_short_is_begun_anew() -> None:
    """It is asked for once more although the destination holds its time already."""
    cut_short = job(kind=READING)
    known = past(Stretch(START, UNTIL - HOUR), again=(cut_short,))
    (found,) = due.readings(shaped("deleted_leads"), wanted("deleted_leads"), known, ORIGIN)
    assert ALL == found.stretch


@pytest.mark.parametrize("stream", ["lists", "companies", "named_account_lists", "fields"])
def test_a_listing_is_read_in_every_run(stream: str) -> None:
    """All that there is now, whatever was committed; not again where an earlier run's reading is gone on with."""
    made = shape(
        STREAMS[stream], [*fields(), LeadField("externalCompanyId", "", "string", None, read_only=False)], Choice()
    )
    (found,) = due.readings(made, wanted(stream, names=("SaaS",)), past(ALL), ORIGIN)
    assert (Stretch(START, ORIGIN), True, {"names": ["SaaS"]}) == (found.stretch, found.is_reading, found.facts)
    assert () == due.readings(made, wanted(stream), past(ALL, going_on=(job(),)), ORIGIN)
    assert () == due.readings(made, wanted(stream), past(), START)

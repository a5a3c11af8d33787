"""What of a stream is due: how its windows stand among the others, and when everything is read again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.exports.due import (
    BACKFILL,
    INCREMENT,
    New,
    Past,
    Wanted,
    generation_of,
    is_full_due,
    list_members,
    members,
    windows,
)
from syncengine.exports.fields import Choice, shape
from syncengine.exports.slice import WINDOW_BYTES, Reach, Stretch, joined
from syncengine.exports.streams import STREAMS
from syncengine.exports.window import ABANDONED, CLEANED, KIND, PLANNED
from syncengine.jobs.job import Job
from syncengine.marketo.rows import LeadField
from tests.unit.exports.world import DAY, SETTLE
from tests.virtual import ORIGIN

HOUR = timedelta(hours=1)
ACTIVITIES = shape(STREAMS["activities"], (), Choice())
LISTED = shape(STREAMS["list_members"], (), Choice())
DESCRIBED = [LeadField(name, name, "string", None, read_only=False) for name in ("programId", "leadId", "updatedAt")]
MEMBERS = shape(STREAMS["program_members"], DESCRIBED, Choice())
UNTIL = ORIGIN - SETTLE


def wanted(days: float = 40, *, lookback: timedelta = DAY, lists: tuple[int, ...] = ()) -> Wanted:
    return Wanted("activities", Choice(), Reach(ORIGIN - days * DAY, lookback, SETTLE), lists=lists)


def days(start: float, end: float) -> Stretch:
    """The time between two numbers of days before the present's last settled second."""
    return Stretch(UNTIL - start * DAY, UNTIL - end * DAY)


def past(*committed: Stretch, is_full: bool = False, jobs: Sequence[Job] = (), again: Sequence[Job] = ()) -> Past:
    return Past(committed, tuple(jobs), (), tuple(again), is_full, "")


def job(state: str = CLEANED, *, generation: Any = "", age: timedelta = DAY, **facts: Any) -> Job:
    """A window that was planned so long ago."""
    known = {
        "start": (ORIGIN - DAY).isoformat(),
        "end": ORIGIN.isoformat(),
        "request": {"generation": generation, "filter": "createdAt"},
    }
    at = ORIGIN - age
    return Job(
        id="w",
        instance="acme",
        kind=KIND,
        state=state,
        group="activities",
        facts=known | facts,
        created_at=at,
        updated_at=at,
    )


def found(known: Past, asked: Wanted | None = None) -> tuple[New, ...]:
    return windows(ACTIVITIES, asked or wanted(), known, ORIGIN, can_filter=True)


def test_a_first_run_is_all_of_the_past() -> None:
    """Nothing is new where nothing was read before, and no row is late."""
    assert {(BACKFILL, None)} == {(each.priority, each.late_before) for each in found(past())}


def test_what_is_new_goes_before_what_lies_behind() -> None:
    """The time since the last run, with its lookback, and a hole of years ago: late are rows of the lookback alone."""
    hole, new = found(past(Stretch(ORIGIN - 40 * DAY, UNTIL - 20 * DAY), days(10, 1)))
    assert (days(20, 10), BACKFILL, None) == (hole.stretch, hole.priority, hole.late_before)
    assert (days(2, 0), INCREMENT, UNTIL - DAY) == (new.stretch, new.priority, new.late_before)


def test_without_a_lookback_nothing_is_late() -> None:
    """A window that begins where the last one ended finds no row of before."""
    (new,) = found(past(Stretch(ORIGIN - 40 * DAY, UNTIL - DAY)), wanted(lookback=timedelta()))
    assert (days(1, 0), INCREMENT, None) == (new.stretch, new.priority, new.late_before)


def test_a_full_read_knows_no_late_rows() -> None:
    """Everything is read again; only its newest window is new, and goes first."""
    everything = found(past(Stretch(ORIGIN - 40 * DAY, UNTIL - DAY), is_full=True))
    assert (Stretch(ORIGIN - 40 * DAY, UNTIL),) == joined(each.stretch for each in everything)
    assert [BACKFILL, INCREMENT] == [each.priority for each in everything]
    assert {None} == {each.late_before for each in everything}


def test_a_lookback_of_several_windows_is_one_all_the_same() -> None:
    """A stream with many rows is cut finely: the windows that only look back go first too, and find late rows."""
    large = job(file_bytes=WINDOW_BYTES * 24 * 2)
    new = found(past(Stretch(ORIGIN - 40 * DAY, UNTIL - HOUR), jobs=[large]))
    assert (Stretch(UNTIL - HOUR - DAY, UNTIL),) == joined(each.stretch for each in new)
    assert (25, {HOUR}) == (len(new), {each.stretch.end - each.stretch.start for each in new})
    assert {INCREMENT} == {each.priority for each in new}
    assert [UNTIL - HOUR] * 24 + [None] == [each.late_before for each in new]


def test_what_was_given_up_is_no_lookback() -> None:
    """A full read whose fields have changed lies where rows are held already: it is part of the past, not new."""
    held = Stretch(ORIGIN - 40 * DAY, UNTIL - HOUR)
    again = job(PLANNED, start=(UNTIL - 30 * DAY).isoformat(), end=(UNTIL - 20 * DAY).isoformat())
    old, new = found(past(held, again=[again]))
    assert (days(30, 20), BACKFILL, None) == (old.stretch, old.priority, old.late_before)
    assert INCREMENT == new.priority


@given(sizes=st.lists(st.integers(1, 10**12), min_size=1, max_size=3), hours=st.integers(1, 40 * 24))
def test_windows_of_any_size_ask_for_the_same_time(sizes: list[int], hours: int) -> None:
    """However finely they are cut: the same time, no window under an hour but the last, none over 31 days."""
    known = Stretch(ORIGIN - 40 * DAY, UNTIL - hours * HOUR)
    committed = (known,) if known.start < known.end else ()
    coarse = found(past(*committed))
    fine = found(past(*committed, jobs=[job(file_bytes=size) for size in sizes]))
    assert joined(each.stretch for each in coarse) == joined(each.stretch for each in fine)
    assert all(each.stretch.end - each.stretch.start <= 31 * DAY for each in fine)


GENERATION = (ORIGIN - 3 * DAY).isoformat()


@pytest.mark.parametrize(
    ("every", "jobs", "is_due"),
    [
        (None, [job(age=99 * DAY)], False),
        (7 * DAY, [], False),
        # The first read was a full one.
        (7 * DAY, [job(age=7 * DAY), job(age=DAY)], True),
        (7 * DAY, [job(age=7 * DAY - HOUR), job(age=DAY)], False),
        # It counts from when the last full read was asked for, not from when it came to its end.
        (3 * DAY, [job(age=99 * DAY), job(generation=GENERATION, age=DAY)], True),
        (4 * DAY, [job(age=99 * DAY), job(generation=GENERATION, age=DAY)], False),
        # One that is under way is gone on with, however long it takes.
        (2 * DAY, [job(age=99 * DAY), job(PLANNED, generation=GENERATION)], False),
        (2 * DAY, [job(age=99 * DAY), job(generation=GENERATION), job("DOWNLOADING", generation=GENERATION)], False),
        # What is left of an earlier one is not.
        (2 * DAY, [job(PLANNED, age=99 * DAY), job(generation=GENERATION)], True),
        # One that was given up and is over has been read.
        (9 * DAY, [job(age=99 * DAY), job(ABANDONED, generation=GENERATION)], False),
        # Journals of early versions counted: what they hold says only when they began.
        (7 * DAY, [job(generation=0, age=8 * DAY), job(generation=3)], True),
        (9 * DAY, [job(generation=0, age=8 * DAY), job(generation=3)], False),
        (4 * DAY, [job(generation=5, age=99 * DAY), job(generation=GENERATION)], False),
    ],
)
def test_everything_is_read_again_when_that_was_long_ago(
    every: timedelta | None, jobs: list[Job], is_due: bool
) -> None:
    """As often as `full` says, counted from the beginning of the last time."""
    assert is_due == is_full_due(every, jobs, [days(39, 0)], ORIGIN)


def test_a_lost_warehouse_is_read_from_the_start_anyway() -> None:
    """With nothing committed there is nothing to read again."""
    assert not is_full_due(DAY, [job(age=99 * DAY)], [], ORIGIN)


def test_generations_of_early_versions_are_none() -> None:
    """They were numbers, and no moments; journals that know nothing of them have none either."""
    assert ["", "", GENERATION] == [
        generation_of(each) for each in (job(generation=4), job(request={}), job(generation=GENERATION))
    ]


@pytest.mark.parametrize(("count", "groups"), [(0, 0), (1, 1), (10, 1), (11, 2), (25, 3)])
def test_members_come_in_groups_of_programs(count: int, groups: int) -> None:
    """Ten programs a job, each in one of them; the time is committed with the last, which waits for the others."""
    new = members(MEMBERS, wanted(), past(), ORIGIN, program_ids=range(count), can_filter=True)
    assert list(range(count)) == [program for each in new for program in each.request["programs"]]
    assert [False] * (groups - 1) + [True] * min(groups, 1) == [each.counts for each in new]
    assert [groups > 1] * min(groups, 1) == [each.after_others for each in new if each.counts]


def filter_of(committed: Stretch, *, can_filter: bool = True, is_full: bool = False) -> tuple[Any, datetime]:
    asked = job(request={"filter": None, "programs": [1]})
    known = past(committed, is_full=is_full, jobs=(asked,))
    (new,) = members(MEMBERS, wanted(100), known, ORIGIN, program_ids=[1], can_filter=can_filter)
    return new.request["filter"], new.stretch.start


def test_members_are_asked_for_by_their_changes_where_that_can_be() -> None:
    """Since the cursor with its lookback; all of them where Marketo cannot tell or that is too long ago."""
    start = ORIGIN - 100 * DAY
    assert ("updatedAt", UNTIL - 3 * DAY) == filter_of(days(99, 2))
    assert (None, start) == filter_of(days(99, 2), can_filter=False)
    assert (None, start) == filter_of(days(99, 2), is_full=True)
    assert ("updatedAt", UNTIL - 31 * DAY) == filter_of(days(99, 30))
    assert (None, start) == filter_of(days(99, 30.01))


def test_a_program_that_was_never_asked_for_is_asked_for_whole() -> None:
    """Its members may have joined long before it was known: they come without a date, and the time counts with them."""
    asked = job(request={"filter": None, "programs": [1, 2]})
    known = past(days(99, 2), jobs=(asked,))
    new = members(MEMBERS, wanted(100), known, ORIGIN, program_ids=[1, 2, 3], can_filter=True)

    assert [("updatedAt", [1, 2], False), (None, [3], True)] == [
        (each.request["filter"], each.request["programs"], each.counts) for each in new
    ]


def test_a_read_of_several_days_goes_on_where_it_stopped() -> None:
    """Programs that have been read are asked for their changes since then, and only the others for all of theirs."""
    done = job(request={"filter": None, "programs": [1, 2], "generation": GENERATION}, generation=GENERATION)
    left = job(PLANNED, request={"filter": None, "programs": [3], "generation": GENERATION}, generation=GENERATION)
    # A group that does not count has no time in the ledger, but a row.
    row = Stretch(ORIGIN - 100 * DAY, ORIGIN - 100 * DAY)
    known = replace(past(row, jobs=(done, left), again=(left,)), generation=GENERATION)
    new = members(MEMBERS, wanted(100), known, ORIGIN, program_ids=[1, 2, 3], can_filter=True)

    start = ORIGIN - 100 * DAY
    assert [("updatedAt", [1, 2], ORIGIN - DAY, False), (None, [3], start, True)] == [
        (each.request["filter"], each.request["programs"], each.stretch.start, each.counts) for each in new
    ]


def test_what_was_read_before_a_full_read_does_not_count_for_it() -> None:
    """A full read was cut short: programs that it has not reached are read whole, whatever earlier runs have read."""
    before = job(request={"filter": None, "programs": [1, 2], "generation": ""})
    done = job(request={"filter": None, "programs": [1], "generation": GENERATION})
    known = replace(past(days(99, 0.5), jobs=(before, done)), generation=GENERATION)
    new = members(MEMBERS, wanted(100), known, ORIGIN, program_ids=[1, 2], can_filter=True)
    assert [("updatedAt", [1]), (None, [2])] == [(each.request["filter"], each.request["programs"]) for each in new]


def test_a_destination_that_knows_nothing_is_given_all_members() -> None:
    """Whatever the journal says: a warehouse that was deleted is filled again."""
    done = job(request={"filter": None, "programs": [1]})
    (new,) = members(MEMBERS, wanted(100), past(jobs=(done,)), ORIGIN, program_ids=[1], can_filter=True)
    assert new.request["filter"] is None


def test_each_list_is_asked_for_as_it_is_now() -> None:
    """One job each, all of its members; one that is gone keeps no other out."""
    new = list_members(LISTED, wanted(lists=(7, 8)), past(days(39, 1)), ORIGIN)
    assert [(7, None, False), (8, None, False)] == [
        (each.request["list"], each.request["filter"], each.after_others) for each in new
    ]
    assert {Stretch(ORIGIN - 40 * DAY, ORIGIN)} == {each.stretch for each in new}

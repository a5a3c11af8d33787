"""The table of moves of an export window: where each state leads, and what bounds its steps."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from syncengine.errors import IllegalMove
from syncengine.exports import reading, window
from syncengine.exports.bring import PLACES
from syncengine.exports.fields import Shape
from syncengine.exports.streams import STREAMS
from syncengine.exports.window import LANES, MOVES, WHOLE, Part, counts, part_of, request_of, shape_of, stretch_of
from syncengine.jobs.job import Job, as_json, moved, planned
from syncengine.marketo.dialect import ACTIVITY_COLUMNS
from syncengine.schema import Field, FieldType, Schema
from tests.virtual import ORIGIN

TABLE: Mapping[tuple[str, str], str] = MOVES.table
STATES = sorted({MOVES.initial, *MOVES.final, *TABLE.values(), *(state for state, _ in TABLE)})
EVENTS = sorted({event for _, event in TABLE})
BETWEEN = [state for state in STATES if state not in MOVES.final]
ID = Field("id", FieldType.INTEGER)
LEADS = Shape(STREAMS["leads"], Schema((ID, Field("email", FieldType.TEXT)), ("id",)))
STRAIGHT = ("intend", "created", "enqueued", "completed", "download", "verified", "committed", "cleaned")


def job(**changes: object) -> Job:
    facts = {"start": ORIGIN.isoformat(), "end": (ORIGIN + timedelta(days=1)).isoformat()}
    made = Job(id="w", instance="acme", kind=window.KIND, group="leads", state=window.PLANNED, facts=facts)
    return replace(made, **changes)  # type: ignore[arg-type]  # whatever field a test names


def after(state: str, *events: str) -> str:
    for event in events:
        state = MOVES.after(state, event)
    return state


@pytest.mark.parametrize("state", BETWEEN)
def test_every_state_can_come_to_an_end(state: str) -> None:
    """From wherever a window stands, moves lead to CLEANED: nothing is stuck for ever."""
    reached = {state}
    while more := {there for (here, _), there in TABLE.items() if here in reached} - reached:
        reached |= more
    assert window.CLEANED in reached


def test_the_docstring_tells_every_state_in_the_order_of_a_windows_life() -> None:
    """The module's theory and its table name the same states; the straight way passes them in the order told."""
    told = re.findall(r"^    ([A-Z_]+)  ", str(window.__doc__), re.MULTILINE)
    passed = [window.PLANNED]
    for event in STRAIGHT:
        passed.append(MOVES.after(passed[-1], event))

    assert passed == told
    aside = {window.ABANDONED, window.KEPT}
    assert sorted({*told, *aside}) == STATES
    assert all(state in str(window.__doc__) for state in aside)


def test_a_lost_window_begins_anew() -> None:
    """Whatever becomes of a job, asked for or there already: until its rows are committed its window can begin anew."""
    losing = [state for state, event in TABLE if event == "lost"]
    assert {window.PLANNED} == {TABLE[state, "lost"] for state in losing}
    assert sorted(set(BETWEEN) - {window.PLANNED, window.COMMITTED}) == sorted(losing)


def test_a_window_whose_request_has_changed_can_be_given_up_anywhere() -> None:
    """Fields may change while a window stands in any state that an earlier run can have left it in."""
    kept = [state for state in BETWEEN if (state, "abandon") not in TABLE]
    # The rows of a committed window are in the destination: there is nothing left to give up.
    assert [window.COMMITTED] == kept
    assert {window.ABANDONED} == {there for (_, event), there in TABLE.items() if event == "abandon"}


def test_an_empty_file_is_not_downloaded() -> None:
    """A completed job without records goes straight to the destination."""
    assert window.COMMITTED == after(window.COMPLETED, "empty", "committed")


def test_a_vanished_file_is_fetched_again() -> None:
    """A verified window whose file is gone goes back to its finished job, not to a new one."""
    assert window.VERIFIED == after(window.VERIFIED, "refetch", "download", "verified")


@pytest.mark.parametrize(
    ("state", "event"), [(state, event) for state in STATES for event in EVENTS if (state, event) not in TABLE]
)
def test_other_moves_are_refused(state: str, event: str) -> None:
    """What the table does not allow raises, and nothing is written: a bug shows at once."""
    stored = job(state=state, seq=3)
    with pytest.raises(IllegalMove):
        moved(stored, stored, event, moves=MOVES, at=ORIGIN, attempt=None, facts={})


def test_a_window_is_planned_at_the_beginning_alone() -> None:
    """No job enters the journal half done."""
    assert 1 == planned(job(), MOVES, ORIGIN).seq
    with pytest.raises(IllegalMove):
        planned(job(state=window.CREATED), MOVES, ORIGIN)


def test_each_lane_has_places() -> None:
    """Every bounded state's lane has a capacity in the run, and every lane of the run bounds a state."""
    assert set(PLACES) == {*LANES.values(), *reading.LANES.values()}
    assert set(LANES) <= set(STATES)


@pytest.mark.parametrize(
    ("state", "lane"),
    [
        (window.PLANNED, window.AT_MARKETO),
        (window.CREATE_INTENT, window.AT_MARKETO),
        (window.CREATED, window.AT_MARKETO),
        (window.QUEUED, window.AT_MARKETO),
        (window.COMPLETED, None),
        (window.DOWNLOADING, window.FETCHING),
        (window.VERIFIED, window.APPLYING),
        (window.COMMITTED, None),
    ],
)
def test_what_bounds_each_step(state: str, lane: str | None) -> None:
    """A job keeps its place at Marketo until it is finished there; one window at a time is applied."""
    assert lane == LANES.get(state)


def test_the_destination_has_one_writer() -> None:
    """Two windows are never applied at once, and Marketo's queue of ten keeps room for others."""
    assert (1, True) == (PLACES[window.APPLYING], PLACES[window.AT_MARKETO] < 10)


def test_a_window_knows_its_stretch() -> None:
    """Start and end come back from the journal's JSON as the instants that went in."""
    stored = planned(job(), MOVES, ORIGIN)
    assert (ORIGIN, ORIGIN + timedelta(days=1)) == stretch_of(stored)


@pytest.mark.parametrize(
    "shaped",
    [
        Shape(STREAMS["activities"], Schema(ACTIVITY_COLUMNS, STREAMS["activities"].key)),
        Shape(STREAMS["leads"], Schema((ID, *(Field(kind.value, kind) for kind in FieldType)), ("id",)), ("text",)),
    ],
)
def test_a_window_keeps_its_shape(shaped: Shape) -> None:
    """What a window was planned with comes back from the journal: columns in order with their types, hashed ones."""
    request = request_of(shaped, "createdAt", "")
    assert shaped == shape_of(job(group=shaped.stream.name, facts=as_json({"request": request})))


@pytest.mark.parametrize("part", [WHOLE, Part(program_ids=(1, 2)), Part(list_id=0)])
def test_a_window_keeps_its_part(part: Part) -> None:
    """Which programs or which list it takes comes back from the journal, also the list with number 0."""
    request = request_of(LEADS, None, "", part)
    assert part == part_of(job(facts=as_json({"request": request})))


def test_each_choice_makes_another_request() -> None:
    """Filter, columns, hashed ones, generation and part all belong to what a window asks for."""
    hashed = Shape(LEADS.stream, LEADS.schema, ("email",))
    requests = [
        request_of(LEADS, "updatedAt", ""),
        request_of(LEADS, "createdAt", ""),
        request_of(LEADS, "updatedAt", "2026-03-02T08:00:00+00:00"),
        request_of(hashed, "updatedAt", ""),
        request_of(LEADS, "updatedAt", "", Part(program_ids=(1,))),
        request_of(LEADS, "updatedAt", "", Part(list_id=1)),
    ]
    assert [] == [one for number, one in enumerate(requests) if one in requests[:number]]


def test_a_window_counts_unless_it_says_otherwise() -> None:
    """Windows of early versions say nothing, and their time is committed with them."""
    assert [True, True, False] == [counts(job(facts=facts)) for facts in ({}, {"counts": True}, {"counts": False})]

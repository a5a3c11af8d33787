"""How far an import and each of its chunks have come."""

import pytest

from syncengine.errors import IllegalMove
from syncengine.imports import states
from syncengine.imports.states import CHUNK_MOVES, IMPORT_MOVES

WAYS = {
    "a file that went in": (
        ["intend", "accepted", "complete", "failures saved", "warnings saved", "settled"],
        states.DONE,
    ),
    "a call": (["intend", "answered"], states.DONE),
    "a limit, then a call": (["intend", "not taken", "intend", "answered"], states.DONE),
    "a refusal": (["intend", "refused"], states.REFUSED),
    "a batch given up": (["intend", "accepted", "failed", "told"], states.FAILED),
    "too large": (["intend", "not taken", "replace"], states.REPLACED),
    "lost, found": (["intend", "lost", "confirmed"], states.CONFIRMED),
    "lost, not there": (["intend", "lost", "absent", "intend", "answered"], states.DONE),
    "lost, unclear": (["intend", "lost", "unclear"], states.UNRESOLVED),
    "lost, held, decided": (["intend", "lost", "hold", "reopen", "confirmed"], states.CONFIRMED),
    "forgotten while it ran": (["intend", "accepted", "forgotten", "unclear"], states.UNRESOLVED),
    "lost, in part not there": (["intend", "lost", "divide"], states.CONFIRMED),
    "given up before it was sent": (["give up"], states.DROPPED),
    "given up while it was sent": (["intend", "give up"], states.UNRESOLVED),
    "given up when its answer was lost": (["intend", "lost", "give up"], states.UNRESOLVED),
    "given up while it was held": (["intend", "lost", "hold", "give up"], states.UNRESOLVED),
    "given up in the queue": (["intend", "accepted", "give up"], states.UNRESOLVED),
    "given up when Marketo had": (["intend", "accepted", "failed", "give up"], states.UNRESOLVED),
    "given up before its failures": (["intend", "accepted", "complete", "give up"], states.UNRESOLVED),
    "given up before its warnings": (
        ["intend", "accepted", "complete", "failures saved", "give up"],
        states.UNRESOLVED,
    ),
    "given up before its account": (
        ["intend", "accepted", "complete", "failures saved", "warnings saved", "give up"],
        states.UNRESOLVED,
    ),
    "forgotten before its failures": (["intend", "accepted", "complete", "forgotten", "confirmed"], states.CONFIRMED),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_that_a_chunk_can_go(way: str) -> None:
    """From PLANNED to an end."""
    events, end = WAYS[way]
    state = CHUNK_MOVES.initial
    for event in events:
        state = CHUNK_MOVES.after(state, event)
    assert (end, True) == (state, end in CHUNK_MOVES.final)


def test_the_ways_take_every_move() -> None:
    """No line of the table is without its story."""
    taken = set()
    for events, _ in WAYS.values():
        state = CHUNK_MOVES.initial
        for event in events:
            taken.add((state, event))
            state = CHUNK_MOVES.after(state, event)
    assert set(CHUNK_MOVES.table) == taken


def test_every_other_move_is_refused() -> None:
    """By name."""
    events = {event for _, event in CHUNK_MOVES.table}
    everywhere = {state for state, _ in CHUNK_MOVES.table} | CHUNK_MOVES.final
    refused = 0
    for state in everywhere:
        for event in events:
            if (state, event) not in CHUNK_MOVES.table:
                with pytest.raises(IllegalMove):
                    CHUNK_MOVES.after(state, event)
                refused += 1
    assert len(everywhere) * len(events) - len(CHUNK_MOVES.table) == refused


def test_nothing_is_sent_from_where_marketo_may_have_it() -> None:
    """The one move that intends a sending begins where Marketo cannot have the chunk."""
    assert {states.PLANNED} == {state for state, event in CHUNK_MOVES.table if event == "intend"}
    back = {(state, event) for (state, event), after in CHUNK_MOVES.table.items() if after == states.PLANNED}
    assert {(states.SENDING, "not taken"), (states.AMBIGUOUS, "absent")} == back


def test_an_accepted_chunk_is_never_planned_again_without_evidence() -> None:
    """From ACCEPTED on, only AMBIGUOUS leads back, and only by what is found among the people."""
    told = {states.ACCEPTED, states.COMPLETE, states.FAILURES_SAVED, states.WARNINGS_SAVED}
    leads_to = {after for (state, _), after in CHUNK_MOVES.table.items() if state in told}
    assert {states.PLANNED, states.SENDING, states.REPLACED}.isdisjoint(leads_to)


def test_where_marketo_has_a_chunk_or_may_have_it() -> None:
    """Each of these has been sent, and none of them has ended."""
    assert {states.SENDING, states.AMBIGUOUS, states.HELD, states.ACCEPTED} == states.AT_MARKETO
    assert states.AT_MARKETO.isdisjoint(CHUNK_MOVES.final)
    assert states.PLANNED not in states.AT_MARKETO


def test_settled_is_every_end_that_tells_of_rows() -> None:
    """A chunk that was cut in two tells of none, and one that was never sent has nothing to tell."""
    assert CHUNK_MOVES.final - {states.REPLACED, states.DROPPED} == states.SETTLED
    assert CHUNK_MOVES.final - {states.REPLACED} == states.ENDED


def test_a_run_is_open_until_it_is_closed() -> None:
    """Its terms may change; a closed one does not move."""
    assert states.OPEN == IMPORT_MOVES.after(states.OPEN, "renew")
    assert states.CLOSED == IMPORT_MOVES.after(states.OPEN, "close")
    with pytest.raises(IllegalMove):
        IMPORT_MOVES.after(states.CLOSED, "close")

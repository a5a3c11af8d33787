"""Tables of moves and the rule of a move."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.errors import IllegalMove, LeaseLost
from syncengine.jobs.job import Job, Moves, moved
from tests.virtual import ORIGIN

MOVES = Moves(
    "planned",
    {
        ("planned", "create"): "created",
        ("created", "again"): "planned",
        ("created", "load"): "loaded",
        ("planned", "skip"): "loaded",
    },
    frozenset({"loaded"}),
)


def test_a_legal_event_leads_on() -> None:
    """The table says where an event leads."""
    assert MOVES.after("planned", "create") == "created"


def test_an_illegal_event_is_named_with_what_is_allowed() -> None:
    """The refusal helps whoever reads it: state, event, and what would have been legal."""
    with pytest.raises(IllegalMove, match="state 'created' does not allow 'create'; it allows again, load"):
        MOVES.after("created", "create")


def test_depth_is_the_shortest_way() -> None:
    """A state is as deep as the fewest moves to it, whatever ways lead back."""
    assert {state: MOVES.depth(state) for state in MOVES.depths} == {"planned": 0, "created": 1, "loaded": 1}


@pytest.mark.parametrize(
    ("table", "final", "problem"),
    [
        ({("a", "x"): "b", ("b", "x"): "a"}, {"b"}, "'b' is an end and leads on"),
        ({("a", "x"): "b", ("c", "x"): "b"}, {"b"}, "'c' cannot be reached from 'a'"),
        ({("a", "x"): "b"}, {"b", "c"}, "'c' cannot be reached from 'a'"),
        ({("a", "x"): "b", ("a", "y"): "c"}, {"b"}, "'c' cannot reach an end"),
        ({("a", "x"): "b", ("a", "y"): "c", ("c", "x"): "c"}, {"b"}, "'c' cannot reach an end"),
    ],
)
def test_a_wrong_table_is_refused(table: dict[tuple[str, str], str], final: set[str], problem: str) -> None:
    """A table in which a job could get lost cannot be made."""
    with pytest.raises(ValueError, match=problem):
        Moves("a", table, frozenset(final))


STATES = st.sampled_from("abcdef")


@given(st.dictionaries(st.tuples(STATES, st.sampled_from("xyz")), STATES, max_size=12), st.frozensets(STATES))
def test_a_table_that_is_accepted_lets_every_job_end(table: dict[tuple[str, str], str], final: frozenset[str]) -> None:
    """From whatever state an accepted table leads to, some way goes on to an end, and ends are for ever."""
    try:
        moves = Moves("a", table, final)
    except ValueError:
        return
    for state in moves.depths:
        reached, edge = {state}, [state]
        while edge:
            edge = [there for (here, _), there in table.items() if here == edge[-1] and there not in reached] + edge[
                :-1
            ]
            reached.update(edge)
        assert reached & final
    assert not any(state in final for state, _ in table)


def test_the_epoch_is_looked_at_first() -> None:
    """A job that was taken over is lost to its earlier holder, even where the states still agree."""
    stored = Job(id="w", instance="i", kind="k", state="planned", epoch=2)
    seen = Job(id="w", instance="i", kind="k", state="planned", epoch=1)
    with pytest.raises(LeaseLost):
        moved(stored, seen, "create", moves=MOVES, at=ORIGIN, attempt=None, facts={})

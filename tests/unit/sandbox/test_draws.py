"""Tests of repeatable randomness."""

from hypothesis import given
from hypothesis import strategies as st

from syncengine.sandbox.draws import KEY_BITS, numbers, picks, row_key, row_keys, share


@given(st.integers(0, 2**63), st.lists(st.integers(0, 10**9)))
def test_a_row_has_one_key_whatever_is_asked_beside_it(seed: int, indices: list[int]) -> None:
    """The key of a row depends on seed and index alone and stays below its bound."""
    keys = row_keys(seed, indices)
    assert keys == [row_key(seed, index) for index in indices]
    assert all(0 <= key < 2**KEY_BITS for key in keys)


@given(st.integers(0, 2**KEY_BITS - 1), st.integers(1, 10**6))
def test_draws_stay_in_their_bounds(key: int, below: int) -> None:
    """A number lies below its bound, a pick in its pool, a share below one."""
    assert 0 <= numbers("column", [key], below)[0] < below
    assert picks("column", [key], ["a", "b", "c"])[0] in {"a", "b", "c"}
    assert 0 <= share("column", key) < 1


def test_columns_and_seeds_draw_apart() -> None:
    """Two columns, and two seeds, do not repeat each other."""
    keys = row_keys(1, range(1000))
    assert numbers("a", keys, 1000) != numbers("b", keys, 1000)
    assert keys != row_keys(2, range(1000))


def test_draws_are_spread_evenly() -> None:
    """Each of ten outcomes gets about a tenth of ten thousand rows."""
    drawn = numbers("column", row_keys(7, range(10_000)), 10)
    assert all(800 < drawn.count(outcome) < 1200 for outcome in range(10))

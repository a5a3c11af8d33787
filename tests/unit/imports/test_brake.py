"""When a run stops by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.imports.brake import FAILURES_MAX, Brake


@pytest.mark.parametrize(
    ("share", "chunks", "reason"),
    [
        (0.2, [(100, 20)], ""),
        (0.2, [(100, 21)], "21 of 100 rows failed, more than the 20% of --max-failures"),
        (0.2, [(100, 0), (100, 40)], ""),
        (0.2, [(100, 0), (100, 41)], "41 of 200 rows failed, more than the 20% of --max-failures"),
        (0.9, [(3, 3)], "all 3 rows of the first chunk failed"),
        (0.9, [(7, 0), (3, 3)], ""),
        (0.0, [(100, 0), (1_000, 1)], "1 of 1,100 rows failed, more than the 0% of --max-failures"),
        (0.0, [(100, 0)], ""),
        (1.0, [(3, 3), (5, 5)], ""),
        (0.2, [(1_000, 1_000), (1_000_000, 0)], "all 1,000 rows of the first chunk failed"),
        (0.2, [(10, 3), (10, 10)], "3 of 10 rows failed, more than the 20% of --max-failures"),
    ],
)
def test_a_run_stops_when_too_many_rows_fail(share: float, chunks: list[tuple[int, int]], reason: str) -> None:
    """Of all that have ended, or of the first chunk all; the first reason stands, and 100 % never stops."""
    brake = Brake(share)
    for rows, failed in chunks:
        brake.count(rows, failed)
    assert reason == brake.reason


def test_one_row_in_five_may_fail() -> None:
    """Unless something else is asked for."""
    assert (0.2, FAILURES_MAX) == (FAILURES_MAX, Brake().share)


def test_a_resumed_run_goes_on_counting() -> None:
    """What ended before counts: a first chunk after it is no first one."""
    brake = Brake(0.5)
    brake.count(100, 0)  # by an earlier process
    brake.count(10, 10)
    assert ("", 110, 10) == (brake.reason, brake.rows, brake.failed)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=20), st.floats(0, 1))
def test_no_more_than_the_share_fails_unnoticed(chunks: list[tuple[int, int]], share: float) -> None:
    """Whatever the sizes: without a reason the share was kept."""
    brake = Brake(share)
    for rows, failed in chunks:
        brake.count(rows, min(rows, failed))
    assert brake.reason or share >= 1.0 or brake.failed <= share * brake.rows

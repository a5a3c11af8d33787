"""How a stretch of time is cut into windows, and a window into pieces: whatever the length, nothing is left out."""

from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syncengine.exports.slice import WINDOW_BYTES, Reach, Stretch, cut, due, joined, pieces, window_length
from tests.unit.exports.test_slice import (
    BASE,
    COLLECTIONS,
    DAY,
    MONTH,
    NOTHING,
    NOWS,
    REACHES,
    SECOND,
    STRETCHES,
    days,
)

HOUR = timedelta(hours=1)


@given(stretch=STRETCHES, longest=st.integers(3_600, 31 * 86_400).map(lambda seconds: timedelta(seconds=seconds)))
def test_cutting_loses_and_repeats_nothing(stretch: Stretch, longest: timedelta) -> None:
    """The pieces touch, make up the stretch, and only the last one is shorter than allowed."""
    windows = cut(stretch, longest)

    assert (stretch.start, *(each.end for each in windows)) == (*(each.start for each in windows), stretch.end)
    assert {longest} == {longest, *(each.end - each.start for each in windows[:-1])}
    assert NOTHING < windows[-1].end - windows[-1].start <= longest


def test_an_empty_stretch_is_cut_into_nothing() -> None:
    """No time gives no window."""
    assert () == cut(days(3, 3))


@given(stretch=STRETCHES, count=st.integers(0, 50))
@example(stretch=Stretch(BASE, BASE + 2 * HOUR), count=2)
@example(stretch=Stretch(BASE, BASE + 2 * HOUR - SECOND), count=2)
@example(stretch=Stretch(BASE, BASE + 10 * HOUR + SECOND), count=7)
def test_pieces_lose_and_repeat_nothing(stretch: Stretch, count: int) -> None:
    """They touch, make up the stretch, lie on whole seconds, and are as long as each other to the second."""
    found = pieces(stretch, count)
    lengths = [each.end - each.start for each in found]

    assert (stretch.start, *(each.end for each in found)) == (*(each.start for each in found), stretch.end)
    assert {0} == {moment.microsecond for each in found for moment in (each.start, each.end)}
    assert max(lengths) - min(lengths) <= SECOND


@given(stretch=STRETCHES, count=st.integers(0, 50))
@example(stretch=Stretch(BASE, BASE + 2 * HOUR), count=2)
@example(stretch=Stretch(BASE, BASE + 3 * HOUR - SECOND), count=3)
def test_no_piece_is_shorter_than_an_hour(stretch: Stretch, count: int) -> None:
    """As many pieces as were asked for, or as whole hours allow; what is shorter than two of them stays whole."""
    found = pieces(stretch, count)
    hours = int((stretch.end - stretch.start) / HOUR)

    assert max(1, min(count, hours)) == len(found)
    assert (stretch,) == found or min(each.end - each.start for each in found) >= HOUR


@given(stretch=STRETCHES)
def test_halving_comes_to_an_end(stretch: Stretch) -> None:
    """Halves of halves are between one and two hours long at last, and cannot be halved any more."""
    smallest, rounds = [stretch], 0
    while (smaller := [piece for each in smallest for piece in pieces(each, 2)]) != smallest:
        smallest, rounds = smaller, rounds + 1

    assert rounds <= 10
    assert all(each.end - each.start < 2 * HOUR for each in smallest)
    assert (stretch,) == joined(smallest)


@pytest.mark.parametrize(
    ("bytes_per_second", "longest"),
    [
        (None, MONTH),
        (0.0, MONTH),
        (1e-9, MONTH),
        (WINDOW_BYTES / (10 * 86_400), 10 * DAY),
        (WINDOW_BYTES / 5_000.7, timedelta(seconds=5_000)),
        (WINDOW_BYTES / 3_600, HOUR),
        (1e12, HOUR),
    ],
)
def test_a_window_takes_in_a_file_of_a_good_size(bytes_per_second: float | None, longest: timedelta) -> None:
    """A hundred megabytes of what the stream had by then, in whole seconds, within an hour and 31 days."""
    assert longest == window_length(bytes_per_second)


@given(committed=COLLECTIONS, reach=REACHES, now=NOWS, longest=st.integers(3_600, 31 * 86_400))
def test_a_shorter_window_asks_for_the_same_time(
    committed: list[Stretch], reach: Reach, now: datetime, longest: int
) -> None:
    """How finely a run is cut changes nothing of what it asks for."""
    length = timedelta(seconds=longest)
    fine = due(committed, (), reach, now, longest=length)

    assert joined(due(committed, (), reach, now)) == joined(fine)
    assert all(each.end - each.start <= length for each in fine)

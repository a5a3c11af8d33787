"""Which rows travel together."""

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.imports.chunk import Filling, Room

ROOM = 100


def fewest(sizes: tuple[int, ...], room: Room) -> int:
    """The fewest chunks that rows can make in their order, by trying every cut."""

    @cache
    def from_(start: int) -> int:
        if start == len(sizes):
            return 0
        ends = range(start + 1, len(sizes) + 1)
        fitting = [end for end in ends if sum(sizes[start:end]) <= room.bytes and end - start <= (room.rows or end)]
        return 1 + min(from_(end) for end in fitting)

    return from_(0)


@given(
    st.lists(st.integers(0, ROOM), max_size=12),
    st.none() | st.integers(1, 5),
)
def test_chunks_hold_rows_in_order_and_are_as_few_as_can_be(sizes: list[int], rows: int | None) -> None:
    """No row is lost or divided, no chunk holds more than it may, and no other cuts would make fewer."""
    room = Room(ROOM, rows)
    numbers = Filling(room).take(sizes)
    assert len(sizes) == len(numbers)
    assert numbers == sorted(numbers)
    assert list(range(fewest(tuple(sizes), room))) == sorted(set(numbers))
    for chunk in set(numbers):
        held = [size for size, number in zip(sizes, numbers, strict=True) if number == chunk]
        assert sum(held) <= ROOM
        assert len(held) <= (rows or len(held))


@given(st.lists(st.integers(0, ROOM), max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_it_makes_no_difference_in_what_pieces_sizes_come(sizes: list[int], cuts: list[int]) -> None:
    """Whoever asks, and however the rows were read, gets the same chunks."""
    filling = Filling(Room(ROOM, 7))
    edges = [0, *sorted(cuts), len(sizes)]
    pieces = [sizes[start:end] for start, end in pairwise(edges) if start <= end]
    assert Filling(Room(ROOM, 7)).take(sizes) == [number for piece in pieces for number in filling.take(piece)]


@given(st.lists(st.integers(1, 100), min_size=1, max_size=400))
def test_each_chunk_but_the_last_is_full_to_within_one_row(sizes: list[int]) -> None:
    """Rows of at most a hundredth of a chunk fill it to 99 %, which is the fewest chunks there can be."""
    room = 10_000
    numbers = Filling(Room(room)).take(sizes)
    held = [sum(s for s, n in zip(sizes, numbers, strict=True) if n == chunk) for chunk in range(numbers[-1] + 1)]
    assert all(room - max(sizes) < each <= room for each in held[:-1])
    assert -(-sum(sizes) // room) <= len(held) <= 1 + sum(sizes) // (room - max(sizes) + 1)


@given(st.integers(1, ROOM), st.integers(1, 500))
def test_equal_rows_make_the_number_of_chunks_that_division_gives(size: int, count: int) -> None:
    """As many rows a chunk as fit, and the rest in the last one."""
    numbers = Filling(Room(ROOM)).take([size] * count)
    assert -(-count // (ROOM // size)) == numbers[-1] + 1


def test_a_row_that_no_chunk_can_hold_is_refused() -> None:
    """Such rows are set aside before: one that comes here would be lost or make a chunk that Marketo refuses."""
    filling = Filling(Room(ROOM))
    assert [0] == filling.take([ROOM])
    with pytest.raises(ValueError, match="a row of 101 bytes fits into no chunk of 100"):
        filling.take([ROOM + 1])

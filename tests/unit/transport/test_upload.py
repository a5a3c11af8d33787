"""A body on its way out: its bytes, its announced length, and what is known when it breaks off."""

from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.transport.upload import PIECE_BYTES, Outgoing, WrongSize

MIB = 1024 * 1024


@dataclass
class Source:
    """An upload whose bytes come as they are listed; an exception among them is raised. It knows what is open."""

    parts: Sequence[bytes | Exception]
    announced: int | None = None
    content_type: str = "text/csv"
    opened: int = 0
    closed: int = 0
    read: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        return (
            sum(len(each) for each in self.parts if isinstance(each, bytes))
            if self.announced is None
            else self.announced
        )

    def pieces(self) -> Iterator[bytes]:
        self.opened += 1
        try:
            for part in self.parts:
                if isinstance(part, Exception):
                    raise part
                self.read.append(len(part))
                yield part
        finally:
            self.closed += 1


async def all_of(outgoing: Outgoing) -> list[bytes]:
    """What is given out before the end, or before the failure that is told."""
    pieces: list[bytes] = []
    try:
        async for piece in outgoing.pieces():
            pieces.append(piece)  # noqa: PERF401  # what came before a failure is kept
    except (OSError, RuntimeError, WrongSize) as error:
        told: Exception | None = error
    else:
        told = None
    assert told is outgoing.failure
    return pieces


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, PIECE_BYTES + 3), max_size=8))
async def test_a_body_goes_out_as_its_source_has_it(sizes: list[int]) -> None:
    """Whatever steps the source takes, the bytes are its own, in pieces that are worth a write, and it is closed."""
    source = Source([bytes([number]) * size for number, size in enumerate(sizes)])
    outgoing = Outgoing(source)
    pieces = await all_of(outgoing)

    assert b"".join(part for part in source.parts if isinstance(part, bytes)) == b"".join(pieces)
    assert all(len(piece) >= PIECE_BYTES for piece in pieces[:-1])
    assert (True, None, 1, 1) == (outgoing.is_whole, outgoing.failure, source.opened, source.closed)


@pytest.mark.parametrize("announced", [0, 1, PIECE_BYTES, MIB - 1, MIB + 1, 2 * MIB])
async def test_a_body_of_another_length_never_goes_out_whole(announced: int) -> None:
    """Shorter or longer than it said: less is given out than was announced, so that nobody can take it for whole."""
    source = Source([bytes(65_536)] * 16, announced=announced)
    outgoing = Outgoing(source)
    pieces = await all_of(outgoing)

    assert (False, WrongSize) == (outgoing.is_whole, type(outgoing.failure))
    assert sum(map(len, pieces)) < max(announced, 1)
    assert 1 == source.closed


@pytest.mark.parametrize("error", [OSError(5, "disk"), RuntimeError("changed")])
@pytest.mark.parametrize("after", [0, 1, 8])
async def test_a_source_that_fails_keeps_back_what_it_gave_last(after: int, error: Exception) -> None:
    """Its own error is raised and kept, and the body is not whole even when no byte was missing yet."""
    outgoing = Outgoing(Source([*[bytes(PIECE_BYTES)] * after, error]))
    pieces = await all_of(outgoing)

    assert (error, False, after > 1) == (outgoing.failure, outgoing.is_whole, outgoing.is_begun)
    assert max(0, after - 1) == len(pieces)


async def test_the_last_bytes_are_known_to_leave() -> None:
    """Before the first piece nothing has begun; only with the last in hand can the server have the whole."""
    outgoing = Outgoing(Source([bytes(PIECE_BYTES)] * 3))
    seen = [(outgoing.is_begun, outgoing.is_whole)]
    seen += [(outgoing.is_begun, outgoing.is_whole) async for _ in outgoing.pieces()]

    assert [(False, False), (True, False), (True, False), (True, True)] == seen


async def test_a_body_that_is_left_closes_its_source() -> None:
    """Whoever stops in the middle leaves no file open."""
    source = Source([bytes(PIECE_BYTES)] * 3)
    async with aclosing(Outgoing(source).pieces()) as pieces:
        await anext(pieces)

    assert (1, 1) == (source.opened, source.closed)


def test_a_printed_body_shows_its_size_alone() -> None:
    """Fit for a log."""
    assert "Outgoing(size=6)" == repr(Outgoing(Source([b"canary"])))

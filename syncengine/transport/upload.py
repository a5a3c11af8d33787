"""How a large body leaves: read in threads, checked against its announced length, and its last bytes held back.

The last piece is given out only once the source has ended where it said it would. So a body that turns out shorter or
longer than announced never goes out whole, and the server cannot take it for the file. And whether the server can have
seen the whole request has an exact answer: not before the last piece was given out.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from functools import partial
from typing import TypeVar

import anyio

from syncengine.marketo.call import Upload
from syncengine.threads import run_blocking

T = TypeVar("T")

PIECE_BYTES = 256 * 1024


class WrongSize(Exception):
    """A body has another length than it said."""


class Outgoing:
    """One sending of an Upload."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self.size = upload.size
        self.content_type = upload.content_type
        self.is_begun = False  # bytes of it may have left
        self.is_whole = False  # its last byte may have left
        self.failure: Exception | None = None  # why its source gave no more
        self._closed = anyio.Event()
        self._closed.set()

    def __repr__(self) -> str:
        return f"Outgoing(size={self.size})"

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The bytes in pieces of about PIECE_BYTES. Raises what the source raises, or WrongSize; close it when left."""
        source: Iterator[bytes] | None = None
        held, taken = b"", 0
        self._closed = anyio.Event()
        try:
            source = await self._from_source(self._upload.pieces)
            while piece := await self._from_source(partial(gathered, source)):
                taken += len(piece)
                if taken > self.size:
                    break
                if held:
                    self.is_begun = True
                    yield held
                held = piece
            if taken != self.size:
                self.failure = WrongSize(f"the body has {taken} bytes or more where {self.size} were announced")
                raise self.failure
            self.is_begun = self.is_whole = True
            yield held
        finally:
            try:
                if isinstance(source, Generator):
                    await run_blocking(source.close)
            finally:
                self._closed.set()

    async def closed(self) -> None:
        """Wait until nothing reads the source any more."""
        with anyio.CancelScope(shield=True):
            await self._closed.wait()

    async def _from_source(self, read: Callable[[], T]) -> T:
        try:
            return await run_blocking(read)
        except Exception as error:
            self.failure = error
            raise


def gathered(source: Iterator[bytes]) -> bytes:
    """The next bytes of a source, small pieces joined; empty at its end."""
    pieces, size = [], 0
    while size < PIECE_BYTES and (piece := next(source, None)) is not None:
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)

"""Which rows travel together: a pure function of their sizes and of what one call may hold.

Rows are taken in their order, each chunk is filled until the next row no longer fits, and no row is divided. So the
same rows make the same chunks, whoever asks, how often, and in whatever pieces the sizes come. For rows that are small
beside a chunk that is also the fewest chunks that there can be, each of them full to within one row.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """What one chunk may hold: `bytes` for the rows alone, and `rows` where a call takes only so many."""

    bytes: int
    rows: int | None = None


class Filling:
    """Chunks that are being filled, in order."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._chunk = self._bytes = self._rows = 0

    def take(self, sizes: Iterable[int]) -> list[int]:
        """The number of the chunk, from 0, that each of the next rows goes into; `sizes` are bytes.

        Raises ValueError for a row that no chunk can hold: such rows are set aside before.
        """
        numbers = []
        for size in sizes:
            if size > self._room.bytes:
                raise ValueError(f"a row of {size} bytes fits into no chunk of {self._room.bytes}")
            if self._bytes + size > self._room.bytes or self._rows == self._room.rows:
                self._chunk, self._bytes, self._rows = self._chunk + 1, 0, 0
            self._bytes += size
            self._rows += 1
            numbers.append(self._chunk)
        return numbers

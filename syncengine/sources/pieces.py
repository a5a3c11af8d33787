"""A piece of rows while it grows: their text, and where each has its record.

Apart from the source that fills it: where all columns are taken as they stand, rows point into the source and only a
record that is not strict is written to the spool; otherwise the whole piece is written anew.
"""

import itertools
from array import array
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from syncengine.sources import PIECE_BYTES, PIECE_ROWS, THE_SOURCE, THE_SPOOL, Rows, Unreadable
from syncengine.sources.feed import Feed, line_ends
from syncengine.sources.records import Record
from syncengine.sources.spool import Spool
from syncengine.sources.text import cells_of, data_of, record_of, records_of


class Piece:
    """Rows of a delimited text. `direct`: a row's record may be the source's own bytes."""

    def __init__(self, spool: Spool, delimiter: str, *, direct: bool) -> None:
        self._spool = spool
        self._delimiter = delimiter
        self._direct = direct
        self._texts: list[bytes | memoryview] = []
        self._bytes = 0
        self._lines = array("q")
        self._bodies = array("b")
        self._offsets = array("q")
        self._lengths = array("q")
        self._unreadable: list[Unreadable] = []

    def __bool__(self) -> bool:
        return bool(self._lines or self._unreadable)

    def another(self) -> "Piece":
        """An empty one for what follows."""
        return Piece(self._spool, self._delimiter, direct=self._direct)

    @property
    def room(self) -> int:
        """How many rows it may still take."""
        if self._bytes >= PIECE_BYTES:
            return 0
        return max(0, PIECE_ROWS - len(self._lines) - len(self._unreadable))

    def add_run(self, feed: Feed, ends: "array[int]") -> None:
        """Take clean records that follow each other from the feed; `ends` are places in its data."""
        data, start, end = feed.data, feed.at, ends[-1]
        starts = array("q", [start])
        starts.extend(ends[:-1])
        self._number(feed, starts, end)
        bare = data.find(b"\r", start, end) >= 0 and any(data[place - 1] == 13 for place in ends)
        if self._direct and bare:
            for first, last in zip(starts, ends, strict=True):
                self._point(data[first:last], feed.offset_of(first))
        else:
            self._text(memoryview(data)[start:end])
            if self._direct:
                self._bodies.frombytes(bytes(len(ends)))
                self._offsets.extend(map(feed.offset_of, starts))
                self._lengths.extend(map(int.__sub__, ends, starts))
        feed.take(end)

    def add(self, record: Record) -> None:
        """Take one record that is no blank line."""
        if record.problem:
            self._unreadable.append(Unreadable(record.line, record.problem, THE_SOURCE, record.offset, record.length))
            return
        text = record_of(record.fields, self._delimiter)
        self._lines.append(record.line)
        self._text(text)
        if self._direct:
            self._place(text, record.offset if record.strict else None, record.length)

    def rows(self, fields: int, taken: Sequence[int]) -> Rows:
        """The piece, finished; what has to be written to the spool is."""
        text = self._texts[0] if len(self._texts) == 1 else b"".join(self._texts)
        cells = cells_of(text, self._delimiter, fields, taken)
        lines, unreadable = numbers(self._lines, pa.int64()), tuple(self._unreadable)
        if not self._direct:
            bodies, offsets, lengths = spooled(cells, self._spool)
            return Rows(cells, lines, bodies, offsets, lengths, unreadable)
        bodies = numbers(self._bodies, pa.int8())
        return Rows(
            cells, lines, bodies, numbers(self._offsets, pa.int64()), numbers(self._lengths, pa.int64()), unreadable
        )

    def _number(self, feed: Feed, starts: "array[int]", end: int) -> None:
        line = feed.line
        if line_ends(feed.data, starts[0], end) == len(starts):
            self._lines.extend(range(line, line + len(starts)))
            return
        self._lines.append(line)
        for first, last in itertools.pairwise(starts):
            line += line_ends(feed.data, first, last)
            self._lines.append(line)

    def _point(self, text: bytes, offset: int) -> None:
        if text.endswith(b"\r"):
            text = text[:-1] + b"\n"
            self._place(text, None, 0)
        else:
            self._place(text, offset, len(text))
        self._text(text)

    def _place(self, text: bytes, offset: int | None, length: int) -> None:
        self._bodies.append(THE_SPOOL if offset is None else THE_SOURCE)
        self._offsets.append(self._spool.write(text) if offset is None else offset)
        self._lengths.append(len(text) if offset is None else length)

    def _text(self, text: bytes | memoryview) -> None:
        self._texts.append(text)
        self._bytes += len(text)


def spooled(cells: Sequence[pa.StringArray], spool: Spool) -> tuple[pa.Int8Array, pa.Int64Array, pa.Int64Array]:
    """Write rows to the spool as CSV; bodies, offsets and lengths of their records."""
    count = len(cells[0])
    records = records_of(cells)
    first = spool.write(data_of(records))
    compute: Any = pc
    lengths = compute.cast(compute.binary_length(records), pa.int64())
    ends = compute.add(compute.cumulative_sum(lengths), first)
    bodies = numbers(bytes([THE_SPOOL]) * count, pa.int8())
    return bodies, compute.subtract(ends, lengths), lengths


def numbers(values: "array[int] | bytes", kind: Any) -> Any:
    """An array of `kind` over the memory of `values`."""
    memory = pa.py_buffer(values)
    return pa.Array.from_buffers(kind, memory.size * 8 // kind.bit_width, [None, memory])

"""Reads a source whole, and holds what it says against the bytes of its bodies."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncengine.sources import THE_SOURCE, Source, Unreadable
from syncengine.sources.delimited import Delimited
from syncengine.sources.spool import Spool

Opens = Callable[..., Source]
Delimits = Callable[..., Delimited]
# A cell of the csv module may be longer than its default of 131,072 characters.
csv.field_size_limit(100_000_000)


@dataclass(frozen=True, slots=True)
class Whole:
    """All that a source gave."""

    rows: list[tuple[str | None, ...]]
    lines: list[int]
    places: list[tuple[int, int, int]]  # body, offset, length
    unreadable: list[Unreadable]
    bodies: tuple[bytes, bytes]

    @property
    def records(self) -> list[bytes]:
        """The bytes of each row's record."""
        return [self.bodies[body][offset : offset + length] for body, offset, length in self.places]

    def bytes_of(self, each: Unreadable) -> bytes:
        """What stands there."""
        return self.bodies[each.body][each.offset : each.offset + each.length]

    @property
    def problems(self) -> list[tuple[int, str]]:
        """Line and reason of each record that is no row."""
        return [(each.line, each.reason) for each in self.unreadable]


def read(source: Source, work: Path, taken: Sequence[int] | None = None) -> Whole:
    """All rows of the columns `taken`, None for all of them."""
    taken = range(len(source.columns)) if taken is None else taken
    whole = Whole([], [], [], [], (b"", b""))
    with Spool(work / "spool.csv") as spool:
        for rows in source.rows(list(taken), spool):
            for column in rows.cells:
                column.validate(full=True)
            whole.rows.extend(zip(*(column.to_pylist() for column in rows.cells), strict=True))
            numbers: list[Any] = [
                column.to_pylist() for column in (rows.lines, rows.bodies, rows.offsets, rows.lengths)
            ]
            whole.lines.extend(numbers[0])
            whole.places.extend(zip(*numbers[1:], strict=True))
            whole.unreadable.extend(rows.unreadable)
        spool.sync()
    itself = source.path.read_bytes() if source.path else b""
    assert len(whole.rows) == len(whole.lines) == len(whole.places)
    return Whole(whole.rows, whole.lines, whole.places, whole.unreadable, (itself, (work / "spool.csv").read_bytes()))


def parsed(text: bytes, delimiter: str = ",") -> list[tuple[str, ...]]:
    """What the csv module reads, blank lines aside."""
    rows = csv.reader(io.StringIO(text.decode(), newline=""), delimiter=delimiter)
    return [tuple(row) for row in rows if row]


def assert_records_hold_rows(whole: Whole) -> None:
    """Each row's record is one strict record of CSV with the row's cells, ending in LF or CRLF."""
    for row, record in zip(whole.rows, whole.records, strict=True):
        assert record.endswith(b"\n")
        reader = csv.reader(io.StringIO(record.decode(), newline=""), strict=True)
        assert [[cell or "" for cell in row]] == list(reader)


def assert_every_byte_has_a_place(whole: Whole, header: bytes, blanks: int) -> None:
    """The source's bytes are the header, rows, unreadable records and blank lines, and nothing is in two of them.

    Holds for sources of which no row was written to the spool.
    """
    spans = sorted(
        [(offset, length) for body, offset, length in whole.places if body == THE_SOURCE]
        + [(each.offset, each.length) for each in whole.unreadable]
    )
    itself = whole.bodies[THE_SOURCE]
    assert itself.startswith(header)
    at, gaps = len(header), []
    for offset, length in [*spans, (len(itself), 0)]:
        assert offset >= at
        gaps.append(itself[at:offset])
        at = offset + length
    assert b"" == b"".join(gaps).strip(b" \t\r\n")
    ends = sum(gap.count(b"\n") + gap.replace(b"\r\n", b"").count(b"\r") for gap in gaps)
    assert blanks == ends + (gaps[-1][-1:] in {b" ", b"\t"})

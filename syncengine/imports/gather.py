"""Reads every source once: its rows are checked, numbered, and written down with the place of their bytes.

What comes of it is one file of all rows in their order, and the keys of the good ones dealt out on disk. Memory holds
one piece of one source at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from syncengine.imports.checks import Checks
from syncengine.imports.header import Column
from syncengine.imports.keys import Keys
from syncengine.imports.manifest import SCANNED, Writing, values
from syncengine.sources import THE_SPOOL, Rows, Source, Unreadable
from syncengine.sources.spool import Spool

compute: Any = pc  # takes more forms than its stubs know

# The spool is the first of a run's bodies, then come the sources in their order.
SPOOLED = 0


@dataclass(slots=True)
class Gathering:
    """Rows as they come: how many there are, and how many of them are set aside."""

    checks: Checks
    writing: Writing
    keys: Keys
    row_bytes_max: int
    names: Sequence[str]
    rows: int = 0
    good: int = 0
    largest: int = 0  # bytes of the largest good row

    def source(self, number: int, source: Source, columns: Sequence[Column], spool: Spool) -> Iterator[int]:
        """Take one source's rows; gives how many rows there are so far, after each piece."""
        for piece in source.rows([column.place for column in columns], spool):
            self._take(number, piece)
            yield self.rows

    def _take(self, number: int, piece: Rows) -> None:
        read = self._read(number, piece)
        refused = self._unreadable(number, piece.unreadable)
        batch = read if not refused.num_rows else _by_line(read, refused)
        first = self.rows + 1
        self.rows += batch.num_rows
        numbers = pa.array(range(first, first + batch.num_rows), pa.int64())
        batch = batch.set_column(0, "row", numbers).cast(SCANNED)
        self.writing.add(batch)
        good = batch.filter(compute.is_null(batch.column("problem")))
        self.good += good.num_rows
        self.largest = max(self.largest, compute.max(good.column("length")).as_py() or 0)
        self.keys.add(values(good, "row"), values(good, "key"))

    def _read(self, number: int, piece: Rows) -> pa.RecordBatch:
        rows = len(piece.lines)
        checked = self.checks.piece(piece.cells, partial(self._place, number, piece.lines))
        is_large = compute.and_(compute.greater(piece.lengths, self.row_bytes_max), compute.is_null(checked.problems))
        what = f"is larger than the {self.row_bytes_max:,} bytes that one call takes"
        large = compute.indices_nonzero(is_large).to_pylist()
        places = (self._place(number, piece.lines, row) for row in large)
        self.checks.findings.set_aside(what, "the row", len(large), places)
        problems = compute.if_else(is_large, pa.scalar(f"the row {what}"), checked.problems)
        bodies = compute.if_else(compute.equal(piece.bodies, THE_SPOOL), SPOOLED, number + 1)
        return pa.record_batch(
            [
                pa.nulls(rows, pa.int64()),
                pa.array([number] * rows, pa.int16()),
                piece.lines,
                bodies.cast(pa.int16()),
                piece.offsets,
                piece.lengths,
                checked.keys,
                problems,
            ],
            schema=SCANNED,
        )

    def _unreadable(self, number: int, refused: Sequence[Unreadable]) -> pa.RecordBatch:
        for each in refused:
            place = f"{self.names[number]} line {each.line:,}"
            self.checks.findings.set_aside(each.reason, "the row", 1, [place])
        return pa.record_batch(
            {
                "row": pa.nulls(len(refused), pa.int64()),
                "source": pa.array([number] * len(refused), pa.int16()),
                "line": pa.array([each.line for each in refused], pa.int64()),
                "body": pa.array([SPOOLED if each.body == THE_SPOOL else number + 1 for each in refused], pa.int16()),
                "offset": pa.array([each.offset for each in refused], pa.int64()),
                "length": pa.array([each.length for each in refused], pa.int64()),
                "key": pa.nulls(len(refused), pa.string()),
                "problem": pa.array([each.reason for each in refused], pa.string()),
            }
        )

    def _place(self, number: int, lines: pa.Int64Array, row: int) -> str:
        return f"{self.names[number]} line {lines[row].as_py():,}"


def _by_line(read: pa.RecordBatch, refused: pa.RecordBatch) -> pa.RecordBatch:
    """Good and unreadable rows of a piece in the order of the source."""
    both = pa.Table.from_batches([read, refused.cast(SCANNED)])
    return both.sort_by("line").combine_chunks().to_batches()[0]


def rows_file(work: Path) -> Path:
    """Where all rows of a run are written down."""
    return work / "rows.arrow"

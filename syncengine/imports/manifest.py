"""The rows of an import on disk: where each one stands in its source and where its bytes lie. One file a chunk.

A manifest is written once, whole and synced, before the journal knows of its chunk, and never changed: what a chunk
holds is the same for whoever takes the run up again. Rows are read back piece by piece, so that a chunk of a million
small rows costs no more memory than one of a hundred.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from syncengine.sources.spool import out_of_space

compute: Any = pc  # takes more forms than its stubs know

PIECE_ROWS = 16_384

# `row` counts the rows of a run from 1; `line` is the source's own line, or row number where it has no lines; `body` is
# the file, of those that the run names, in which `offset` and `length` (bytes, line end included) find the record.
PLACED = pa.schema(
    [
        ("row", pa.int64()),
        ("source", pa.int16()),
        ("line", pa.int64()),
        ("body", pa.int16()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
    ]
)
# What is sent, with what tells its rows apart.
SENT = PLACED.append(pa.field("key", pa.string()))
# What is found when a source is read: null is a good row.
SCANNED = SENT.append(pa.field("problem", pa.string()))
# What is not sent, and why; of a superseded row `reason` names the row that takes its place.
ASIDE = PLACED.append(pa.field("outcome", pa.string())).append(pa.field("reason", pa.string()))
# What became of rows of a chunk that were not simply imported.
SETTLED = ASIDE


@dataclass(frozen=True, slots=True)
class Place:
    """One row: where the user finds it, and where its bytes are."""

    row: int
    source: int
    line: int
    body: int
    offset: int
    length: int


class Writing:
    """A file of rows under way: it has its name only when it is whole and on the disk."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._part = path.with_name(f"{path.name}.part")
        self._file = self._part.open("wb")
        self._writer = pa.ipc.new_stream(self._file, schema)
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def add(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        if batch.num_rows:
            with out_of_space(self.path):
                self._writer.write_batch(batch)
            self.rows += batch.num_rows

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with out_of_space(self.path):
                try:
                    self._writer.close()
                    if kind is None:
                        self._file.flush()
                        os.fsync(self._file.fileno())
                finally:
                    self._file.close()
        except BaseException:
            self._part.unlink(missing_ok=True)
            raise
        if kind is not None:
            self._part.unlink(missing_ok=True)
            return
        self._part.replace(self.path)
        sync_folder(self.path.parent)


def pieces(path: Path) -> Iterator[pa.RecordBatch]:
    """The rows of a file in order, a piece at a time."""
    with path.open("rb") as file, pa.ipc.open_stream(file) as reader:
        for batch in reader:
            for start in range(0, batch.num_rows, PIECE_ROWS):
                yield batch.slice(start, PIECE_ROWS)


def places(path: Path, outcome: str = "") -> Iterator[tuple[Place, Mapping[str, str]]]:
    """The rows of a file one by one, with what else is known of each: its key, its outcome, the reason.

    With `outcome` only those that ended so.
    """
    for piece in pieces(path):
        batch = piece.filter(compute.equal(piece.column("outcome"), outcome)) if outcome else piece
        extra = [name for name in batch.schema.names if name not in PLACED.names]
        columns = [values(batch, name) for name in PLACED.names]
        more = [values(batch, name) for name in extra]
        for number, place in enumerate(zip(*columns, strict=True)):
            yield Place(*place), {name: column[number] for name, column in zip(extra, more, strict=True)}


def values(batch: pa.RecordBatch, name: str) -> list[Any]:
    """A column as Python values."""
    found: list[Any] = batch.column(name).to_pylist()
    return found


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make what a file holds durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A path to write a file at, which then stands at `path` whole and synced, or not at all."""
    part = path.with_name(f"{path.name}.part")
    try:
        with out_of_space(path):
            yield part
            sync_file(part)
        part.replace(path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)

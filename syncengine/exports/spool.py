"""Rows of answers on their way to the destination: one Arrow file in the spool, whole or not there.

Apart from the reading, which may take hours of calls, and from the load, which is one short transaction: in between
the rows lie on disk, so that memory does not grow with them and a crash after the last page repeats no call.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import pyarrow as pa

from syncengine.errors import FileDamaged


def rows_path(folder: Path, job_id: str) -> Path:
    """Where the rows of a reading lie."""
    return folder / f"{job_id}.arrow"


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file: its rows, its bytes and their SHA-256."""

    rows: int
    bytes: int
    sha256: str


class Spool:
    """Writes batches of one schema to a file that appears under its name only when `finish` has made it durable."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._schema = schema
        self._rows = 0

    def __enter__(self) -> "Spool":
        self._file: BinaryIO = self._part.open("wb")
        self._writer = pa.ipc.new_stream(self._file, self._schema)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """One more batch; blocking."""
        self._writer.write_batch(batch)
        self._rows += batch.num_rows

    def finish(self) -> Written:
        """Make the file durable under its name; blocking."""
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        digest = sha256_of(self._part)
        self._part.rename(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return Written(self._rows, self._path.stat().st_size, digest)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file; blocking."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path, sha256: str) -> Iterator[pa.RecordBatch]:
    """The batches of a finished file, in memory of one of them.

    Raises FileDamaged when the file is not what was written.
    """
    if sha256_of(path) != sha256:
        raise FileDamaged(f"{path.name} is not what was written to it")
    with path.open("rb") as file, pa.ipc.open_stream(file) as reader:
        yield from reader

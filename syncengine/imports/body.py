"""The bytes of a chunk: a header line and the rows' records, straight from the files in which they lie.

Nothing is copied: neighbouring records are read as one range. The bytes of a chunk are read twice, once for the hash
that the journal keeps before anything is sent, once on the way; a source that changes in between is noticed before its
last byte leaves, so that what arrives is never another file than the journal says.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Self

import pyarrow as pa

from syncengine.errors import SourceUnusable
from syncengine.imports.manifest import Place, pieces, places, values
from syncengine.marketo.limits import IMPORT_FILE_BYTES_MAX

READ_BYTES = 256 * 1024

# A cell may be as long as a chunk; the module's own limit of 131,072 is for the whole process.
csv.field_size_limit(IMPORT_FILE_BYTES_MAX)


def header_line(names: Sequence[str]) -> bytes:
    """The first line of every chunk."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(names)
    return line.getvalue().encode()


@dataclass(frozen=True, slots=True)
class Rows:
    """The records of a manifest. `bodies` are the files that its rows lie in."""

    manifest: Path
    bodies: Sequence[Path] = field(repr=False)

    def pieces(self) -> Iterator[bytes]:
        """All records in order, as a text of CSV without header, in pieces of any size.

        Raises SourceUnusable when a file has become shorter than the manifest knows it.
        """
        with _Opened(self.bodies) as files:
            for body, offset, length in self._ranges():
                for start in range(offset, offset + length, READ_BYTES):
                    yield files.read(body, start, min(READ_BYTES, offset + length - start))

    def _ranges(self) -> Iterator[tuple[int, int, int]]:
        """Stretches of the bodies: records that lie side by side are one."""
        at: tuple[int, int, int] | None = None
        for batch in pieces(self.manifest):
            columns = [values(batch, name) for name in ("body", "offset", "length")]
            for body, offset, length in zip(*columns, strict=True):
                if at is not None and body == at[0] and offset == at[1] + at[2]:
                    at = (body, at[1], at[2] + length)
                    continue
                if at is not None:
                    yield at
                at = (body, offset, length)
        if at is not None:
            yield at

    def records(self, outcome: str = "") -> Iterator[tuple[Place, Mapping[str, str], bytes]]:
        """Each row with its own bytes, of one outcome if it is named; of what is too long for a row the beginning."""
        with _Opened(self.bodies) as files:
            for place, more in places(self.manifest, outcome):
                length = min(place.length, IMPORT_FILE_BYTES_MAX)
                yield place, more, files.read(place.body, place.offset, length)


class _Opened:
    """The bodies of a run, each opened when it is first read."""

    def __init__(self, bodies: Sequence[Path]) -> None:
        self._bodies = bodies
        self._files: dict[int, BinaryIO] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def read(self, body: int, offset: int, length: int) -> bytes:
        """These bytes, all of them."""
        if body not in self._files:
            try:
                self._files[body] = self._bodies[body].open("rb")
            except FileNotFoundError:
                raise changed(self._bodies[body]) from None
        self._files[body].seek(offset)
        found = self._files[body].read(length)
        if len(found) != length:
            raise changed(self._bodies[body])
        return found


def records_of(batch: pa.RecordBatch, bodies: Sequence[Path]) -> Iterator[bytes]:
    """The bytes of each row of a piece."""
    columns = [values(batch, name) for name in ("body", "offset", "length")]
    with _Opened(bodies) as files:
        for body, offset, length in zip(*columns, strict=True):
            yield files.read(body, offset, length)


def changed(path: Path) -> SourceUnusable:
    """A source is no longer what it was when it was read."""
    return SourceUnusable(
        f"{path} has changed since this import was planned.",
        advice="Put it back as it was and resume the run, or give the run up: `syncengine imports abandon RUN`.",
    )


def cells_of(record: bytes) -> list[str]:
    """The cells of one record; every record that was not set aside is strict CSV."""
    text = record.decode("utf-8", errors="replace")
    return next(csv.reader(io.StringIO(text, newline=""), strict=False), [])

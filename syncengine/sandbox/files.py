"""Export files: how a table is written as CSV, where it is kept, and which bytes a Range header asks for.

Separate from the job state machine, which knows a file only by its size and checksum.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from syncengine.sandbox.fields import DECIMAL_TYPES, OFFSET_FIELD, WHOLE_TYPES
from syncengine.sandbox.messages import ReadableFile
from syncengine.sandbox.values import Value, utc_formatter, with_offset

DELIMITERS = {"CSV": ",", "TSV": "\t", "SSV": ";"}
BATCH_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A finished file with what a status reply says about it."""

    file: ReadableFile
    size: int
    checksum: str


class FileStore(Protocol):
    """Where export files are kept until they expire."""

    def write(self, pieces: Iterable[bytes]) -> StoredFile:
        """Keep a new file."""
        ...


class MemoryFile:
    """A file in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, start: int, end: int) -> bytes:
        return self._content[start:end]


class MemoryFiles:
    """Keeps files in memory, for tests."""

    def write(self, pieces: Iterable[bytes]) -> StoredFile:
        content = b"".join(pieces)
        return StoredFile(MemoryFile(content), len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """A range of the spool."""

    spool: IO[bytes]
    offset: int

    def read(self, start: int, end: int) -> bytes:
        return os.pread(self.spool.fileno(), end - start, self.offset + start)


class SpoolFiles:
    """Keeps all files end to end in one anonymous temporary file, so that nothing is left behind after kill -9."""

    def __init__(self) -> None:
        self._spool: IO[bytes] = tempfile.TemporaryFile(prefix="sandbox-exports-")  # noqa: SIM115  # closed by close()
        self._end = 0

    def write(self, pieces: Iterable[bytes]) -> StoredFile:
        offset = self._end
        digest = hashlib.sha256()
        for piece in pieces:
            self._spool.write(piece)
            digest.update(piece)
            self._end += len(piece)
        self._spool.flush()
        return StoredFile(SpooledFile(self._spool, offset), self._end - offset, f"sha256:{digest.hexdigest()}")

    def close(self) -> None:
        self._spool.close()


class _Texts(dict[Value, str]):
    """Cells of one column, each distinct value encoded once."""

    def __init__(self, encode: Callable[[Value], str]) -> None:
        super().__init__({None: "null"})
        self._encode = encode

    def __missing__(self, value: Value) -> str:
        text = self[value] = self._encode(value)
        return text


def cell_encoder(name: str, data_type: str, delimiter: str = ",") -> Callable[[Value], str]:
    """How a value that is not null is written: text is quoted only where it must be, or would read as null."""
    if data_type == "datetime":
        utc = utc_formatter()
        return lambda value: with_offset(int(value or 0)) if name == OFFSET_FIELD else utc(int(value or 0))
    if data_type == "boolean":
        return lambda value: "true" if value else "false"
    if data_type in WHOLE_TYPES:
        return str
    if data_type in DECIMAL_TYPES:
        return repr
    needs_quotes = re.compile(rf'["\r\n{re.escape(delimiter)}]|\A\Z|\Anull\Z').search

    def encode(value: Value) -> str:
        text = str(value)
        return '"' + text.replace('"', '""') + '"' if needs_quotes(text) else text

    return encode


def table_pieces(
    columns_of: Callable[[Sequence[int]], list[list[Value]]],
    rows: Sequence[int],
    fields: Sequence[tuple[str, str, str]],
    file_format: str = "CSV",
) -> Iterator[bytes]:
    """The file of `rows`: a header, then lines that end with LF; `fields` are (name, type, column header)."""
    delimiter = DELIMITERS[file_format]
    text = cell_encoder("", "string", delimiter)
    yield (delimiter.join(text(header) for _, _, header in fields) + "\n").encode()
    caches = [_Texts(cell_encoder(name, data_type, delimiter)) for name, data_type, _ in fields]
    for start in range(0, len(rows), BATCH_ROWS):
        columns = columns_of(rows[start : start + BATCH_ROWS])
        cells = [map(cache.__getitem__, column) for cache, column in zip(caches, columns, strict=True)]
        lines = [delimiter.join(line) for line in zip(*cells, strict=True)]
        lines.append("")
        yield "\n".join(lines).encode()


class Unsatisfiable(Exception):
    """The range lies outside the file: HTTP 416."""


RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def asked_range(header: str, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of a Range header; None when the whole file is to be sent.

    A header that is malformed, has several ranges or another unit is ignored, as RFC 7233 allows.
    Raises Unsatisfiable when no byte of the file lies in the range.
    """
    match = RANGE.fullmatch(header.strip())
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        if last and int(last) < int(first):
            return None
        start, end = int(first), min(size, int(last) + 1) if last else size
    if start >= end:
        raise Unsatisfiable
    return start, end

"""A small table of people as chunks on disk, for tests of what becomes of their rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from syncengine.imports.body import Rows
from syncengine.imports.checks import key_texts
from syncengine.imports.header import Column, Writable
from syncengine.imports.manifest import SCANNED, SENT, SETTLED, Writing, places

EMAIL = Column("email", "email", 255, 0, is_key=True)
NAME = Column("firstName", "string", 20, 1, is_key=False)
SCORE = Column("leadScore", "integer", None, 2, is_key=False)
COLUMNS = (EMAIL, NAME, SCORE)
FIELDS = tuple(Writable(each.name, each.data_type, each.length, is_writable=True) for each in COLUMNS)


def record(cells: Sequence[str], end: str = "\n") -> bytes:
    """A row as strict CSV."""
    quoted = ['"' + cell.replace('"', '""') + '"' if set(cell) & set('",\r\n') else cell for cell in cells]
    return ((",".join(quoted) or '""') + end).encode()


def chunk(folder: Path, *rows: Sequence[str], columns: Sequence[Column] = COLUMNS, name: str = "000001") -> Rows:
    """A manifest of these rows, whose records lie side by side in a body of their own."""
    return chunk_of(folder, [record(row) for row in rows], keys_of(rows, columns), name=name)


def chunk_of(folder: Path, records: Sequence[bytes], keys: Sequence[str], *, name: str = "000001") -> Rows:
    """The same for records as they are."""
    body = folder / f"{name}.csv"
    body.write_bytes(b"".join(records))
    lengths = [len(each) for each in records]
    offsets = [sum(lengths[:place]) for place in range(len(lengths))]
    spans = zip(offsets, lengths, strict=True)
    rows = [(number, 0, number + 1, 0, *span) for number, span in enumerate(spans, 1)]
    with Writing(folder / f"{name}.arrow", SENT) as writing:
        writing.add(batch(SENT, [(*row, key) for row, key in zip(rows, keys, strict=True)]))
    return Rows(folder / f"{name}.arrow", [body])


def keys_of(rows: Sequence[Sequence[str]], columns: Sequence[Column] = COLUMNS) -> list[str]:
    """What tells these rows apart."""
    cells = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(columns))]
    found: list[Any] = key_texts(columns, cells).to_pylist()
    return found


def batch(schema: pa.Schema, rows: Sequence[Sequence[object]]) -> pa.RecordBatch:
    """Rows of a manifest."""
    columns = zip(*rows, strict=True) if rows else [()] * len(schema.names)
    arrays: list[Any] = [pa.array(list(column), kind.type) for column, kind in zip(columns, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)


def scanned(path: Path, rows: Sequence[tuple[int, str, str | None]], *, piece: int = 1_000_000) -> None:
    """All rows of a run as they are gathered: length, key, problem; the records lie side by side in body 1."""
    at = 0
    with Writing(path, SCANNED) as writing:
        for start in range(0, len(rows), piece):
            made = []
            for number, (length, key, problem) in enumerate(rows[start : start + piece], start + 1):
                made.append((number, 0, number + 1, 1, at, length, key, problem))
                at += length
            writing.add(batch(SCANNED, made))


def ended(path: Path) -> list[tuple[int, str, str]]:
    """What stands in a file of ended rows: row, outcome, reason."""
    return [(place.row, more["outcome"], more["reason"]) for place, more in places(path)]


def is_settled_file(path: Path) -> bool:
    """Whether a file has the shape of ended rows, and nothing of it lies about half written."""
    with path.open("rb") as file, pa.ipc.open_stream(file) as reader:
        return bool(reader.schema.equals(SETTLED)) and not list(path.parent.glob("*.part"))

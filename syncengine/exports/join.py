"""One window's columns out of several files: rows that all of them have, put together by their key.

Apart from the parser, which reads one file. A list of fields that is too long for one job is split over jobs of the
same window. They are written one after the other, so a row may change in between; its date then lies after the window
and it is in one file and not in another. Only rows that every file has are whole; the others come with a later window.

The join runs in DuckDB, in bounded memory, beside the files that it reads.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from syncengine.exports.fields import UNPARSED
from syncengine.schema import Schema

MEMORY_LIMIT = "256MB"
ROWS_PER_BATCH = 50_000


def joined(
    files: Sequence[tuple[pa.Schema, Iterable[pa.RecordBatch]]], schema: Schema, folder: Path
) -> Iterator[pa.RecordBatch]:
    """Batches of `schema`, whose last column is `_unparsed`; each file has the key and some of the other columns.

    `folder` takes what does not fit into memory; it is made and removed. Raises what reading the files raises.
    """
    import duckdb

    settings: dict[str, Any] = {"memory_limit": MEMORY_LIMIT, "threads": 2, "preserve_insertion_order": False}
    with duckdb.connect(config={**settings, "temp_directory": str(folder)}) as db:
        db.execute("SET TimeZone = 'UTC'")
        places = _places(files, schema)
        for number, (arrow, batches) in enumerate(files):
            # By position: Arrow tells `Email` from `email`, SQL does not.
            plain = pa.schema([pa.field(f"c{place}", field.type) for place, field in enumerate(arrow)])
            failed: list[Exception] = []
            db.register("rows", pa.RecordBatchReader.from_batches(plain, _renamed(batches, plain, failed)))
            try:
                db.execute(f"CREATE TEMP TABLE part{number} AS SELECT * FROM rows")  # noqa: S608  # a number of ours
            except duckdb.Error:
                # DuckDB wraps what the reading raised.
                for reason in failed:
                    raise reason from None
                raise
            db.unregister("rows")
        reader = db.sql(_statement(files, schema, places)).to_arrow_reader(ROWS_PER_BATCH)
        width, arrow = len(schema.fields) - 1, schema.arrow()
        for batch in reader:
            columns = [column.cast(kind) for column, kind in zip(batch.columns[:width], arrow.types, strict=False)]
            columns.append(_merged(batch.columns[width:]))
            yield pa.RecordBatch.from_arrays(columns, schema=arrow)


def _renamed(batches: Iterable[pa.RecordBatch], plain: pa.Schema, failed: list[Exception]) -> Iterator[pa.RecordBatch]:
    """The batches under the names of `plain`; an error on the way is also kept in `failed`."""
    try:
        for batch in batches:
            yield pa.RecordBatch.from_arrays(batch.columns, schema=plain)
    except Exception as error:
        failed.append(error)
        raise


def _places(files: Sequence[tuple[pa.Schema, Any]], schema: Schema) -> list[tuple[int, int]]:
    """Of each column but `_unparsed`, the first file that has it, and its place there."""
    found = []
    for name in schema.names[:-1]:
        number = next(number for number, (arrow, _) in enumerate(files) if name in arrow.names)
        found.append((number, files[number][0].names.index(name)))
    return found


def _statement(files: Sequence[tuple[pa.Schema, Any]], schema: Schema, places: Sequence[tuple[int, int]]) -> str:
    chosen = [f"part{number}.c{place}" for number, place in places]
    chosen += [f"part{number}.c{arrow.names.index(UNPARSED.name)}" for number, (arrow, _) in enumerate(files)]
    named = ", ".join(f"{column} AS x{place}" for place, column in enumerate(chosen))
    sources = "part0"
    for number, (arrow, _) in enumerate(files[1:], 1):
        same = " AND ".join(
            f"part0.c{files[0][0].names.index(key)} = part{number}.c{arrow.names.index(key)}" for key in schema.key
        )
        sources += f" JOIN part{number} ON {same}"
    return f"SELECT {named} FROM {sources}"  # noqa: S608  # numbers of ours alone


def _merged(columns: Sequence[Any]) -> Any:
    """The `_unparsed` objects of a row as one."""
    texts = zip(*(column.to_pylist() for column in columns), strict=True)
    merged = []
    for row in texts:
        members: dict[str, Any] = {}
        for text in row:
            members |= orjson.loads(text) if text else {}
        merged.append(orjson.dumps(members).decode() if members else None)
    return pa.array(merged, pa.string())

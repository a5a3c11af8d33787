"""A window's batches into DuckDB's temporary tables, each batch once, before the transaction that merges them.

Apart from the merge, because batches cannot be read twice and the merge may have to begin again: what is staged here
belongs to the connection and goes with it. Nobody else can write meanwhile, as the file is locked by this process.
"""

# ruff: noqa: S608  # statements are put together from our own text

from collections.abc import Iterable, Iterator

import duckdb
import pyarrow as pa

from syncengine.destinations import MARKS, Window
from syncengine.destinations.duckdb_ledger import number
from syncengine.destinations.duckdb_table import SQL_TYPES, Table
from syncengine.schema import FieldType, arrow_type


def stage(db: duckdb.DuckDBPyConnection, window: Window, table: Table) -> int:
    """Make `staged` with the newest row of each key, and `staged_marks`; give how many repeats were left out.

    What the batches raise comes out as it was raised. Raises ValueError for a row without a key: nothing could ever
    find it again.
    """
    # Columns go by position here: Arrow tells `Email` from `email`, SQL does not. JSON is looked at on its way into
    # the table, so that a row whose JSON is none can be told from the others.
    types = ["VARCHAR" if column.type is FieldType.JSON else SQL_TYPES[column.type] for column in table.columns]
    definitions = [f"c{place} {sql_type}" for place, sql_type in enumerate(types)]
    values = [f"CAST(c{place} AS {sql_type})" for place, sql_type in enumerate(types)]
    db.execute(f"CREATE TEMP TABLE staged ({', '.join(definitions)}, seq BIGINT)")
    fields = [pa.field(f"c{place}", arrow_type(field.type)) for place, field in enumerate(window.schema.fields)]
    schema = pa.schema([*fields, pa.field("seq", pa.int64())])
    _scan(db, f"INSERT INTO staged SELECT {', '.join(values)}, seq FROM batches", schema, _numbered(window, schema))
    if window.marks is not None:
        db.execute("CREATE TEMP TABLE staged_marks (id BIGINT, deleted_at TIMESTAMPTZ, merged_into BIGINT)")
        marks = (_checked(batch, ("id",), window) for batch in window.marks.batches)
        _scan(db, "INSERT INTO staged_marks SELECT id, deleted_at, merged_into FROM batches", MARKS.arrow(), marks)
    return _drop_repeats(db, window, table)


def _scan(db: duckdb.DuckDBPyConnection, statement: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    failures: list[BaseException] = []

    def watched() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except BaseException as error:
            failures.append(error)
            raise

    # One scan of all batches: what a transaction scans in many, DuckDB keeps in memory until its end.
    db.register("batches", pa.RecordBatchReader.from_batches(schema, watched()))
    try:
        db.execute(statement)
    except Exception:
        # An exception that crosses DuckDB comes out as text; the caller needs the one that was raised.
        if failures:
            raise failures[0] from None
        raise
    db.unregister("batches")


def _numbered(window: Window, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    rows = 0
    for batch in window.batches:
        columns = [_checked(batch, window.schema.key, window).column(name) for name in window.schema.names]
        columns.append(pa.array(range(rows, rows + batch.num_rows), pa.int64()))
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
        rows += batch.num_rows


def _checked(batch: pa.RecordBatch, keys: Iterable[str], window: Window) -> pa.RecordBatch:
    for key in keys:
        if batch.column(key).null_count:
            raise ValueError(f"a row of window {window.id} of {window.stream} has no {key}")
    return batch


def _drop_repeats(db: duckdb.DuckDBPyConnection, window: Window, table: Table) -> int:
    keys = ", ".join(table.place(key) for key in window.schema.key)
    newest = f"{table.place(window.newer_by)} DESC NULLS LAST, " if window.newer_by else ""
    return number(
        db,
        "DELETE FROM staged WHERE seq IN (SELECT seq FROM"
        f" (SELECT seq, row_number() OVER (PARTITION BY {keys} ORDER BY {newest}seq DESC) AS place FROM staged)"
        " WHERE place > 1)",
    )

"""One window's rows into one DuckDB table: the table's columns, the staging, and the merge in which newer wins.

Apart from the destination, which opens files and keeps the ledger: everything here happens inside its transaction.

Theory of operation. The table has no primary key: a join on the key and a delete and insert of what changed take a
fifth of the time that PRIMARY KEY with ON CONFLICT does. Each row keeps when Marketo wrote the file that it was last
read from (`_read_at`) and that file's window (`_window`). A row gives way to one that is later by
(`newer_by`, `_read_at`, `_window`), compared in this order, so any order of commits ends in the same table. That
is also why a row re-read with the same content moves its `_read_at` and `_window`, though nothing else of it.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from syncengine.destinations import Applied, Window
from syncengine.destinations.columns import assign, widened
from syncengine.errors import ConfigError
from syncengine.schema import FieldType, arrow_type

READ_AT = "_read_at"
WINDOW = "_window"
# DuckDB's own name for a row's place: a column called so would hide it from the merge.
ROW_PLACE = "rowid"

SQL_TYPES = {
    FieldType.TEXT: "VARCHAR",
    FieldType.INTEGER: "BIGINT",
    FieldType.FLOAT: "DOUBLE",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    FieldType.JSON: "JSON",
}


@dataclass(frozen=True, slots=True)
class Column:
    """Where one field of a window goes: the table's column, and the column's type."""

    field: str
    name: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is ready for a window: `columns` in the order of the window's fields, and those it leaves alone."""

    path: str
    columns: tuple[Column, ...]
    others: tuple[str, ...]
    added: tuple[str, ...]


def quoted(name: str) -> str:
    """An identifier, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def table_columns(db: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    """Column -> SQL type, empty when there is no such table."""
    rows = db.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database()"
        " AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?) ORDER BY column_index",
        [schema, table],
    ).fetchall()
    return dict(rows)


def prepare_table(db: duckdb.DuckDBPyConnection, schema: str, window: Window) -> Table:
    """Create the stream's table, or add and widen columns of it; no column is ever dropped or narrowed.

    Raises ConfigError for a column whose type is not one of ours.
    """
    path = f"{quoted(schema)}.{quoted(window.stream)}"
    existing = table_columns(db, schema, window.stream)
    names = assign(window.schema.names, existing, reserved=(READ_AT, WINDOW, ROW_PLACE))
    if not existing:
        columns = tuple(Column(field.name, names[field.name], field.type) for field in window.schema.fields)
        definitions = [f"{quoted(column.name)} {SQL_TYPES[column.type]}" for column in columns]
        definitions += [f"{READ_AT} TIMESTAMP WITH TIME ZONE", f"{WINDOW} VARCHAR"]
        db.execute(f"CREATE TABLE {path} ({', '.join(definitions)})")
        return Table(path, columns, (), ())
    ready, added = [], []
    for field in window.schema.fields:
        name = names[field.name]
        kind = widened(_type_of(existing[name], path, name), field.type) if name in existing else field.type
        if name not in existing:
            db.execute(f"ALTER TABLE {path} ADD COLUMN {quoted(name)} {SQL_TYPES[kind]}")
            added.append(name)
        elif SQL_TYPES[kind] != existing[name]:
            db.execute(f"ALTER TABLE {path} ALTER COLUMN {quoted(name)} TYPE {SQL_TYPES[kind]}")
        ready.append(Column(field.name, name, kind))
    others = tuple(name for name in existing if name not in {*names.values(), READ_AT, WINDOW})
    return Table(path, tuple(ready), others, tuple(added))


def merge(db: duckdb.DuckDBPyConnection, window: Window, table: Table) -> Applied:
    """Stage the window's batches and merge them; what the batches raise passes through.

    Raises ValueError for a row without a key: nothing could ever find it again.
    """
    _stage(db, window, table)
    repeated = _drop_repeats(db, window, table)
    _judge(db, window, table)
    counts: dict[str, int] = dict(db.execute("SELECT verdict, count(*) FROM judged GROUP BY verdict").fetchall())
    _write(db, window, table)
    return Applied(
        inserted=counts.get("inserted", 0),
        changed=counts.get("changed", 0),
        unchanged=counts.get("unchanged", 0) + repeated,
        outdated=counts.get("outdated", 0),
        columns_added=table.added,
    )


def _type_of(sql_type: str, path: str, name: str) -> FieldType:
    for kind, spelling in SQL_TYPES.items():
        if spelling == sql_type:
            return kind
    raise ConfigError(
        f"column {quoted(name)} of table {path} has the type {sql_type}, which no field has",
        advice="give it back its type, or drop the column so that it is made anew",
    )


def _stage(db: duckdb.DuckDBPyConnection, window: Window, table: Table) -> None:
    # Columns go by position here: Arrow tells `Email` from `email`, SQL does not.
    definitions = [f"c{place} {SQL_TYPES[column.type]}" for place, column in enumerate(table.columns)]
    values = [f"CAST(c{place} AS {SQL_TYPES[column.type]})" for place, column in enumerate(table.columns)]
    db.execute(f"CREATE TEMP TABLE staged ({', '.join(definitions)}, seq BIGINT)")
    failures: list[Exception] = []
    reader = pa.RecordBatchReader.from_batches(_staged_schema(window), _numbered(window, failures))
    # One scan of all batches: what a transaction scans in many, DuckDB keeps in memory until its end.
    db.register("batches", reader)
    try:
        db.execute(f"INSERT INTO staged SELECT {', '.join(values)}, seq FROM batches")
    except Exception:
        # An exception that crosses DuckDB comes out as text; the caller needs the one that was raised.
        if failures:
            raise failures[0] from None
        raise
    db.unregister("batches")


def _staged_schema(window: Window) -> pa.Schema:
    fields = [pa.field(f"c{place}", arrow_type(field.type)) for place, field in enumerate(window.schema.fields)]
    return pa.schema([*fields, pa.field("seq", pa.int64())])


def _numbered(window: Window, failures: list[Exception]) -> Iterator[pa.RecordBatch]:
    schema, rows = _staged_schema(window), 0
    try:
        for batch in window.batches:
            _require_keys(batch, window)
            columns = [batch.column(name) for name in window.schema.names]
            columns.append(pa.array(range(rows, rows + batch.num_rows), pa.int64()))
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
            rows += batch.num_rows
    except Exception as error:
        failures.append(error)
        raise


def _require_keys(batch: pa.RecordBatch, window: Window) -> None:
    for key in window.schema.key:
        if batch.column(key).null_count:
            raise ValueError(f"a row of window {window.id} of {window.stream} has no {key}")


def _drop_repeats(db: duckdb.DuckDBPyConnection, window: Window, table: Table) -> int:
    keys = ", ".join(_places(table, window.schema.key))
    newest = "".join(f"{place} DESC NULLS LAST, " for place in _places(table, _newer_by(window)))
    return _count(
        db,
        "DELETE FROM staged WHERE seq IN (SELECT seq FROM"
        f" (SELECT seq, row_number() OVER (PARTITION BY {keys} ORDER BY {newest}seq DESC) AS place FROM staged)"
        " WHERE place > 1)",
    )


def _judge(db: duckdb.DuckDBPyConnection, window: Window, table: Table) -> None:
    names = {column.field: quoted(column.name) for column in table.columns}
    places = {column.field: f"c{place}" for place, column in enumerate(table.columns)}
    same_key = " AND ".join(f"s.{places[key]} = t.{names[key]}" for key in window.schema.key)
    older = f"(?::TIMESTAMPTZ, ?) < (t.{READ_AT}, t.{WINDOW})"
    for field in _newer_by(window):
        mine, theirs = f"s.{places[field]}", f"t.{names[field]}"
        older = (
            f"CASE WHEN {mine} IS NOT DISTINCT FROM {theirs} THEN {older}"
            f" ELSE coalesce({mine} < {theirs}, {mine} IS NULL) END"
        )
    rest = [field for field in names if field not in window.schema.key]
    differs = " OR ".join(f"s.{places[field]} IS DISTINCT FROM t.{names[field]}" for field in rest) or "false"
    kept = "".join(f", t.{quoted(name)} AS k{place}" for place, name in enumerate(table.others))
    db.execute(
        "CREATE TEMP TABLE judged AS SELECT s.seq, t.rowid AS target,"
        f" CASE WHEN t.rowid IS NULL THEN 'inserted' WHEN {older} THEN 'outdated'"
        f" WHEN {differs} THEN 'changed' ELSE 'unchanged' END AS verdict{kept}"
        f" FROM staged s LEFT JOIN {table.path} t ON {same_key}",
        [window.read_at, window.id],
    )


def _write(db: duckdb.DuckDBPyConnection, window: Window, table: Table) -> None:
    read = [window.read_at, window.id]
    db.execute(f"DELETE FROM {table.path} WHERE rowid IN (SELECT target FROM judged WHERE verdict = 'changed')")
    db.execute(
        f"UPDATE {table.path} SET {READ_AT} = ?, {WINDOW} = ?"
        " WHERE rowid IN (SELECT target FROM judged WHERE verdict = 'unchanged')",
        read,
    )
    into = [quoted(name) for name in (*(column.name for column in table.columns), *table.others, READ_AT, WINDOW)]
    values = [f"s.c{place}" for place in range(len(table.columns))]
    values += [f"j.k{place}" for place in range(len(table.others))]
    db.execute(
        f"INSERT INTO {table.path} ({', '.join(into)}) SELECT {', '.join(values)}, ?, ?"
        " FROM staged s JOIN judged j USING (seq) WHERE j.verdict IN ('inserted', 'changed')",
        read,
    )


def _newer_by(window: Window) -> tuple[str, ...]:
    return (window.newer_by,) if window.newer_by else ()


def _places(table: Table, fields: tuple[str, ...]) -> list[str]:
    places = {column.field: f"c{place}" for place, column in enumerate(table.columns)}
    return [places[field] for field in fields]


def _count(db: duckdb.DuckDBPyConnection, statement: str) -> int:
    row = db.execute(statement).fetchone()
    return int(row[0]) if row else 0

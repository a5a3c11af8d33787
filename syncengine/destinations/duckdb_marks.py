"""Marks on the rows of a DuckDB table: which were deleted, which merged into another, and since when that is known.

Apart from the merge of a window's own rows, because marks are about another stream's, may come before them, and stay.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

import duckdb

from syncengine.destinations import CHANGED_AT, DELETED_AT, MERGED_INTO, Window
from syncengine.destinations.bookkeeping import MARKS
from syncengine.destinations.columns import RESERVED, assign
from syncengine.destinations.duckdb_ledger import number, quoted, table_columns
from syncengine.destinations.duckdb_table import missing


def create_marks(db: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Make the table of marks where it is missing."""
    db.execute(
        f"CREATE TABLE IF NOT EXISTS {quoted(schema)}.{MARKS} (instance VARCHAR, stream VARCHAR, id BIGINT,"
        " deleted_at TIMESTAMPTZ, merged_into BIGINT)"
    )


def marks_of(schema: str) -> str:
    """A query for the marks of one stream; its parameters are instance and stream."""
    return f"SELECT id, deleted_at, merged_into FROM {quoted(schema)}.{MARKS} WHERE instance = ? AND stream = ?"


def project(db: duckdb.DuckDBPyConnection, schema: str, window: Window) -> tuple[int, int]:
    """Keep the staged marks and put them on the rows that are there; count the rows newly deleted and newly merged.

    What counts is what the marks say for the first time, whether the row has arrived yet or not. Of several marks of
    a row the earliest deletion stays, and the smallest key that it was merged into.
    """
    if window.marks is None:
        return 0, 0
    whose = [window.instance, window.marks.stream]
    db.execute(
        "CREATE TEMP TABLE moved AS SELECT n.id, least(m.deleted_at, n.deleted_at) AS deleted_at,"
        " least(m.merged_into, n.merged_into) AS merged_into,"
        " m.deleted_at IS NULL AND n.deleted_at IS NOT NULL AS newly_deleted,"
        " m.merged_into IS NULL AND n.merged_into IS NOT NULL AS newly_merged FROM"
        " (SELECT id, min(deleted_at) AS deleted_at, min(merged_into) AS merged_into FROM staged_marks GROUP BY id) n"
        f" LEFT JOIN ({marks_of(schema)}) m USING (id)",
        whose,
    )
    deleted, merged = (
        number(db, f"SELECT count_if({newly}) FROM moved") for newly in ("newly_deleted", "newly_merged")
    )
    kept = f"{quoted(schema)}.{MARKS}"
    db.execute(f"DELETE FROM {kept} WHERE instance = ? AND stream = ? AND id IN (SELECT id FROM moved)", whose)
    db.execute(f"INSERT INTO {kept} SELECT ?, ?, id, deleted_at, merged_into FROM moved", whose)
    _mark_rows(db, schema, window)
    db.execute("DROP TABLE moved")
    return deleted, merged


def sweep(db: duckdb.DuckDBPyConnection, path: str, *, marked: bool) -> None:
    """Remove the rows of a table that are marked or gone, also those from before it was asked for."""
    merged = f" OR {MERGED_INTO} IS NOT NULL" if marked else ""
    db.execute(f"DELETE FROM {path} WHERE {DELETED_AT} IS NOT NULL{merged}")


def _mark_rows(db: duckdb.DuckDBPyConnection, schema: str, window: Window) -> None:
    assert window.marks is not None
    existing = table_columns(db, schema, window.marks.stream)
    key = assign(["id"], existing, RESERVED)["id"]
    if key not in existing:
        return
    path = f"{quoted(schema)}.{quoted(window.marks.stream)}"
    for statement in missing(path, existing, marked=True):
        db.execute(statement)
    deleted = f"least(t.{DELETED_AT}, m.deleted_at)"
    merged = f"coalesce(m.merged_into, t.{MERGED_INTO})"
    db.execute(
        f"UPDATE {path} AS t SET {DELETED_AT} = {deleted}, {MERGED_INTO} = {merged}, {CHANGED_AT} = ?"
        f" FROM moved m WHERE t.{quoted(key)} = m.id"
        f" AND ({deleted} IS DISTINCT FROM t.{DELETED_AT} OR {merged} IS DISTINCT FROM t.{MERGED_INTO})",
        [window.read_at],
    )
    if window.marks.hard_delete:
        sweep(db, path, marked=True)

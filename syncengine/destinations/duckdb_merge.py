"""One window's staged rows into one DuckDB table: newer wins, what is missing from a snapshot is gone.

Apart from the destination, which opens files and keeps the ledger: everything here happens inside its transaction.

Theory of operation. The table has no primary key: a join on the key and a delete and insert of what changed take a
fifth of the time that PRIMARY KEY with ON CONFLICT does. Each row keeps when Marketo wrote the file that it was last
read from (`_read_at`) and that file's window (`_window`). A row gives way to one that is later by
(`newer_by`, `_read_at`, `_window`), compared in this order, so any order of commits ends in the same table. That
is also why a row re-read with the same content moves its `_read_at` and `_window`, though nothing else of it.

A row's `_deleted_at` is the earlier of its mark's and of when it went missing from a snapshot. The latter holds until
a file that was written later has the row again.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

import duckdb

from syncengine.destinations import CHANGED_AT, DELETED_AT, MERGED_INTO, READ_AT, WINDOW, Applied, Window
from syncengine.destinations.duckdb_ledger import number, quoted
from syncengine.destinations.duckdb_marks import marks_of, project, sweep
from syncengine.destinations.duckdb_refused import refuse
from syncengine.destinations.duckdb_table import Table
from syncengine.schema import FieldType


def merge(
    db: duckdb.DuckDBPyConnection, schema: str, window: Window, table: Table, *, doubt_json: bool = False
) -> Applied:
    """Merge what is staged, rows and marks; the counts are without the repeats.

    With `doubt_json` texts that are no JSON are looked for, and their rows are refused.
    """
    for statement in table.statements:
        db.execute(statement)
    _judge(db, schema, window, table)
    rejected = refuse(db, schema, window, table, doubt_json=doubt_json)
    counts: dict[str, int] = dict(db.execute("SELECT verdict, count(*) FROM judged GROUP BY verdict").fetchall())
    late = _late(db, window, table)
    _write(db, window, table)
    gone = _mark_gone(db, window, table)
    if window.hard_delete:
        sweep(db, table.path, marked=table.marked)
    deleted, merged = project(db, schema, window)
    db.execute("DROP TABLE judged")
    return Applied(
        inserted=counts.get("inserted", 0),
        changed=counts.get("changed", 0),
        unchanged=counts.get("unchanged", 0),
        outdated=counts.get("outdated", 0),
        rejected=rejected,
        late=late,
        deleted=gone + deleted,
        merged=merged,
        columns_added=table.added,
        columns_widened=table.widened,
    )


def _judge(db: duckdb.DuckDBPyConnection, schema: str, window: Window, table: Table) -> None:
    older = f"(?::TIMESTAMPTZ, ?) < (t.{READ_AT}, t.{WINDOW})"
    if window.newer_by:
        mine, theirs = f"s.{table.place(window.newer_by)}", f"t.{table.name(window.newer_by)}"
        older = (
            f"CASE WHEN {mine} IS NOT DISTINCT FROM {theirs} THEN {older}"
            f" ELSE coalesce({mine} < {theirs}, {mine} IS NULL) END"
        )
    deleted, merged, marks, banned = f"CASE WHEN t.{DELETED_AT} > ? THEN t.{DELETED_AT} END", "NULL", "", "false"
    if table.marked:
        marks = f" LEFT JOIN ({marks_of(schema)}) m ON m.id = s.{table.place(window.schema.key[0])}"
        deleted, merged = f"least(m.deleted_at, {deleted})", "m.merged_into"
        banned = "m.id IS NOT NULL" if window.hard_delete else "false"
    differs = [
        f"s.c{place} IS DISTINCT FROM t.{quoted(column.name)}{'::VARCHAR' if column.type is FieldType.JSON else ''}"
        for place, column in enumerate(table.columns)
        if column.field not in window.schema.key
    ]
    differs.append(f"t.{DELETED_AT} IS DISTINCT FROM {deleted}")
    if table.marked:
        differs.append(f"t.{MERGED_INTO} IS DISTINCT FROM {merged}")
    kept = "".join(f", t.{quoted(name)} AS k{place}" for place, name in enumerate(table.others))
    db.execute(
        f"CREATE TEMP TABLE judged AS SELECT s.seq, t.rowid AS target, {deleted} AS deleted_at,"
        f" {merged}::BIGINT AS merged_into,"
        f" CASE WHEN {banned} THEN 'outdated' WHEN t.rowid IS NULL THEN 'inserted' WHEN {older} THEN 'outdated'"
        f" WHEN {' OR '.join(differs)} THEN 'changed' ELSE 'unchanged' END AS verdict{kept}"
        f" FROM staged s LEFT JOIN {table.path} t ON {_same_key(window, table)}{marks}",
        [
            *(window.read_at, window.read_at, window.id, window.read_at),
            *([window.instance, window.stream] if table.marked else []),
        ],
    )


def _same_key(window: Window, table: Table) -> str:
    return " AND ".join(f"s.{table.place(key)} = t.{table.name(key)}" for key in window.schema.key)


def _late(db: duckdb.DuckDBPyConnection, window: Window, table: Table) -> int:
    if window.late is None:
        return 0
    return number(
        db,
        "SELECT count(*) FROM staged JOIN judged USING (seq) WHERE verdict = 'inserted'"
        f" AND TRY_CAST({table.place(window.late.field)} AS TIMESTAMPTZ) < ?",
        [window.late.before],
    )


def _write(db: duckdb.DuckDBPyConnection, window: Window, table: Table) -> None:
    db.execute(f"DELETE FROM {table.path} WHERE rowid IN (SELECT target FROM judged WHERE verdict = 'changed')")
    db.execute(
        f"UPDATE {table.path} SET {READ_AT} = ?, {WINDOW} = ?"
        " WHERE rowid IN (SELECT target FROM judged WHERE verdict = 'unchanged')",
        [window.read_at, window.id],
    )
    into = [quoted(name) for name in (*(column.name for column in table.columns), *table.others)]
    values = [f"s.c{place}" for place in range(len(table.columns))]
    values += [f"j.k{place}" for place in range(len(table.others))]
    into += [READ_AT, WINDOW, CHANGED_AT, DELETED_AT, *([MERGED_INTO] if table.marked else [])]
    values += ["?", "?", "?", "j.deleted_at", *(["j.merged_into"] if table.marked else [])]
    db.execute(
        f"INSERT INTO {table.path} ({', '.join(into)}) SELECT {', '.join(values)}"
        " FROM staged s JOIN judged j USING (seq) WHERE j.verdict IN ('inserted', 'changed')",
        [window.read_at, window.id, window.read_at],
    )


def _mark_gone(db: duckdb.DuckDBPyConnection, window: Window, table: Table) -> int:
    if window.snapshot is None:
        return 0
    part, values = "", [window.read_at, window.read_at, window.read_at]
    if window.snapshot.field:
        part = f" AND t.{table.name(window.snapshot.field)} IS NOT DISTINCT FROM ?"
        values.append(window.snapshot.value)  # type: ignore[arg-type]  # any value that a parameter may have
    return number(
        db,
        f"UPDATE {table.path} AS t SET {DELETED_AT} = ?, {CHANGED_AT} = ? WHERE t.{DELETED_AT} IS NULL"
        f" AND t.{READ_AT} <= ?{part} AND NOT EXISTS (SELECT 1 FROM staged s WHERE {_same_key(window, table)})",
        values,
    )

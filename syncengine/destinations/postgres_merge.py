"""One window's staged rows into one Postgres table: newer wins, what is missing from a snapshot is gone.

Apart from the destination, which opens connections and keeps the ledger: everything here happens in its transaction.

The rules are those of the other destinations. A row gives way to one that is later by (`newer_by`, `_read_at`,
`_window`), compared in this order. A row's `_deleted_at` is the earlier of its mark's and of when it went missing from
a snapshot; the latter holds until a file that was written later has the row again.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

from collections.abc import Callable
from typing import TYPE_CHECKING

from syncengine.destinations import CHANGED_AT, DELETED_AT, MERGED_INTO, READ_AT, WINDOW, Applied, Window
from syncengine.destinations.postgres_marks import marks_of, project, sweep
from syncengine.destinations.postgres_refused import keep, write_what_fits
from syncengine.destinations.postgres_sql import number, quoted, run
from syncengine.destinations.postgres_table import Table
from syncengine.schema import FieldType

if TYPE_CHECKING:
    from syncengine.destinations.postgres_sql import Connection


def merge(db: "Connection", schema: str, window: Window, table: Table, *, refused_at_most: int) -> Applied:
    """Merge what is staged, rows and marks; the counts are without the repeats."""
    _judge(db, schema, window, table)
    write_what_fits(db, table, _writer(db, window, table), refused_at_most)
    rejected = keep(db, schema, window)
    counts: dict[str, int] = dict(run(db, "SELECT verdict, count(*) FROM judged GROUP BY verdict").fetchall())
    late = _late(db, window)
    gone = _mark_gone(db, window, table)
    if window.hard_delete:
        sweep(db, table.path, marked=table.marked)
    deleted, merged = project(db, schema, window)
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


def _judge(db: "Connection", schema: str, window: Window, table: Table) -> None:
    # Text is compared by its bytes: the order of a country's language would decide otherwise than other destinations.
    older = f'(%s::timestamptz, %s::text COLLATE "C") < (t.{READ_AT}, t.{WINDOW})'
    if window.newer_by:
        collate = ' COLLATE "C"' if table.type(window.newer_by) is FieldType.TEXT else ""
        mine, theirs = table.value(window.newer_by), f"t.{table.name(window.newer_by)}"
        older = (
            f"CASE WHEN {mine} IS NOT DISTINCT FROM {theirs} THEN {older}"
            f" ELSE coalesce({mine}{collate} < {theirs}, {mine} IS NULL) END"
        )
    deleted, merged, marks, banned = f"CASE WHEN t.{DELETED_AT} > %s THEN t.{DELETED_AT} END", "NULL", "", "false"
    if table.marked:
        marks = f" LEFT JOIN ({marks_of(schema)}) m ON m.id = {table.value(window.schema.key[0])}"
        deleted, merged = f"least(m.deleted_at, {deleted})", "m.merged_into"
        banned = "m.id IS NOT NULL" if window.hard_delete else "false"
    differs = [
        f"{_compared(table, column.field)} IS DISTINCT FROM"
        f" t.{quoted(column.name)}{'::text' if column.type is FieldType.JSON else ''}"
        for column in table.columns
        if column.field not in window.schema.key
    ]
    differs.append(f"t.{DELETED_AT} IS DISTINCT FROM {deleted}")
    if table.marked:
        differs.append(f"t.{MERGED_INTO} IS DISTINCT FROM {merged}")
    run(
        db,
        f"CREATE TEMP TABLE judged ON COMMIT DROP AS SELECT s.seq, {deleted} AS deleted_at,"
        f" {merged}::bigint AS merged_into,"
        f" CASE WHEN {banned} THEN 'outdated' WHEN t.{READ_AT} IS NULL THEN 'inserted' WHEN {older} THEN 'outdated'"
        f" WHEN {' OR '.join(differs)} THEN 'changed' ELSE 'unchanged' END AS verdict"
        f" FROM staged s LEFT JOIN {table.path} t ON {_same_key(window, table)}{marks}",
        [
            *(window.read_at, window.read_at, window.id, window.read_at),
            *([window.instance, window.stream] if table.marked else []),
        ],
    )
    run(db, "ANALYZE judged")


def _compared(table: Table, field: str) -> str:
    value = table.value(field)
    return f'{value} COLLATE "C"' if table.type(field) in {FieldType.TEXT, FieldType.JSON} else value


def _same_key(window: Window, table: Table) -> str:
    return " AND ".join(f"{table.value(key)} = t.{table.name(key)}" for key in window.schema.key)


def _late(db: "Connection", window: Window) -> int:
    if window.late is None:
        return 0
    place = window.schema.names.index(window.late.field)
    return number(
        db,
        f"SELECT count(*) FROM staged s JOIN judged j USING (seq) WHERE verdict = 'inserted' AND s.c{place} < %s",
        [window.late.before],
    )


def _writer(db: "Connection", window: Window, table: Table) -> Callable[[str], None]:
    """A function that writes the judged rows, or those of them for which a condition on `j` holds."""
    values = {quoted(column.name): column.value(f"s.c{place}") for place, column in enumerate(table.columns)}
    for place, column in enumerate(table.columns):
        if column.type is FieldType.JSON:
            values[quoted(column.name)] = f"s.c{place}::json"
    ours = {READ_AT: "%s", WINDOW: "%s", CHANGED_AT: "%s", DELETED_AT: "j.deleted_at"}
    if table.marked:
        ours[MERGED_INTO] = "j.merged_into"
    read = [window.read_at, window.id]
    keys = {table.name(key) for key in window.schema.key}
    settings = [f"{name} = {value}" for name, value in {**values, **ours}.items() if name not in keys]
    into, selected = ", ".join([*values, *ours]), ", ".join([*values.values(), *ours.values()])
    source = f"FROM staged s JOIN judged j USING (seq) WHERE {_same_key(window, table)}"

    def write(condition: str) -> None:
        run(
            db,
            f"UPDATE {table.path} AS t SET {READ_AT} = %s, {WINDOW} = %s {source}"
            f" AND j.verdict = 'unchanged' AND {condition}",
            read,
        )
        run(
            db,
            f"UPDATE {table.path} AS t SET {', '.join(settings)} {source} AND j.verdict = 'changed' AND {condition}",
            [*read, window.read_at],
        )
        run(
            db,
            f"INSERT INTO {table.path} ({into}) SELECT {selected}"
            f" FROM staged s JOIN judged j USING (seq) WHERE j.verdict = 'inserted' AND {condition}",
            [*read, window.read_at],
        )

    return write


def _mark_gone(db: "Connection", window: Window, table: Table) -> int:
    if window.snapshot is None:
        return 0
    part, values = "", [window.read_at, window.read_at, window.read_at]
    if window.snapshot.field:
        part = f" AND t.{table.name(window.snapshot.field)} IS NOT DISTINCT FROM %s"
        values.append(window.snapshot.value)  # type: ignore[arg-type]  # any value that a parameter may have
    return run(
        db,
        f"UPDATE {table.path} AS t SET {DELETED_AT} = %s, {CHANGED_AT} = %s WHERE t.{DELETED_AT} IS NULL"
        f" AND t.{READ_AT} <= %s{part} AND NOT EXISTS (SELECT FROM staged s WHERE {_same_key(window, table)})",
        values,
    ).rowcount

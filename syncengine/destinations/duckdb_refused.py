"""Rows that a DuckDB table cannot hold, because of a constraint that its owner has added: found, and put aside.

Apart from the merge, which most windows pass without any of it: only tables with constraints are looked at.

DuckDB ends the transaction at the first row that it refuses and does not name it, hence the search before the write:
each constraint as a question to the rows that are about to be written.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa

from syncengine.destinations import Window
from syncengine.destinations.bookkeeping import REJECTED, as_json
from syncengine.destinations.duckdb_ledger import literal, number, quoted
from syncengine.destinations.duckdb_table import Table
from syncengine.schema import FieldType

_ROWS_AT_ONCE = 5_000


def create_rejected(db: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Make the table of refused rows where it is missing."""
    db.execute(
        f'CREATE TABLE IF NOT EXISTS {quoted(schema)}.{REJECTED} (stream VARCHAR, "window" VARCHAR, key JSON,'
        ' reason VARCHAR, "row" JSON, read_at TIMESTAMPTZ)'
    )


def refuse(
    db: duckdb.DuckDBPyConnection, schema: str, window: Window, table: Table, *, doubt_json: bool = False
) -> int:
    """Move the rows that the table would refuse from `judged` to `_rejected`; give how many."""
    questions = [*_declared(db, schema, window, table), *(_json(table) if doubt_json else ())]
    if not questions:
        return 0
    db.execute("CREATE TEMP TABLE refused (seq BIGINT, reason VARCHAR)")
    db.execute(f"CREATE TEMP VIEW written AS {_about_to_be_written(table)}")
    refused = -1
    # A row that is refused leaves its older self in place, which may stand in another's way: ask until nothing moves.
    while (found := number(db, "SELECT count(*) FROM refused")) > refused:
        refused = found
        for reason, question in questions:
            db.execute(f"INSERT INTO refused SELECT seq, {literal(reason)} FROM ({question})")
            db.execute("DELETE FROM judged WHERE seq IN (SELECT seq FROM refused)")
    _keep(db, schema, window, table)
    db.execute("DROP VIEW written; DROP TABLE refused")
    return refused


def _about_to_be_written(table: Table) -> str:
    values = [f"s.c{place} AS {quoted(column.name)}" for place, column in enumerate(table.columns)]
    values += [f"j.k{place} AS {quoted(name)}" for place, name in enumerate(table.others)]
    return (
        f"SELECT j.seq, j.target, {', '.join(values)} FROM staged s JOIN judged j USING (seq)"
        " WHERE j.verdict IN ('inserted', 'changed')"
    )


def _declared(db: duckdb.DuckDBPyConnection, schema: str, window: Window, table: Table) -> Iterator[tuple[str, str]]:
    where = (
        " WHERE database_name = current_database() AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?)"
    )
    ours = {*(column.name for column in table.columns), *table.others}
    for kind, expression, columns in db.execute(
        f"SELECT constraint_type, expression, constraint_column_names FROM duckdb_constraints(){where}",
        [schema, window.stream],
    ).fetchall():
        if not ours.issuperset(columns):
            continue
        if kind == "CHECK":
            yield f"CHECK {expression}", f"SELECT seq FROM written WHERE NOT ({expression})"
        for column in columns if kind in {"NOT NULL", "PRIMARY KEY"} else ():
            yield f"{column} may not be NULL", f"SELECT seq FROM written WHERE {quoted(column)} IS NULL"
        if kind in {"UNIQUE", "PRIMARY KEY"}:
            yield _unique(table, [quoted(column) for column in columns])
    for (expressions,) in db.execute(
        f"SELECT expressions::VARCHAR[] FROM duckdb_indexes(){where} AND is_unique", [schema, window.stream]
    ).fetchall():
        yield _unique(table, expressions)


def _unique(table: Table, expressions: list[str]) -> tuple[str, str]:
    values = ", ".join(f"{expression} AS u{place}" for place, expression in enumerate(expressions))
    names = [f"u{place}" for place in range(len(expressions))]
    known = " AND ".join(f"{name} IS NOT NULL" for name in names)
    return f"{', '.join(expressions)} must be unique", (
        f"SELECT seq FROM (SELECT seq, {values} FROM written) JOIN (SELECT {values} FROM {table.path}"
        f" WHERE rowid NOT IN (SELECT target FROM judged WHERE verdict = 'changed')) USING ({', '.join(names)})"
        f" UNION SELECT seq FROM (SELECT seq, row_number() OVER (PARTITION BY {', '.join(names)} ORDER BY seq) AS place"
        f" FROM (SELECT seq, {values} FROM written) WHERE {known}) WHERE place > 1"
    )


def _json(table: Table) -> Iterator[tuple[str, str]]:
    for column in table.columns:
        if column.type is FieldType.JSON:
            yield (
                f"{column.name} is no JSON",
                f"SELECT seq FROM written WHERE NOT json_valid({quoted(column.name)})",
            )


def _keep(db: duckdb.DuckDBPyConnection, schema: str, window: Window, table: Table) -> None:
    fields = [column.field for column in table.columns]
    values = ", ".join(f"s.c{place}" for place in range(len(fields)))
    last: Any = -1
    while True:
        rows = db.sql(
            f"SELECT seq, reason, {values} FROM staged s JOIN refused USING (seq) WHERE seq > {last}"
            f" ORDER BY seq LIMIT {_ROWS_AT_ONCE}"
        ).to_arrow_table()
        if not rows.num_rows:
            return
        columns = [column.to_pylist() for column in rows.columns]
        kept = [dict(zip(fields, row, strict=True)) for row in zip(*columns[2:], strict=True)]
        db.register(
            "kept",
            pa.table(
                {
                    "key": [as_json({key: row[key] for key in window.schema.key}) for row in kept],
                    "reason": columns[1],
                    "row": [as_json(row) for row in kept],
                }
            ),
        )
        db.execute(
            f'INSERT INTO {quoted(schema)}.{REJECTED} SELECT ?, ?, key, reason, "row", ? FROM kept',
            [window.stream, window.id, window.read_at],
        )
        db.unregister("kept")
        last = columns[0][-1]

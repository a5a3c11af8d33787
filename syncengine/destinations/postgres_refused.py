"""Rows that a Postgres table refuses: found after the fact, and put aside.

Apart from the merge, which most windows pass without any of it. Postgres ends a statement at the first row that it
refuses and does not name it. So the whole is tried first; when that fails, constraints that can be asked about are
asked, and what still fails is halved until single rows are left.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from syncengine.destinations import Window
from syncengine.destinations.bookkeeping import REJECTED, as_json
from syncengine.destinations.postgres_sql import literal, number, quoted, run
from syncengine.destinations.postgres_table import Table
from syncengine.errors import ConfigError

if TYPE_CHECKING:
    from syncengine.destinations.postgres_sql import Connection

_ROWS_AT_ONCE = 5_000


def write_what_fits(db: "Connection", table: Table, write: Callable[[str], None], at_most: int) -> None:
    """Write the judged rows but those that are refused: these leave `judged`, and are in `refused` with the reason.

    Raises ConfigError when more than `at_most` rows have to be found one by one.
    """
    # What is refused already for a NUL, unless a newer row is there anyway.
    run(db, "DELETE FROM refused WHERE seq NOT IN (SELECT seq FROM judged WHERE verdict <> 'outdated')")
    run(db, "DELETE FROM judged WHERE seq IN (SELECT seq FROM refused)")
    if _tried(db, write, "true") is None:
        return
    _ask_constraints(db, table)
    if _tried(db, write, "true") is None:
        return
    run(db, "CREATE INDEX ON judged (seq)")
    run(db, "CREATE INDEX ON staged (seq)")
    _halve(db, table, write, at_most)


def _tried(db: "Connection", write: Callable[[str], None], condition: str) -> str | None:
    """Write, or leave everything as it was and give why: the constraint, or what kind of value it was."""
    import psycopg

    try:
        with db.transaction():
            write(condition)
    except psycopg.Error as error:
        # Classes 22 and 23 are values and constraints, P0 is what triggers raise, 54000 a row or key that is too big.
        code = error.sqlstate or ""
        if not code.startswith(("22", "23", "P0")) and code != "54000":
            raise
        names = [name for name in (error.diag.constraint_name, error.diag.column_name) if name]
        return " ".join([type(error).__name__, *names])
    return None


def _ask_constraints(db: "Connection", table: Table) -> None:
    """Refuse what NOT NULL and CHECK forbid, however many rows that is."""
    oid = [table.path.replace("%%", "%")]
    names = ", ".join(f"{column.value(f's.c{place}')} AS {quoted(column.name)}" for place, column in _typed(table))
    rows = f"SELECT j.seq, {names} FROM staged s JOIN judged j USING (seq) WHERE j.verdict IN ('inserted', 'changed')"
    known = {column.name for column in table.columns}
    found = run(
        db,
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnotnull AND attnum > 0",
        oid,
    ).fetchall()
    questions = [(f"{name} may not be NULL", f"{quoted(name)} IS NULL") for (name,) in found if name in known]
    for (name,) in found:
        if name not in known:  # a field that this window lacks: new rows would have NULL there
            _refuse(db, f"{name} may not be NULL", "SELECT seq FROM judged WHERE verdict = 'inserted'")
    found = run(
        db,
        "SELECT conname, pg_get_expr(conbin, conrelid), ARRAY(SELECT attname::text FROM pg_attribute"
        " WHERE attrelid = conrelid AND attnum = ANY(conkey)) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype = 'c'",
        oid,
    ).fetchall()
    for name, expression, columns in found:
        if known.issuperset(columns):
            questions.append((f"CHECK {name}", f"NOT ({expression.replace('%', '%%')})"))
    for reason, question in questions:
        _refuse(db, reason, f"SELECT seq FROM ({rows}) AS written WHERE {question}")


def _typed(table: Table) -> list[tuple[int, Any]]:
    return list(enumerate(table.columns))


def _refuse(db: "Connection", reason: str, query: str) -> None:
    run(db, f"INSERT INTO refused (seq, reason) SELECT seq, {literal(reason)} FROM ({query}) AS found")
    run(db, "DELETE FROM judged WHERE seq IN (SELECT seq FROM refused)")


def _halve(db: "Connection", table: Table, write: Callable[[str], None], at_most: int) -> None:
    first, last = run(db, "SELECT min(seq), max(seq) + 1 FROM judged").fetchall()[0]
    waiting, refused = [(first, last)], 0
    while waiting:
        start, end = waiting.pop()
        reason = _tried(db, write, f"j.seq >= {start} AND j.seq < {end} AND s.seq >= {start} AND s.seq < {end}")
        if reason is None:
            continue
        if end - start > 1:
            middle = (start + end) // 2
            waiting += [(middle, end), (start, middle)]
            continue
        refused += 1
        if refused > at_most:
            raise ConfigError(
                f"table {table.path} refuses more than {at_most:,} rows of one window: {reason}",
                advice="drop the constraint or trigger that was added to the table, then run again",
            )
        _refuse(db, reason, f"SELECT {start}::bigint AS seq")


def keep(db: "Connection", schema: str, window: Window) -> int:
    """Put what is in `refused` into `_rejected`; give how many rows that is."""
    values = ", ".join(f"s.c{place}" for place in range(len(window.schema.fields)))
    last = -1
    while found := run(
        db,
        f"SELECT seq, {values} FROM staged s JOIN refused r USING (seq) WHERE r.row IS NULL AND seq > %s"
        f" ORDER BY seq LIMIT {_ROWS_AT_ONCE}",
        [last],
    ).fetchall():
        rows = [dict(zip(window.schema.names, row[1:], strict=True)) for row in found]
        keys = [as_json({key: row[key] for key in window.schema.key}) for row in rows]
        run(
            db,
            "UPDATE refused SET key = n.key::json, row = n.row::json"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS n (seq, key, row) WHERE refused.seq = n.seq",
            [[row[0] for row in found], keys, [as_json(row) for row in rows]],
        )
        last = found[-1][0]
    run(
        db,
        f'INSERT INTO {quoted(schema)}.{REJECTED} SELECT %s, %s, key, reason, "row", %s FROM refused',
        [window.stream, window.id, window.read_at],
    )
    return number(db, "SELECT count(*) FROM refused")

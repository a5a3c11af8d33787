"""How statements for Postgres are put together and sent: names, literals, and the one way to run them.

Apart from what the statements do. Names are shortened here, because Postgres cuts them silently: more than 63 bytes
would make two long names one. https://www.postgresql.org/docs/current/limits.html
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias

from syncengine.destinations.columns import mark_of

if TYPE_CHECKING:
    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

NAME_BYTES = 63


def short(name: str) -> str:
    """The name, or as much of it as fits and eight digits made from the whole: the same in every table and run."""
    text = name.encode()
    if len(text) <= NAME_BYTES:
        return name
    return text[: NAME_BYTES - 9].decode(errors="ignore") + "_" + mark_of(name)


def quoted(name: str) -> str:
    """An identifier of at most 63 bytes, whatever characters it has, for `run`."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def literal(text: str) -> str:
    """A string where no parameter may stand, for `run`."""
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


def run(db: "Connection", statement: str, values: Sequence[Any] = ()) -> "psycopg.Cursor[tuple[Any, ...]]":
    """Send one statement; `%s` stands for a value, `%%` for a per cent sign."""
    return db.execute(statement.encode(), values)


def number(db: "Connection", statement: str, values: Sequence[Any] = ()) -> int:
    """The one number that a query gives, 0 for NULL."""
    row = run(db, statement, values).fetchone()
    return int(row[0] or 0) if row else 0


def lock(db: "Connection", *names: str) -> None:
    """Wait until nobody else has these names, and keep them until the transaction ends.

    Always asked for in one order, so that two who want the same never wait for each other.
    """
    for key in sorted(int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True) for name in names):
        run(db, "SELECT pg_advisory_xact_lock(%s)", [key])


def table_columns(db: "Connection", schema: str, table: str) -> dict[str, str]:
    """Column -> SQL type, empty when there is no such table or view."""
    rows = run(
        db,
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        [schema, table],
    ).fetchall()
    return dict(rows)

"""The ledger of a DuckDB schema: which windows were applied, to whose tables, up to where streams are complete.

Apart from the destination, which opens the file, and from the merge, which knows rows: these are statements about two
relations, the table `_marketo_sync` with a row for each window ever applied, and the view `_marketo_cursor` of it.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from syncengine.destinations import Applied, Interval, Standing, Window
from syncengine.destinations.bookkeeping import COUNTS, CURSOR, LEDGER
from syncengine.errors import ConfigError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ADVICE = "give each instance a [destination] schema of its own"


def quoted(name: str) -> str:
    """An identifier, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string, where no parameter may stand."""
    return "'" + text.replace("'", "''") + "'"


def number(db: duckdb.DuckDBPyConnection, statement: str, values: Sequence[Any] = ()) -> int:
    """The one number that a query gives, or the rows that a statement touched; 0 for none."""
    # All rows are fetched: a result that is not at its end stands in the way of the next Arrow table.
    return int((db.execute(statement, list(values)).fetchall() or [(0,)])[0][0] or 0)


def table_columns(db: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    """Column -> SQL type, empty when there is no such table or view."""
    # DuckDB's own list of columns binds every view of its system catalog: 30 ms in each new connection. Unlike a
    # statement that fails, a table that cannot be bound leaves the transaction as it is.
    with suppress(duckdb.CatalogException, duckdb.BinderException):
        found = db.table(f"{quoted(schema)}.{quoted(table)}")
        return dict(zip(found.columns, map(str, found.types), strict=True))
    rows = db.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database()"
        " AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?) ORDER BY column_index",
        [schema, table],
    ).fetchall()
    return dict(rows)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one schema; `place` names the file to people. Each method takes an open connection to it."""

    schema: str
    place: str

    def exists(self, db: duckdb.DuckDBPyConnection) -> bool:
        """Whether anything was ever written here."""
        return bool(table_columns(db, self.schema, LEDGER))

    def create(self, db: duckdb.DuckDBPyConnection) -> None:
        """Make schema, ledger and cursor where they are missing, and give an older ledger the columns it lacks."""
        db.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self.schema)}")
        counts = ", ".join(f"{name} BIGINT" for name in COUNTS)
        db.execute(
            f"CREATE TABLE IF NOT EXISTS {self._table} (instance VARCHAR, stream VARCHAR, window_id VARCHAR,"
            " epoch BIGINT, window_start TIMESTAMPTZ, window_end TIMESTAMPTZ, read_at TIMESTAMPTZ, sha256 VARCHAR,"
            f" rows BIGINT, {counts}, committed_at TIMESTAMPTZ, PRIMARY KEY (instance, stream, window_id))"
        )
        for name in set(COUNTS) - table_columns(db, self.schema, LEDGER).keys():
            db.execute(f"ALTER TABLE {self._table} ADD COLUMN {name} BIGINT")
        db.execute(
            f"CREATE VIEW IF NOT EXISTS {quoted(self.schema)}.{CURSOR} AS SELECT instance, stream,"
            f" min(stretch_start) AS complete_from, arg_min(stretch_end, stretch_start) AS cursor"
            f" FROM ({self._stretches()}) GROUP BY instance, stream"
        )

    def standing(self, db: duckdb.DuckDBPyConnection, instance: str, stream: str) -> Standing:
        """Committed stretches, those that touch or overlap as one, and the highest epoch."""
        stretches = db.execute(
            f"SELECT epoch_us(stretch_start), epoch_us(stretch_end) FROM ({self._stretches()})"
            " WHERE instance = ? AND stream = ? ORDER BY stretch_start",
            [instance, stream],
        ).fetchall()
        intervals = tuple(Interval(_instant(start), _instant(end)) for start, end in stretches)
        return Standing(intervals, self.highest_epoch(db, instance, stream))

    def highest_epoch(self, db: duckdb.DuckDBPyConnection, instance: str, stream: str) -> int:
        """The last epoch that has written to the stream, 0 before any."""
        statement = f"SELECT coalesce(max(epoch), 0) FROM {self._table} WHERE instance = ? AND stream = ?"
        return number(db, statement, [instance, stream])

    def holds(self, db: duckdb.DuckDBPyConnection, instance: str, stream: str, window_id: str) -> bool:
        """Whether the window was applied."""
        statement = f"SELECT count(*) FROM {self._table} WHERE instance = ? AND stream = ? AND window_id = ?"
        return number(db, statement, [instance, stream, window_id]) > 0

    def claim(self, db: duckdb.DuckDBPyConnection, instance: str, stream: str) -> None:
        """Raise ConfigError when the stream's table is another's; names that differ in case are one table."""
        statement = f"SELECT DISTINCT instance, stream FROM {self._table} WHERE lower(stream) = lower(?)"
        owners = db.execute(statement, [stream]).fetchall()
        table = f"{self.schema}.{stream}"
        for owner, held in owners:
            if (owner, held) != (instance, stream):
                raise ConfigError(f"table {table} in {self.place} holds {held} of {owner}", advice=_ADVICE)
        if not owners and table_columns(db, self.schema, stream):
            raise ConfigError(f"table {table} in {self.place} was made by somebody else", advice=_ADVICE)

    def record(self, db: duckdb.DuckDBPyConnection, window: Window, applied: Applied) -> None:
        """Write down that the window was applied, and what that did."""
        values = {
            "instance": window.instance,
            "stream": window.stream,
            "window_id": window.id,
            "epoch": window.epoch,
            "window_start": window.start,
            "window_end": window.end,
            "read_at": window.read_at,
            "sha256": window.sha256,
            "rows": applied.rows,
            **{name: getattr(applied, name) for name in COUNTS},
        }
        places = ", ".join("?" * len(values))
        db.execute(
            f"INSERT INTO {self._table} ({', '.join(values)}, committed_at) VALUES ({places}, now())",
            list(values.values()),
        )

    @property
    def _table(self) -> str:
        return f"{quoted(self.schema)}.{LEDGER}"

    def _stretches(self) -> str:
        # A window opens a new stretch when it starts after all earlier ones have ended.
        by_start = "(PARTITION BY instance, stream ORDER BY window_start, window_end, window_id"
        return (
            "SELECT instance, stream, min(window_start) AS stretch_start, max(window_end) AS stretch_end FROM"
            f" (SELECT *, count(*) FILTER (WHERE opens) OVER {by_start}) AS stretch FROM"
            f" (SELECT *, coalesce(window_start > max(window_end) OVER {by_start}"
            f" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS opens FROM {self._table}))"
            " GROUP BY instance, stream, stretch"
        )


def _instant(microseconds: int) -> datetime:
    # DuckDB's own conversion of TIMESTAMPTZ needs a package that is not installed.
    return _EPOCH + timedelta(microseconds=microseconds)

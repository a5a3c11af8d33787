"""The ledger of a Postgres schema: which windows were applied, to whose tables, up to where streams are complete.

Apart from the destination, which opens connections, and from the merge, which knows rows.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncengine.destinations import Applied, Interval, Standing, Window
from syncengine.destinations.bookkeeping import COUNTS, CURSOR, LEDGER, MARKS, REJECTED, VIEWS
from syncengine.destinations.postgres_sql import lock, number, quoted, run, short, table_columns
from syncengine.errors import ConfigError

if TYPE_CHECKING:
    from syncengine.destinations.postgres_sql import Connection

_ADVICE = "give each instance a [destination] schema of its own"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one schema; `place` names the database to people. Each method takes an open connection to it."""

    schema: str
    place: str

    def exists(self, db: "Connection") -> bool:
        """Whether anything was ever written here."""
        return bool(table_columns(db, self.schema, VIEWS))

    def create(self, db: "Connection") -> None:
        """Make the schema and our tables where they are missing, in a transaction of its own."""
        if self.exists(db):
            return
        with db.transaction():
            lock(db, self.schema)  # two that create the same at once would both fail
            # Who may use a schema may not be allowed to make one, not even one that exists.
            if not number(db, "SELECT count(*) FROM pg_namespace WHERE nspname = %s", [self.schema]):
                run(db, f"CREATE SCHEMA {quoted(self.schema)}")
            for statement in self._definitions():
                run(db, statement)

    def _definitions(self) -> Iterator[str]:
        schema, counts = quoted(self.schema), ", ".join(f"{name} bigint" for name in COUNTS)
        yield (
            f"CREATE TABLE IF NOT EXISTS {self._table} (instance text, stream text, window_id text, epoch bigint,"
            " window_start timestamptz, window_end timestamptz, read_at timestamptz, sha256 text, rows bigint,"
            f" {counts}, committed_at timestamptz, PRIMARY KEY (instance, stream, window_id))"
        )
        yield (
            f"CREATE OR REPLACE VIEW {schema}.{CURSOR} AS SELECT instance, stream, min(stretch_start) AS complete_from,"
            " (array_agg(stretch_end ORDER BY stretch_start))[1] AS cursor"
            f" FROM ({self._stretches()}) AS stretches GROUP BY instance, stream"
        )
        yield (
            f"CREATE TABLE IF NOT EXISTS {schema}.{MARKS} (instance text, stream text, id bigint,"
            " deleted_at timestamptz, merged_into bigint, PRIMARY KEY (instance, stream, id))"
        )
        yield (
            f'CREATE TABLE IF NOT EXISTS {schema}.{REJECTED} (stream text, "window" text, key json, reason text,'
            ' "row" json, read_at timestamptz)'
        )
        yield (
            f"CREATE TABLE IF NOT EXISTS {schema}.{VIEWS} (instance text, name text, definition text,"
            " PRIMARY KEY (instance, name))"
        )

    def try_writing(self, db: "Connection") -> None:
        """Do what every window does, with nothing in it, and leave nothing."""
        with db.transaction(force_rollback=True):
            run(db, f"LOCK TABLE {self._table} IN ROW EXCLUSIVE MODE")
            run(db, "CREATE TEMP TABLE staged ()")

    def standing(self, db: "Connection", instance: str, stream: str) -> Standing:
        """Committed stretches, those that touch or overlap as one, and the highest epoch."""
        stretches = run(
            db,
            f"SELECT stretch_start, stretch_end FROM ({self._stretches()}) AS stretches"
            " WHERE instance = %s AND stream = %s ORDER BY stretch_start",
            [instance, stream],
        ).fetchall()
        return Standing(
            tuple(Interval(start, end) for start, end in stretches), self.highest_epoch(db, instance, stream)
        )

    def highest_epoch(self, db: "Connection", instance: str, stream: str) -> int:
        """The last epoch that has written to the stream, 0 before any."""
        statement = f"SELECT max(epoch) FROM {self._table} WHERE instance = %s AND stream = %s"
        return number(db, statement, [instance, stream])

    def holds(self, db: "Connection", instance: str, stream: str, window_id: str) -> bool:
        """Whether the window was applied."""
        statement = f"SELECT count(*) FROM {self._table} WHERE instance = %s AND stream = %s AND window_id = %s"
        return number(db, statement, [instance, stream, window_id]) > 0

    def claim(self, db: "Connection", instance: str, stream: str) -> None:
        """Raise ConfigError when the stream's table is another's.

        Names that differ in case are one table here too, so that a schema can be moved to any other destination.
        """
        # One statement, and so one moment: a first window that commits in between is not taken for somebody else's.
        found = run(
            db,
            f"SELECT DISTINCT instance, stream FROM {self._table} WHERE lower(stream) = lower(%s) UNION ALL"
            " SELECT NULL, NULL FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE n.nspname = %s AND relname = %s",
            [stream, self.schema, short(stream)],
        ).fetchall()
        table, owners = f"{self.schema}.{stream}", [owner for owner in found if owner[0] is not None]
        for owner, held in owners:
            if (owner, held) != (instance, stream):
                raise ConfigError(f"table {table} in {self.place} holds {held} of {owner}", advice=_ADVICE)
        is_ours = stream.lower() in {LEDGER, CURSOR, MARKS, REJECTED, VIEWS}
        if is_ours or (found and not owners):
            raise ConfigError(f"table {table} in {self.place} was made by somebody else", advice=_ADVICE)

    def record(self, db: "Connection", window: Window, applied: Applied) -> None:
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
        places = ", ".join(["%s"] * len(values))
        run(
            db,
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
            f" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS opens FROM {self._table}) AS ordered)"
            " AS numbered GROUP BY instance, stream, stretch"
        )

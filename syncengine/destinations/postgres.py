"""A schema of a Postgres database as a destination: connected to for each operation, one transaction a window.

Apart from the merge, which is SQL inside a transaction: here are the connection, its settings, the transaction and the
locks.

Rows are copied into temporary tables of the connection first. Then one transaction takes the stream's lock, looks at
epoch and ledger again, merges, and writes the ledger: of two runs that copy at the same time the older is refused.
Temporary tables need a connection of one's own: a pooler in front has to pool sessions, not transactions.

Names are Marketo's, quoted; of one longer than 63 bytes the beginning and a suffix made from the whole.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncengine.destinations import Applied, Guarantee, Standing, View, Window
from syncengine.destinations.postgres_errors import translated
from syncengine.destinations.postgres_ledger import Ledger
from syncengine.destinations.postgres_sql import lock, run, short
from syncengine.errors import ConfigError, DestinationFenced

if TYPE_CHECKING:
    import pyarrow as pa

    from syncengine.destinations.postgres_sql import Connection

CONNECT_SECONDS = 10
# A server that has vanished is noticed in about a minute, whatever the network says.
_PATIENCE = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 4,
}


class Postgres:
    """The tables of one instance in one schema of one database.

    `conninfo` is a connection string as libpq has them, a URI or `key=value` pairs; what it leaves out comes from the
    environment (PGHOST, PGPASSWORD, ...) and ~/.pgpass. Nothing is opened before the first operation, and nothing is
    held open between two. A window fails when a trigger, foreign key or index of the table's owner refuses more than
    `refused_at_most` of its rows, since these have to be found one by one.

    Raises ConfigError when psycopg is not installed, or the string cannot be read.
    """

    guarantee = Guarantee.TRANSACTIONAL

    def __init__(
        self,
        conninfo: str,
        *,
        schema: str = "marketo",
        lock_wait_seconds: float = 30.0,
        work_memory_bytes: int = 64_000_000,
        refused_at_most: int = 10_000,
    ) -> None:
        self._refused_at_most = refused_at_most
        parameters = _parameters(conninfo)
        self._parameters = {**_PATIENCE, "fallback_application_name": "syncengine", **parameters}
        self._password = str(parameters.get("password") or "")
        where = [str(parameters.get(name) or "") for name in ("host", "port", "dbname")]
        self._place = f"Postgres at {where[0] or 'localhost'}{':' * bool(where[1])}{where[1]}/{where[2]}"
        self._schema = short(schema)
        self._ledger = Ledger(self._schema, self._place)
        self._settings = {
            "timezone": "UTC",
            "datestyle": "ISO",
            "client_encoding": "UTF8",
            "lock_timeout": f"{lock_wait_seconds * 1000:.0f}ms",
            "statement_timeout": "0",  # a merge takes as long as it takes; a vanished server is noticed otherwise
            "idle_in_transaction_session_timeout": "0",
            "work_mem": f"{work_memory_bytes // 1024}kB",
        }

    def check(self) -> str:
        """Create the ledger where it is missing; name server, database and schema."""
        with self._connected() as db:
            self._ledger.create(db)
            self._ledger.try_writing(db)
            version = db.info.server_version
            return f"Postgres {version // 10_000}.{version % 10_000}, {self._place[12:]}, schema {self._schema}"

    def standing(self, instance: str, stream: str) -> Standing:
        """Committed stretches, those that touch or overlap as one, and the highest epoch."""
        with self._asked() as db:
            if db is None:
                return Standing()
            self._ledger.claim(db, instance, stream)
            return self._ledger.standing(db, instance, stream)

    def holds(self, instance: str, stream: str, window_id: str) -> bool:
        """Whether the ledger has the window."""
        with self._asked() as db:
            return db is not None and self._ledger.holds(db, instance, stream, window_id)

    def apply(self, window: Window) -> Applied:
        """Merge rows and marks and write the ledger in one transaction.

        Besides the protocol's errors raises ConfigError when the table is another instance's or was made by somebody
        else, would have more columns than Postgres allows, or refuses very many rows, and whatever the window's batches
        raise.
        """
        from syncengine.destinations.postgres_merge import merge
        from syncengine.destinations.postgres_stage import stage
        from syncengine.destinations.postgres_table import prepared

        with self._connected() as db:
            self._ledger.create(db)
            if self._may_not(db, window):
                return Applied(already=True)
            repeated = stage(db, window)
            with db.transaction():
                lock(db, *{f"{self._schema}.{stream.lower()}" for stream in _streams(window)})
                if self._may_not(db, window):
                    return Applied(already=True)
                table = prepared(db, self._schema, window)
                merged = merge(db, self._schema, window, table, refused_at_most=self._refused_at_most)
                applied = replace(merged, unchanged=merged.unchanged + repeated)
                self._ledger.record(db, window, applied)
            return applied

    def _may_not(self, db: "Connection", window: Window) -> bool:
        """Whether the window was applied before; raises when this run is too late, or a table another's."""
        if self._ledger.highest_epoch(db, window.instance, window.stream) > window.epoch:
            raise DestinationFenced(
                f"a later run has written {window.stream} of {window.instance} to {self._place}",
                advice="this run stops; the later one goes on",
            )
        if self._ledger.holds(db, window.instance, window.stream, window.id):
            return True
        for stream in _streams(window):
            self._ledger.claim(db, window.instance, stream)
        return False

    def keys(
        self,
        instance: str,
        stream: str,
        field: str,
        *,
        changed_after: datetime | None = None,
        only: tuple[str, Collection[int]] | None = None,
    ) -> "pa.Array[Any]":
        """The distinct values of a field of rows that live, sorted; empty if unknown."""
        import pyarrow as pa

        from syncengine.destinations.postgres_views import keys

        with self._asked() as db:
            if db is None:
                return pa.array([], pa.int64())
            self._ledger.claim(db, instance, stream)
            return keys(db, (self._schema, short(stream)), field, changed_after, only)

    def show(self, instance: str, views: Sequence[View]) -> bool:
        """Make these views and drop those that were made here before; one whose stream has no table waits for it."""
        from syncengine.destinations.postgres_views import show

        with self._connected() as db:
            self._ledger.create(db)
            with db.transaction():
                lock(db, self._schema)
                for stream in {view.stream for view in views}:
                    self._ledger.claim(db, instance, stream)
                show(db, self._schema, instance, views)
        return True

    def close(self) -> None:
        """Nothing is held between operations."""

    @contextmanager
    def _connected(self) -> Iterator["Connection"]:
        import psycopg

        try:
            with psycopg.connect(**self._parameters, autocommit=True, prepare_threshold=None) as db:
                values = [text for setting in self._settings.items() for text in setting]
                run(db, "SELECT " + ", ".join(["set_config(%s, %s, false)"] * len(self._settings)), values)
                yield db
        except psycopg.Error as error:
            raise translated(error, self._place, self._password) from error

    @contextmanager
    def _asked(self) -> Iterator["Connection | None"]:
        # A question makes nothing that is not there.
        with self._connected() as db:
            yield db if self._ledger.exists(db) else None


def _streams(window: Window) -> set[str]:
    return {window.stream, *([window.marks.stream] if window.marks else [])}


def _parameters(conninfo: str) -> dict[str, Any]:
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise ConfigError(
            "the destination postgres needs psycopg", advice="pip install 'syncengine[postgres]'"
        ) from error
    try:
        return dict(conninfo_to_dict(conninfo))
    except psycopg.ProgrammingError:
        # Its words quote the string, and the string has a password.
        raise ConfigError(
            "the connection string of the destination cannot be read",
            advice="write postgresql://user@host:5432/database, with %-escapes for signs in the password",
        ) from None

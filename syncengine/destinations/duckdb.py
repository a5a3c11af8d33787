"""A DuckDB file as a destination: opened for each operation and closed after it, so that others read in between.

Apart from the merge, which is SQL inside a transaction: here are the file, its lock, the ledger and the errors.

DuckDB lets one process write and then nobody else read, hence the opening and closing; a file that another process
holds is waited for, for a bounded time. https://duckdb.org/docs/stable/connect/concurrency
The ledger `_marketo_sync` has a row for each window ever applied; `_marketo_cursor` is a view of it, up to where each
stream is complete. Extensions are never installed or loaded: nothing here reaches for a network.
"""

# ruff: noqa: S608  # statements are put together from our own text: identifiers are quoted, values are parameters

import math
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from syncengine.destinations import Applied, Guarantee, Interval, Standing, Window
from syncengine.destinations.duckdb_merge import merge, prepare_table, quoted, table_columns
from syncengine.errors import ConfigError, DestinationFenced, DestinationUnavailable, NoSpace, SyncEngineError

LEDGER = "_marketo_sync"
CURSOR = "_marketo_cursor"

LOCK_POLL_SECONDS = 0.25

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_SPACE = ("no space left on device", "disk quota exceeded", "max_temp_directory_size", "file too large")


class DuckDB:
    """The tables of one instance in one schema of one DuckDB file."""

    guarantee = Guarantee.TRANSACTIONAL

    def __init__(
        self,
        path: Path,
        *,
        schema: str = "marketo",
        lock_wait_seconds: float = 30.0,
        memory_bytes: int = 512_000_000,
        threads: int = 2,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._path = path.absolute()
        self._schema = schema
        self._lock_tries = 1 + math.ceil(lock_wait_seconds / LOCK_POLL_SECONDS)
        self._closing = threading.Event()
        self._pause = pause or self._closing.wait
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "memory_limit": f"{memory_bytes}B",
            "threads": threads,
            "preserve_insertion_order": False,
            "temp_directory": f"{self._path}.tmp",
        }

    def check(self) -> str:
        """Create the ledger where it is missing; name the database and the schema."""
        with self._transaction():
            return f"DuckDB {duckdb.__version__}, {self._path}, schema {self._schema}"

    def standing(self, instance: str, stream: str) -> Standing:
        """Committed stretches, those that touch or overlap as one, and the highest epoch."""
        if not self._path.exists():
            return Standing()
        with self._connected() as db:
            if not table_columns(db, self._schema, LEDGER):
                return Standing()
            self._claim(db, instance, stream)
            stretches = db.execute(
                f"SELECT epoch_us(stretch_start), epoch_us(stretch_end) FROM ({self._stretches()})"
                " WHERE instance = ? AND stream = ? ORDER BY stretch_start",
                [instance, stream],
            ).fetchall()
            return Standing(
                tuple(Interval(_instant(start), _instant(end)) for start, end in stretches),
                self._highest_epoch(db, instance, stream),
            )

    def holds(self, instance: str, stream: str, window_id: str) -> bool:
        """Whether the ledger has the window."""
        if not self._path.exists():
            return False
        with self._connected() as db:
            return bool(table_columns(db, self._schema, LEDGER)) and self._holds(db, instance, stream, window_id)

    def apply(self, window: Window) -> Applied:
        """Merge rows and write the ledger in one transaction.

        Besides the protocol's errors raises ConfigError when the table is another instance's or was made by somebody
        else, and whatever the window's batches raise.
        """
        with self._transaction() as db:
            if self._highest_epoch(db, window.instance, window.stream) > window.epoch:
                raise DestinationFenced(
                    f"a later run has written {window.stream} of {window.instance} to {self._path}",
                    advice="this run stops; the later one goes on",
                )
            if self._holds(db, window.instance, window.stream, window.id):
                return Applied(already=True)
            self._claim(db, window.instance, window.stream)
            applied = merge(db, window, prepare_table(db, self._schema, window))
            self._record(db, window, applied)
            return applied

    def close(self) -> None:
        """Stop waiting for a lock; nothing else is held between operations."""
        self._closing.set()

    @contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            db = self._connect()
            try:
                # An instant whose column has become text is written in UTC; a bar would print into the user's answers.
                db.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
                yield db
            finally:
                db.close()
        except duckdb.Error as error:
            raise translated(error, self._path) from error

    def _connect(self) -> duckdb.DuckDBPyConnection:
        for _ in range(self._lock_tries - 1):
            try:
                return duckdb.connect(str(self._path), config=self._config)
            except duckdb.IOException as error:
                if not _is_lock(error) or self._closing.is_set():
                    raise
            self._pause(LOCK_POLL_SECONDS)
        return duckdb.connect(str(self._path), config=self._config)

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._connected() as db:
            db.begin()
            self._create_ledger(db)
            yield db
            db.commit()  # whatever leaves the block otherwise closes the connection, and that rolls back

    def _create_ledger(self, db: duckdb.DuckDBPyConnection) -> None:
        db.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self._schema)}")
        db.execute(
            f"CREATE TABLE IF NOT EXISTS {self._ledger} (instance VARCHAR, stream VARCHAR, window_id VARCHAR,"
            " epoch BIGINT, window_start TIMESTAMPTZ, window_end TIMESTAMPTZ, read_at TIMESTAMPTZ, sha256 VARCHAR,"
            " rows BIGINT, inserted BIGINT, changed BIGINT, unchanged BIGINT, outdated BIGINT,"
            " committed_at TIMESTAMPTZ, PRIMARY KEY (instance, stream, window_id))"
        )
        db.execute(
            f"CREATE VIEW IF NOT EXISTS {quoted(self._schema)}.{CURSOR} AS SELECT instance, stream,"
            f" min(stretch_start) AS complete_from, arg_min(stretch_end, stretch_start) AS cursor"
            f" FROM ({self._stretches()}) GROUP BY instance, stream"
        )

    @property
    def _ledger(self) -> str:
        return f"{quoted(self._schema)}.{LEDGER}"

    def _stretches(self) -> str:
        # A window opens a new stretch when it starts after all earlier ones have ended.
        by_start = "(PARTITION BY instance, stream ORDER BY window_start, window_end, window_id"
        return (
            "SELECT instance, stream, min(window_start) AS stretch_start, max(window_end) AS stretch_end FROM"
            f" (SELECT *, count(*) FILTER (WHERE opens) OVER {by_start}) AS stretch FROM"
            f" (SELECT *, coalesce(window_start > max(window_end) OVER {by_start}"
            f" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS opens FROM {self._ledger}))"
            " GROUP BY instance, stream, stretch"
        )

    def _highest_epoch(self, db: duckdb.DuckDBPyConnection, instance: str, stream: str) -> int:
        statement = f"SELECT coalesce(max(epoch), 0) FROM {self._ledger} WHERE instance = ? AND stream = ?"
        row = db.execute(statement, [instance, stream]).fetchone()
        return int(row[0]) if row else 0

    def _holds(self, db: duckdb.DuckDBPyConnection, instance: str, stream: str, window_id: str) -> bool:
        statement = f"SELECT 1 FROM {self._ledger} WHERE instance = ? AND stream = ? AND window_id = ?"
        return db.execute(statement, [instance, stream, window_id]).fetchone() is not None

    def _claim(self, db: duckdb.DuckDBPyConnection, instance: str, stream: str) -> None:
        statement = f"SELECT DISTINCT instance, stream FROM {self._ledger} WHERE lower(stream) = lower(?)"
        owners = db.execute(statement, [stream]).fetchall()
        table = f"{self._schema}.{stream}"
        advice = "give each instance a [destination] schema of its own"
        for owner, held in owners:
            if (owner, held) != (instance, stream):
                raise ConfigError(f"table {table} in {self._path} holds {held} of {owner}", advice=advice)
        if not owners and table_columns(db, self._schema, stream):
            raise ConfigError(f"table {table} in {self._path} was made by somebody else", advice=advice)

    def _record(self, db: duckdb.DuckDBPyConnection, window: Window, applied: Applied) -> None:
        db.execute(
            f"INSERT INTO {self._ledger} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, now())",
            [
                *(window.instance, window.stream, window.id, window.epoch, window.start, window.end, window.read_at),
                *(window.sha256, applied.rows, applied.inserted, applied.changed, applied.unchanged, applied.outdated),
            ],
        )


def translated(error: duckdb.Error, path: Path) -> SyncEngineError:
    """DuckDB's error as ours; its text is left out where it might quote a row's values."""
    text = str(error)
    if any(sign in text.lower() for sign in _NO_SPACE):
        return NoSpace(f"the disk is full at {path.parent}; nothing was applied", advice="free room, then run again")
    if _is_lock(error):
        holder = re.search(r"held in (.+?\(PID \d+\))", text)
        return DestinationUnavailable(
            f"{path} is in use by {holder[1] if holder else 'another process'}",
            advice="close it there, or read with a program that lets go of the file, then run again",
        )
    if isinstance(error, duckdb.DataError | duckdb.IntegrityError):
        return DestinationUnavailable(f"{path} refused a value ({type(error).__name__}); nothing was applied")
    return DestinationUnavailable(f"{path}: {text.splitlines()[0]}; nothing was applied")


def _is_lock(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.IOException) and "could not set lock" in str(error).lower()


def _instant(microseconds: int) -> datetime:
    # DuckDB's own conversion of TIMESTAMPTZ needs a package that is not installed.
    return _EPOCH + timedelta(microseconds=microseconds)

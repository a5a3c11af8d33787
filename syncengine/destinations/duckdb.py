"""A DuckDB file as a destination: opened for each operation and closed after it, so that others read in between.

Apart from the merge, which is SQL inside a transaction: here are the file, its lock, the transaction and the errors.

DuckDB lets one process write and then nobody else read, hence the opening and closing; a file that another process
holds is waited for, for a bounded time. https://duckdb.org/docs/stable/connect/concurrency
Beside the streams' tables there are the ledger `_marketo_sync` and a view of it, `_marketo_cursor`, up to where each
stream is complete; `_rejected` for rows that no table holds; and for ourselves `_marketo_marks` and `_marketo_views`.
Extensions are never installed or loaded: nothing here reaches for a network.
"""

import math
import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from syncengine.destinations import Applied, Guarantee, Standing, View, Window
from syncengine.destinations.duckdb_ledger import Ledger
from syncengine.destinations.duckdb_marks import create_marks
from syncengine.destinations.duckdb_merge import merge
from syncengine.destinations.duckdb_refused import create_rejected
from syncengine.destinations.duckdb_stage import stage
from syncengine.destinations.duckdb_table import Table, planned
from syncengine.destinations.duckdb_views import create_views, keys, show
from syncengine.errors import DestinationFenced, DestinationUnavailable, NoSpace, SyncEngineError

if TYPE_CHECKING:
    import pyarrow as pa

LOCK_POLL_SECONDS = 0.25

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
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        """`turn`, a re-entrant lock, is shared by all that open the same file in this process."""
        self._path = path.absolute()
        self._schema = schema
        self._ledger = Ledger(schema, str(self._path))
        self._lock_tries = 1 + math.ceil(lock_wait_seconds / LOCK_POLL_SECONDS)
        self._closing = threading.Event()
        # One connection at a time: DuckDB refuses a file that another thread opens while it is being closed.
        self._turn = turn or threading.RLock()
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
        with self._connected() as db, self._transaction(db):
            return f"DuckDB {duckdb.__version__}, {self._path}, schema {self._schema}"

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

        Rows are read into temporary tables before it begins: nobody else can write while this process has the file.
        Besides the protocol's errors raises ConfigError when the table is another instance's or was made by somebody
        else, and whatever the window's batches raise.
        """
        with self._connected() as db:
            with self._transaction(db):
                if self._ledger.highest_epoch(db, window.instance, window.stream) > window.epoch:
                    raise DestinationFenced(
                        f"a later run has written {window.stream} of {window.instance} to {self._path}",
                        advice="this run stops; the later one goes on",
                    )
                if self._ledger.holds(db, window.instance, window.stream, window.id):
                    return Applied(already=True)
                for stream in {window.stream, *([window.marks.stream] if window.marks else [])}:
                    self._ledger.claim(db, window.instance, stream)
                table = planned(db, self._schema, window)
            repeated = stage(db, window, table)
            try:
                return self._merged(db, window, table, repeated)
            except duckdb.ConversionException:
                return self._merged(db, window, table, repeated, doubt_json=True)

    def _merged(
        self, db: duckdb.DuckDBPyConnection, window: Window, table: Table, repeated: int, *, doubt_json: bool = False
    ) -> Applied:
        with self._transaction(db):
            merged = merge(db, self._schema, window, table, doubt_json=doubt_json)
            applied = replace(merged, unchanged=merged.unchanged + repeated)
            self._ledger.record(db, window, applied)
        return applied

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

        with self._asked() as db:
            if db is None:
                return pa.array([], pa.int64())
            self._ledger.claim(db, instance, stream)
            return keys(db, (self._schema, stream), field, changed_after, only)

    def show(self, instance: str, views: Sequence[View]) -> bool:
        """Make these views and drop those that were made here before; one whose stream has no table waits for it."""
        with self._connected() as db, self._transaction(db):
            for stream in {view.stream for view in views}:
                self._ledger.claim(db, instance, stream)
            show(db, self._schema, instance, views)
        return True

    def close(self) -> None:
        """Stop waiting for a lock; nothing else is held between operations."""
        self._closing.set()

    @contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._turn:
            yield from self._opened()

    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
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
    def _asked(self) -> Iterator[duckdb.DuckDBPyConnection | None]:
        # A question makes no file, and changes none.
        if not self._path.exists():
            yield None
            return
        with self._connected() as db:
            yield db if self._ledger.exists(db) else None

    @contextmanager
    def _transaction(self, db: duckdb.DuckDBPyConnection) -> Iterator[None]:
        db.begin()
        try:
            self._ledger.create(db)
            for create in (create_marks, create_rejected, create_views):
                create(db, self._schema)
            yield
            db.commit()
        except BaseException:
            # A commit that failed has ended it already; a connection that is lost rolls back on its own.
            with suppress(duckdb.Error):
                db.rollback()
            raise


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
        return DestinationUnavailable(
            f"{path} refused a value ({type(error).__name__}); nothing was applied",
            advice="drop the constraint or index that was added to the stream's table, then run again",
        )
    return DestinationUnavailable(f"{path}: {text.splitlines()[0]}; nothing was applied")


def _is_lock(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.IOException) and "could not set lock" in str(error).lower()

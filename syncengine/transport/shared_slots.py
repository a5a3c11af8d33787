"""A book in a SQLite file: how the commands that run side by side on one machine keep one limit together.

A file of its own beside the journal, so that a long journal transaction never delays a call. `synchronous=NORMAL`
loses at most the last moments at a power cut; a boot id that differs from the file's closes the window for one window
length, which is all that a lost slot could have meant. A process that dies leaves rows, not locks.
"""

import sqlite3
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import astuple
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from syncengine.errors import NoSpace, StateUnusable
from syncengine.threads import run_blocking
from syncengine.transport.book import Book, Slot, Spent, Throttle, Waiter

T = TypeVar("T")

SCHEMA_VERSION = 1
BUSY_SECONDS = 30.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS boots (instance TEXT PRIMARY KEY, boot_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS slots (
    instance TEXT NOT NULL, key INTEGER NOT NULL, holder TEXT NOT NULL, name TEXT NOT NULL,
    sent_at REAL NOT NULL, deadline REAL NOT NULL, window_free_at REAL, flight_free_at REAL,
    PRIMARY KEY (instance, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waiters (
    instance TEXT NOT NULL, key TEXT NOT NULL, holder TEXT NOT NULL, rank REAL NOT NULL, asks_again_at REAL NOT NULL,
    PRIMARY KEY (instance, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS throttles (
    instance TEXT NOT NULL, key TEXT NOT NULL, share REAL NOT NULL, cut_at REAL NOT NULL,
    PRIMARY KEY (instance, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (
    instance TEXT NOT NULL, key TEXT NOT NULL, calls INTEGER NOT NULL, export_bytes INTEGER NOT NULL,
    PRIMARY KEY (instance, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (
    instance TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (instance, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pauses (
    instance TEXT NOT NULL, key TEXT NOT NULL, until TEXT NOT NULL, PRIMARY KEY (instance, key)) WITHOUT ROWID;
"""

# How each part of a book becomes the columns after (instance, key), and back.
PARTS: Mapping[str, tuple[Callable[[Any], tuple[Any, ...]], Callable[..., Any]]] = {
    "slots": (lambda row: astuple(row)[1:], Slot),
    "waiters": (lambda row: astuple(row)[1:], Waiter),
    "throttles": (astuple, lambda _key, *rest: Throttle(*rest)),
    "spent": (astuple, lambda _key, *rest: Spent(*rest)),
    "marks": (lambda at: (at,), lambda _key, at: at),
    "pauses": (lambda until: (until.isoformat(),), lambda _key, until: datetime.fromisoformat(until)),
}


class SharedSlotStore:
    """The book of one instance in the SQLite file at `path`."""

    def __init__(self, path: Path, instance: str, boot_id: str, *, window_seconds: float, now: float) -> None:
        """Open or create the file. Raises StateUnusable when it is not usable, NoSpace when the disk is full."""
        self._instance = instance
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="slots")
        with _translated(path):
            # Private from its first byte; one that is there keeps its mode. What is wrong, SQLite says on opening.
            with suppress(OSError):
                path.touch(mode=0o600, exist_ok=False)
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._path = path
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=NORMAL")
                self._prepare(boot_id, closed_until=now + window_seconds)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, boot_id: str, *, closed_until: float) -> None:
        with self._transaction():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise StateUnusable(
                    f"{self._path} was written by a newer syncengine (schema {version}, this one knows "
                    f"{SCHEMA_VERSION}).",
                    advice="Upgrade syncengine, or use another state folder.",
                )
            for statement in SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            row = self._db.execute("SELECT boot_id FROM boots WHERE instance=?", (self._instance,)).fetchone()
            if row is not None and row[0] == boot_id:
                return
            # Monotonic times of another boot mean nothing here: start again, closed for as long as they could matter.
            for part in ("slots", "waiters", "throttles", "marks"):
                self._db.execute(f"DELETE FROM {part} WHERE instance=?", (self._instance,))  # noqa: S608  # our names
            if row is not None:
                self._db.execute("INSERT INTO marks VALUES (?, 'closed_until', ?)", (self._instance, closed_until))
            self._db.execute("INSERT OR REPLACE INTO boots VALUES (?, ?)", (self._instance, boot_id))

    async def transact(self, change: Callable[[Book], T]) -> T:
        """Run `change` on the book in one IMMEDIATE transaction."""
        return await run_blocking(lambda: self._transact(change), self._thread)

    async def close(self) -> None:
        """Close the file."""
        await run_blocking(self._db.close, self._thread)
        self._thread.shutdown()

    def _transact(self, change: Callable[[Book], T]) -> T:
        with _translated(self._path), self._transaction():
            before: dict[str, Any] = {part: self._read(part) for part in PARTS}
            book = Book(**{part: dict(rows) for part, rows in before.items()})
            result = change(book)
            for part, rows in before.items():
                self._write(part, rows, getattr(book, part))
            return result

    def _read(self, part: str) -> dict[Hashable, Any]:
        load = PARTS[part][1]
        rows = self._db.execute(f"SELECT * FROM {part} WHERE instance=?", (self._instance,))  # noqa: S608  # our names
        return {key: load(key, *rest) for _, key, *rest in rows}

    def _write(self, part: str, before: Mapping[Hashable, Any], after: Mapping[Hashable, Any]) -> None:
        dump = PARTS[part][0]
        for key in before.keys() - after.keys():
            self._db.execute(f"DELETE FROM {part} WHERE instance=? AND key=?", (self._instance, key))  # noqa: S608  # our names
        for key, row in after.items():
            if before.get(key) is not row:
                values = (self._instance, key, *dump(row))
                marks = ", ".join("?" * len(values))
                self._db.execute(f"INSERT OR REPLACE INTO {part} VALUES ({marks})", values)  # noqa: S608  # our names

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # SQLite has ended the transaction by itself where it found the disk full.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise NoSpace(
                f"The disk that holds {path} is full.", advice="Free some room and run the same command again."
            ) from error
        raise StateUnusable(
            f"{path} cannot be used: {error}.",
            advice="Check the folder's permissions, and that it lies on a local disk.",
        ) from error
    except sqlite3.DatabaseError as error:
        raise StateUnusable(
            f"{path} is damaged: {error}.",
            advice="It holds only the limiter's present state: stop all syncengine processes and delete it.",
        ) from error

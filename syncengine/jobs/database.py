"""One SQLite file: made whole, opened with care, and touched by one thread only.

Theory of operation
-------------------
*Whole or absent.* A new file is built beside its place, synced, and linked in; of two processes that do so at once the
first wins and the other opens the winner's. So a file that is there but empty, or not a database, was damaged: it is
refused and never made anew, because an empty journal would repeat what a lost one knew to be done. The same holds for
a write-ahead log whose database is missing: SQLite would play it into whatever file comes next.

*Durable.* WAL with `synchronous=FULL`: a transaction that returned survives a power cut
(https://www.sqlite.org/pragma.html#pragma_synchronous). Writers begin with BEGIN IMMEDIATE: they wait for each other at
the beginning, where `busy_timeout` works, and never fail in the middle.

*Versions.* `meta` holds the number of the last migration. A newer file is refused. An older one is copied first and
then brought up in one transaction.

*Errors.* `translated` is the only place that knows SQLite's codes.

Separate from the statements so that any store on SQLite shares one way to open, upgrade and fail.
"""

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio

from syncengine.errors import NoSpace, StateUnusable, SyncEngineError
from syncengine.threads import run_blocking

T = TypeVar("T")

BUSY_SECONDS = 30.0
FREE_BYTES_MIN = 1_000_000  # below this an I/O error of SQLite means a full disk: shared memory cannot grow either
CREATE_META = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
READ_VERSION = "SELECT value FROM meta WHERE name = 'schema_version'"
WRITE_VERSION = "INSERT OR REPLACE INTO meta (name, value) VALUES ('schema_version', ?)"
RESTORE = (
    "Stop every syncengine on this folder and keep a copy of it. Then put a backup of {path} back, or move it away "
    "together with its -wal and -shm files: a new journal is made at the next start. What a destination holds, "
    "its own ledger still knows; work that was sent and not yet confirmed is forgotten with the journal."
)


class Database:
    """The open file. `read` and `write` run a plain function on its connection, in its thread."""

    def __init__(self, path: Path, migrations: Sequence[str], *, busy_seconds: float, synchronous: str) -> None:
        self.path = path
        self._migrations = migrations
        self._busy_seconds = busy_seconds
        self._synchronous = synchronous
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"sqlite-{path.stem}")
        self._connection: sqlite3.Connection | None = None

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query` in one transaction: all that it reads is of one moment."""
        return await run_blocking(partial(self._transact, "BEGIN", query), self._thread)

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change` in one transaction, durable when this returns; an exception leaves nothing of it."""
        return await run_blocking(partial(self._transact, "BEGIN IMMEDIATE", change), self._thread)

    async def open(self) -> None:
        """Find or make the file, and bring it up to date."""
        await run_blocking(self._open, self._thread)

    async def close(self) -> None:
        """Give back the connection and the thread."""
        await run_blocking(self._close, self._thread)
        self._thread.shutdown()

    def _transact(self, begin: str, function: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        assert connection is not None, "the database is not open"
        with translated(self.path, self._busy_seconds):
            return transact(connection, begin, function)

    def _open(self) -> None:
        with translated(self.path, self._busy_seconds):
            if not self.path.exists():
                create(self.path, self._migrations)
            if self.path.stat().st_size == 0:
                raise damaged(self.path, "it is empty")
            self._connection = connect(self.path, self._busy_seconds, self._synchronous)
            found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise damaged(self.path, found.splitlines()[-1])
            upgrade(self._connection, self.path, self._migrations)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@asynccontextmanager
async def open_database(
    path: Path, migrations: Sequence[str], *, busy_seconds: float = BUSY_SECONDS, synchronous: str = "FULL"
) -> AsyncIterator[Database]:
    """The database at `path`, made by the SQL texts in `migrations`, of which each brings the schema up by one.

    Raises StateUnusable for a file that is newer than the migrations, damaged, not writable, or locked for longer than
    `busy_seconds`; NoSpace when the disk is full.
    """
    database = Database(path, migrations, busy_seconds=busy_seconds, synchronous=synchronous)
    try:
        await database.open()
        yield database
    finally:
        with anyio.CancelScope(shield=True):
            await database.close()


def connect(path: Path, busy_seconds: float, synchronous: str) -> sqlite3.Connection:
    """A connection in autocommit mode: transactions begin and end where they are written."""
    # mode=rw: a file that vanishes between the check and here is an error, not a fresh one.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout = {round(busy_seconds * 1000)}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def transact(connection: sqlite3.Connection, begin: str, function: Callable[[sqlite3.Connection], T]) -> T:
    """Run `function` between `begin` and COMMIT; any exception rolls back."""
    connection.execute(begin)
    try:
        result = function(connection)
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have rolled back by itself already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def create(path: Path, migrations: Sequence[str]) -> None:
    """Put a new, whole database at `path`, unless another process does so first."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise damaged(path, f"it is missing while its log {log.name} is there")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    fresh = folder / path.name
    try:
        fresh.touch(mode=0o600)  # SQLite gives its log files the mode of the database
        with closing(connect(fresh, BUSY_SECONDS, "FULL")) as connection:
            transact(connection, "BEGIN IMMEDIATE", partial(migrate, migrations=migrations))
            # Closing would move the log into the file as well, but says nothing when the disk is too full for it.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sync(fresh)
        with suppress(FileExistsError):
            os.link(fresh, path)
        sync(path.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def upgrade(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    """Apply what is missing, after a copy; raises StateUnusable for a file of a later release."""
    version = version_of(connection, path)
    if version > len(migrations):
        raise StateUnusable(
            f"{path} was written by a newer syncengine (schema {version}, this one knows {len(migrations)})",
            advice="Upgrade syncengine, or point [state] at another folder.",
        )
    if version < len(migrations):
        back_up(connection, path.with_name(f"{path.name}.v{version}.backup"))
        transact(connection, "BEGIN IMMEDIATE", partial(migrate, migrations=migrations, path=path))


def migrate(connection: sqlite3.Connection, migrations: Sequence[str], path: Path | None = None) -> None:
    """Run the migrations that this database has not seen; asked again inside the transaction, others migrate too."""
    if path is None:
        connection.execute(CREATE_META)
        version = 0
    else:
        version = version_of(connection, path)
    for script in migrations[version:]:
        for statement in statements(script):
            connection.execute(statement)
    connection.execute(WRITE_VERSION, (str(len(migrations)),))


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The number of the last migration that this file has seen."""
    tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]
    row = connection.execute(READ_VERSION).fetchone() if tables else None
    if row is None or not str(row[0]).isdecimal():
        raise damaged(path, "it has no schema version")
    return int(row[0])


def statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: sqlite3's executescript would commit the open transaction first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def back_up(connection: sqlite3.Connection, target: Path) -> None:
    """A consistent copy of the open database, whole or absent."""
    partial_copy = target.with_name(f"{target.name}.{os.getpid()}")
    partial_copy.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(partial_copy)) as copy:
            connection.backup(copy)
        sync(partial_copy)
        partial_copy.replace(target)
        sync(target.parent)
    finally:
        partial_copy.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Make a file's content, or a folder's list of names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damaged(path: Path, finding: str) -> StateUnusable:
    """The refusal of a file that cannot be trusted."""
    return StateUnusable(f"{path} is damaged: {finding}", advice=RESTORE.format(path=path))


@contextmanager
def translated(path: Path, busy_seconds: float) -> Iterator[None]:
    """SQLite's errors and the file system's as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise translation(path, busy_seconds, error) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise no_space(path) from error
        raise StateUnusable(
            f"{path} cannot be used: {error.strerror}", advice=f"Check the folder {path.parent} and its owner."
        ) from error


def translation(path: Path, busy_seconds: float, error: sqlite3.Error) -> SyncEngineError:
    """Our error for one of SQLite's (https://www.sqlite.org/rescode.html)."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the low byte is the primary code
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StateUnusable(
            f"{path} has been locked by another program for more than {busy_seconds:g} s",
            advice="Close whatever else has it open (a backup, a database browser), then run again.",
        )
    if code == sqlite3.SQLITE_FULL or (code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and is_full(path)):
        return no_space(path)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, str(error))
    return StateUnusable(
        f"{path} cannot be used: {error}", advice=f"Check the folder {path.parent}, its owner and its disk."
    )


def no_space(path: Path) -> NoSpace:
    """The refusal of a full disk."""
    return NoSpace(
        f"no room on the disk for {path}; everything written before is kept", advice="Free some room, then run again."
    )


def is_full(path: Path) -> bool:
    """Whether the disk has next to nothing left."""
    try:
        return shutil.disk_usage(path.parent).free < FREE_BYTES_MIN
    except OSError:
        return False

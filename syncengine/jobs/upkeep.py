"""What keeps a journal small and safe: what ended long ago is removed, the file compacted, a copy taken.

All of it beside runs that go on. Only rows that no move can touch any more are removed, in one transaction; whoever
runs meanwhile waits for it as for any other. Apart from the store, which does what runs need.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from syncengine.jobs.database import BUSY_SECONDS, connect, sync, translated
from syncengine.jobs.inspection import look
from syncengine.jobs.job import Job
from syncengine.jobs.lease import Lease
from syncengine.jobs.rows import job_of, lease_of, text_of
from syncengine.jobs.sql import JOB_COLUMNS, LEASE_COLUMNS

Key = tuple[str, str]  # instance and id

EVERY_JOB = f"SELECT {JOB_COLUMNS}, finished FROM jobs"  # noqa: S608  # our own columns
EVERY_HELD_LEASE = f"SELECT {LEASE_COLUMNS} FROM leases WHERE holder IS NOT NULL"  # noqa: S608  # our own columns
COUNT_HISTORY = "SELECT count(*) FROM history WHERE instance = ? AND job_id = ?"
REMOVE_HISTORY = (
    "DELETE FROM history WHERE instance = ? AND job_id = ?"
    " AND EXISTS (SELECT 1 FROM jobs WHERE instance = history.instance AND id = job_id AND finished = 1)"
)
REMOVE_JOB = "DELETE FROM jobs WHERE instance = ? AND id = ? AND finished = 1"
# The latest run of each kind stays, so that ids of runs only grow too.
OLD_RUNS = (
    "FROM runs WHERE outcome IS NOT NULL AND ended_at < ? AND id < (SELECT max(later.id) FROM runs AS later"
    " WHERE later.instance = runs.instance AND later.kind = runs.kind)"
)
LATEST = "SELECT max(at) FROM history"

# Of all jobs, finished ones marked so, those that nothing needs any more.
Choice = Callable[[Iterable[tuple[Job, bool]]], Collection[Key]]


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, or would be: jobs by instance and id, their moves, and runs."""

    jobs: Collection[Key]
    moves: int
    runs: int


def latest(connection: sqlite3.Connection) -> datetime | None:
    """When the last move was made, by the clock of whoever made it; None before any."""
    (found,) = connection.execute(LATEST).fetchone()
    return datetime.fromisoformat(found) if found else None


def outlived(connection: sqlite3.Connection, before: datetime, choose: Choice) -> Removed:
    """What `remove` would take away."""
    jobs = choose(every_job(connection))
    moves = sum(connection.execute(COUNT_HISTORY, key).fetchone()[0] for key in jobs)
    (runs,) = connection.execute(f"SELECT count(*) {OLD_RUNS}", (text_of(before),)).fetchone()
    return Removed(jobs, moves, runs)


def remove(connection: sqlite3.Connection, before: datetime, choose: Choice) -> Removed:
    """Take away the finished jobs that `choose` names, with their moves, and old runs that ended before an instant.

    To be called in a transaction that writes: nobody moves a job between the choice and the end.
    """
    jobs = choose(every_job(connection))
    moves = connection.executemany(REMOVE_HISTORY, jobs).rowcount if jobs else 0
    if jobs:
        connection.executemany(REMOVE_JOB, jobs)
    runs = connection.execute(f"DELETE {OLD_RUNS}", (text_of(before),)).rowcount
    return Removed(jobs, moves, runs)


def every_job(connection: sqlite3.Connection) -> Iterator[tuple[Job, bool]]:
    """The jobs of all instances, finished ones marked so; raises StateUnusable for one that makes no sense."""
    for *row, finished in connection.execute(EVERY_JOB):
        yield job_of(row), bool(finished)


def held_leases(connection: sqlite3.Connection) -> list[Lease]:
    """The leases of all instances that somebody holds, dead or alive."""
    return [lease_of(row) for row in connection.execute(EVERY_HELD_LEASE)]


def compact(path: Path) -> None:
    """Give back what removed rows leave empty. Nobody else can write meanwhile.

    Raises NoSpace when the disk cannot hold a second copy for a while, StateUnusable when others do not make way.
    """
    with translated(path, BUSY_SECONDS), closing(connect(path, BUSY_SECONDS, "FULL")) as connection:
        if connection.execute("PRAGMA freelist_count").fetchone()[0]:
            connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def size_of(path: Path) -> int:
    """The bytes of a database and its log."""
    both = (path, path.with_name(path.name + "-wal"))
    return sum(each.stat().st_size for each in both if each.exists())


def copy(path: Path, target: Path) -> None:
    """A consistent copy of a database that others may be writing to, as SQLite makes it, in a new file.

    https://www.sqlite.org/backup.html
    """

    def taken(connection: sqlite3.Connection) -> None:
        target.unlink(missing_ok=True)
        target.touch(mode=0o600)
        with closing(sqlite3.connect(target)) as into:
            connection.backup(into)

    look(path, taken)
    with translated(target, BUSY_SECONDS):
        sync(target)

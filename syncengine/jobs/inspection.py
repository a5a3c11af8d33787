"""A journal looked at and never touched: is each job's state one of its kind, and its history what led there?

Theory of operation
-------------------
*Nothing is written.* A reader of a database in WAL mode takes part in its shared memory, and where there is no log it
makes one, which it may not remove again. So a file without a log is read as immutable. That is right as long as nobody
writes to the file itself: its date and size are compared afterwards, and a file that changed is read again.

*One moment.* All of a journal is read in one transaction; a run that goes on meanwhile changes nothing of what is seen.

*Nothing stops at the first fault.* What the database calls damaged is told, then as much as can still be read.

Apart from the store, which refuses what makes no sense at the first row that it needs.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, pairwise
from pathlib import Path
from typing import TypeVar

import orjson

from syncengine.errors import StateUnusable
from syncengine.jobs.database import BUSY_SECONDS, RESTORE, damaged, translated, version_of
from syncengine.jobs.job import PLANNED, HistoryEntry, Job, Moves, Run
from syncengine.jobs.lease import is_held, known_dead
from syncengine.jobs.rows import Row, history_of, job_of, lease_of, run_of
from syncengine.jobs.sql import JOB_COLUMNS, LEASE_COLUMNS, MIGRATIONS, RUN_COLUMNS, SELECT_RUNS
from syncengine.state_reports import Finding

T = TypeVar("T")

# A damaged file has one cause and thousands of symptoms.
DAMAGES_SHOWN = 20
# How often a file is read again that is written to while it is read.
LOOKS_MAX = 5

ALL_JOBS = f"SELECT {JOB_COLUMNS}, finished FROM jobs ORDER BY instance, id"  # noqa: S608  # our own columns
ALL_HISTORY = (
    "SELECT instance, job_id, seq, event, state_before, state_after, epoch, at FROM history"
    " ORDER BY instance, job_id, seq"
)
ALL_RUNS = f"SELECT {RUN_COLUMNS} FROM runs ORDER BY instance, id"  # noqa: S608  # our own columns
HELD_LEASES = f"SELECT {LEASE_COLUMNS} FROM leases WHERE holder IS NOT NULL ORDER BY instance, work"  # noqa: S608
ALL_KNOWN = "SELECT instance, name, value FROM known ORDER BY instance, name"
KNOWN_SINCE = 3  # the version of the schema that has it


def look(path: Path, question: Callable[[sqlite3.Connection], T]) -> T:
    """What `question` finds out from the SQLite file at `path`, in one transaction that can write nothing.

    It may be asked again when the file changes under it. Blocking. Raises StateUnusable for a file that cannot be read.
    """
    log = path.with_name(path.name + "-wal")
    with translated(path, BUSY_SECONDS):
        if not path.exists() and log.exists() and log.stat().st_size:
            raise damaged(path, f"it is missing while its log {log.name} is there")
        if path.stat().st_size == 0:
            raise damaged(path, "it is empty")
        for _ in range(LOOKS_MAX):
            before = _identity(path)
            if log.exists():
                break
            try:
                answer = _asked(path, "mode=ro&immutable=1", question)
            except (sqlite3.Error, StateUnusable):
                if _identity(path) == before:
                    raise
            else:
                if _identity(path) == before:
                    return answer
        return _asked(path, "mode=ro", question)


def _identity(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _asked(path: Path, how: str, question: Callable[[sqlite3.Connection], T]) -> T:
    uri = f"{path.absolute().as_uri()}?{how}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        return question(connection)


def damages(connection: sqlite3.Connection) -> list[str]:
    """What SQLite itself finds wrong with a file."""
    found = [
        str(line).strip().splitlines()[-1] for (line,) in connection.execute(f"PRAGMA integrity_check({DAMAGES_SHOWN})")
    ]
    rows = Counter(
        f"rows of {table} name a row of {parent} that is not there"
        for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check")
    )
    return [*([] if found == ["ok"] else found), *(f"{count} {what}" for what, count in rows.items())]


@dataclass(slots=True)
class Inspection:
    """One look at a journal: what was found, and how much was looked at.

    `see` is given every job that can be read, whatever instance's.
    """

    path: Path
    moves: Mapping[str, Moves]
    now: datetime | None
    see: Callable[[Job], None]
    findings: list[Finding] = field(default_factory=list)
    jobs: int = 0
    history: int = 0
    runs: int = 0

    def run(self, connection: sqlite3.Connection) -> None:
        """Look at everything. Raises StateUnusable for a journal of a later release, or one that is none."""
        version = version_of(connection, self.path)
        if version > len(MIGRATIONS):
            raise StateUnusable(
                f"{self.path} was written by a newer syncengine (schema {version}, this one knows {len(MIGRATIONS)})",
                advice="Upgrade syncengine, or point [state] at another folder.",
            )
        if version < len(MIGRATIONS):
            what = f"it is of an older release (schema {version} of {len(MIGRATIONS)})"
            self._tell(self.path.name, what, "The next command that works on it brings it up to date.")
        found = damages(connection)
        for what in found:
            self._wrong(self.path.name, what, RESTORE.format(path=self.path))
        try:
            self._look_at_jobs(connection)
            self._look_at_runs(connection)
            self._look_at_leases(connection)
            if version >= KNOWN_SINCE:
                self._look_at_known(connection)
        except sqlite3.DatabaseError as error:
            self._wrong(self.path.name, f"the rest cannot be read: {error}", RESTORE.format(path=self.path))

    def _look_at_jobs(self, connection: sqlite3.Connection) -> None:
        told = _histories(connection)
        ahead = next(told, None)
        for *row, finished in connection.execute(ALL_JOBS):
            key = (row[0], row[1])
            # A history without its job is told by the foreign keys.
            while ahead is not None and ahead[0] < key:
                ahead = next(told, None)
            entries = ahead[1] if ahead is not None and ahead[0] == key else []
            self.jobs += 1
            self.history += len(entries)
            for what in self._faults(row, finished, entries):
                self._wrong(f"job {row[1]} of {row[0]}", what, RESTORE.format(path=self.path))

    def _faults(self, row: Row, finished: int, entries: Sequence[Row]) -> Iterator[str]:
        try:
            job = job_of(row)
            history = [history_of(each[1:]) for each in entries]
        except StateUnusable as error:
            yield error.message
            return
        if not isinstance(job.facts, dict) or not all(isinstance(each, str) for each in job.after):
            yield "its facts are no JSON object, or what it comes after is no list of jobs"
            return
        moves = self.moves.get(job.kind)
        yield from faults_of(job, history, moves)
        if moves is not None and job.state in moves.depths and bool(finished) != (job.state in moves.final):
            yield f"it is marked as {'finished' if finished else 'unfinished'} in {job.state!r}"
        self.see(job)

    def _look_at_runs(self, connection: sqlite3.Connection) -> None:
        open_ones: Counter[tuple[str, str]] = Counter()
        for row in connection.execute(ALL_RUNS):
            self.runs += 1
            where = f"run {row[1]} of {row[0]}"
            try:
                run = run_of(row)
            except StateUnusable as error:
                self._wrong(where, error.message, RESTORE.format(path=self.path))
                continue
            if not isinstance(run.detail, dict) or not isinstance(run.report, dict):
                self._wrong(where, "its detail or report is no JSON object", RESTORE.format(path=self.path))
            open_ones[run.instance, run.kind] += run.outcome is None
        for (instance, kind), count in open_ones.items():
            if count > 1:
                what = f"{count} runs of {kind!r} are open at once"
                self._wrong(f"runs of {instance}", what, "The next run of that kind closes them as interrupted.")

    def _look_at_leases(self, connection: sqlite3.Connection) -> None:
        for row in connection.execute(HELD_LEASES):
            where = f"lease {row[1]!r} of {row[0]}"
            try:
                lease = lease_of(row)
            except StateUnusable as error:
                self._wrong(where, error.message, RESTORE.format(path=self.path))
                continue
            if lease.holder is not None and not is_held(lease, self.now):
                how = (
                    "is dead"
                    if known_dead(lease.holder)
                    else f"has been silent since {lease.renewed_at:%Y-%m-%dT%H:%MZ}"
                )
                self._tell(where, f"{lease.holder}, which holds it, {how}", "The next run takes it over.")

    def _look_at_known(self, connection: sqlite3.Connection) -> None:
        for instance, name, value in connection.execute(ALL_KNOWN):
            try:
                orjson.loads(value)
            except ValueError:
                self._wrong(f"{name!r} of {instance}", "it is no JSON", RESTORE.format(path=self.path))

    def _wrong(self, where: str, what: str, advice: str) -> None:
        self.findings.append(Finding(where, what, advice))

    def _tell(self, where: str, what: str, advice: str) -> None:
        self.findings.append(Finding(where, what, advice, wrong=False))


def _histories(connection: sqlite3.Connection) -> Iterator[tuple[tuple[str, str], list[Row]]]:
    """The moves of each job, in the order of the jobs."""
    for key, rows in groupby(connection.execute(ALL_HISTORY), key=lambda row: (row[0], row[1])):
        yield key, list(rows)


def faults_of(job: Job, history: Sequence[HistoryEntry], moves: Moves | None) -> Iterator[str]:
    """What is wrong with a job and the moves that are said to have led to its state."""
    if moves is None:
        yield f"it is of the kind {job.kind!r}, which this syncengine does not know"
        return
    if job.state not in moves.depths:
        yield f"it stands in {job.state!r}, which its kind does not have"
    if not history:
        yield "it has no history"
        return
    numbers = [each.seq for each in history]
    if numbers != list(range(1, len(history) + 1)):
        yield f"its history has a gap: {len(history)} moves, numbered {numbers[0]} to {numbers[-1]}"
    first, last = history[0], history[-1]
    if (first.event, first.before, first.after) != (PLANNED, None, moves.initial):
        yield f"its history begins with {first.event!r} into {first.after!r}"
    for before, each in pairwise(history):
        allowed = moves.table.get((each.before or "", each.event))
        if each.before != before.after or each.after != allowed:
            yield f"its move {each.seq}, {each.event!r} from {each.before!r} to {each.after!r}, is none of its kind"
    if (last.after, last.seq) != (job.state, job.seq):
        yield (f"its history ends in {last.after!r} (move {last.seq}), and it stands in {job.state!r} (move {job.seq})")


def last_runs(connection: sqlite3.Connection, *, instance: str, count: int) -> list[Run]:
    """The latest runs of an instance, newest first."""
    return [run_of(row) for row in connection.execute(SELECT_RUNS, (instance, count))]

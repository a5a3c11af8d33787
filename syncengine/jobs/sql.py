"""The journal on SQLite.

Each call reads the rows it is about, lets the plain rules of `job` and `lease` decide, and writes their result, all in
one transaction of one thread. Statements are portable SQL and stand at the top; what is SQLite's own is in `database`.
"""

# ruff: noqa: S608  # statements are put together from this module's own lists of columns, never from values

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from syncengine.clock import Clock
from syncengine.errors import IllegalMove, LeaseLost
from syncengine.jobs.database import Database, open_database
from syncengine.jobs.job import PLANNED, HistoryEntry, Job, Moves, Run, adopted, as_json, entry, moved, planned
from syncengine.jobs.lease import LEASE_TTL_SECONDS, Lease, granted, renewed, this_process
from syncengine.jobs.rows import (
    history_of,
    history_row,
    job_of,
    job_row,
    json_text,
    lease_of,
    lease_row,
    readable,
    run_of,
    run_row,
    text_of,
)
from syncengine.jobs.store import INTERRUPTED, check_origin, moves_of

MIGRATIONS = ("001_journal.sql", "002_instances.sql", "003_known.sql")

JOB_COLUMNS = (
    "instance, id, kind, state, group_name, facts, attempt, priority, place, after_ids, epoch, seq, created_at,"
    " updated_at"
)
INSERT_JOB = (
    f"INSERT INTO jobs ({JOB_COLUMNS}, finished) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (instance, id) DO NOTHING"
)
UPDATE_JOB = (
    "UPDATE jobs SET state = ?, facts = ?, attempt = ?, epoch = ?, seq = ?, updated_at = ?, finished = ?"
    " WHERE instance = ? AND id = ?"
)
SELECT_JOB = f"SELECT {JOB_COLUMNS} FROM jobs WHERE instance = ? AND id = ?"
SELECT_JOBS = f"SELECT {JOB_COLUMNS} FROM jobs WHERE instance = ?"
JOB_ORDER = " ORDER BY priority, place, id"

INSERT_HISTORY = (
    "INSERT INTO history (instance, job_id, seq, event, state_before, state_after, epoch, at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
SELECT_HISTORY = (
    "SELECT job_id, seq, event, state_before, state_after, epoch, at FROM history"
    " WHERE instance = ? AND job_id = ? ORDER BY seq"
)

RUN_COLUMNS = "instance, id, kind, detail, started_at, ended_at, outcome, report"
LAST_RUN = "SELECT coalesce(max(id), 0) FROM runs WHERE instance = ?"
INTERRUPT_RUNS = "UPDATE runs SET outcome = ?, ended_at = ? WHERE instance = ? AND kind = ? AND outcome IS NULL"
INSERT_RUN = f"INSERT INTO runs ({RUN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
SELECT_RUN = f"SELECT {RUN_COLUMNS} FROM runs WHERE instance = ? AND id = ?"
END_RUN = "UPDATE runs SET outcome = ?, ended_at = ?, report = ? WHERE instance = ? AND id = ?"
SELECT_RUNS = f"SELECT {RUN_COLUMNS} FROM runs WHERE instance = ? ORDER BY id DESC LIMIT ?"

LEASE_COLUMNS = "instance, work, epoch, holder, since, renewed_at, ttl_seconds"
SELECT_LEASE = f"SELECT {LEASE_COLUMNS} FROM leases WHERE instance = ? AND work = ?"
SELECT_LEASES = f"SELECT {LEASE_COLUMNS} FROM leases WHERE instance = ? AND holder IS NOT NULL ORDER BY work"
UPSERT_LEASE = (
    f"INSERT INTO leases ({LEASE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance, work) DO UPDATE SET"
    " epoch = excluded.epoch, holder = excluded.holder, since = excluded.since, renewed_at = excluded.renewed_at,"
    " ttl_seconds = excluded.ttl_seconds"
)
# A name that no work stands under yet may still be given to another origin: the first one may have been mistyped.
CLAIM = (
    "INSERT INTO instances (instance, origin) VALUES (?, ?) ON CONFLICT (instance) DO UPDATE SET origin ="
    " excluded.origin WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.instance = excluded.instance)"
)
SELECT_ORIGIN = "SELECT origin FROM instances WHERE instance = ?"
REMEMBER = (
    "INSERT INTO known (instance, name, value) VALUES (?, ?, ?)"
    " ON CONFLICT (instance, name) DO UPDATE SET value = excluded.value"
)
RECALL = "SELECT value FROM known WHERE instance = ? AND name = ?"
FREE_LEASE = "UPDATE leases SET holder = NULL WHERE instance = ? AND work = ? AND epoch = ?"


@asynccontextmanager
async def open_journal(
    path: Path, moves: Mapping[str, Moves], clock: Clock, *, lease_ttl_seconds: float = LEASE_TTL_SECONDS
) -> AsyncIterator["SqlJobStore"]:
    """The journal in the file at `path`, made when it is not there; raises StateUnusable and NoSpace."""
    folder = files("syncengine.jobs") / "schema"
    migrations = [(folder / name).read_text(encoding="utf-8") for name in MIGRATIONS]
    async with open_database(path, migrations) as database:
        yield SqlJobStore(database, moves, clock, lease_ttl_seconds=lease_ttl_seconds)


class SqlJobStore:
    """A JobStore that outlives its process, the machine's next power cut included."""

    def __init__(
        self, database: Database, moves: Mapping[str, Moves], clock: Clock, *, lease_ttl_seconds: float
    ) -> None:
        self.database = database
        self._moves = moves
        self._clock = clock
        self._lease_ttl_seconds = lease_ttl_seconds

    async def claim(self, instance: str, origin: str) -> None:
        def change(connection: sqlite3.Connection) -> str:
            connection.execute(CLAIM, (instance, origin))
            return str(connection.execute(SELECT_ORIGIN, (instance,)).fetchone()[0])

        check_origin(instance, origin, await self.database.write(change))

    async def plan(self, jobs: Sequence[Job]) -> list[Job]:
        _, fresh = await self.replace((), "", by=jobs)
        return fresh

    async def move(self, job: Job, event: str, /, *, attempt: int | None = None, **facts: Any) -> Job:
        at = self._clock.now()
        return await self.database.write(lambda it: self._moved(it, job, event, at=at, attempt=attempt, facts=facts))

    async def replace(
        self, jobs: Sequence[Job], event: str, /, by: Sequence[Job], **facts: Any
    ) -> tuple[list[Job], list[Job]]:
        at = self._clock.now()
        fresh = [planned(job, moves_of(self._moves, job), at) for job in by]

        def change(connection: sqlite3.Connection) -> tuple[list[Job], list[Job]]:
            for job in fresh:
                if connection.execute(INSERT_JOB, (*job_row(job), self._is_finished(job))).rowcount:
                    connection.execute(INSERT_HISTORY, history_row(job.instance, entry(None, job, PLANNED)))
            after = [self._moved(connection, job, event, at=at, attempt=None, facts=facts) for job in jobs]
            return after, [stored_job(connection, job) for job in fresh]

        return await self.database.write(change)

    async def adopt(self, jobs: Sequence[Job], epoch: int) -> list[Job]:
        def change(connection: sqlite3.Connection) -> list[Job]:
            mine = [adopted(stored_job(connection, job), epoch) for job in jobs]
            for job in mine:
                self._update(connection, job)
            return mine

        return await self.database.write(change)

    async def jobs(
        self, instance: str, *, kind: str | None = None, group: str | None = None, unfinished_only: bool = False
    ) -> list[Job]:
        statement, values = SELECT_JOBS, [instance]
        if kind is not None:
            statement, values = statement + " AND kind = ?", [*values, kind]
        if group is not None:
            statement, values = statement + " AND group_name = ?", [*values, group]
        if unfinished_only:
            statement += " AND finished = 0"
        rows = await self.database.read(lambda connection: connection.execute(statement + JOB_ORDER, values).fetchall())
        return [job_of(row) for row in rows]

    async def get(self, instance: str, job_id: str) -> Job | None:
        row = await self.database.read(lambda it: it.execute(SELECT_JOB, (instance, job_id)).fetchone())
        return job_of(row) if row else None

    async def history(self, instance: str, job_id: str) -> list[HistoryEntry]:
        rows = await self.database.read(lambda it: it.execute(SELECT_HISTORY, (instance, job_id)).fetchall())
        return [history_of(row) for row in rows]

    async def begin_run(self, instance: str, kind: str, detail: Mapping[str, Any]) -> Run:
        now = self._clock.now()

        def change(connection: sqlite3.Connection) -> Run:
            connection.execute(INTERRUPT_RUNS, (INTERRUPTED, text_of(now), instance, kind))
            number = 1 + connection.execute(LAST_RUN, (instance,)).fetchone()[0]
            run = Run(instance, number, kind, as_json(detail), now)
            connection.execute(INSERT_RUN, run_row(run))
            return run

        return await self.database.write(change)

    async def end_run(self, run: Run, outcome: str, report: Mapping[str, Any]) -> Run:
        now = self._clock.now()

        def change(connection: sqlite3.Connection) -> Run:
            stored = run_of(connection.execute(SELECT_RUN, (run.instance, run.id)).fetchone())
            if stored.outcome is not None:
                raise LeaseLost(f"run {run.id} of {run.instance!r} was closed as {stored.outcome!r} by another process")
            ended = replace(stored, outcome=outcome, ended_at=now, report=as_json(report))
            connection.execute(END_RUN, (outcome, text_of(now), json_text(ended.report), run.instance, run.id))
            return ended

        return await self.database.write(change)

    async def runs(self, instance: str, limit: int) -> list[Run]:
        rows = await self.database.read(lambda it: it.execute(SELECT_RUNS, (instance, limit)).fetchall())
        return [run_of(row) for row in rows]

    async def remember(self, instance: str, name: str, value: Any) -> None:
        await self.database.write(lambda it: it.execute(REMEMBER, (instance, name, json_text(value))) and None)

    async def recall(self, instance: str, name: str) -> Any:
        row = await self.database.read(lambda it: it.execute(RECALL, (instance, name)).fetchone())
        if row is None:
            return None
        with readable(f"{name!r} of {instance!r}"):
            return orjson.loads(row[0])

    async def acquire_lease(self, instance: str, work: str, *, at_least: int = 0) -> Lease:
        now = self._clock.now()
        wanted = Lease(instance, work, 0, this_process(), now, now, self._lease_ttl_seconds)

        def change(connection: sqlite3.Connection) -> Lease:
            lease = granted(stored_lease(connection, instance, work), wanted, at_least=at_least)
            connection.execute(UPSERT_LEASE, lease_row(lease))
            return lease

        return await self.database.write(change)

    async def renew(self, lease: Lease) -> Lease:
        now = self._clock.now()

        def change(connection: sqlite3.Connection) -> Lease:
            current = renewed(stored_lease(connection, lease.instance, lease.work), lease, now)
            connection.execute(UPSERT_LEASE, lease_row(current))
            return current

        return await self.database.write(change)

    async def release(self, lease: Lease) -> None:
        values = (lease.instance, lease.work, lease.epoch)
        await self.database.write(lambda connection: connection.execute(FREE_LEASE, values))

    async def leases(self, instance: str) -> list[Lease]:
        rows = await self.database.read(lambda it: it.execute(SELECT_LEASES, (instance,)).fetchall())
        return [lease_of(row) for row in rows]

    def _moved(
        self,
        connection: sqlite3.Connection,
        job: Job,
        event: str,
        *,
        at: datetime,
        attempt: int | None,
        facts: Mapping[str, Any],
    ) -> Job:
        stored = stored_job(connection, job)
        after = moved(stored, job, event, moves=moves_of(self._moves, job), at=at, attempt=attempt, facts=facts)
        self._update(connection, after)
        connection.execute(INSERT_HISTORY, history_row(job.instance, entry(stored, after, event)))
        return after

    def _is_finished(self, job: Job) -> int:
        return int(job.state in moves_of(self._moves, job).final)

    def _update(self, connection: sqlite3.Connection, job: Job) -> None:
        progress = (job.state, json_text(job.facts), job.attempt, job.epoch, job.seq, text_of(job.updated_at))
        connection.execute(UPDATE_JOB, (*progress, self._is_finished(job), job.instance, job.id))


def stored_job(connection: sqlite3.Connection, job: Job) -> Job:
    """The job as it stands in this transaction; raises IllegalMove for one that was never planned."""
    row = connection.execute(SELECT_JOB, (job.instance, job.id)).fetchone()
    if row is None:
        raise IllegalMove(f"job {job.id!r} of {job.instance!r} is not in the journal")
    return job_of(row)


def stored_lease(connection: sqlite3.Connection, instance: str, work: str) -> Lease | None:
    """The lease as it stands in this transaction."""
    row = connection.execute(SELECT_LEASE, (instance, work)).fetchone()
    return lease_of(row) if row else None

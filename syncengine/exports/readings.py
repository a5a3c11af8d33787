"""The paged flow: takes readings through their states, as `run.Windows` takes windows through theirs."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from syncengine.errors import ConfigError, FileDamaged, PermissionDenied, Unavailable
from syncengine.exports import fetch, reading
from syncengine.exports.attempts import OF_ONE_JOB, SYSTEM_ERROR
from syncengine.exports.load import Landing
from syncengine.exports.pages import Rows
from syncengine.exports.readers import CRM_NOTE, CRM_OWNS_IT, Readers, locked
from syncengine.exports.tally import ParseProblems
from syncengine.exports.window import COMMITTED, PLANNED, shape_of
from syncengine.jobs.board import Done, Failed, Go, Step
from syncengine.jobs.job import Job
from syncengine.jobs.store import JobStore
from syncengine.observe.events import JobMoved
from syncengine.threads import run_blocking
from syncengine.transport.client import Client

# How often rows are read anew because the spool does not keep them.
READS_MAX = 3


class Readings:
    """The scheduler's handler for readings. It keeps nothing that a crash could lose."""

    moves = reading.MOVES

    def __init__(self, *, client: Client, store: JobStore, landing: Landing, readers: Readers) -> None:
        self._client = client
        self._store = store
        self._landing = landing
        self._readers = readers
        self._steps: Mapping[str, Callable[[Job], Awaitable[Step]]] = {
            PLANNED: self._read,
            reading.READ: self._apply,
            COMMITTED: self._clean,
        }

    def lane(self, job: Job) -> str | None:
        """Readings share the calls; the destination has one writer."""
        return reading.LANES.get(job.state)

    def stands(self, job: Job) -> bool:  # noqa: ARG002  # the scheduler's protocol
        """Nothing of a reading exists at Marketo."""
        return False

    async def step(self, job: Job) -> Step:
        """Take the step that the reading's state asks for."""
        try:
            return await self._steps[job.state](job)
        except (*OF_ONE_JOB, ConfigError, PermissionDenied) as error:
            if getattr(error, "code", "") == CRM_OWNS_IT:
                self._landing.tally(job).say(CRM_NOTE)
                return Done(await self._move(job, "abandon", problem=str(error)))
            return Failed(job, error)
        except Unavailable as error:
            if error.code != SYSTEM_ERROR:
                raise
            # Marketo is there and fails on this one listing: the others go on.
            return Failed(job, error)

    async def _read(self, job: Job) -> Step:
        from syncengine.exports import answers, spool  # Arrow, a quarter of a second: `status` does without it

        schema, problems = shape_of(job).schema, ParseProblems()
        read_at = self._client.server_now()
        path = spool.rows_path(self._landing.spool, job.id)
        with spool.Spool(path, shape_of(job).landed.arrow()) as file:

            async def take(rows: Rows) -> None:
                await run_blocking(lambda: file.add(answers.batch(rows, schema, problems)))

            brought = await self._readers.read(job, locked(take))
            written = await run_blocking(file.finish)
        for note in brought.notes:
            self._landing.tally(job).say(note)
        job = await self._move(
            job,
            "read",
            read_at=read_at.isoformat(),
            sha256=written.sha256,
            records=written.rows,
            calls=brought.calls,
            whole=brought.is_whole,
            unparsed=dict(problems.unparsed),
        )
        return Go(job)

    async def _apply(self, job: Job) -> Step:
        from syncengine.exports import spool

        path = spool.rows_path(self._landing.spool, job.id)
        problems = ParseProblems()
        problems.unparsed.update(job.facts.get("unparsed", {}))
        if not await run_blocking(path.exists):
            return Go(await self._move(job, "lost", attempt=job.attempt + 1, problem="its rows are gone"))
        try:
            applied = await self._landing.land(job, spool.read(path, job.facts["sha256"]), problems)
        except FileDamaged as error:
            # Kept as it is, the file would fail every run to come.
            await fetch.discard(path)
            job = await self._move(job, "lost", attempt=job.attempt + 1, problem=error.message)
            return Go(job) if job.attempt < READS_MAX else Failed(job, error)
        return Go(await self._move(job, "committed", rows=applied.rows))

    async def _clean(self, job: Job) -> Step:
        from syncengine.exports import spool

        await fetch.discard(spool.rows_path(self._landing.spool, job.id))
        return Done(await self._move(job, "cleaned"))

    async def _move(self, job: Job, event: str, *, attempt: int | None = None, **facts: Any) -> Job:
        job = await self._store.move(job, event, attempt=attempt, **facts)
        self._landing.observe(JobMoved(job.id, job.group, event, job.state))
        return job

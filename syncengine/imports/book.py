"""What is written down of a run's chunks: every move, how their rows ended, and what takes a chunk's place.

Apart from the steps that find it out, since sending, following and looking all end here.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from syncengine.imports.brake import Brake
from syncengine.imports.endings import Tally, write_all
from syncengine.imports.outcome import Outcome
from syncengine.imports.work import Work
from syncengine.jobs.board import Done, Step
from syncengine.jobs.job import Job
from syncengine.jobs.store import JobStore
from syncengine.observe.events import ChunkMoved, Event
from syncengine.threads import run_blocking


class Book:
    """Writes to the journal of one run's work, and tells the brake how chunks ended."""

    def __init__(self, store: JobStore, work: Work, brake: Brake, observe: Callable[[Event], None]) -> None:
        self.store = store
        self.work = work
        self.brake = brake
        self.observe = observe

    async def move(self, job: Job, event: str, *, attempt: int | None = None, **facts: Any) -> Job:
        """Move a chunk on."""
        job = await self.store.move(job, event, attempt=attempt, **facts)
        self.observe(ChunkMoved(job.facts["run"], job.id, event, job.state, job.facts["rows"]))
        return job

    async def ended(self, job: Job, event: str, tally: Tally, **facts: Any) -> Step:
        """The ends of all rows of a chunk are known and on disk."""
        job = await self.move(job, event, found=tally.found, strangers=tally.strangers, **facts)
        self.brake.count(job.facts["rows"], tally.failed)
        return Done(job)

    async def all_failed(self, job: Job, event: str, reason: str) -> Step:
        """Every row of the chunk failed for one reason."""
        write = partial(write_all, self.work.rows(job).manifest, Outcome.FAILED, reason)
        tally = await run_blocking(lambda: write(self.work.settled(job)))
        return await self.ended(job, event, tally, problem=reason)

    async def replaced(self, job: Job, event: str, heirs: Sequence[Job], **facts: Any) -> Step:
        """Put other chunks in the place of one, or of some of its rows; no crash leaves both, or neither."""
        (after,), planned = await self.store.replace([job], event, by=await self._planned(heirs), **facts)
        self.observe(ChunkMoved(job.facts["run"], job.id, event, after.state, after.facts["rows"]))
        return Done(after, tuple(planned))

    async def _planned(self, heirs: Sequence[Job]) -> list[Job]:
        """Chunks that take the place of one, each with the hash of its bytes."""
        hashes = [await run_blocking(self.work.payload(heir).sha256) for heir in heirs]
        return [
            replace(heir, facts={**heir.facts, "sha256": sha256}) for heir, sha256 in zip(heirs, hashes, strict=True)
        ]

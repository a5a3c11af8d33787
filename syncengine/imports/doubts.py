"""Chunks whose fate is not known: when they may be looked for, and what a look leads to."""

from datetime import datetime
from functools import partial

from syncengine.errors import OutcomeUnknown
from syncengine.imports.ambiguity import SLOWEST, Policy, drained_at
from syncengine.imports.book import Book
from syncengine.imports.halves import without_others
from syncengine.imports.verify import Looked, ReadBack, Verdict
from syncengine.jobs.board import Failed, Go, Later, Step
from syncengine.jobs.job import Job
from syncengine.observe.events import Paused
from syncengine.threads import run_blocking
from syncengine.transport.client import Client


class Doubts:
    """Clears up what became of chunks, by the policy of the run."""

    def __init__(self, client: Client, book: Book) -> None:
        self._client = client
        self._book = book
        self._work = book.work
        self._slowest: float | None = None

    async def find_out(self, job: Job) -> Step:
        """Wait until the chunk is no longer under way, then look, send it again or leave it to the operator."""
        if self._work.policy is Policy.HOLD:
            return await self.held(await self._book.move(job, "hold"))
        sent_at = datetime.fromisoformat(job.facts["sent_at"])
        left_at = max(sent_at, datetime.fromisoformat(job.facts.get("lost_at", job.facts["sent_at"])))
        until = drained_at(self._work.route, left_at, self._work.drain, await self._slowest_seen())
        if (wait := (until - self._client.server_now()).total_seconds()) > 0:
            self._book.observe(Paused(f"{job.id} was sent and not answered", until))
            return Later(job, wait)
        if self._work.policy is Policy.RESUBMIT and "batch_id" not in job.facts:
            return Go(await self._book.move(job, "absent"))
        return await self._look(job, sent_at)

    async def held(self, job: Job) -> Step:
        """Leave a chunk to the operator; take it up again when the policy is another one now."""
        if self._work.policy is Policy.HOLD:
            return Failed(job, OutcomeUnknown(f"{job.id} was sent and not answered, and is held for you to decide"))
        return Go(await self._book.move(job, "reopen"))

    async def _look(self, job: Job, sent_at: datetime) -> Step:
        looked = await self._looked(job, sent_at)
        verdict, to_send = looked.verdict, looked.to_send
        if verdict is not Verdict.ABSENT:
            tally = await run_blocking(partial(looked.settle, self._work.settled(job)))
            return await self._book.ended(job, verdict.value, tally)
        if len(to_send) == job.facts["rows"]:
            return Go(await self._book.move(job, "absent", attempt=job.attempt + 1))
        tally = await run_blocking(partial(looked.settle, self._work.settled(job), left_out=to_send))
        heirs = await run_blocking(partial(without_others, job, self._work.folder, to_send))
        rows = job.facts["rows"] - len(to_send)
        return await self._book.replaced(job, "divide", heirs, rows=rows, found=tally.found, strangers=0)

    async def _looked(self, job: Job, sent_at: datetime) -> Looked:
        """Look for the rows of a chunk, whose bytes must be those that were sent."""
        await run_blocking(partial(self._work.payload(job).verify, job.facts["sha256"]))
        looked = Looked("batch_id" in job.facts, self._work.target.is_all_in_fields)
        return await ReadBack(self._client, self._work.target, self._work.columns).look(
            self._work.rows(job), sent_at, looked
        )

    async def tell_broken(self, job: Job) -> Step:
        """A batch that Marketo gave up may have come to any row of it."""
        looked = await self._looked(job, datetime.fromisoformat(job.facts["sent_at"]))
        settle_all = partial(looked.settle, self._work.settled(job), failed_for=job.facts["problem"])
        return await self._book.ended(job, "told", await run_blocking(settle_all))

    async def learn(self, seconds: float) -> None:
        """Remember how long the slowest job of the instance took."""
        if seconds > await self._slowest_seen():
            self._slowest = seconds
            await self._book.store.remember(self._work.instance, SLOWEST, seconds)

    async def _slowest_seen(self) -> float:
        if self._slowest is None:
            self._slowest = float(await self._book.store.recall(self._work.instance, SLOWEST) or 0.0)
        return self._slowest

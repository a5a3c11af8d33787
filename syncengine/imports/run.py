"""The import flow: the one place that calls its stages, one step of one chunk at a time.

`Chunks` is the scheduler's handler. It keeps nothing that a crash could lose: what a step needs stands in the job and
in the files of the run. The one moment that no journal can cover lies between the last byte of a chunk and Marketo's
answer; it is kept short, shielded from cancellation, and told apart in the journal from all others.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import anyio

from syncengine.errors import (
    CallRejected,
    CredentialsRejected,
    LeaseLost,
    MarketoError,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    QuotaExhausted,
    SourceUnusable,
    SyncEngineError,
    TooLarge,
    Unavailable,
    Unsupported,
)
from syncengine.imports import listed, settle, states
from syncengine.imports.ambiguity import SENDING_MAX
from syncengine.imports.answers import AT_ONCE, Answered, Answering
from syncengine.imports.book import Book
from syncengine.imports.brake import Brake
from syncengine.imports.door import Door
from syncengine.imports.doubts import Doubts
from syncengine.imports.halves import halves
from syncengine.imports.route import Route
from syncengine.imports.upload import Payload, bulk, import_target
from syncengine.imports.watch import Batches
from syncengine.imports.work import Work
from syncengine.jobs.board import Failed, Go, Later, Step, Wait
from syncengine.jobs.job import Job
from syncengine.jobs.store import JobStore
from syncengine.marketo.endpoints import imports
from syncengine.marketo.rows import ImportBatch, ImportStatus
from syncengine.observe.events import Event, Paused
from syncengine.threads import run_blocking
from syncengine.transport.client import Client

# Under this name the journal keeps what a file may be long, where that is less than Adobe says.
FILE_BYTES_MAX = "import_file_bytes_max"
# A smaller file that is refused as too large says nothing about the instance.
LEARNED_BYTES_MIN = 2_000_000
AT_MARKETO = "at Marketo"
CALLS = "calls"
# Refusals of the call as such: these bytes will never be taken.
FOR_GOOD = (CallRejected, NotFound, Unsupported)
# Ends of the run that prove that Marketo has not taken the chunk. Any other error may come after it has.
NOT_TAKEN = (QuotaExhausted, CredentialsRejected, PermissionDenied, SourceUnusable)


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending of a chunk: as a file, or as the rows of a JSON call; `started` is monotonic seconds."""

    payload: Payload
    rows: Sequence[dict[str, object]]
    started: float


class Chunks:
    """Takes chunks through their states. `batches` runs beside it."""

    moves = states.CHUNK_MOVES

    def __init__(
        self,
        client: Client,
        answering: Answering,
        store: JobStore,
        work: Work,
        batches: Batches,
        *,
        brake: Brake,
        observe: Callable[[Event], None],
    ) -> None:
        self._client = client
        self._answering = answering
        self._work = work
        self._batches = batches
        self._book = Book(store, work, brake, observe)
        self._doubts = Doubts(client, self._book)
        self._uploading = anyio.Lock()
        self._followed: set[str] = set()  # chunks that were watched from their acceptance on
        self._door = Door()
        self._steps: Mapping[str, Callable[[Job], Awaitable[Step]]] = {
            states.PLANNED: self._send,
            states.SENDING: self._found_sending,
            states.AMBIGUOUS: self._doubts.find_out,
            states.HELD: self._doubts.held,
            states.ACCEPTED: self._see,
            states.BROKEN: self._doubts.tell_broken,
            states.COMPLETE: self._save_failures,
            states.FAILURES_SAVED: self._save_warnings,
            states.WARNINGS_SAVED: self._settle,
        }

    def lane(self, job: Job) -> str | None:
        """A chunk keeps its place at Marketo from its sending until it is known to have run."""
        if self._work.route is not Route.BULK:
            return CALLS if job.state == states.PLANNED else None
        return AT_MARKETO if job.state == states.PLANNED or job.state in states.AT_MARKETO else None

    def stands(self, job: Job) -> bool:
        """Whether Marketo has the chunk, or may have it, since an earlier run."""
        return job.state in states.AT_MARKETO

    async def step(self, job: Job) -> Step:
        """Take the step that the chunk's state asks for."""
        return await self._steps[job.state](job)

    async def _send(self, job: Job) -> Step:
        if self._book.brake.reason:
            return Failed(job, SyncEngineError(self._book.brake.reason))
        if self._work.route is not Route.BULK:
            return await self._send_now(job)
        async with self._uploading:
            return await self._send_now(job)

    async def _send_now(self, job: Job) -> Step:
        if seconds := self._door.seconds(self._client.clock.now()):
            return Later(job, seconds)
        payload, sha256 = self._work.payload(job), job.facts["sha256"]
        rows: Sequence[dict[str, object]] = ()
        if self._work.route is Route.BULK:
            await run_blocking(partial(payload.verify, sha256))
        else:
            rows = await run_blocking(partial(payload.objects, sha256))
        # From the intent to what came of it nothing interrupts: a stop waits for the answer, and the journal has it.
        started = self._client.clock.monotonic()
        with anyio.CancelScope(shield=True):
            job = await self._book.move(job, "intend", sent_at=self._client.server_now().isoformat())
            step = await self._sent(job, Sending(payload, rows, started))
        return step  # noqa: RET504  # for the type checker a cancel scope may swallow what is returned inside

    async def _sent(self, job: Job, sending: Sending) -> Step:
        """Send, and write down what is certain. What is raised beside it leaves the chunk as one that may be there."""
        try:
            given = await self._given(job, sending)
        except OutcomeUnknown as error:
            lost_at = self._client.server_now().isoformat()
            return Go(await self._book.move(job, "lost", problem=error.message, lost_at=lost_at))
        except TooLarge as error:
            return await self._halved(job, error)
        except Unavailable as error:
            return self._later(await self._book.move(job, "not taken", problem=error.message), error)
        except FOR_GOOD as error:
            return await self._book.all_failed(job, "refused", error.message)
        except NOT_TAKEN as error:
            await self._book.move(job, "not taken", problem=error.message)
            raise
        # Out of reach of the handlers above: a journal that cannot be written now is no refusal of Marketo's.
        self._door.opened()
        if isinstance(given, ImportBatch):
            return await self._accepted(job, given)
        return await self._answered(job, given)

    async def _given(self, job: Job, sending: Sending) -> ImportBatch | Answered:
        """Make the call, and nothing else; raises what the client raises."""
        clock = self._client.clock

        def refuse_stale() -> None:
            # A process that was frozen meanwhile has lost its lease, and another one may have sent the chunk since.
            if clock.monotonic() - sending.started > SENDING_MAX.total_seconds():
                raise LeaseLost(f"{job.id} was not sent within {SENDING_MAX}: this process was stopped for too long")

        if self._work.route is not Route.BULK:
            refuse_stale()
            return await self._answering.ask(self._work.target, sending.rows)
        form = sending.payload.form(job.facts["sha256"], refuse_stale)
        return await self._client.send(bulk(self._work.target, form), patience=AT_ONCE)

    def _later(self, job: Job, error: Unavailable) -> Step:
        """Marketo cannot take the chunk now: send it again after a while. Raises once that has lasted for too long."""
        now = self._client.clock.now()
        until, reason = self._door.closed(error, now)
        self._book.observe(Paused(reason, until))
        return Later(job, self._door.seconds(now))

    async def _accepted(self, job: Job, batch: ImportBatch) -> Step:
        at = self._client.clock.now().isoformat()
        job = await self._book.move(job, "accepted", batch_id=batch.batch_id, accepted_at=at)
        self._batches.add(batch.batch_id, job.id, is_fresh=True)
        self._followed.add(job.id)
        return Wait(job, str(batch.batch_id))

    async def _answered(self, job: Job, found: Answered) -> Step:
        tally = await run_blocking(partial(found.settle, self._work.rows(job), self._work.settled(job)))
        return await self._book.ended(job, "answered", tally)

    async def _found_sending(self, job: Job) -> Step:
        """An earlier process died between the intent and its outcome: nobody knows."""
        sent_at = datetime.fromisoformat(job.facts["sent_at"])
        lost_at = max(sent_at, min(sent_at + SENDING_MAX, self._client.server_now())).isoformat()
        problem = "the process that sent it died before it had the answer"
        return Go(await self._book.move(job, "lost", problem=problem, lost_at=lost_at))

    async def _see(self, job: Job) -> Step:
        batch_id = job.facts["batch_id"]
        if batch_id not in self._batches.news:
            self._batches.add(batch_id, job.id, is_fresh=False)
            return Wait(job, str(batch_id))
        batch = self._batches.news.pop(batch_id)
        if batch is None:
            return Go(await self._book.move(job, "forgotten", problem=f"Marketo no longer knows batch {batch_id}"))
        if batch.status is ImportStatus.FAILED:
            reason = batch.message or "Marketo gave the batch up without a reason"
            return Go(await self._book.move(job, "failed", problem=reason))
        if job.id in self._followed:
            # When nobody was there to see a job end, nobody knows how long it took.
            took = self._client.clock.now() - datetime.fromisoformat(job.facts["accepted_at"])
            await self._doubts.learn(took.total_seconds())
        counts = {"processed": batch.processed, "failed": batch.failed, "warned": batch.warned}
        return Go(await self._book.move(job, "complete", counts=counts, message=batch.message))

    async def _save_failures(self, job: Job) -> Step:
        count = job.facts["counts"]["failed"]
        if count == 0:
            return Go(await self._book.move(job, "failures saved", failures=False))
        call = imports.failures(import_target(self._work.target), job.facts["batch_id"])
        if await listed.fetch(self._client, call, self._work.listed(job, "failures"), rows=count or 0):
            return Go(await self._book.move(job, "failures saved", failures=True))
        if count is None:
            return Go(await self._book.move(job, "failures saved", failures=False))
        # Rows failed, and nobody says which: the people have to be looked at.
        return Go(await self._book.move(job, "forgotten", problem="Marketo no longer has the list of rows that failed"))

    async def _save_warnings(self, job: Job) -> Step:
        is_there = False
        if (count := job.facts["counts"]["warned"]) != 0:
            call = imports.warnings(import_target(self._work.target), job.facts["batch_id"])
            is_there = await listed.fetch(self._client, call, self._work.listed(job, "warnings"), rows=count or 0)
        return Go(await self._book.move(job, "warnings saved", warnings=is_there))

    async def _settle(self, job: Job) -> Step:
        failures, warnings = (
            self._work.listed(job, what) if job.facts[what] else None for what in ("failures", "warnings")
        )
        join = partial(settle.join, self._work.rows(job), self._work.columns, failures, warnings)
        verify = partial(self._work.payload(job).verify, job.facts["sha256"])
        tally = await run_blocking(lambda: join(self._work.settled(job), verify=verify))
        counts = job.facts["counts"]
        missing = max(0, (counts["failed"] or 0) - tally.failed)
        unlisted = max(0, (counts["warned"] or 0) - tally.warned)
        return await self._book.ended(job, "settled", tally, missing=missing, unlisted=unlisted)

    async def _halved(self, job: Job, error: MarketoError) -> Step:
        heirs = await run_blocking(partial(halves, job, self._work.folder))
        if not heirs:
            return await self._book.all_failed(job, "refused", error.message)
        job = await self._book.move(job, "not taken", problem=error.message)
        size = job.facts["bytes"]
        if self._work.route is Route.BULK and size >= LEARNED_BYTES_MIN:
            # What this instance takes is less than Adobe says: the next run need not find out again.
            await self._book.store.remember(job.instance, FILE_BYTES_MAX, size // 2)
        return await self._book.replaced(job, "replace", heirs, problem=error.message)

"""The export flow: the one place that calls its stages, one step of one window at a time.

`Windows` is the scheduler's handler for windows. It keeps nothing that a crash could lose: what a step needs stands in
the job, what was seen of Marketo's jobs is seen again by the next poll.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from syncengine.clock import Clock
from syncengine.errors import (
    CallRejected,
    FileDamaged,
    MarketoError,
    NotFound,
    PermissionDenied,
    QuotaExhausted,
    Unavailable,
    Unsupported,
)
from syncengine.exports import assemble, fetch, request, window
from syncengine.exports.attempts import OF_ONE_JOB, SYSTEM_ERROR, After, Attempts
from syncengine.exports.budget import Megabytes, cut
from syncengine.exports.heirs import halves, other_way, smaller
from syncengine.exports.load import Landing
from syncengine.exports.plan import NO_FILTER, NO_FILTER_NOTE, NO_OTHER_WAY
from syncengine.exports.tally import ParseProblems
from syncengine.jobs.board import Done, Failed, Go, Later, Step, Wait
from syncengine.jobs.job import Job
from syncengine.jobs.store import JobStore
from syncengine.marketo.endpoints.exports import ExportKind
from syncengine.marketo.limits import EXPORT_STATUS_SECONDS
from syncengine.marketo.rows import ExportStatus
from syncengine.observe.events import DownloadProgress, JobMoved, Paused
from syncengine.threads import run_blocking
from syncengine.transport.client import Client
from syncengine.transport.download import Expected
from syncengine.transport.gate import exhausted
from syncengine.transport.quota import next_reset
from syncengine.transport.retry import EXPORT_QUEUE_FULL

NO_SUCH_FILTER = "1035"
PROGRESS_BYTES = 1_000_000
# How a job ends that completed without anything to download.
NO_FILE = "had no file"

Watches = Mapping[ExportKind, request.Watch]


class Windows:
    """Takes windows through their states. `watches` has the watch of each kind; they run beside it."""

    moves = window.MOVES

    def __init__(
        self, client: Client, store: JobStore, landing: Landing, megabytes: Megabytes, watches: Watches
    ) -> None:
        self._client = client
        self._clock: Clock = client.clock
        self._store = store
        self._landing = landing
        self._spool = landing.spool
        self._megabytes = megabytes
        self._watches = watches
        self._observe = landing.observe
        self._attempts = Attempts()
        self._no_filter: dict[str, tuple[str, Unsupported]] = {}  # by stream, the filter that this run saw refused
        self._steps: Mapping[str, Callable[[Job], Awaitable[Step]]] = {
            window.PLANNED: self._intend,
            window.CREATE_INTENT: self._create,
            window.CREATED: self._enqueue,
            window.QUEUED: self._see,
            window.COMPLETED: self._begin_download,
            window.DOWNLOADING: self._download,
            window.VERIFIED: self._apply,
            window.COMMITTED: self._clean,
        }

    def lane(self, job: Job) -> str | None:
        """Marketo's queue, the downloads and the destination's one writer each have their own."""
        return window.LANES.get(job.state)

    def stands(self, job: Job) -> bool:
        """Whether a job of Marketo's exists for the window already."""
        return job.state in window.HOLDS_A_PLACE

    async def step(self, job: Job) -> Step:
        """Take the step that the window's state asks for."""
        step = await self._step(job)
        if isinstance(step, Failed):
            self._megabytes.release(job)
        return step

    async def _step(self, job: Job) -> Step:
        if job.state in window.BEFORE_MARKETO and job.group in self._attempts.given_up:
            return Failed(job, self._attempts.given_up[job.group])
        try:
            return await self._steps[job.state](job)
        except PermissionDenied as error:
            self._attempts.given_up[job.group] = error
            return Failed(job, error)
        except OF_ONE_JOB as error:
            return Failed(job, error)
        except QuotaExhausted as error:
            if error.budget == "export":
                # Only new exports are out of budget: what Marketo has finished is still fetched and applied.
                return Failed(job, error)
            raise

    async def _intend(self, job: Job) -> Step:
        if self._megabytes.has_to_wait(job) and self._attempts.may_wait_for_size(job):
            return Later(job, EXPORT_STATUS_SECONDS, keeps_place=False)
        if len(stretches := cut(job, self._megabytes.pieces(job))) > 1:
            return await self._cut(job, halves(job, stretches), "too large for one file")
        if await self._megabytes.reserve(job):
            return Go(await self._move(job, "intend"))
        # What others take less than was set aside for them may do for this one.
        if self._megabytes.is_open:
            return Later(job, EXPORT_STATUS_SECONDS, keeps_place=False)
        if len(stretches := cut(job, await self._megabytes.pieces_that_fit(job))) > 1:
            return await self._cut(job, halves(job, stretches), "too large for what the day has left")
        resume_at = next_reset(self._client.server_now())
        return Failed(job, exhausted(resume_at, f"{request.kind_of(job).name}.export.create", "export"))

    async def _create(self, job: Job) -> Step:
        if (known := self._no_filter.get(job.group)) and job.facts["request"]["filter"] == known[0]:
            return await self._other_way(job, known[1])
        self._attempts.begin(job)
        try:
            export_id = await request.create(self._client, job)
        except Unavailable as error:
            return await self._system_error(job, error)
        except Unsupported as error:
            if error.code != NO_SUCH_FILTER:
                raise
            return await self._other_way(job, error)
        return Go(await self._move(job, "created", export_id=export_id))

    async def _enqueue(self, job: Job) -> Step:
        export_id = job.facts["export_id"]
        try:
            await request.enqueue(self._client, request.kind_of(job), export_id)
        except (NotFound, CallRejected) as error:
            # Gone, or cancelled by somebody: a job that cannot be enqueued now never will be.
            return await self._again(job, error, "could not be enqueued")
        except Unavailable as error:
            if error.code not in EXPORT_QUEUE_FULL:
                return await self._system_error(job, error)
            seconds = self._attempts.queue_is_full(job)
            self._observe(
                Paused("Marketo's queue is full of other jobs", self._clock.now() + timedelta(seconds=seconds))
            )
            return Later(job, seconds)
        job = await self._move(job, "enqueued", enqueued_at=self._clock.now().isoformat())
        self._watches[request.kind_of(job)].add(job.id, export_id)
        return Wait(job, export_id)

    async def _see(self, job: Job) -> Step:
        export_id, watch = job.facts["export_id"], self._watches[request.kind_of(job)]
        if export_id not in watch.news:
            if watch.failure is not None:
                raise watch.failure
            if watch.is_stuck(export_id):
                watch.drop(export_id)
                await request.cancel(self._client, request.kind_of(job), export_id)
                error = CallRejected("Marketo has not worked on the job for 12 hours.")
                return await self._again(job, error, "stood still for 12 hours")
            if not watch.watches(export_id):
                since = datetime.fromisoformat(job.facts["enqueued_at"])
                watch.add(job.id, export_id, age_seconds=(self._clock.now() - since).total_seconds())
            return Wait(job, export_id)
        seen = watch.news[export_id]
        watch.drop(export_id)
        if seen is None:
            return await self._again(job, NotFound(f"Marketo no longer knows export job {export_id}."), "disappeared")
        if seen.status is not ExportStatus.COMPLETED:
            how, reason = f"ended as {seen.status.value}", seen.error or "no reason given"
            return await self._again(job, CallRejected(f"Export job {export_id} {how}: {reason}."), how)
        await self._client.gate.book_export(seen.file_bytes or 0)
        read_at = seen.started_at or seen.finished_at or self._clock.now()
        job = await self._move(
            job,
            "completed",
            file_bytes=seen.file_bytes,
            sha256=seen.sha256,
            records=seen.records,
            read_at=read_at.isoformat(),
            unverified=seen.sha256 is None or seen.records is None,
        )
        self._megabytes.learn([job])
        return Go(job)

    async def _begin_download(self, job: Job) -> Step:
        if job.facts["records"] == 0:
            return Go(await self._move(job, "empty", sha256=job.facts["sha256"] or ""))
        return Go(await self._move(job, "download"))

    async def _download(self, job: Job) -> Step:
        size = job.facts["file_bytes"]
        if size is None:
            return await self._again(job, FileDamaged("Marketo announced no size for the file."), NO_FILE)
        told = -PROGRESS_BYTES

        def progress(done: int) -> None:
            nonlocal told
            if done - told >= PROGRESS_BYTES or done == size:
                told = done
                self._observe(DownloadProgress(job.id, job.group, done, size))

        try:
            sha256 = await fetch.fetch(
                self._client,
                request.kind_of(job),
                job.facts["export_id"],
                fetch.spool_path(self._spool, job.id),
                expected=Expected(size, job.facts["sha256"]),
                progress=progress,
            )
        except NotFound as error:
            if (seconds := self._attempts.file_is_not_there(job)) is not None:
                return Later(job, seconds)
            return await self._again(job, error, NO_FILE)
        except Unavailable as error:
            if error.code.startswith("NET"):
                raise
            # Marketo is there and fails on this one file: the other windows go on.
            return Failed(job, error)
        except FileDamaged as error:
            return await self._again(job, error, "came with a damaged file")
        return Go(await self._move(job, "verified", sha256=sha256))

    async def _apply(self, job: Job) -> Step:
        if window.columns_of(job):
            return Done(await self._move(job, "kept"))
        path = fetch.spool_path(self._spool, job.id)
        if job.facts["records"] != 0 and not await run_blocking(path.exists):
            return Go(await self._move(job, "refetch"))
        problems = ParseProblems()
        try:
            rows = await assemble.rows(self._store, self._spool, job, problems)
            applied = await self._landing.land(job, rows, problems)
        except NotFound as error:
            return Failed(await self._move(job, "lost", attempt=job.attempt + 1, problem=error.message), error)
        except FileDamaged as error:
            return await self._again(job, error, "came with a damaged file")
        if job.facts["records"] != 0:
            self._attempts.succeeded(job)
        return Go(await self._move(job, "committed", unparsed=dict(problems.unparsed), rows=applied.rows))

    async def _clean(self, job: Job) -> Step:
        for job_id in (job.id, *job.after):
            await fetch.discard(fetch.spool_path(self._spool, job_id))
        return Done(await self._move(job, "cleaned"))

    async def _again(self, job: Job, error: MarketoError | FileDamaged, how: str) -> Step:
        """Start the window over, in halves when it failed before, or give it up for this run; `how` its job ended.

        Either way the journal has it as planned.
        """
        await fetch.discard(fetch.spool_path(self._spool, job.id))
        self._megabytes.release(job)
        job = await self._move(job, "lost", attempt=job.attempt + 1, problem=error.message)
        heirs = smaller(job)
        after = self._attempts.failed(job, error, can_be_cut=bool(heirs))
        if after is After.GIVE_UP:
            return Failed(job, error)
        self._landing.tally(job).asked_again[how] += 1
        return await self._cut(job, heirs, error.message) if after is After.HALVES else Go(job)

    async def _system_error(self, job: Job, error: Unavailable) -> Step:
        """Marketo fails on this one job (611), tried for as long as a call may be: a smaller one may do."""
        if error.code != SYSTEM_ERROR:
            raise error
        self._attempts.is_too_much(job)
        return await self._again(job, error, f"met a system error ({SYSTEM_ERROR})")

    async def _other_way(self, job: Job, error: Unsupported) -> Step:
        """The subscription does not know the filter (1035): the stream comes in its other way, now and from now on."""
        self._no_filter[job.group] = (job.facts["request"]["filter"], error)
        known = set(await self._store.recall(job.instance, NO_FILTER) or ())
        await self._store.remember(job.instance, NO_FILTER, sorted({*known, job.group}))
        self._megabytes.release(job)
        self._landing.tally(job).say(NO_FILTER_NOTE.get(job.group, NO_OTHER_WAY))
        return await self._replaced(job, other_way(job), error.message)

    async def _cut(self, job: Job, heirs: Sequence[Job], reason: str) -> Step:
        return await self._replaced(job, heirs, f"cut into {len(heirs)} windows: {reason}")

    async def _replaced(self, job: Job, heirs: Sequence[Job], problem: str) -> Step:
        """Put other jobs in the place of one; no crash leaves both in the journal, or neither."""
        (after,), planned = await self._store.replace([job], "abandon", by=heirs, problem=problem)
        self._observe(JobMoved(job.id, job.group, "abandon", after.state))
        return Done(after, tuple(planned))

    async def _move(self, job: Job, event: str, *, attempt: int | None = None, **facts: Any) -> Job:
        job = await self._store.move(job, event, attempt=attempt, **facts)
        self._observe(JobMoved(job.id, job.group, event, job.state))
        return job

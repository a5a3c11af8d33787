"""The export flow: the one place that calls its stages, one step of one window at a time.

`Windows` is the scheduler's handler for windows. It keeps nothing that a crash could lose: what a step needs stands in
the job, what was seen of Marketo's jobs is seen again by the next poll.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncengine.clock import Clock
from syncengine.destinations import Applied, Destination
from syncengine.errors import (
    CallRejected,
    FileDamaged,
    MarketoError,
    NotFound,
    PermissionDenied,
    QuotaExhausted,
    TooLarge,
    Unavailable,
    Unsupported,
)
from syncengine.exports import fetch, load, request, window
from syncengine.exports.streams import STREAMS, Shape
from syncengine.exports.tally import Tally
from syncengine.exports.window import stretch_of
from syncengine.jobs.board import Done, Failed, Go, Later, Step, Wait
from syncengine.jobs.job import Job
from syncengine.jobs.store import JobStore
from syncengine.marketo.endpoints.exports import ExportKind
from syncengine.marketo.rows import ExportStatus
from syncengine.observe.events import DownloadProgress, Event, JobMoved, Paused, WindowApplied
from syncengine.threads import run_blocking
from syncengine.transport.client import Client
from syncengine.transport.download import Expected
from syncengine.transport.retry import EXPORT_QUEUE_FULL

if TYPE_CHECKING:
    from syncengine.exports.parse import ParseProblems

# How often a window's job is created anew in one run: it failed, was cancelled, vanished, or its file was damaged.
CREATES_MAX = 3
# A completed job whose file is not there yet (404) is looked at again this often, a minute apart.
FILE_LOOKS_MAX = 3
FILE_LOOK_SECONDS = 60.0
# Marketo's queue is full of others' jobs: Adobe advises to wait a minute, then longer.
QUEUE_WAITS_SECONDS = (60.0, 120.0, 240.0)
PROGRESS_BYTES = 1_000_000

# Errors that end one window and leave the others running; any other error ends the run.
OF_ONE_WINDOW = (CallRejected, FileDamaged, NotFound, TooLarge, Unsupported)


class Windows:
    """Takes windows through their states. `watches` has the watch of each kind; they run beside it."""

    moves = window.MOVES

    def __init__(
        self,
        *,
        client: Client,
        store: JobStore,
        destination: Destination,
        spool: Path,
        watches: Mapping[ExportKind, request.Watch],
        observe: Callable[[Event], None],
    ) -> None:
        self._client = client
        self._clock: Clock = client.clock
        self._store = store
        self._destination = destination
        self._spool = spool
        self._watches = watches
        self._observe = observe
        self._queue_waits: Counter[str] = Counter()
        self._file_looks: Counter[str] = Counter()
        self._creates: Counter[str] = Counter()
        self._denied: dict[str, PermissionDenied] = {}
        self.tallies: dict[str, Tally] = {}
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
        if job.state in window.BEFORE_MARKETO and job.group in self._denied:
            return Failed(job, self._denied[job.group])
        try:
            return await self._steps[job.state](job)
        except PermissionDenied as error:
            self._denied[job.group] = error
            return Failed(job, error)
        except OF_ONE_WINDOW as error:
            return Failed(job, error)
        except QuotaExhausted as error:
            if error.budget == "export":
                # Only new exports are out of budget: what Marketo has finished is still fetched and applied.
                return Failed(job, error)
            raise

    async def _intend(self, job: Job) -> Step:
        return Go(await self._move(job, "intend"))

    async def _create(self, job: Job) -> Step:
        start, end = stretch_of(job)
        self._creates[job.id] += 1
        export_id = await request.create(self._client, _shape(job), start, end)
        return Go(await self._move(job, "created", export_id=export_id))

    async def _enqueue(self, job: Job) -> Step:
        export_id = job.facts["export_id"]
        try:
            await request.enqueue(self._client, _kind(job), export_id)
        except (NotFound, CallRejected) as error:
            # Gone, or cancelled by somebody: a job that cannot be enqueued now never will be.
            return await self._again(job, error)
        except Unavailable as error:
            if error.code not in EXPORT_QUEUE_FULL:
                raise
            waits = self._queue_waits[job.id]
            self._queue_waits[job.id] += 1
            seconds = QUEUE_WAITS_SECONDS[min(waits, len(QUEUE_WAITS_SECONDS) - 1)]
            self._observe(
                Paused("Marketo's queue is full of other jobs", self._clock.now() + timedelta(seconds=seconds))
            )
            return Later(job, seconds)
        job = await self._move(job, "enqueued", enqueued_at=self._clock.now().isoformat())
        self._watches[_kind(job)].add(job.id, export_id)
        return Wait(job, export_id)

    async def _see(self, job: Job) -> Step:
        export_id, watch = job.facts["export_id"], self._watches[_kind(job)]
        if export_id not in watch.news:
            if watch.failure is not None:
                raise watch.failure
            if watch.is_stuck(export_id):
                watch.drop(export_id)
                await request.cancel(self._client, _kind(job), export_id)
                return await self._again(job, CallRejected("Marketo has not worked on the job for 12 hours."))
            if not watch.watches(export_id):
                since = datetime.fromisoformat(job.facts["enqueued_at"])
                watch.add(job.id, export_id, age_seconds=(self._clock.now() - since).total_seconds())
            return Wait(job, export_id)
        seen = watch.news[export_id]
        watch.drop(export_id)
        if seen is None:
            return await self._again(job, NotFound(f"Marketo no longer knows export job {export_id}."))
        if seen.status is not ExportStatus.COMPLETED:
            reason = seen.error or "no reason given"
            return await self._again(
                job, CallRejected(f"Export job {export_id} ended as {seen.status.value}: {reason}.")
            )
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
        return Go(job)

    async def _begin_download(self, job: Job) -> Step:
        if job.facts["records"] == 0:
            return Go(await self._move(job, "empty", sha256=job.facts["sha256"] or ""))
        return Go(await self._move(job, "download"))

    async def _download(self, job: Job) -> Step:
        size = job.facts["file_bytes"]
        if size is None:
            return await self._again(job, FileDamaged("Marketo announced no size for the file."))
        told = -PROGRESS_BYTES

        def progress(done: int) -> None:
            nonlocal told
            if done - told >= PROGRESS_BYTES or done == size:
                told = done
                self._observe(DownloadProgress(job.id, job.group, done, size))

        try:
            sha256 = await fetch.fetch(
                self._client,
                _kind(job),
                job.facts["export_id"],
                fetch.spool_path(self._spool, job.id),
                expected=Expected(size, job.facts["sha256"]),
                progress=progress,
            )
        except NotFound as error:
            self._file_looks[job.id] += 1
            if self._file_looks[job.id] <= FILE_LOOKS_MAX:
                return Later(job, FILE_LOOK_SECONDS)
            return await self._again(job, error)
        except Unavailable as error:
            if error.code.startswith("NET"):
                raise
            # Marketo is there and fails on this one file: the other windows go on.
            return Failed(job, error)
        except FileDamaged as error:
            return await self._again(job, error)
        return Go(await self._move(job, "verified", sha256=sha256))

    async def _apply(self, job: Job) -> Step:
        from syncengine.exports import parse  # Arrow, a quarter of a second: `status` and `plan` do without it

        path = fetch.spool_path(self._spool, job.id) if job.facts["records"] != 0 else None
        if path is not None and not await run_blocking(path.exists):
            return Go(await self._move(job, "refetch"))
        start, end = stretch_of(job)
        identity = load.Identity(
            instance=job.instance,
            stream=job.group,
            window_id=job.facts["window"],
            epoch=job.epoch,
            start=start,
            end=end,
            sha256=job.facts["sha256"],
            read_at=datetime.fromisoformat(job.facts["read_at"]),
        )
        shape, problems, rows = _shape(job), parse.ParseProblems(), job.facts["records"]
        read = parse.batches(path, shape.schema, header=None, expected_rows=rows, problems=problems) if path else ()
        schema, newer_by = parse.landed(shape.schema), shape.stream.newer_by
        began = self._clock.monotonic()
        try:
            applied = await load.load(self._destination, identity, schema, read, newer_by=newer_by)
        except FileDamaged as error:
            return await self._again(job, error)
        self._count(job, applied, problems, self._clock.monotonic() - began)
        return Go(await self._move(job, "committed", unparsed=dict(problems.unparsed), rows=applied.rows))

    async def _clean(self, job: Job) -> Step:
        await fetch.discard(fetch.spool_path(self._spool, job.id))
        return Done(await self._move(job, "cleaned"))

    async def _again(self, job: Job, error: MarketoError | FileDamaged) -> Step:
        """Start the window over, or give it up for this run. Either way the journal has it as planned."""
        await fetch.discard(fetch.spool_path(self._spool, job.id))
        self._file_looks.pop(job.id, None)
        job = await self._move(job, "lost", attempt=job.attempt + 1, problem=error.message)
        return Failed(job, error) if self._creates[job.id] >= CREATES_MAX else Go(job)

    async def _move(self, job: Job, event: str, *, attempt: int | None = None, **facts: Any) -> Job:
        job = await self._store.move(job, event, attempt=attempt, **facts)
        self._observe(JobMoved(job.id, job.group, event, job.state))
        return job

    def _count(self, job: Job, applied: Applied, problems: "ParseProblems", seconds: float) -> None:
        size = job.facts["file_bytes"] or 0
        tally = self.tallies.setdefault(job.group, Tally())
        tally.add(applied, problems.unparsed, file_bytes=size, is_unverified=job.facts["unverified"])
        self._observe(
            WindowApplied(
                stream=job.group,
                window_id=job.facts["window"],
                inserted=applied.inserted,
                changed=applied.changed,
                unchanged=applied.unchanged,
                outdated=applied.outdated,
                bytes=size,
                seconds=seconds,
            )
        )


def _kind(job: Job) -> ExportKind:
    return STREAMS[job.group].kind


def _shape(job: Job) -> Shape:
    stream = STREAMS[job.group]
    return Shape(stream, window.schema_of(job, stream.key))

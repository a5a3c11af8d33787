"""Bulk export jobs: their life, their queue, and what a client is shown of them.

Theory: a job is a handful of instants. Created -> Queued -> Processing -> Completed (or Failed); Cancelled from any of
the first three. Two jobs run at once over all object kinds and the others wait in order. Nothing ticks: `advance(now)`
replays, in order, every start and every end that lies before `now`, so the machine is a pure function of the calls it
was given. A job's rows are chosen and written when it starts; whoever changes data must call `advance` first, then the
file holds the data as of `startedAt`. A client is shown the job as of the last whole minute, because Marketo does not
renew a status more often (https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract);
a job can therefore look Created after it was enqueued.
"""

import random
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from syncengine.sandbox.files import StoredFile
from syncengine.sandbox.limits import Limits
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.replies import Refusal, invalid, refusal
from syncengine.sandbox.values import Value, utc_formatter

DAY_SECONDS = 86_400
LISTED_SECONDS = 7 * DAY_SECONDS
FILE_SECONDS = 7 * DAY_SECONDS
STATUS_SECONDS = 30 * DAY_SECONDS
PURGE_SECONDS = 3_600
# Exports of this many rows and more take the longest time.
SLOWEST_ROWS = 20_000

FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ends; `seconds` replaces the time that it takes.

    A failing import has read the first `at_byte` bytes of its file; the id of one that `is_forgotten` is not known.
    """

    status: str = "Completed"
    message: str = ""
    seconds: float | None = None
    at_byte: int = 0
    is_forgotten: bool = False


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A validated create call: `fields` are (name, type, column header).

    `rows` are those that the job takes when it starts at an instant, `columns` their values by field name.
    """

    kind: str
    file_format: str
    fields: tuple[tuple[str, str, str], ...]
    rows: Callable[[float], Sequence[int]]
    columns: Callable[[Sequence[str], Sequence[int]], list[list[Value]]]


@dataclass(slots=True)
class ExportJob:
    """One job; an instant that has not come is FOREVER."""

    id: str
    serial: int
    request: ExportRequest
    created_at: float
    outcome: Outcome = Outcome()
    queued_at: float = FOREVER
    started_at: float = FOREVER
    finished_at: float = FOREVER
    cancelled_at: float = FOREVER
    records: int = 0
    stored: StoredFile | None = None

    def status_at(self, now: float) -> str:
        """The job's status at an instant that is not before its creation."""
        if self.cancelled_at <= now:
            return "Cancelled"
        if self.finished_at <= now:
            return self.outcome.status
        if self.started_at <= now:
            return "Processing"
        return "Queued" if self.queued_at <= now else "Created"

    def shown_at(self, now: float) -> dict[str, Any]:
        """The job as Adobe's ExportResponse, with what is known at `now`."""
        utc = utc_formatter()
        status = self.status_at(now)
        shown: dict[str, Any] = {
            "exportId": self.id,
            "format": self.request.file_format,
            "status": status,
            "createdAt": utc(int(self.created_at)),
        }
        for key, moment in (("queuedAt", self.queued_at), ("startedAt", self.started_at)):
            if moment <= now:
                shown[key] = utc(int(moment))
        if self.finished_at <= now:
            shown["finishedAt"] = utc(int(self.finished_at))
        if status == "Completed" and self.stored is not None:
            shown["numberOfRecords"] = self.records
            shown["fileSize"] = self.stored.size
            shown["fileChecksum"] = self.stored.checksum
        elif status == "Failed":
            shown["errorMsg"] = self.outcome.message or "Export job failed"
        return shown


# Chooses the rows of a job that starts at an instant and writes its file; returns their number and the file.
Produce = Callable[[ExportRequest, float], tuple[int, StoredFile]]


class Exports:
    """All jobs of the instance."""

    def __init__(self, options: SandboxOptions, limits: Limits, produce: Produce) -> None:
        self._options = options
        self._limits = limits
        self._produce = produce
        self._random = random.Random(f"exports {options.seed}")  # noqa: S311  # job ids are repeatable, not secret
        self._jobs: dict[str, ExportJob] = {}
        self._waiting: deque[ExportJob] = deque()
        self._running: list[ExportJob] = []
        self._freed_at = 0.0
        self._serial = 0
        self._purge_at = 0.0

    def advance(self, now: float) -> None:
        """Carry out every start and end up to `now`, in order."""
        while True:
            if self._waiting and len(self._running) < self._options.jobs_running:
                job = self._waiting.popleft()
                self._start(job, max(job.queued_at, self._freed_at))
                continue
            job_ending = min(self._running, key=lambda job: job.finished_at, default=None)
            if job_ending is None or job_ending.finished_at > now:
                break
            self._end(job_ending)
        if now >= self._purge_at:
            self._purge(now)

    @property
    def next_end(self) -> float:
        """When the next job ends, which is when another may start and choose its rows; FOREVER when none runs."""
        return min((job.finished_at for job in self._running), default=FOREVER)

    def create(self, request: ExportRequest, now: float, outcome: Outcome) -> ExportJob:
        """A new job; raises Refusal when the day's bytes are used up."""
        self._refuse_over_quota(now)
        self._serial += 1
        job_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        job = self._jobs[job_id] = ExportJob(job_id, self._serial, request, now, outcome)
        return job

    def enqueue(self, job: ExportJob, now: float) -> None:
        """Put the job into the queue; raises Refusal with one of the three meanings of 1029."""
        if job.cancelled_at <= now:
            raise invalid("Export job is cancelled")
        if job.queued_at <= now:
            raise Refusal("1029", "Job already queued")
        self._refuse_over_quota(now)
        if len(self._waiting) + len(self._running) >= self._options.jobs_queued:
            raise Refusal("1029", f"Too many jobs ({self._options.jobs_queued}) in queue")
        job.queued_at = now
        self._waiting.append(job)
        self.advance(now)

    def cancel(self, job: ExportJob, now: float) -> None:
        """Take the job out of the queue or stop it; raises Refusal when it has ended."""
        if job.finished_at <= now:
            raise invalid(f"Export job is in status {job.outcome.status} and cannot be cancelled")
        job.cancelled_at = min(job.cancelled_at, now)
        if job in self._running:
            self._running.remove(job)
            self._freed_at = now
        elif job in self._waiting:
            self._waiting.remove(job)
        job.finished_at, job.stored = FOREVER, None
        self.advance(now)

    def find(self, kind: str, job_id: str) -> ExportJob:
        """The job of that kind; raises Refusal when there is none (any more)."""
        job = self._jobs.get(job_id)
        if job is None or job.request.kind != kind:
            raise refusal("1013")
        return job

    def file(self, kind: str, job_id: str, now: float) -> StoredFile | None:
        """The finished file, while it is kept."""
        job = self._jobs.get(job_id)
        if job is None or job.request.kind != kind or job.status_at(now) != "Completed":
            return None
        return job.stored if now < job.finished_at + FILE_SECONDS else None

    def listed(self, kind: str, now: float) -> list[ExportJob]:
        """Jobs of that kind that were created in the past seven days, oldest first."""
        return [
            job for job in self._jobs.values() if job.request.kind == kind and job.created_at > now - LISTED_SECONDS
        ]

    def shown_at(self, now: float) -> float:
        """The instant as of which a client is shown jobs now."""
        return now // self._options.status_seconds * self._options.status_seconds

    def _start(self, job: ExportJob, at: float) -> None:
        job.started_at = at
        job.records, job.stored = self._produce(job.request, at)
        least, most = self._options.job_seconds
        seconds = job.outcome.seconds
        if seconds is None:
            seconds = least + (most - least) * min(1.0, job.records / SLOWEST_ROWS)
        job.finished_at = at + seconds
        self._running.append(job)

    def _end(self, job: ExportJob) -> None:
        self._running.remove(job)
        self._freed_at = job.finished_at
        if job.outcome.status == "Completed" and job.stored is not None:
            self._limits.exported.add(job.finished_at, job.stored.size)
        else:
            job.stored = None

    def _refuse_over_quota(self, now: float) -> None:
        refused = self._limits.refuse_export(now)
        if refused is not None:
            raise refused

    def _purge(self, now: float) -> None:
        self._purge_at = now + PURGE_SECONDS
        for job_id, job in list(self._jobs.items()):
            if job.finished_at + FILE_SECONDS <= now:
                job.stored = None
            is_at_rest = job not in self._running and job not in self._waiting
            if is_at_rest and job.created_at + STATUS_SECONDS <= now:
                del self._jobs[job_id]

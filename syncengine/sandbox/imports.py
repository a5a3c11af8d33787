"""Bulk import jobs: their queue, their pace, and what a client is shown of them.

Theory: Queued -> Importing -> Complete or Failed. Two jobs run at once over all kinds and the others wait in order, ten
in all. `advance(now)` replays every start and end up to `now` in order, and writes the rows of a running job evenly
over its time, so that a half finished job can be seen. A body is read when its job runs and forgotten when it ends.
`most_rows` bounds the work of one call: a job whose time is over is still Importing until its last row is written.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-lead-import
"""

import hashlib
import math
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from syncengine.sandbox.exports import FOREVER, Outcome
from syncengine.sandbox.import_rows import Rows, written_row
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.replies import refusal
from syncengine.sandbox.values import utc_formatter

FIRST_BATCH_ID = 1_001
BATCH_SECONDS = 7 * 86_400


class RowWriter(Protocol):
    """Writes the rows of one job."""

    def write(self, cells: list[str], now: float) -> tuple[str, str]:
        """Write a row of as many cells as the header has; why it failed, and what is to be warned of."""
        ...

    def close(self) -> None:
        """The job has ended."""
        ...


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A validated create call; `scope` is the API name of a custom object, `lookup` the last column that is a key."""

    kind: str
    file_format: str
    header: tuple[str, ...]
    lookup: tuple[str, ...]
    open_writer: Callable[[], RowWriter]
    scope: str = ""
    list_id: int | None = None


@dataclass(slots=True)
class ImportJob:
    """One batch; what is listed of rows are their cells and the reason."""

    id: int
    request: ImportRequest
    created_at: float
    body: bytes | None
    size: int
    sha256: str
    outcome: Outcome
    started_at: float = FOREVER
    finished_at: float = FOREVER
    status: str = "Queued"
    processed: int = 0
    failed: int = 0
    warned: int = 0
    failures: list[list[str]] = field(default_factory=list[list[str]])
    warnings: list[list[str]] = field(default_factory=list[list[str]])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    reading: "tuple[Rows, Iterator[list[str]], RowWriter] | None" = None

    @property
    def message(self) -> str:
        """What the job says of itself when it has ended."""
        if self.status == "Failed":
            return self.outcome.message or "Import failed"
        done = f"{self.processed} records imported ({self.processed} members)"
        warned = f", {self.warned} warning." if self.warned else ""
        if self.failed:
            return f"Import completed with errors, {done}, {self.failed} failed{warned}"
        return f"Import succeeded, {done}{warned}"

    def truth(self) -> dict[str, Any]:
        """The batch as the control path tells of it; `rows` are those that were read so far."""
        utc = utc_formatter()
        return {
            "batchId": self.id,
            "kind": self.request.kind,
            "objectApiName": self.request.scope or None,
            "listId": self.request.list_id,
            "format": self.request.file_format,
            "acceptedAt": utc(int(self.created_at)),
            "startedAt": None if self.started_at == FOREVER else utc(int(self.started_at)),
            "status": self.status,
            "size": self.size,
            "sha256": self.sha256,
            "rows": self.processed + self.failed,
            "processed": self.processed,
            "failed": self.failed,
            "warned": self.warned,
        }


class Imports:
    """All import jobs of the instance, in the order in which they were accepted."""

    def __init__(self, options: SandboxOptions) -> None:
        self.jobs: dict[int, ImportJob] = {}
        self.running_most = 0
        self._options = options
        self._random = random.Random(f"imports {options.seed}")  # noqa: S311  # repeatable, not secret
        self._waiting: deque[ImportJob] = deque()
        self._running: list[ImportJob] = []
        self._freed_at = 0.0
        self._forgotten: set[int] = set()

    def check_room(self, list_id: int | None) -> None:
        """Raise Refusal when the queue is full (1016) or the list is being imported to (1019)."""
        queued = [*self._running, *self._waiting]
        if list_id is not None and any(job.request.list_id == list_id for job in queued):
            raise refusal("1019")
        if len(queued) >= self._options.imports_queued:
            raise refusal("1016")

    def create(self, request: ImportRequest, body: bytes, now: float, outcome: Outcome) -> ImportJob:
        """A new batch; raises Refusal when there is no room for it."""
        self.check_room(request.list_id)
        job_id = FIRST_BATCH_ID + len(self.jobs)
        digest = hashlib.sha256(body).hexdigest()
        job = self.jobs[job_id] = ImportJob(job_id, request, now, body, len(body), digest, outcome)
        if outcome.is_forgotten:
            self._forgotten.add(job_id)
        self._waiting.append(job)
        return job

    def find(self, kind: str, scope: str, job_id: int, now: float) -> ImportJob | None:
        """The batch of that kind, while its id is valid."""
        job = self.jobs.get(job_id)
        if job is None or job_id in self._forgotten or now >= job.created_at + BATCH_SECONDS:
            return None
        return job if (job.request.kind, job.request.scope) == (kind, scope) else None

    def advance(self, now: float, most_rows: int | None = None) -> int:
        """Carry out what lies before `now`, in order, or so many rows of it; returns how many rows were written."""
        written, most = 0, math.inf if most_rows is None else most_rows
        while True:
            if self._waiting and len(self._running) < self._options.imports_running:
                job = self._waiting.popleft()
                self._start(job, max(job.created_at, self._freed_at))
                continue
            ending = min(self._running, key=lambda job: job.finished_at, default=None)
            if ending is None:
                return written
            until = min(now, ending.finished_at)
            # The one that ends first is written first, so that a bounded call gets somewhere.
            for job in sorted(self._running, key=lambda job: job.finished_at):
                written += self._write(job, until, most - written)
            if written >= most or ending.finished_at > now:
                return written
            self._end(ending)

    def _start(self, job: ImportJob, at: float) -> None:
        job.started_at, job.status = at, "Importing"
        seconds = self._random.uniform(*self._options.import_seconds)
        job.finished_at = at + (seconds if job.outcome.seconds is None else job.outcome.seconds)
        rows = Rows(job.body or b"", job.request.file_format)
        records = iter(rows)
        next(records, None)
        job.reading = rows, records, job.request.open_writer()
        self._running.append(job)
        self.running_most = max(self.running_most, len(self._running))

    def _write(self, job: ImportJob, until: float, most: float) -> int:
        """Write the rows that are due at an instant; returns their number."""
        if job.reading is None:
            return 0
        rows, records, writer = job.reading
        due = math.inf
        if until < job.finished_at:
            due = job.size * (until - job.started_at) / (job.finished_at - job.started_at)
        if job.outcome.status == "Failed":
            due = min(due, job.outcome.at_byte)
        done, width = 0, len(job.request.header)
        while done < most and rows.read_chars < due:
            cells = next(records, None)
            if cells is None:
                break
            done += 1
            if len(cells) == width:
                failure, warning = writer.write(cells, until)
            else:
                failure, warning = f"Row has {len(cells)} columns, the header has {width}", ""
            job.processed += not failure
            if failure:
                job.failed += 1
                job.failures.append([*cells, failure])
            elif warning:
                job.warned += 1
                job.warnings.append([*cells, warning])
        return done

    def _end(self, job: ImportJob) -> None:
        assert job.reading is not None
        job.reading[2].close()
        job.reading, job.body = None, None
        job.status = job.outcome.status if job.outcome.status == "Failed" else "Complete"
        job.files = {
            name: _listing(job.request, reason, rows)
            for name, reason, rows in (
                ("failures", "Import Failure Reason", job.failures),
                ("warnings", "Import Warning Reason", job.warnings),
            )
            if rows
        }
        job.failures, job.warnings = [], []
        self._running.remove(job)
        self._freed_at = job.finished_at


def _listing(request: ImportRequest, reason: str, rows: Sequence[list[str]]) -> bytes:
    """The file of failures or warnings. The last column is missing where it is the key and nobody has one."""
    header, width = list(request.header), len(request.header)
    if header[-1] in request.lookup and all(len(row) == width + 1 and not row[-2] for row in rows):
        del header[-1]
        rows = [[*row[:-2], row[-1]] for row in rows]
    return "".join(written_row(row, request.file_format) for row in [[*header, reason], *rows]).encode()

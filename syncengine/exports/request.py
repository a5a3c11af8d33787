"""Asking Marketo for a file: create a job, enqueue it, and watch all jobs of one kind with a single call.

Status is renewed once a minute and one list call shows every job, so N jobs cost one call a minute together, not N.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import anyio

from syncengine.errors import CallRejected, NotFound, PermissionDenied
from syncengine.exports.streams import Bulk, stream_of
from syncengine.exports.window import file_fields, part_of, stretch_of
from syncengine.jobs.job import Job
from syncengine.marketo.endpoints import exports
from syncengine.marketo.endpoints.exports import ExportKind, Filter
from syncengine.marketo.rows import ExportJob
from syncengine.transport.client import Client
from syncengine.transport.gate import exhausted
from syncengine.transport.retry import Patience

# A full queue is told at once, so that the worker can do something else meanwhile.
NO_QUEUEING = Patience(queue_seconds=0.0)
# A job that is not through after this has been lost by Marketo's queue.
STUCK_SECONDS = 12 * 3600.0
# A job that the list does not show this often in a row is asked for by its id.
MISSED_MAX = 2


def kind_of(job: Job) -> ExportKind:
    """The kind of export that a window is."""
    way = stream_of(job.group).way
    assert isinstance(way, Bulk)
    return way.kind


def chosen(job: Job) -> Filter:
    """The filter that takes a window's rows."""
    start, end = stretch_of(job)
    field, part = job.facts["request"]["filter"], part_of(job)
    if field is None:
        return Filter(program_ids=part.program_ids, static_list_id=part.list_id)
    # Marketo's window includes its end.
    return Filter(field, start, end - timedelta(seconds=1), program_ids=part.program_ids, static_list_id=part.list_id)


async def create(client: Client, window: Job) -> str:
    """Create the window's job and give its id; it does nothing and costs nothing until it is enqueued.

    Raises QuotaExhausted when today's export megabytes are used up, Unsupported when the subscription lacks the filter.
    """
    kind = kind_of(window)
    await _refuse_when_used_up(client, f"{kind.name}.export.create")
    job = await client.send(exports.create(kind, file_fields(window), chosen(window)))
    return job.export_id


async def enqueue(client: Client, kind: ExportKind, export_id: str) -> None:
    """Put a created job into the queue; one that is there already is fine.

    Raises QuotaExhausted when today's export megabytes are used up, Unavailable with code 1029a when the queue is full.
    """
    await _refuse_when_used_up(client, f"{kind.name}.export.enqueue")
    await client.send(exports.enqueue(kind, export_id), patience=NO_QUEUEING)


async def _refuse_when_used_up(client: Client, name: str) -> None:
    if resume_at := await client.gate.paused("export"):
        raise exhausted(resume_at, name, "export")


async def cancel(client: Client, kind: ExportKind, export_id: str) -> None:
    """Take a job out of the queue; one that has ended or is gone already is fine.

    Adobe names no code for a job that has ended meanwhile, so every refusal of the call as such is taken for that one:
    a job that cannot be stopped does no harm but its megabytes.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract
    """
    with suppress(NotFound, CallRejected):
        await client.send(exports.cancel(kind, export_id))


@dataclass(slots=True)
class _Watched:
    job_id: str
    since: float
    missed: int = 0


class Watch:
    """Watches the enqueued jobs of one kind; `wake` is called with the ids of those about which there is news.

    `news` gives what was seen of a job: the finished ExportJob, None for one that Marketo no longer knows, and
    KeyError for one that is still under way. `failure` is set once nothing can be seen any more.
    """

    def __init__(self, client: Client, kind: ExportKind, poll_seconds: float, wake: Callable[[str], None]) -> None:
        self._client = client
        self._kind = kind
        self._seconds = poll_seconds
        self._wake = wake
        self._watched: dict[str, _Watched] = {}
        self._due = 0.0
        self._changed = anyio.Event()
        self.news: dict[str, ExportJob | None] = {}
        self.failure: PermissionDenied | None = None
        self.polls = 0

    def add(self, job_id: str, export_id: str, *, age_seconds: float | None = None) -> None:
        """Watch a job from now on. One that was just enqueued cannot be through before a minute is over.

        Of one that was enqueued before this process began, `age_seconds` ago, there may be news at once.
        """
        now = self._client.clock.monotonic()
        due = now + (self._seconds if age_seconds is None else 0.0)
        self._due = min(self._due, due) if self._watched else due
        self._watched[export_id] = _Watched(job_id, now - (age_seconds or 0.0))
        self._changed.set()
        if self.failure is not None:
            # Nobody polls any more: whoever comes now has to be told like those who were waiting.
            self._wake(job_id)

    def is_stuck(self, export_id: str) -> bool:
        """Whether a watched job has been under way for longer than any job takes."""
        watched = self._watched.get(export_id)
        return watched is not None and self._client.clock.monotonic() - watched.since > STUCK_SECONDS

    def watches(self, export_id: str) -> bool:
        """Whether the job is being watched."""
        return export_id in self._watched

    def drop(self, export_id: str) -> None:
        """Forget a job and its news."""
        self._watched.pop(export_id, None)
        self.news.pop(export_id, None)

    async def run(self) -> None:
        """Poll while there is something to watch; until cancelled, or until the permission to look is denied."""
        clock = self._client.clock
        while True:
            self._changed = anyio.Event()
            if not self._watched:
                await self._changed.wait()
            elif (wait := self._due - clock.monotonic()) > 0:
                with clock.move_on_after(wait):
                    await self._changed.wait()
            else:
                await self._client.gate.poll_turn(self._kind.name, self._seconds)
                try:
                    await self.poll()
                except PermissionDenied as error:
                    self.failure = error
                    for watched in self._watched.values():
                        self._wake(watched.job_id)
                    return
                self._due = clock.monotonic() + self._seconds

    async def poll(self) -> None:
        """One look at all jobs: as many pages as it takes to see each watched one."""
        unseen = dict(self._watched)
        page_token = None
        while True:
            self.polls += 1
            page = await self._client.send(exports.jobs(self._kind, page_token=page_token))
            for job in page.jobs:
                if watched := unseen.pop(job.export_id, None):
                    watched.missed = 0
                    self._note(job, watched)
            page_token = page.next_page_token
            if not unseen or not page_token:
                break
        for export_id, watched in unseen.items():
            await self._look_for(export_id, watched)

    def _note(self, job: ExportJob, watched: _Watched) -> None:
        if job.status.is_final:
            self.news[job.export_id] = job
            self._watched.pop(job.export_id, None)
            self._wake(watched.job_id)
        elif self.is_stuck(job.export_id):
            self._wake(watched.job_id)

    async def _look_for(self, export_id: str, watched: _Watched) -> None:
        watched.missed += 1
        if watched.missed < MISSED_MAX:
            return
        watched.missed = 0
        try:
            self._note(await self._client.send(exports.status(self._kind, export_id)), watched)
        except NotFound:
            self.news[export_id] = None
            self._watched.pop(export_id, None)
            self._wake(watched.job_id)

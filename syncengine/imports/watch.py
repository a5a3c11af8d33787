"""One pair of eyes for all batches: Marketo lists no import jobs, so each is asked for by its id.

The queue is first in, first out and two jobs run at once, so only the two oldest of ours can have ended: the others are
not asked for. While the oldest still waits in the queue, so does the second.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-lead-import
"""

from collections.abc import Callable
from contextlib import suppress

import anyio

from syncengine.errors import NotFound, Unavailable
from syncengine.marketo.call import Call
from syncengine.marketo.limits import IMPORT_RUNNING_MAX
from syncengine.marketo.rows import ImportBatch, ImportStatus
from syncengine.transport.client import Client


class Batches:
    """Watches accepted batches; `wake` is called with the id of each job about which there is news.

    `news` gives the ended ImportBatch, or None for one that Marketo no longer knows. `ask` makes the call for a batch,
    `progress` is told of a job's rows that Marketo has worked on so far.
    """

    def __init__(
        self,
        client: Client,
        ask: Callable[[int], Call[ImportBatch]],
        poll_seconds: float,
        wake: Callable[[str], None],
        progress: Callable[[str, int], None] = lambda _job_id, _rows: None,
    ) -> None:
        self._client = client
        self._ask = ask
        self._seconds = poll_seconds
        self._wake = wake
        self._progress = progress
        self._watched: dict[int, str] = {}
        self._due = 0.0
        self._changed = anyio.Event()
        self.news: dict[int, ImportBatch | None] = {}

    def add(self, batch_id: int, job_id: str, *, is_fresh: bool) -> None:
        """Watch a batch from now on; a fresh one is not through before a poll's time is over."""
        if batch_id in self._watched or batch_id in self.news:
            return
        if not self._watched:
            self._due = self._client.clock.monotonic() + (self._seconds if is_fresh else 0.0)
        self._watched[batch_id] = job_id
        self._changed.set()

    async def run(self) -> None:
        """Poll while there is something to watch; until cancelled. Raises what a status call raises.

        While Marketo cannot be reached nothing is lost but time, so the next poll simply comes later.
        """
        clock = self._client.clock
        while True:
            self._changed = anyio.Event()
            if not self._watched:
                await self._changed.wait()
            elif (wait := self._due - clock.monotonic()) > 0:
                with clock.move_on_after(wait):
                    await self._changed.wait()
            else:
                with suppress(Unavailable):
                    await self.poll()
                self._due = clock.monotonic() + self._seconds

    async def poll(self) -> None:
        """One look at the batches that can have ended."""
        for batch_id in sorted(self._watched)[:IMPORT_RUNNING_MAX]:
            try:
                batch = await self._client.send(self._ask(batch_id))
            except NotFound:
                self._tell(batch_id, None)
                continue
            if batch.status in {ImportStatus.COMPLETE, ImportStatus.FAILED}:
                self._tell(batch_id, batch)
            elif batch.status is ImportStatus.QUEUED:
                return
            elif batch.processed:
                self._progress(self._watched[batch_id], batch.processed)

    def _tell(self, batch_id: int, batch: ImportBatch | None) -> None:
        self.news[batch_id] = batch
        self._wake(self._watched.pop(batch_id))

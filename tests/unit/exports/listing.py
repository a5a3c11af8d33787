"""Marketo's list of export jobs as a test writes it, and a watch over it."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from syncengine.clock import Clock
from syncengine.exports.request import Watch
from syncengine.marketo.endpoints.exports import LEADS
from syncengine.transport.wire import WireRequest
from tests.scripted import Answer, Told, client_over, refused, rows

POLL_SECONDS = 60.0


def export_id(number: int) -> str:
    """The export id of a test's job."""
    return str(UUID(int=number))


@dataclass
class Listing:
    """Answers list and status calls: the first `shown` jobs, `page_size` a page; those in `hidden` by id alone."""

    statuses: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    page_size: int = 300

    def __call__(self, request: WireRequest) -> Answer:
        target = urlsplit(request.target)
        if target.path.endswith("/status.json"):
            job_id = target.path.split("/")[-2]
            return rows(row(job_id, self.statuses[job_id])) if job_id in self.statuses else refused("1013")
        listed = [job_id for job_id in self.statuses if job_id not in self.hidden]
        first = int(parse_qs(target.query).get("nextPageToken", ["0"])[0])
        page = [row(job_id, self.statuses[job_id]) for job_id in listed[first : first + self.page_size]]
        more = first + self.page_size < len(listed)
        return rows(*page, **({"nextPageToken": str(first + self.page_size)} if more else {}))


def row(job_id: str, status: str) -> dict[str, Any]:
    """A job as the list shows it."""
    return {"exportId": job_id, "status": status, "format": "CSV", "createdAt": "2026-03-02T08:00:00Z"}


@dataclass
class Watching:
    """A watch of leads over a listing, what it has asked and whom it has woken."""

    listing: Listing
    told: Told
    watch: Watch
    woken: list[str]

    @property
    def asked(self) -> list[str]:
        """The paths of all calls so far."""
        return [request.target for request in self.told.wire.requests]

    @property
    def gaps(self) -> list[float]:
        """Seconds between the calls."""
        sent = self.told.wire.sent_at
        return [later - earlier for earlier, later in pairwise(sent)]

    def add(self, *numbers: int, status: str = "Queued", age_seconds: float | None = None) -> None:
        """Watch jobs that are in the queue; with an age they are an earlier process's."""
        for number in numbers:
            self.listing.statuses.setdefault(export_id(number), status)
            self.watch.add(f"job {number}", export_id(number), age_seconds=age_seconds)


async def watching(clock: Clock, **listing: Any) -> Watching:
    """A watch with nothing to watch yet, and a token in hand: a poll is then one call, sent at once."""
    made, woken = Listing(**listing), list[str]()
    told = client_over(clock, made)
    await told.client.tokens.current()
    return Watching(made, told, Watch(told.client, LEADS, POLL_SECONDS, woken.append), woken)

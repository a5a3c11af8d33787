"""Bulk export: a job is created, enqueued, watched, and its file fetched; all kinds of objects share one queue.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Literal, TypeVar

from syncengine.marketo.call import Call, Repeat
from syncengine.marketo.dialect import FORMAT
from syncengine.marketo.limits import EXPORT_WINDOW_DAYS_MAX
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import ExportJob, ExportStatus, export_id, export_job

T = TypeVar("T")


class ExportKind(Enum):
    """What can be exported; each kind has paths, a permission and a list of jobs of its own."""

    LEADS = "leads"
    ACTIVITIES = "activities"

    @property
    def root(self) -> str:
        """Where the paths of this kind begin."""
        return f"/bulk/v1/{self.value}/export"

    @property
    def permission(self) -> str:
        """The least permission that the API user's role needs."""
        return {ExportKind.LEADS: "Read-Only Lead", ExportKind.ACTIVITIES: "Read-Only Activity"}[self]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records a job takes: those whose `field` lies in [start, end], both ends included, in whole seconds.

    ValueError for what Marketo would refuse or silently read otherwise: times without a zone, fractions of a second, an
    end before the start, more than 31 days. On activities, `createdAt` means the activity's own date.
    """

    field: Literal["createdAt", "updatedAt"]
    start: datetime
    end: datetime
    activity_type_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("an export's window needs times with a zone")
        if self.start.microsecond or self.end.microsecond:
            raise ValueError("an export's window is cut at whole seconds")
        if not timedelta() <= self.end - self.start <= timedelta(days=EXPORT_WINDOW_DAYS_MAX):
            raise ValueError(f"an export's window spans 0 to {EXPORT_WINDOW_DAYS_MAX} days")

    def as_json(self) -> dict[str, Any]:
        """The `filter` of a create call."""
        chosen: dict[str, Any] = {self.field: {"startAt": wire_time(self.start), "endAt": wire_time(self.end)}}
        if self.activity_type_ids:
            chosen["activityTypeIds"] = list(self.activity_type_ids)
        return chosen


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs of the last 7 days that this API user created; more of them follow while there is a token."""

    jobs: tuple[ExportJob, ...]
    next_page_token: str | None


def create(kind: ExportKind, fields: Sequence[str], chosen: Filter) -> Call[ExportJob]:
    """A new job, which does nothing until it is enqueued; activities without `fields` come with all of theirs.

    ValueError when the kind does not know the filter, or leads are asked for without fields.
    """
    if kind is ExportKind.LEADS and (not fields or chosen.activity_type_ids):
        raise ValueError("an export of leads names fields, and no activity types")
    if kind is ExportKind.ACTIVITIES and chosen.field != "createdAt":
        raise ValueError("activities are exported by createdAt alone")
    body: dict[str, Any] = {"format": FORMAT, "filter": chosen.as_json()}
    if fields:
        body["fields"] = list(fields)
    return Call(
        name=f"{kind.value}.export.create",
        method="POST",
        path=f"{kind.root}/create.json",
        decode=one_job,
        json=body,
        repeat=Repeat.CREATES,
        permission=kind.permission,
    )


def enqueue(kind: ExportKind, job_id: str) -> Call[ExportJob | None]:
    """A created job put into the queue; None when an earlier try had put it there already.

    Safe to repeat: a second one is answered 1029 "already queued", whose verdict is NOOP.
    """
    return job_call(kind, job_id, "enqueue", one_job_or_none)


def status(kind: ExportKind, job_id: str) -> Call[ExportJob]:
    """One job; its status changes no oftener than once in 60 seconds."""
    return job_call(kind, job_id, "status", one_job)


def cancel(kind: ExportKind, job_id: str) -> Call[ExportJob]:
    """A job stopped for good."""
    return job_call(kind, job_id, "cancel", one_job)


def file(kind: ExportKind, job_id: str) -> Call[None]:
    """The file of a completed job, kept for 7 days; takes a `Range` header. Its body is streamed, never decoded."""
    return job_call(kind, job_id, "file", nothing)


def jobs(kind: ExportKind, *, statuses: Collection[ExportStatus] = (), page_token: str | None = None) -> Call[JobPage]:
    """One page of this kind's jobs, of all statuses unless some are named; one call watches them all."""
    if ExportStatus.UNKNOWN in statuses:
        raise ValueError("jobs cannot be listed by an unknown status")
    query = {}
    if statuses:
        query["status"] = ",".join(each.value for each in ExportStatus if each in statuses)
    if page_token:
        query["nextPageToken"] = page_token
    return Call(
        name=f"{kind.value}.export.jobs",
        method="GET",
        path=f"{kind.root}.json",
        decode=job_page,
        query=query,
        permission=kind.permission,
    )


def job_call(kind: ExportKind, job_id: str, verb: str, decode: Callable[[Reply], T]) -> Call[T]:
    """A call about one job; Malformed when its id could lead out of the path."""
    return Call(
        name=f"{kind.value}.export.{verb}",
        method="POST" if verb in {"enqueue", "cancel"} else "GET",
        path=f"{kind.root}/{export_id(job_id)}/{verb}.json",
        decode=decode,
        permission=kind.permission,
    )


def wire_time(moment: datetime) -> str:
    """A moment as filters take it: UTC, without milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def one_job(reply: Reply) -> ExportJob:
    """The one job that an answer is about."""
    if not reply.result:
        raise Malformed("an answer about an export job holds none")
    return export_job(reply.result[0])


def one_job_or_none(reply: Reply) -> ExportJob | None:
    """The one job that an answer is about, if it names one."""
    return one_job(reply) if reply.result else None


def job_page(reply: Reply) -> JobPage:
    """A page of jobs. One unreadable row does not hide the others: its job is then missing from the list."""
    return JobPage(tuple(job for row in reply.result if (job := readable(row))), reply.next_page_token)


def readable(row: object) -> ExportJob | None:
    """One row of the list, or None."""
    try:
        return export_job(row)
    except Malformed:
        return None


def nothing(_: Reply) -> None:
    """For answers that are not read here."""

"""Bulk export: a job is created, enqueued, watched, and its file fetched; all kinds of objects share one queue.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeVar

from syncengine.marketo.call import Call, Repeat
from syncengine.marketo.dialect import FORMAT
from syncengine.marketo.limits import EXPORT_PROGRAMS_MAX, EXPORT_WINDOW_DAYS_MAX
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import ExportJob, ExportStatus, api_name_in_path, export_id, export_job, wire_time

T = TypeVar("T")

# The first column of a file of program members.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-program-member-extract
PROGRAM_ID: Final = "programId"


@dataclass(frozen=True, slots=True)
class ExportKind:
    """What can be exported; each kind has paths, a permission and a list of jobs of its own.

    `name` is what the names of its calls begin with, `root` where its paths do; `permission` is the least that the API
    user's role needs.
    """

    name: str
    root: str
    permission: str


LEADS: Final = ExportKind("leads", "/bulk/v1/leads/export", "Read-Only Lead")
ACTIVITIES: Final = ExportKind("activities", "/bulk/v1/activities/export", "Read-Only Activity")
PROGRAM_MEMBERS: Final = ExportKind("program_members", "/bulk/v1/program/members/export", "Read-Only Lead")


def custom_object(api_name: str) -> ExportKind:
    """The kind of one custom object: those at the first level, linked to leads, and none that a CRM owns.

    Malformed when its API name could lead out of the path.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-custom-object-extract
    """
    name = api_name_in_path(api_name)
    return ExportKind(f"custom_object_{name}", f"/bulk/v1/customobjects/{name}/export", "Read-Only Custom Object")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records a job takes.

    With `field`, those whose date lies in [start, end], both ends included, in whole seconds; without it all, and both
    times are None. Every kind that has a window limits it to 31 days, by createdAt as by updatedAt. On activities,
    `createdAt` means the activity's own date. Where several filters may be named, a record has to pass each of them:

    - leads take exactly one of createdAt, updatedAt and a static list;
    - activities take createdAt always, and activity types with it;
    - program members take programs always, at most 10 a job, and updatedAt with them;
    - custom objects take exactly one of updatedAt and a static list.

    Of leads, program members and custom objects, some subscriptions refuse updatedAt with code 1035.

    ValueError for what Marketo would refuse or silently read otherwise: times without a zone, fractions of a second, an
    end before the start, more than 31 days, more than 10 programs.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-lead-extract
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-activity-extract
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-program-member-extract
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-custom-object-extract
    """

    field: Literal["createdAt", "updatedAt"] | None = None
    start: datetime | None = None
    end: datetime | None = None
    activity_type_ids: tuple[int, ...] = ()
    program_ids: tuple[int, ...] = ()
    static_list_id: int | None = None

    def __post_init__(self) -> None:
        if len(self.program_ids) > EXPORT_PROGRAMS_MAX:
            raise ValueError(f"an export names at most {EXPORT_PROGRAMS_MAX} programs")
        if self.field is None and self.start is None and self.end is None:
            return
        if self.field is None or self.start is None or self.end is None:
            raise ValueError("an export's window has a field, a start and an end, or none of them")
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("an export's window needs times with a zone")
        if self.start.microsecond or self.end.microsecond:
            raise ValueError("an export's window is cut at whole seconds")
        if not timedelta() <= self.end - self.start <= timedelta(days=EXPORT_WINDOW_DAYS_MAX):
            raise ValueError(f"an export's window spans 0 to {EXPORT_WINDOW_DAYS_MAX} days")

    def as_json(self) -> dict[str, Any]:
        """The `filter` of a create call."""
        chosen: dict[str, Any] = {}
        if self.field and self.start and self.end:
            chosen[self.field] = {"startAt": wire_time(self.start), "endAt": wire_time(self.end)}
        if self.activity_type_ids:
            chosen["activityTypeIds"] = list(self.activity_type_ids)
        if self.program_ids:
            # Even for one: `programId` alone gives a file that does not say which program its rows are of.
            chosen["programIds"] = list(self.program_ids)
        if self.static_list_id is not None:
            chosen["staticListId"] = self.static_list_id
        return chosen


@dataclass(frozen=True, slots=True)
class Rule:
    """What the filters of one kind have to be: one of `one_of`, all of `always`, and besides only of `besides`."""

    one_of: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()
    besides: frozenset[str] = frozenset()

    def allows(self, named: Collection[str]) -> bool:
        """Whether a job may be made with these filters."""
        names = frozenset(named)
        return (
            len(names & self.one_of) == (1 if self.one_of else 0)
            and self.always <= names <= self.one_of | self.always | self.besides
        )

    def __str__(self) -> str:
        choice = (f"exactly one of {', '.join(sorted(self.one_of))}",) if self.one_of else ()
        return "; ".join((*choice, *sorted(self.always), *(f"if wanted {each}" for each in sorted(self.besides))))


RULES: Final = {
    LEADS: Rule(one_of=frozenset({"createdAt", "updatedAt", "staticListId"})),
    ACTIVITIES: Rule(always=frozenset({"createdAt"}), besides=frozenset({"activityTypeIds"})),
    PROGRAM_MEMBERS: Rule(always=frozenset({"programIds"}), besides=frozenset({"updatedAt"})),
}
CUSTOM_OBJECT_RULE: Final = Rule(one_of=frozenset({"updatedAt", "staticListId"}))


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs of the last 7 days that this API user created; more of them follow while there is a token."""

    jobs: tuple[ExportJob, ...]
    next_page_token: str | None


def create(kind: ExportKind, fields: Sequence[str], chosen: Filter) -> Call[ExportJob]:
    """A new job, which does nothing until it is enqueued; activities without `fields` come with all of theirs.

    The file of program members begins with a column `programId` of Marketo's own accord, so that this name is taken
    out of `fields`: the column comes once, asked for or not. Their other columns have labels by default ("Lead Id",
    "Status" in Adobe's example), so that each is asked to be headed by its own name, as the other kinds' are.

    ValueError when the kind does not know the filter, or any but activities are asked for without fields.
    """
    rule = RULES.get(kind, CUSTOM_OBJECT_RULE)
    condition = chosen.as_json()
    if not rule.allows(condition):
        raise ValueError(f"an export of {kind.name} is filtered by {rule}, not by {', '.join(condition) or 'nothing'}")
    names = [each for each in fields if kind != PROGRAM_MEMBERS or each != PROGRAM_ID]
    if not names and kind != ACTIVITIES:
        raise ValueError(f"an export of {kind.name} names fields")
    body: dict[str, Any] = {"format": FORMAT, "filter": condition}
    if names:
        body["fields"] = names
    if kind == PROGRAM_MEMBERS:
        body["columnHeaderNames"] = {each: each for each in names}
    return Call(
        name=f"{kind.name}.export.create",
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
        name=f"{kind.name}.export.jobs",
        method="GET",
        path=f"{kind.root}.json",
        decode=job_page,
        query=query,
        permission=kind.permission,
    )


def job_call(kind: ExportKind, job_id: str, verb: str, decode: Callable[[Reply], T]) -> Call[T]:
    """A call about one job; Malformed when its id could lead out of the path."""
    return Call(
        name=f"{kind.name}.export.{verb}",
        method="POST" if verb in {"enqueue", "cancel"} else "GET",
        path=f"{kind.root}/{export_id(job_id)}/{verb}.json",
        decode=decode,
        permission=kind.permission,
    )


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

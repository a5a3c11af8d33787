"""The bulk export endpoints: what a create call may ask for, and how each of the six calls is answered.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract
"""

from collections.abc import Mapping
from typing import Any

import orjson

from syncengine.sandbox.activities import DEFAULT_FIELDS, EXPORT_FIELDS, Activities
from syncengine.sandbox.exports import ExportJob, ExportRequest, Exports, Outcome
from syncengine.sandbox.files import DELIMITERS, FileStore, StoredFile, Unsatisfiable, asked_range, table_pieces
from syncengine.sandbox.messages import FileBody, Response
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.people import People
from syncengine.sandbox.replies import TEXT_HEADERS, Refusal, invalid, plain, refusal
from syncengine.sandbox.values import parse_instant

RANGE_SECONDS_MAX = 31 * 86_400
LIST_SIZE_MAX = 300
STATUSES = frozenset({"created", "queued", "processing", "canceled", "cancelled", "completed", "failed"})
ACTIVITY_FILTERS = frozenset({"createdAt", "activityTypeIds"})
UNAVAILABLE_FILTERS = frozenset({"smartListId", "smartListName"})


class BulkExports:
    """Bulk export of leads and activities."""

    def __init__(self, options: SandboxOptions, exports: Exports, people: People, activities: Activities) -> None:
        self._options = options
        self._exports = exports
        self._people = people
        self._activities = activities

    def create(self, kind: str, body: bytes, now: float, outcome: Outcome) -> dict[str, Any]:
        """Make a job; raises Refusal for anything that the body may not ask."""
        try:
            asked = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise refusal("609") from None
        if not isinstance(asked, dict):
            raise invalid("The body of an export is an object")
        request = self._lead_request(asked, now) if kind == "leads" else self._activity_request(asked, now)
        return self._exports.create(request, now, outcome).shown_at(now)

    def enqueue(self, kind: str, job_id: str, now: float) -> dict[str, Any]:
        """Queue a job; the answer says Queued even when it starts at once."""
        job = self._exports.find(kind, job_id)
        self._exports.enqueue(job, now)
        shown = job.shown_at(now) | {"status": "Queued"}
        shown.pop("startedAt", None)
        return shown

    def cancel(self, kind: str, job_id: str, now: float) -> dict[str, Any]:
        """Cancel a job."""
        job = self._exports.find(kind, job_id)
        self._exports.cancel(job, now)
        return job.shown_at(now)

    def status(self, kind: str, job_id: str, now: float) -> dict[str, Any]:
        """A job as of the last whole minute."""
        return self._exports.find(kind, job_id).shown_at(self._exports.shown_at(now))

    def page(self, kind: str, query: Mapping[str, str], now: float) -> tuple[list[dict[str, Any]], str]:
        """A page of jobs as of the last whole minute, and the token of the next page or an empty text."""
        wanted = _statuses(query.get("status", ""))
        size = _whole(query.get("batchSize") or str(LIST_SIZE_MAX), "batchSize")
        if not 1 <= size <= LIST_SIZE_MAX:
            raise invalid(f"batchSize must be between 1 and {LIST_SIZE_MAX}")
        after = _serial(query.get("nextPageToken", ""))
        moment = self._exports.shown_at(now)
        jobs = [
            job
            for job in self._exports.listed(kind, now)
            if job.serial > after and (not wanted or _folded(job.status_at(moment)) in wanted)
        ]
        token = _page_token(jobs[size - 1]) if len(jobs) > size else ""
        return [job.shown_at(moment) for job in jobs[:size]], token

    def file(self, kind: str, job_id: str, range_header: str, now: float) -> Response:
        """The file or a part of it; errors are plain text."""
        stored = self._exports.file(kind, job_id, now)
        if stored is None:
            return plain(404, f"Export file not found for job {job_id[:64]}")
        headers = {"Content-Type": "text/csv;charset=UTF-8", "Accept-Ranges": "bytes"}
        try:
            asked = asked_range(range_header, stored.size)
        except Unsatisfiable:
            return Response(416, {**TEXT_HEADERS, "Content-Range": f"bytes */{stored.size}"}, code="416")
        if asked is None:
            return Response(200, headers, FileBody(stored.file, 0, stored.size, job_id))
        start, end = asked
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{stored.size}"
        return Response(206, headers, FileBody(stored.file, start, end, job_id))

    def _lead_request(self, asked: dict[str, Any], now: float) -> ExportRequest:
        names = asked.get("fields")
        if not isinstance(names, list) or not names:
            raise invalid("'fields' cannot be blank")
        types = {field.name: field.data_type for field in self._people.exportable()}
        chosen = _chosen(names, types, asked)
        filters = _object(asked.get("filter"), "filter")
        if len(filters) != 1:
            raise invalid("Exactly one filter type is required")
        ((name, value),) = filters.items()
        if name in UNAVAILABLE_FILTERS or (name == "updatedAt" and not self._options.updated_at_filter):
            raise refusal("1035")
        if name in {"staticListId", "staticListName"}:
            raise refusal("1013")
        if name not in {"createdAt", "updatedAt"}:
            raise invalid(f"Invalid filter: {name}")
        start, end = _range(value, name, now)
        return ExportRequest("leads", _format(asked), chosen, name, start, end)

    def _activity_request(self, asked: dict[str, Any], now: float) -> ExportRequest:
        names = asked.get("fields") or list(DEFAULT_FIELDS)
        if not isinstance(names, list):
            raise invalid("'fields' is a list of names")
        chosen = _chosen(names, EXPORT_FIELDS, asked)
        filters = _object(asked.get("filter"), "filter")
        unknown = sorted(set(filters) - ACTIVITY_FILTERS)
        if unknown:
            raise invalid(f"Invalid filter: {', '.join(unknown)}")
        type_ids = filters.get("activityTypeIds")
        if type_ids is not None and not (isinstance(type_ids, list) and all(type(one) is int for one in type_ids)):
            raise invalid("'activityTypeIds' is a list of integers")
        start, end = _range(filters.get("createdAt"), "createdAt", now)
        wanted = frozenset(type_ids) if type_ids else None
        return ExportRequest("activities", _format(asked), chosen, "createdAt", start, end, wanted)


def produced(
    people: People, activities: Activities, files: FileStore, request: ExportRequest
) -> tuple[int, StoredFile]:
    """Choose the job's rows and write its file; returns the number of rows and the file."""
    names = [name for name, _, _ in request.fields]
    if request.kind == "leads":
        rows = people.between("updatedAt" if request.moment == "updatedAt" else "createdAt", request.start, request.end)
        pieces = table_pieces(lambda part: people.columns(names, part), rows, request.fields, request.file_format)
    else:
        rows = activities.between(request.start, request.end, request.type_ids)
        pieces = table_pieces(lambda part: activities.columns(names, part), rows, request.fields, request.file_format)
    return len(rows), files.write(pieces)


def _chosen(names: list[Any], types: Mapping[str, str], asked: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    unknown = [str(name) for name in names if name not in types]
    if unknown:
        raise invalid(f"Invalid fields: {', '.join(unknown)}")
    if len(set(names)) < len(names):
        raise invalid("A field is named twice")
    headers = _object(asked.get("columnHeaderNames") or {}, "columnHeaderNames")
    strangers = sorted(set(headers) - set(names))
    if strangers:
        raise invalid(f"columnHeaderNames names fields that are not exported: {', '.join(strangers)}")
    return tuple((name, types[name], str(headers.get(name, name))) for name in names)


def _format(asked: dict[str, Any]) -> str:
    file_format = asked.get("format") or "CSV"
    if file_format not in DELIMITERS:
        raise invalid(f"Invalid format: {file_format}")
    return str(file_format)


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"Invalid value specified for attribute '{name}'")
    return value


def _range(value: Any, name: str, now: float) -> tuple[int, int]:
    given = _object(value, name)
    try:
        start, end = parse_instant(str(given["startAt"])), parse_instant(str(given["endAt"]))
    except (KeyError, ValueError):
        raise invalid(
            f"Invalid value specified for attribute '{name}': startAt and endAt as ISO 8601 datetimes"
        ) from None
    if end < start:
        raise invalid(f"'{name}': endAt lies before startAt")
    if end - start > RANGE_SECONDS_MAX:
        raise invalid(f"'{name}': the date range must be 31 days or fewer")
    if start > now:
        raise invalid(f"'{name}': startAt lies in the future")
    return start, end


def _statuses(text: str) -> frozenset[str]:
    wanted = [part.strip().lower() for part in text.split(",") if part.strip()]
    unknown = [part for part in wanted if part not in STATUSES]
    if unknown:
        raise invalid(f"Invalid status: {', '.join(unknown)}")
    return frozenset(map(_folded, wanted))


def _folded(status: str) -> str:
    return status.lower().replace("canceled", "cancelled")


def _whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Refusal("1001", f"Invalid value '{text}'. Required of type 'integer' for '{name}'") from None


def _page_token(job: ExportJob) -> str:
    return f"{job.serial:X}===="


def _serial(token: str) -> int:
    try:
        return int(token.removesuffix("====") or "0", 16)
    except ValueError:
        raise invalid("Invalid nextPageToken") from None

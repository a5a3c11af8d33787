"""The bulk export endpoints: how each of the six calls of a job's life is answered, for all kinds of exports alike.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract
"""

from collections.abc import Mapping
from typing import Any

import orjson

from syncengine.sandbox.export_requests import ExportRequests
from syncengine.sandbox.exports import ExportJob, ExportRequest, Exports, Outcome
from syncengine.sandbox.files import FileStore, StoredFile, Unsatisfiable, asked_range, table_pieces
from syncengine.sandbox.messages import FileBody, Response
from syncengine.sandbox.parameters import batch_size
from syncengine.sandbox.replies import TEXT_HEADERS, invalid, plain, refusal
from syncengine.sandbox.routes import JSON_TYPE, Call

STATUSES = frozenset({"created", "queued", "processing", "canceled", "cancelled", "completed", "failed"})


class BulkExports:
    """Bulk exports of every kind; a custom object is a kind of its own, with its own list of jobs."""

    def __init__(self, exports: Exports, requests: ExportRequests) -> None:
        self._exports = exports
        self._requests = requests

    def answer(self, call: Call, now: float, outcome: Outcome) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Result and further keys of any call but that for a file."""
        kind = self.kind_of(call)
        match call.endpoint.rpartition(".")[2]:
            case "list":
                jobs, token = self.page(kind, call.query, now)
                return jobs, {"nextPageToken": token} if token else {}
            case "create":
                if not call.headers.get("content-type", "").startswith(JSON_TYPE):
                    raise refusal("612")
                return [self.create(call, now, outcome)], {}
            case "enqueue":
                return [self.enqueue(kind, call.job_id, now)], {}
            case "cancel":
                return [self.cancel(kind, call.job_id, now)], {}
            case _:
                return [self.status(kind, call.job_id, now)], {}

    def kind_of(self, call: Call) -> str:
        """The kind whose jobs the call is about; raises Refusal for a custom object that cannot be exported."""
        if call.kind != "custom_objects":
            return call.kind
        return f"custom_object_{self._requests.object_type(call.path['apiName']).name}"

    def create(self, call: Call, now: float, outcome: Outcome) -> dict[str, Any]:
        """Make a job; raises Refusal for anything that the body may not ask."""
        kind, body = call.kind, call.request.body
        try:
            asked = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise refusal("609") from None
        if not isinstance(asked, dict):
            raise invalid("The body of an export is an object")
        request = self._requests.read(kind, call.path.get("apiName", ""), asked, now)
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
        size = batch_size(query)
        after = _serial(query.get("nextPageToken", ""))
        moment = self._exports.shown_at(now)
        jobs = [
            job
            for job in self._exports.listed(kind, now)
            if job.serial > after and (not wanted or _folded(job.status_at(moment)) in wanted)
        ]
        token = _page_token(jobs[size - 1]) if len(jobs) > size else ""
        return [job.shown_at(moment) for job in jobs[:size]], token

    def file(self, call: Call, range_header: str, now: float) -> Response:
        """The file or a part of it; errors are plain text."""
        job_id = call.job_id
        kind = f"custom_object_{call.path['apiName']}" if call.kind == "custom_objects" else call.kind
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


def produced(files: FileStore, request: ExportRequest, at: float) -> tuple[int, StoredFile]:
    """Choose the rows of a job that starts now and write its file; returns the number of rows and the file."""
    names = [name for name, _, _ in request.fields]
    rows = request.rows(at)
    pieces = table_pieces(lambda part: request.columns(names, part), rows, request.fields, request.file_format)
    return len(rows), files.write(pieces)


def _statuses(text: str) -> frozenset[str]:
    wanted = [part.strip().lower() for part in text.split(",") if part.strip()]
    unknown = [part for part in wanted if part not in STATUSES]
    if unknown:
        raise invalid(f"Invalid status: {', '.join(unknown)}")
    return frozenset(map(_folded, wanted))


def _folded(status: str) -> str:
    return status.lower().replace("canceled", "cancelled")


def _page_token(job: ExportJob) -> str:
    return f"{job.serial:X}===="


def _serial(token: str) -> int:
    try:
        return int(token.removesuffix("====") or "0", 16)
    except ValueError:
        raise invalid("Invalid nextPageToken") from None

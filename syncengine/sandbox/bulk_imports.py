"""The bulk import endpoints: what a create call may ask, and what is answered of a batch.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-lead-import
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-custom-object-import
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-program-member-import
"""

from collections.abc import Sequence
from typing import Any

from syncengine.sandbox.database import Database
from syncengine.sandbox.exports import Outcome
from syncengine.sandbox.import_rows import DELIMITERS, first_rows
from syncengine.sandbox.imports import ImportJob, ImportRequest, Imports
from syncengine.sandbox.lead_upserts import LeadRows, check_lead_fields
from syncengine.sandbox.lists import partition_named
from syncengine.sandbox.messages import Response
from syncengine.sandbox.multipart import file_part
from syncengine.sandbox.object_upserts import MemberRows, MemberUpsert, ObjectRows
from syncengine.sandbox.parameters import required, whole
from syncengine.sandbox.programs import FIRST_PROGRAM_ID, STATUSES
from syncengine.sandbox.replies import invalid, plain, refusal
from syncengine.sandbox.routes import Call

FILE_HEADERS = {"Content-Type": "text/csv;charset=UTF-8"}


class BulkImports:
    """Bulk imports of every kind."""

    def __init__(self, data: Database, imports: Imports) -> None:
        self._data = data
        self._imports = imports

    def create(self, call: Call, now: float, outcome: Outcome) -> list[dict[str, Any]]:
        """Accept a batch; raises Refusal for anything that is not right with it."""
        file_format = required(call.query, "format").lower()
        if file_format not in DELIMITERS:
            raise invalid(f"Invalid format: {call.query['format']}")
        body = file_part(call.headers.get("content-type", ""), call.request.body)
        head = first_rows(body, file_format, 2)
        if not head:
            raise invalid("Import file is empty")
        if len(head) == 1:
            raise invalid("Import file has no rows")
        header = tuple(head[0])
        if len(set(header)) < len(header):
            raise invalid("Import file names a column twice")
        job = self._imports.create(self._request(call, file_format, header), body, now, outcome)
        shown: dict[str, Any] = {"batchId": job.id}
        if job.request.kind == "custom_objects":
            return [shown | {"status": "Queued", "objectApiName": job.request.scope}]
        return [shown | {"importId": str(job.id), "status": "Queued"}]

    def status(self, call: Call, now: float) -> list[dict[str, Any]]:
        """A batch as it is; raises Refusal for one that is not known (any more)."""
        job = self._found(call, now)
        if job is None:
            raise refusal("1013")
        has_ended = job.status in {"Complete", "Failed"}
        counts = {"numOfRowsFailed": job.failed, "numOfRowsWithWarning": job.warned}
        if job.request.kind != "custom_objects":
            shown = {"batchId": job.id, "importId": str(job.id), "status": job.status}
            shown |= {"numOfLeadsProcessed": job.processed} | counts
        else:
            shown = {"batchId": job.id, "operation": "import", "status": job.status}
            shown |= {"objectApiName": job.request.scope, "numOfObjectsProcessed": job.processed} | counts
            if has_ended:
                shown["importTime"] = f"{max(1, round(job.finished_at - job.started_at))} second(s)"
        return [shown | ({"message": job.message} if has_ended else {})]

    def file(self, call: Call, now: float) -> Response:
        """The failures or the warnings of a batch; HTTP 404 when there are none."""
        job = self._found(call, now)
        content = None if job is None else job.files.get(call.endpoint.rpartition(".")[2])
        if content is None:
            return plain(404, "Not Found")
        return Response(200, FILE_HEADERS, content)

    def _found(self, call: Call, now: float) -> ImportJob | None:
        batch_id = whole(call.path["batchId"])
        kind = call.endpoint.partition(".import.")[0]
        return self._imports.find(kind, call.path.get("apiName", ""), batch_id, now)

    def _request(self, call: Call, file_format: str, header: tuple[str, ...]) -> ImportRequest:
        kind = call.endpoint.partition(".import.")[0]
        if kind == "custom_objects":
            return self._custom_objects(call, file_format, header)
        if kind == "program_members":
            return self._members(call, file_format, header)
        return self._leads(call, file_format, header)

    def _custom_objects(self, call: Call, file_format: str, header: tuple[str, ...]) -> ImportRequest:
        kind = self._data.custom.types.get(call.path["apiName"])
        if kind is None or not kind.is_approved:
            raise refusal("1013")
        table = self._data.custom.tables[kind.name]
        return ImportRequest(
            "custom_objects",
            file_format,
            header,
            kind.dedupe,
            lambda: ObjectRows(table, header, kind.dedupe),
            scope=kind.name,
        )

    def _members(self, call: Call, file_format: str, header: tuple[str, ...]) -> ImportRequest:
        data, program_id = self._data, whole(call.path["programId"])
        if program_id - FIRST_PROGRAM_ID not in data.programs.rows():
            raise refusal("1013")
        status = required(call.query, "programMemberStatus")
        if status not in STATUSES:
            raise refusal("1025")
        own = data.members.records.fields
        for name in header:
            if name in own and not own[name].is_updateable:
                raise invalid(f"Field '{name}' cannot be written")
        check_lead_fields(data.people, [name for name in header if name not in own], "email")
        _check_key(header, ("email",))
        upsert = MemberUpsert(data.members, program_id, status)
        return ImportRequest(
            "program_members",
            file_format,
            header,
            ("email",),
            lambda: MemberRows(data.people, data.members, header, upsert),
        )

    def _leads(self, call: Call, file_format: str, header: tuple[str, ...]) -> ImportRequest:
        data, query = self._data, call.query
        lookup = query.get("lookupField") or "email"
        check_lead_fields(data.people, header, lookup)
        _check_key(header, (lookup,))
        partition_named(query.get("partitionName", ""))
        list_id = whole(query["listId"]) if query.get("listId") else None
        list_row = None if list_id is None else data.lists.find("id", list_id)
        if list_id is not None and list_row is None:
            raise refusal("1013")

        def landed(lead_id: int) -> None:
            if list_row is not None:
                data.lists.put(list_row, lead_id, is_member=True)

        return ImportRequest(
            "leads",
            file_format,
            header,
            (lookup,),
            lambda: LeadRows(data.people, header, lookup, landed),
            list_id=list_id,
        )


def _check_key(header: Sequence[str], names: Sequence[str]) -> None:
    missing = [name for name in names if name not in header]
    if missing:
        raise invalid(f"Import file lacks the lookup field {', '.join(missing)}")

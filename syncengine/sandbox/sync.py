"""Writes of up to 300 records a call: leads, custom objects, members of lists and programs.

Each record has a status of its own. What such a call makes is not seen by other writes until the call has departed,
see sights.py.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/custom-objects
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/list-membership
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/program-members
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from syncengine.sandbox.cells import BadCell
from syncengine.sandbox.database import Database
from syncengine.sandbox.fields import searchable_names
from syncengine.sandbox.lead_upserts import ACTIONS, Action, Landing, LeadUpsert, lead_readers, skipped
from syncengine.sandbox.lists import partition_named
from syncengine.sandbox.object_upserts import MemberUpsert, ObjectUpsert
from syncengine.sandbox.page import Page
from syncengine.sandbox.parameters import whole
from syncengine.sandbox.people import People
from syncengine.sandbox.programs import FIRST_PROGRAM_ID, STATUSES
from syncengine.sandbox.replies import Refusal, invalid, refusal
from syncengine.sandbox.routes import Call

RECORDS_MAX = 300
# A call that is under way ends a write when it departs.
Close = Callable[[], None]


class Sync:
    """Answers calls that write records; each answer comes with what is to be done when the call departs."""

    def __init__(self, data: Database) -> None:
        self._data = data

    def endpoints(self) -> dict[str, Callable[[Call, float], tuple[Page, Close]]]:
        """The endpoints by name."""
        return {
            "leads.sync": self._leads,
            "custom_objects.sync": self._custom_objects,
            "lists.add": self._add,
            "program_members.sync_status": self._members,
        }

    def _leads(self, call: Call, now: float) -> tuple[Page, Close]:
        body = json_object(call)
        action = _action(body, ACTIONS)
        lookup = str(body.get("lookupField") or "email")
        people = self._data.people
        if lookup not in searchable_names(people.fields.values()):
            raise refusal("1011", lookup)
        if lookup == "id" and action != "updateOnly":
            raise invalid("lookupField 'id' is for the action updateOnly alone")
        partition_named(str(body.get("partitionName") or ""))
        records = _records(body)
        upsert = LeadUpsert(people, lookup, action)
        landings = [put_lead(people, upsert, lookup, record, now) for record in records]
        return Page([_lead_result(landing) for landing in landings]), upsert.close

    def _custom_objects(self, call: Call, now: float) -> tuple[Page, Close]:
        kind = self._data.custom.types.get(call.path["customObjectName"])
        if kind is None or not kind.is_approved:
            raise refusal("1013")
        body = json_object(call)
        action = _action(body, ACTIONS[:3])
        dedupe_by = body.get("dedupeBy") or "dedupeFields"
        if dedupe_by not in {"dedupeFields", "idField"}:
            raise invalid("dedupeBy is dedupeFields or idField")
        if dedupe_by == "idField" and action != "updateOnly":
            raise invalid("dedupeBy 'idField' is for the action updateOnly alone")
        records = _records(body)
        key = ("marketoGUID",) if dedupe_by == "idField" else kind.dedupe
        upsert = ObjectUpsert(self._data.custom.tables[kind.name], key, action)
        shown = []
        for number, record in enumerate(records):
            landing = upsert.put_record(record, now)
            result: dict[str, Any] = {"seq": number, "status": landing.status}
            if landing.row >= 0:
                result["marketoGUID"] = upsert.guid(landing.row)
            else:
                result["reasons"] = [_reason(landing)]
            shown.append(result)
        return Page(shown), upsert.close

    def _members(self, call: Call, now: float) -> tuple[Page, Close]:
        """Steps of statuses are not modelled: only a lead that has the very status is skipped."""
        program_id, body = whole(call.path["programId"]), json_object(call)
        if program_id - FIRST_PROGRAM_ID not in self._data.programs.rows():
            raise refusal("1013")
        if body.get("statusName") not in STATUSES:
            raise refusal("1025")
        upsert = MemberUpsert(self._data.members, program_id, body["statusName"])
        shown = []
        for number, record in enumerate(_records(body)):
            lead_id = record.get("leadId")
            if isinstance(lead_id, int) and self._data.people.find(lead_id) is not None:
                landing = upsert.put(lead_id, {}, now)
            else:
                landing = skipped("1004")
            result: dict[str, Any] = {"seq": number, "status": landing.status, "leadId": lead_id}
            shown.append(result | ({} if landing.row >= 0 else {"reasons": [_reason(landing)]}))
        return Page(shown), lambda: None

    def _add(self, call: Call, _now: float) -> tuple[Page, Close]:
        row = self._data.lists.find("id", whole(call.path["listId"]))
        if row is None:
            raise refusal("1013")
        given = [text for text in call.query.get("id", "").split(",") if text.strip()]
        if not given and call.is_json and call.request.body:
            given = [str(record.get("id")) for record in _records(json_object(call))]
        if not given:
            raise refusal("1002", "id")
        if len(given) > RECORDS_MAX:
            raise invalid(f"up to {RECORDS_MAX} leads can be added in a call")
        shown = []
        for lead_id in map(whole, given):
            if self._data.people.find(lead_id) is None:
                shown.append({"id": lead_id, "status": "skipped", "reasons": [_reason(skipped("1004"))]})
            else:
                self._data.lists.put(row, lead_id, is_member=True)
                shown.append({"id": lead_id, "status": "added"})
        return Page(shown), lambda: None


def put_lead(people: People, upsert: LeadUpsert, lookup: str, record: Mapping[str, Any], now: float) -> Landing:
    """Write one lead of a JSON list."""
    names = tuple(record)
    try:
        readers = lead_readers(people, names)
        for name in names:
            if people.fields[name].is_read_only and not name == lookup == "id":
                return skipped("1003", f"Field '{name}' cannot be written")
        values = [read(value) for read, value in zip(readers, record.values(), strict=True)]
    except BadCell as bad:
        return skipped("1003", str(bad))
    except Refusal as refused:
        return skipped(refused.code, refused.message)
    return upsert.put(names, values, now)


def json_object(call: Call) -> dict[str, Any]:
    """The call's body, an object; raises Refusal (612, 609)."""
    if not call.is_json:
        raise refusal("612")
    try:
        body = orjson.loads(call.request.body)
    except orjson.JSONDecodeError:
        raise refusal("609") from None
    if not isinstance(body, dict):
        raise refusal("609")
    return body


def _action(body: Mapping[str, Any], known: tuple[Action, ...]) -> Action:
    given = body.get("action") or "createOrUpdate"
    for action in known:
        if action == given:
            return action
    raise invalid(f"Invalid action: {given}")


def _records(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    records = body.get("input")
    if not isinstance(records, list) or not records or not all(isinstance(record, dict) for record in records):
        raise refusal("1002", "input")
    if len(records) > RECORDS_MAX:
        raise invalid(f"'input' takes up to {RECORDS_MAX} records")
    return records


def _lead_result(landing: Landing) -> dict[str, Any]:
    if landing.row >= 0:
        return {"id": landing.lead_id, "status": landing.status}
    return {"status": "skipped", "reasons": [_reason(landing)]}


def _reason(landing: Landing) -> dict[str, str]:
    return {"code": landing.code, "message": landing.message}

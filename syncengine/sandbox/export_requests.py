"""What a create call of each kind of export may ask, read into a request; separate from the six calls of a job's life.

Which rows a job takes is settled when it starts, so a request holds functions of that instant.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-lead-extract
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-activity-extract
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-program-member-extract
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-custom-object-extract
"""

from collections.abc import Sequence
from typing import Any

from syncengine.sandbox.activities import DEFAULT_FIELDS, EXPORT_FIELDS
from syncengine.sandbox.activity_types import DELETE_LEAD
from syncengine.sandbox.asked import (
    chosen_fields,
    date_range,
    file_format,
    known_filters,
    one_filter,
    whole_numbers,
)
from syncengine.sandbox.custom_objects import ObjectType
from syncengine.sandbox.database import Database
from syncengine.sandbox.exports import ExportRequest
from syncengine.sandbox.people import FIRST_LEAD_ID, DateFilter
from syncengine.sandbox.programs import FIRST_PROGRAM_ID, MEMBER_FIELDS, MEMBER_HEADERS, STATUSES
from syncengine.sandbox.replies import invalid, refusal
from syncengine.sandbox.values import Value

PROGRAMS_MAX = 10
STATIC_LISTS = frozenset({"staticListId", "staticListName"})
SMART_LISTS = frozenset({"smartListId", "smartListName"})
LEAD_FILTERS = frozenset({"createdAt", "updatedAt"}) | STATIC_LISTS | SMART_LISTS
OBJECT_FILTERS = frozenset({"updatedAt"}) | STATIC_LISTS | SMART_LISTS
ACTIVITY_FILTERS = frozenset({"createdAt", "activityTypeIds"})
MEMBER_FILTERS = frozenset({"programId", "programIds", "isExhausted", "nurtureCadence", "statusNames", "updatedAt"})
# The page says `pause` and `norm`, the API definition `paused` and `normal`; the field holds four letters.
CADENCES = {"pause": "paus", "paused": "paus", "norm": "norm", "normal": "norm"}


class ExportRequests:
    """Reads create calls."""

    def __init__(self, data: Database) -> None:
        self._data = data
        self._options = data.options

    def read(self, kind: str, api_name: str, asked: dict[str, Any], now: float) -> ExportRequest:
        """The request; raises Refusal for anything that the body may not ask."""
        match kind:
            case "leads":
                return self._leads(asked, now)
            case "activities":
                return self._activities(asked, now)
            case "program_members":
                return self._members(asked, now)
            case _:
                return self._custom_objects(self.object_type(api_name), asked, now)

    def object_type(self, api_name: str) -> ObjectType:
        """The type, if its records can be exported: first level alone, linked to leads."""
        kind = self._data.custom.types.get(api_name)
        if kind is None:
            raise refusal("1013")
        if not kind.is_exportable:
            raise invalid(f"Custom object {api_name} is not approved or not linked to leads")
        return kind

    def _leads(self, asked: dict[str, Any], now: float) -> ExportRequest:
        people = self._data.people
        types = {field.name: field.data_type for field in people.exportable()}
        chosen = chosen_fields(asked, types, {})
        name, value = one_filter(asked, LEAD_FILTERS)
        self._refuse_unavailable(name)
        if name in STATIC_LISTS:
            row = self._list_row(name, value)
            return ExportRequest(
                "leads", file_format(asked), chosen, lambda _at: list(self._data.lists.members(row)), people.columns
            )
        start, end = date_range(value, name, now)
        moment: DateFilter = "updatedAt" if name == "updatedAt" else "createdAt"
        return ExportRequest(
            "leads", file_format(asked), chosen, lambda _at: people.between(moment, start, end), people.columns
        )

    def _activities(self, asked: dict[str, Any], now: float) -> ExportRequest:
        activities = self._data.activities
        chosen = chosen_fields({**asked, "fields": asked.get("fields") or list(DEFAULT_FIELDS)}, EXPORT_FIELDS, {})
        filters = known_filters(asked, ACTIVITY_FILTERS)
        type_ids = filters.get("activityTypeIds")
        if type_ids is not None and DELETE_LEAD in whole_numbers(type_ids, "activityTypeIds"):
            raise invalid("Activity type 'Delete Lead' is not supported")
        start, end = date_range(filters.get("createdAt"), "createdAt", now)
        wanted = frozenset(type_ids) if type_ids else None
        return ExportRequest(
            "activities",
            file_format(asked),
            chosen,
            lambda at: activities.between(start, end, wanted, at),
            activities.columns,
        )

    def _members(self, asked: dict[str, Any], now: float) -> ExportRequest:
        data, own = self._data, {field.name: field.data_type for field in MEMBER_FIELDS}
        types = {field.name: field.data_type for field in data.people.exportable()} | own
        chosen = chosen_fields(asked, types, MEMBER_HEADERS)
        filters = known_filters(asked, MEMBER_FILTERS)
        program_ids = self._program_ids(filters)
        if "programIds" in filters:
            # The file says of each row which program it is of, in a first column that nobody has to ask for.
            chosen = (("programId", "integer", "programId"), *chosen)
        tests = _member_tests(filters)
        window = None
        if "updatedAt" in filters:
            self._refuse_unavailable("updatedAt")
            window = date_range(filters["updatedAt"], "updatedAt", now)
        records = data.members.records

        def rows(_at: float) -> list[int]:
            found = data.members.program_rows(program_ids)
            for name, wanted in tests.items():
                values = records.columns([name], found)[0]
                found = [row for row, value in zip(found, values, strict=True) if value in wanted]
            if window is not None:
                stamps = records.columns(["updatedAt"], found)[0]
                found = [r for r, at in zip(found, stamps, strict=True) if window[0] <= int(at or 0) <= window[1]]
            return found

        return ExportRequest("program_members", file_format(asked), chosen, rows, self._member_columns)

    def _program_ids(self, filters: dict[str, Any]) -> list[int]:
        if ("programId" in filters) == ("programIds" in filters):
            raise invalid("Either programId or programIds is required, and not both")
        given = filters["programIds"] if "programIds" in filters else [filters["programId"]]
        program_ids = whole_numbers(given, "programIds")
        if not 1 <= len(program_ids) <= PROGRAMS_MAX:
            raise invalid(f"programIds takes 1 to {PROGRAMS_MAX} ids")
        known = {FIRST_PROGRAM_ID + row for row in self._data.programs.rows()}
        if not known.issuperset(program_ids):
            raise refusal("1013")
        return program_ids

    def _member_columns(self, names: Sequence[str], rows: Sequence[int]) -> list[list[Value]]:
        """Fields of the membership, and of its lead where the membership has none of that name."""
        members, people = self._data.members.records, self._data.people
        own = [name for name in names if name in members.fields]
        others = [name for name in names if name not in members.fields]
        lead_rows = [int(lead_id or 0) - FIRST_LEAD_ID for lead_id in members.columns(["leadId"], rows)[0]]
        made = dict(zip(own, members.columns(own, rows), strict=True))
        made |= dict(zip(others, people.columns(others, lead_rows), strict=True))
        return [made[name] for name in names]

    def _custom_objects(self, kind: ObjectType, asked: dict[str, Any], now: float) -> ExportRequest:
        table, link = self._data.custom.tables[kind.name], kind.link
        assert link is not None
        # Adobe's example asks for `leadId` where describe says `leadID`: names are compared in any case.
        known = {name.lower(): name for name in table.fields}
        given = asked.get("fields")
        spelled = [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
        names = {name: known[name.lower()] for name in spelled if name.lower() in known}
        types = {name: table.fields[true_name].data_type for name, true_name in names.items()}
        chosen = chosen_fields(asked, types, {})
        name, value = one_filter(asked, OBJECT_FILTERS)
        if name in SMART_LISTS:
            raise refusal("1035")

        def columns(wanted: Sequence[str], rows: Sequence[int]) -> list[list[Value]]:
            return table.columns([names[one] for one in wanted], rows)

        kind_name = f"custom_object_{kind.name}"
        if name in STATIC_LISTS:
            list_row = self._list_row(name, value)

            def members(_at: float) -> list[int]:
                has, rows = self._data.lists.has(list_row), table.rows()
                linked = table.columns([link[0]], rows)[0]
                return [row for row, lead_id in zip(rows, linked, strict=True) if lead_id and has(int(lead_id))]

            return ExportRequest(kind_name, file_format(asked), chosen, members, columns)
        start, end = date_range(value, name, now)
        return ExportRequest(
            kind_name, file_format(asked), chosen, lambda _at: table.between("updatedAt", start, end), columns
        )

    def _list_row(self, name: str, value: Any) -> int:
        if type(value) is not (int if name == "staticListId" else str):
            raise invalid(f"Invalid value specified for attribute '{name}'")
        row = self._data.lists.find("id" if name == "staticListId" else "name", value)
        if row is None:
            raise refusal("1013")
        return row

    def _refuse_unavailable(self, name: str) -> None:
        if name in SMART_LISTS or (name == "updatedAt" and not self._options.updated_at_filter):
            raise refusal("1035")


def _member_tests(filters: dict[str, Any]) -> dict[str, list[Value]]:
    """Fields of a membership and the values that they may have."""
    tests: dict[str, list[Value]] = {}
    if "isExhausted" in filters:
        if not isinstance(filters["isExhausted"], bool):
            raise invalid("'isExhausted' is a boolean")
        tests["isExhausted"] = [filters["isExhausted"]]
    if "nurtureCadence" in filters:
        if filters["nurtureCadence"] not in CADENCES:
            raise invalid(f"'nurtureCadence' is one of {', '.join(CADENCES)}")
        tests["nurtureCadence"] = [CADENCES[filters["nurtureCadence"]]]
    if "statusNames" in filters:
        names = filters["statusNames"]
        if not isinstance(names, list) or any(name not in STATUSES for name in names):
            raise invalid("Invalid Data: statusNames")
        tests["statusName"] = list(names)
    return tests

"""Records by the values of a field: leads, and the objects that cannot be listed.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/lead-database
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zlib import crc32

import orjson

from syncengine.sandbox.database import Database
from syncengine.sandbox.fields import WHOLE_TYPES, searchable_names
from syncengine.sandbox.page import Endpoint, Page
from syncengine.sandbox.paging import PagingTokens
from syncengine.sandbox.parameters import FILTER_VALUES_MAX, batch_size, parts, required, whole
from syncengine.sandbox.people import People
from syncengine.sandbox.programs import DEFAULT_MEMBER_FIELDS, FIRST_PROGRAM_ID, SEARCHABLE_MEMBER_FIELDS
from syncengine.sandbox.records import Records
from syncengine.sandbox.replies import invalid, refusal
from syncengine.sandbox.routes import Call
from syncengine.sandbox.shapes import SHAPES
from syncengine.sandbox.values import Value, coerced

LEADS_MATCHED_MAX = 1_000
MEMBERS_MATCHED_MAX = 100_000
LEAD_DEFAULTS = ("id", "email", "updatedAt", "createdAt", "firstName", "lastName")
ACCOUNT_DEFAULTS = ("marketoGUID", "name", "createdAt", "updatedAt")


@dataclass(frozen=True, slots=True)
class Searched:
    """How one object may be asked for."""

    table: Records
    id_field: str
    dedupe: tuple[str, ...]
    searchable: tuple[tuple[str, ...], ...]
    defaults: tuple[str, ...]
    tells_more: bool = True


def lead_names(people: People, query: Mapping[str, str]) -> list[str]:
    """The lead fields that are asked for; 1006 for one that there is not."""
    names = parts(query, "fields")
    for name in names:
        if name not in people.fields:
            raise refusal("1006", name)
    return list(dict.fromkeys(names)) if names else [name for name in LEAD_DEFAULTS if name in people.fields]


class Queries:
    """Answers queries by filterType and filterValues."""

    def __init__(self, data: Database, tokens: PagingTokens) -> None:
        self._data = data
        self._tokens = tokens

    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints by name."""
        return {
            "leads.query": self._leads,
            "named_account_list_members.page": self._account_list_members,
            "custom_objects.query": self._custom_objects,
            "program_members.query": self._members,
            **{f"{name}.query": partial(self._objects, name) for name in SHAPES},
        }

    def _leads(self, call: Call, now: float) -> Page:
        people = self._data.people
        name = required(call.query, "filterType")
        if name not in searchable_names(people.fields.values()):
            raise refusal("1011", name)
        values = _typed(people.fields[name].data_type, _filter_values(call.query))
        names = lead_names(people, call.query)
        rows = people.matching(name, values)
        if len(rows) > LEADS_MATCHED_MAX:
            raise invalid("Too many results match the filter")
        rows, more = self._paged(rows, call, call.query, now, tells_more=True)
        return Page(people.json_rows(names, rows), more)

    def _objects(self, name: str, call: Call, now: float) -> Page:
        shape = SHAPES[name]
        if shape.is_of_crm and self._data.options.crm:
            raise refusal("1018")
        searched = Searched(
            self._data.objects[name],
            shape.id_field,
            shape.dedupe,
            shape.searchable,
            shape.defaults or tuple(field.name for field in shape.fields),
            shape.tells_more,
        )
        return self._searched(searched, call, now)

    def _custom_objects(self, call: Call, now: float) -> Page:
        kind = self._data.custom.types.get(call.path["customObjectName"])
        if kind is None or not kind.is_approved:
            raise refusal("1013")
        defaults = ("marketoGUID", *kind.dedupe, "updatedAt", "createdAt")
        table = self._data.custom.tables[kind.name]
        return self._searched(Searched(table, "marketoGUID", kind.dedupe, kind.searchable, defaults), call, now)

    def _members(self, call: Call, now: float) -> Page:
        """Members of one program; those that match may be 100,000 at most, but for a question by lead."""
        members, program_id = self._data.members, whole(call.path["programId"])
        if program_id - FIRST_PROGRAM_ID not in self._data.programs.rows():
            raise refusal("1013")
        table, name = members.records, required(call.query, "filterType")
        if name not in SEARCHABLE_MEMBER_FIELDS:
            raise refusal("1011", name)
        values = _typed(table.fields[name].data_type, _filter_values(call.query))
        if name == "leadId":
            keys = [(value, program_id) for value in values]
            rows = sorted({row for key in keys for row in table.lookup(("leadId", "programId"), key)})
        else:
            inside = members.program_rows([program_id])
            rows = [row for row, value in zip(inside, table.columns([name], inside)[0], strict=True) if value in values]
            if len(rows) > MEMBERS_MATCHED_MAX:
                raise invalid(
                    f"Matching membership size: {len(rows):,} exceeds the limit allowed"
                    f" ({MEMBERS_MATCHED_MAX:,}) for this api"
                )
        names = _names(table, call.query) or list(DEFAULT_MEMBER_FIELDS)
        rows, more = self._paged(rows, call, call.query, now, tells_more=True)
        shown = table.json_rows(list(dict.fromkeys([*DEFAULT_MEMBER_FIELDS, *names])), rows)
        return Page([{"seq": number, **row} for number, row in enumerate(shown)], {"moreResult": False, **more})

    def _searched(self, searched: Searched, call: Call, now: float) -> Page:
        query, keys = _asked(call)
        table = searched.table
        filter_type = required(query, "filterType")
        aliases = {"idField": (searched.id_field,), "dedupeFields": searched.dedupe}
        wanted = aliases.get(filter_type, (filter_type,))
        if filter_type not in aliases and wanted not in searched.searchable:
            raise refusal("1011", filter_type)
        names = _names(table, query) or list(searched.defaults)
        if len(wanted) > 1:
            rows = _by_compound_key(table, wanted, keys)
        else:
            values = _filter_values(query)
            rows = table.matching(wanted[0], _typed(table.fields[wanted[0]].data_type, values))
        rows, more = self._paged(rows, call, query, now, tells_more=searched.tells_more)
        # The key comes whether it was asked for or not; what is null is left out.
        shown = table.json_rows(list(dict.fromkeys([searched.id_field, *names])), rows)
        return Page(_numbered(shown), more)

    def _account_list_members(self, call: Call, now: float) -> Page:
        """Every named account is on one list at most: its row says which."""
        lists, accounts = self._data.objects["named_account_lists"], self._data.objects["named_accounts"]
        found = lists.matching("marketoGUID", [call.path["id"]])
        if not found:
            raise refusal("1013")
        names = _names(accounts, call.query) or list(ACCOUNT_DEFAULTS)
        rows = [row for row in accounts.rows() if row % len(lists) == found[0]]
        rows, more = self._paged(rows, call, call.query, now, tells_more=True)
        return Page(_numbered(accounts.json_rows(list(dict.fromkeys(["marketoGUID", *names])), rows)), more)

    def _paged(
        self, rows: Sequence[int], call: Call, query: Mapping[str, str], now: float, *, tells_more: bool
    ) -> tuple[list[int], dict[str, Any]]:
        """The rows of this page and what says that others follow; a token is good for the same question alone."""
        size = batch_size(query)
        question = [query.get("filterType", ""), query.get("filterValues", ""), sorted(call.path.items())]
        scope = f"{call.endpoint} {crc32(orjson.dumps(question))}"
        text = query.get("nextPageToken", "")
        if text:
            (last,) = self._tokens.read(scope, text, now)
            rows = [row for row in rows if row > last]
        page = list(rows[:size])
        if len(rows) <= size:
            return page, {}
        more: dict[str, Any] = {"nextPageToken": self._tokens.issue(scope, (page[-1],), now)}
        return page, more | ({"moreResult": True} if tells_more else {})


def _asked(call: Call) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The parameters of a query and the keys of its input, from the URL or from a JSON body."""
    if not (call.is_json and call.request.body):
        return dict(call.query), []
    try:
        body = orjson.loads(call.request.body)
    except orjson.JSONDecodeError:
        raise refusal("609") from None
    if not isinstance(body, dict):
        raise refusal("609")
    keys = body.pop("input", [])
    fields = body.pop("fields", [])
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys) or not isinstance(fields, list):
        raise invalid("'input' is a list of objects, 'fields' a list of names")
    return {name: str(value) for name, value in body.items()} | {"fields": ",".join(map(str, fields))}, keys


def _filter_values(query: Mapping[str, str]) -> list[str]:
    required(query, "filterValues")
    values = parts(query, "filterValues")
    if len(values) > FILTER_VALUES_MAX:
        raise invalid(f"filterValues takes up to {FILTER_VALUES_MAX} values")
    return values


def _typed(data_type: str, values: Sequence[str]) -> frozenset[Value]:
    try:
        return frozenset(coerced(data_type, value) for value in values)
    except (ValueError, KeyError):
        kind = "integer" if data_type in WHOLE_TYPES else data_type
        raise refusal("1001", ",".join(values)[:64], kind) from None


def _names(table: Records, query: Mapping[str, str]) -> list[str]:
    """The fields that are asked for, in any case, as describe spells them."""
    known = {name.lower(): name for name in table.fields}
    for name in parts(query, "fields"):
        if name.lower() not in known:
            raise refusal("1006", name)
    return [known[name.lower()] for name in parts(query, "fields")]


def _by_compound_key(table: Records, names: tuple[str, ...], keys: list[dict[str, Any]]) -> list[int]:
    if not 1 <= len(keys) <= FILTER_VALUES_MAX:
        raise invalid(
            f"a compound key is asked by POST with _method=GET and an 'input' of 1 to {FILTER_VALUES_MAX} keys"
        )
    wanted = set()
    for key in keys:
        for name in names:
            if name not in key:
                raise refusal("1002", name)
        wanted.add(tuple(str(key[name]) for name in names))
    rows = table.rows()
    values = zip(*table.columns(names, rows), strict=True)
    return [row for row, known in zip(rows, values, strict=True) if tuple(map(str, known)) in wanted]


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"seq": number, **{name: value for name, value in row.items() if value is not None}}
        for number, row in enumerate(rows)
    ]

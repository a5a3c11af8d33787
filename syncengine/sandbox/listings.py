"""What can be listed: static lists, their members and campaigns by `nextPageToken` alone, programs by offset.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/list-membership
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/programs
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from syncengine.sandbox.database import Database
from syncengine.sandbox.page import Endpoint, Page, assets_page
from syncengine.sandbox.paging import PagingTokens
from syncengine.sandbox.parameters import batch_size, flag, offset_page, parts, update_range, whole, whole_parts
from syncengine.sandbox.programs import channels
from syncengine.sandbox.queries import lead_names
from syncengine.sandbox.records import Records
from syncengine.sandbox.replies import refusal
from syncengine.sandbox.routes import Call
from syncengine.sandbox.values import Value

IDS_MAX = 300


class Listings:
    """Answers lists, campaigns and programs."""

    def __init__(self, data: Database, tokens: PagingTokens) -> None:
        self._data = data
        self._tokens = tokens

    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints by name."""
        return {
            "lists.list": lambda call, now: self._listed(self._data.lists.records, call, now),
            "campaigns.list": self._campaigns,
            "lists.leads": self._leads,
            "list.leads": self._leads,
            "programs.list": self._programs,
            "programs.get": self._program,
            "channels.by_name": lambda call, _now: assets_page(channels(call.query["name"], self._data.options)),
        }

    def _campaigns(self, call: Call, now: float) -> Page:
        wants_triggerable = flag(call.query.get("isTriggerable") or "false")
        return self._listed(self._data.campaigns, call, now, triggerable_only=wants_triggerable)

    def _listed(self, table: Records, call: Call, now: float, *, triggerable_only: bool = False) -> Page:
        rows = self._filtered(table, call.query)
        if triggerable_only:
            kinds, active = table.columns(["type", "active"], rows)
            rows = [r for r, kind, on in zip(rows, kinds, active, strict=True) if kind == "trigger" and on]
        rows, more = self._paged(lambda first: (row for row in rows if row >= first), call, now)
        # What is empty is left out.
        shown = table.json_rows(list(table.fields), rows)
        return Page([{name: value for name, value in row.items() if value is not None} for row in shown], more)

    def _filtered(self, table: Records, query: Mapping[str, str]) -> list[int]:
        wanted: dict[str, Sequence[Value]] = {
            name: parts(query, name) for name in ("name", "programName", "workspaceName") if query.get(name)
        }
        if query.get("id"):
            wanted["id"] = whole_parts(query, "id", IDS_MAX)
        rows = table.rows()
        for name, values in wanted.items():
            column = table.columns([name], rows)[0]
            rows = [row for row, value in zip(rows, column, strict=True) if value in values]
        return rows

    def _leads(self, call: Call, now: float) -> Page:
        row = self._data.lists.find("id", whole(call.path["listId"]))
        if row is None:
            raise refusal("1013")
        names = lead_names(self._data.people, call.query)
        rows, more = self._paged(partial(self._data.lists.members, row), call, now)
        return Page(self._data.people.json_rows(names, rows), more)

    def _paged(
        self, rows_from: Callable[[int], Iterable[int]], call: Call, now: float
    ) -> tuple[list[int], dict[str, Any]]:
        """The rows of this page, and the token of the next page: its place is the first row of that page."""
        size, scope = batch_size(call.query), f"{call.endpoint} {sorted(call.path.items())}"
        text = call.query.get("nextPageToken", "")
        (first,) = self._tokens.read(scope, text, now) if text else (0,)
        page = list(islice(rows_from(first), size + 1))
        if len(page) <= size:
            return page, {}
        return page[:size], {"nextPageToken": self._tokens.issue(scope, (page[size],), now)}

    def _programs(self, call: Call, _now: float) -> Page:
        shown_part = offset_page(call.query)
        programs = self._data.programs
        rows = programs.between("updatedAt", *update_range(call.query))
        names = programs.columns(["name"], rows)[0]
        # By name, as Adobe's examples are: a program that is renamed can slip from one page to another.
        ordered = [row for _, row in sorted(zip(names, rows, strict=True), key=lambda pair: str(pair[0]).lower())]
        return assets_page(self._shown(ordered[shown_part]))

    def _program(self, call: Call, _now: float) -> Page:
        shown = self._shown(self._data.programs.matching("id", [whole(call.path["id"])]))
        return assets_page(
            [{"status": "", **values, **self._data.assets.program_detail(values["id"])} for values in shown]
        )

    def _shown(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        programs = self._data.programs
        return [programs.written(values) for values in programs.json_rows(list(programs.fields), rows)]

"""What Marketo has of the rows of a chunk now, sought by their keys.

Apart from `verify`, which compares: leads, custom objects and members of a program are asked for in three ways.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/program-members
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from syncengine.errors import CallRejected, Unsupported
from syncengine.imports.header import Column
from syncengine.imports.target import Kind, Target
from syncengine.marketo.endpoints import leads, objects, program_members
from syncengine.marketo.limits import FILTER_VALUES_MAX
from syncengine.marketo.pages import Page
from syncengine.transport.client import Client

UPDATED_AT: Final = "updatedAt"
STATUS: Final = "statusName"
LEAD_ID: Final = "leadId"

Record = Mapping[str, Any]
# What a row is found by: the values of its key columns, in their order.
Key = tuple[str, ...]
Ask = Callable[[Sequence[Key], str], Awaitable[Page]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The records that were found, and the keys that Marketo would not be asked for."""

    records: list[Record]
    unasked: frozenset[Key]


class Lookup:
    """Reads records of one target with the fields of `columns`, `updatedAt` and, of members, `statusName`."""

    def __init__(self, client: Client, target: Target, columns: Sequence[Column]) -> None:
        self._client = client
        self._target = target
        self._columns = columns
        self._keys = [column.name for column in columns if column.is_key]

    async def records(self, keys: Sequence[Key]) -> Answer:
        """Every record that has one of 1 to 300 keys."""
        wanted = list(dict.fromkeys(keys))
        # A list of values is cut at commas; a compound key travels as JSON.
        bad = {key for key in wanted if not all(key) or (len(key) == 1 and "," in key[0])}
        people, refused = await self._all([key for key in wanted if key not in bad], self._page)
        if self._target.kind is Kind.PROGRAM_MEMBERS:
            people = await self._members_among(people)
        return Answer(people, frozenset(bad | refused))

    async def _members_among(self, people: Sequence[Record]) -> list[Record]:
        ids = [(str(person["id"]),) for person in people]
        members: dict[str, Record] = {}
        for start in range(0, len(ids), FILTER_VALUES_MAX):
            found, _ = await self._all(ids[start : start + FILTER_VALUES_MAX], self._members)
            members |= {str(member[LEAD_ID]): member for member in found}
        return [self._joined(person, members.get(str(person["id"]), {})) for person in people]

    async def _all(self, keys: Sequence[Key], ask: Ask) -> tuple[list[Record], set[Key]]:
        """What there is of these keys, and which of them Marketo refuses to be asked for."""
        rows: list[Record] = []
        following: str | None = ""
        try:
            while keys and following is not None:
                page = await ask(keys, following)
                rows += page.rows
                following = page.following
        except (CallRejected, Unsupported):
            # More than 1,000 records have these keys, or one of them cannot be: fewer at a time.
            if len(keys) == 1:
                return [], set(keys)
            half = len(keys) // 2
            first, second = await self._all(keys[:half], ask), await self._all(keys[half:], ask)
            return [*first[0], *second[0]], first[1] | second[1]
        return rows, set()

    async def _page(self, keys: Sequence[Key], following: str) -> Page:
        fields = list(dict.fromkeys(["id", *self._names(of_member=False), UPDATED_AT]))
        if self._target.kind is not Kind.CUSTOM_OBJECTS:
            values = [key[0] for key in keys]
            return await self._client.send(leads.by_filter(self._keys[0], values, fields, following))
        kind = objects.custom_object(self._target.api_name)
        if len(self._keys) == 1:
            values = [key[0] for key in keys]
            return await self._client.send(objects.by_key(kind, self._keys[0], values, fields[1:], following))
        named = [dict(zip(self._keys, key, strict=True)) for key in keys]
        return await self._client.send(objects.by_compound_key(kind, named, fields[1:], following))

    async def _members(self, lead_ids: Sequence[Key], following: str) -> Page:
        fields = list(dict.fromkeys([LEAD_ID, *self._names(of_member=True), STATUS, UPDATED_AT]))
        ids = [key[0] for key in lead_ids]
        call = program_members.by_filter(self._target.program_id, LEAD_ID, ids, fields, following)
        return await self._client.send(call)

    def _names(self, *, of_member: bool) -> list[str]:
        return [column.name for column in self._columns if column.of_member is of_member]

    def _joined(self, person: Record, member: Record) -> Record:
        """A lead as a member: what is newer of the two changes tells when it was last written."""
        changed_at = max(str(each.get(UPDATED_AT) or "") for each in (person, member))
        own = {name: member.get(name) for name in self._names(of_member=True)}
        return {**person, **own, STATUS: member.get(STATUS), UPDATED_AT: changed_at}

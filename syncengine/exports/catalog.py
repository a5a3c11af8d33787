"""What an instance has: the fields of each object, its custom objects; each is asked for once in a run.

Apart from the plan, which needs it before anything is brought, and from the stream `fields`, which brings it as rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import anyio

from syncengine.exports.fields import Described
from syncengine.exports.streams import CUSTOM_OBJECT, Bulk, ByKey, Stream, stream_of
from syncengine.marketo.described import ObjectField, field_rows
from syncengine.marketo.endpoints import activities, leads, objects
from syncengine.marketo.endpoints.objects import ObjectKind
from syncengine.marketo.rows import LeadField
from syncengine.transport.client import Client

LEADS = "leads"
# Objects whose fields the stream `fields` shows, besides leads and custom objects.
DESCRIBED = (
    objects.COMPANIES,
    objects.OPPORTUNITIES,
    objects.OPPORTUNITY_ROLES,
    objects.SALESPERSONS,
    objects.NAMED_ACCOUNTS,
    objects.PROGRAM_MEMBERS,
)


class Catalog:
    """Asks an instance what it has, and remembers the answers; whoever asks meanwhile waits for the same one."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._fields: dict[str, tuple[LeadField | ObjectField, ...]] = {}
        self._custom: tuple[str, ...] | None = None
        self._activity_types: Sequence[Mapping[str, Any]] = ()
        self._asking = anyio.Lock()

    async def fields(self, stream: Stream) -> Sequence[Described]:
        """The fields of a stream whose columns are not fixed. Raises what the client raises."""
        if stream.columns:
            return ()
        return await self._described(LEADS if stream.name == LEADS else object_of(stream))

    async def custom_objects(self) -> tuple[str, ...]:
        """The streams of the custom objects that can be exported: approved, and linked to leads."""
        async with self._asking:
            if self._custom is None:
                found = await self._client.send(objects.custom_objects())
                self._custom = tuple(
                    f"{CUSTOM_OBJECT}{each.name}"
                    for each in found
                    if each.lead_fields and each.state.lower() != "draft"
                )
            return self._custom

    async def activity_types(self) -> Sequence[Mapping[str, Any]]:
        """All activity types, standard and custom, as rows."""
        async with self._asking:
            if not self._activity_types:
                self._activity_types = (await self._client.send(activities.type_rows())).rows
            return self._activity_types

    async def field_rows(self, kind: ObjectKind | None) -> Sequence[dict[str, Any]]:
        """The fields of an object, None for leads, as rows of the stream `fields`."""
        owner = LEADS if kind is None else kind.name
        described = await self._described(LEADS if kind is None else kind)
        return [dict(row) for row in field_rows(owner, described)]

    async def _described(self, what: str | ObjectKind) -> tuple[LeadField | ObjectField, ...]:
        name = what if isinstance(what, str) else what.name
        async with self._asking:
            if name not in self._fields:
                if isinstance(what, str):
                    self._fields[name] = await self._client.send(leads.describe())
                else:
                    self._fields[name] = (await self._client.send(objects.describe(what))).fields
            return self._fields[name]


def object_of(stream: Stream) -> ObjectKind:
    """The object whose fields a stream's columns are."""
    if stream.name.startswith(CUSTOM_OBJECT):
        return objects.custom_object(stream.name.removeprefix(CUSTOM_OBJECT))
    if isinstance(stream.way, ByKey):
        return stream.way.object
    if isinstance(stream.way, Bulk):
        return objects.PROGRAM_MEMBERS
    return objects.NAMED_ACCOUNTS


def custom_object_kind(stream_name: str) -> ObjectKind:
    """The object of a custom object's stream."""
    return object_of(stream_of(stream_name))

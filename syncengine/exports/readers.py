"""How each paged stream is read: which listing, from where, by which keys. The one place that knows their differences.

Apart from the paging, which is the same for all of them, and from the flow, which only wants their rows.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from syncengine.destinations import Destination
from syncengine.errors import CallRejected, PermissionDenied
from syncengine.exports.asked import askable, keys_of, united
from syncengine.exports.catalog import DESCRIBED, Catalog, custom_object_kind
from syncengine.exports.fields import Choice, matching
from syncengine.exports.pages import Rows, Take, by_keys, every, since
from syncengine.exports.streams import Bulk, ByKey, Listing, Since, Special, stream_of
from syncengine.exports.window import shape_of, stretch_of
from syncengine.jobs.job import Job
from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import activities, leads, objects
from syncengine.marketo.pages import Page
from syncengine.marketo.rows import whole
from syncengine.threads import run_blocking
from syncengine.transport.client import Client

if TYPE_CHECKING:
    from syncengine.exports.asked import Keys

CRM_OWNS_IT = "1018"
CRM_NOTE = "left out: a CRM owns these objects here (1018)"
# Add to Opportunity, Remove from Opportunity, Update Opportunity: what shows a change of roles on a lead.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/activities
OPPORTUNITY_ACTIVITIES = (34, 35, 36)


@dataclass(frozen=True, slots=True)
class Brought:
    """What a reading has cost and brought: its calls, whether it has every row there is, and what to tell."""

    calls: int
    is_whole: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Readers:
    """Reads paged streams of one instance."""

    client: Client
    catalog: Catalog
    destination: Destination
    lead_choice: Choice = field(default_factory=Choice)

    async def read(self, job: Job, take: Take) -> Brought:
        """Give all rows of a reading to `take`, page by page. Raises what the client raises; nothing counts then."""
        stream, (start, end) = stream_of(job.group), stretch_of(job)
        way = stream.way
        if isinstance(way, Listing):
            return await self._listing(job, way, take)
        if isinstance(way, Since):
            return Brought(await since(self.client, way.pages, take, start, end))
        if isinstance(way, ByKey):
            return await self._by_key(job, way, take)
        if isinstance(way, Bulk):
            return await self._changed_leads(job, take, start, end)
        return await self._special(job, way, take)

    async def _listing(self, job: Job, way: Listing, take: Take) -> Brought:
        seen: set[Any] = set()
        (key,) = stream_of(job.group).key

        async def noted(rows: Rows) -> None:
            seen.update(row.get(key) for row in rows)
            await take(rows)

        calls = await every(self.client, way.pages, noted)
        # Pages that go by their place shift when a row before them goes: what seems gone is looked for once more.
        if way.is_whole and calls > 1 and set((await self._values(job, job.group, key)).to_pylist()) - seen:
            calls += await every(self.client, way.pages, noted)
        return Brought(calls, way.is_whole)

    async def _by_key(self, job: Job, way: ByKey, take: Take) -> Brought:
        names = shape_of(job).schema.names
        keys, notes = await run_blocking(partial(askable, await self._keys(job, way)))

        def call(values: Sequence[str], following: str) -> Call[Page]:
            return objects.by_key(way.object, way.filter_type, values, names, following)

        calls = await by_keys(self.client, call, take, keys)
        # What was asked for and is not there is gone; that is known only where everything was asked for.
        is_whole = job.facts.get("keys_since") is None and not notes and way.filter_type in names
        return Brought(calls, is_whole, notes)

    async def _keys(self, job: Job, way: ByKey) -> "Keys":
        """The values to ask for: all, or those of rows that changed since the last reading."""
        stated = job.facts.get("keys_since")
        if stated is None:
            parts = [await self._values(job, way.stream, way.field)]
            if way.filter_type in shape_of(job).schema.names:
                parts.append(await self._values(job, job.group, way.filter_type))
            return await run_blocking(partial(united, parts))
        moment = datetime.fromisoformat(stated)
        parts = [await self._values(job, way.stream, way.field, changed_after=moment)]
        if job.facts.get("by_activities"):
            chosen = ("activityTypeId", OPPORTUNITY_ACTIVITIES)
            parts.append(await self._values(job, "activities", "leadId", changed_after=moment, only=chosen))
        return await run_blocking(partial(united, parts))

    async def _values(self, job: Job, stream: str, field: str, **chosen: Any) -> "Keys":
        return await run_blocking(partial(self.destination.keys, job.instance, stream, field, **chosen))

    async def _changed_leads(self, job: Job, take: Take, start: datetime, end: datetime) -> Brought:
        """Leads that changed, where the subscription cannot filter by `updatedAt`: looked up by their ids."""
        names = shape_of(job).schema.names
        seen: set[int] = set()
        calls = 0

        async def look_up(rows: Rows) -> None:
            nonlocal calls
            stated = (whole(row.get("leadId")) for row in rows)
            fresh = sorted({lead_id for lead_id in stated if lead_id is not None} - seen)
            seen.update(fresh)
            asked = await by_keys(self.client, partial(_leads_by_id, names), take, keys_of(fresh))
            calls += asked

        watched = [name for name in names if name not in {"id", "createdAt", "updatedAt"}] or ["email"]
        pages = partial(activities.lead_changes, fields=watched)
        listed = await since(self.client, pages, look_up, start, end)
        return Brought(listed + calls)

    async def _special(self, job: Job, way: Special, take: Take) -> Brought:
        read: dict[str, Callable[[Job, Take], Awaitable[Brought]]] = {
            "fields": self._fields,
            "activity_types": self._activity_types,
            "lead_changes": self._lead_changes,
            "named_account_lists": self._account_lists,
            "named_accounts": self._accounts,
        }
        return await read[way.name](job, take)

    async def _activity_types(self, job: Job, take: Take) -> Brought:  # noqa: ARG002  # the same for every reading
        await take(await self.catalog.activity_types())
        return Brought(1, is_whole=True)

    async def _lead_changes(self, job: Job, take: Take) -> Brought:
        start, end = stretch_of(job)
        # What leads leave out or hash does not come in by the list of their changes.
        every_name = [each.name for each in await self.catalog.fields(stream_of("leads"))]
        choice = self.lead_choice
        hidden = matching((*choice.exclude, *choice.hash), every_name)
        names = [name for name in every_name if name in matching(choice.fields, every_name) - hidden]
        pages = partial(activities.lead_changes, fields=names)
        return Brought(await since(self.client, pages, take, start, end))

    async def _fields(self, job: Job, take: Take) -> Brought:  # noqa: ARG002  # the same for every reading
        """The fields of each object; an object that this role or instance has not is left out, with a line."""
        before, left_out = self.client.calls_sent, []
        kinds = [None, *DESCRIBED]
        try:
            kinds += [custom_object_kind(name) for name in await self.catalog.custom_objects()]
        except (CallRejected, PermissionDenied):
            left_out.append("custom objects")
        for kind in kinds:
            try:
                await take(await self.catalog.field_rows(kind))
            except (CallRejected, PermissionDenied):
                left_out.append(kind.name if kind else "leads")
        notes = (f"not readable here: {', '.join(left_out)}",) if left_out else ()
        return Brought(self.client.calls_sent - before, is_whole=not left_out, notes=notes)

    async def _account_lists(self, job: Job, take: Take) -> Brought:
        names, notes = askable(keys_of(job.facts.get("names", ())))
        found: set[str] = set()

        async def noted(rows: Rows) -> None:
            found.update(str(row.get("name", "")).casefold() for row in rows)
            await take(rows)

        def call(values: Sequence[str], following: str) -> Call[Page]:
            return objects.named_account_lists("dedupeFields", values, following)

        calls = await by_keys(self.client, call, noted, names)
        asked: list[Any] = names.to_pylist()
        unknown = [repr(name) for name in asked if name.casefold() not in found]
        if unknown:
            notes = (*notes, f"no named account list has the name {', '.join(unknown)}")
        return Brought(calls, is_whole=True, notes=notes)

    async def _accounts(self, job: Job, take: Take) -> Brought:
        names = shape_of(job).schema.names
        calls = 0
        guids: list[Any] = (await self._values(job, "named_account_lists", "marketoGUID")).to_pylist()
        for guid in guids:
            calls += await every(self.client, partial(_accounts_of_list, guid, names), take)
        return Brought(calls, is_whole=True)


def _leads_by_id(names: Sequence[str], ids: Sequence[str], following: str) -> Call[Page]:
    return leads.by_filter("id", ids, names, following)


def _accounts_of_list(guid: str, names: Sequence[str], following: str) -> Call[Page]:
    return objects.accounts_of_list(guid, names, following)


def locked(take: Take) -> Take:
    """`take`, one page at a time, for readings whose calls answer in any order."""
    lock = anyio.Lock()

    async def one_by_one(rows: Rows) -> None:
        async with lock:
            await take(rows)

    return one_by_one

"""Everything that a sync needs, tried one by one: destination, credentials, permissions, budgets, clock.

Apart from the engine, which opens these things: here each is only used once, and what is wrong with it told.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from syncengine.config import Settings
from syncengine.config.streams import CUSTOM_OBJECTS
from syncengine.destinations import Destination
from syncengine.errors import CallRejected, SyncEngineError
from syncengine.exports.catalog import object_of
from syncengine.exports.readers import CRM_OWNS_IT
from syncengine.exports.streams import ACTIVITY, LEAD, ByKey, Listing, stream_of
from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import activities, assets, leads, objects, usage
from syncengine.reports import CheckItem, CheckReport
from syncengine.threads import run_blocking
from syncengine.transport.client import Client
from syncengine.transport.gate import exhausted

# Windows end by Marketo's clock and are not harmed; a clock that is off by more misleads whoever reads our logs.
SKEW_SECONDS_WARN = 300.0


class Checks:
    """What can be tried of one opened instance."""

    def __init__(self, settings: Settings, client: Client, destination: Destination) -> None:
        self._settings = settings
        self._client = client
        self._destination = destination

    async def run(self) -> CheckReport:
        """Try one after the other, spending four calls, and one for each further permission; nothing is raised."""
        items = [await self._item("destination", self._try_destination)]
        items.append(await self._item("credentials", self._try_token))
        if items[-1].ok:
            items.append(await self._item("permission: leads", partial(self._try_permission, leads.describe())))
            items.append(await self._item("permission: activities", partial(self._try_permission, activities.types())))
            for name, call in probes(self._settings).items():
                items.append(await self._item(f"permission: {name}", partial(self._try_further, call)))
            items.append(await self._item("calls left today", self._try_usage))
            items.append(await self._item("bulk export left today", self._try_export))
            items.append(self._clock_item())
        return CheckReport(tuple(items))

    async def _item(self, name: str, attempt: Callable[[], Awaitable[str]]) -> CheckItem:
        try:
            detail = await attempt()
        except SyncEngineError as error:
            return CheckItem(name, ok=False, detail=error.message, advice=error.advice, error=type(error).__name__)
        return CheckItem(name, ok=True, detail=detail)

    async def _try_destination(self) -> str:
        named = await run_blocking(self._destination.check)
        for stream in _named(self._settings):
            await run_blocking(partial(self._destination.standing, self._settings.instance.name, stream))
        return named

    async def _try_token(self) -> str:
        await self._client.tokens.current()
        return f"{self._settings.instance.base_url} accepts the client id and secret"

    async def _try_permission(self, call: Call[tuple[object, ...]]) -> str:
        return f"{call.name} answers with {len(await self._client.send(call))} entries"

    async def _try_further(self, call: Call[Any]) -> str:
        try:
            await self._client.send(call)
        except CallRejected as error:
            if error.code != CRM_OWNS_IT:
                raise
            return "left out by a sync: a CRM owns these objects here (1018)"
        return f"{call.name} answers ({call.permission})"

    async def _try_usage(self) -> str:
        used = (await self._client.send(usage.today())).calls
        left = self._settings.limits.calls_per_day - self._settings.limits.reserve_calls - used
        return f"{max(0, left):,} of {self._settings.limits.calls_per_day:,}"

    async def _try_export(self) -> str:
        limit = self._settings.limits.export_bytes_per_day
        spent = (await self._client.gate.use()).spent_today.export_bytes
        if resume_at := await self._client.gate.paused("export"):
            raise exhausted(resume_at, "export", "export")
        # Marketo tells nobody what is left; others' exports show only when it refuses ours.
        return f"{max(0, limit - spent) / 1e6:,.1f} of {limit / 1e6:,.1f} MB, as far as this engine's own exports go"

    def _clock_item(self) -> CheckItem:
        seconds = abs(self._client.skew.total_seconds())
        return CheckItem(
            "clock",
            ok=seconds <= SKEW_SECONDS_WARN,
            detail=f"{seconds:.0f} s from Marketo's",
            advice="" if seconds <= SKEW_SECONDS_WARN else "Set this machine's clock (NTP).",
        )


def probes(settings: Settings) -> dict[str, Call[Any]]:
    """A call for each permission that streams and assets need besides those of leads and activities, by the first."""
    found: dict[str, Call[Any]] = {}
    seen = {LEAD, ACTIVITY, ""}
    for name in (*_named(settings), *([CUSTOM_OBJECTS] if CUSTOM_OBJECTS in settings.sync.streams else [])):
        call = _probe(name, settings)
        if call is not None and call.permission not in seen:
            seen.add(call.permission)
            found[name] = call
    if settings.assets.path is not None and assets.PERMISSION not in seen:
        found["assets"] = assets.area(assets.AREAS[0])
    return found


def _probe(name: str, settings: Settings) -> Call[Any] | None:
    """The call that shows whether a stream's rows may be read; None where another stream's shows it."""
    if name == CUSTOM_OBJECTS:
        return objects.custom_objects()
    stream = stream_of(name)
    if stream.permission in {LEAD, ACTIVITY}:
        return None
    if name == "named_account_lists":
        chosen = settings.streams.get(name)
        return objects.named_account_lists("dedupeFields", chosen.names[:1]) if chosen and chosen.names else None
    match stream.way:
        case ByKey():
            return objects.describe(stream.way.object)
        case Listing():
            return stream.way.pages("")
        case _:
            return objects.describe(object_of(stream))


def _named(settings: Settings) -> list[str]:
    return [name for name in settings.sync.streams if name != CUSTOM_OBJECTS]

"""The composition root: the one place that picks concrete classes, opens them in order and closes them again.

Everything below takes plain arguments; everything above asks an Engine. Order of opening: clock, state folder, slots,
wire, gate, client, journal, destination. Nothing is opened that a command does not need.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from syncengine.assets.parts import Asked as AssetsAsked
from syncengine.assets.parts import Parts as AssetParts
from syncengine.assets.parts import chosen_kinds, full_is_due
from syncengine.checks import Checks
from syncengine.choices import (
    ASSETS,
    IMPORTS,
    JOURNAL,
    KINDS,
    SLOTS,
    SPOOL,
    boot_of,
    gate_limits,
    limited_as,
    munchkin_id,
    open_clock,
    open_destination,
    open_ingestion,
    private_folder,
    wire_to,
)
from syncengine.config import Settings, StreamSettings
from syncengine.config.streams import CUSTOM_OBJECTS
from syncengine.destinations import Destination
from syncengine.errors import ConfigError
from syncengine.exports.bring import Parts
from syncengine.exports.catalog import Catalog
from syncengine.exports.cost import stream_plans
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.keys import refuse_lost_keys
from syncengine.exports.plan import Planner
from syncengine.exports.slice import Reach
from syncengine.exports.sync import sync
from syncengine.imports.parts import Parts as ImportParts
from syncengine.jobs.lease import LEASE_TTL_SECONDS, this_process
from syncengine.jobs.sql import SqlJobStore, open_journal
from syncengine.marketo.call import Priority
from syncengine.marketo.endpoints import identity, usage
from syncengine.observe.events import Event
from syncengine.reports import CheckReport, SyncPlan, SyncReport
from syncengine.threads import run_blocking
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.retry import Patience
from syncengine.transport.shared_slots import SharedSlotStore

if TYPE_CHECKING:
    from syncengine.assets.desk import Desk as AssetDesk
    from syncengine.imports.desk import Desk


class Engine:
    """One instance, opened. `check`, `plan` and `sync` may follow each other in any order."""

    def __init__(
        self,
        settings: Settings,
        client: Client,
        journal: SqlJobStore,
        open_once: Callable[[], Destination],
        observe: Callable[[Event], None],
        *,
        ingestion: Client | None = None,
    ) -> None:
        self.settings = settings
        self.client = client
        self.journal = journal
        self._open_once = open_once
        self._observe = observe
        self._ingestion = ingestion

    @property
    def destination(self) -> Destination:
        """Where rows go; an import needs none, and does not load what belongs to it."""
        return self._open_once()

    async def check(self) -> CheckReport:
        """Try everything that a sync needs, one by one, spending a few calls; nothing is raised."""
        return await Checks(self.settings, self.client, self.destination).run()

    async def custom_objects(self) -> tuple[str, ...]:
        """The streams of the instance's custom objects that can be exported; spends one call."""
        return await Catalog(self.client).custom_objects()

    async def plan(self, *, full: Collection[str] = ()) -> SyncPlan:
        """What a sync would do and cost now; spends `describe` and `usage`, and asks for no export."""
        instance = self.settings.instance.name
        catalog = Catalog(self.client)
        planner = Planner(self.client, self.journal, self.destination, instance, catalog)
        wanted = await self._wanted(full, catalog)
        refuse_lost_keys(wanted)
        found = await planner.prepare(wanted)
        used = await self.client.send(usage.today())
        spent = (await self.client.gate.use()).spent_today
        limits = self.settings.limits
        bytes_left = max(0, limits.export_bytes_per_day - spent.export_bytes)
        streams = stream_plans(found, self.client.server_now(), bytes_left)
        return SyncPlan(
            streams=streams,
            calls=sum(each.calls for each in streams),
            calls_left_today=max(0, limits.calls_per_day - limits.reserve_calls - max(used.calls, spent.calls)),
            export_bytes_left_today=bytes_left,
            seconds=sum(each.seconds_estimate or 0.0 for each in streams),
        )

    async def sync(self, *, full: Collection[str] = ()) -> SyncReport:
        """Bring every configured stream up to now, those in `full` from their start on.

        Raises ConfigError for a stream in `full` that is not configured, and what `exports.sync.sync` raises.
        """
        spool = self.settings.state.path / SPOOL / self.settings.instance.name
        await run_blocking(lambda: private_folder(spool))
        parts = Parts(
            instance=self.settings.instance.name,
            client=self.client,
            store=self.journal,
            destination=self.destination,
            spool=spool,
            poll_seconds=self.settings.polling.export_seconds,
            observe=self._observe,
            hash_key=hash_key.reveal().encode() if (hash_key := self.settings.privacy.hash_key) else b"",
        )
        catalog = Catalog(self.client)
        wanted, folder = await self._wanted(full, catalog), self.settings.assets.path
        if folder is None:
            return await sync(parts, wanted, catalog)
        # Assets go through the queue of the streams: their jobs fill what these leave of the calls.
        async with (await self.assets()).beside(await self._assets_asked(folder)) as assets:
            report = await sync(parts, wanted, catalog, assets.jobs)
            return report.with_assets(await assets.report())

    async def imports(self) -> "Desk":
        """Where files of people are imported: plans, runs, and what became of them."""
        from syncengine.imports.desk import Desk  # it needs Arrow, which takes long to load

        settings = self.settings
        folder = settings.state.path / IMPORTS / settings.instance.name
        await run_blocking(lambda: private_folder(folder))
        parts = ImportParts(
            instance=settings.instance.name,
            client=self.client,
            store=self.journal,
            folder=folder,
            reports=settings.imports.path,
            poll_seconds=settings.polling.import_seconds,
            drain=timedelta(minutes=settings.imports.drain_minutes),
            observe=self._observe,
            ingestion=self._ingestion,
            munchkin_id=munchkin_id(settings),
        )
        return Desk(parts, settings.imports.file_bytes)

    async def assets(self) -> "AssetDesk":
        """Where marketing assets are pulled and compared."""
        from syncengine.assets.desk import Desk as AssetDesk  # it needs Arrow, which takes long to load

        settings = self.settings
        workroom = settings.state.path / ASSETS / settings.instance.name
        await run_blocking(lambda: private_folder(workroom))
        parts = AssetParts(
            instance=settings.instance.name,
            origin=settings.instance.base_url,
            client=self.client,
            store=self.journal,
            destination=lambda: self.destination,
            wire_to=lambda host: wire_to(host, settings.network, self.client.clock),
            observe=self._observe,
        )
        return AssetDesk(
            parts, workroom=workroom, calls_per_day=settings.limits.calls_per_day - settings.limits.reserve_calls
        )

    async def _assets_asked(self, folder: Path) -> AssetsAsked:
        chosen, instance = self.settings.assets, self.settings.instance.name
        kinds = chosen_kinds(() if "*" in chosen.kinds else chosen.kinds)
        is_full = await full_is_due(self.journal, instance, chosen.full_every, self.client.clock.now())
        return AssetsAsked(folder, kinds, with_files=chosen.files, full=is_full)

    async def _wanted(self, full: Collection[str], catalog: Catalog) -> list[Wanted]:
        settings = self.settings
        names = [name for name in settings.sync.streams if name != CUSTOM_OBJECTS]
        if CUSTOM_OBJECTS in settings.sync.streams:
            names += [name for name in await catalog.custom_objects() if name not in names]
        if unknown := sorted(set(full) - set(names)):
            raise ConfigError(
                f"{unknown[0]!r} is not a stream of this configuration",
                advice=f"It syncs {', '.join(names)}.",
            )
        return [self._wanted_stream(name, full=name in full) for name in names]

    def _wanted_stream(self, name: str, *, full: bool) -> Wanted:
        settings, chosen = self.settings, self.settings.streams.get(name, StreamSettings())
        return Wanted(
            name=name,
            choice=Choice(chosen.fields, chosen.exclude, chosen.hash),
            reach=Reach(
                start=settings.sync.start,
                lookback=timedelta(hours=settings.lookback_hours(name)),
                settle=timedelta(minutes=settings.sync.settle_minutes),
            ),
            full=full,
            full_every=chosen.full_every,
            hard_delete=chosen.hard_delete,
            lists=chosen.lists,
            names=chosen.names,
        )


@asynccontextmanager
async def open_engine(
    settings: Settings,
    *,
    observe: Callable[[Event], None] = lambda _: None,
    priority: Priority = Priority.BACKGROUND,
    patience: Patience | None = None,
) -> AsyncIterator[Engine]:
    """Open everything for one instance; at the end of the block all of it is closed, whatever happened.

    Raises StateUnusable, NoSpace, and with a scaled clock Unavailable when the sandbox cannot be reached.
    """
    instance, limits = settings.instance, settings.limits
    me = this_process()
    failed: list[Exception] = []
    async with AsyncExitStack() as opened:
        clock = await open_clock(settings)
        await run_blocking(lambda: private_folder(settings.state.path))
        slots = SharedSlotStore(
            settings.state.path / SLOTS,
            limited_as(settings),
            boot_of(settings),
            window_seconds=limits.window_seconds,
            now=clock.monotonic(),
        )
        opened.push_async_callback(slots.close)
        wire = await opened.enter_async_context(wire_to(instance.base_url, settings.network, clock))
        client = Client(
            wire,
            Gate(slots, gate_limits(settings), clock, holder=str(me)),
            clock,
            lambda: identity.token(instance.client_id, instance.client_secret.reveal()),
            priority=priority,
            patience=patience,
            observe=observe,
        )
        # A lease outlasts a stalled process by real seconds, however fast a sandbox's clock runs.
        ttl = LEASE_TTL_SECONDS * max(1.0, instance.time_scale)
        journal = await opened.enter_async_context(
            open_journal(settings.state.path / JOURNAL, KINDS, clock, lease_ttl_seconds=ttl)
        )
        await journal.claim(instance.name, instance.base_url)

        @cache
        def destination() -> Destination:
            made = open_destination(settings)
            opened.callback(made.close)
            return made

        background = await opened.enter_async_context(anyio.create_task_group())
        background.start_soon(client.tokens.keep_fresh)
        opened.callback(background.cancel_scope.cancel)
        ingestion = await opened.enter_async_context(open_ingestion(settings, client, clock))
        try:
            yield Engine(settings, client, journal, destination, observe, ingestion=ingestion)
        except Exception as error:  # noqa: BLE001  # raised again below, where no group wraps it
            failed.append(error)
    for reason in failed:
        raise reason

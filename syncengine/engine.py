"""The composition root: the one place that picks concrete classes, opens them in order and closes them again.

Everything below takes plain arguments; everything above asks an Engine. Order of opening: clock, state folder, slots,
wire, gate, client, journal, destination. Nothing is opened that a command does not need.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from syncengine.asset_reports import AssetsReport
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
    Outside,
    boot_of,
    gate_limits,
    limited_as,
    munchkin_id,
    open_ingestion,
    private_folder,
)
from syncengine.config import Settings
from syncengine.destinations import Destination
from syncengine.errors import ConfigError
from syncengine.exports.bring import Parts
from syncengine.exports.catalog import Catalog
from syncengine.exports.cost import stream_plans
from syncengine.exports.keys import refuse_lost_keys
from syncengine.exports.marks import MARKED
from syncengine.exports.plan import Planner
from syncengine.exports.sync import sync
from syncengine.imports.parts import Parts as ImportParts
from syncengine.jobs.halt import Halt
from syncengine.jobs.lease import this_process
from syncengine.jobs.sql import SqlJobStore, open_journal
from syncengine.marketo.call import Priority
from syncengine.marketo.endpoints import identity, usage
from syncengine.observe.events import Event
from syncengine.reports import CheckReport, SyncPlan, SyncReport
from syncengine.threads import run_blocking
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.reconciling import reconciled
from syncengine.transport.retry import Patience
from syncengine.transport.shared_slots import SharedSlotStore
from syncengine.wanted import choice_of, hard_deleted, wanted_streams

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
        outside: Outside | None = None,
        ingestion: Client | None = None,
    ) -> None:
        self.settings = settings
        self.client = client
        self.journal = journal
        self._open_once = open_once
        self._observe = observe
        self._outside = outside or Outside()
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
        wanted = await wanted_streams(self.settings, catalog, full=full)
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

    async def sync(
        self,
        *,
        full: Collection[str] = (),
        streams: Collection[str] | None = None,
        with_assets: bool = True,
        halt: Halt | None = None,
    ) -> SyncReport:
        """Bring every configured stream up to now, or some of them; those in `full` from their start on.

        Assets come along where the configuration has a folder for them. Raises ConfigError for a stream that is not
        configured, and what `exports.sync.sync` raises.
        """
        settings = self.settings
        spool = settings.state.path / SPOOL / settings.instance.name
        for folder in (spool.parent, spool):
            await run_blocking(partial(private_folder, folder))
        parts = Parts(
            instance=settings.instance.name,
            client=self.client,
            store=self.journal,
            destination=self.destination,
            spool=spool,
            poll_seconds=settings.polling.export_seconds,
            observe=self._observe,
            hash_key=hash_key.reveal().encode() if (hash_key := settings.privacy.hash_key) else b"",
            lead_choice=choice_of(settings, MARKED),
            hard_delete=hard_deleted(settings),
            halt=halt or Halt(),
        )
        catalog = Catalog(self.client)
        wanted = await wanted_streams(settings, catalog, full=full, only=streams)
        async with reconciled(self.client):
            if settings.assets.path is None or not with_assets:
                return await sync(parts, wanted, catalog)
            # Assets go through the queue of the streams: their jobs fill what these leave of the calls.
            async with (await self.assets()).beside(await self._assets_asked(settings.assets.path)) as assets:
                report = await sync(parts, wanted, catalog, assets.jobs)
                return report.with_assets(await assets.report())

    async def pull_assets(self) -> AssetsReport:
        """Bring the configured assets alone. Raises ConfigError without a folder for them, and what a pull raises."""
        folder = self.settings.assets.path
        if folder is None:
            raise ConfigError("there is no folder for assets", advice="Add path to [assets].")
        async with reconciled(self.client):
            return await (await self.assets()).pull(await self._assets_asked(folder))

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
            wire_to=lambda host: self._outside.wire(host, settings.network, self.client.clock),
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


@asynccontextmanager
async def open_engine(
    settings: Settings,
    *,
    observe: Callable[[Event], None] = lambda _: None,
    priority: Priority = Priority.BACKGROUND,
    patience: Patience | None = None,
    outside: Outside | None = None,
) -> AsyncIterator[Engine]:
    """Open everything for one instance; at the end of the block all of it is closed, whatever happened.

    Raises StateUnusable, NoSpace, and with a scaled clock Unavailable when the sandbox cannot be reached.
    """
    instance, limits, outside = settings.instance, settings.limits, outside or Outside()
    me = this_process()
    failed: list[Exception] = []
    async with AsyncExitStack() as opened:
        clock = await outside.clock(settings)
        await run_blocking(lambda: private_folder(settings.state.path))
        slots = SharedSlotStore(
            settings.state.path / SLOTS,
            limited_as(settings),
            boot_of(settings),
            window_seconds=limits.window_seconds,
            now=clock.monotonic(),
        )
        opened.push_async_callback(slots.close)
        wire = await opened.enter_async_context(outside.wire(instance.base_url, settings.network, clock))
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
        ttl = outside.lease_ttl_seconds * max(1.0, instance.time_scale)
        journal = await opened.enter_async_context(
            open_journal(settings.state.path / JOURNAL, KINDS, clock, lease_ttl_seconds=ttl)
        )
        await journal.claim(instance.name, instance.base_url)

        @cache
        def destination() -> Destination:
            made = outside.destination(settings)
            opened.callback(made.close)
            return made

        background = await opened.enter_async_context(anyio.create_task_group())
        background.start_soon(client.tokens.keep_fresh)
        opened.callback(background.cancel_scope.cancel)
        ingestion = await opened.enter_async_context(open_ingestion(settings, client, clock, outside))
        try:
            yield Engine(settings, client, journal, destination, observe, outside=outside, ingestion=ingestion)
        except Exception as error:  # noqa: BLE001  # raised again below, where no group wraps it
            failed.append(error)
    for reason in failed:
        raise reason

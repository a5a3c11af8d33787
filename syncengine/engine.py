"""The composition root: the one place that picks concrete classes, opens them in order and closes them again.

Everything below takes plain arguments; everything above asks an Engine. Order of opening: clock, state folder, slots,
wire, gate, client, journal, destination. Nothing is opened that a command does not need.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio

from syncengine.checks import Checks
from syncengine.clock import Clock, ScaledClock, SystemClock
from syncengine.config import Settings, StreamSettings
from syncengine.config.streams import CUSTOM_OBJECTS
from syncengine.destinations import Destination
from syncengine.errors import ConfigError, NoSpace, StateUnusable, Unavailable
from syncengine.exports.bring import Parts
from syncengine.exports.catalog import Catalog
from syncengine.exports.cost import stream_plans
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.keys import refuse_lost_keys
from syncengine.exports.plan import Planner
from syncengine.exports.reading import JOBS
from syncengine.exports.slice import Reach
from syncengine.exports.sync import sync
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
from syncengine.transport.turns import GateLimits
from syncengine.transport.wire import HttpWire, WireError, WireRequest

JOURNAL = "journal.db"
SLOTS = "slots.db"
SPOOL = "spool"


class Engine:
    """One instance, opened. `check`, `plan` and `sync` may follow each other in any order."""

    def __init__(
        self,
        settings: Settings,
        client: Client,
        journal: SqlJobStore,
        destination: Destination,
        observe: Callable[[Event], None],
    ) -> None:
        self.settings = settings
        self.client = client
        self.journal = journal
        self.destination = destination
        self._observe = observe

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
        spool = self.settings.state.path / SPOOL
        await run_blocking(lambda: _private_folder(spool))
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
        return await sync(parts, await self._wanted(full, catalog), catalog)

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
    instance, limits, network = settings.instance, settings.limits, settings.network
    me = this_process()
    failed: list[Exception] = []
    async with AsyncExitStack() as opened:
        clock = await open_clock(settings)
        await run_blocking(lambda: _private_folder(settings.state.path))
        slots = SharedSlotStore(
            settings.state.path / SLOTS,
            limited_as(settings),
            boot_of(settings),
            window_seconds=limits.window_seconds,
            now=clock.monotonic(),
        )
        opened.push_async_callback(slots.close)
        wire = await opened.enter_async_context(
            HttpWire(
                instance.base_url,
                clock,
                user_agent=f"syncengine ({me.pid})",
                ca_file=str(network.ca_file) if network.ca_file else None,
                connect_seconds=network.connect_seconds,
                read_seconds=network.read_seconds,
            )
        )
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
            open_journal(settings.state.path / JOURNAL, JOBS, clock, lease_ttl_seconds=ttl)
        )
        await journal.claim(instance.name, instance.base_url)
        destination = open_destination(settings)
        opened.callback(destination.close)
        background = await opened.enter_async_context(anyio.create_task_group())
        background.start_soon(client.tokens.keep_fresh)
        opened.callback(background.cancel_scope.cancel)
        try:
            yield Engine(settings, client, journal, destination, observe)
        except Exception as error:  # noqa: BLE001  # raised again below, where no group wraps it
            failed.append(error)
    for reason in failed:
        raise reason


def limited_as(settings: Settings) -> str:
    """Whose limits a call counts towards: the subscription's, by whatever name configurations call it."""
    return urlsplit(settings.instance.base_url).netloc.lower()


def boot_of(settings: Settings) -> str:
    """What makes monotonic times comparable: the machine's start, and how fast the instance's clock runs."""
    boot, scale = this_process().boot, settings.instance.time_scale
    return boot if scale == 1.0 else f"{boot} x {scale:g}"


def gate_limits(settings: Settings) -> GateLimits:
    """The limits as the gate takes them."""
    limits = settings.limits
    return GateLimits(
        calls_per_window=limits.calls_per_window,
        window_seconds=limits.window_seconds,
        in_flight=limits.in_flight,
        calls_per_day=limits.calls_per_day,
        export_bytes_per_day=limits.export_bytes_per_day,
        share=limits.share,
        reserve_calls=limits.reserve_calls,
    )


def open_destination(settings: Settings) -> Destination:
    """The destination that the configuration chooses; nothing is opened before its first use."""
    chosen, memory_bytes = settings.destination, settings.destination.memory_limit_mb * 1_000_000
    waits: dict[str, Any] = {"lock_wait_seconds": chosen.lock_wait_seconds}
    works: dict[str, Any] = {"memory_bytes": memory_bytes, "threads": chosen.threads}
    match chosen.type:
        case "postgres":
            from syncengine.destinations.postgres import Postgres

            return Postgres(chosen.url.reveal() if chosen.url else "", schema=chosen.schema, **waits)
        case "parquet":
            from syncengine.destinations.parquet import Parquet

            return Parquet(chosen.path, **waits, **works)
        case "delta":
            from syncengine.destinations.delta import Delta

            options = {name: secret.reveal() for name, secret in chosen.storage_options.items()}
            return Delta(chosen.url.reveal() if chosen.url else str(chosen.path), storage_options=options, **works)
        case _:
            from syncengine.destinations.duckdb import DuckDB

            return DuckDB(chosen.path, schema=chosen.schema, **waits, **works)


async def open_clock(settings: Settings) -> Clock:
    """Real time, or a sandbox's: that many times fast, from the instant that its server shows."""
    scale = settings.instance.time_scale
    if scale == 1.0:
        return SystemClock()
    system = SystemClock()
    async with HttpWire(settings.instance.base_url, system, user_agent="syncengine") as wire:
        try:
            async with wire.send(WireRequest("GET", "/")) as answer:
                shown = answer.headers.get("Date", "")
        except WireError as error:
            raise Unavailable(
                f"The sandbox at {settings.instance.base_url} cannot be reached: {error}.",
                code=error.code,
                advice="Start it with `syncengine sandbox`, or mend [instance] base_url.",
            ) from error
    origin = datetime.strptime(shown, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC) if shown else system.now()
    return ScaledClock(scale, origin)


def _private_folder(path: Path) -> None:
    """Make a folder that only its owner can enter; one that is there keeps the mode that somebody gave it.

    What we make in it is private by its own mode. Raises StateUnusable or NoSpace.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        if error.errno == 28:
            raise NoSpace(f"The disk that holds {path} is full.", advice="Free some room and run again.") from error
        raise StateUnusable(
            f"The state folder {path} cannot be made: {error.strerror}.",
            advice="Choose another [state] path, or mend the permissions above it.",
        ) from error

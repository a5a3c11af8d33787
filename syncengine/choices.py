"""Which concrete classes and figures the settings choose: what the composition root opens, one decision a function.

Apart from the engine, so that `status` can look at the same slots and the same destination without opening an engine.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syncengine.assets import states as asset_states
from syncengine.clock import Clock, ScaledClock, SystemClock
from syncengine.config import NetworkSettings, Settings
from syncengine.destinations import Destination
from syncengine.errors import NoSpace, StateUnusable, Unavailable
from syncengine.exports.reading import JOBS
from syncengine.imports import states
from syncengine.jobs.lease import LEASE_TTL_SECONDS, this_process
from syncengine.marketo.endpoints.ingestion import MUNCHKIN_ID
from syncengine.transport.client import Client
from syncengine.transport.ingestion import ingestion_gate
from syncengine.transport.turns import GateLimits
from syncengine.transport.wire import HttpWire, Wire, WireError, WireRequest

JOURNAL = "journal.db"
SLOTS = "slots.db"
SPOOL = "spool"
IMPORTS = "imports"
ASSETS = "assets"
SANDBOX_MUNCHKIN_ID = "123-ABC-456"
# Every kind of job that a journal holds, with its moves.
KINDS = {
    **JOBS,
    states.IMPORT: states.IMPORT_MOVES,
    states.CHUNK: states.CHUNK_MOVES,
    asset_states.ASSETS: asset_states.MOVES,
}


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


def open_destination(settings: Settings, turn: AbstractContextManager[object] | None = None) -> Destination:
    """The destination that the configuration chooses; nothing is opened before its first use.

    `turn` is shared by those in one process that work on one DuckDB file.
    """
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

            return DuckDB(chosen.path, schema=chosen.schema, turn=turn, **waits, **works)


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


def wire_to(base_url: str, network: NetworkSettings, clock: Clock) -> HttpWire:
    """The wire to one of Marketo's hosts, with what the configuration says of the network; it names this process."""
    return HttpWire(
        base_url,
        clock,
        user_agent=f"syncengine ({this_process().pid})",
        ca_file=str(network.ca_file) if network.ca_file else None,
        connect_seconds=network.connect_seconds,
        read_seconds=network.read_seconds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """How an engine meets the world: its clock, its wire, its destination, and for how long a silent one is believed.

    Others take the place of these where several engines share a process, and where a night is simulated.
    """

    clock: Callable[[Settings], Awaitable[Clock]] = open_clock
    wire: Callable[[str, NetworkSettings, Clock], AbstractAsyncContextManager[Wire]] = wire_to
    destination: Callable[[Settings], Destination] = open_destination
    lease_ttl_seconds: float = LEASE_TTL_SECONDS

    def at(self, clock: Clock) -> "Outside":
        """The same by a clock that is open already."""

        async def known(_: Settings) -> Clock:
            return clock

        return replace(self, clock=known)


def private_folder(path: Path) -> None:
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


def munchkin_id(settings: Settings) -> str:
    """The subscription's id, as its address begins with it; on this machine, the sandbox's."""
    host = urlsplit(settings.instance.base_url).hostname or ""
    name = host.partition(".")[0].upper()
    return name if MUNCHKIN_ID.fullmatch(name) else SANDBOX_MUNCHKIN_ID


@asynccontextmanager
async def open_ingestion(
    settings: Settings, rest: Client, clock: Clock, outside: Outside
) -> AsyncIterator[Client | None]:
    """A client of the Data Ingestion API with the tokens of `rest`, where the subscription has it.

    Its calls count for none of the REST limits, so it has a gate of its own.
    """
    if not settings.imports.ingestion:
        yield None
        return
    async with outside.wire(settings.imports.ingestion_url, settings.network, clock) as wire:
        yield rest.beside(wire, ingestion_gate(clock, holder=str(this_process())))

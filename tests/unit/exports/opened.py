"""An engine opened on a state folder of its own, as `open_engine` opens it, but over the sandbox in virtual time."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from syncengine.choices import JOURNAL, KINDS, SLOTS, boot_of, gate_limits, limited_as, open_destination
from syncengine.clock import ScaledClock
from syncengine.config import (
    DestinationSettings,
    InstanceSettings,
    LimitSettings,
    Secret,
    Settings,
    StateSettings,
    StreamSettings,
    SyncSettings,
)
from syncengine.engine import Engine
from syncengine.jobs.sql import open_journal
from syncengine.marketo.endpoints import identity
from syncengine.observe.events import Event
from syncengine.sandbox.instance import Instance
from syncengine.sandbox.options import SandboxOptions
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.shared_slots import SharedSlotStore
from tests.simulation.wire import SandboxWire
from tests.virtual import ORIGIN, virtual_clock

SECRET = "canary-secret"
# Nothing listens there: whatever would call it fails at once.
BASE_URL = "http://127.0.0.1:9"
DAYS = 40


def settings_for(folder: Path, *, origin: datetime = ORIGIN, **changes: Any) -> Settings:
    """A configuration for the last forty days of the small instance, with state and destination in `folder`."""
    given: dict[str, Any] = {
        "instance": InstanceSettings(name="acme", base_url=BASE_URL, client_id="id", client_secret=Secret(SECRET)),
        "sync": SyncSettings(start=origin - timedelta(days=DAYS), streams=("leads", "activities")),
        "limits": LimitSettings(),
        "state": StateSettings(path=folder / "state"),
        "destination": DestinationSettings(path=folder / "warehouse.duckdb", lock_wait_seconds=0.0),
        "streams": {name: StreamSettings(fields=fields) for name, fields in FIELDS.items()},
    }
    return Settings(**(given | changes))


FIELDS = {"leads": ("email", "leadScore"), "activities": ("*",)}


@dataclass
class Opened:
    """An engine, and what stands around it."""

    engine: Engine
    settings: Settings
    clock: ScaledClock
    marketo: Instance
    events: list[Event]


@asynccontextmanager
async def opened(
    settings: Settings,
    *faults: Mapping[str, Any],
    origin: datetime = ORIGIN,
    machine_ahead: timedelta = timedelta(),
    **options: Any,
) -> AsyncIterator[Opened]:
    """The engine of `settings` on a small instance that begins at `origin`; the engine's clock may go wrong."""
    clock = virtual_clock(origin + machine_ahead)
    small: dict[str, Any] = {"leads": 200, "activities": 300, "years": 0.5, "start": origin, "client_secret": SECRET}
    rules = tuple(dict(rule) for rule in faults)
    marketo = Instance(SandboxOptions(**(small | {"client_id": "id", "faults": rules} | options)))
    settings.state.path.mkdir(mode=0o700, exist_ok=True)
    window_seconds, boot = settings.limits.window_seconds, boot_of(settings)
    path = settings.state.path / SLOTS
    slots = SharedSlotStore(path, limited_as(settings), boot, window_seconds=window_seconds, now=clock.monotonic())
    events: list[Event] = []
    client = Client(
        SandboxWire(marketo, virtual_clock(origin)),
        Gate(slots, gate_limits(settings), clock, holder="process 1"),
        clock,
        lambda: identity.token("id", settings.instance.client_secret.reveal()),
        observe=events.append,
    )
    destination = open_destination(settings)
    try:
        async with open_journal(settings.state.path / JOURNAL, KINDS, clock) as journal:
            engine = Engine(settings, client, journal, lambda: destination, events.append)
            yield Opened(engine, settings, clock, marketo, events)
    finally:
        destination.close()
        await slots.close()

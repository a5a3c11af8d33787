"""A small instance of Marketo and the parts of an import around it, all in one loop of virtual time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from syncengine.choices import KINDS
from syncengine.clock import ScaledClock
from syncengine.imports import states
from syncengine.imports.ambiguity import Policy
from syncengine.imports.asked import Asked
from syncengine.imports.desk import Desk
from syncengine.imports.parts import Parts, Terms
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.jobs.job import Job
from syncengine.jobs.memory import MemoryJobStore
from syncengine.marketo.endpoints import identity, leads
from syncengine.observe.events import Event
from syncengine.reports import ImportReport
from syncengine.sandbox.instance import Instance
from syncengine.sandbox.options import SandboxOptions
from syncengine.transport.book import MemorySlotStore
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.ingestion import ingestion_gate
from syncengine.transport.turns import GateLimits
from tests.simulation.wire import SandboxWire
from tests.unit.imports.table import record
from tests.virtual import ORIGIN, virtual_clock

INSTANCE = "acme"
LEADS = Target(kind=Kind.LEADS, keys=("email",))
TERMS = Terms(Policy.VERIFY, 0.2, timedelta(hours=12))
HEADER = ("email", "firstName", "leadScore")


@dataclass
class World:
    """Everything that an import needs; `files` is where the user's files lie."""

    clock: ScaledClock
    marketo: Instance
    parts: Parts
    files: Path
    events: list[Event] = field(default_factory=list)

    @property
    def client(self) -> Client:
        """Who calls."""
        return self.parts.client

    def calls(self, endpoint: str) -> int:
        """How often Marketo was asked for an endpoint, refused calls included."""
        return int(self.marketo.report()["calls"].get(endpoint, 0))

    def told(self, kind: type[Event]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def file(self, *rows: Sequence[str], header: Sequence[str] = HEADER, name: str = "people.csv") -> str:
        """A file of these rows; gives its path."""
        return self.written(b"".join(record(row) for row in (header, *rows)), name)

    def written(self, content: bytes, name: str = "people.csv") -> str:
        """A file of these bytes; gives its path."""
        path = self.files / name
        path.write_bytes(content)
        return str(path)

    def desk(self, file_bytes: int = 10_000_000) -> Desk:
        """The door of the room."""
        return Desk(self.parts, file_bytes)

    async def imported(self, asked: Asked, *, file_bytes: int = 10_000_000) -> ImportReport:
        """Plan and carry out."""
        desk = self.desk(file_bytes)
        async with desk.plan(asked) as (prepared, plan):
            assert not plan.stops, plan.findings
            return await desk.run(prepared)

    async def people(self, *emails: str, by: str = "email") -> list[Mapping[str, Any]]:
        """What Marketo has of these."""
        page = await self.client.send(leads.by_filter(by, emails, ["email", "firstName", "leadScore"]))
        return [{name: row[name] for name in HEADER} for row in page.rows]

    async def chunks(self) -> list[Job]:
        """Every chunk of the journal."""
        return await self.parts.store.jobs(INSTANCE, kind=states.CHUNK)

    async def history(self, job_id: str) -> list[str]:
        """The events of a job so far."""
        return [entry.event for entry in await self.parts.store.history(INSTANCE, job_id)]

    def lying_about(self) -> list[str]:
        """What is in our folder."""
        return sorted(path.name for path in self.parts.folder.iterdir())


def build(folder: Path, *faults: Mapping[str, Any], has_ingestion: bool = False, **options: Any) -> World:
    """A world whose instance has 50 leads, unless `options` say otherwise."""
    clock = virtual_clock()
    small: dict[str, Any] = {"leads": 50, "activities": 5, "years": 0.5, "start": ORIGIN, "custom_object_rows": 5}
    secret: dict[str, Any] = {"client_id": "id", "client_secret": "secret"}
    marketo = Instance(SandboxOptions(**(small | secret | options), faults=tuple(dict(rule) for rule in faults)))
    events = list[Event]()
    wire = SandboxWire(marketo, clock)
    client = Client(
        wire,
        Gate(MemorySlotStore(), GateLimits(), clock, holder="pid 1"),
        clock,
        lambda: identity.token("id", "secret"),
        observe=events.append,
    )
    for name in ("ours", "reports", "files"):
        (folder / name).mkdir(mode=0o700)
    parts = Parts(
        instance=INSTANCE,
        client=client,
        store=MemoryJobStore(KINDS, clock),
        folder=folder / "ours",
        reports=folder / "reports",
        poll_seconds=30.0,
        drain=timedelta(hours=1),
        observe=events.append,
        ingestion=client.beside(wire, ingestion_gate(clock, holder="pid 1")) if has_ingestion else None,
        munchkin_id="123-ABC-456" if has_ingestion else "",
    )
    return World(clock, marketo, parts, folder / "files", events)


def again(world: World, **changes: Any) -> World:
    """The same world as a new process finds it."""
    return replace(world, parts=replace(world.parts, **changes))


def asked(*files: str, route: Route = Route.BULK, target: Target = LEADS, **more: Any) -> Asked:
    """An import of these files."""
    return Asked(target=target, files=files, route=route, **more)


def people(count: int, *, name: str = "p") -> list[tuple[str, str, str]]:
    """So many new ones."""
    return [(f"{name}{n}@x.example", f"N{n}", str(n)) for n in range(count)]


def fault(action: str, path: str, **rule: Any) -> dict[str, Any]:
    """A rule of the sandbox's fault script for a path that ends so."""
    return {"action": action, "path": f"*{path}", **rule}

"""A small instance of Marketo and an engine's parts around it, all in one loop of virtual time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from syncengine.clock import ScaledClock
from syncengine.destinations import Destination
from syncengine.exports.bring import Parts
from syncengine.exports.budget import Megabytes
from syncengine.exports.catalog import Catalog
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.load import Landing
from syncengine.exports.plan import Planner, Preparation, Prepared, new_jobs
from syncengine.exports.reading import JOBS
from syncengine.exports.request import Watch, kind_of
from syncengine.exports.run import Windows
from syncengine.exports.slice import Reach
from syncengine.jobs.board import Done, Failed, Go, Later, Step
from syncengine.jobs.job import Job
from syncengine.jobs.memory import MemoryJobStore
from syncengine.marketo.endpoints import identity
from syncengine.marketo.endpoints.exports import ACTIVITIES, LEADS, ExportKind
from syncengine.observe.events import Event
from syncengine.sandbox.instance import Instance
from syncengine.sandbox.options import SandboxOptions
from syncengine.transport.book import MemorySlotStore
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.turns import GateLimits
from tests.simulation.wire import SandboxWire
from tests.unit.exports.memory import MemoryDestination
from tests.virtual import ORIGIN, virtual_clock

INSTANCE = "acme"
FIELDS = ("email", "leadScore")
DAY = timedelta(days=1)
SETTLE = timedelta(minutes=15)


@dataclass
class World:
    """Everything that a sync needs; `wakes` are the jobs that the watches of `windows` wanted to wake."""

    clock: ScaledClock
    marketo: Instance
    client: Client
    slots: MemorySlotStore
    store: MemoryJobStore
    destination: MemoryDestination
    spool: Path
    events: list[Event] = field(default_factory=list)
    wakes: list[str] = field(default_factory=list)

    @property
    def now(self) -> float:
        """Seconds since the world began."""
        return (self.clock.now() - ORIGIN).total_seconds()

    def calls(self, endpoint: str) -> int:
        """How often Marketo was asked for an endpoint, refused calls included."""
        return int(self.marketo.report()["calls"].get(endpoint, 0))

    def told(self, kind: type[Event]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def spooled(self) -> list[str]:
        """What lies in the spool folder."""
        return sorted(path.name for path in self.spool.iterdir())

    def truth(self, stream: str, days: float = 40) -> set[Any]:
        """The keys of the rows that a first run has to bring."""
        rows = self.marketo.people if stream == "leads" else self.marketo.activities
        key, date = ("id", "updatedAt") if stream == "leads" else ("marketoGUID", "activityDate")
        start, end = ORIGIN - days * DAY, ORIGIN - SETTLE
        read = map(orjson.loads, b"".join(rows.truth()).splitlines())
        return {row[key] for row in read if start <= datetime.fromisoformat(row[date]) < end}

    def held(self, stream: str) -> set[Any]:
        """The keys of the rows that the destination has."""
        return {key for (key,) in self.destination.rows.get(stream, {})}

    def is_complete(self) -> bool:
        """Whether both streams have every row of their first run, and perhaps later ones."""
        return all(self.truth(stream) <= self.held(stream) for stream in KINDS)

    def parts(self, destination: Destination | None = None) -> Parts:
        """What a sync works with."""
        return Parts(
            instance=INSTANCE,
            client=self.client,
            store=self.store,
            destination=destination or self.destination,
            spool=self.spool,
            poll_seconds=60.0,
            observe=self.events.append,
        )

    def windows(self, destination: Destination | None = None) -> "Stepping":
        """A handler of windows as a new run has it, with watches of its own that nobody runs."""
        watches = {kind: Watch(self.client, kind, 60.0, self.wakes.append) for kind in KINDS.values()}
        landing = Landing(self.clock, destination or self.destination, self.spool, self.events.append)
        megabytes = Megabytes(self.client.gate)
        windows = Windows(client=self.client, store=self.store, landing=landing, megabytes=megabytes, watches=watches)
        return Stepping(self, windows, watches, landing, megabytes)

    async def prepared(self, *wanted: Wanted) -> list[Prepared]:
        """What a run would find to do."""
        return (await self.preparation(*wanted)).streams

    async def preparation(self, *wanted: Wanted) -> Preparation:
        """The same, with the streams that cannot be brought."""
        planner = Planner(self.client, self.store, self.destination, INSTANCE, Catalog(self.client))
        return await planner.prepare(wanted)

    async def planned(self, *wanted: Wanted, epoch: int = 1) -> list[Job]:
        """The new windows of these streams, in the journal."""
        found = await self.prepared(*(wanted or (leads(),)))
        jobs = [job for each in found for job in new_jobs(each, INSTANCE, epoch=epoch, turn=0)]
        return await self.store.plan(jobs)

    async def stored(self, job: Job) -> Job:
        """The job as the journal has it now."""
        found = await self.store.get(INSTANCE, job.id)
        assert found is not None
        return found

    async def history(self, job: Job) -> list[str]:
        """The events of a job so far."""
        return [entry.event for entry in await self.store.history(INSTANCE, job.id)]


@dataclass
class Stepping:
    """Takes windows by hand, as a scheduler would, to the point that a test is about."""

    world: World
    windows: Windows
    watches: Mapping[ExportKind, Watch]
    landing: Landing
    megabytes: Megabytes

    async def until(self, job: Job, state: str) -> Job:
        """Go on with the window until it is in `state`."""
        while job.state != state:
            step = await self.windows.step(job)
            job = step.job
            if job.state != state:
                await self._wait_for(step)
        return job

    async def failed(self, job: Job) -> Failed:
        """Go on with the window until it is given up in this run."""
        while not isinstance(step := await self.windows.step(job), Failed):
            await self._wait_for(step)
            job = step.job
        return step

    async def until_done(self, job: Job) -> Done:
        """Go on with the window until another takes its place, or none is needed."""
        while not isinstance(step := await self.windows.step(job), Done):
            await self._wait_for(step)
            job = step.job
        return step

    async def ends(self, job: Job) -> list[Done | Failed]:
        """How the window ends in this run, and each one that comes in its place."""
        step = await self.windows.step(job)
        while not isinstance(step, Done | Failed):
            await self._wait_for(step)
            step = await self.windows.step(step.job)
        heirs = step.instead if isinstance(step, Done) else ()
        return [step, *[end for heir in heirs for end in await self.ends(heir)]]

    async def take(self, job: Job, count: int) -> list[Step]:
        """So many steps of the window in a row."""
        steps: list[Step] = []
        for _ in range(count):
            steps.append(await self.windows.step(job))
            await self._wait_for(steps[-1])
            job = steps[-1].job
        return steps

    async def _wait_for(self, step: Step) -> None:
        """Let the time pass that a step asks for, as a scheduler and a watch would."""
        assert not isinstance(step, Done)
        if not isinstance(step, Go):
            await self.world.clock.sleep(step.seconds if isinstance(step, Later) else 60.0)
            await self.watches[kind_of(step.job)].poll()


KINDS = {"leads": LEADS, "activities": ACTIVITIES}


def build(folder: Path, *faults: Mapping[str, Any], machine_ahead: timedelta = timedelta(), **options: Any) -> World:
    """A world whose instance has 200 leads and 300 activities in its last half year, unless `options` say otherwise.

    `machine_ahead` is how wrong the engine's own clock goes.
    """
    clock, server_clock = virtual_clock(ORIGIN + machine_ahead), virtual_clock()
    small: dict[str, Any] = {"leads": 200, "activities": 300, "years": 0.5, "start": ORIGIN}
    secret: dict[str, Any] = {"client_id": "id", "client_secret": "secret"}
    marketo = Instance(SandboxOptions(**(small | secret | options), faults=tuple(dict(rule) for rule in faults)))
    slots, events = MemorySlotStore(), list[Event]()
    client = Client(
        SandboxWire(marketo, server_clock),
        Gate(slots, GateLimits(), clock, holder="pid 1"),
        clock,
        lambda: identity.token("id", "secret"),
        observe=events.append,
    )
    spool = folder / "spool"
    spool.mkdir(mode=0o700, parents=True)
    store = MemoryJobStore(JOBS, clock)
    return World(clock, marketo, client, slots, store, MemoryDestination(), spool, events)


def leads(days: float = 40, fields: tuple[str, ...] = FIELDS, **reach: timedelta) -> Wanted:
    """The leads of the last so many days, with few fields."""
    return Wanted("leads", Choice(fields), reach_of(days, **reach))


def activities(days: float = 40, **reach: timedelta) -> Wanted:
    """The activities of the last so many days."""
    return Wanted("activities", Choice(), reach_of(days, **reach))


def reach_of(days: float, *, lookback: timedelta = DAY, settle: timedelta = SETTLE) -> Reach:
    """From so many days before the world began."""
    return Reach(ORIGIN - days * DAY, lookback, settle)


def fault(action: str, path: str, **rule: Any) -> dict[str, Any]:
    """A rule of the sandbox's fault script for a path that ends so."""
    return {"action": action, "path": f"*{path}", **rule}

"""Imports in simulation: the real engine's import flow against the sandbox's core, on one seeded loop.

An `Intake` is one Marketo instance and one state folder. Each process has new objects over the same files, put together
as `engine.open_engine` and `Engine.imports` do it, with the sandbox's core in place of HTTP; it may die at any moment.
"""

import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import orjson

from syncengine.choices import KINDS
from syncengine.errors import SyncEngineError
from syncengine.imports import states
from syncengine.imports.asked import Asked
from syncengine.imports.desk import Desk
from syncengine.imports.parts import Parts, Terms
from syncengine.imports.report import SUMMARY
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.jobs.job import Job
from syncengine.jobs.lease import LEASE_TTL_SECONDS
from syncengine.jobs.memory import MemoryJobStore
from syncengine.jobs.sql import open_journal
from syncengine.jobs.store import JobStore
from syncengine.marketo.call import Priority
from syncengine.marketo.endpoints import identity
from syncengine.observe.events import Event
from syncengine.reports import ImportReport
from syncengine.sandbox.instance import Instance
from syncengine.transport.book import MemorySlotStore, SlotStore
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.ingestion import ingestion_gate
from syncengine.transport.shared_slots import SharedSlotStore
from syncengine.transport.turns import GateLimits
from syncengine.transport.wire import Wire
from tests.simulation.deaths import MortalWire
from tests.simulation.heirs import Heirs
from tests.simulation.mortal import MortalStore, Witness
from tests.simulation.people import People, Shares
from tests.simulation.seeded import Life, this_loop
from tests.simulation.small import STRANGERS, plain_addresses, small_instance, strangers_job
from tests.simulation.wire import SandboxWire
from tests.virtual import ORIGIN, virtual_clock

NAME = "acme"
LEADS = Target(kind=Kind.LEADS, keys=("email",))
DRAIN = timedelta(hours=1)
# Longer than a run may take that waits for nobody: a drain bound, ten jobs of others, its own.
RUN_SECONDS_MAX = 30 * 3_600.0
JITTER_SECONDS = (0.0, 0.3)
RUNS_MAX = 6
CREATE = "/bulk/v1/leads.json"
STATUS = "/bulk/v1/leads/batch/*[0-9].json"
SYNC = "/rest/v1/leads.json"

Wrap = Callable[[Wire], Wire]
Keep = Callable[[JobStore], JobStore]


class Intake:
    """An instance with a few people, and a folder from which imports into it are run; `options` are the sandbox's.

    `skew` is how far the engine's clock is off. `in_memory` keeps journal and slots in memory, where that is enough.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        start: datetime = ORIGIN,
        skew: timedelta = timedelta(),
        drain: timedelta = DRAIN,
        file_bytes: int = 4_000,
        poll_seconds: float = 15.0,
        in_memory: bool = False,
        has_ingestion: bool = False,
        **options: Any,
    ) -> None:
        self.clock = virtual_clock(start)
        self.server = Instance(small_instance(seed, start, options))
        self.folder = folder
        self.reports = folder / "reports"
        self.events: list[Event] = []
        self.heirs = Heirs(folder / "imports")
        self.last_error: BaseException | None = None
        self.report: ImportReport | None = None
        self.processes = 0
        self.died_at: list[float] = []
        self.delivered: dict[int, float] = {}
        self.known = plain_addresses(self.server)
        self._engine_clock = virtual_clock(start + skew)
        self._drain, self._file_bytes, self._has_ingestion = drain, file_bytes, has_ingestion
        self._poll_seconds = poll_seconds
        self._seed = seed
        self._journal = MemoryJobStore(KINDS, self._engine_clock) if in_memory else None
        self._slots = MemorySlotStore() if in_memory else None
        (folder / "imports").mkdir()

    def people(self, count: int, *, shares: Shares | None = None, edition: int = 1, seed: int | None = None) -> People:
        """Rows to import, some of people whom the instance has."""
        return People(self._seed if seed is None else seed, count, self.known, shares=shares, edition=edition)

    def asked(self, people: People, *, name: str = "people.csv", **changes: Any) -> Asked:
        """An order to import these rows, which are written to a file for it."""
        path = people.written(self.folder / name)
        usual = {"target": LEADS, "files": (str(path),), "allow_clear": True, "route": Route.BULK}
        return Asked(**{**usual, **changes})

    @asynccontextmanager
    async def process(
        self,
        life: Life | None = None,
        *,
        wrap: Wrap | None = None,
        keep: Keep | None = None,
        priority: Priority = Priority.INTERACTIVE,
    ) -> AsyncIterator[Parts]:
        """The parts of one process; `wrap` and `keep` put something of their own around its wire and its journal."""
        self.processes += 1
        name, life, observe = f"process {self.processes}", life or Life(), self.heirs.beside(self.events)
        async with AsyncExitStack() as opened:
            slots = self._slots or await self._shared_slots(opened)
            client = Client(
                self._wire(name, life, wrap),
                Gate(slots, self._limits(), self._engine_clock, holder=name),
                self._engine_clock,
                lambda: identity.token("id", "secret"),
                priority=priority,
                observe=observe,
                rng=random.Random(f"{self._seed} {name}"),
            )
            store: JobStore
            if self._journal is not None:
                store = MortalStore(self._journal, life)
            else:
                journal = open_journal(self.folder / "journal.db", KINDS, self._engine_clock)
                store = await opened.enter_async_context(journal)
            ingestion = None
            if self._has_ingestion:
                gate = ingestion_gate(self._engine_clock, holder=name)
                ingestion = client.beside(self._wire(f"{name} ingestion", life, wrap), gate)
            yield Parts(
                instance=NAME,
                client=client,
                store=keep(store) if keep else store,
                folder=self.folder / "imports",
                reports=self.reports,
                poll_seconds=self._poll_seconds,
                drain=self._drain,
                observe=observe,
                ingestion=ingestion,
                munchkin_id=self.server.options.name,
            )

    async def run(self, parts: Parts, asked: Asked) -> ImportReport:
        """Plan and carry out with the parts of an open process, as the command does; raises what the desk raises."""
        desk = Desk(parts, self._file_bytes)
        async with desk.plan(asked) as (plan, shown):
            assert not shown.stops, shown.findings
            return await desk.run(plan)

    async def resume(self, parts: Parts, run_id: str, terms: Terms) -> ImportReport:
        """Go on with a run with the parts of an open process."""
        return await Desk(parts, self._file_bytes).resume(run_id, terms)

    async def ending(self, asked: Asked, life: Life | None = None, *, run_id: str = "", **parts: Any) -> str:
        """Let one process import, or resume `run_id`, and tell how it ended.

        A report's outcome, the name of the error's class, or "died". After a death its lease has to run out.
        """
        life, loop = life or Life(), this_loop()
        self.report = self.last_error = None
        terms = Terms(asked.policy, asked.failures_max, asked.wait_max)
        failed: list[BaseException] = []
        try:
            async with self.process(life, **parts) as opened, anyio.create_task_group() as background:
                loop.life = life
                background.start_soon(opened.client.tokens.keep_fresh)
                try:
                    with self.clock.fail_after(RUN_SECONDS_MAX):
                        work = self.resume(opened, run_id, terms) if run_id else self.run(opened, asked)
                        self.report = await work
                except BaseException as error:  # noqa: BLE001  # looked at below, where no group wraps it
                    failed.append(error)
                loop.life = Life()  # what is left is to close files, as the operating system does for the dead
                background.cancel_scope.cancel()
        except BaseException as error:
            if not life.is_over:
                raise
            failed.append(error)
        finally:
            loop.life = Life()
        if life.is_over:
            self.died_at.append(self.clock.now().timestamp())
            await self.clock.sleep(LEASE_TTL_SECONDS + 1.0)
            return "died"
        for reason in failed:
            if not isinstance(reason, SyncEngineError):
                raise reason
            self.last_error = reason
            return type(reason).__name__
        assert self.report is not None
        return self.report.outcome

    async def close(self, asked: Asked, **parts: Any) -> None:
        """Resume the run, or give the same command again, until it is closed; a few times at most."""
        for number in range(RUNS_MAX):
            if await self.is_closed():
                return
            runs = await self.jobs(states.IMPORT)
            await self.ending(asked, run_id=runs[0].id if runs and number % 2 == 0 else "", **parts)

    async def is_closed(self) -> bool:
        """Whether the latest run has come to its end."""
        runs = await self.jobs(states.IMPORT)
        return bool(runs) and max(runs, key=lambda run: run.created_at).state == states.CLOSED

    async def told(self) -> ImportReport:
        """The account of the latest run, as its files tell it."""
        run = max(await self.jobs(states.IMPORT), key=lambda each: each.created_at)
        summary: dict[str, Any] = orjson.loads((self.reports / run.id / SUMMARY).read_bytes())
        for name in ("batches", "sources", "problems", "notes", "files"):
            summary[name] = tuple(summary[name])
        return ImportReport(**summary)

    async def jobs(self, kind: str = states.CHUNK) -> list[Job]:
        """Runs or chunks as the journal has them, cut ones left out."""
        if self._journal is not None:
            jobs = await self._journal.jobs(NAME, kind=kind)
        else:
            async with open_journal(self.folder / "journal.db", KINDS, self._engine_clock) as journal:
                jobs = await journal.jobs(NAME, kind=kind)
        return sorted((job for job in jobs if job.state != states.REPLACED), key=lambda job: (job.place, job.id))

    async def recall(self, name: str) -> Any:
        """What the journal keeps of the instance under a name."""
        async with self.process() as parts:
            return await parts.store.recall(NAME, name)

    def others(self, jobs: int, seconds: float, *, list_id: int | None = None) -> None:
        """Somebody else's imports enter the queue now, each of which takes so long."""
        for _ in range(jobs):
            strangers_job(self.server, self.clock.now().timestamp(), seconds, list_id)

    @asynccontextmanager
    async def beside(self, work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
        """Let something happen in the world while a block runs; what has not happened at its end does not."""
        async with anyio.create_task_group() as world:
            world.start_soon(work)
            yield
            world.cancel_scope.cancel()

    def faults(self, *rules: dict[str, Any]) -> None:
        """Replace the fault script."""
        self.server.set_faults(list(rules))

    def batches(self) -> list[dict[str, Any]]:
        """The batches that the instance has accepted from us, in their order, brought up to now."""
        now = self.clock.now().timestamp()
        self.server.advance(now)
        return [
            job for job in map(orjson.loads, self.server.truth("imports", now) or ()) if job["size"] != len(STRANGERS)
        ]

    def broken_limits(self) -> list[str]:
        """The limits that the instance saw broken, and the calls that it still holds open."""
        report, limits = self.server.report(), self._limits()
        bounds = {"largest_window": limits.calls_per_window, "most_in_flight": limits.in_flight, "in_flight": 0}
        return [f"{name} is {report[name]}" for name, most in bounds.items() if report[name] > most]

    def _wire(self, name: str, life: Life, wrap: Wrap | None) -> Wire:
        sandbox = SandboxWire(self.server, self.clock, seed=self._seed, jitter_seconds=JITTER_SECONDS, user_agent=name)
        witness = Witness(sandbox, life, lambda batch: self.delivered.update({batch: self.clock.now().timestamp()}))
        return MortalWire(wrap(witness) if wrap else witness, life)

    async def _shared_slots(self, opened: AsyncExitStack) -> SlotStore:
        now = self.clock.monotonic()
        slots = SharedSlotStore(self.folder / "slots.db", NAME, "boot", window_seconds=20.0, now=now)
        opened.push_async_callback(slots.close)
        return slots

    def _limits(self) -> GateLimits:
        options = self.server.options
        return GateLimits(calls_per_window=options.calls_per_window, in_flight=options.in_flight)

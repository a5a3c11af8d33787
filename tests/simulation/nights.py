"""Whole nights: the real engine against the sandbox's core, on one seeded loop, and what must be true afterwards.

A `Night` is one Marketo instance and one state folder. Each `sync` is a process of its own: new objects over the same
files, put together in the order of `engine.open_engine`, with the sandbox's core in place of HTTP.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import anyio
import duckdb
import orjson

from syncengine.destinations import Destination
from syncengine.errors import QuotaExhausted, SyncEngineError
from syncengine.exports.bring import Parts
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.reading import JOBS
from syncengine.exports.slice import Reach
from syncengine.exports.sync import sync
from syncengine.exports.window import CLEANED, KIND, MOVES
from syncengine.jobs.job import Job
from syncengine.jobs.sql import open_journal
from syncengine.marketo.endpoints import identity
from syncengine.marketo.limits import EXPORT_BYTES_PER_DAY
from syncengine.observe.events import Event
from syncengine.reports import SyncReport
from syncengine.sandbox.activities import DEFAULT_FIELDS
from syncengine.sandbox.instance import Instance
from syncengine.sandbox.options import SandboxOptions
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.shared_slots import SharedSlotStore
from syncengine.transport.turns import GateLimits
from syncengine.transport.wire import Wire
from tests.end_to_end.processes import as_text
from tests.simulation.kept import Kept
from tests.simulation.wire import SandboxWire
from tests.virtual import ORIGIN, virtual_clock

NAME = "acme"
KEYS = {"leads": "id", "activities": "marketoGUID"}
# A field of each type, and two that hold what careless readers break on; all sixty would cost time and show no more.
LEAD_FIELDS = (
    "id",
    "email",
    "createdAt",
    "updatedAt",
    "leadScore",
    "isVip",
    "engagementRate",
    "contractDate",
    "lastSeenLocal",
    "favouriteColour",
    "transcript",
)
SETTLE_SECONDS = 60.0
LOOKBACK = timedelta(hours=24)
# Longer than any run here may take by the instance's clock, its waits for full queues included.
RUN_SECONDS_MAX = 6 * 3_600.0
JITTER_SECONDS = (0.0, 0.3)
# Between a run that ended early and the next one.
PAUSE_SECONDS = 600.0

Wrap = Callable[[Wire], Wire]


def as_it_is(wire: Wire) -> Wire:
    """The wire that a process has when nobody puts another around it."""
    return wire


class Night:
    """An instance with `days` of data, and a folder to sync it to; `options` are the sandbox's.

    `clock` is the instance's. The engine's own is off by `skew`. `own_bytes_per_day` is what the engine may export.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        days: int = 20,
        start: datetime = ORIGIN,
        streams: Sequence[str] = ("leads", "activities"),
        lookback: timedelta = LOOKBACK,
        skew: timedelta = timedelta(),
        own_bytes_per_day: int = EXPORT_BYTES_PER_DAY,
        **options: Any,
    ) -> None:
        small = {"leads": 30, "activities": 60, "years": (days - 1) / 365.25, "latency_seconds": (0.02, 0.5)}
        who = {"seed": seed, "start": start, "client_id": "id", "client_secret": "secret"}
        self.clock = virtual_clock(start)
        self._engine_clock = virtual_clock(start + skew)
        self.server = Instance(SandboxOptions(**{**small, **options, **who}))
        self.reach = Reach(start - timedelta(days=days), lookback, timedelta(seconds=SETTLE_SECONDS))
        self.wanted = [Wanted(name, Choice({"leads": LEAD_FIELDS}.get(name, ("*",))), self.reach) for name in streams]
        self.events: list[Event] = []
        self.spool = folder / "spool"
        self.spool.mkdir()
        self.last_error: SyncEngineError | None = None
        self.resume_at: datetime | None = None
        self.processes = 0
        self._own_bytes_per_day = own_bytes_per_day
        self._folder = folder
        self._seed = seed

    @asynccontextmanager
    async def process(self, wrap: Wrap = as_it_is) -> AsyncIterator[Parts]:
        """The parts of one process, open for a block; `wrap` may put a wire of its own around the sandbox's."""
        self.processes += 1
        name, now = f"process {self.processes}", self.clock.monotonic()
        async with AsyncExitStack() as opened:
            slots = SharedSlotStore(self._folder / "slots.db", NAME, "boot", window_seconds=20.0, now=now)
            opened.push_async_callback(slots.close)
            wire = SandboxWire(self.server, self.clock, seed=self._seed, jitter_seconds=JITTER_SECONDS, user_agent=name)
            client = Client(
                wrap(wire),
                Gate(slots, self._limits(), self._engine_clock, holder=name),
                self._engine_clock,
                lambda: identity.token("id", "secret"),
                observe=self.events.append,
                rng=random.Random(f"{self._seed} {name}"),
            )
            journal = await opened.enter_async_context(
                open_journal(self._folder / "journal.db", JOBS, self._engine_clock)
            )
            kept = Kept(self._folder / "warehouse.duckdb")
            opened.callback(kept.close)
            yield Parts(
                instance=NAME,
                client=client,
                store=journal,
                destination=cast("Destination", kept),
                spool=self.spool,
                poll_seconds=60.0,
                observe=self.events.append,
            )

    async def run(self, parts: Parts, *, at_most: float = RUN_SECONDS_MAX) -> SyncReport:
        """Sync once with the parts of an open process. Raises what `sync` raises; TimeoutError when it never ends."""
        failed: list[BaseException] = []
        async with anyio.create_task_group() as background:
            background.start_soon(parts.client.tokens.keep_fresh)
            try:
                with self.clock.fail_after(at_most):
                    report = await sync(parts, self.wanted)
            except BaseException as error:  # noqa: BLE001  # raised again below, where no group wraps it
                failed.append(error)
            background.cancel_scope.cancel()
        for reason in failed:
            raise reason
        return report

    async def ending(self, wrap: Wrap = as_it_is, *, at_most: float = RUN_SECONDS_MAX) -> str:
        """Let one process sync, and tell how it ended: a report's outcome, or the name of the error's class."""
        try:
            async with self.process(wrap) as parts:
                report = await self.run(parts, at_most=at_most)
        except SyncEngineError as error:
            self.last_error = error
            return type(error).__name__
        self.resume_at = report.resume_at
        return report.outcome

    async def endings(self, most: int) -> list[str]:
        """Sync again and again, as a scheduler would, until a run is `done`; at most so often."""
        seen: list[str] = []
        while len(seen) < most and seen[-1:] != ["done"]:
            if seen:
                await self.pause()
            seen.append(await self.ending())
        return seen

    async def pause(self) -> None:
        """Wait as long as the last run says, by its error or its report, or as long as people do."""
        error, seconds = self.last_error, PAUSE_SECONDS
        resume_at = error.resume_at if isinstance(error, QuotaExhausted) else self.resume_at
        if resume_at is not None:
            seconds = max(1.0, (resume_at - self._engine_clock.now()).total_seconds())
        self.last_error = self.resume_at = None
        await self.clock.sleep(seconds)

    async def settle(self) -> None:
        """Wait until whatever was changed up to now lies before the settle delay, by a minute."""
        await self.clock.sleep(SETTLE_SECONDS + 61.0)

    def change(self, **asked: Any) -> dict[str, Any]:
        """Change the instance's data now."""
        return self.server.change(self.clock.now().timestamp(), **asked)

    async def jobs(self) -> list[Job]:
        """Every window in the journal."""
        async with open_journal(self._folder / "journal.db", JOBS, self._engine_clock) as journal:
            return await journal.jobs(NAME, kind=KIND)

    async def applied_bytes(self) -> int:
        """The size of all files whose rows are in the destination, by the journal."""
        return sum(job.facts["file_bytes"] for job in await self.jobs() if job.state == CLEANED)

    async def problems(self) -> list[str]:
        """Everything that is not as it has to be when a night is whole; each row and cell of the truth is compared."""
        with duckdb.connect(str(self._folder / "warehouse.duckdb"), read_only=True) as database:
            differences = [line for each in self.wanted for line in self._differences(database, each.name)]
        return [
            *differences,
            *(f"{path.name} lies in the spool" for path in self.spool.iterdir()),
            *(f"{job.id} stands in {job.state}" for job in await self.jobs() if job.state not in MOVES.final),
            *self.broken_limits(),
        ]

    def broken_limits(self) -> list[str]:
        """The limits that the instance saw broken, and the calls that it still holds open."""
        report, limits = self.server.report(), self._limits()
        bounds = {"largest_window": limits.calls_per_window, "most_in_flight": limits.in_flight, "in_flight": 0}
        return [f"{name} is {report[name]}" for name, most in bounds.items() if report[name] > most]

    def exported_bytes(self) -> int:
        """What the instance has metered, over all days."""
        return sum(amount for _, amount in self.server.limits.exported.recent(self.clock.now().timestamp(), 1_000))

    def _limits(self) -> GateLimits:
        options = self.server.options
        return GateLimits(
            calls_per_window=options.calls_per_window,
            in_flight=options.in_flight,
            export_bytes_per_day=self._own_bytes_per_day,
        )

    def _differences(self, database: duckdb.DuckDBPyConnection, table: str) -> Iterator[str]:
        truth = self.server.people.truth() if table == "leads" else self.server.activities.truth()
        names = LEAD_FIELDS if table == "leads" else tuple(DEFAULT_FIELDS)
        lines = (orjson.loads(line) for part in truth for line in part.splitlines())
        wanted = {line[KEYS[table]]: {name: line[name] for name in names} | {"_unparsed": None} for line in lines}
        rows = database.sql(f"SELECT * FROM marketo.{table}").to_arrow_table()
        # Beside Marketo's columns stand ours, but for what Marketo said and a column could not hold.
        said = [name for name in rows.column_names if name == "_unparsed" or not name.startswith("_")]
        for row in rows.select(said).to_pylist():
            key = row[KEYS[table]]
            true = wanted.pop(key, None)
            if true is None:
                yield f"{table} {key} is too much"
            elif wrong := [name for name in row.keys() | true.keys() if cell(row, name) != cell(true, name)]:
                yield f"{table} {key} has other {', '.join(sorted(wrong))}"
        yield from (f"{table} {missing} is missing" for missing in wanted)
        yield from self._gaps(database, table)

    def _gaps(self, database: duckdb.DuckDBPyConnection, table: str) -> Iterator[str]:
        statement = "SELECT epoch(window_start), epoch(window_end) FROM marketo._marketo_sync WHERE stream = ?"
        covered = self.reach.start.timestamp()
        for start, end in sorted(database.execute(statement, [table]).fetchall()):
            if start > covered:
                yield f"the ledger of {table} has a gap of {start - covered} s"
            covered = max(covered, end)


def cell(row: dict[str, Any], name: str) -> tuple[type, object]:
    """A cell as it is compared: `True` is not 1, and a missing column is not NULL."""
    value = as_text(row.get(name, "no such column"))
    return type(value), value

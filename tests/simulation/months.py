"""Whole months: the real daemon over the real engine against the sandbox's core, on one seeded loop of virtual time.

A `Month` is one Marketo instance and one folder. Its daemon is a process: it can be stopped, killed between any two of
its effects, started again, and given another configuration; what must be true each morning is asked of the warehouse.
"""

import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import duckdb
import orjson
from anyio.abc import TaskGroup

from syncengine.choices import JOURNAL, KINDS, Outside, open_destination
from syncengine.clock import Clock
from syncengine.config import (
    DestinationSettings,
    GroupSettings,
    ImportSettings,
    InboxSettings,
    InstanceSettings,
    NetworkSettings,
    Secret,
    ServiceSettings,
    Settings,
    StateSettings,
    StreamSettings,
    SyncSettings,
)
from syncengine.destinations import Destination
from syncengine.errors import ConfigError, DestinationUnavailable
from syncengine.jobs.sql import open_journal
from syncengine.sandbox.activities import DEFAULT_FIELDS
from syncengine.sandbox.instance import Instance
from syncengine.sandbox.options import SandboxOptions
from syncengine.service.daemon import Daemon
from syncengine.service.schedule.nights import NightReport, night_of
from tests.simulation.deaths import MortalWire
from tests.simulation.nights import KEYS, LEAD_FIELDS, cell
from tests.simulation.seeded import Life, this_loop
from tests.simulation.wire import SandboxWire
from tests.virtual import virtual_clock

NAME = "acme"
SETTLE = timedelta(minutes=1)
# A dead process's lease is believed for so long: we are its holder, so nobody can prove that it is dead.
LEASE_SECONDS = 900.0
SECRET = "secret"
NIGHTLY = GroupSettings(cron="30 2 * * *", zone="Europe/Berlin", jitter_minutes=10.0)


class Month:
    """An instance with `days` of data before `start`, and the folder of a daemon that brings it."""

    def __init__(self, folder: Path, seed: int, *, start: datetime, days: int = 10, **options: Any) -> None:
        small = {"leads": 30, "activities": 60, "years": (days - 1) / 365.25, "latency_seconds": (0.02, 0.5)}
        who = {"seed": seed, "start": start, "client_id": "id", "client_secret": SECRET}
        self.clock = virtual_clock(start)
        self.server = Instance(SandboxOptions(**{**small, **options, **who}))
        self.folder = folder
        self.destination_is_down = False
        self.config_is_bad = False
        self.others: list[Settings] = []  # further instances of the same file
        self.starts = 0
        self._seed = seed
        self._scope: anyio.CancelScope | None = None
        self._ended = anyio.Event()
        self._life: Life | None = None
        self.daemon: Daemon | None = None
        self.settings = Settings(
            instance=InstanceSettings(
                name=NAME, base_url="http://127.0.0.1:9", client_id="id", client_secret=Secret(SECRET)
            ),
            sync=SyncSettings(
                start=start - timedelta(days=days), streams=("leads",), settle_minutes=SETTLE.total_seconds() / 60
            ),
            state=StateSettings(path=folder / "state"),
            destination=DestinationSettings(path=folder / "warehouse.duckdb", lock_wait_seconds=0.0, threads=1),
            streams={"leads": StreamSettings(fields=LEAD_FIELDS)},
            imports=ImportSettings(path=folder / "imports"),
            service=ServiceSettings(reports=folder / "reports"),
            schedule={"nightly": NIGHTLY},
        )

    def configure(self, **changes: Any) -> None:
        """Write another configuration; the daemon reads it when it is told to, or has a reason."""
        self.settings = replace(self.settings, **changes)

    def watch(self, **schedule: GroupSettings) -> Path:
        """Import what is dropped into a folder too, at the times of these groups or at any."""
        self.configure(
            import_={"inbox": InboxSettings(path=self.folder / "inbox", settle_seconds=1.0)},
            schedule={**self.settings.schedule, **schedule},
        )
        return self.folder / "inbox"

    def rotate_secret(self, secret: str) -> None:
        """From now on Marketo takes this one alone."""
        self.server.tokens._client_secret = secret

    async def start(self, tasks: TaskGroup, life: Life | None = None) -> None:
        """Begin a process; with a `life` it dies after that many effects."""
        self.starts += 1
        self._scope, self._ended, self._life = anyio.CancelScope(), anyio.Event(), life
        self.daemon = Daemon(
            self._load,
            clock=self.clock,
            outside=Outside(
                clock=self._clock, wire=self._wire, destination=self._destination, lease_ttl_seconds=LEASE_SECONDS
            ),
            rng=random.Random(f"{self._seed} {self.starts}"),
        )
        if life is None:
            await tasks.start(self._process, self.daemon)
        else:
            tasks.start_soon(self._process, self.daemon)

    async def stop(self) -> None:
        """End the process as SIGTERM does, and wait for it."""
        assert self.daemon is not None
        self.daemon.stop()
        await self._ended.wait()

    async def mourn(self) -> None:
        """Wait for a process that dies, and until its lease is over."""
        await self._ended.wait()
        await self.clock.sleep(LEASE_SECONDS + 1.0)

    async def until_running(self, group: str = "nightly") -> None:
        """Wait until a group's night is under way."""
        assert self.daemon is not None
        while self.daemon.standings.groups[NAME, group].state != "running":
            await self.clock.sleep(5.0)

    async def reload(self) -> None:
        """What SIGHUP does."""
        assert self.daemon is not None
        await self.daemon.reload()

    async def until(self, instant: datetime) -> None:
        """Let time pass."""
        await self.clock.sleep((instant - self.clock.now()).total_seconds())

    def change(self, **asked: Any) -> None:
        """People go on working in the instance."""
        self.server.change(self.clock.now().timestamp(), **asked)

    def out_of_order(self, start: datetime, end: datetime, **rule: Any) -> None:
        """Let calls fail between two instants, as a rule of the fault script says."""
        usual = {"action": "http", "status": 503, "path": "/*"}
        times = {"from": start.timestamp(), "until": end.timestamp()}
        self.server.set_faults([{**usual, **rule, **times}])

    def use_up_calls(self) -> None:
        """Other integrations use whatever is left of today's calls."""
        now, limits = self.clock.now().timestamp(), self.server.limits
        limits.calls.add(now, self.server.options.calls_per_day - limits.calls.used(now))

    async def nights(self, group: str = "nightly") -> list[NightReport]:
        """The accounts of a group's nights, oldest first."""
        async with open_journal(self.settings.state.path / JOURNAL, KINDS, self.clock) as journal:
            found = [night_of(run) for run in await journal.runs(NAME, 10_000)]
        return [night for night in reversed(found) if night is not None and night.group == group]

    def differences(self, streams: Sequence[str]) -> list[str]:
        """Every row and cell of the warehouse that is not as Marketo has it, or is not there."""
        with duckdb.connect(str(self.settings.destination.path), read_only=True) as database:
            return [line for stream in streams for line in self._differences(database, stream)]

    def addresses(self, prefix: str) -> list[str]:
        """The addresses of people in Marketo that begin so, as often as they are there."""
        (found,) = self.server.people.columns(["email"], self.server.people.rows())
        return [str(each) for each in found if each and str(each).startswith(prefix)]

    def broken_limits(self) -> list[str]:
        """The limits that the instance saw broken."""
        report = self.server.report()
        bounds = {"largest_window": 100, "most_in_flight": 10}
        return [f"{name} is {report[name]}" for name, most in bounds.items() if report[name] > most]

    def _load(self) -> tuple[Settings, ...]:
        if self.config_is_bad:
            raise ConfigError("nightly.toml has 1 problem", problems=("line 3: limits.share takes a number",))
        return (self.settings, *self.others)

    async def _process(self, daemon: Daemon, *, task_status: Any = anyio.TASK_STATUS_IGNORED) -> None:
        loop, life = this_loop(), self._life
        if life is not None:
            loop.life = life
        try:
            await daemon.run(task_status=task_status)
        except BaseException:
            if life is None or not life.is_over:
                raise
        finally:
            if life is not None:
                loop.life = Life()  # what is left is to close files, as the operating system does for the dead
            self._ended.set()

    async def _clock(self, _: Settings) -> Clock:
        return self.clock

    @asynccontextmanager
    async def _wire(self, _origin: str, _network: NetworkSettings, _clock: Clock) -> AsyncIterator[Any]:
        name = f"process {self.starts}"
        wire = SandboxWire(self.server, self.clock, seed=self._seed, jitter_seconds=(0.0, 0.3), user_agent=name)
        yield MortalWire(wire, self._life) if self._life is not None else wire

    def _destination(self, settings: Settings) -> Destination:
        if self.destination_is_down:
            raise DestinationUnavailable("the warehouse is away; nothing was applied")
        return open_destination(settings)

    def _differences(self, database: duckdb.DuckDBPyConnection, table: str) -> Iterator[str]:
        truth = self.server.people.truth() if table == "leads" else self.server.activities.truth()
        names = LEAD_FIELDS if table == "leads" else tuple(DEFAULT_FIELDS)
        lines = (orjson.loads(line) for part in truth for line in part.splitlines())
        wanted = {line[KEYS[table]]: {name: line[name] for name in names} for line in lines}
        rows = database.sql(f"SELECT * FROM marketo.{table}").to_arrow_table()
        said = [name for name in rows.column_names if not name.startswith("_")]
        for row in rows.select(said).to_pylist():
            key = row[KEYS[table]]
            true = wanted.pop(key, None)
            if true is None:
                yield f"{table} {key} is too much"
            elif wrong := [name for name in row.keys() | true.keys() if cell(row, name) != cell(true, name)]:
                yield f"{table} {key} has other {', '.join(sorted(wrong))}"
        yield from (f"{table} {missing} is missing" for missing in wanted)

"""Assets in simulation: the real pull against the sandbox's core, on one seeded loop, into folders on this machine.

A `Library` is one Marketo instance and one state, both in memory. Each process has new objects over the same state, put
together as `Engine.assets` does it, with the sandbox's core in place of HTTP; it may die at any moment.
"""

import os
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
import orjson
import pytest

from syncengine.asset_reports import AssetsDiff, AssetsReport
from syncengine.assets.desk import Desk
from syncengine.assets.disk import WORKSHOP
from syncengine.assets.parts import Asked, Parts
from syncengine.choices import KINDS
from syncengine.destinations import Destination
from syncengine.jobs.lease import LEASE_TTL_SECONDS
from syncengine.jobs.memory import MemoryJobStore
from syncengine.marketo.endpoints import identity
from syncengine.sandbox.asset_items import Asset as SandboxAsset
from syncengine.sandbox.instance import Instance
from syncengine.sandbox.options import SandboxOptions
from syncengine.transport.book import MemorySlotStore
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.turns import GateLimits
from syncengine.transport.wire import Wire, WireAnswer, WireRequest
from tests.simulation.asset_checks import problems
from tests.simulation.deaths import MortalWire
from tests.simulation.kept import Kept
from tests.simulation.mortal import MortalStore
from tests.simulation.seeded import Life, this_loop
from tests.simulation.small import MORE_OF_EACH, ONE_OF_EACH
from tests.simulation.wire import SandboxWire
from tests.virtual import ORIGIN, virtual_clock

NAME, ORIGIN_URL = "acme", "https://acme.example"
# Longer than any run here may take by the instance's clock, a day whose calls are used up aside.
RUN_SECONDS_MAX = 6 * 3_600.0
JITTER_SECONDS = (0.0, 0.3)

T = TypeVar("T")
Wrap = Callable[[Wire], Wire]
Bytes = dict[str, bytes]


class Library:
    """An instance with a small tree of assets, and the folder that it is pulled to; `options` are the sandbox's."""

    def __init__(self, folder: Path, seed: int = 7, *, start: datetime = ORIGIN, **options: Any) -> None:
        few: dict[str, Any] = dict.fromkeys([*ONE_OF_EACH, *MORE_OF_EACH], 0)
        few |= {"leads": 1, "programs": 4, "campaigns": 4, "lists": 3, "workspaces": 2, "assets": 60, "years": 1.0}
        few |= {"latency_seconds": (0.02, 0.5)}
        who = {"seed": seed, "start": start, "client_id": "id", "client_secret": "secret"}
        self.clock = virtual_clock(start)
        self.server = Instance(SandboxOptions(**{**few, **options, **who}))
        self.home = folder
        self.folder = folder / "assets"
        self.heard: list[WireRequest] = []
        self._seed = seed
        self._processes = 0
        self._store = MemoryJobStore(KINDS, self.clock)
        self._slots = MemorySlotStore()

    @asynccontextmanager
    async def process(self, life: Life | None = None, *, wrap: Wrap | None = None) -> AsyncIterator[Desk]:
        """The desk of one process; `wrap` puts something of its own around its wire."""
        self._processes += 1
        name, life = f"process {self._processes}", life or Life()
        async with AsyncExitStack() as opened:
            wire: Wire = Ear(self._wire(name), self.heard)
            client = Client(
                MortalWire(wrap(wire) if wrap else wire, life),
                Gate(self._slots, self._limits(), self.clock, holder=name),
                self.clock,
                lambda: identity.token("id", "secret"),
                rng=random.Random(f"{self._seed} {name}"),
            )

            @cache
            def destination() -> Destination:
                kept = Kept(self.warehouse)
                opened.callback(kept.close)
                return cast("Destination", kept)

            @asynccontextmanager
            async def wire_to(host: str) -> AsyncIterator[Wire]:
                assert host == "http://localhost"
                yield self._wire(f"{name} files")

            parts = Parts(
                instance=NAME,
                origin=ORIGIN_URL,
                client=client,
                store=MortalStore(self._store, life),
                destination=destination,
                wire_to=wire_to,
                observe=lambda _: None,
            )
            yield Desk(parts, workroom=self.home / "workroom", calls_per_day=self.server.options.calls_per_day)

    @property
    def warehouse(self) -> Path:
        """The file of the tables."""
        return self.home / "warehouse.duckdb"

    async def do(
        self, work: Callable[[Desk], Awaitable[T]], life: Life | None = None, *, wrap: Wrap | None = None
    ) -> T:
        """Let one process do its work, and give what it gives; raises what it raises, in no group."""
        life, loop = life or Life(), this_loop()
        failed: list[BaseException] = []
        given: list[T] = []
        try:
            async with self.process(life, wrap=wrap) as desk, anyio.create_task_group() as background:
                loop.life = life
                background.start_soon(desk.parts.client.tokens.keep_fresh)
                try:
                    with self.clock.fail_after(RUN_SECONDS_MAX):
                        given.append(await work(desk))
                except BaseException as error:  # noqa: BLE001  # raised again below, where no group wraps it
                    failed.append(error)
                loop.life = Life()  # what is left is to close files, as the operating system does for the dead
                background.cancel_scope.cancel()
        finally:
            loop.life = Life()
        for reason in failed:
            raise reason
        (found,) = given
        return found

    async def pull(
        self, folder: Path | None = None, *, life: Life | None = None, wrap: Wrap | None = None, **asked: Any
    ) -> AssetsReport:
        """Pull in a process of its own; no tables are written unless they are asked for."""
        order = Asked(folder or self.folder, **{"with_tables": False, **asked})
        return await self.do(lambda desk: desk.pull(order), life, wrap=wrap)

    async def diff(self, **asked: Any) -> AssetsDiff:
        """What has become of the instance since the folder was pulled."""
        order = Asked(self.folder, **asked)
        return await self.do(lambda desk: desk.diff_live(order.folder, order.kinds))

    async def fresh(self, **asked: Any) -> Bytes:
        """What a pull into an empty folder brings now."""
        folder = self.home / f"fresh {self._processes}"
        report = await self.pull(folder, **asked)
        assert report.outcome == "done", report.problems
        return contents(folder)

    async def dies(self, life: Life, **asked: Any) -> bool:
        """Let a process pull for as long as its life is; False when it had come to its end before."""
        try:
            await self.pull(life=life, **asked)
        except BaseException:
            if not life.is_over:
                raise
        if life.is_over:
            await self.clock.sleep(LEASE_TTL_SECONDS + 1.0)
        return life.is_over

    def change(self, *changes: dict[str, Any], **asked: Any) -> list[dict[str, Any]]:
        """Change the instance's assets now, and tell what was done."""
        given = self.server.change(self.clock.now().timestamp(), assets=list(changes), **asked)
        done: list[dict[str, Any]] = given["assets"]
        return done

    async def later(self, seconds: float = 5.0) -> None:
        """Let some time pass, so that what is changed then has a date of its own."""
        await self.clock.sleep(seconds)

    def faults(self, *rules: dict[str, Any]) -> None:
        """Replace the fault script."""
        self.server.set_faults(list(rules))

    def ids(self, kind: str) -> list[int]:
        """The ids of a kind as the sandbox calls it, in the order of its list, but for the system's folders."""
        return [one.id for one in self.server.data.assets.of(kind) if not one.facts.get("isSystem")]

    def asset(self, kind: str, number: int = 0, **facts: Any) -> SandboxAsset:
        """One of the assets of a kind as the sandbox has it, of those of which these things are true."""
        chosen = [
            one
            for one in self.server.data.assets.of(kind)
            if not one.facts.get("isSystem") and all(getattr(one, name) == value for name, value in facts.items())
        ]
        return chosen[number]

    def problems(self, folder: Path | None = None, *, kinds: tuple[str, ...] = ()) -> list[str]:
        """Everything in a folder that is not as the instance is now."""
        return problems(self.truth(), folder or self.folder, kinds=kinds)

    def truth(self) -> list[dict[str, Any]]:
        """Every asset as the instance has it now."""
        lines = self.server.truth("assets", self.clock.now().timestamp())
        assert lines is not None
        return [orjson.loads(line) for line in lines]

    def broken_limits(self) -> list[str]:
        """The limits that the instance saw broken, and the calls that it still holds open."""
        report, limits = self.server.report(), self._limits()
        bounds = {"largest_window": limits.calls_per_window, "most_in_flight": limits.in_flight, "in_flight": 0}
        found = [f"{name} is {report[name]}" for name, most in bounds.items() if report[name] > most]
        return [*found, *(f"code {code}" for code in ("606", "615") if code in report["codes"])]

    def _wire(self, name: str) -> SandboxWire:
        return SandboxWire(self.server, self.clock, seed=self._seed, jitter_seconds=JITTER_SECONDS, user_agent=name)

    def _limits(self) -> GateLimits:
        options = self.server.options
        return GateLimits(
            calls_per_window=options.calls_per_window, in_flight=options.in_flight, calls_per_day=options.calls_per_day
        )


class Ear:
    """A wire that hears what is asked."""

    def __init__(self, wire: Wire, heard: list[WireRequest]) -> None:
        self._wire = wire
        self._heard = heard

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator[WireAnswer]:
        self._heard.append(request)
        async with self._wire.send(request) as answer:
            yield answer

    async def close(self) -> None:
        await self._wire.close()


class Meddler:
    """A wire behind which `meddle` changes the instance when the calls of these numbers have been carried out."""

    def __init__(self, wire: Wire, numbers: Sequence[int], meddle: Callable[[int], None], path: str = "") -> None:
        self._wire = wire
        self._numbers = numbers
        self._meddle = meddle
        self._path = path
        self.calls = 0

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator[WireAnswer]:
        async with self._wire.send(request) as answer:
            if self._path in request.target:
                self.calls += 1
                if self.calls in self._numbers:
                    self._meddle(self.calls)
            yield answer

    async def close(self) -> None:
        await self._wire.close()


# A call for what one asset holds: the word for its kind, and its id.
CONTENT = re.compile(r"/rest/asset/v1/(\w+)/(\d+)(?:/\w+)*(?:/[^/]+)?(?:\.json|/content)(?:\?.*)?")
DESIGNS = {"email": "email-v2", "emailtemplate": "email-template-v2", "fragment": "fragment"}


def contents_asked(heard: Sequence[WireRequest]) -> set[tuple[str, str]]:
    """What the calls among them ask more of than lists show: kinds, as the sandbox calls them, and ids."""
    found = set()
    for each in heard:
        if "/bulk/get" in each.target:
            kind = DESIGNS[each.target.split("/")[4]]
            found |= {(kind, number) for number in orjson.loads(each.body or b"")["assetIds"]}
        elif match := CONTENT.fullmatch(each.target):
            kind = re.sub(r"(?=[A-Z])", "-", match[1]).lower()
            found.add(("program" if "folderType=Program" in each.target else kind, match[2]))
        elif "/tagType/" in each.target:
            found.add(("tag-type", each.target))
    return found


def asked_twice(heard: Sequence[WireRequest]) -> list[str]:
    """The addresses that were asked more than once."""
    times = Counter(f"{each.target} {each.body!r}" for each in heard)
    return [target for target, count in times.items() if count > 1]


def contents(folder: Path) -> Bytes:
    """The bytes of all files of a folder by their paths, but for what is not whole yet."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in files(folder) if WORKSHOP not in path.parts}


def files(folder: Path) -> list[Path]:
    """All files of a folder, ours and others."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def marks(folder: Path) -> dict[str, tuple[int, int]]:
    """What tells that a file was not touched, by its path: its inode and its time."""
    told = {str(path.relative_to(folder)): path.stat() for path in files(folder)}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in told.items()}


def mortal_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every change of the disk by Python's own calls an effect of the process that is simulated at the moment."""

    def mortal(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            life = this_loop().life
            life.go_on()
            given = function(*args, **named)
            life.spend()
            return given

        return call

    for name in ("replace", "unlink", "rmdir", "mkdir"):
        monkeypatch.setattr(Path, name, mortal(getattr(Path, name)))
    monkeypatch.setattr(os, "fsync", mortal(os.fsync))

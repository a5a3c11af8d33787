"""Minutes of full load: the sandbox's own counters say whether the limits were kept, and how much of them was used.

Marketo allows 100 calls at once and 5 a second from then on. Nobody can use all of that at every moment: whoever spends
a window at its start has to wait for its end. So the use is read off when a whole number of windows has been spent.
"""

import os
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchmarks.limiters import LeakyBucket, Limiter, SendTimeWindow
from benchmarks.load import through_engine, through_limiter
from syncengine.clock import Clock
from syncengine.marketo.endpoints import identity
from syncengine.sandbox.instance import Instance
from syncengine.sandbox.options import SandboxOptions
from syncengine.transport.book import MemorySlotStore, SlotStore
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.shared_slots import SharedSlotStore
from syncengine.transport.turns import GateLimits
from tests.simulation.wire import SandboxWire
from tests.virtual import virtual, virtual_clock

WHOLE_WINDOWS = 31
# More of them with SATURATED_SEEDS=4; three engines have half as many.
SEEDS = int(os.environ.get("SATURATED_SEEDS", "2"))
JITTER_SECONDS = (0.0, 0.1)


def instance(seed: int) -> Instance:
    """A small instance with slow answers, whose tokens die four times during a run."""
    return Instance(
        SandboxOptions(
            seed=seed,
            leads=10,
            activities=10,
            client_id="id",
            client_secret="secret",
            token_seconds=130.0,
            latency_seconds=(0.02, 0.4),
        )
    )


def client(server: Instance, clock: Clock, slots: SlotStore, name: str, seed: int) -> Client:
    """One process's client."""
    wire = SandboxWire(server, clock, seed=seed, jitter_seconds=JITTER_SECONDS, user_agent=name)
    gate = Gate(slots, GateLimits(), clock, holder=name)
    return Client(wire, gate, clock, lambda: identity.token("id", "secret"))


class WholeWindows:
    """Ends a load after so many calls at the server, and keeps its counters of that moment."""

    def __init__(self, server: Instance) -> None:
        self._server = server
        self._report: dict[str, Any] | None = None

    def __call__(self) -> bool:
        if self._report is None and (report := self._server.report())["calls_total"] >= 100 * WHOLE_WINDOWS:
            self._report = report
        return self._report is not None

    @property
    def used(self) -> float:
        """The part of the allowed calls that arrived."""
        report = self._report
        assert report is not None
        return float(report["calls_total"] / (100 + 5 * (report["last_arrival"] - report["first_arrival"])))


def assert_kept(report: dict[str, Any], used: float) -> None:
    """No limit was passed, no token was late, and next to nothing was left unused."""
    assert report["calls_total"] >= 3_000
    assert report["largest_window"] <= 100
    assert report["most_in_flight"] <= 10
    assert report["codes"] == {}
    assert report["tokens_issued"] >= 4
    assert used >= 0.97


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_one_engine_at_saturation_keeps_every_limit_and_wastes_little(seed: int) -> None:
    """3,000 calls with 20 to 400 ms latency and jitter, through token turns: no refusal, 97 % of the rate used."""

    @virtual
    async def night() -> None:
        server, clock = instance(seed), virtual_clock()
        engine = client(server, clock, MemorySlotStore(), "engine", seed)
        spent = WholeWindows(server)
        async with anyio.create_task_group() as background:
            background.start_soon(engine.tokens.keep_fresh)
            await through_engine(engine, spent)
            background.cancel_scope.cancel()
        assert_kept(server.report(), spent.used)

    night()


@pytest.mark.parametrize("seed", range(1, SEEDS // 2 + 1))
def test_three_engines_on_one_state_folder_keep_the_limits_together(tmp_path: Path, seed: int) -> None:
    """Three connections to one slots file stand for three processes: same limits, same use, a fair share for each."""

    @virtual
    async def night() -> None:
        server, clock = instance(seed), virtual_clock()
        names = [f"engine {number}" for number in range(3)]
        books = [
            SharedSlotStore(tmp_path / "slots.db", "acme", "boot", window_seconds=20.0, now=clock.monotonic())
            for _ in names
        ]
        engines = [client(server, clock, book, name, seed) for book, name in zip(books, names, strict=True)]
        spent = WholeWindows(server)
        try:
            async with anyio.create_task_group() as background:
                for engine in engines:
                    background.start_soon(engine.tokens.keep_fresh)
                async with anyio.create_task_group() as loads:
                    for engine in engines:
                        loads.start_soon(through_engine, engine, spent)
                background.cancel_scope.cancel()
        finally:
            for book in books:
                await book.close()
        report = server.report()
        assert_kept(report, spent.used)
        assert min(report["clients"][name] for name in names) >= 0.2 * report["calls_total"]

    night()


@pytest.mark.parametrize(("name", "most_windows"), [("leaky bucket", 199), ("send-time window", 110)])
def test_the_sandbox_refuses_limiters_that_do_not_keep_its_window(name: str, most_windows: int) -> None:
    """What keeps no window as the server sees it gets 606 from the very load that the engine's client passes."""

    @virtual
    async def night() -> None:
        server, clock = instance(1), virtual_clock()
        limiters: dict[str, Limiter] = {"leaky bucket": LeakyBucket(), "send-time window": SendTimeWindow(clock)}
        wire = SandboxWire(server, clock, jitter_seconds=JITTER_SECONDS)
        asked = partial(identity.token, "id", "secret")
        await through_limiter(wire, clock, limiters[name], asked, WholeWindows(server))
        report = server.report()
        assert report["codes"]["606"] >= 1
        assert 100 < report["largest_window"] <= most_windows

    night()

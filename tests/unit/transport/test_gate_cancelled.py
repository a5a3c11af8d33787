"""Calls that are cancelled at any moment leave no waiter, no unknown slot, and a line that moves on."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from syncengine.clock import Clock
from syncengine.marketo.call import Priority
from syncengine.transport.book import Book, MemorySlotStore, SlotStore
from syncengine.transport.gate import Gate
from syncengine.transport.shared_slots import SharedSlotStore
from syncengine.transport.turns import GateLimits
from tests.virtual import virtual, virtual_clock

T = TypeVar("T")


class CancellingStore:
    """A store whose caller is cancelled while its n-th transaction is under way, which is carried out all the same."""

    def __init__(self, nth: int, cancel: Callable[[], object]) -> None:
        self.inner = MemorySlotStore()
        self.victim: asyncio.Task[None] | None = None
        self.left = nth
        self.cancel = cancel

    async def transact(self, change: Callable[[Book], T]) -> T:
        result = await self.inner.transact(change)
        if asyncio.current_task() is self.victim:
            self.left -= 1
            if self.left == 0:
                self.cancel()
            await asyncio.sleep(0)
        return result

    async def close(self) -> None:
        """Nothing is held open."""


async def one_call(gate: Gate) -> None:
    async with gate.enter("call", Priority.BACKGROUND, seconds=120.0) as permit:
        await gate.clock.sleep(1.0)
        await permit.answered()
        await gate.clock.sleep(1.0)


async def settled(gate: Gate, store: SlotStore) -> tuple[int, int, list[object]]:
    """Waiters and slots of unknown end that are left, and who stands in line."""
    book = await store.transact(lambda book: book)
    return len(book.waiters), sum(slot.flight_free_at is None for slot in book.slots.values()), list(gate._line)


@pytest.mark.parametrize("way", ["scope", "task"])
@pytest.mark.parametrize("nth", range(1, 20))
@virtual
async def test_a_call_cancelled_in_a_transaction_leaves_nothing_open(way: str, nth: int) -> None:
    """Whichever of its transactions a call is cancelled in, by scope or by task, its neighbours go on at once."""
    clock = virtual_clock()
    scope = anyio.CancelScope()
    store = CancellingStore(nth, scope.cancel)
    gate = Gate(store, GateLimits(in_flight=1), clock, holder="pid 1")

    async def victim() -> None:
        store.victim = asyncio.current_task()
        with scope:
            await one_call(gate)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(one_call(gate))
        await clock.sleep(0.1)
        doomed = tasks.create_task(victim())
        if way == "task":
            store.cancel = doomed.cancel
        await clock.sleep(0.1)
        tasks.create_task(one_call(gate))

    assert (0, 0, []) == await settled(gate, store)
    assert len(store.inner.book.slots) == sum(spent.calls for spent in store.inner.book.spent.values())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("after", [0.0, 0.5, 1.0, 1.95, 2.0, 2.05, 3.0, 3.5, 4.0])
@virtual
async def test_a_call_cancelled_at_any_time_leaves_nothing_open(tmp_path: Path, kind: str, after: float) -> None:
    """Waiting, let in, sent, answered or done: whenever the cancel comes, line and book are in order afterwards."""
    clock = virtual_clock()
    store = store_of(kind, tmp_path, clock)
    gate = Gate(store, GateLimits(in_flight=1), clock, holder="pid 1")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one_call, gate)
        await clock.sleep(0.0)
        with clock.move_on_after(after):
            await one_call(gate)
        tasks.start_soon(one_call, gate)

    assert (0, 0, []) == await settled(gate, store)
    await store.close()


def store_of(kind: str, folder: Path, clock: Clock) -> SlotStore:
    if kind == "memory":
        return MemorySlotStore()
    return SharedSlotStore(folder / "s", "acme", "boot", window_seconds=20.0, now=clock.monotonic())


@virtual
async def test_a_cancelled_waiter_lets_the_next_one_ask() -> None:
    """When the first in line gives up, the second is let in as soon as there is a place."""
    clock = virtual_clock()
    gate = Gate(MemorySlotStore(), GateLimits(in_flight=1), clock, holder="pid 1")
    began = clock.monotonic()

    async def impatient() -> None:
        with clock.move_on_after(1.0):
            await one_call(gate)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one_call, gate)
        await clock.sleep(0.1)
        tasks.start_soon(impatient)
        await clock.sleep(0.1)
        async with gate.enter("next", Priority.BACKGROUND, seconds=120.0):
            waited = clock.monotonic() - began

    assert pytest.approx(2.0, abs=0.11) == waited

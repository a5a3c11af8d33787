"""A permit's life: what the book knows of a call that was answered, lost, never sent, refused or read for long."""

from collections.abc import Callable

import pytest

from syncengine.clock import Clock
from syncengine.marketo.call import Priority
from syncengine.transport.book import Book, MemorySlotStore, SlotStore, Spent
from syncengine.transport.gate import KEEP_SECONDS, Gate, Permit
from syncengine.transport.turns import GateLimits
from syncengine.transport.window import LOST_CALL_SECONDS
from tests.virtual import virtual, virtual_clock

BACKGROUND, INTERACTIVE = Priority.BACKGROUND, Priority.INTERACTIVE


def gate_on(store: SlotStore, clock: Clock) -> Gate:
    return Gate(store, GateLimits(), clock, holder="pid 1")


async def permit_for(gate: Gate, act: Callable[[Permit], object]) -> Book:
    """The book after one call, whose permit was told what `act` tells."""
    async with gate.enter("call", BACKGROUND, seconds=120.0) as permit:
        await act(permit)  # type: ignore[misc]  # every act of a permit is a coroutine function
    return await gate._store.transact(lambda book: book)


@virtual
async def test_an_answered_call_gives_its_places_back_in_time() -> None:
    """Flight ends with the exchange, the window's place a window after the headers."""
    clock = virtual_clock()
    gate = gate_on(MemorySlotStore(), clock)

    async def act(permit: Permit) -> None:
        await clock.sleep(1.0)
        await permit.answered()
        await clock.sleep(3.0)

    began = clock.monotonic()
    (slot,) = (await permit_for(gate, act)).slots.values()

    assert pytest.approx((began + 21.0, began + 4.0)) == (slot.window_free_at, slot.flight_free_at)


@virtual
async def test_a_lost_call_holds_its_places_for_the_server() -> None:
    """Without an answer, flight is held 30 s more and the window 50 s more, from the moment of giving up."""
    clock = virtual_clock()
    began = clock.monotonic()
    (slot,) = (await permit_for(gate_on(MemorySlotStore(), clock), lambda _: clock.sleep(5.0))).slots.values()

    assert pytest.approx((began + 5.0 + LOST_CALL_SECONDS, began + 55.0)) == (slot.flight_free_at, slot.window_free_at)


@virtual
async def test_an_unsent_call_leaves_no_trace() -> None:
    """A call that never left gives both places and the booked call back; one that is not billed gives none back."""
    clock = virtual_clock()
    gate = gate_on(MemorySlotStore(), clock)
    book = await permit_for(gate, Permit.unsent)
    await permit_for(gate, Permit.answered)

    assert ({}, {"2026-03-02T08": Spent(0)}) == (book.slots, book.spent)
    async with gate.enter("identity.token", INTERACTIVE, seconds=120.0, billed=False) as permit:
        await permit.unsent()
    assert Spent(1) == (await gate.use()).spent_today


@virtual
async def test_an_answer_that_is_not_billed_frees_the_day_alone() -> None:
    """A refusal that Marketo does not bill comes off the ledger, and its place is held all the same."""
    gate = gate_on(MemorySlotStore(), virtual_clock())

    async def act(permit: Permit) -> None:
        await permit.answered()
        await permit.free()

    book = await permit_for(gate, act)

    assert (1, {"2026-03-02T08": Spent(0)}) == (len(book.slots), book.spent)


@virtual
async def test_a_long_download_stays_in_flight() -> None:
    """A body that streams for ten minutes with pauses of a minute keeps its place until its end, and not after."""
    clock = virtual_clock()
    gate = gate_on(MemorySlotStore(), clock)
    seen = set()
    async with gate.enter("file", BACKGROUND, seconds=120.0) as permit:
        await permit.answered()
        for _ in range(10):
            await clock.sleep(KEEP_SECONDS - 0.1)
            await permit.keep()
            await clock.sleep(60.0)
            seen.add((await gate.use()).in_flight)
            await permit.keep()
    seen_after = (await gate.use()).in_flight

    assert ({1}, 0) == (seen, seen_after)


@virtual
async def test_a_dead_process_gives_its_places_back_to_others() -> None:
    """Calls of a process that died count until their worst case and then no longer; nobody has to clean up."""
    clock = virtual_clock()
    store = MemorySlotStore()
    dead, alive = gate_on(store, clock), gate_on(store, clock)
    for _ in range(10):
        await dead._wait_for_turn("call", BACKGROUND, 120.0, billed=True)
    began = clock.monotonic()
    async with alive.enter("call", BACKGROUND, seconds=120.0):
        assert pytest.approx(began + 150.0, abs=0.2) == clock.monotonic()


@virtual
async def test_refusals_cut_and_close() -> None:
    """606 closes the gate for a window and cuts the rate; 615 cuts the flights and closes nothing."""
    clock = virtual_clock()
    gate = gate_on(MemorySlotStore(), clock)
    await permit_for(gate, lambda permit: permit.refused("flight"))
    flight = (await gate.use()).flight_limit
    began = clock.monotonic()
    await permit_for(gate, lambda permit: permit.refused("window"))
    window = (await gate.use()).window_limit
    await permit_for(gate, Permit.answered)

    assert (7, 70) == (flight, window)
    assert pytest.approx(began + 20.0) == clock.monotonic()


@virtual
async def test_a_pause_ends_with_its_reset() -> None:
    """A pause of exports is seen until the reset and not after, and calls are not touched by it."""
    clock = virtual_clock()
    gate = gate_on(MemorySlotStore(), clock)
    until = await gate.pause("export")

    assert (until, None) == (await gate.paused("export"), await gate.paused("calls"))
    await permit_for(gate, Permit.answered)
    await clock.sleep((until - clock.now()).total_seconds())
    assert await gate.paused("export") is None

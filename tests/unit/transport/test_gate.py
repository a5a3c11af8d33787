"""The one door in virtual time: limits kept by several gates on one book, order, quotas and turns."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from syncengine.clock import Clock
from syncengine.errors import QuotaExhausted
from syncengine.marketo.call import Priority
from syncengine.transport.book import MemorySlotStore, SlotStore, Spent
from syncengine.transport.gate import Gate
from syncengine.transport.shared_slots import SharedSlotStore
from syncengine.transport.turns import GateLimits
from tests.virtual import virtual, virtual_clock

BACKGROUND, INTERACTIVE = Priority.BACKGROUND, Priority.INTERACTIVE


class Stamps:
    """What a server would count."""

    def __init__(self, clock: Clock) -> None:
        self.at: list[float] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._clock = clock

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.at.append(self._clock.monotonic())
        yield
        self.in_flight -= 1

    def largest_window(self) -> int:
        return max(sum(at - 20.0 + 1e-6 < other <= at for other in self.at) for at in self.at)


Opening = Callable[[Clock], list[SlotStore]]


@pytest.fixture(params=["memory", "sqlite"])
def three_stores(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    """Three ways into one book, as three processes would have them."""

    def in_memory(_: Clock) -> list[SlotStore]:
        return [MemorySlotStore()] * 3

    def on_disk(clock: Clock) -> list[SlotStore]:
        path = tmp_path / "slots.db"
        return [SharedSlotStore(path, "acme", "boot", window_seconds=20.0, now=clock.monotonic()) for _ in range(3)]

    return in_memory if request.param == "memory" else on_disk


def gate_on(store: SlotStore, clock: Clock, **limits: float) -> Gate:
    return Gate(store, GateLimits(**limits), clock, holder="pid 1")  # type: ignore[arg-type]  # whole numbers are floats


async def one_call(gate: Gate, stamps: Stamps, seconds: float, priority: Priority = BACKGROUND) -> None:
    async with gate.enter("call", priority, seconds=120.0) as permit:
        async with stamps.call():
            await gate.clock.sleep(seconds)
        await permit.answered()


@virtual
async def test_three_gates_on_one_book_keep_the_limits(three_stores: Opening) -> None:
    """Three processes that all want to call at once keep 100 in 20 s and 10 in flight together, and share fairly."""
    clock = virtual_clock()
    stamps, stores = Stamps(clock), three_stores(clock)
    done = [0, 0, 0]

    async def work(number: int, gate: Gate, seconds: float) -> None:
        await one_call(gate, stamps, seconds)
        if clock.monotonic() - began < 45.0:
            done[number] += 1

    began = clock.monotonic()
    async with anyio.create_task_group() as tasks:
        for number, store in enumerate(stores):
            gate = Gate(store, GateLimits(), clock, holder=f"pid {number}")
            for turn in range(110):
                tasks.start_soon(work, number, gate, 0.02 + 0.38 * ((turn * 7) % 11) / 10)

    assert (100, 330) == (stamps.largest_window(), len(stamps.at))
    assert stamps.most_in_flight <= 10
    assert stamps.at[-1] - began <= 3 * 20.4 + 6.0
    assert min(done) >= 0.2 * sum(done)
    for store in set(stores):
        await store.close()


@virtual
async def test_ten_slow_calls_are_in_flight_and_no_eleventh() -> None:
    """With calls that take five seconds each, the flight is full and the eleventh waits for an end."""
    clock = virtual_clock()
    gate, stamps = gate_on(MemorySlotStore(), clock), Stamps(clock)
    began = clock.monotonic()
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(one_call, gate, stamps, 5.0)

    assert 10 == stamps.most_in_flight
    assert pytest.approx(5.0) == stamps.at[10] - began


@virtual
async def test_an_ad_hoc_call_passes_the_line() -> None:
    """When a night's work fills the line, an interactive call gets the very next place; and the line goes on."""
    clock = virtual_clock()
    gate, stamps = gate_on(MemorySlotStore(), clock, in_flight=1), Stamps(clock)
    order: list[str] = []

    async def call(name: str, priority: Priority) -> None:
        async with gate.enter(name, priority, seconds=120.0) as permit:
            order.append(name)
            await clock.sleep(1.0)
            await permit.answered()

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(call, f"night {number}", BACKGROUND)
        await clock.sleep(1.5)
        tasks.start_soon(call, "ad hoc", INTERACTIVE)

    assert ["night 0", "night 1", "ad hoc", "night 2", "night 3", "night 4"] == order
    assert [] == stamps.at


@virtual
async def test_no_stream_of_ad_hoc_calls_starves_the_night() -> None:
    """Under endless interactive load a background call is let in once it has waited a window longer."""
    clock = virtual_clock()
    gate, stamps = gate_on(MemorySlotStore(), clock, in_flight=1), Stamps(clock)
    began = clock.monotonic()

    async def endless() -> None:
        while True:
            await one_call(gate, stamps, 1.0, INTERACTIVE)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(endless)
        await clock.sleep(0.1)
        async with gate.enter("night", BACKGROUND, seconds=120.0):
            waited = clock.monotonic() - began
        tasks.cancel_scope.cancel()

    assert 15.0 <= waited <= 26.0


@virtual
async def test_a_spent_day_ends_all_who_wait() -> None:
    """When the last call of the day is booked, everybody in line learns when to go on, and no waiter stays behind."""
    clock = virtual_clock()
    store = MemorySlotStore()
    gate, stamps = gate_on(store, clock, calls_per_day=3, in_flight=1), Stamps(clock)
    resume_at = []

    async def call() -> None:
        try:
            await one_call(gate, stamps, 1.0)
        except QuotaExhausted as error:
            resume_at.append(f"{error.resume_at:%dT%H:%M}")

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(call)

    assert (3, ["03T06:00"] * 2) == (len(stamps.at), resume_at)
    assert ({}, []) == (store.book.waiters, gate._line)


@virtual
async def test_polls_keep_their_distance() -> None:
    """Five pollers of one kind poll a minute apart, whoever they are."""
    clock = virtual_clock()
    store = MemorySlotStore()
    polls: list[float] = []

    async def poll(gate: Gate) -> None:
        await gate.poll_turn("leads", 60.0)
        polls.append(clock.monotonic() - began)

    began = clock.monotonic()
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(poll, gate_on(store, clock))

    assert pytest.approx([0.0, 60.0, 120.0, 180.0, 240.0]) == polls


@virtual
async def test_use_tells_who_holds_what() -> None:
    """The present use names calls in flight by process, and both sums."""
    clock = virtual_clock()
    store = MemorySlotStore()
    gate, other = gate_on(store, clock), Gate(store, GateLimits(), clock, holder="pid 2")
    await gate.book_export(1_000)
    async with gate.enter("a", BACKGROUND, seconds=120.0), other.enter("b", BACKGROUND, seconds=120.0) as permit:
        await permit.answered()
        use = await gate.use()

    assert ({"pid 1": 1, "pid 2": 1}, 2, 2) == (use.holders, use.in_flight, use.in_window)
    assert Spent(2, 1_000) == use.spent_today


@pytest.mark.parametrize("counted", [0, 2, 3, 500])
@virtual
async def test_the_ledger_knows_no_less_than_marketo_has_counted(counted: int) -> None:
    """What others have used is added once, however often it is told; what Marketo has yet to count stays booked."""
    clock = virtual_clock()
    gate, stamps = gate_on(MemorySlotStore(), clock), Stamps(clock)
    for _ in range(3):
        await one_call(gate, stamps, 0.1)
    for _ in range(2):
        await gate.reconcile(counted)
    assert max(3, counted) == (await gate.use()).spent_today.calls


@virtual
async def test_calls_of_others_end_the_day_for_us_too() -> None:
    """A day that they have used up is over before Marketo has to say so."""
    clock = virtual_clock()
    gate, stamps = gate_on(MemorySlotStore(), clock, calls_per_day=1_000, reserve_calls=100), Stamps(clock)
    await gate.reconcile(899)
    await one_call(gate, stamps, 0.1)
    with pytest.raises(QuotaExhausted):
        await one_call(gate, stamps, 0.1)
    # A new day begins with a count of its own.
    await clock.sleep(22 * 3_600.0 + 60.0)
    await gate.reconcile(10)
    assert 10 == (await gate.use()).spent_today.calls


@virtual
async def test_gates_of_one_process_do_not_take_each_others_place_in_line() -> None:
    """A process has one gate for each of its flows, all by one name: their waiting calls stand in the book apart."""
    clock = virtual_clock()
    store = MemorySlotStore()
    one, other = gate_on(store, clock, in_flight=1), gate_on(store, clock, in_flight=1)
    order: list[str] = []
    # Both have made as many calls before: by the number of the call alone they would be one.
    await one_call(other, Stamps(clock), 0.1)

    async def call(gate: Gate, name: str, priority: Priority) -> None:
        async with gate.enter(name, priority, seconds=120.0) as permit:
            order.append(name)
            await clock.sleep(1.0)
            await permit.answered()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, one, "first", BACKGROUND)
        await clock.sleep(0.1)
        tasks.start_soon(call, one, "night", BACKGROUND)
        await clock.sleep(0.1)
        tasks.start_soon(call, other, "ad hoc", INTERACTIVE)
        await clock.sleep(0.2)
        assert 2 == len(store.book.waiters)
        assert {"pid 1"} == {each.holder for each in store.book.waiters.values()}
    assert ["first", "ad hoc", "night"] == order


@virtual
async def test_what_is_patient_lets_the_night_pass() -> None:
    """It goes last of those who have waited alike, and first when it has waited a window longer."""
    clock = virtual_clock()
    gate, order = gate_on(MemorySlotStore(), clock, in_flight=1), list[str]()

    async def call(name: str, priority: Priority, seconds: float) -> None:
        async with gate.enter(name, priority, seconds=120.0) as permit:
            order.append(name)
            await clock.sleep(seconds)
            await permit.answered()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call, "long", BACKGROUND, 22.0)
        await clock.sleep(0.1)
        tasks.start_soon(call, "patient", Priority.PATIENT, 1.0)
        await clock.sleep(19.0)
        tasks.start_soon(call, "night", BACKGROUND, 1.0)
        await clock.sleep(2.0)
        tasks.start_soon(call, "late night", BACKGROUND, 1.0)
    assert ["long", "night", "patient", "late night"] == order

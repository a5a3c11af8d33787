"""A call and the clocks: a fast one beside real time, one that jumped while nothing ran, and Marketo's own."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from syncengine.clock import REAL_TIMEOUT_SECONDS_MIN, Clock, ScaledClock
from syncengine.errors import QuotaExhausted
from syncengine.transport.book import Book, MemorySlotStore
from syncengine.transport.client import HEADERS_SECONDS, Client
from syncengine.transport.gate import Gate
from syncengine.transport.turns import GateLimits
from syncengine.transport.wire import WireRequest
from tests.scripted import JSON, Answer, ScriptedWire, client_over, identity_call, read_call, refused, rows
from tests.virtual import ORIGIN, virtual, virtual_clock

T = TypeVar("T")


@virtual
async def test_on_a_fast_clock_an_answer_has_real_seconds_to_come() -> None:
    """Sixty times fast, two minutes would be two real seconds: a peer has five, in the call and in its slot alike."""
    scale, loop = 60.0, asyncio.get_running_loop()
    clock = ScaledClock(scale, ORIGIN, loop.time)
    told = client_over(clock, replace(rows({"id": 1}), header_seconds=HEADERS_SECONDS + 60.0))
    began = loop.time()

    assert ({"id": 1},) == await told.client.send(read_call())
    assert (HEADERS_SECONDS + 60.0) / scale < loop.time() - began < REAL_TIMEOUT_SECONDS_MIN
    (slot,) = [each for each in told.store.book.slots.values() if each.name == "leads.read"]
    assert pytest.approx(REAL_TIMEOUT_SECONDS_MIN * scale) == slot.deadline - slot.sent_at


class Suspended(MemorySlotStore):
    """A book whose process is stopped for so many seconds, once, right after a call has been let in."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.stopped_seconds = 0.0

    async def transact(self, change: Callable[[Book], T]) -> T:
        result = await super().transact(change)
        seconds, self.stopped_seconds = self.stopped_seconds, 0.0
        await self.clock.sleep(seconds)
        return result


@virtual
@pytest.mark.parametrize(("stopped", "is_late"), [(HEADERS_SECONDS - 1.0, False), (HEADERS_SECONDS + 1.0, True)])
async def test_a_call_whose_place_has_run_out_stands_in_line_again(stopped: float, is_late: bool) -> None:
    """Suspended on the way out, a process finds its places given away: it takes new ones, and pays for one call."""
    clock = virtual_clock()
    store, places = Suspended(clock), list[tuple[float, float]]()

    def answer(_: WireRequest) -> Answer:
        places.extend((slot.sent_at, slot.deadline) for slot in store.book.slots.values() if slot.name == "leads.read")
        return rows({"id": 1})

    client = Client(ScriptedWire(clock, answer), Gate(store, GateLimits(), clock, holder="pid 1"), clock, identity_call)
    await client.tokens.current()
    began, store.stopped_seconds = clock.monotonic(), stopped
    assert ({"id": 1},) == await client.send(read_call())

    ((sent_at, _),) = places
    assert pytest.approx(began + stopped if is_late else began) == sent_at
    assert 1 == (await client.gate.use()).spent_today.calls


@virtual
async def test_the_day_ends_by_marketos_clock() -> None:
    """Ours stands before the reset and Marketo's behind it: its quota comes back a day later than ours would say."""
    before_reset, after_reset = datetime(2026, 3, 2, 5, 30, tzinfo=UTC), "Mon, 02 Mar 2026 06:30:00 GMT"
    used_up = refused("607", headers={**JSON, "Date": after_reset})
    told = client_over(virtual_clock(before_reset), used_up)
    with pytest.raises(QuotaExhausted) as caught:
        await told.client.send(read_call())
    assert datetime(2026, 3, 3, 6, tzinfo=UTC) == caught.value.resume_at

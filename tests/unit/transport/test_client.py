"""A call's way: token, place, request, answer, and again; told in virtual time over a scripted wire."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import orjson
import pytest

from syncengine.errors import OutcomeUnknown, SyncEngineError, TooLarge, Unavailable
from syncengine.marketo.call import Call
from syncengine.marketo.limits import BODY_BYTES_MAX, URI_BYTES_MAX
from syncengine.observe.events import CallAnswered, CallSent, Refused, TokenRefreshed
from syncengine.transport.book import Book, MemorySlotStore
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.retry import Patience
from syncengine.transport.turns import GateLimits
from syncengine.transport.window import LOST_CALL_SECONDS
from syncengine.transport.wire import WireError, WireRequest
from tests.conftest import cancelled_at
from tests.scripted import (
    SECRET,
    TOKEN,
    Answer,
    ScriptedAnswer,
    ScriptedWire,
    Told,
    client_over,
    identity_call,
    import_call,
    read_call,
    refused,
    rows,
)
from tests.virtual import virtual, virtual_clock

T = TypeVar("T")
DOWN = Answer(503, b"<html>down</html>", {"Content-Type": "text/html"})
UNSENT, LOST = WireError("no connection", sent=False), WireError("the connection broke", sent=True)


async def seconds_of(told: Told, call: Call[Any]) -> float:
    """How long a call takes that is tried until it is answered."""
    began = told.clock.monotonic()
    assert ({"id": 1},) == await told.client.send(call)
    return told.clock.monotonic() - began


async def error_of(told: Told, call: Call[Any]) -> SyncEngineError:
    """How a call ends; neither the error nor an event shows a secret."""
    with pytest.raises(SyncEngineError) as caught:
        await told.client.send(call)
    shown = f"{caught.value!r} {caught.value.advice} {told.events}"
    assert [] == [canary for canary in (SECRET, TOKEN) if canary in shown]
    return caught.value


@virtual
async def test_a_call_gives_its_decoded_result() -> None:
    """The secret travels in a form, the token in the header alone, and each exchange is told as it begins and ends."""
    asked = []

    def identify(request: WireRequest) -> Answer:
        asked.append((request.method, request.target, *request.headers.values()))
        assert SECRET == dict(parse_qsl((request.body or b"").decode()))["client_secret"]
        return told.wire.issuer.answer()

    told = client_over(virtual_clock(), replace(rows({"id": 1}), header_seconds=3.0), identity=identify)
    assert ({"id": 1},) == await told.client.send(read_call(query={"a": "b c"}))

    assert [("POST", "/identity/oauth/token", "application/x-www-form-urlencoded")] == asked
    expected = WireRequest("GET", "/rest/v1/leads.json?a=b+c", {"Authorization": f"Bearer {TOKEN}-1"})
    assert ([expected], 2) == (told.wire.requests, told.client.calls_sent)
    assert [CallSent("identity.token"), CallSent("leads.read")] == told.told(CallSent)
    assert [("identity.token", 200), ("leads.read", 200)] == [(e.name, e.status) for e in told.told(CallAnswered)]
    assert [TokenRefreshed(3_600)] == told.told(TokenRefreshed)
    # Identity's own call is on no bill; a token is not used for so long before its end as a slow call takes twice.
    assert 1 == (await told.client.gate.use()).spent_today.calls
    assert pytest.approx(2 * 3.0) == told.client.tokens.transit_seconds


@virtual
async def test_failures_are_tried_again_after_growing_waits() -> None:
    """Each wait is drawn from nought to a doubling bound, told, and really waited; what may have arrived is billed."""
    told = client_over(virtual_clock(), DOWN, UNSENT, LOST, DOWN, rows({"id": 1}))
    await told.client.tokens.current()
    seconds = await seconds_of(told, read_call())
    waits = [event.wait_seconds for event in told.told(Refused)]

    assert ["503", "NET_PRE", "NET_POST", "503"] == [event.code for event in told.told(Refused)]
    assert all(0.0 <= wait <= bound for wait, bound in zip(waits, (1.0, 2.0, 4.0, 8.0), strict=True))
    assert pytest.approx(sum(waits) + 0.3) == seconds
    assert 4 == (await told.client.gate.use()).spent_today.calls


@virtual
async def test_failures_end_with_the_patience() -> None:
    """The fifth failure is the last, or the one that the caller names, and says how often it was tried."""
    told = client_over(virtual_clock(), DOWN)
    error = await error_of(told, read_call())
    with pytest.raises(Unavailable):
        await told.client.send(read_call(), patience=Patience(tries=2))

    assert 5 + 2 == len(told.wire.requests)
    assert isinstance(error, Unavailable)
    assert ("503", "leads.read", True) == (error.code, error.call, "failed after 5 tries" in error.message)


@virtual
async def test_waiting_in_a_queue_is_no_failure() -> None:
    """Hours of a full queue, and a new token, leave a call all its tries; in time they are bounded."""
    full = refused("1029", "Too many jobs (10) in queue")

    def taken_back(request: WireRequest) -> Answer:
        told.wire.issuer.dies_at = told.clock.monotonic()
        return refused("602")

    told = client_over(virtual_clock(), taken_back, *[full] * 40, *[DOWN] * 4, rows({"id": 1}))
    assert 40 * 30.0 <= await seconds_of(told, read_call()) <= 40 * 240.0 + 60.0

    told = client_over(virtual_clock(), full, patience=Patience(wait_seconds=3_600.0))
    began = told.clock.monotonic()
    assert isinstance(await error_of(told, read_call()), Unavailable)
    assert 3_600.0 <= told.clock.monotonic() - began <= 3_600.0 + 241.0


@virtual
async def test_many_refused_calls_cost_one_identity_call() -> None:
    """Twenty calls hear one after the other that the token was taken back: one asks, and each gets its own answer."""

    def echo(request: WireRequest) -> Answer:
        answer = told.wire.issuer.judge(request) or rows(request.target)
        return replace(answer, header_seconds=0.1 * int(request.target[1:]))

    told = client_over(virtual_clock(), echo)
    await told.client.tokens.current()
    told.wire.issuer.dies_at = told.clock.monotonic()
    told.wire.issuer.answer()
    asked = len(told.wire.issuer.asked)
    answers = await asyncio.gather(*(told.client.send(read_call(path=f"/{n}")) for n in range(20)))

    assert ([(f"/{n}",) for n in range(20)], 1) == (answers, len(told.wire.issuer.asked) - asked)
    assert {"601"} == {event.code for event in told.told(Refused)}


PAGES = {"": ([1, 2], "a"), "a": ([3], "b"), "b": ([4, 5], "c"), "c": ([], "d"), "d": ([6], None)}


@pytest.mark.parametrize("kth", range(1, 6))
@virtual
async def test_a_token_that_dies_between_pages_keeps_the_position(kth: int) -> None:
    """At whichever page it dies, that page alone is asked again, and no row is lost or doubled."""
    asked = []

    def page(request: WireRequest) -> Answer:
        asked.append(dict(parse_qsl(request.target.partition("?")[2])).get("nextPageToken", ""))
        if len(asked) == kth:
            told.wire.issuer.dies_at = told.clock.monotonic()
        numbers, following = PAGES[asked[-1]]
        return told.wire.issuer.judge(request) or rows(*numbers, nextPageToken=following)

    told, got = client_over(virtual_clock(), page), list[int]()
    token: str | None = ""
    while token is not None:
        query = {"nextPageToken": token} if token else {}
        reply = await told.client.send(Call("leads.read", "GET", "/rest/v1/leads.json", lambda reply: reply, query))
        got, token = [*got, *reply.result], reply.next_page_token
    pages = list(PAGES)

    assert ([1, 2, 3, 4, 5, 6], pages[:kth] + pages[kth - 1 :]) == (got, asked)
    assert 2 == told.wire.issuer.issued


@virtual
async def test_a_call_that_waited_for_its_place_does_not_leave_with_a_dead_token() -> None:
    """A token that dies while the call stands in line is replaced before the call is sent, and costs nothing."""

    def judged(request: WireRequest) -> Answer:
        return told.wire.issuer.judge(request) or rows({"id": 1})

    told = client_over(virtual_clock(), judged, life=50.0, limits=GateLimits(calls_per_window=2))
    await told.client.tokens.current()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(told.client.send(read_call()))

    assert ([], 8, True) == (told.told(Refused), len(told.wire.requests), told.wire.issuer.issued >= 2)
    assert 8 == (await told.client.gate.use()).spent_today.calls


@pytest.mark.parametrize("size", [URI_BYTES_MAX, URI_BYTES_MAX + 1])
@virtual
async def test_a_query_too_long_for_a_uri_travels_as_a_form(size: int) -> None:
    """Up to 8 KB it is a GET; one byte more makes it a POST that says it is one, with the same query in its body."""
    query = {"filterType": "email", "filterValues": "é,&="}
    query["fields"] = "x" * (size - len("/rest/v1/leads.json?&fields=") - len(urlencode(query)))
    told = client_over(virtual_clock(), rows())
    await told.client.send(read_call(query=query))
    (request,) = told.wire.requests
    target, _, sent = request.target.partition("?")

    if size <= URI_BYTES_MAX:
        assert ("GET", size, None, query) == (request.method, len(request.target), request.body, dict(parse_qsl(sent)))
    else:
        assert ("POST", "/rest/v1/leads.json", "_method=GET") == (request.method, target, sent)
        assert query == dict(parse_qsl((request.body or b"").decode()))
        assert "application/x-www-form-urlencoded" == request.headers["Content-Type"]


@pytest.mark.parametrize(("before", "retries"), [(0, 10), (169, 20)])
@virtual
async def test_an_instance_in_trouble_is_not_asked_for_more(before: int, retries: int) -> None:
    """Of thirty calls at once that all fail, ten are tried again, or a tenth of all calls of late (identity's too)."""
    told = client_over(virtual_clock(), *[rows()] * before, DOWN)
    await asyncio.gather(*(told.client.send(read_call()) for _ in range(before)))
    ended = await asyncio.gather(*(told.client.send(read_call()) for _ in range(30)), return_exceptions=True)
    assert {Unavailable} == {type(each) for each in ended}
    assert before + 30 + retries == len(told.wire.requests)


@virtual
async def test_a_body_that_is_too_large_takes_no_place() -> None:
    """A megabyte is sent; one byte more is refused here, before the gate, and leaves no trace in the book."""
    told = client_over(virtual_clock(), rows())
    empty = len(orjson.dumps({"a": ""}))
    await told.client.send(replace(import_call(), json={"a": "x" * (BODY_BYTES_MAX - empty)}))
    before = told.store.book
    error = await error_of(told, replace(import_call(), json={"a": "x" * (BODY_BYTES_MAX - empty + 1)}))

    assert (1, BODY_BYTES_MAX) == (len(told.wire.requests), len(told.wire.requests[0].body or b""))
    assert (True, before) == (isinstance(error, TooLarge), told.store.book)


@virtual
async def test_headers_that_never_come_are_given_up() -> None:
    """After two minutes the answer counts as lost, and the book keeps its place for a server that still works."""
    told = client_over(virtual_clock(), replace(rows(), header_seconds=500.0))
    await told.client.tokens.current()
    began = told.clock.monotonic()
    assert isinstance(await error_of(told, import_call()), OutcomeUnknown)
    (slot,) = [each for each in told.store.book.slots.values() if each.name == "leads.import"]
    assert pytest.approx(120.0) == told.clock.monotonic() - began
    assert pytest.approx(told.clock.monotonic() + LOST_CALL_SECONDS) == slot.flight_free_at


class SlowStore(MemorySlotStore):
    """A book whose caller is suspended after each transaction, which was carried out by then."""

    async def transact(self, change: Callable[[Book], T]) -> T:
        result = await super().transact(change)
        await asyncio.sleep(0)
        return result


class SlowWire(ScriptedWire):
    """A wire that is suspended while it hangs up, too."""

    held = 0

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator[ScriptedAnswer]:
        async with super().send(request) as answer:
            self.held += 1
            try:
                yield answer
            finally:
                await asyncio.sleep(0)
                self.held -= 1


@pytest.mark.parametrize("way", ["scope", "task"])
@virtual
async def test_a_call_cancelled_at_any_await_leaves_nothing_open(way: str) -> None:
    """Refreshing, in line, sent, reading, waiting to try again: wherever it ends, the book is in order and goes on."""
    clock = virtual_clock()

    def taken_back(request: WireRequest) -> Answer:
        wire.issuer.dies_at = clock.monotonic()
        return refused("602")

    for nth in count(1):
        store, steps = SlowStore(), (taken_back, DOWN, refused("606"), refused("615"), rows({"id": 1}))
        wire = SlowWire(clock, *steps)
        client = Client(wire, Gate(store, GateLimits(), clock, holder="pid 1"), clock, identity_call)
        was_under_way = await cancelled_at(client.send(read_call()), nth, way)
        assert (0, {}, []) == (wire.open, store.book.waiters, client.gate._line), nth
        assert 0 == wire.held or way == "task", nth
        assert None not in {slot.flight_free_at for slot in store.book.slots.values()}, nth
        # The refusal that carried the dead token is free; whatever else was sent is on the day's bill.
        assert (await client.gate.use()).spent_today.calls in {len(wire.requests), len(wire.requests) - 1}, nth
        assert ({"id": 1},) == await client.send(read_call()), nth
        if not was_under_way:
            break

    assert 50 <= nth

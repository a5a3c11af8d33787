"""Calls with an upload, and calls to a second host: how they travel, and what their failures mean."""

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import pytest

from syncengine.errors import CallRejected, OutcomeUnknown, QuotaExhausted, SyncEngineError, TooLarge, Unavailable
from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import ingestion
from syncengine.marketo.limits import BODY_BYTES_MAX, IMPORT_FILE_BYTES_MAX
from syncengine.transport.client import HEADERS_SECONDS, UPLOAD_SECONDS
from syncengine.transport.ingestion import ingestion_gate
from syncengine.transport.retry import Patience
from syncengine.transport.upload import PIECE_BYTES
from syncengine.transport.wire import WireError, WireRequest
from tests.scripted import TOKEN, Answer, ScriptedWire, Told, client_over, import_call, refused, rows
from tests.unit.transport.test_upload import Source
from tests.virtual import virtual, virtual_clock

FILE = [b"x" * PIECE_BYTES] * 4
FORM = "multipart/form-data; boundary=x"
CUT = WireError("the connection broke", sent=False, begun=True)
LOST = WireError("the connection broke", sent=True)
AGAIN = [*(refused(code) for code in ("601", "602", "606", "608", "615", "1016", "1019", "1029")), CUT]
BAD_GATEWAY = Answer(502, b"<html>", {"Content-Type": "text/html"})


class ReadingWire(ScriptedWire):
    """A scripted wire whose server reads so many pieces of an upload, then does as its script says."""

    reads: int | None = None

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.bodies: list[bytes] = []

    @asynccontextmanager
    async def send(self, request: WireRequest) -> Any:
        if request.upload is not None:
            body, left = b"", self.reads
            async for piece in request.upload.pieces():
                if left == 0:
                    break
                body, left = body + piece, left and left - 1
            self.bodies.append(body)
        async with super().send(request) as answer:
            yield answer


def told_over(*steps: Any, reads: int | None = None, **options: Any) -> Told:
    told = client_over(virtual_clock(), *steps, **options)
    wire = ReadingWire(told.clock, *steps)
    wire.reads = reads
    told.client._wire = told.wire = wire
    return told


def upload_call(source: Source | None = None) -> Call[Any]:
    return replace(import_call(), json=None, upload=source or Source(FILE, content_type=FORM))


async def error_of(told: Told, call: Call[Any], **options: Any) -> SyncEngineError:
    with pytest.raises(SyncEngineError) as caught:
        await told.client.send(call, **options)
    return caught.value


@virtual
async def test_an_upload_travels_with_its_type_and_token() -> None:
    """The body is the upload's, the headers say what it is."""
    told = told_over(rows({"batchId": 7}))
    assert ({"batchId": 7},) == await told.client.send(upload_call())

    (request,) = told.wire.requests
    assert {"Content-Type": FORM, "Authorization": f"Bearer {TOKEN}-1"} == request.headers
    assert (None, [b"".join(FILE)]) == (request.body, told.wire.bodies)  # type: ignore[attr-defined]


@virtual
@pytest.mark.parametrize("first", AGAIN)
async def test_a_refused_upload_is_sent_again_from_its_beginning(first: Any) -> None:
    """Tokens, limits, queues and broken sending: the whole body goes out once more, read anew."""
    source = Source(FILE)
    told = told_over(first, rows({"batchId": 7}))
    assert ({"batchId": 7},) == await told.client.send(upload_call(source))

    assert [b"".join(FILE)] * 2 == told.wire.bodies  # type: ignore[attr-defined]
    assert (2, 2) == (source.opened, source.closed)


@virtual
@pytest.mark.parametrize("answer", [LOST, BAD_GATEWAY, refused("611"), Answer(200)])
async def test_an_upload_whose_answer_is_lost_is_not_sent_again(answer: Any) -> None:
    """The whole body was there: it may have been accepted."""
    told = told_over(answer)

    assert OutcomeUnknown is type(await error_of(told, upload_call()))
    assert 1 == len(told.wire.requests)


@virtual
@pytest.mark.parametrize("answer", [BAD_GATEWAY, refused("611"), Answer(503), refused("500")])
async def test_an_answer_before_the_whole_body_leaves_nothing_open(answer: Any) -> None:
    """Who answers while most of the file is still here cannot have accepted it."""
    told = told_over(answer, answer, rows({"batchId": 7}), reads=1)

    assert ({"batchId": 7},) == await told.client.send(upload_call())
    assert 3 == len(told.wire.requests)


@virtual
async def test_what_an_early_answer_proved_does_not_hold_for_the_next_try() -> None:
    """Refused before the whole was there, then sent whole and lost: the second time may have been accepted."""
    told = told_over(refused("606"), LOST, reads=1)

    assert OutcomeUnknown is type(await error_of(told, upload_call()))
    assert 2 == len(told.wire.requests)


class StuckWire(ReadingWire):
    """A server that takes one piece of its first body and then nothing more, without hanging up."""

    @asynccontextmanager
    async def send(self, request: WireRequest) -> Any:
        if request.upload is not None and not self.bodies:
            pieces = request.upload.pieces()
            self.bodies.append(await anext(pieces))
            try:
                await self._clock.sleep(10 * UPLOAD_SECONDS)
            finally:
                await pieces.aclose()
        async with super().send(request) as answer:
            yield answer


@virtual
async def test_a_body_that_is_still_here_when_time_is_up_was_not_accepted() -> None:
    """The time allowed ends while most of the file has not left: it is sent again."""
    told = told_over(rows({"batchId": 7}))
    told.client._wire = wire = StuckWire(told.clock, rows({"batchId": 7}))
    began = told.clock.monotonic()

    assert ({"batchId": 7},) == await told.client.send(upload_call())
    assert [PIECE_BYTES, 4 * PIECE_BYTES] == [len(body) for body in wire.bodies]
    assert UPLOAD_SECONDS < told.clock.monotonic() - began < UPLOAD_SECONDS + 10.0


@virtual
async def test_a_slow_upload_says_nothing_about_the_way_of_a_token() -> None:
    """The minutes that a large body takes do not make other calls wait for a new token earlier."""
    told = told_over(replace(rows({"batchId": 7}), header_seconds=100.0))
    before = told.client.tokens.transit_seconds
    await told.client.send(upload_call())
    assert before == told.client.tokens.transit_seconds
    await told.client.send(import_call())
    assert before < told.client.tokens.transit_seconds


@virtual
async def test_a_file_that_marketo_finds_too_large_is_told() -> None:
    """413 is for the caller to split, early or late."""
    for reads in (None, 0):
        told = told_over(Answer(413, b"", {}), reads=reads)
        assert (TooLarge, 1) == (type(await error_of(told, upload_call())), len(told.wire.requests))


@virtual
async def test_uploads_have_a_limit_of_their_own() -> None:
    """Ten megabytes go out, one byte more does not; other bodies keep their one."""
    for size, fits in ((BODY_BYTES_MAX + 1, True), (IMPORT_FILE_BYTES_MAX, True), (IMPORT_FILE_BYTES_MAX + 1, False)):
        told = told_over(rows({"batchId": 7}))
        call = upload_call(Source([bytes(size)]))
        if fits:
            await told.client.send(call)
        else:
            assert TooLarge is type(await error_of(told, call))
        assert [int(fits)] * 2 == [len(told.wire.requests), told.client.calls["leads.import"]]


@virtual
async def test_a_queue_that_is_full_is_told_at_once_where_that_is_wanted() -> None:
    """The worker has other batches to watch."""
    told = told_over(refused("1016", "Too many imports queued"))
    error = await error_of(told, upload_call(), patience=Patience(queue_seconds=0.0))

    assert isinstance(error, Unavailable)
    assert ("1016", 1) == (error.code, len(told.wire.requests))


@virtual
@pytest.mark.parametrize(("call", "seconds"), [(import_call(), HEADERS_SECONDS), (upload_call(), UPLOAD_SECONDS)])
async def test_an_upload_is_given_longer(call: Call[Any], seconds: float) -> None:
    """Headers that come just in time are an answer, later ones are lost."""
    told = told_over(replace(rows({"batchId": 7}), header_seconds=seconds - 1.0))
    await told.client.send(call)
    late = told_over(replace(rows({"batchId": 7}), header_seconds=seconds + 1.0))
    assert OutcomeUnknown is type(await error_of(late, call))


@virtual
async def test_an_upload_holds_its_places_by_signs_of_life() -> None:
    """While it waits for headers its places stay taken; from one that has died they come back as any call's do."""
    told = told_over(replace(rows({"batchId": 7}), header_seconds=UPLOAD_SECONDS - 1.0))
    lasting: list[float] = []

    async def look() -> None:
        while len(lasting) < 19:
            await told.clock.sleep(30.0)
            (slot,) = [each for each in told.store.book.slots.values() if each.name == import_call().name]
            assert told.clock.monotonic() < slot.deadline <= told.clock.monotonic() + HEADERS_SECONDS
            lasting.append(told.clock.monotonic() - slot.sent_at)

    async with anyio.create_task_group() as group:
        group.start_soon(look)
        await told.client.send(upload_call())
    assert 19 == len(lasting)


@virtual
@pytest.mark.parametrize("error", [OSError(5, "disk"), SyncEngineError("the file has changed")])
async def test_what_the_source_raises_is_not_tried_again(error: Exception) -> None:
    """Its own error comes out, once, and the place in flight is given back."""
    told = told_over(rows({"batchId": 7}))
    source = Source([*FILE, error])
    with pytest.raises(type(error)) as caught:
        await told.client.send(upload_call(source))

    assert (error, 1) == (caught.value, source.opened)
    assert [] == [slot for slot in told.store.book.slots.values() if slot.flight_free_at is None]


@virtual
@pytest.mark.parametrize(("error", "held"), [(CUT, True), (WireError("no connection", sent=False), False)])
async def test_a_request_that_was_cut_keeps_its_place_in_the_window(error: WireError, held: bool) -> None:
    """Marketo may have counted it; a request of which nothing left gives its place back."""
    told = told_over(error, patience=Patience(tries=1))
    assert isinstance(await error_of(told, upload_call()), Unavailable)

    assert held == bool([slot for slot in told.store.book.slots.values() if slot.name == "leads.import"])


def ingested() -> Call[str]:
    return ingestion.persons("556-RJS-213", [{"email": "a@example.com"}])


TAKEN = Answer(202, b"", {"X-Request-Id": "r-1"})


def beside(told: Told, *steps: Any) -> Told:
    """A client of the second host, with the first one's tokens."""
    wire = ScriptedWire(told.clock, *steps)
    client = told.client.beside(wire, ingestion_gate(told.clock, holder="pid 1"))
    return Told(told.clock, wire, told.store, client, told.events)


@virtual
async def test_a_second_host_shares_the_tokens_and_no_limit() -> None:
    """One identity call serves both; calls to the second take no place of the first's, and carry the token bare."""
    told = told_over(rows({"batchId": 7}))
    await told.client.send(upload_call())
    before = dict(told.store.book.slots)
    second = beside(told, TAKEN)
    assert ["r-1"] * 200 == [await second.client.send(ingested()) for _ in range(200)]

    assert {"X-Mkto-User-Token": f"{TOKEN}-1", "Content-Type": "application/json"} == second.wire.requests[0].headers
    assert (before, 1) == (told.store.book.slots, len(told.wire.issuer.asked))


@virtual
async def test_a_token_that_the_second_host_refuses_is_replaced_for_both() -> None:
    """The service's own code for a dead token leads to one identity call, and the call goes out again."""
    told = told_over(rows({"batchId": 7}))
    await told.client.send(upload_call())
    dead = Answer(401, b'{"error_code": "401013", "message": "Oauth token is invalid"}')

    def die(request: WireRequest) -> Answer:
        told.wire.issuer.dies_at = told.clock.monotonic()
        return dead

    second = beside(told, die, TAKEN)
    assert "r-1" == await second.client.send(ingested())
    assert [f"{TOKEN}-1", f"{TOKEN}-2"] == [each.headers["X-Mkto-User-Token"] for each in second.wire.requests]
    await told.client.send(upload_call())
    assert f"Bearer {TOKEN}-2" == told.wire.requests[-1].headers["Authorization"]


@virtual
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(200, b'{"requestId": "r", "success": true}'), OutcomeUnknown),
        (Answer(202, b"", {}), OutcomeUnknown),
        (Answer(500, b'{"error_code": "5000801", "message": "Internal Server Error"}'), OutcomeUnknown),
        (Answer(400, b'{"error_code": "4000801", "message": "Bad request"}'), CallRejected),
        (Answer(400, b'{"error_code": "4000802", "message": "Invalid data"}'), TooLarge),
        (Answer(429, b'{"error_code": "4290801", "message": "Daily quota reached"}'), QuotaExhausted),
    ],
)
async def test_the_services_refusals_are_its_own(answer: Answer, error: type[Exception]) -> None:
    """Each ends as what it is, and its quota closes its own gate, not the instance's."""
    told = told_over(rows({"batchId": 7}))
    second = beside(told, answer)

    assert error is type(await error_of(second, ingested()))
    assert {} == told.store.book.pauses

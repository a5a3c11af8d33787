"""What a call ends with: every code of the table, odd bodies, lost answers, limits, quotas, and the server's clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syncengine.errors import (
    CallRejected,
    CredentialsRejected,
    MarketoError,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    QuotaExhausted,
    SyncEngineError,
    TooLarge,
    Unavailable,
    Unsupported,
)
from syncengine.marketo.call import Call, Repeat
from syncengine.marketo.codes import CodeEntry, Verdict, table
from syncengine.marketo.reply import Malformed, Reply
from syncengine.observe.events import CallSent, Refused
from syncengine.transport.retry import Patience
from syncengine.transport.wire import WireError
from tests.scripted import JSON, SECRET, TOKEN, Answer, Step, Told, client_over, import_call, read_call, refused, rows
from tests.virtual import ORIGIN, virtual, virtual_clock

HTML = {"Content-Type": "text/html"}
UNSENT, LOST = WireError("no connection", sent=False), WireError("the connection broke", sent=True)

READ, IMPORT = read_call(), import_call()
CREATE = replace(IMPORT, name="leads.create", repeat=Repeat.CREATES)
every_call = pytest.mark.parametrize("call", [READ, CREATE, IMPORT], ids=lambda call: call.repeat.value)

ENDS: dict[Verdict, type[MarketoError] | None] = {
    Verdict.RETRY: Unavailable,
    Verdict.REFRESH: CredentialsRejected,
    Verdict.PAUSE: QuotaExhausted,
    Verdict.SPLIT: TooLarge,
    Verdict.FALLBACK: Unsupported,
    Verdict.FATAL: CallRejected,
    Verdict.NOOP: None,
}
ENDS_OF_CODES: dict[str, type[MarketoError]] = {
    "401": CredentialsRejected,
    "403": PermissionDenied,
    "603": PermissionDenied,
    "404": NotFound,
    "610": NotFound,
    "1013": NotFound,
}
# A code of each family, and what stands for the codes that are ours.
SAID: dict[str, Step] = {
    "NET_PRE": UNSENT,
    "NET_POST": LOST,
    "2XX_NOT_JSON": Answer(200, b"<html>hello</html>", HTML),
    "206_MISMATCH": Answer(206, b"a,b", {"Content-Type": "text/csv"}),
    "3XX_UNKNOWN": Answer(307, b"", {"Location": "https://elsewhere.example"}),
    "4XX_UNKNOWN": Answer(418, b"I'm a teapot", HTML),
    "5XX_UNKNOWN": Answer(599, b"", HTML),
    "1029a": refused("1029", "Too many jobs (10) in queue"),
    "1029b": refused("1029", "Export daily quota 500MB exceeded"),
    "1029c": refused("1029", "Job already queued"),
    "5xx_UNKNOWN": refused("599"),
    "6xx_UNKNOWN": refused("699"),
    "7xx_UNKNOWN": refused("799"),
    "1xxx_UNKNOWN": refused("1999"),
}


def said(entry: CodeEntry) -> Step:
    """What a server says when it means this line of the table."""
    if entry.level == "record":
        return rows({"id": 1, "status": "skipped", "reasons": [{"code": entry.code, "message": entry.message}]})
    if entry.code in SAID:
        return SAID[entry.code]
    if entry.level == "response":
        return refused(entry.code)
    if len(entry.code) > 3 and entry.code.isdigit():
        return Answer(int(entry.code[:3]), orjson.dumps({"error_code": entry.code, "message": "said"}), JSON)
    return Answer(int(entry.code) if entry.code.isdigit() else 999, b"<html>no</html>", HTML)


def expected_end(entry: CodeEntry, call: Call[Any]) -> type[MarketoError] | None:
    """The error class that the table's line asks for; None is a result."""
    if entry.level == "record":
        return None
    # A part of a file is no answer to a call: it reads as what a gateway may have sent.
    if call.repeat is Repeat.UNSAFE and (entry.unsafe_on_create or entry.code == "206_MISMATCH"):
        return OutcomeUnknown
    return ENDS_OF_CODES.get(entry.code, ENDS[entry.verdict])


async def end_of(told: Told, call: Call[Any]) -> SyncEngineError | None:
    """How a call ends, in time; no slot stays open, and neither the error nor an event shows a secret."""
    error = None
    with told.clock.fail_after(1_000.0):
        try:
            await told.client.send(call)
        except SyncEngineError as caught:
            error = caught
    assert (0, False) == (told.wire.open, None in {slot.flight_free_at for slot in told.store.book.slots.values()})
    shown = f"{error!r} {error.advice if error else ''} {told.events}"
    assert [] == [canary for canary in (SECRET, TOKEN) if canary in shown]
    return error


@every_call
@pytest.mark.parametrize("entry", table().values(), ids=lambda entry: f"{entry.level}-{entry.code}")
@virtual
async def test_every_code_ends_every_call_as_its_line_says(entry: CodeEntry, call: Call[Any]) -> None:
    """Said for ever, a code ends in its error class or in a result, in bounded time; what is open is asked once."""
    told = client_over(virtual_clock(), said(entry), patience=Patience(wait_seconds=600.0))
    error, expected = await end_of(told, call), expected_end(entry, call)

    assert (expected or type(None)) is type(error)
    if expected not in {Unavailable, CredentialsRejected}:
        assert 1 == len(told.wire.requests)
    if isinstance(error, MarketoError) and expected is not CredentialsRejected:
        assert call.name == error.call


ODD_BODIES = {
    "HTML": Answer(200, b"<html>maintenance</html>", HTML),
    "JSON that says it is HTML": Answer(200, b'{"success":true,"result":[]}', HTML),
    "empty": Answer(200, b""),
    "blank": Answer(200, b" \r\n"),
    "cut": Answer(200, b'{"requestId":"r1","success":true,"result":[{"id":'),
    "a list": Answer(200, b"[]"),
    "no success": Answer(200, b'{"requestId":"r1","result":[]}'),
    "no reason": Answer(200, b'{"requestId":"r1","success":false,"errors":[]}'),
    "a wrong result": Answer(200, b'{"requestId":"r1","success":true,"result":7}'),
    "not UTF-8": Answer(200, b'{"success":true,"result":["\xff"]}'),
    "broken off": Answer(200, b'{"requestId":"r1","success":true,"result":[]}', breaks_at=20),
}


@every_call
@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
@virtual
async def test_a_body_that_is_not_marketos_is_never_no_rows(body: Answer, call: Call[Any]) -> None:
    """It is asked for again, unless that might double rows: then its outcome is unknown after one try."""
    told = client_over(virtual_clock(), body, rows({"id": 1}))
    if call is IMPORT:
        assert (OutcomeUnknown, 1) == (type(await end_of(told, call)), len(told.wire.requests))
    else:
        assert (({"id": 1},), 2) == (await told.client.send(call), len(told.wire.requests))


@every_call
@virtual
async def test_a_good_answer_that_lacks_what_was_asked_is_a_gateways_fault(call: Call[Any]) -> None:
    """Where a decoder misses its row, the call goes on as after any answer that was lost."""

    def first(reply: Reply) -> object:
        if not reply.result:
            raise Malformed("no row")
        return reply.result[0]

    told = client_over(virtual_clock(), rows(), rows({"id": 1}))
    if call is IMPORT:
        assert isinstance(await end_of(told, replace(call, decode=first)), OutcomeUnknown)
    else:
        assert {"id": 1} == await told.client.send(replace(call, decode=first))
    told = client_over(virtual_clock(), refused("702", "No data found"))
    assert isinstance(await end_of(told, replace(call, decode=first)), CallRejected)


@every_call
@virtual
async def test_a_call_that_never_left_is_made_again_and_takes_no_place(call: Call[Any]) -> None:
    """Failing before the last byte is out, even an import is repeated; the book holds the try that arrived alone."""
    told = client_over(virtual_clock(), UNSENT, UNSENT, rows({"id": 1}))
    assert ({"id": 1},) == await told.client.send(call)

    assert (3, ["NET_PRE"] * 2) == (len(told.wire.requests), [event.code for event in told.told(Refused)])
    assert 1 == sum(slot.name == call.name for slot in told.store.book.slots.values())
    assert 1 == (await told.client.gate.use()).spent_today.calls


@virtual
async def test_refusals_by_limits_cut_the_share_and_are_waited_out() -> None:
    """615 cuts the share of the flights and waits seconds; 606 that of the window, and waits until it is empty."""
    told = client_over(virtual_clock(), refused("615"), rows(), refused("606"), rows())
    await told.client.send(READ)
    flight = (await told.client.gate.use()).flight_limit
    began = told.clock.monotonic()
    await told.client.send(IMPORT)
    use = await told.client.gate.use()

    assert (7, 80, 4) == (flight, use.window_limit, use.spent_today.calls)
    assert 20.0 <= told.clock.monotonic() - began <= 22.0
    assert 0.5 <= told.told(Refused)[0].wait_seconds <= 5.0


@pytest.mark.parametrize("code", ["601", "602", "604", "605", "608", "611"])
@virtual
async def test_answers_that_are_not_billed_come_off_the_day(code: str) -> None:
    """Six codes cost nothing: after one of them, only what else Marketo answered is on the bill."""

    def free(request: object) -> Answer:
        told.wire.issuer.dies_at = told.clock.monotonic()
        return refused(code)

    told = client_over(virtual_clock(), rows(), free, rows())
    await told.client.send(READ)
    billed = 1 if isinstance(await end_of(told, READ), CallRejected) else 2

    assert billed == (await told.client.gate.use()).spent_today.calls


@virtual
async def test_tokens_that_die_before_they_are_used_do_not_keep_a_call_for_ever() -> None:
    """Where identity gives out nothing that lives for a second, the call ends with an error."""
    assert isinstance(await end_of(client_over(virtual_clock(), rows(), life=1.0), READ), MarketoError)


@virtual
async def test_a_used_up_day_pauses_all_calls_until_its_reset() -> None:
    """After 607 nobody calls before midnight in Chicago; then the first call goes through."""
    told = client_over(virtual_clock(), refused("607", "Daily quota '50000' reached"), rows({"id": 1}))
    ended = [await end_of(told, READ), await end_of(told, IMPORT)]
    reset = datetime(2026, 3, 3, 6, tzinfo=UTC)
    assert [(QuotaExhausted, reset)] * 2 == [(type(each), getattr(each, "resume_at", None)) for each in ended]
    assert 1 == len(told.wire.requests)
    await told.clock.sleep((reset - ORIGIN).total_seconds())
    assert ({"id": 1},) == await told.client.send(READ)


@virtual
async def test_used_up_megabytes_pause_exports_alone() -> None:
    """After 1029 about the daily quota the book says so, and other calls go on."""
    told = client_over(virtual_clock(), SAID["1029b"], rows({"id": 1}))
    error = await end_of(told, CREATE)

    assert isinstance(error, QuotaExhausted)
    assert error.resume_at == await told.client.gate.paused("export")
    assert (({"id": 1},), None) == (await told.client.send(READ), await told.client.gate.paused("calls"))


def dated(date: str) -> Answer:
    return replace(rows({"id": 1}), headers={**JSON, "Date": date})


@virtual
async def test_the_servers_clock_is_read_off_its_answers() -> None:
    """The last Date that can be a clock's says how far Marketo's is from ours; others change nothing."""
    dates = ["Mon, 02 Mar 2026 07:55:00 GMT", "soon", "", "Mon, 02 Mar 2026 07:55 -0000", "31 Dec 9999 23:59:59 GMT"]
    told = client_over(virtual_clock(), *(dated(date) for date in dates))
    assert told.clock.now() == told.client.server_now()
    for _ in dates:
        await told.client.send(READ)
    assert timedelta(seconds=-301) <= told.client.skew <= timedelta(seconds=-300)
    assert told.clock.now() + told.client.skew == told.client.server_now()


@example("Fri, 31 Dec 9999 23:59:59 GMT")
@example("Mon, 01 Jan 0001 00:00:00 GMT")
@settings(deadline=None, max_examples=50)
@given(st.text() | st.from_regex(r"Mon, [0-9]{1,20} Mar [0-9]{1,20} [0-9]{1,3}:00:00 [+-][0-9]{1,20}", fullmatch=True))
def test_no_date_of_a_server_breaks_a_call(date: str) -> None:
    """Whatever stands in the header, the answer counts."""

    @virtual
    async def ask() -> None:
        told = client_over(virtual_clock(), dated(date))
        assert [({"id": 1},)] * 2 == [await told.client.send(READ) for _ in range(2)]

    ask()


@virtual
async def test_a_bad_secret_is_not_tried_again() -> None:
    """Identity's 401 ends the call that needed the token; nothing is sent to the API."""
    bad = Answer(401, b'{"error":"invalid_client","error_description":"Bad client credentials"}')
    told = client_over(virtual_clock(), rows(), identity=bad)
    error = await end_of(told, READ)
    assert isinstance(error, CredentialsRejected)
    assert ("401", "identity.token", True) == (error.code, error.call, "Bad client credentials" in error.message)
    assert ([CallSent("identity.token")], []) == (told.told(CallSent), told.wire.requests)


@virtual
async def test_a_gateways_401_is_worth_one_new_token() -> None:
    """Before the API it can only be about the token: once that is replaced, the next one is final."""

    def taken_back(request: object) -> Answer:
        told.wire.issuer.dies_at = told.clock.monotonic()
        return Answer(401, b"<html>who?</html>", HTML)

    told = client_over(virtual_clock(), taken_back, rows({"id": 1}))
    assert ({"id": 1},) == await told.client.send(READ)
    told.wire.steps = [taken_back]
    assert (CredentialsRejected, 2 + 2) == (type(await end_of(told, READ)), len(told.wire.requests))

"""What the wire does with real connections: a small server on loopback answers, misbehaves, or is not there."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from syncengine.clock import SystemClock
from syncengine.transport.wire import CONNECT_SECONDS, READ_SECONDS, HttpWire, WireError, WireRequest
from tests.conftest import Handler, LocalhostTls, loopback, pass_seconds, real_but_ahead

pytestmark = pytest.mark.usefixtures("no_proxy")

SECRET = "canary-secret"
PATH = f"/rest/v1/leads.json?filterValues=a%2Bb%2Cc&x={SECRET}"
GET = WireRequest("GET", PATH, {"Authorization": f"Bearer {SECRET}"})
POST = WireRequest("POST", PATH, {"Authorization": f"Bearer {SECRET}", "Content-Type": "text/csv"}, SECRET.encode())
LIMIT = 10_000


@asynccontextmanager
async def wire_to(base_url: str, **settings: Any) -> AsyncIterator[HttpWire]:
    async with HttpWire(base_url, SystemClock(), user_agent="syncengine-test", **settings) as wire:
        yield wire


async def body_of(wire: HttpWire, request: WireRequest = GET, limit: int = LIMIT) -> tuple[int, bytes]:
    async with wire.send(request) as answer:
        return answer.status, await answer.read(limit)


async def error_of(wire: HttpWire, request: WireRequest = GET, limit: int = LIMIT) -> WireError:
    """The WireError of a request, which names neither the host nor what was sent."""
    with pytest.raises(WireError) as caught:
        await body_of(wire, request, limit)
    for text in (str(caught.value), repr(caught.value)):
        assert [] == [told for told in (SECRET, "leads.json", "127.0.0.1", "localhost", "://") if told in text]
    return caught.value


async def fine(request: web.BaseRequest) -> web.Response:
    return web.Response(body=b"fine")


async def hung_up(request: web.BaseRequest) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def closed(request: web.BaseRequest) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


def cut(sent: int, end: Callable[[web.BaseRequest], Awaitable[web.Response]] = hung_up) -> Handler:
    """An answer that promises 1,000 bytes and ends after `sent` of them."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Length": "1000"})
        await reply.prepare(request)
        await reply.write(b"x" * sent)
        await asyncio.sleep(0)
        return await end(request)

    return answer


async def test_a_request_travels_as_it_was_written() -> None:
    """The target keeps its encoding, the token is in the header alone, and a body announces its length."""
    async with loopback(fine) as server, wire_to(server.base_url + "/") as wire:
        assert [(200, b"fine"), (200, b"fine")] == [await body_of(wire, GET), await body_of(wire, POST)]
    got, posted = server.seen

    assert [("GET", PATH, b""), ("POST", PATH, SECRET.encode())] == [(s.method, s.target, s.body) for s in server.seen]
    assert ("syncengine-test", f"Bearer {SECRET}") == (got.headers["User-Agent"], got.headers["Authorization"])
    assert (str(len(SECRET)), "text/csv") == (posted.headers["Content-Length"], posted.headers["Content-Type"])
    assert "Transfer-Encoding" not in posted.headers


async def test_a_large_body_goes_out_whole_with_its_length() -> None:
    """Nothing is sent in chunks, so that a body that was cut on the way cannot be taken for a whole one."""
    body = bytes(range(256)) * 3_900
    async with loopback(fine) as server, wire_to(server.base_url) as wire:
        await body_of(wire, WireRequest("POST", "/bulk", {}, body))
    (seen,) = server.seen

    assert body == seen.body
    assert (str(len(body)), None) == (seen.headers.get("Content-Length"), seen.headers.get("Transfer-Encoding"))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_never_followed(status: int) -> None:
    """The token goes to no other address, not even on the same host."""

    async def elsewhere(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"}, body=b"moved")

    async with loopback(elsewhere) as server, wire_to(server.base_url) as wire:
        assert (status, b"moved") == await body_of(wire)

    assert [PATH] == [seen.target for seen in server.seen]


@pytest.mark.parametrize("request_", [GET, POST], ids=["GET", "POST"])
async def test_a_kept_connection_that_breaks_costs_one_request(request_: WireRequest) -> None:
    """The second request on a connection that the server then closes is told as broken, and is not sent again."""

    async def once(request: web.BaseRequest) -> web.Response:
        return await (fine(request) if len(server.seen) == 1 else hung_up(request))

    async with loopback(once) as server, wire_to(server.base_url) as wire:
        await body_of(wire)
        error = await error_of(wire, request_)

    assert (True, "NET_POST") == (error.sent, error.code)
    assert [GET.method, request_.method] == [seen.method for seen in server.seen]
    assert 1 == len({seen.port for seen in server.seen})


async def test_answers_are_asked_for_and_read_in_gzip() -> None:
    """JSON travels compressed and is read plain; a request that wants bytes as they are says so."""

    async def packed(request: web.BaseRequest) -> web.Response:
        if request.headers["Accept-Encoding"] == "identity":
            return web.Response(body=b"plain")
        return web.Response(body=gzip.compress(b"packed"), headers={"Content-Encoding": "gzip"})

    async with loopback(packed) as server, wire_to(server.base_url) as wire:
        assert (200, b"packed") == await body_of(wire)
        assert (200, b"plain") == await body_of(wire, WireRequest("GET", "/", {"Accept-Encoding": "identity"}))

    assert ["gzip", "identity"] == [seen.headers["Accept-Encoding"] for seen in server.seen]


@pytest.mark.parametrize("packs", [False, True], ids=["plain", "gzip"])
async def test_an_answer_over_the_limit_is_not_read(packs: bool) -> None:
    """A body of the limit is read, one byte more is an error; what counts is the size in memory."""

    async def long(request: web.BaseRequest) -> web.Response:
        body = bytes(int(request.query["size"]))
        headers = {"Content-Encoding": "gzip"} if packs else {}
        return web.Response(body=gzip.compress(body) if packs else body, headers=headers)

    async with loopback(long) as server, wire_to(server.base_url) as wire:
        assert (200, bytes(LIMIT)) == await body_of(wire, WireRequest("GET", f"/?size={LIMIT}"))
        error = await error_of(wire, WireRequest("GET", f"/?size={LIMIT + 1}"))
        bomb = await error_of(wire, WireRequest("GET", "/?size=5000000"))

    assert ([True] * 2, f"the answer is longer than {LIMIT} bytes") == ([error.sent, bomb.sent], str(error))


async def test_an_answer_that_is_left_does_not_leak_into_the_next() -> None:
    """Who leaves a body unread gets the next answer's own bytes, on another connection."""
    numbers = iter("ab")

    async def big(request: web.BaseRequest) -> web.Response:
        return web.Response(body=next(numbers).encode() * 1_000_000)

    async with loopback(big) as server, wire_to(server.base_url) as wire:
        async with wire.send(GET) as left:
            assert 200 == left.status
        assert (200, b"b" * 1_000_000) == await body_of(wire, limit=1_000_000)

    assert 2 == len({seen.port for seen in server.seen})


async def test_nobody_listening_means_nothing_was_sent() -> None:
    """A refused connection is told in the system's words, without the address."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with wire_to(f"http://127.0.0.1:{unused.getsockname()[1]}") as wire:
            error = await error_of(wire)

    assert (False, "NET_PRE", "no connection: Connection refused") == (error.sent, error.code, str(error))


async def test_a_certificate_is_trusted_only_for_its_name_and_by_its_signer(localhost_tls: LocalhostTls) -> None:
    """Signed by nobody we know, or for another host: nothing is sent. Trusted and rightly named: all is well."""
    async with loopback(fine, localhost_tls.context) as server:
        by_name = server.base_url.replace("127.0.0.1", "localhost")
        async with wire_to(by_name) as wire:
            unknown = await error_of(wire)
        async with wire_to(server.base_url, ca_file=localhost_tls.ca_file) as wire:
            misnamed = await error_of(wire)
        assert [] == server.seen
        async with wire_to(by_name, ca_file=localhost_tls.ca_file) as wire:
            assert (200, b"fine") == await body_of(wire)

    told = {(error.sent, str(error)) for error in (unknown, misnamed)}
    assert {(False, "the server's TLS certificate is not trusted")} == told


async def test_plain_http_behind_https_means_nothing_was_sent() -> None:
    """A server that speaks no TLS never sees the request."""
    async with loopback(fine) as server, wire_to(server.base_url.replace("http", "https")) as wire:
        error = await error_of(wire)

    assert (False, []) == (error.sent, server.seen)


@pytest.mark.parametrize("handler", [hung_up, closed, cut(0), cut(1), cut(999), cut(999, closed)])
async def test_an_exchange_that_breaks_may_have_been_seen(handler: Handler) -> None:
    """Before the headers, between bytes or one byte short: the server may have carried the request out."""
    async with loopback(handler) as server, wire_to(server.base_url) as wire:
        errors = [await error_of(wire, GET), await error_of(wire, POST)]

    assert ([True, True], 2) == ([error.sent for error in errors], len(server.seen))


@pytest.mark.parametrize("is_late", [False, True], ids=["in time", "late"])
@real_but_ahead
async def test_silence_ends_a_body_however_long_the_whole_takes(is_late: bool) -> None:
    """A slow body is read for minutes as long as something comes; a minute of nothing ends it as lost."""
    read, got = asyncio.Event(), b""

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        for _ in range(5):
            await reply.write(b"x")
            await read.wait()
            read.clear()
            pass_seconds(READ_SECONDS + 1.0 if is_late else READ_SECONDS - 10.0)
            await asyncio.sleep(0.0)
        return reply

    async with loopback(slow) as server, wire_to(server.base_url) as wire, wire.send(GET) as answer:
        with pytest.raises(WireError, match="no data within") if is_late else nullcontext() as caught:
            async for piece in answer.pieces():
                got += piece
                read.set()
        read.set()

    assert (b"x", True) if is_late else (b"xxxxx", None) == (got, caught and caught.value.sent)


@real_but_ahead
async def test_a_server_that_never_shakes_hands_has_seen_nothing() -> None:
    """A port that takes connections and stays silent is given up as not connected, before anything is sent."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        async with wire_to(f"https://127.0.0.1:{listening.getsockname()[1]}") as wire:
            asyncio.get_running_loop().call_later(0.02, pass_seconds, CONNECT_SECONDS + 1.0)
            error = await error_of(wire)

    assert (False, "no connection within the time allowed") == (error.sent, str(error))


async def test_a_cancelled_request_hangs_up() -> None:
    """Who is cancelled while the server works leaves no connection behind."""
    arrived, left = asyncio.Event(), asyncio.Event()

    async def endless(request: web.BaseRequest) -> web.Response:
        arrived.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return web.Response()

    async with loopback(endless, sees_leaving=True) as server, wire_to(server.base_url) as wire:
        call = asyncio.create_task(body_of(wire))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(left.wait(), 5.0)


async def test_a_request_goes_through_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is told the whole address, and its answer is the server's."""
    async with loopback(fine) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url)
        async with wire_to("http://marketo.test") as wire:
            assert (200, b"fine") == await body_of(wire)

    assert [f"http://marketo.test{PATH}"] == [seen.target for seen in proxy.seen]


async def test_a_netrc_file_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever passwords a user keeps for other programs, a call carries its own token or none."""
    (tmp_path / "netrc").write_text("default login someone password other")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with loopback(fine) as server, wire_to(server.base_url) as wire:
        await body_of(wire, WireRequest("POST", "/identity/oauth/token", {}, b"form"))
        await body_of(wire, GET)

    assert [None, f"Bearer {SECRET}"] == [seen.headers.get("Authorization") for seen in server.seen]

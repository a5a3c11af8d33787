"""What the wire makes of aiohttp's answers and exceptions, without a network."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from syncengine.clock import SystemClock
from syncengine.transport.wire import HttpWire, WireError, WireRequest
from tests.conftest import MockedHttp

pytestmark = pytest.mark.usefixtures("no_proxy")

SECRET = "canary-secret"
BASE_URL = f"https://{SECRET}.mktorest.com"
GET = WireRequest("GET", f"/rest/v1/leads.json?x={SECRET}", {"Authorization": f"Bearer {SECRET}"})
POST = WireRequest("POST", "/identity/oauth/token", {}, SECRET.encode())

HOST = ConnectionKey(f"{SECRET}.mktorest.com", 443, True, True, None, None, None)
ASKED = aiohttp.RequestInfo(
    URL(BASE_URL), "GET", CIMultiDictProxy(CIMultiDict({"Authorization": SECRET})), URL(BASE_URL)
)

UNSENT: dict[Exception, str] = {
    aiohttp.ClientConnectorError(HOST, ConnectionRefusedError(111, "x")): "no connection: Connection refused",
    aiohttp.ClientConnectorError(HOST, OSError(113, "x")): "no connection: No route to host",
    aiohttp.ClientConnectorError(HOST, OSError("no number")): "no connection: refused",
    aiohttp.ClientProxyConnectionError(HOST, ConnectionRefusedError(111, "x")): "no connection: Connection refused",
    aiohttp.ClientConnectorDNSError(HOST, socket.gaierror(-2, "x")): "the host's name is not known",
    aiohttp.ClientConnectorSSLError(HOST, ssl.SSLError(1, "x")): "the server's TLS certificate is not trusted",
    aiohttp.ClientConnectorCertificateError(HOST, ssl.CertificateError("x")): (
        "the server's TLS certificate is not trusted"
    ),
    aiohttp.ConnectionTimeoutError(SECRET): "no connection within the time allowed",
}
# aiohttp gives up on these before it writes a byte of the request.
REFUSED_BEFORE: list[Exception] = [
    aiohttp.ClientHttpProxyError(ASKED, (), status=407, message=SECRET),
    aiohttp.InvalidURL(BASE_URL),
]
SENT: dict[Exception, str] = {
    aiohttp.SocketTimeoutError(SECRET): "no data within the time allowed",
    aiohttp.ServerTimeoutError(SECRET): "no data within the time allowed",
    TimeoutError(SECRET): "no data within the time allowed",
    aiohttp.ClientPayloadError(SECRET): "the answer ended early",
    aiohttp.ServerDisconnectedError(SECRET): "the connection broke",
    aiohttp.ClientOSError(104, SECRET): "the connection broke",
    aiohttp.ClientConnectionResetError(SECRET): "the exchange failed (ClientConnectionResetError)",
    aiohttp.ClientConnectionError(SECRET): "the exchange failed (ClientConnectionError)",
    aiohttp.ClientResponseError(ASKED, (), status=400, message=SECRET): "the exchange failed (ClientResponseError)",
    aiohttp.ClientError(SECRET): "the exchange failed (ClientError)",
    BrokenPipeError(32, SECRET): "the exchange failed (BrokenPipeError)",
}


@asynccontextmanager
async def open_wire() -> AsyncIterator[HttpWire]:
    async with HttpWire(BASE_URL, SystemClock(), user_agent="syncengine-test") as wire:
        yield wire


async def broken_by(mocked_http: MockedHttp, error: Exception) -> list[WireError]:
    """What a read and a write say when aiohttp raises `error`; neither message holds a secret or an address."""
    told = []
    async with open_wire() as wire:
        for request in (GET, POST):
            mocked_http.add(BASE_URL + request.target, request.method, exception=error)
            with pytest.raises(WireError) as caught:
                async with wire.send(request):
                    pass
            assert not [text for text in (SECRET, "mktorest", "://") if text in f"{caught.value} {caught.value!r}"]
            told.append(caught.value)
    return told


@pytest.mark.parametrize("error", UNSENT, ids=lambda error: type(error).__name__)
async def test_what_never_left_is_told_as_unsent(mocked_http: MockedHttp, error: Exception) -> None:
    """Without a connection no server can have seen the request, and any call may be made again."""
    expected = (UNSENT[error], False, "NET_PRE", error)

    assert [expected] * 2 == [
        (str(told), told.sent, told.code, told.__cause__) for told in await broken_by(mocked_http, error)
    ]


@pytest.mark.parametrize("error", REFUSED_BEFORE, ids=lambda error: type(error).__name__)
async def test_what_was_refused_on_this_side_of_the_server_is_unsent(mocked_http: MockedHttp, error: Exception) -> None:
    """A proxy that opens no tunnel, or an address that is none: the server has seen nothing."""
    assert [False, False] == [told.sent for told in await broken_by(mocked_http, error)]


@pytest.mark.parametrize("error", SENT, ids=lambda error: type(error).__name__)
async def test_what_broke_later_may_have_been_seen(mocked_http: MockedHttp, error: Exception) -> None:
    """Once there was a connection, the whole request may have arrived."""
    expected = (SENT[error], True, "NET_POST", error)

    assert [expected] * 2 == [
        (str(told), told.sent, told.code, told.__cause__) for told in await broken_by(mocked_http, error)
    ]


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("a bug"), asyncio.CancelledError()])
async def test_other_errors_are_nobodys_network(mocked_http: MockedHttp, error: Exception) -> None:
    """A programmer's mistake or a cancel passes through as it is."""
    mocked_http.get(BASE_URL + GET.target, exception=error)
    async with open_wire() as wire:
        with pytest.raises(type(error)):
            async with wire.send(GET):
                pass


@pytest.mark.parametrize("status", [200, 206, 302, 401, 404, 413, 503])
async def test_an_answer_is_given_as_it_came(mocked_http: MockedHttp, status: int) -> None:
    """Whatever the status, it is an answer with headers in any case and a body; judging it is not the wire's affair."""
    headers = {"Content-Range": "bytes 3-6/7", "Date": "Mon, 02 Mar 2026 08:00:00 GMT"}
    mocked_http.get(BASE_URL + GET.target, status=status, body=b"body", content_type="text/csv", headers=headers)
    async with open_wire() as wire, wire.send(GET) as answer:
        got = (answer.status, answer.headers["content-range"], answer.headers["CONTENT-TYPE"], await answer.read(4))

    assert (status, "bytes 3-6/7", "text/csv", b"body") == got


@pytest.mark.parametrize(("body", "limit"), [(b"", 0), (b"abc", 3), (b"abc", 2)])
async def test_a_body_is_read_up_to_its_limit(mocked_http: MockedHttp, body: bytes, limit: int) -> None:
    """An empty body and one of the limit are read; a longer one is an error that says how long it may be."""
    mocked_http.get(BASE_URL + GET.target, body=body)
    async with open_wire() as wire, wire.send(GET) as answer:
        if len(body) <= limit:
            assert body == await answer.read(limit)
        else:
            with pytest.raises(WireError, match=f"longer than {limit} bytes"):
                await answer.read(limit)


async def test_a_request_is_given_to_aiohttp_without_extras(mocked_http: MockedHttp) -> None:
    """Its own headers and the session's two, the body as bytes, and no leave to follow redirects."""
    mocked_http.post(BASE_URL + POST.target, body=b"{}")
    async with open_wire() as wire, wire.send(POST):
        pass
    ((_, given),) = mocked_http.requests["POST", URL(BASE_URL + POST.target)]

    assert {"User-Agent": "syncengine-test", "Accept-Encoding": "gzip"} == dict(given.pop("headers"))
    assert (SECRET.encode(), False) == (given["data"], given["allow_redirects"])


@pytest.mark.parametrize(
    ("base_url", "proxy"),
    [
        ("https://123-abc-456.mktorest.com", "http://proxy.test:3128"),
        ("https://marketo.internal", None),
        ("https://localhost:8000", None),
        ("https://127.0.0.1:8000", None),
        ("https://[::1]:8000", None),
    ],
)
async def test_a_proxy_is_taken_from_the_environment(
    mocked_http: MockedHttp, no_proxy: None, monkeypatch: pytest.MonkeyPatch, base_url: str, proxy: str | None
) -> None:
    """The one for HTTPS, but for hosts that it says to leave out, and never for this machine itself."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", ".internal")
    mocked_http.get(base_url + GET.target)
    async with HttpWire(base_url, SystemClock(), user_agent="u") as wire, wire.send(GET):
        pass
    ((_, given),) = mocked_http.requests["GET", URL(base_url + GET.target)]

    assert proxy == given["proxy"]


async def test_an_unknown_host_means_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that the system cannot resolve is told as that, without the name."""

    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    async with open_wire() as wire:
        with pytest.raises(WireError, match="the host's name is not known") as caught:
            async with wire.send(GET):
                pass

    assert not caught.value.sent


async def test_a_wire_is_used_while_it_is_open() -> None:
    """Before and after that a request is a programmer's mistake; closing twice is none."""
    wire = HttpWire("http://127.0.0.1:9", SystemClock(), user_agent="syncengine-test")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not open"):
            async with wire.send(GET):
                pass
        async with wire:
            await wire.close()


def test_a_request_shows_neither_headers_nor_body() -> None:
    """Its repr is fit for a log as far as method and target go."""
    assert "WireRequest(method='POST', target='/x')" == repr(WireRequest("POST", "/x", {"a": SECRET}, SECRET.encode()))

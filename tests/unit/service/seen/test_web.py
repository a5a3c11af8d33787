"""The daemon over HTTP, on a real port: what is answered to whom, and how a server behaves that is not trusted."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest

from syncengine.clock import SystemClock
from syncengine.config import Secret
from syncengine.errors import ConfigError
from syncengine.service.seen.door import CONNECTION_SECONDS, CONNECTIONS_MAX
from syncengine.service.seen.live import LISTENERS_MAX
from syncengine.service.seen.metrics import Metrics
from syncengine.service.seen.snapshots import Snapshots
from syncengine.service.seen.web import POLICY, SHUTDOWN_SECONDS, serving
from tests.conftest import pass_seconds, real_but_ahead
from tests.unit.service.seen.written import Hand, night, settings_of, standings, write_nights

TOKEN = Secret("a-token-of-some-length")
BEARER = {"Authorization": f"Bearer {TOKEN.reveal()}"}
ASSETS = ("/live.js", "/style.css", "/icon-good.svg", "/icon-bad.svg")
PATHS = ("/", "/metrics", "/healthz", "/readyz", *ASSETS, "/nowhere")


@dataclass
class Served:
    """A site, and a client beside it."""

    url: str
    client: aiohttp.ClientSession

    async def get(self, path: str, method: str = "GET", **more: Any) -> tuple[int, str]:
        """Status and text."""
        async with self.client.request(method, self.url.rstrip("/") + path, **more) as answer:
            return answer.status, await answer.text()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self.url.removeprefix("http://").strip("/").rsplit(":", 1)
        return host, int(port)


@asynccontextmanager
async def served(
    folder: Path, *, token: Secret | None = None, heartbeat: Callable[[], bool] = lambda: True
) -> AsyncIterator[Served]:
    """The site of a state folder, at NOW by its instance's clock."""
    hand = Hand()
    snapshots = Snapshots(settings_of(folder), standings(), {"acme": hand.clock}, clock=SystemClock())
    async with (
        serving("127.0.0.1:0", token=token, snapshots=snapshots, metrics=Metrics(), heartbeat=heartbeat) as url,
        aiohttp.ClientSession() as client,
    ):
        yield Served(url, client)


async def test_every_path_is_answered_with_the_same_careful_headers(tmp_path: Path) -> None:
    """No cache, frame, referrer, guess of types or cookie, and nothing of what answers; HEAD is GET's head."""
    async with served(tmp_path) as site:
        for path in PATHS:
            for method in ("GET", "HEAD"):
                async with site.client.request(method, site.url.rstrip("/") + path) as answer:
                    assert (404 if path == "/nowhere" else 200) == answer.status
                    assert ("syncengine", "no-store", POLICY, "no-referrer", "nosniff", None) == tuple(
                        answer.headers.get(name)
                        for name in (
                            "Server",
                            "Cache-Control",
                            "Content-Security-Policy",
                            "Referrer-Policy",
                            "X-Content-Type-Options",
                            "Set-Cookie",
                        )
                    )
                    assert (method == "HEAD") == (not await answer.read())


async def test_the_page_and_the_metrics_show_the_journal(tmp_path: Path) -> None:
    """Both from the same snapshot."""
    await write_nights(settings_of(tmp_path)[0], night(calls=417))
    async with served(tmp_path) as site:
        status, page = await site.get("/")
        assert (200, True) == (status, "Last night was good" in page and "417" in page)
        _, metrics = await site.get("/metrics")
    assert 'syncengine_night_calls{group="nightly",marketo_instance="acme"} 417.0' in metrics


async def test_a_damaged_state_is_a_sentence_on_the_page(tmp_path: Path) -> None:
    """Not an error of the server; and the daemon is not ready."""
    settings = settings_of(tmp_path)[0]
    settings.state.path.mkdir()
    (settings.state.path / "journal.db").write_bytes(b"no database" * 1_000)
    async with served(tmp_path) as site:
        status, page = await site.get("/")
        assert (200, True) == (status, "The journal cannot be read" in page)
        assert 503 == (await site.get("/readyz"))[0]


async def test_health_is_the_heartbeat_alone(tmp_path: Path) -> None:
    """A parked daemon is alive; one that has not moved for too long is not."""
    beating = [True]
    async with served(tmp_path, heartbeat=lambda: beating[0]) as site:
        assert (200, "alive\n") == await site.get("/healthz")
        beating[0] = False
        assert 503 == (await site.get("/healthz"))[0]
        assert 200 == (await site.get("/readyz"))[0]


async def test_readiness_tells_details_only_to_those_who_may_look(tmp_path: Path) -> None:
    """Without the token, which group; with it, what is missing. Without any token set, this machine may know."""
    failed = night(1, "failed", problems=("leads: no room",))
    await write_nights(settings_of(tmp_path)[0], failed)
    details = "acme/nightly: the night that was due at 2026-03-01 02:30Z is failed: leads: no room\n"
    async with served(tmp_path, token=TOKEN) as site:
        assert (503, "acme/nightly is not ready\n") == await site.get("/readyz")
        assert (503, details) == await site.get("/readyz", headers=BEARER)
        assert (200, "alive\n") == await site.get("/healthz")
    async with served(tmp_path) as site:
        assert (503, details) == await site.get("/readyz")


async def test_the_guard_stands_before_every_path(tmp_path: Path) -> None:
    """Token, host, method and body; a browser is asked for a password."""
    async with served(tmp_path, token=TOKEN) as site:
        for path in ("/", "/live", "/metrics", "/style.css", "/nowhere"):
            async with site.client.get(site.url.rstrip("/") + path) as answer:
                assert (401, True) == (answer.status, answer.headers["WWW-Authenticate"].startswith("Basic"))
        assert (
            200
            == (await site.get("/", headers={"Authorization": aiohttp.encode_basic_auth("anybody", TOKEN.reveal())}))[0]
        )
        assert 200 == (await site.get("/", headers=BEARER))[0]
    async with served(tmp_path) as site:
        assert 403 == (await site.get("/", headers={"Host": "evil.example"}))[0]
        assert 405 == (await site.get("/", "POST"))[0]
        assert 413 == (await site.get("/", data=b"x" * 10_000))[0]


async def test_live_values_come_as_events_and_end_with_the_daemon(tmp_path: Path) -> None:
    """All values first; when the server stops, so do they, and nobody has to be waited for."""
    async with aiohttp.ClientSession() as client:
        async with served(tmp_path) as site:
            answer = await client.get(f"{site.url}live")
            assert "text/event-stream; charset=utf-8" == answer.headers["Content-Type"]
            assert b'"acme.window":"0"' in await answer.content.readuntil(b"}\n\n")
            began = time.monotonic()
        assert time.monotonic() - began < SHUTDOWN_SECONDS
        assert b"" == await answer.content.read()


async def test_listeners_are_bounded(tmp_path: Path) -> None:
    """The seventeenth is told so, and has its turn when another has left; the page is shown as ever."""
    async with served(tmp_path) as site, AsyncExitStack() as stack:
        answers = []
        for _ in range(LISTENERS_MAX):
            answers.append(await site.client.get(f"{site.url}live"))
            stack.callback(answers[-1].close)
            await answers[-1].content.readuntil(b"}\n\n")
        assert 503 == (await site.get("/live"))[0]
        assert 200 == (await site.get("/"))[0]
        answers[0].close()
        with anyio.fail_after(10):
            while True:
                async with site.client.get(f"{site.url}live") as answer:
                    if answer.status == 200:
                        break


async def raw(site: Served, text: bytes) -> bytes:
    """What comes back for bytes of one's own."""
    reader, writer = await asyncio.open_connection(*site.address)
    writer.write(text)
    with anyio.fail_after(10):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "text",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
async def test_what_is_not_http_or_too_long_is_refused_without_details(tmp_path: Path, text: bytes) -> None:
    """A plain 400 that names neither library nor version, and nothing in any log."""
    async with served(tmp_path) as site:
        head, _, body = (await raw(site, text)).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"Server: syncengine" in head
    assert b"aiohttp" not in head + body
    assert b"Python" not in head + body
    assert b"Bad Request\n" == body


@real_but_ahead
async def test_a_client_that_sends_nothing_is_let_go(tmp_path: Path) -> None:
    """And so is one that does not finish its request."""
    async with served(tmp_path) as site:
        silent = await asyncio.open_connection(*site.address)
        slow = await asyncio.open_connection(*site.address)
        slow[1].write(b"GET / HTTP/1.1\r\nHost: local")
        assert 200 == (await site.get("/healthz"))[0]
        pass_seconds(CONNECTION_SECONDS)
        for reader, writer in (silent, slow):
            with anyio.fail_after(10), pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()


@real_but_ahead
async def test_a_client_that_does_not_read_is_let_go(tmp_path: Path) -> None:
    """What it has not read after a minute it does not get, and nothing waits for it any more."""
    asked = 1_500
    async with served(tmp_path) as site:
        reader, writer = await asyncio.open_connection(*site.address, limit=1_024)
        writer.write(b"GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * asked)
        for _ in range(20):
            assert 200 == (await site.get("/healthz"))[0]
        pass_seconds(CONNECTION_SECONDS)
        assert 200 == (await site.get("/healthz"))[0]
        heard = bytearray()
        with anyio.fail_after(20), suppress(ConnectionError):
            while more := await reader.read(65_536):
                heard += more
        writer.close()
    assert heard.count(b"HTTP/1.1 200") < asked


async def test_connections_are_bounded(tmp_path: Path) -> None:
    """Beyond so many, a new one is closed at once; those that are there are answered."""
    async with served(tmp_path) as site:
        assert 200 == (await site.get("/healthz"))[0]
        inside = [await asyncio.open_connection(*site.address) for _ in range(CONNECTIONS_MAX - 1)]
        reader, writer = await asyncio.open_connection(*site.address)
        with anyio.fail_after(10), pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        inside[0][1].write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await inside[0][0].readline()).startswith(b"HTTP/1.1 200")
        for _, other in inside:
            other.close()


async def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    """With what to do about it, before anything else has begun."""
    snapshots = Snapshots(settings_of(tmp_path), standings(), {}, clock=SystemClock())
    more: dict[str, Any] = {"token": None, "snapshots": snapshots, "metrics": Metrics(), "heartbeat": lambda: True}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError) as caught:
            async with serving(address, **more):
                pass
    assert f"something else listens on {address}" == caught.value.message
    assert "[service] listen" in caught.value.advice
    with pytest.raises(ConfigError, match="no such address"):
        async with serving("192.0.2.1:8642", **(more | {"token": TOKEN})):
            pass
    with pytest.raises(ConfigError, match="others could read"):
        async with serving("0.0.0.0:0", **more):  # refused
            pass


async def test_what_ends_the_daemon_comes_out_as_it_was(tmp_path: Path) -> None:
    """In no group of exceptions."""
    with pytest.raises(KeyError, match="x"):
        async with served(tmp_path):
            raise KeyError("x")


async def test_nothing_of_a_look_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither paths nor addresses."""
    caplog.set_level("DEBUG", logger="aiohttp")
    async with served(tmp_path) as site:
        await site.get("/?secret=canary")
        await raw(site, b"nonsense\r\n\r\n")
    assert "" == caplog.text

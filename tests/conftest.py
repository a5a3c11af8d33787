"""What tests of several rooms share: answers in place of aiohttp's network, and a small real server on loopback."""

import asyncio
import base64
import functools
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from aiohttp import ClientResponse, web
from aioresponses import aioresponses
from hypothesis import settings

# Hundreds of processes start in a run of the suite: each would compile the whole package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes says more of the machine than of the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
# A certificate for "localhost" that nobody signed, and its key; both serve these tests alone.
CERTIFICATE = """
MIIBYDCCAQegAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAwWhgPOTk5OTEy
MzEyMzU5NTlaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABC8RDXLsTwmPIXhYecPxXDGx
lHs6Ikwzo8AvvgpTQaK+sG2NQoTb9soHSSExCQOjI84Y4wEjN7G/D7ebm/XIwRejSDBGMBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAP
BgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBRvDdGed12z08/d80+NH7Eqjq/mszAKBggqhkjOPQQDAgNHADBEAiA2dJrHCLLcOthh
kI6SG4S7ymoSEqbWPHk6jLza/X2+XAIgOB7aTVyJj1CDeGuYJWDrgaKuAQZp0nvfU8W9idz7B60="""
KEY = """
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQga06Ro78aGhs5hZqdobZ4eaB50Yi6o8arAX2HhCXdJJOhRANCAAQv
EQ1y7E8JjyF4WHnD8VwxsZR7OiJMM6PAL74KU0GivrBtjUKE2/bKB0khMQkDoyPOGOMBIzexvw+3m5v1yMEX"""

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class _AnsweredResponse(ClientResponse):
    """A response whose request is already sent; aiohttp asks for the request's writer, and aioresponses has none."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **{"stream_writer": SimpleNamespace(output_size=0), **named})


class MockedHttp(aioresponses):
    """aioresponses, with responses that the installed aiohttp takes."""

    def add(self, *args: Any, **named: Any) -> None:
        super().add(*args, **{"response_class": _AnsweredResponse, **named})


@pytest.fixture
def mocked_http() -> Iterator[MockedHttp]:
    """Answers and exceptions in place of aiohttp's network: `mocked_http.get(url, body=...)`."""
    mocked = MockedHttp()
    with mocked:
        yield mocked


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy this machine has, the test's connections go straight to loopback."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@dataclass(frozen=True, slots=True)
class LocalhostTls:
    """A server's side of TLS for "localhost", and the file that makes a client trust it."""

    context: ssl.SSLContext
    ca_file: str


@pytest.fixture
def localhost_tls(tmp_path: Path) -> LocalhostTls:
    """TLS with a certificate that is valid for ever and known to nobody."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.write_text(ssl.DER_cert_to_PEM_cert(base64.b64decode(CERTIFICATE)))
    key.write_text("-----BEGIN {0}-----{1}\n-----END {0}-----\n".format("PRIVATE KEY", KEY))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return LocalhostTls(context, str(certificate))


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived; `port` tells connections apart."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    port: int


@dataclass(slots=True)
class Loopback:
    """A server's address, and all that it was asked, in order."""

    base_url: str = ""
    seen: list[Seen] = field(default_factory=list)


@asynccontextmanager
async def loopback(
    handler: Handler, tls: ssl.SSLContext | None = None, *, sees_leaving: bool = False
) -> AsyncIterator[Loopback]:
    """A real server on a free port of 127.0.0.1 that answers with `handler` once a request's body is there.

    With `sees_leaving`, a handler is cancelled when its client has gone.
    """
    server = Loopback()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        assert request.transport is not None
        port = request.transport.get_extra_info("peername")[1]
        server.seen.append(Seen(request.method, request.raw_path, dict(request.headers), body, port))
        return await handler(request)

    runner = web.ServerRunner(web.Server(answer, handler_cancellation=sees_leaving), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        server.base_url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


class AheadLoop(asyncio.SelectorEventLoop):
    """Real sockets, and a clock that a test moves on by hand: long silences take no time and nothing races them."""

    ahead_seconds = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_seconds


def pass_seconds(seconds: float) -> None:
    """Let so much time have passed on the running AheadLoop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, AheadLoop)
    loop.ahead_seconds += seconds


def real_but_ahead(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Mark an async test to run on an AheadLoop."""

    @functools.wraps(test)
    def run(*args: Any, **named: Any) -> None:
        with asyncio.Runner(loop_factory=AheadLoop) as runner:
            runner.run(test(*args, **named))

    return run


class _CancelledAt:
    """Awaits `work`, and calls `cancel` at the n-th moment at which it is suspended."""

    def __init__(self, work: Coroutine[Any, Any, object], nth: int, cancel: Callable[[], object]) -> None:
        self.work, self.left, self.cancel = work, nth, cancel

    def __await__(self) -> Generator[Any, Any, object]:
        go_on: Callable[[], Any] = functools.partial(self.work.send, None)
        while True:
            try:
                suspended = go_on()
            except StopIteration as end:
                return end.value
            self.left -= 1
            if self.left == 0:
                self.cancel()
            try:
                go_on = functools.partial(self.work.send, (yield suspended))
            except BaseException as error:  # noqa: BLE001  # whatever comes is handed to the work
                go_on = functools.partial(self.work.throw, error)


async def cancelled_at(work: Coroutine[Any, Any, object], nth: int, way: str) -> bool:
    """Whether `work` was still under way at its n-th suspension, where it is cancelled by "scope" or by "task"."""
    with anyio.CancelScope() as scope:
        cancelled = _CancelledAt(work, nth, scope.cancel)

        async def wait() -> object:
            return await cancelled

        task = asyncio.ensure_future(wait()) if way == "task" else None
        if task is not None:
            cancelled.cancel = task.cancel
        with suppress(asyncio.CancelledError):
            await (task or wait())
    return cancelled.left <= 0


class Place:
    """Where a download is to go, and what lies there."""

    def __init__(self, folder: Path) -> None:
        self.path, self.part = folder / "1.csv", folder / "1.csv.part"

    def __repr__(self) -> str:
        return repr({path.name: path.stat().st_size for path in (self.path, self.part) if path.exists()})

    def holds(self, file: bytes | None, part: bytes | None) -> bool:
        """Whether these bytes are there, and nothing where None is said."""
        there = [path.read_bytes() if path.exists() else None for path in (self.path, self.part)]
        return [file, part] == there

    def put(self, part: bytes) -> None:
        """Leave the part of an earlier process."""
        self.part.write_bytes(part)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place for a file, with nothing there."""
    return Place(tmp_path)

"""How bytes travel: the one module of the engine that imports aiohttp, behind a protocol small enough to imitate.

One session with keep-alive and gzip; no redirects, so the bearer token never leaves the instance's host; no retries,
so that each byte sent is known to the client. Failures are told apart by one question: can the server have seen the
whole request?
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from syncengine.clock import Clock

CONNECT_SECONDS = 10.0
# Between two reads of a body; the whole may take as long as it flows.
READ_SECONDS = 60.0
PIECE_BYTES = 256 * 1024
# The caller knows for how long headers are worth waiting for; this only ends what a caller forgot.
HEADERS_SECONDS_MAX = 300.0
# Shorter than servers and proxies keep idle connections: one that they close first breaks the next call.
KEEP_ALIVE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One HTTP request. `target` is the path with its encoded query; `repr` hides headers and body."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


class WireAnswer(Protocol):
    """An answer whose headers have arrived."""

    status: int
    headers: Mapping[str, str]  # names in any case

    async def read(self, limit: int) -> bytes:
        """The whole body; raises WireError when it is longer than `limit` bytes or breaks."""
        ...

    def pieces(self) -> AsyncIterator[bytes]:
        """The body as it arrives; raises WireError when it breaks."""
        ...


class Wire(Protocol):
    """Something that carries requests to one instance."""

    def send(self, request: WireRequest) -> AbstractAsyncContextManager[WireAnswer]:
        """Send a request; enters when the answer's headers are there, leaves when its body is no longer needed."""
        ...

    async def close(self) -> None:
        """Close what is held open."""
        ...


class WireError(Exception):
    """The exchange broke. `sent` tells whether the server may have seen the whole request."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent

    @property
    def code(self) -> str:
        """The code under which the verdict table knows this failure."""
        return "NET_POST" if self.sent else "NET_PRE"


class _HttpAnswer:
    def __init__(self, response: aiohttp.ClientResponse, read_seconds: float) -> None:
        self._response = response
        self._read_seconds = read_seconds
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    async def read(self, limit: int) -> bytes:
        pieces, size = [], 0
        async for piece in self.pieces():
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise WireError(f"the answer is longer than {limit} bytes", sent=True)
        return b"".join(pieces)

    async def pieces(self) -> AsyncIterator[bytes]:
        with _translated():
            while piece := await self._piece():
                yield piece

    async def _piece(self) -> bytes:
        async with asyncio.timeout(self._read_seconds):
            return await self._response.content.read(PIECE_BYTES)


class HttpWire:
    """The wire to `base_url`; use as an async context manager."""

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        *,
        user_agent: str,
        ca_file: str | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._connect_seconds = clock.real_seconds(connect_seconds)
        self._read_seconds = clock.real_seconds(read_seconds)
        self._user_agent = user_agent
        self._ca_file = ca_file
        self._proxy = proxy_of(self._base_url)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        tls: ssl.SSLContext | bool = ssl.create_default_context(cafile=self._ca_file) if self._ca_file else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls, keepalive_timeout=KEEP_ALIVE_SECONDS),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip"},
            timeout=aiohttp.ClientTimeout(
                total=None,
                sock_connect=self._connect_seconds,
                sock_read=max(self._read_seconds, HEADERS_SECONDS_MAX),
            ),
            auto_decompress=True,
            # Of the environment only the proxy is taken: a .netrc would put its own credentials into the calls.
            trust_env=False,
        )
        # aiohttp repeats a read whose kept connection breaks: a second call, for which no place is held at the gate.
        self._session._retry_connection = False  # noqa: SLF001  # no public switch
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator[WireAnswer]:
        """Send one request over the shared session; raises WireError."""
        if self._session is None:
            raise RuntimeError("the wire is not open")
        with _translated():
            response = await self._session.request(
                request.method,
                URL(self._base_url + request.target, encoded=True),
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
                proxy=self._proxy,
            )
        async with response:
            yield _HttpAnswer(response, self._read_seconds)

    async def close(self) -> None:
        """Close the session and its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def is_page(answer: WireAnswer) -> bool:
    """Whether an answer is a message of Marketo's, or of a gateway before it, and no file."""
    content_type = answer.headers.get("Content-Type", "")
    return "json" in content_type or "html" in content_type


def proxy_of(base_url: str) -> str | None:
    """The proxy that the environment names for a host (HTTPS_PROXY, NO_PROXY); never one for this machine itself."""
    address = URL(base_url)
    host = address.host or ""
    if host == "localhost" or host.startswith("127.") or host == "::1" or proxy_bypass(host):
        return None
    proxy = getproxies().get(address.scheme)
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


class _translated:  # noqa: N801  # reads as the statement it is: with _translated()
    """Turn aiohttp's exceptions into WireError at this one edge. Messages name no URL: it may carry a secret."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        match error:
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
                raise WireError("the server's TLS certificate is not trusted", sent=False) from error
            case aiohttp.ClientConnectorDNSError():
                raise WireError("the host's name is not known", sent=False) from error
            case aiohttp.ClientConnectorError():
                reason = os.strerror(error.os_error.errno) if error.os_error.errno else "refused"
                raise WireError(f"no connection: {reason}", sent=False) from error
            case aiohttp.ClientHttpProxyError():
                raise WireError(f"the proxy opens no tunnel (HTTP {error.status})", sent=False) from error
            case aiohttp.InvalidURL():
                raise WireError("the address is no URL", sent=False) from error
            case aiohttp.ConnectionTimeoutError():
                raise WireError("no connection within the time allowed", sent=False) from error
            case aiohttp.ServerTimeoutError() | asyncio.TimeoutError():
                raise WireError("no data within the time allowed", sent=True) from error
            case aiohttp.ClientPayloadError():
                raise WireError("the answer ended early", sent=True) from error
            case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
                raise WireError("the connection broke", sent=True) from error
            case aiohttp.ClientError() | OSError():
                raise WireError(f"the exchange failed ({type(error).__name__})", sent=True) from error
            case _:
                return

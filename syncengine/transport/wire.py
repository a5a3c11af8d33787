"""How bytes travel: the one module of the engine that imports aiohttp, behind a protocol small enough to imitate.

One session with keep-alive and gzip; no redirects, so the bearer token never leaves the instance's host; no retries,
so that each byte sent is known to the client. Failures are told apart by one question: can the server have seen the
whole request?

An upload announces its length and is never sent in chunks, so that a body which is cut on the way is no body. An answer
that comes while it is still being sent ends the sending, and is read.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from syncengine.clock import Clock
from syncengine.transport.upload import Outgoing, WrongSize

CONNECT_SECONDS = 10.0
# Between two reads of a body, and for taking a piece of ours; the whole may take as long as it flows.
READ_SECONDS = 60.0
PIECE_BYTES = 256 * 1024
# The caller knows for how long headers are worth waiting for; this only ends what a caller forgot.
HEADERS_SECONDS_MAX = 300.0
# Shorter than servers and proxies keep idle connections: one that they close first breaks the next call.
KEEP_ALIVE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One HTTP request. `target` is the path with its encoded query; `repr` hides headers and body.

    An `upload` stands in the place of a body, and is used up by one sending.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    upload: Outgoing | None = field(default=None, repr=False)


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
    """The exchange broke. `sent` tells whether the server may have seen the whole request, `begun` a part of it."""

    def __init__(self, message: str, *, sent: bool, begun: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.begun = sent or begun

    @property
    def code(self) -> str:
        """The code under which the verdict table knows this failure."""
        return "NET_POST" if self.sent else "NET_PRE"


class _Body(aiohttp.Payload):
    """An upload as aiohttp sends it: `seconds` are allowed for each piece to be taken."""

    _autoclose = True  # nothing is open before or after `write`

    def __init__(self, outgoing: Outgoing, seconds: float) -> None:
        super().__init__(outgoing, content_type=outgoing.content_type)
        self._size = outgoing.size
        self._seconds = seconds

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002  # aiohttp's signature
        raise TypeError("an upload is not held as text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        is_done = False
        try:
            async with aclosing(self._value.pieces()) as pieces:
                async for piece in pieces:
                    async with asyncio.timeout(self._seconds):
                        await writer.write(piece)
            is_done = True
        finally:
            # An orderly close would first wait, for ever perhaps, until what is buffered has been taken.
            if not is_done and (transport := getattr(writer, "transport", None)):
                transport.abort()


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
        """Send one request over the shared session; raises WireError, and what an upload's source raises."""
        if self._session is None:
            raise RuntimeError("the wire is not open")
        upload = request.upload
        try:
            with _translated(upload):
                response = await self._session.request(
                    request.method,
                    URL(self._base_url + request.target, encoded=True),
                    headers=request.headers,
                    data=_Body(upload, self._read_seconds) if upload else request.body,
                    allow_redirects=False,
                    proxy=self._proxy,
                )
            async with response:
                yield _HttpAnswer(response, self._read_seconds)
        finally:
            if upload is not None:
                # aiohttp sends in a task of its own, which may still be at the file.
                await upload.closed()

    async def close(self) -> None:
        """Close the session and its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


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

    def __init__(self, upload: Outgoing | None = None) -> None:
        self._upload = upload

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, aiohttp.ClientError | OSError):
            return
        message, sent = told(error)
        if self._upload is None or not sent:
            raise WireError(message, sent=sent) from error
        match self._upload.failure:
            case WrongSize() as failure:
                raise WireError(str(failure), sent=False, begun=True) from failure
            case Exception() as failure:
                raise failure
            case _:
                raise WireError(message, sent=self._upload.is_whole, begun=self._upload.is_begun) from error


def told(error: aiohttp.ClientError | OSError) -> tuple[str, bool]:
    """What happened, and whether a server may have seen the request: all of it, if it was no upload."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            message, sent = "the server's TLS certificate is not trusted", False
        case aiohttp.ClientConnectorDNSError():
            message, sent = "the host's name is not known", False
        case aiohttp.ClientConnectorError():
            message, sent = (
                f"no connection: {os.strerror(error.os_error.errno) if error.os_error.errno else 'refused'}",
                False,
            )
        case aiohttp.ClientHttpProxyError():
            message, sent = f"the proxy opens no tunnel (HTTP {error.status})", False
        case aiohttp.InvalidURL():
            message, sent = "the address is no URL", False
        case aiohttp.ConnectionTimeoutError():
            message, sent = "no connection within the time allowed", False
        case aiohttp.ServerTimeoutError() | TimeoutError():
            message, sent = "no data within the time allowed", True
        case aiohttp.ClientPayloadError():
            message, sent = "the answer ended early", True
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            message, sent = "the connection broke", True
        case _:
            message, sent = f"the exchange failed ({type(error).__name__})", True
    return message, sent

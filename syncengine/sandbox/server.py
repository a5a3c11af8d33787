"""The sandbox over HTTP on loopback: stamps arrivals with the scaled clock, sleeps, streams, breaks what it is told to.

Theory: the instance decides, this module only moves bytes. A call is in flight until its last piece is handed to the
transport; it departs just before that piece, because a client that has read the whole answer may call again before
this task runs. File bytes are counted when the transport has taken them; the socket's send buffer is kept small, so the
count exceeds what a killed client received by little.
"""

import contextlib
import gzip
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import anyio
import orjson
from aiohttp import web

from syncengine.sandbox.clock import SandboxClock, http_date, real_now
from syncengine.sandbox.control import CONTROL_PREFIX
from syncengine.sandbox.files import SpoolFiles
from syncengine.sandbox.instance import Instance
from syncengine.sandbox.messages import PIECE_BYTES, Exchange, FileBody, Request
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.routes import body_bytes_max

GZIP_BYTES_MIN = 1_024
SEND_BUFFER_BYTES = 65_536
CONTROL_BYTES_MAX = 100_000_000
REQUEST_LINE_BYTES_MAX = 65_536
# A throttled file goes out in this many pieces a second, so that its pace is even.
PIECES_A_SECOND = 20
# Rows of imports that are written between two answers, and how often that is done in real seconds.
ROWS_AT_ONCE = 1_000
WRITING_SECONDS, RESTING_SECONDS = 0.001, 0.02


@dataclass(frozen=True, slots=True)
class Ready:
    """Where the sandbox listens and what a client needs to use it."""

    base_url: str
    client_id: str
    client_secret: str
    control_key: str
    name: str


class Handler:
    """Answers HTTP requests from an instance."""

    def __init__(self, instance: Instance, clock: SandboxClock) -> None:
        self._instance = instance
        self._clock = clock

    async def __call__(self, http: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await self._body(http)
        except ConnectionError:
            body = None
        if body is None:
            # A call whose body did not come whole never was one.
            return _hung_up(http)
        request = Request(http.method, http.path, http.query, http.headers, body)
        exchange = self._instance.arrive(request, self._clock.now())
        try:
            if exchange.latency_seconds > 0:
                await self._clock.sleep(exchange.latency_seconds)
            if exchange.is_dropped:
                return _hung_up(http)
            if isinstance(exchange.response.body, bytes) and exchange.damage is None:
                return self._whole(http, exchange, exchange.response.body)
            return await self._streamed(http, exchange)
        except ConnectionError:
            # The client left in the middle of its answer: a normal end, not an error to log.
            return _hung_up(http)
        finally:
            self._depart(exchange)

    async def _body(self, http: web.BaseRequest) -> bytes | None:
        """The body, or so much of it that the instance sees that it is too large; None when it is cut on purpose."""
        if not http.can_read_body:
            return b""
        cut = self._instance.body_cut(http.method, http.path, self._clock.now())
        is_control = http.path.startswith(CONTROL_PREFIX)
        bytes_max = CONTROL_BYTES_MAX if is_control else body_bytes_max(http.method, http.path)
        parts, size = [], 0
        while size <= bytes_max and (cut is None or size < cut) and (part := await http.content.readany()):
            parts.append(part)
            size += len(part)
        return b"".join(parts) if cut is None else None

    def _whole(self, http: web.BaseRequest, exchange: Exchange, body: bytes) -> web.Response:
        headers = dict(exchange.response.headers)
        headers["Date"] = http_date(self._clock.now())
        if len(body) >= GZIP_BYTES_MIN and "gzip" in http.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, compresslevel=1, mtime=0)
        return web.Response(status=exchange.response.status, headers=headers, body=body)

    async def _streamed(self, http: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        answer, damage = exchange.response, exchange.damage
        reply = web.StreamResponse(status=answer.status, headers=dict(answer.headers))
        reply.headers["Date"] = http_date(self._clock.now())
        if exchange.body_bytes is not None and (damage is None or damage.kind != "truncate"):
            reply.content_length = exchange.body_bytes
        _keep_buffer_small(http)
        await reply.prepare(http)
        export_id = answer.body.export_id if isinstance(answer.body, FileBody) else ""
        sent = 0
        for piece, is_last in _marked(exchange.pieces(self._piece_bytes(export_id))):
            if is_last:
                self._depart(exchange)
            await reply.write(piece)
            sent += len(piece)
            if export_id:
                self._instance.counters.sent(export_id, len(piece))
                if self._instance.options.bandwidth and not is_last:
                    await self._clock.sleep(len(piece) / self._instance.options.bandwidth)
            if damage is not None and damage.kind == "stall" and sent == damage.at_byte:
                await self._clock.sleep(damage.seconds)
        if damage is not None and damage.kind == "reset":
            return _hung_up(http)
        await reply.write_eof()
        return reply

    def _piece_bytes(self, export_id: str) -> int:
        bandwidth = self._instance.options.bandwidth
        if not export_id or not bandwidth:
            return PIECE_BYTES
        return max(1, min(PIECE_BYTES, int(bandwidth * self._clock.speed / PIECES_A_SECOND)))

    def _depart(self, exchange: Exchange) -> None:
        self._instance.depart(exchange, self._clock.now())


def _marked(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last."""
    held = next(pieces, None)
    while held is not None:
        following = next(pieces, None)
        yield held, following is None
        held = following


def _hung_up(http: web.BaseRequest) -> web.Response:
    if http.transport is not None:
        http.transport.abort()
    return web.Response()


def _keep_buffer_small(http: web.BaseRequest) -> None:
    if http.transport is not None and (sock := http.transport.get_extra_info("socket")) is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


async def serve(
    options: SandboxOptions, *, host: str = "127.0.0.1", port: int = 0, ready: Callable[[Ready], None]
) -> None:
    """Run an instance until this task is cancelled or, in the main thread, SIGTERM comes.

    `ready` is called once the port is open. Raises ValueError for a host that is not a loopback address.
    """
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"the sandbox listens on a loopback address only, not on {host}")
    started = options if options.start is not None else replace(options, start=real_now())
    # Signals are heard before anyone learns that the sandbox is ready: a quick caller may end it at once.
    with _termination() as terminated, contextlib.closing(SpoolFiles()) as files:
        instance = Instance(started, files=files)
        # Building the data takes a while: the clock starts when it is done, at the instant that the data ends with.
        clock = SandboxClock(started)
        instance.rows_at_once = ROWS_AT_ONCE
        server = web.Server(Handler(instance, clock), max_line_size=REQUEST_LINE_BYTES_MAX)
        runner = web.ServerRunner(server, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            bound = runner.addresses[0][1]
            shown_host = f"[{host}]" if ":" in host else host
            ready(
                Ready(
                    f"http://{shown_host}:{bound}",
                    options.client_id,
                    options.client_secret,
                    options.control_key,
                    options.name,
                )
            )
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_import_rows, instance, clock)
                await terminated()
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await runner.cleanup()


async def _import_rows(instance: Instance, clock: SandboxClock) -> None:
    """Write the rows of imports in small parts, so that answers go out in between."""
    while True:
        written = instance.advance(clock.now())
        await anyio.sleep(WRITING_SECONDS if written else RESTING_SECONDS)


@contextlib.contextmanager
def _termination() -> Iterator[Callable[[], Awaitable[None]]]:
    """A wait for SIGTERM, which is heard from here on; outside the main thread a wait without end."""
    if threading.current_thread() is not threading.main_thread():
        yield anyio.sleep_forever
        return
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:

        async def terminated() -> None:
            async for _ in signals:
                return

        yield terminated


def run(options: SandboxOptions, host: str = "127.0.0.1", port: int = 0, ready_file: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT; `ready_file` then holds a Ready as JSON, written whole or not at all."""

    def announce(ready: Ready) -> None:
        if ready_file is not None:
            write_ready(ready_file, ready)

    async def main() -> None:
        await serve(options, host=host, port=port, ready=announce)

    with contextlib.suppress(KeyboardInterrupt):
        anyio.run(main)


def write_ready(path: Path, ready: Ready) -> None:
    """Write `ready` as JSON, readable by the owner alone, in one step."""
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(orjson.dumps(asdict(ready)))
    partial.replace(path)

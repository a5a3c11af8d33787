"""A wire that joins the real engine to the real sandbox core in one loop of virtual time: a network, without sockets.

Each call arrives at an instant of its own, after the network's jitter; from then on this module does what the
sandbox's server does: waits the latency, sends the body in pieces at the bandwidth asked for, breaks what the fault
script wants broken, and lets the call depart just before its last piece. What the engine's own wire makes of a broken
connection is made of it here, too. A client that leaves departs at once.
"""

import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

from syncengine.clock import Clock
from syncengine.sandbox.clock import http_date
from syncengine.sandbox.instance import Instance
from syncengine.sandbox.messages import PIECE_BYTES, Exchange, FileBody, Request
from syncengine.transport.wire import READ_SECONDS, WireError, WireRequest


class SandboxWire:
    """The wire of one engine to an instance; several may share instance and clock, and differ in `user_agent`."""

    def __init__(
        self,
        instance: Instance,
        clock: Clock,
        *,
        seed: int = 1,
        jitter_seconds: tuple[float, float] = (0.0, 0.0),
        user_agent: str = "simulation",
    ) -> None:
        self._instance = instance
        self._clock = clock
        self._random = random.Random(f"wire {seed} {user_agent}")
        self._jitter_seconds = jitter_seconds
        self._user_agent = user_agent

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator["SandboxAnswer"]:
        await self._clock.sleep(self._random.uniform(*self._jitter_seconds))
        body = request.body or b""
        if request.upload is not None:
            self._cut(request)
            body = b"".join([piece async for piece in request.upload.pieces()])
        exchange = self._instance.arrive(as_arrived(request, body, self._user_agent), self._wall())
        try:
            # Headers may take as long as the caller waits for them; only silence within a body ends the engine's read.
            await self._clock.sleep(exchange.latency_seconds)
            if exchange.is_dropped:
                raise WireError("the connection broke", sent=True)
            yield SandboxAnswer(self._instance, exchange, self._clock)
        finally:
            self._instance.depart(exchange, self._wall())

    def _cut(self, request: WireRequest) -> None:
        """Let the connection break before a body's last byte, where the fault script says so."""
        path = urlsplit(request.target).path
        if self._instance.body_cut(request.method, path, self._wall()) is not None:
            raise WireError("the connection broke", sent=False, begun=True)

    async def close(self) -> None:
        """Nothing is held open."""

    def _wall(self) -> float:
        return self._clock.now().timestamp()


class SandboxAnswer:
    """An answer on its way: the body arrives while it is read."""

    def __init__(self, instance: Instance, exchange: Exchange, clock: Clock) -> None:
        self.status = exchange.response.status
        self.headers: Mapping[str, str] = _headers(exchange, clock)
        self._instance = instance
        self._exchange = exchange
        self._clock = clock

    async def read(self, limit: int) -> bytes:
        body = b"".join([piece async for piece in self.pieces()])
        if len(body) > limit:
            raise WireError(f"the answer is longer than {limit} bytes", sent=True)
        return body

    async def pieces(self) -> AsyncIterator[bytes]:
        exchange, damage = self._exchange, self._exchange.damage
        body = exchange.response.body
        export_id = body.export_id if isinstance(body, FileBody) else ""
        bandwidth = self._instance.options.bandwidth if export_id else None
        sent = 0
        for piece, is_last in _marked(exchange.pieces(PIECE_BYTES)):
            if is_last:
                self._instance.depart(exchange, self._clock.now().timestamp())
            elif bandwidth:
                await self._clock.sleep(len(piece) / bandwidth)
            sent += len(piece)
            if export_id:
                self._instance.counters.sent(export_id, len(piece))
            yield piece
            if damage is not None and damage.kind == "stall" and sent == damage.at_byte:
                await self._silence(damage.seconds)
        if damage is not None and damage.kind == "reset":
            raise WireError("the answer ended early", sent=True)

    async def _silence(self, seconds: float) -> None:
        await self._clock.sleep(min(seconds, READ_SECONDS))
        if seconds > READ_SECONDS:
            raise WireError("no data within the time allowed", sent=True)


def as_arrived(request: WireRequest, body: bytes, user_agent: str) -> Request:
    """The engine's request as the sandbox reads it off a connection."""
    target = urlsplit(request.target)
    headers = {"User-Agent": user_agent, **request.headers}
    query = dict(parse_qsl(target.query, keep_blank_values=True))
    return Request(request.method, target.path, query, headers, body)


def _headers(exchange: Exchange, clock: Clock) -> dict[str, str]:
    headers = {**exchange.response.headers, "Date": http_date(clock.now().timestamp())}
    if exchange.body_bytes is not None and (exchange.damage is None or exchange.damage.kind != "truncate"):
        headers["Content-Length"] = str(exchange.body_bytes)
    return headers


def _marked(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last."""
    held = next(pieces, None)
    while held is not None:
        following = next(pieces, None)
        yield held, following is None
        held = following

"""Connections to what the daemon shows: so many at once, each for so long, whatever the other side does.

aiohttp lets go of who sends nothing, and waits for a reader of its answer as long as it takes. Here every connection
ends after a minute; only one that follows the live values may stay.
"""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

CONNECTIONS_MAX = 64
CONNECTION_SECONDS = 60.0
KEEPALIVE_SECONDS = 15.0
LINE_BYTES_MAX = 4_096
HEADERS_BYTES_MAX = 8_190


@dataclass(slots=True)
class Door:
    """Who is inside."""

    inside: "set[Connection]" = field(default_factory=set)


class Connection(web.RequestHandler):
    """One connection, with an end. What is not HTTP gets an answer that says nothing of what answers."""

    __slots__ = ("_door", "_end")

    def __init__(self, door: Door, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # what aiohttp itself gives for no log
            keepalive_timeout=KEEPALIVE_SECONDS,
            max_line_size=LINE_BYTES_MAX,
            max_field_size=HEADERS_BYTES_MAX,
            lingering_time=0.0,
        )
        self._door = door
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        self._door.inside.add(self)
        if len(self._door.inside) > CONNECTIONS_MAX:
            transport.abort()
            return
        self._end = asyncio.get_running_loop().call_later(CONNECTION_SECONDS, transport.abort)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.stay()
        self._door.inside.discard(self)
        super().connection_lost(exc)

    def stay(self) -> None:
        """This connection may last: somebody else sees to it that its reader keeps reading."""
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  # aiohttp's signature; whoever sends this gets no details
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        response = web.Response(status=status, text=f"{HTTPStatus(status).phrase}\n", headers={"Server": "syncengine"})
        response.force_close()
        return response

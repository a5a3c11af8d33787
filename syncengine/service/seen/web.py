"""The daemon over HTTP: status page, live values, metrics and health; it only shows, and nothing can be done by it.

Routes and answers are here; who may look is decided by `guard`, how long a connection may last by `door`, and what is
shown by `page`, `live`, `metrics` and `readiness`. No access is logged.
"""

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from urllib.parse import urlsplit

import anyio
from aiohttp import web

from syncengine.config import Secret
from syncengine.config.service_rules import listens_on_loopback
from syncengine.errors import ConfigError
from syncengine.service.seen.door import Connection, Door
from syncengine.service.seen.guard import is_known, refused
from syncengine.service.seen.live import LISTENERS_MAX, events
from syncengine.service.seen.metrics import CONTENT_TYPE, Metrics
from syncengine.service.seen.page import Page
from syncengine.service.seen.readiness import unready
from syncengine.service.seen.snapshots import Snapshots
from syncengine.threads import run_blocking

# A reader who takes nothing for so long is let go.
WRITE_SECONDS = 10.0
SHUTDOWN_SECONDS = 2.0
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Server": "syncengine",
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
ASSETS = {
    "/style.css": "text/css",
    "/live.js": "text/javascript",
    "/icon-good.svg": "image/svg+xml",
    "/icon-bad.svg": "image/svg+xml",
}
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Site:
    """What is shown at which path."""

    token: Secret | None
    snapshots: Snapshots
    metrics: Metrics
    heartbeat: Callable[[], bool]
    ending: anyio.Event = field(default_factory=anyio.Event)
    listeners: int = 0
    page: Page = field(default_factory=Page)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to any request; a fault of ours is one line, without a traceback."""
        refusal = refused(self.token, request.method, request.path, request.headers, has_body=request.body_exists)
        if refusal:
            response = said(refusal.text, refusal.status)
            response.headers.update(refusal.headers)
            if request.body_exists:
                response.force_close()
            return response
        routes: dict[str, Answer] = {
            "/": self._page,
            "/live": self._live,
            "/metrics": self._metrics,
            "/healthz": self._alive,
            "/readyz": self._ready,
            **dict.fromkeys(ASSETS, self._asset),
        }
        if request.path not in routes:
            return said("There is nothing here; the status page is at /.", 404)
        try:
            return await routes[request.path](request)
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:  # noqa: BLE001  # the page of a daemon says so, whatever it is
            # The class alone: a message may quote what it choked on.
            logging.getLogger(__name__).warning("%s could not be shown: %s", request.path, type(error).__name__)
            return said(f"This cannot be shown: a fault of syncengine's own ({type(error).__name__}).", 500)

    async def _page(self, _: web.BaseRequest) -> web.StreamResponse:
        snapshot = await self.snapshots.latest()
        # Some ten milliseconds of plain work: calls to Marketo need not wait for it.
        text = await run_blocking(lambda: self.page.render(snapshot))
        return web.Response(text=text, content_type="text/html", charset="utf-8", headers=HEADERS)

    async def _metrics(self, _: web.BaseRequest) -> web.StreamResponse:
        body = self.metrics.render(await self.snapshots.latest())
        return web.Response(body=body, headers={**HEADERS, "Content-Type": CONTENT_TYPE})

    async def _alive(self, _: web.BaseRequest) -> web.StreamResponse:
        return said("alive") if self.heartbeat() else said("The daemon has not moved for too long.", 503)

    async def _ready(self, request: web.BaseRequest) -> web.StreamResponse:
        reasons = unready(await self.snapshots.latest())
        if not reasons:
            return said("ready")
        if is_known(self.token, request.headers):
            lines = [f"{each.subject}: {each.text}" for each in reasons]
        else:
            lines = [f"{each.subject} is not ready" for each in reasons]
        return said("\n".join(lines), 503)

    async def _asset(self, request: web.BaseRequest) -> web.StreamResponse:
        text = (files("syncengine.service.seen") / "templates" / request.path[1:]).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=ASSETS[request.path], charset="utf-8", headers=HEADERS)

    async def _live(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.listeners >= LISTENERS_MAX:
            return said("Too many are listening already; the page works without live values.", 503)
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"})
        self.listeners += 1
        try:
            await response.prepare(request)
            if request.method == "GET":
                if isinstance(request.protocol, Connection):
                    request.protocol.stay()
                async for event in events(self.snapshots, self.ending):
                    with self.snapshots.clock.fail_after(WRITE_SECONDS):
                        await response.write(event)
        except TimeoutError:
            # What it has not read is not sent any more.
            if request.transport:
                request.transport.abort()
        finally:
            self.listeners -= 1
        return response


def said(text: str, status: int = 200) -> web.Response:
    """A line or more of plain text."""
    return web.Response(text=f"{text}\n", status=status, headers=HEADERS)


@asynccontextmanager
async def serving(
    address: str, *, token: Secret | None, snapshots: Snapshots, metrics: Metrics, heartbeat: Callable[[], bool]
) -> AsyncIterator[str]:
    """Show everything at HOST:PORT for as long as the block lasts; gives the URL of the status page.

    `heartbeat` says whether the daemon lives. Raises ConfigError when nothing can listen there, and without a token
    when others than this machine could ask.
    """
    if token is None and not listens_on_loopback(address):
        raise ConfigError(
            f"others could read what is shown at {address}",
            advice="Set [service] token, or let it listen on 127.0.0.1.",
        )
    parts = urlsplit(f"//{address}")
    site, door, loop = Site(token, snapshots, metrics, heartbeat), Door(), asyncio.get_running_loop()
    server = web.Server(site.answer, handler_cancellation=True)
    try:
        listening = await loop.create_server(lambda: Connection(door, server, loop), parts.hostname, parts.port or 0)
    except OSError as error:
        raise ConfigError(_unheard(address, error), advice="Choose another [service] listen.") from None
    failed: list[Exception] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(snapshots.keep_fresh)
        try:
            host, port = listening.sockets[0].getsockname()[:2]
            yield f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        except Exception as error:  # noqa: BLE001  # raised again below, where no group wraps it
            failed.append(error)
        finally:
            with anyio.CancelScope(shield=True):
                listening.close()
                site.ending.set()
                await server.shutdown(SHUTDOWN_SECONDS)
            tasks.cancel_scope.cancel()
    for reason in failed:
        raise reason


def _unheard(address: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"something else listens on {address}"
    if error.errno == errno.EACCES:
        return f"this user may not listen on {address}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"this machine has no such address as {address}"
    return f"nothing can listen on {address}: {error.strerror or type(error).__name__}"

"""A load that wants more than an instance allows, through the engine's client or through another limiter.

Every call is the cheapest there is, so that nothing but the limits slows it down. Used by the benchmark over HTTP and
by its twin in virtual time.
"""

from collections.abc import Callable

import anyio

from benchmarks.limiters import Limiter
from syncengine.clock import Clock
from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import usage
from syncengine.marketo.reply import Reply, read
from syncengine.marketo.rows import Token
from syncengine.transport.client import HEADERS_SECONDS, Client
from syncengine.transport.request import as_request
from syncengine.transport.tokens import Tokens
from syncengine.transport.wire import Wire, WireError

# More than may be in flight, so that somebody always waits.
ENGINE_WORKERS = 30
# What a client keeps in flight that knows the limit but has only its own tasks to hold it.
LIMITER_WORKERS = 10


async def through_engine(client: Client, is_over: Callable[[], bool]) -> None:
    """Call as fast as the engine's client lets us until `is_over`; raises what a call raises.

    The task that keeps the client's token fresh is the caller's, as it is in the engine.
    """

    async def work() -> None:
        while not is_over():
            await client.send(usage.today())

    async with anyio.create_task_group() as workers:
        for _ in range(ENGINE_WORKERS):
            workers.start_soon(work)


async def through_limiter(
    wire: Wire, clock: Clock, limiter: Limiter, identity: Callable[[], Call[Token]], is_over: Callable[[], bool]
) -> None:
    """The same with ten workers behind another limiter. Refusals are taken as they come; the server counts them."""

    async def send(call: Call[object], token: str) -> bytes:
        await limiter.turn()
        with clock.fail_after(clock.io_seconds(HEADERS_SECONDS)):
            async with wire.send(as_request(call, token, {})) as answer:
                return await answer.read(1_000_000)

    async def fetch() -> Token:
        # The window of these limiters is full at times, and then the identity call is refused like any other.
        while True:
            reply = read(200, "application/json", await send(identity(), ""))
            if isinstance(reply, Reply):
                return identity().decode(reply)

    async def work() -> None:
        while not is_over():
            try:
                await send(usage.today(), await tokens.current())
            except (WireError, TimeoutError):
                continue

    tokens = Tokens(fetch, clock)
    async with anyio.create_task_group() as workers:
        for _ in range(LIMITER_WORKERS):
            workers.start_soon(work)

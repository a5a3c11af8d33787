"""An event loop whose time is virtual: it jumps to the next timer as soon as nothing else can happen.

Threads started through `run_in_executor` are counted, and the loop never jumps while one is running: work on a real
database or file takes no virtual time. A loop with nothing left to wait for raises instead of hanging.
"""

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Any, TypeVar

from syncengine.clock import ScaledClock

T = TypeVar("T")

ORIGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for real only while threads run; otherwise moves the loop's time."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.loop.threads_running:
            return super().select(None)
        if timeout is None:
            raise RuntimeError("nothing can happen any more: every task waits and no timer is set")
        # asyncio fires timers up to a nanosecond early: always land behind it, or a short wait would never end.
        self.loop.virtual_seconds += timeout + 1e-9
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` is virtual seconds; anyio, aiolimiter and aiohttp all read it."""

    def __init__(self) -> None:
        self.virtual_seconds = 1_000.0
        self.threads_running = 0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.virtual_seconds

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # typeshed's TypeVarTuple form says the same
        self.threads_running += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  # asyncio's own
        """asyncio ends its executor from a thread of its own, which has to count as one too."""
        self.threads_running += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self.threads_running -= 1

    def _thread_done(self, _: asyncio.Future[Any]) -> None:
        self.threads_running -= 1


def run_virtual(main: Callable[[], Awaitable[T]]) -> T:
    """Run `main()` to its end on a fresh virtual loop."""

    async def call() -> T:
        return await main()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(call())


def virtual(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Mark an async test (or hypothesis body) to run in virtual time."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        run_virtual(lambda: test(*args, **kwargs))

    return run


def virtual_clock(origin: datetime = ORIGIN) -> ScaledClock:
    """A clock over the running virtual loop that starts at `origin`; threads read the loop's time too."""
    return ScaledClock(1.0, origin, asyncio.get_running_loop().time)

"""The only place that asks what time it is.

Three views of time, all read from the running event loop so that a loop with virtual time moves every part of the
engine at once: `now` is the wall clock (aware UTC), `monotonic` never steps back and measures waits, `sleep` waits.
A `ScaledClock` runs `scale` times fast beside a sandbox that does the same: every figure of the engine stays in
Marketo's seconds and only this module knows the factor.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

import anyio
from aiolimiter import AsyncLimiter

# However fast the clock, a peer's CPU works at its own pace: no time-out on real I/O is shorter than this.
REAL_TIMEOUT_SECONDS_MIN = 5.0


class Clock(Protocol):
    """What every part of the engine takes instead of the modules time, datetime and asyncio.sleep."""

    def now(self) -> datetime:
        """The present instant, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start, comparable between processes of one boot."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; zero or less only lets other tasks run."""
        ...

    def fail_after(self, seconds: float) -> AbstractContextManager[anyio.CancelScope]:
        """Raise TimeoutError when the block is still running after `seconds`."""
        ...

    def move_on_after(self, seconds: float) -> anyio.CancelScope:
        """Leave the block when it is still running after `seconds`."""
        ...

    def io_seconds(self, seconds: float) -> float:
        """`seconds` as a time-out on I/O, by this clock: longer where real time is too short for real I/O."""
        ...

    def real_seconds(self, seconds: float) -> float:
        """The same time-out in real seconds."""
        ...

    def pacer(self, times: int, seconds: float) -> AsyncLimiter:
        """Something to pass before what must not happen in a hot loop: `times` at once, and as often in `seconds`.

        A leaky bucket: at its start, up to twice as many fit into `seconds`. Where a bound has to hold exactly, it is
        the gate's window that holds it.
        """
        ...


def _loop_time() -> float:
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        # Threads and plain functions have no loop; asyncio's own clock is the same one.
        return time.monotonic()


class SystemClock:
    """Real time; `skew` is added so that `now` agrees with the server's own clock."""

    def __init__(self, skew: timedelta = timedelta()) -> None:
        self.skew = skew

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skew  # noqa: TID251  # this is the place

    def monotonic(self) -> float:
        return _loop_time()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(0.0, seconds))

    def fail_after(self, seconds: float) -> AbstractContextManager[anyio.CancelScope]:
        return anyio.fail_after(seconds)

    def move_on_after(self, seconds: float) -> anyio.CancelScope:
        return anyio.move_on_after(seconds)

    def io_seconds(self, seconds: float) -> float:
        return seconds

    def real_seconds(self, seconds: float) -> float:
        return seconds

    def pacer(self, times: int, seconds: float) -> AsyncLimiter:
        return AsyncLimiter(times, seconds)


class ScaledClock:
    """`scale` seconds pass here in one second of the loop; the origin is the server's clock at the start.

    With scale 1 and a loop of virtual time this is the clock of every test.
    """

    def __init__(self, scale: float, origin: datetime, monotonic: Callable[[], float] = _loop_time) -> None:
        if scale <= 0:
            raise ValueError(f"a clock's scale is a positive number, not {scale}")
        self.scale = scale
        self._read = monotonic
        self._origin = origin
        self._anchor = self.monotonic()

    def now(self) -> datetime:
        return self._origin + timedelta(seconds=self.monotonic() - self._anchor)

    def monotonic(self) -> float:
        return self._read() * self.scale

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(0.0, seconds / self.scale))

    def fail_after(self, seconds: float) -> AbstractContextManager[anyio.CancelScope]:
        return anyio.fail_after(seconds / self.scale)

    def move_on_after(self, seconds: float) -> anyio.CancelScope:
        return anyio.move_on_after(seconds / self.scale)

    def io_seconds(self, seconds: float) -> float:
        return max(seconds, REAL_TIMEOUT_SECONDS_MIN * self.scale) if self.scale > 1 else seconds

    def real_seconds(self, seconds: float) -> float:
        return self.io_seconds(seconds) / self.scale

    def pacer(self, times: int, seconds: float) -> AsyncLimiter:
        return AsyncLimiter(times, seconds / self.scale)

"""Two limiters that many clients use and that do not keep Marketo's window, to be shown beside the engine's own.

Each gives the right to send one call, and ten workers at most are in flight with it; that is all they know.
"""

from collections import deque
from typing import Protocol

import anyio
from aiolimiter import AsyncLimiter

from syncengine.clock import Clock


class Limiter(Protocol):
    """Something that makes a caller wait for its turn to send."""

    async def turn(self) -> None:
        """Return when one call may be sent."""
        ...


class LeakyBucket:
    """aiolimiter with the figures that Marketo publishes; it reads the loop's time, which runs `scale` times slower."""

    def __init__(self, scale: float = 1.0, calls: int = 100, seconds: float = 20.0) -> None:
        self._bucket = AsyncLimiter(calls, seconds / scale)

    async def turn(self) -> None:
        await self._bucket.acquire()


class SendTimeWindow:
    """An exact sliding window over the moments of sending, which are not those of arriving."""

    def __init__(self, clock: Clock, calls: int = 100, seconds: float = 20.0) -> None:
        self._clock = clock
        self._calls = calls
        self._seconds = seconds
        self._sent: deque[float] = deque()
        self._line = anyio.Lock()

    async def turn(self) -> None:
        async with self._line:
            if len(self._sent) >= self._calls:
                await self._clock.sleep(self._sent.popleft() + self._seconds - self._clock.monotonic())
            self._sent.append(self._clock.monotonic())

"""The sandbox's own clock, `speed` times as fast as the machine's; separate because the core never reads a clock."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

import anyio

from syncengine.sandbox.options import SandboxOptions


def real_now() -> datetime:
    """The machine's wall clock, aware UTC."""
    return datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251  # the sandbox shares no code with syncengine.clock


def http_date(now: float) -> str:
    """Unix seconds as an HTTP Date header."""
    return format_datetime(datetime.fromtimestamp(int(now), UTC), usegmt=True)


class SandboxClock:
    """Sandbox time = start + (machine's monotonic time since then) * speed."""

    def __init__(self, options: SandboxOptions, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.speed = options.speed
        self._start = options.start_seconds
        self._read = monotonic
        self._anchor = monotonic()

    def now(self) -> float:
        """Unix seconds of the sandbox."""
        return self._start + (self._read() - self._anchor) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of the sandbox."""
        await anyio.sleep(max(0.0, seconds / self.speed))

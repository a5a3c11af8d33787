"""A value that is read again when somebody looks and it is old; whoever looks waits for it only so long.

Apart from what is read, since files, databases and the limiter's slots may all be slow or stuck, and a page that says
"as of two minutes ago" is worth more than one that never comes.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

from syncengine.clock import Clock

T = TypeVar("T")

# The first value is waited for longer: without one there is nothing to show.
FIRST_PATIENCE = 4


class Kept(Generic[T]):
    """What `read` gave last. `read` says in its value what went wrong, and raises nothing.

    Nothing is read but in `keep`, one reading at a time, and only while somebody asks.
    """

    def __init__(
        self, read: Callable[[], Awaitable[T]], clock: Clock, *, fresh_seconds: float, patience_seconds: float
    ) -> None:
        self._read = read
        self._clock = clock
        self._fresh_seconds = fresh_seconds
        self._patience_seconds = patience_seconds
        self._value: T | None = None
        self._read_at = float("-inf")
        self._asked = anyio.Event()
        self._answered = anyio.Event()

    async def keep(self) -> None:
        """Read whenever somebody asks and the value is old, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked = anyio.Event()
            if self._is_fresh():
                continue  # it was asked for while it was being read
            # What changes from here on is not in this reading: `expire` has to be able to say so.
            self._read_at = self._clock.monotonic()
            self._value = await self._read()
            self._answered.set()
            self._answered = anyio.Event()

    def expire(self) -> None:
        """Something has changed: whoever looks next is not content with what is there."""
        self._read_at = float("-inf")

    async def latest(self) -> T | None:
        """The value, not older than is allowed if that can be had in time; None when there never was one."""
        if not self._is_fresh():
            answered = self._answered
            self._asked.set()
            patience = self._patience_seconds * (FIRST_PATIENCE if self._value is None else 1)
            with self._clock.move_on_after(patience):
                await answered.wait()
        return self._value

    def _is_fresh(self) -> bool:
        return self._value is not None and self._clock.monotonic() - self._read_at < self._fresh_seconds

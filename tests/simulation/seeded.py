"""A loop of virtual time that does the work of threads itself, at instants that a seed draws: a night that replays.

Real threads end in whatever order the machine likes. Here each piece of blocking work is done whole, in the loop, a
moment after it was asked for; the pieces of one executor keep their order, as all of the engine's own executors have
one thread. So a seed gives one interleaving of journal, slots, spool and destination, the same each time.

All that the engine does to the world goes through here, but for what it sends: so this is also where a process can be
ended between any two of its effects, as `kill -9` would. A dead process does nothing more, whatever its `finally` says.
"""

import asyncio
import functools
import random
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from tests.virtual import VirtualLoop

T = TypeVar("T")

# How long blocking work seems to take, at most.
WORK_SECONDS_MAX = 0.01
# After so many turns of the loop without time passing, or so many effects of a night, somebody turns in circles.
TURNS_MAX = 20_000
EFFECTS_MAX = 30_000


class Crash(BaseException):
    """The process is dead. Not an Exception: nothing of the engine may handle it."""


class Life:
    """A process's effects on the world, counted; with a `length` it dies right after that many of them."""

    def __init__(self, length: int | None = None) -> None:
        self._length = length
        self.effects = 0

    @property
    def is_over(self) -> bool:
        """Whether the process is dead."""
        return self._length is not None and self.effects >= self._length

    def go_on(self) -> None:
        """Raise Crash in a dead process."""
        if self.is_over:
            raise Crash

    def end(self) -> None:
        """Let the process be dead from now on."""
        self._length = self.effects

    def spend(self) -> None:
        """One effect has happened; what it gave is never learned when it was the last."""
        self.effects += 1
        if self.effects > EFFECTS_MAX:
            raise RuntimeError("it never ends: the same effects come again and again")
        self.go_on()


class SeededLoop(VirtualLoop):
    """Virtual time without threads. `life` is the life of the process that is simulated at the moment."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.life = Life()
        self._random = random.Random(f"threads {seed}")
        self._last: dict[Executor, float] = {}
        self._turns = 0
        self._turned_at = 0.0

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]  # not in typeshed; the only place that sees every turn
        if self.virtual_seconds > self._turned_at:
            self._turned_at, self._turns = self.virtual_seconds, 0
        self._turns += 1
        if self._turns > TURNS_MAX:
            self._turns = 0
            raise RuntimeError("a hot loop: no time passes any more")

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # typeshed's TypeVarTuple form says the same
        future: asyncio.Future[Any] = self.create_future()
        at = self.time() + self._random.uniform(0.0, WORK_SECONDS_MAX)
        if executor is not None:
            # Timers of one instant fire in any order: a microsecond keeps them apart.
            at = self._last[executor] = max(at, self._last.get(executor, 0.0) + 1e-6)
        self.call_at(at, self._perform, future, func, args)
        return future

    def _perform(self, future: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            self.life.go_on()
            result = func(*args)
            self.life.spend()
        except BaseException as error:  # noqa: BLE001  # whatever the work raises is its caller's
            future.set_exception(error)
        else:
            future.set_result(result)


def seeded(test: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., T]:
    """Mark an async test, or a part of one, to run on a loop of its argument `seed`; without one, of seed 1."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> T:
        with asyncio.Runner(loop_factory=lambda: SeededLoop(kwargs.get("seed", 1))) as runner:
            return runner.run(test(*args, **kwargs))

    return run


def this_loop() -> SeededLoop:
    """The loop under the caller."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SeededLoop)
    return loop

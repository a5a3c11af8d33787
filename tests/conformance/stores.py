"""Every kind of store, for the suites that all of them pass, and a clock that is turned by hand."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
from aiolimiter import AsyncLimiter

from syncengine.jobs.job import Moves
from syncengine.jobs.memory import MemoryJobStore
from syncengine.jobs.sql import open_journal
from syncengine.jobs.store import JobStore

START = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
MOVES = {
    "window": Moves(
        "planned",
        {
            ("planned", "create"): "created",
            ("created", "poll"): "created",
            ("created", "load"): "loaded",
            ("created", "give_up"): "failed",
        },
        frozenset({"loaded", "failed"}),
    ),
    "chunk": Moves("planned", {("planned", "send"): "sent"}, frozenset({"sent"})),
}


class HandClock:
    """A clock that a test turns by hand; nothing here sleeps on it."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant

    def turn(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return (self.instant - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("no store sleeps")

    def fail_after(self, seconds: float) -> Any:
        raise AssertionError("no store sets a time-out")

    def move_on_after(self, seconds: float) -> anyio.CancelScope:
        raise AssertionError("no store sets a time-out")

    def io_seconds(self, seconds: float) -> float:
        return seconds

    def real_seconds(self, seconds: float) -> float:
        return seconds

    def pacer(self, times: int, seconds: float) -> AsyncLimiter:
        raise AssertionError("no store paces anything")


Opening = Callable[[HandClock], AbstractAsyncContextManager[JobStore]]

KINDS = ("memory", "sqlite")


def opening_of(kind: str, folder: Path) -> Opening:
    """A way to open a store of this kind; every opening of it in one folder is the same journal on disk."""

    @asynccontextmanager
    async def in_memory(clock: HandClock) -> AsyncIterator[JobStore]:
        yield MemoryJobStore(MOVES, clock)

    @asynccontextmanager
    async def on_sqlite(clock: HandClock) -> AsyncIterator[JobStore]:
        async with open_journal(folder / "state" / "journal.db", MOVES, clock) as store:
            yield store

    return {"memory": in_memory, "sqlite": on_sqlite}[kind]

"""A value that is read again when somebody looks and it is old."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from syncengine.clock import Clock
from syncengine.service.seen.kept import FIRST_PATIENCE, Kept
from tests.virtual import virtual, virtual_clock

FRESH, PATIENCE = 30.0, 3.0


class Source:
    """Gives 1, 2, 3, ... and takes `seconds` for each."""

    def __init__(self, clock: Clock, seconds: float = 0.0) -> None:
        self.clock, self.seconds, self.readings = clock, seconds, 0

    async def read(self) -> int:
        self.readings += 1
        number = self.readings
        await self.clock.sleep(self.seconds)
        return number


@asynccontextmanager
async def kept(clock: Clock, source: Source) -> AsyncIterator[Kept[int]]:
    """The source's values, being kept."""
    found = Kept(source.read, clock, fresh_seconds=FRESH, patience_seconds=PATIENCE)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(found.keep)
        yield found
        tasks.cancel_scope.cancel()


@virtual
async def test_nothing_is_read_until_somebody_looks_and_then_only_when_it_is_old() -> None:
    """However many look, a value is read once in its time."""
    clock = virtual_clock()
    source = Source(clock)
    async with kept(clock, source) as value:
        await clock.sleep(1_000)
        assert 0 == source.readings
        assert [1, 1, 1] == [await value.latest() for _ in range(3)]
        await clock.sleep(FRESH - 1)
        assert 1 == await value.latest()
        await clock.sleep(1)
        assert 2 == await value.latest()
    assert 2 == source.readings


@virtual
async def test_those_who_look_at_once_wait_for_one_reading() -> None:
    """One reading serves all of them, and none follows it."""
    clock = virtual_clock()
    source, found = Source(clock, seconds=1.0), list[int | None]()

    async def look() -> None:
        found.append(await value.latest())

    async with kept(clock, source) as value:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(look)
                await clock.sleep(0.1)
        await clock.sleep(10)
    assert ([1] * 5, 1) == (found, source.readings)


@virtual
async def test_a_reading_that_hangs_is_waited_for_only_so_long() -> None:
    """Whoever looks gets what was known before; without anything known, nothing, and later than that."""
    clock = virtual_clock()
    source = Source(clock, seconds=1.0)
    async with kept(clock, source) as value:
        assert 1 == await value.latest()
        source.seconds = 600.0
        await clock.sleep(FRESH)
        began = clock.monotonic()
        assert 1 == await value.latest()
        assert PATIENCE <= clock.monotonic() - began < PATIENCE + 1
    source = Source(clock, seconds=600.0)
    async with kept(clock, source) as value:
        began = clock.monotonic()
        assert await value.latest() is None
        assert PATIENCE * FIRST_PATIENCE <= clock.monotonic() - began < PATIENCE * FIRST_PATIENCE + 1


@virtual
async def test_what_changed_during_a_reading_is_read_again() -> None:
    """A reading that began before the change does not count as new, although it ends after it."""
    clock = virtual_clock()
    source = Source(clock, seconds=2.0)
    async with kept(clock, source) as value, anyio.create_task_group() as tasks:
        tasks.start_soon(value.latest)
        await clock.sleep(1.0)
        value.expire()
        await clock.sleep(2.0)
        assert 2 == await value.latest()

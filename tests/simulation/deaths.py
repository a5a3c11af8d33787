"""Processes that die: a wire whose caller may die while its call is under way, and one run of a mortal process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from syncengine.jobs.lease import LEASE_TTL_SECONDS
from syncengine.transport.wire import Wire, WireAnswer, WireRequest
from tests.simulation.nights import Night
from tests.simulation.seeded import Life, this_loop


class MortalWire:
    """The wire of a process that may die while its call is under way."""

    def __init__(self, wire: Wire, life: Life) -> None:
        self._wire = wire
        self._life = life

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator["MortalAnswer"]:
        self._life.go_on()
        async with self._wire.send(request) as answer:
            self._life.spend()
            yield MortalAnswer(answer, self._life)

    async def close(self) -> None:
        await self._wire.close()


class MortalAnswer:
    """An answer whose reader may die after each piece that it has put away."""

    def __init__(self, answer: WireAnswer, life: Life) -> None:
        self._answer = answer
        self._life = life
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers

    async def read(self, limit: int) -> bytes:
        return await self._answer.read(limit)

    async def pieces(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.pieces():
            yield piece
            self._life.spend()


async def dies(night: Night, life: Life) -> bool:
    """Let a process sync for as long as its life is; False when it had come to its end before."""
    loop = this_loop()
    async with night.process(lambda wire: MortalWire(wire, life)) as parts:
        loop.life = life
        try:
            await night.run(parts)
        except BaseException:
            if not life.is_over:
                raise
        finally:
            loop.life = Life()  # what is left is to close files, as the operating system does for the dead
    return life.is_over


async def mourned(night: Night) -> None:
    """Wait until the dead process's lease is over: nobody can prove that its holder is dead, for we are that holder."""
    await night.clock.sleep(LEASE_TTL_SECONDS + 1.0)

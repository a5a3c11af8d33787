"""What dies with a process beside its wire: its journal's pen; and who has seen which answers arrive."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from syncengine.jobs.store import JobStore
from syncengine.transport.wire import Wire, WireAnswer, WireRequest
from tests.simulation.seeded import Life


class Through:
    """A journal behind which another one stands; what is not changed here passes."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class MortalStore(Through):
    """The journal in memory of a process that may die before and after each of its transactions."""

    def __init__(self, store: JobStore, life: Life) -> None:
        super().__init__(store)
        self._life = life

    def __getattr__(self, name: str) -> Any:
        call: Callable[..., Awaitable[Any]] = getattr(self.store, name)

        async def transaction(*args: Any, **kwargs: Any) -> Any:
            self._life.go_on()
            given = await call(*args, **kwargs)
            self._life.spend()
            return given

        return transaction


class Witness:
    """A wire that notes which batch ids have reached a living process."""

    def __init__(self, wire: Wire, life: Life, note: Callable[[int], None]) -> None:
        self._wire = wire
        self._life = life
        self._note = note

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator[WireAnswer]:
        async with self._wire.send(request) as answer:
            is_create = request.upload is not None
            yield Witnessed(answer, self._told) if is_create else answer

    async def close(self) -> None:
        await self._wire.close()

    def _told(self, body: bytes) -> None:
        try:
            said = orjson.loads(body)
        except orjson.JSONDecodeError:
            return
        for batch in said.get("result") or () if not self._life.is_over else ():
            self._note(batch["batchId"])


class Witnessed:
    """An answer whose whole body is shown to the witness."""

    def __init__(self, answer: WireAnswer, told: Callable[[bytes], None]) -> None:
        self._answer = answer
        self._told = told
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers

    async def read(self, limit: int) -> bytes:
        body = await self._answer.read(limit)
        self._told(body)
        return body

    async def pieces(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.pieces():
            yield piece

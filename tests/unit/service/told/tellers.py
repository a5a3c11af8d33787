"""A teller at work for tests: its channels follow a script, its memory outlives it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import orjson

from syncengine.clock import Clock
from syncengine.config.service import NotifySettings
from syncengine.service.told.channels import Channel
from syncengine.service.told.notices import Kind, Message, Notice
from syncengine.service.told.telling import NAME, Teller
from tests.virtual import ORIGIN

SETTINGS = NotifySettings(most_per_hour=3)


@dataclass(slots=True)
class Scripted:
    """A channel that fails with `failures` first, and takes `seconds` for each try."""

    clock: Clock
    name: str = "webhook"
    failures: list[Exception] = field(default_factory=list)
    seconds: float = 0.0
    tried: list[tuple[float, str]] = field(default_factory=list)
    taken: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        self.tried.append(((self.clock.now() - ORIGIN).total_seconds() // 1, message.title))
        await self.clock.sleep(self.seconds)
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(message)

    @property
    def titles(self) -> list[str]:
        return [message.title for message in self.taken]


@dataclass(slots=True)
class Kept:
    """A memory that outlives tellers. With a `clock` it takes a second to write, and never two things at once."""

    values: dict[str, bytes] = field(default_factory=dict)
    failure: Exception | None = None
    clock: Clock | None = None
    is_writing: bool = False

    async def recall(self, name: str) -> Any:
        if self.failure:
            raise self.failure
        return orjson.loads(self.values[name]) if name in self.values else None

    async def remember(self, name: str, value: Any) -> None:
        if self.failure:
            raise self.failure
        assert not self.is_writing
        self.is_writing = True
        try:
            with anyio.CancelScope(shield=True):
                await (self.clock.sleep(1) if self.clock else anyio.lowlevel.checkpoint())
            self.values[name] = orjson.dumps(value)
        finally:
            self.is_writing = False

    def box(self) -> tuple[list[str], list[str]]:
        """What waits for the webhook, by title, and when others were sent, to the second."""
        box = orjson.loads(self.values[NAME])["boxes"]["webhook"]
        return [each["title"] for each in box["waiting"]], [each[:19] for each in box["sent"]]


def notice(subject: str = "nightly", kind: Kind = "failure", text: str = "It broke.", **more: Any) -> Notice:
    return Notice(kind=kind, instance="acme", subject=subject, text=text, at=more.pop("at", ORIGIN), **more)


def failed(*subjects: str) -> list[str]:
    return [f"acme: {subject} failed" for subject in subjects]


@dataclass(slots=True)
class Told:
    """A teller at work, and what it logs."""

    teller: Teller
    logged: list[str]


@asynccontextmanager
async def telling(
    channels: Sequence[Channel],
    clock: Clock,
    memory: Kept | None = None,
    settings: NotifySettings = SETTINGS,
    **more: Any,
) -> AsyncIterator[Told]:
    logged: list[str] = []
    teller = Teller(settings, channels=channels, memory=memory or Kept(), clock=clock, log=logged.append, **more)
    task = asyncio.ensure_future(teller.run())
    try:
        await clock.sleep(0)
        yield Told(teller, logged)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

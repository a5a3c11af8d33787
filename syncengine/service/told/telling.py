"""Telling the operator: notices come in at any time, messages go out when a channel takes them, in tasks of their own.

`tell` decides at once, by `notices` and `outbox`; what it decided is kept in a memory, so that a restart neither
repeats nor forgets. A message is sent first and crossed out then: after a kill in between it comes twice, which is
better than never. A channel that fails has its own patience, and holds up no other.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

import anyio

from syncengine.clock import Clock
from syncengine.config import NetworkSettings
from syncengine.config.service import NotifySettings
from syncengine.service.told.channels import Channel, Undelivered
from syncengine.service.told.notices import Known, Message, Notice, discreet, judge
from syncengine.service.told.outbox import Outbox, put, room_in, settled, summed
from syncengine.service.told.redaction import Discretion

NAME = "notices"
# After each of these a message is tried again, for a day: what takes Marketo away may well take the channel too.
WAITS_SECONDS = (5.0, 15.0, 60.0, 300.0, *[900.0] * 95)
# What a stop allows for the messages that still wait; they are kept, and sent after the next start.
LAST_SECONDS = 5.0
# Before the memory has been read, so many notices are held.
EARLY_MAX = 1_000


class Memory(Protocol):
    """Something that outlives the process: JSON values by name."""

    async def recall(self, name: str) -> Any:
        """The value that was kept under a name, or None."""
        ...

    async def remember(self, name: str, value: Any) -> None:
        """Keep a value in place of an earlier one."""
        ...


class Teller:
    """Takes notices, and sends those that are news over every channel; `run` does the sending.

    `log` takes one sentence for what could not be told; `secrets` are in no message, whatever a notice holds.
    """

    def __init__(
        self,
        settings: NotifySettings,
        *,
        channels: Sequence[Channel],
        memory: Memory,
        clock: Clock,
        secrets: Collection[str] = (),
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._channels = channels
        self._memory = memory
        self._clock = clock
        self._discretion = Discretion(secrets)
        self._log = log
        self._known: Known | None = None
        self._boxes = {channel.name: Outbox() for channel in channels}
        self._wakers = {channel.name: asyncio.Event() for channel in channels}
        self._early: deque[Notice] = deque()
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()

    def tell(self, notice: Notice) -> None:
        """Take a notice. Never blocks and never raises; without a channel there is nobody to tell."""
        if not self._channels:
            return
        if self._known is not None:
            self._admit(self._known, notice)
        elif len(self._early) < EARLY_MAX:
            self._early.append(notice)
        else:
            self._log("a notice came before any could be told, and after too many others: it is lost")

    def renew(self, secrets: Collection[str]) -> None:
        """Keep these secrets from now on, and no others: the configuration was read again."""
        self._discretion = Discretion(secrets)

    async def run(self) -> None:
        """Send until cancelled; then what waits has a short last chance, one try each."""
        known = await self._recall()
        self._known = known
        while self._early:
            self._admit(self._known, self._early.popleft())
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(self._keep())
            serving = [group.create_task(self._serve(channel)) for channel in self._channels]
            try:
                await anyio.sleep_forever()
            finally:
                self._stopping.set()
                for waker in self._wakers.values():
                    waker.set()
                with anyio.CancelScope(shield=True):
                    with self._clock.move_on_after(self._clock.io_seconds(LAST_SECONDS)):
                        if serving:
                            await asyncio.wait(serving)
                    keeping.cancel()
                    await asyncio.wait([keeping])
                    await self._save()

    def _admit(self, known: Known, notice: Notice) -> None:
        try:
            self._known, message = judge(known, discreet(notice, self._discretion.line), self._settings)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a notice, the work that it is about goes on
            self._log(f"a notice cannot be told ({type(error).__name__})")
            return
        self._changed.set()
        if message is None:
            return
        for name, box in self._boxes.items():
            self._boxes[name] = put(box, message, now=self._clock.now(), most=self._settings.most_per_hour)
            self._wakers[name].set()

    async def _serve(self, channel: Channel) -> None:
        """Send what waits for one channel, in its order."""
        name, most = channel.name, self._settings.most_per_hour
        while True:
            waker = self._wakers[name]
            waker.clear()
            box = self._boxes[name] = summed(self._boxes[name], now=self._clock.now(), most=most)
            if box.waiting:
                if not await self._deliver(channel, box.waiting[0]):
                    return
                self._boxes[name] = settled(self._boxes[name], now=self._clock.now())
                self._changed.set()
            elif self._stopping.is_set():
                return
            else:
                room = room_in(box, now=self._clock.now(), most=most)
                with self._clock.move_on_after(room.total_seconds() if room is not None else float("inf")):
                    await waker.wait()

    async def _deliver(self, channel: Channel, message: Message) -> bool:
        """Send one message or give it up; False when a stop comes first, and the message has to wait."""
        for seconds in (*WAITS_SECONDS, None):
            was_stopping = self._stopping.is_set()
            failure = await self._try(channel, message)
            if failure is None:
                return True
            if seconds is None or not failure.again:
                self._log(f"{channel.name}: {message.title!r} was not delivered, and is given up: {failure}")
                return True
            if was_stopping:
                return False
            with self._clock.move_on_after(max(seconds, failure.after_seconds)):
                await self._stopping.wait()
        return True

    async def _try(self, channel: Channel, message: Message) -> Undelivered | None:
        try:
            await channel.send(message)
        except Undelivered as failure:
            return failure
        except Exception as error:  # noqa: BLE001  # a fault of one channel must not end the others
            return Undelivered(f"the channel failed ({type(error).__name__})", again=False)
        return None

    async def _keep(self) -> None:
        """Write down each change; changes that come meanwhile are written together."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._save()

    async def _save(self) -> None:
        import orjson

        value = orjson.loads(orjson.dumps({"known": self._known, "boxes": self._boxes}))
        try:
            await self._memory.remember(NAME, value)
        except Exception as error:  # noqa: BLE001  # a full disk is what there is to tell of
            self._log(f"what has been told cannot be written down ({type(error).__name__})")

    async def _recall(self) -> Known:
        try:
            kept = await self._memory.recall(NAME)
            if kept is None:
                return Known()
            known = Known.of(kept["known"])
            boxes = {name: Outbox.of(each) for name, each in kept["boxes"].items()}
        except Exception as error:  # noqa: BLE001  # without it all is told anew
            self._log(f"what has been told before cannot be read ({type(error).__name__})")
            return Known()
        for name, box in boxes.items():
            if name in self._boxes:
                self._boxes[name] = box
            elif box.notices:
                self._log(f"{name} is no longer in [notify]: what waited for it is dropped ({box.notices:,} in all)")
        return known


def open_channels(settings: NotifySettings, network: NetworkSettings, clock: Clock) -> tuple[Channel, ...]:
    """The ways that [notify] names; none when it names none. Nothing is connected before the first message."""
    from syncengine.service.told.mail import Mail
    from syncengine.service.told.webhook import Webhook

    found: list[Channel] = []
    if settings.webhook:
        found.append(Webhook(settings.webhook, network, clock))
    if settings.smtp_host and settings.mail_from and settings.mail_to:
        found.append(Mail(settings, network, clock))
    return tuple(found)

"""The seam between telling and the ways by which a message leaves: what a channel does, and how it fails."""

from typing import Protocol

from syncengine.service.told.notices import Message

# The longest that a server may take over one message, whatever it does meanwhile.
SEND_SECONDS = 30.0


class Undelivered(Exception):
    """A message was not taken. `again` says whether trying again may help, `after_seconds` when the server wants it.

    The text names neither the server nor anybody who should have got the message.
    """

    def __init__(self, message: str, *, again: bool = True, after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.again = again
        self.after_seconds = after_seconds


class Channel(Protocol):
    """A way to somebody. `name` is the key of what waits for it."""

    name: str

    async def send(self, message: Message) -> None:
        """Try once, within a bounded time; raises Undelivered."""
        ...

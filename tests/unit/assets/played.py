"""A client whose answers a test gives: no wire, no gate, no token."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeVar

import anyio
import anyio.lowlevel

from syncengine.marketo.call import Call
from syncengine.marketo.reply import Reply
from syncengine.transport.client import Client
from syncengine.transport.retry import Patience

T = TypeVar("T")
Rows = Sequence[Mapping[str, Any]]
Answer = Callable[[Call[Any]], Rows | Exception]


class Played(Client):
    """Gives the rows, or raises the error, that `answer` says; `waits` is for how many turns each call is under way.

    A call is answered as things are when it arrives, which is after its turns.
    """

    def __init__(self, answer: Answer, waits: Iterator[int] | None = None) -> None:
        self.sent: list[Call[Any]] = []
        self._answer = answer
        self._waits = waits or repeat(0)

    async def send(self, call: Call[T], *, patience: Patience | None = None) -> T:
        self.sent.append(call)
        for _ in range(1 + next(self._waits)):
            await anyio.lowlevel.checkpoint()
        rows = self._answer(call)
        if isinstance(rows, Exception):
            raise rows
        return call.decode(Reply(result=tuple(rows)))

"""Several at a time: how the calls of this room share the gate, which lets ten through.

The first error ends what is under way and comes out as it is, in no group.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import anyio

T = TypeVar("T")

# As many as go in flight, and as many again that wait to take a place as soon as it is free.
AT_ONCE = 20


async def together(tasks: Sequence[Callable[[], Awaitable[Any]]]) -> list[Any]:
    """The results of a few tasks, all of which run at once, in their order."""
    found: list[Any] = [None] * len(tasks)

    async def run(place: int) -> None:
        found[place] = await tasks[place]()

    await crew(range(len(tasks)), run, at_once=len(tasks))
    return found


async def crew(items: Iterable[T], work: Callable[[T], Awaitable[None]], *, at_once: int = AT_ONCE) -> None:
    """Do `work` for each item, so many at once; the items are taken one by one, as workers get free."""
    waiting = iter(items)
    failed: list[Exception] = []

    async def serve() -> None:
        for item in waiting:
            try:
                await work(item)
            except Exception as error:  # noqa: BLE001  # raised below, where no group wraps it
                failed.append(error)
                group.cancel_scope.cancel()
                return

    async with anyio.create_task_group() as group:
        for _ in range(at_once):
            group.start_soon(serve)
    for error in failed:
        raise error

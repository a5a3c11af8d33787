"""Doing something for as long as something else takes."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


async def beside(meanwhile: Callable[[], Coroutine[Any, Any, None]], work: Callable[[], Awaitable[T]]) -> T:
    """What `work` gives or raises; `meanwhile` runs beside it and is cancelled at its end."""
    results: list[T] = []
    failed: list[Exception] = []
    async with anyio.create_task_group() as group:
        group.start_soon(meanwhile)
        try:
            results.append(await work())
        except Exception as error:  # noqa: BLE001  # raised again below, where no group wraps it
            failed.append(error)
        group.cancel_scope.cancel()
    for reason in failed:
        raise reason
    return results[0]

"""Blocking work, off the loop: the one door to threads, counted by a loop that simulates time."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

import anyio

T = TypeVar("T")


async def run_blocking(function: Callable[[], T], executor: Executor | None = None) -> T:
    """Run `function` in a thread and give its result.

    A cancelled caller still waits for the thread: work on a database or a file is never abandoned half known.
    """
    future = asyncio.get_running_loop().run_in_executor(executor, function)
    with anyio.CancelScope(shield=True):
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            # A native cancel (not through a scope) reaches even here: the thread is awaited all the same.
            await asyncio.wait([future])
            raise
    return future.result()


async def drive(steps: Iterator[T], tell: Callable[[T], None]) -> None:
    """Take a generator's steps in a thread, one after another, so that a stop is heard between two of them.

    In one thread of their own: the C library gives each thread a heap, and what is freed in one serves no other.
    """
    with ThreadPoolExecutor(1) as thread:
        while (step := await run_blocking(lambda: next(steps, None), thread)) is not None:
            tell(step)

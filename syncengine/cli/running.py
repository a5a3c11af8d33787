"""Runs a command's async part so that Ctrl-C and SIGTERM are a normal way to end: cancel, keep what is done, say so.

A second signal ends the process at once; the journal and the destination bear that too.
"""

import os
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from anyio import CancelScope
    from anyio.abc import TaskStatus

T = TypeVar("T")

STOPPING = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """A signal ended the command before its work was done; `resume` says how to go on."""

    def __init__(self, resume: str) -> None:
        super().__init__(resume)
        self.resume = resume


def run(work: Callable[[], Awaitable[T]], *, resume: str = "Nothing was changed.") -> T:
    """Run `work` to its end on an event loop of its own. Raises Interrupted after a signal."""
    import anyio

    return anyio.run(_until_signal, work, resume)


async def _until_signal(work: Callable[[], Awaitable[T]], resume: str) -> T:
    import anyio

    if threading.current_thread() is not threading.main_thread():
        return await work()
    interrupted = False

    async def watch(scope: "CancelScope", *, task_status: "TaskStatus[None]") -> None:
        nonlocal interrupted
        with anyio.open_signal_receiver(*STOPPING) as signals:
            task_status.started()
            async for number in signals:
                if interrupted:
                    signal.signal(number, signal.SIG_DFL)
                    os.kill(os.getpid(), number)
                interrupted = True
                scope.cancel()

    async with anyio.create_task_group() as watching:
        scope = anyio.CancelScope()
        await watching.start(watch, scope)
        with scope:
            result = await work()
            watching.cancel_scope.cancel()
            return result
        watching.cancel_scope.cancel()
    raise Interrupted(resume)

"""A group that is kept going in a place of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import anyio

from syncengine.service.schedule.group import Group
from syncengine.service.schedule.memo import Memo, remember
from syncengine.service.schedule.reactions import Attempt
from syncengine.service.schedule.tally import Tally
from tests.unit.service.placed import NAME, PlayedPlace

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
TIMES = "30 2 * * * UTC"


async def no_folders(_: str, __: Tally) -> Attempt:
    """There are none."""
    return Attempt("done")


@asynccontextmanager
async def keeping(place: PlayedPlace) -> AsyncIterator[Group]:
    """A group that is kept going as long as the block lasts."""
    group = Group(place, "nightly", no_folders)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(group.keep)
        yield group
        tasks.cancel_scope.cancel()


async def missed_since(place: PlayedPlace, settled: datetime, **more: Any) -> None:
    """The daemon was down since the night of `settled`."""
    await remember(place.journal, NAME, "nightly", Memo(settled, TIMES, **more))

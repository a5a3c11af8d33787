"""Doing something for as long as something else takes."""

import anyio
import pytest

from syncengine.transport.beside import beside
from tests.virtual import virtual


@virtual
async def test_it_lasts_as_long_as_the_work() -> None:
    """What runs beside it is cancelled when the work is done, and the work's result is given."""
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            await anyio.sleep(1.0)
            ticks.append(anyio.current_time())

    async def work() -> str:
        await anyio.sleep(3.5)
        return "done"

    assert "done" == await beside(tick, work)
    await anyio.sleep(5.0)
    assert 3 == len(ticks)


@virtual
async def test_what_the_work_raises_comes_out_as_it_is() -> None:
    """No group of exceptions wraps it."""

    async def work() -> None:
        raise OSError(5, "disk")

    with pytest.raises(OSError, match="disk"):
        await beside(anyio.sleep_forever, work)

"""A word from above to whoever works on jobs."""

import anyio

from syncengine.jobs.halt import Halt
from tests.virtual import virtual, virtual_clock


@virtual
async def test_a_halt_reaches_all_who_listen_once_and_for_good() -> None:
    """Those who wait already, and those who come later."""
    clock, halt, heard = virtual_clock(), Halt(), list[float]()

    async def listen() -> None:
        await halt.wait()
        heard.append(clock.monotonic() - began)

    began = clock.monotonic()
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(listen)
        await clock.sleep(5.0)
        assert (False, []) == (halt.is_asked, heard)
        halt.ask()
        halt.ask()
        await clock.sleep(1.0)
        tasks.start_soon(listen)
    assert halt.is_asked
    assert [5, 5, 6] == [round(each) for each in heard]

"""What the teller keeps: over a restart, at a stop, and when there is no keeping."""

import asyncio
from dataclasses import replace

import anyio
import orjson
import pytest

from syncengine.service.told.channels import Undelivered
from syncengine.service.told.telling import LAST_SECONDS, NAME, Teller
from tests.unit.service.told.tellers import SETTINGS, Kept, Scripted, failed, notice, telling
from tests.virtual import virtual, virtual_clock


@virtual
async def test_what_came_before_the_start_is_told_after_it() -> None:
    """The memory is read first: what it knows is not told again."""
    clock, memory = virtual_clock(), Kept()
    async with telling((Scripted(clock),), clock, memory) as told:
        told.teller.tell(notice())
        await clock.sleep(1)
    chat = Scripted(clock)
    teller = Teller(SETTINGS, channels=(chat,), memory=memory, clock=clock)
    teller.tell(notice())
    teller.tell(notice("weekly"))
    task = asyncio.ensure_future(teller.run())
    await clock.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    assert failed("weekly") == chat.titles


@virtual
async def test_a_restart_tells_nothing_again() -> None:
    """Not the same trouble, and its end only once."""
    clock, memory = virtual_clock(), Kept()
    channels = [Scripted(clock) for _ in range(3)]
    for channel in channels:
        async with telling((channel,), clock, memory) as told:
            told.teller.tell(notice() if channel is not channels[-1] else notice("nightly", "recovery"))
            await clock.sleep(1)
    assert [failed("nightly"), [], ["acme: nightly works again"]] == [channel.titles for channel in channels]


@virtual
async def test_a_stop_gives_what_waits_one_more_try() -> None:
    """A message in its back-off is tried at once; what fails then is sent after the next start."""
    clock, memory = virtual_clock(), Kept()
    chat = Scripted(clock, failures=[Undelivered("HTTP 500"), Undelivered("HTTP 500")])
    mail = Scripted(clock, "mail", failures=[Undelivered("no connection")])
    async with telling((chat, mail), clock, memory) as told:
        told.teller.tell(notice())
        told.teller.tell(notice("weekly"))
        await clock.sleep(1)
    assert ([1, 1], failed("nightly", "weekly")) == ([at for at, _ in chat.tried[1:]] + [1], mail.titles)
    assert [] == chat.titles
    later = Scripted(clock)
    async with telling((later, mail), clock, memory):
        await clock.sleep(1)
    assert (failed("nightly", "weekly"), failed("nightly", "weekly")) == (later.titles, mail.titles)


@pytest.mark.parametrize("way", ["task", "scope"])
@virtual
async def test_a_stop_is_not_held_up_by_a_server_that_is_silent(way: str) -> None:
    """However it is stopped, what is under way has so many seconds, and is kept."""
    clock, memory = virtual_clock(), Kept()
    chat = Scripted(clock, seconds=3_600)
    teller = Teller(SETTINGS, channels=(chat,), memory=memory, clock=clock)
    async with anyio.create_task_group() as group:
        task = asyncio.ensure_future(teller.run()) if way == "task" else None
        if task is None:
            group.start_soon(teller.run)
        await clock.sleep(1)
        teller.tell(notice())
        await clock.sleep(1)
        before = clock.monotonic()
        if task is None:
            group.cancel_scope.cancel()
        else:
            task.cancel()
            await asyncio.wait([task])
    assert LAST_SECONDS == pytest.approx(clock.monotonic() - before, abs=0.1)
    assert failed("nightly") == [
        each["title"] for each in orjson.loads(memory.values[NAME])["boxes"]["webhook"]["waiting"]
    ]


@virtual
async def test_a_memory_that_fails_stops_nothing() -> None:
    """A full disk is what there is to tell of."""
    clock, memory = virtual_clock(), Kept(failure=OSError("canary"))
    chat = Scripted(clock)
    async with telling((chat,), clock, memory) as told:
        told.teller.tell(notice())
        await clock.sleep(1)
    assert failed("nightly") == chat.titles
    assert "what has been told before cannot be read (OSError)" == told.logged[0]
    assert {"what has been told cannot be written down (OSError)"} == set(told.logged[1:])


@pytest.mark.parametrize(
    "kept", [b"[]", b'{"known": 1, "boxes": {}}', b'{"known": {"troubles": {}, "once": []}}', b'"x"']
)
def test_a_memory_of_something_else_is_no_memory(kept: bytes) -> None:
    """One line says so, and everything is told anew."""

    @virtual
    async def check() -> None:
        clock = virtual_clock()
        chat = Scripted(clock)
        async with telling((chat,), clock, Kept({NAME: kept})) as told:
            told.teller.tell(notice())
            await clock.sleep(1)
        assert (1, failed("nightly")) == (len(told.logged), chat.titles)

    check()


@virtual
async def test_what_waits_for_a_channel_that_is_gone_is_dropped_with_a_line() -> None:
    """It has been taken out of the configuration."""
    clock, memory = virtual_clock(), Kept()
    mail = Scripted(clock, "mail", failures=[Undelivered("HTTP 500")] * 2)
    async with telling((mail,), clock, memory) as told:
        told.teller.tell(notice())
        await clock.sleep(1)
    async with telling((Scripted(clock),), clock, memory) as told:
        await clock.sleep(1)
    assert ["mail is no longer in [notify]: what waited for it is dropped (1 in all)"] == told.logged


@virtual
async def test_no_secret_leaves_or_is_kept() -> None:
    """Neither in a message, nor in the journal, nor in the log."""
    clock, memory = virtual_clock(), Kept()
    chat = Scripted(clock, failures=[Undelivered("HTTP 404", again=False)])
    bad = "canary-secret jane.canary@example.com https://me:canary@host/ access_token=canary"
    async with telling((chat,), clock, memory, secrets={"canary-secret"}) as told:
        for number in range(5):
            told.teller.tell(replace(notice(f"{bad} {number}", text=bad, details=(bad,)), instance=bad))
        await clock.sleep(3_700)
    shown = [
        *told.logged,
        *(f"{each.title}{each.text}" for each in chat.taken),
        *map(bytes.decode, memory.values.values()),
    ]
    assert 5 == len(shown)
    assert [] == [each for each in shown if "canary" in each or "jane" in each]


@virtual
async def test_what_is_told_is_kept_while_the_teller_works() -> None:
    """A kill at any time forgets neither what waits nor what has been sent."""
    clock, memory = virtual_clock(), Kept()
    chat = Scripted(clock, failures=[Undelivered("HTTP 500")])
    async with telling((chat,), clock, memory) as told:
        told.teller.tell(notice())
        await clock.sleep(1)
        assert (failed("nightly"), []) == memory.box()
        await clock.sleep(10)
        assert ([], ["2026-03-02T08:00:05"]) == memory.box()
        told.teller.tell(notice())
        await clock.sleep(1)
        (trouble,) = orjson.loads(memory.values[NAME])["known"]["troubles"].values()
        assert 1 == trouble["times"]


@virtual
async def test_a_slow_memory_has_the_newest_last() -> None:
    """Two writings at once could end in the wrong order; the one at the stop waits for its turn."""
    clock = virtual_clock()
    chat, memory = Scripted(clock), Kept(clock=clock)
    async with telling((chat,), clock, memory) as told:
        for subject in ("a", "b", "c"):
            told.teller.tell(notice(subject))
            await clock.sleep(0.7)
    assert (failed("a", "b", "c"), []) == (chat.titles, told.logged)
    assert ([], 3) == (memory.box()[0], len(memory.box()[1]))

"""How often each source is read, however many look."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import anyio

from syncengine.choices import open_destination
from syncengine.clock import Clock, ScaledClock
from syncengine.config import Settings
from syncengine.destinations import Destination
from syncengine.service.seen.snapshots import LIVE_SECONDS, SLOW_SECONDS, Snapshots
from tests.unit.service.seen.written import NOW, night, settings_of, standings, write_nights
from tests.virtual import virtual, virtual_clock


@dataclass
class Opened:
    """Counts how often a destination is opened; one of them may hang."""

    names: list[str] = field(default_factory=list)
    hangs: str = ""
    released: Event = field(default_factory=Event)

    def __call__(self, settings: Settings) -> Destination:
        self.names.append(settings.instance.name)
        if settings.instance.name == self.hangs:
            self.released.wait(60)
        return open_destination(settings)


@asynccontextmanager
async def fresh(settings: Sequence[Settings], clock: ScaledClock, **more: Any) -> AsyncIterator[Snapshots]:
    """Snapshots that are kept."""
    clocks = {each.instance.name: clock for each in settings}
    found = Snapshots(settings, standings(), clocks, clock=clock, **more)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(found.keep_fresh)
        yield found
        tasks.cancel_scope.cancel()


@virtual
async def test_the_destination_is_asked_only_now_and_then(tmp_path: Path) -> None:
    """Whoever looks every second takes its lock twice a minute; when nobody looks, never."""
    clock, destination = virtual_clock(NOW), Opened()
    async with fresh(settings_of(tmp_path), clock, destination=destination) as snapshots:
        await clock.sleep(600)
        assert [] == destination.names
        for _ in range(50):
            await snapshots.latest()
            await clock.sleep(1)
        assert 2 == len(destination.names)
        snapshots.changed()
        await snapshots.latest()
    assert 3 == len(destination.names)


@virtual
async def test_what_the_daemon_says_has_changed_is_shown_at_once(tmp_path: Path) -> None:
    """A night that has just ended does not wait for the half minute to be over."""
    clock, settings = virtual_clock(NOW), settings_of(tmp_path)
    async with fresh(settings, clock) as snapshots:
        assert () == (await snapshots.latest()).instances[0].nights
        await write_nights(settings[0], night())
        assert () == (await snapshots.latest()).instances[0].nights
        snapshots.changed()
        assert (night(),) == (await snapshots.latest()).instances[0].nights
        await write_nights(settings[0], night(1))
        await clock.sleep(SLOW_SECONDS)
        assert 2 == len((await snapshots.latest()).instances[0].nights)


@virtual
async def test_the_clock_goes_on_between_readings(tmp_path: Path) -> None:
    """A snapshot is of the moment at which it was asked for, whatever the age of its parts."""
    clock = virtual_clock(NOW)
    async with fresh(settings_of(tmp_path), clock) as snapshots:
        first = (await snapshots.latest()).instances[0]
        await clock.sleep(LIVE_SECONDS)
        second = (await snapshots.latest()).instances[0]
    assert LIVE_SECONDS <= (second.at - first.at).total_seconds() < LIVE_SECONDS + 1
    assert first.journal_read_at == second.journal_read_at
    assert first.live.at < second.live.at


async def test_a_destination_that_hangs_keeps_nobody_waiting_for_long(tmp_path: Path) -> None:
    """The other instance is shown as ever, this one without its cursors; once it answers, with them."""
    # In real time: a thread that hangs holds virtual time still. Patience runs out by a fast clock.
    clock = ScaledClock(100.0, NOW)
    destination = Opened(hangs="acme")
    try:
        async with fresh(settings_of(tmp_path, "acme", "emea"), clock, destination=destination) as snapshots:
            acme, emea = (await snapshots.latest()).instances
            assert ("it has not been read yet", "") == (acme.destination_problem, emea.destination_problem)
            destination.released.set()
            while (await snapshots.latest()).instances[0].destination_problem:
                await clock.sleep(1)
    finally:
        destination.released.set()


@virtual
async def test_another_configuration_shows_other_instances(tmp_path: Path) -> None:
    """After a reload, from the next look on."""
    clock = virtual_clock(NOW)
    async with fresh(settings_of(tmp_path, "acme"), clock) as snapshots:
        assert ["acme"] == [each.name for each in (await snapshots.latest()).instances]
        snapshots.replace(settings_of(tmp_path, "emea", "apac"), {})
        names = [each.name for each in (await snapshots.latest()).instances]
    assert ["emea", "apac"] == names


@virtual
async def test_an_instances_own_clock_is_used_as_soon_as_there_is_one(tmp_path: Path) -> None:
    """A sandbox's clock is known only when the sandbox has answered; until then the machine's stands in."""
    clock, clocks = virtual_clock(NOW), dict[str, Clock]()
    snapshots = Snapshots(settings_of(tmp_path), standings(), clocks, clock=clock)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(snapshots.keep_fresh)
        assert NOW.date() == (await snapshots.latest()).instances[0].live.at.date()
        clocks["acme"] = virtual_clock(NOW + timedelta(days=100))
        await clock.sleep(SLOW_SECONDS)
        (instance,) = (await snapshots.latest()).instances
        tasks.cancel_scope.cancel()
    later = (NOW + timedelta(days=100)).date()
    assert {later} == {
        each.date() for each in (instance.at, instance.live.at, instance.journal_read_at, instance.cursors_read_at)
    }

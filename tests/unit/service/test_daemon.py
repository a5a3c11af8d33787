"""The daemon: what it refuses, what it tells, and how it ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from syncengine.choices import Outside
from syncengine.clock import Clock
from syncengine.config import InstanceSettings, Secret, Settings
from syncengine.errors import AlreadyRunning, ConfigError, Unavailable
from syncengine.observe.events import ConfigRead, DaemonStarted, Event, Trouble
from syncengine.service.daemon import HEARTBEAT_MISSED_SECONDS, Daemon
from tests.simulation.months import LEASE_SECONDS, NAME, SECRET, Month
from tests.simulation.seeded import seeded
from tests.simulation.small import quick_folder
from tests.unit.service.placed import NIGHTLY, START, settings_of
from tests.virtual import virtual_clock

OTHER = "emea"


@dataclass
class House:
    """A daemon, and what it reads and tells. Nothing is ever due in it."""

    clock: Clock
    found: list[Settings]
    bad: ConfigError | None = None
    events: list[tuple[str, Event]] = field(default_factory=list)
    no_clock: set[str] = field(default_factory=set)

    def load(self) -> tuple[Settings, ...]:
        if self.bad is not None:
            raise self.bad
        return tuple(self.found)

    def daemon(self) -> Daemon:
        """A process."""
        return Daemon(
            self.load,
            clock=self.clock,
            observe=lambda instance, event: self.events.append((instance, event)),
            outside=Outside(clock=self._clock, lease_ttl_seconds=LEASE_SECONDS),
        )

    async def _clock(self, settings: Settings) -> Clock:
        if settings.instance.name in self.no_clock:
            raise Unavailable("the sandbox cannot be reached")
        return self.clock

    def told(self, kind: type[Event]) -> list[Any]:
        return [event for _, event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def house(folder: Path, *names: str, **changes: Any) -> AsyncIterator[House]:
    """A configuration of these instances."""
    one = settings_of(folder, **{"schedule": {"nightly": replace(NIGHTLY, cron="0 0 1 1 *")}, **changes})
    yield House(virtual_clock(START), [named(one, name) for name in (names or (NAME,))])


def named(settings: Settings, name: str) -> Settings:
    own = InstanceSettings(name=name, base_url="http://127.0.0.1:9", client_id="id", client_secret=Secret("canary"))
    return replace(settings, instance=own)


@asynccontextmanager
async def running(daemon: Daemon) -> AsyncIterator[None]:
    """The daemon works as long as the block lasts, and is then stopped."""
    async with anyio.create_task_group() as tasks:
        await tasks.start(daemon.run)
        yield
        daemon.stop()


@seeded
async def test_it_says_what_it_has_begun(tmp_path: Path) -> None:
    """Instances, groups and folders; where nothing is shown there is no address. A stop ends it."""
    with quick_folder(tmp_path) as folder:
        async with house(folder, NAME, OTHER) as here:
            daemon = here.daemon()
            async with running(daemon):
                assert [("", DaemonStarted((NAME, OTHER), ("nightly",), (), ""))] == here.events
                await here.clock.sleep(60.0)
                assert {(NAME, "nightly"), (OTHER, "nightly")} == set(daemon.standings.groups)
                before = daemon.standings.is_stopping
            assert (False, True) == (before, daemon.standings.is_stopping)
            assert 0o700 == here.found[0].state.path.stat().st_mode & 0o777


@seeded
async def test_a_configuration_without_work_is_refused(tmp_path: Path) -> None:
    """With what to add; nothing is made on disk."""
    with quick_folder(tmp_path) as folder:
        async with house(folder, schedule={}) as here:
            with pytest.raises(ConfigError, match="has nothing for a daemon to do") as caught:
                await here.daemon().run()
            assert "[schedule.nightly]" in caught.value.advice
            assert not here.found[0].state.path.exists()


@seeded
async def test_a_second_daemon_of_an_instance_is_refused(tmp_path: Path) -> None:
    """It ends with that error alone, and disturbs neither the first nor the state."""
    with quick_folder(tmp_path) as folder:
        async with house(folder, NAME, OTHER) as here:
            first = here.daemon()
            async with running(first):
                with pytest.raises(AlreadyRunning, match="'daemon' of 'acme'"):
                    await here.daemon().run()
                await here.clock.sleep(LEASE_SECONDS)
                assert [] == list(first.standings.problems)
            async with running(here.daemon()):
                pass


@seeded
async def test_what_keeps_an_instance_from_beginning_is_raised_plainly(tmp_path: Path) -> None:
    """A sandbox that is not there, say: not as a group of groups."""
    with quick_folder(tmp_path) as folder:
        async with house(folder) as here:
            here.no_clock = {NAME}
            with pytest.raises(Unavailable):
                await here.daemon().run()


@seeded
async def test_an_instance_that_cannot_begin_stops_no_other(tmp_path: Path) -> None:
    """At the start too: it is told, and begins when it can."""
    with quick_folder(tmp_path) as folder:
        async with house(folder, NAME, OTHER) as here:
            here.no_clock, daemon = {NAME}, here.daemon()
            async with running(daemon):
                await here.clock.sleep(10.0)
                assert {OTHER} == {instance for instance, _ in daemon.standings.groups}
                assert {NAME} == {each.instance for each in daemon.standings.problems}
                here.no_clock = set()
                await here.clock.sleep(3_600.0)
                assert {NAME, OTHER} == {instance for instance, _ in daemon.standings.groups}


@seeded
async def test_a_bad_configuration_is_told_and_not_taken(tmp_path: Path) -> None:
    """On the page, in the log and to people, with each problem; the settings before stay."""
    with quick_folder(tmp_path) as folder:
        async with house(folder) as here:
            daemon = here.daemon()
            async with running(daemon):
                here.bad = ConfigError("nightly.toml has 1 problem", problems=("line 3: cron takes five fields",))
                await daemon.reload()
                (problem,) = daemon.standings.problems
                assert ("", "configuration") == (problem.instance, problem.subject)
                assert (
                    "The configuration was read again and refused; the one before stays. nightly.toml has 1 problem."
                ) == problem.text
                (read,) = here.told(ConfigRead)
                assert not read.accepted
                assert ("nightly.toml has 1 problem", "line 3: cron takes five fields") == read.problems
                here.bad = None
                await daemon.reload()
                assert here.told(ConfigRead)[-1].accepted
                assert daemon.standings.reloaded_at is not None
                assert [] == here.told(Trouble)[1:]


@seeded
async def test_a_configuration_without_work_is_not_taken_either(tmp_path: Path) -> None:
    """Somebody has deleted too much."""
    with quick_folder(tmp_path) as folder:
        async with house(folder) as here:
            daemon = here.daemon()
            async with running(daemon):
                here.found = [replace(here.found[0], schedule={})]
                await daemon.reload()
                assert not here.told(ConfigRead)[0].accepted
                await here.clock.sleep(10.0)
                assert {(NAME, "nightly")} == set(daemon.standings.groups)


@seeded
async def test_an_instance_that_is_added_wrong_is_its_own_affair(tmp_path: Path) -> None:
    """It is told, the others go on, and it begins by itself when what kept it from that is over."""
    with quick_folder(tmp_path) as folder:
        async with house(folder) as here:
            daemon, one = here.daemon(), here.found[0]
            async with running(daemon):
                here.no_clock, here.found = {OTHER}, [one, named(one, OTHER)]
                await daemon.reload()
                assert [(OTHER, "instance", "the sandbox cannot be reached")] == [
                    (each.instance, each.subject, each.text) for each in daemon.standings.problems
                ]
                assert here.told(ConfigRead)[0].accepted
                here.no_clock = set()
                await here.clock.sleep(120.0)
                assert {NAME, OTHER} == {instance for instance, _ in daemon.standings.groups}
                assert [OTHER] == [instance for instance, event in here.events if isinstance(event, Trouble)]


@seeded
async def test_an_instance_that_another_daemon_has_begins_when_it_is_free(tmp_path: Path) -> None:
    """Nobody has to read the configuration again for that."""
    with quick_folder(tmp_path) as folder:
        async with house(folder) as here:
            daemon, one = here.daemon(), here.found[0]
            other = named(one, OTHER)
            async with running(daemon):
                here.found = [one, other]
                async with running(House(here.clock, [other]).daemon()):
                    await daemon.reload()
                    (problem,) = daemon.standings.problems
                    assert (OTHER, True) == (problem.instance, "'daemon' of 'emea' is already running" in problem.text)
                await here.clock.sleep(120.0)
                assert {NAME, OTHER} == {instance for instance, _ in daemon.standings.groups}


@seeded
async def test_an_instance_that_is_taken_out_gives_its_place_back(tmp_path: Path) -> None:
    """Another daemon may have it; it stands nowhere any more."""
    with quick_folder(tmp_path) as folder:
        async with house(folder, NAME, OTHER) as here:
            daemon, (one, other) = here.daemon(), here.found
            async with running(daemon):
                await here.clock.sleep(10.0)
                here.found = [one]
                await daemon.reload()
                await here.clock.sleep(10.0)
                assert {NAME} == {instance for instance, _ in daemon.standings.groups}
                there = House(here.clock, [other])
                async with running(there.daemon()):
                    pass


@seeded
async def test_a_loop_that_hangs_is_noticed(tmp_path: Path) -> None:
    """Its heart beats by itself; nothing else has to happen for it."""
    with quick_folder(tmp_path) as folder:
        async with house(folder) as here:
            daemon = here.daemon()
            async with running(daemon):
                await here.clock.sleep(10 * HEARTBEAT_MISSED_SECONDS)
                assert daemon._is_alive()
            await here.clock.sleep(HEARTBEAT_MISSED_SECONDS + 1.0)
            assert not daemon._is_alive()


@seeded
async def test_two_readings_at_once_are_one_after_the_other(tmp_path: Path) -> None:
    """A signal comes while a group has the file read again: a new instance begins once."""
    with quick_folder(tmp_path) as folder:
        async with house(folder) as here:
            daemon, one = here.daemon(), here.found[0]
            async with running(daemon):
                here.found = [one, named(one, OTHER)]
                async with anyio.create_task_group() as tasks:
                    for _ in range(3):
                        tasks.start_soon(daemon.reload)
                assert [True] * 3 == [each.accepted for each in here.told(ConfigRead)]
                assert [] == list(daemon.standings.problems)


@seeded
async def test_a_secret_that_is_replaced_is_used_without_a_restart(tmp_path: Path) -> None:
    """The night is parked, says so, and goes on when the file has the new one; nothing of either is told."""
    with quick_folder(tmp_path) as folder:
        month = Month(folder, 1, start=START)
        month.configure(schedule={"nightly": NIGHTLY})
        month.rotate_secret("a-new-canary")
        async with anyio.create_task_group() as tasks:
            await month.start(tasks)
            await month.until(START + timedelta(hours=1))
            assert month.daemon is not None
            standing = month.daemon.standings.groups[NAME, "nightly"]
            assert ("parked", True) == (standing.state, standing.needs_somebody)
            new = replace(month.settings.instance, client_secret=Secret("a-new-canary"))
            month.configure(instance=new)
            await month.until(START + timedelta(hours=2))
            assert ["done"] == [night.outcome for night in await month.nights()]
            texts = " ".join(each.text for each in month.daemon.standings.problems)
            assert "canary" not in texts
            assert f" {SECRET} " not in texts
            await month.stop()

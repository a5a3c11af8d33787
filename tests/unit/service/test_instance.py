"""One instance of the daemon: its lease, and what begins and ends with the configuration."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from syncengine.config import GroupSettings
from syncengine.config.service import InboxSettings, NotifySettings, ServiceSettings
from syncengine.errors import AlreadyRunning
from syncengine.jobs.lease import Holder, this_process
from syncengine.service.instance import DAEMON, TAKE_OVER_SECONDS, Instance
from tests.simulation.mortal import Through
from tests.simulation.seeded import seeded
from tests.unit.service.placed import DUE, NAME, NIGHTLY, PlayedPlace, placed, quick, settings_of, synced


@asynccontextmanager
async def kept(place: PlayedPlace) -> AsyncIterator[Instance]:
    """An instance as long as the block lasts."""
    instance = Instance(place, place.clock)
    async with anyio.create_task_group() as tasks:
        await tasks.start(instance.keep)
        yield instance
        tasks.cancel_scope.cancel()


async def settle(place: PlayedPlace) -> None:
    """Let the tasks come to where they wait."""
    await place.clock.sleep(5.0)


def groups(place: PlayedPlace) -> list[str]:
    return sorted(group for _, group in place.standings.groups)


def inbox(folder: Path, name: str = "inbox", **more: Any) -> dict[str, InboxSettings]:
    return {name: InboxSettings(path=folder / name, **more)}


@seeded
async def test_an_instance_is_kept_by_one_daemon() -> None:
    """A second one is refused at its start, and told by whom; the lease ends with the first."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            async with kept(place):
                assert [DAEMON] == [each.work for each in await place.journal.leases(NAME)]
                with pytest.raises(AlreadyRunning, match="'daemon' of 'acme' is already running"):
                    await Instance(place, place.clock).keep()
            assert [] == await place.journal.leases(NAME)


class Foreign(Through):
    """The journal as the container beside ours sees it."""

    async def acquire_lease(self, instance: str, work: str, *, at_least: int = 0) -> Any:
        lease = await self.store.acquire_lease(instance, work, at_least=at_least)
        here = this_process()
        other = Holder(here.pid, here.host, here.boot, "another namespace", here.started)
        return replace(lease, holder=other)


@seeded
async def test_a_silent_daemon_of_another_container_is_outwaited() -> None:
    """Nothing can be proven of it: its claim's time has to end, and the operator is told why nothing happens."""
    with quick() as folder:
        async with placed(settings_of(folder), ttl_seconds=120.0) as place:
            journal = place.journal
            lease = await Foreign(journal).acquire_lease(NAME, DAEMON)

            class Left(Through):
                async def leases(self, instance: str) -> list[Any]:
                    return [lease]

            place.journal = Left(journal)  # type: ignore[assignment]  # it passes all else on
            await journal.release(await journal.acquire_lease(NAME, "other"))
            instance = Instance(place, place.clock)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(instance.keep)
                await place.clock.sleep(60.0)
                assert {} == place.standings.groups
                (problem,) = place.problems
                assert "had this instance and may be gone: waiting until its claim ends." in problem
                tasks.cancel_scope.cancel()


class Lost(Through):
    """A journal whose leases are lost at their next renewal, as those of a process that was frozen for too long."""

    is_frozen = False

    async def renew(self, lease: Any) -> Any:
        if self.is_frozen and lease.work == DAEMON:
            self.is_frozen = False
            taken = await self.store.renew(lease)
            await self.store.release(taken)
        return await self.store.renew(lease)


@seeded
async def test_an_instance_that_was_lost_is_taken_up_again() -> None:
    """Nobody else has gone on with it: after a minute this process does, by the settings of now."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            lost = Lost(place.journal)
            place.journal = lost  # type: ignore[assignment]  # it passes all else on
            async with kept(place) as instance:
                lost.is_frozen = True
                await place.clock.sleep(155.0)
                assert "has passed to another holder" in place.problems[0]
                more = {"hourly": GroupSettings(cron="0 0 1 1 *"), "nightly": NIGHTLY}
                instance.renew(replace(place.settings, schedule=more))
                await place.clock.sleep(TAKE_OVER_SECONDS + 5.0)
                assert [DAEMON] == [each.work for each in await place.journal.leases(NAME)]
                assert "waiting" == place.standings.groups[NAME, "hourly"].state
                await place.until(DUE)
                await settle(place)
                assert ["done"] == [night.outcome for night in await place.nights()]


@seeded
async def test_groups_begin_where_they_belong() -> None:
    """One that names other instances is nothing to this one."""
    with quick() as folder:
        schedule = {
            "nightly": NIGHTLY,
            "mine": replace(NIGHTLY, instances=("emea", NAME)),
            "theirs": replace(NIGHTLY, instances=("emea",)),
        }
        async with placed(settings_of(folder, schedule=schedule)) as place, kept(place):
            await settle(place)
            assert ["mine", "nightly"] == groups(place)


@seeded
async def test_groups_come_and_go_with_the_settings() -> None:
    """What is new begins, what is gone ends and stands nowhere, and what stays is not disturbed."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place, kept(place) as instance:
            await settle(place)
            instance.renew(replace(place.settings, schedule={"nightly": NIGHTLY, "other": NIGHTLY}))
            await settle(place)
            assert ["nightly", "other"] == groups(place)
            instance.renew(replace(place.settings, schedule={"other": NIGHTLY}))
            await settle(place)
            assert ["other"] == groups(place)
            instance.renew(replace(place.settings, schedule={"other": replace(NIGHTLY, instances=("emea",))}))
            await settle(place)
            assert [] == groups(place)
            await place.until(DUE)
            await settle(place)
            assert [] == place.script.asked


@pytest.mark.parametrize(
    ("change", "halts"),
    [
        ({"schedule": {"nightly": NIGHTLY, "other": replace(NIGHTLY, cron="0 0 1 1 *")}}, False),
        ({"service": ServiceSettings(keep_days=3)}, False),
        ({"notify": NotifySettings(quota_percent=3)}, False),
        ({}, False),
        ({"schedule": {"nightly": replace(NIGHTLY, max_hours=3)}}, True),
        ({"streams": {}, "limits": None}, True),
    ],
)
@seeded
async def test_a_night_is_halted_for_what_concerns_it_alone(change: dict[str, Any], halts: bool) -> None:
    """Other groups, folders and what people see leave it at its work."""

    async def until_halted(*, halt: Any, **_: Any) -> Any:
        with place.clock.move_on_after(600.0):
            await halt.wait()
        return synced("partial" if halt.is_asked else "done")

    with quick() as folder:
        async with placed(settings_of(folder), until_halted, synced()) as place, kept(place) as instance:
            await place.until(DUE)
            await settle(place)
            before = place.settings
            if "limits" in change:
                change = {**change, "limits": replace(before.limits, share=0.5)}
            instance.renew(replace(before, **change))
            await settle(place)
            assert (2 if halts else 1) == len(place.script.asked)


@seeded
async def test_a_folder_is_watched_where_its_files_go() -> None:
    """Always, unless a group looks into it at times of its own."""
    with quick() as folder:
        folders = {
            **inbox(folder),
            **inbox(folder, "mine", instance=NAME),
            **inbox(folder, "theirs", instance="emea"),
            **inbox(folder, "timed"),
        }
        schedule = {"files": replace(NIGHTLY, imports=("timed",))}
        async with placed(settings_of(folder, import_=folders, schedule=schedule)) as place, kept(place):
            await settle(place)
            assert ["inbox", "mine"] == sorted(place.standings.inboxes)
            await place.until(DUE)
            await settle(place)
            assert ["inbox", "mine", "timed"] == sorted(place.standings.inboxes)


@seeded
async def test_folders_come_and_go_with_the_settings() -> None:
    """One that is elsewhere now is watched there; one that is gone stands nowhere."""
    with quick() as folder:
        async with placed(settings_of(folder, import_=inbox(folder))) as place, kept(place) as instance:
            await settle(place)
            moved = {"inbox": InboxSettings(path=folder / "moved")}
            instance.renew(replace(place.settings, import_=moved))
            await settle(place)
            assert str(folder / "moved") == place.inbox.path
            instance.renew(replace(place.settings, import_={}))
            await settle(place)
            assert {} == place.standings.inboxes


@seeded
async def test_a_folder_that_gets_a_time_is_not_watched_any_more() -> None:
    """And the other way round."""
    with quick() as folder:
        always = settings_of(folder, import_=inbox(folder))
        timed = replace(always, schedule={"nightly": replace(NIGHTLY, imports=("inbox",))})
        async with placed(always) as place, kept(place) as instance:
            await settle(place)
            looked = place.inbox.looked_at
            assert looked is not None
            instance.renew(timed)
            await settle(place)
            assert {} == place.standings.inboxes
            instance.renew(always)
            await settle(place)
            assert place.inbox.looked_at is not None
            assert looked < place.inbox.looked_at


@seeded
async def test_a_group_drains_the_folders_of_its_own_instance() -> None:
    """Those whose files go into another one are whole here."""
    with quick() as folder:
        folders = {**inbox(folder), **inbox(folder, "theirs", instance="emea")}
        schedule = {"nightly": replace(NIGHTLY, imports=("inbox", "theirs"))}
        async with placed(settings_of(folder, import_=folders, schedule=schedule)) as place, kept(place):
            await place.until(DUE)
            await settle(place)
            assert (["done"], ["inbox"]) == (
                [night.outcome for night in await place.nights()],
                list(place.standings.inboxes),
            )

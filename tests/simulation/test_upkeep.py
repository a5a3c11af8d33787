"""Nights between which the state folder is pruned, lost and restored: the next plan is the same, and no row suffers."""

import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from syncengine.config import InstanceSettings, Secret, Settings, StateSettings, SyncSettings
from syncengine.exports.catalog import Catalog
from syncengine.exports.plan import Planner
from syncengine.state_backup import backup
from syncengine.state_prune import prune
from syncengine.state_reports import PruneReport
from syncengine.state_verify import verify
from syncengine.transport.client import Client
from tests.simulation.deaths import dies, mourned
from tests.simulation.nights import NAME, Night
from tests.simulation.seeded import Life, seeded
from tests.simulation.test_streams import moved, synced
from tests.virtual import virtual

# Streams of each way for which a plan has to ask finished jobs for something.
ASKING = ("leads", "program_members", "opportunity_roles", "programs")
DAY_SECONDS = 86_400.0


def settings_of(night: Night, folder: Path) -> Settings:
    """What the commands of upkeep need to know of a night."""
    instance = InstanceSettings(name=NAME, base_url="http://127.0.0.1:9", client_id="id", client_secret=Secret("x"))
    return Settings(instance=instance, sync=SyncSettings(start=night.reach.start), state=StateSettings(path=folder))


async def pruned(night: Night, folder: Path) -> PruneReport:
    """Prune as if every finished job were old: nothing stays but what is needed."""
    now = night.clock.now() + timedelta(seconds=1)
    return await prune(settings_of(night, folder), timedelta(), now=now)


async def whole(night: Night, folder: Path) -> bool:
    """Whether nothing is wrong with the state."""
    return (await verify((settings_of(night, folder),), now=night.clock.now())).whole


class StillClient:
    """A client whose Marketo always shows one moment, however long looking takes."""

    def __init__(self, client: Client, at: datetime) -> None:
        self.tokens = client.tokens
        self._at = at

    def server_now(self) -> datetime:
        return self._at


async def planned(night: Night, at: datetime) -> Sequence[Any]:
    """Everything that a plan would ask for at a moment, and what it would say of it."""
    async with night.process() as parts:
        client = cast("Client", StillClient(parts.client, at))
        planner = Planner(client, parts.store, parts.destination, NAME, Catalog(parts.client))
        found = await planner.prepare(night.wanted)
    return [
        (each.wanted.name, each.new, each.shape.notes, each.cursor, [job.id for job in each.resumed])
        for each in found.streams
    ]


@virtual
async def test_a_plan_is_the_same_after_a_prune(tmp_path: Path) -> None:
    """Night after night everything that is finished is pruned; of each stream the next plan asks for the very same."""
    night = Night(tmp_path, 31, days=5, streams=ASKING)
    removed = 0
    for number in range(3):
        night.change(update_leads=2, add_leads=1, add_activities=3, seed=number)
        await night.settle()
        # In one night members are read whole again: from then on their jobs are of another generation.
        wanted = night.wanted
        night.wanted = [replace(each, full=number == 1 and each.name == "program_members") for each in wanted]
        await synced(night)
        # A full read of the leads falls due before the last plan.
        night.wanted = [
            replace(each, full=False, full_every=timedelta(days=2) if each.name == "leads" else None) for each in wanted
        ]
        await night.clock.sleep(DAY_SECONDS)
        at = night.clock.now()
        before = await planned(night, at)
        removed += (await pruned(night, tmp_path)).jobs
        assert before == await planned(night, at)
        assert await whole(night, tmp_path)
    assert removed >= 1


@virtual
async def test_what_is_pruned_is_brought_no_second_time(tmp_path: Path) -> None:
    """After a prune a sync without changes moves nothing, and the next one what was changed and no more."""
    night = Night(tmp_path, 32, days=5, streams=("leads", "activities", "lists", "activity_types"))
    for _ in range(3):
        await synced(night)
    report = await pruned(night, tmp_path)
    unchanged = await synced(night)
    night.change(update_leads=2, add_leads=1, add_activities=3, seed=1)
    await night.settle()
    changed = await synced(night)

    assert report.jobs >= 2
    assert {} == moved(unchanged)
    assert {"leads": 3, "activities": 3} == moved(changed)


@pytest.mark.parametrize("length", [40, 90, 140, 190])
@seeded
async def test_what_a_dead_process_left_is_no_leftover(tmp_path: Path, length: int) -> None:
    """A night that died in its middle is pruned before it goes on: its windows and their files stay, and all comes."""
    night = Night(tmp_path, 33)
    assert ["done"] == await night.endings(1)
    await night.settle()
    night.change(update_leads=5, add_leads=5, add_activities=9, seed=2)
    await night.settle()
    await dies(night, Life(length))
    unfinished = [job.id for job in await night.jobs() if job.state not in {"CLEANED", "ABANDONED", "KEPT"}]
    await pruned(night, tmp_path)
    assert set(unfinished) <= {job.id for job in await night.jobs()}
    await mourned(night)
    assert "done" == (await night.endings(4))[-1]
    assert [] == await night.problems()


@virtual
async def test_a_prune_beside_a_run_does_no_harm(tmp_path: Path) -> None:
    """Every ten seconds of a night, from its first call to its last: nothing that runs is touched, nothing is lost."""
    night, prunes = Night(tmp_path, 34), 0
    assert ["done"] == await night.endings(1)
    night.change(update_leads=5, add_leads=5, add_activities=9, seed=3)
    await night.settle()

    async def prune_again_and_again() -> None:
        nonlocal prunes
        while True:
            report = await pruned(night, tmp_path)
            # The processes of a test are one: its lease is held by somebody who lives.
            assert any("keeps its size" in note for note in report.notes) or prunes == 0
            prunes += 1
            await night.clock.sleep(10.0)

    async with anyio.create_task_group() as tasks, night.process() as parts:
        await parts.store.acquire_lease(NAME, "something else")
        tasks.start_soon(prune_again_and_again)
        await night.run(parts)
        tasks.cancel_scope.cancel()
    assert prunes > 3
    assert [] == await night.problems()
    assert await whole(night, tmp_path)


def restore(folder: Path, spool: Path) -> None:
    """Lose the state, and unpack the backup of it where it was."""
    for path in [*folder.glob("journal.db*"), *folder.glob("slots.db*")]:
        path.unlink()
    shutil.rmtree(spool)
    spool.mkdir()
    with tarfile.open(folder / "backup.tar.gz") as archive:
        archive.extractall(folder, filter="data")


@pytest.mark.parametrize("length", [30, 75, 120, 165, 210])
@seeded
async def test_a_sync_goes_on_from_a_backup(tmp_path: Path, length: int) -> None:
    """A backup from the middle of a night, and all else of the state lost: the next night is whole all the same."""
    night = Night(tmp_path, 35)
    await dies(night, Life(length))
    await backup(settings_of(night, tmp_path), tmp_path / "backup.tar.gz")
    restore(tmp_path, night.spool)
    assert await whole(night, tmp_path)
    await mourned(night)
    assert "done" == (await night.endings(5))[-1]
    assert [] == await night.problems()

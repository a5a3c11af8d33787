"""A job is taken out of Marketo's queue, and what it means when that is refused."""

from pathlib import Path

import pytest

from syncengine.errors import PermissionDenied
from syncengine.exports import request, window
from syncengine.exports.request import STUCK_SECONDS
from syncengine.jobs.job import Job
from syncengine.marketo.endpoints.exports import LEADS
from tests.unit.exports.world import World, build, fault, leads
from tests.virtual import virtual

TEN_HOURS = 36_000.0


async def queued(world: World) -> Job:
    """A window whose job stands in Marketo's queue."""
    return await world.windows().until((await world.planned(leads(days=10)))[0], window.QUEUED)


def status(world: World, job: Job) -> str:
    """What Marketo would say of a window's job at this very second."""
    now = world.clock.now().timestamp()
    world.marketo.exports.advance(now)
    return world.marketo.exports.find(LEADS.name, job.facts["export_id"]).status_at(now)


@virtual
async def test_a_job_that_has_ended_need_not_be_cancelled(tmp_path: Path) -> None:
    """It was through just before: that Marketo refuses is no error, and the job stays as it ended."""
    world = build(tmp_path)
    job = await queued(world)
    await world.clock.sleep(TEN_HOURS)
    await request.cancel(world.client, LEADS, job.facts["export_id"])
    assert ("Completed", {"1003": 1}) == (status(world, job), world.marketo.report()["codes"])


@virtual
async def test_who_may_not_cancel_is_told(tmp_path: Path) -> None:
    """Only a refusal of this one call is passed over: a missing permission stops more than that."""
    world = build(tmp_path, fault("error", "/cancel.json", code="603"))
    job = await queued(world)
    with pytest.raises(PermissionDenied):
        await request.cancel(world.client, LEADS, job.facts["export_id"])


@virtual
async def test_a_stuck_job_that_ends_before_its_cancel_fails_no_window(tmp_path: Path) -> None:
    """Whether it could be taken out of the queue or not, its window goes on with another job in the same run."""
    slow = fault("outcome", "/create.json", status="Completed", seconds=2 * STUCK_SECONDS, nth=1)
    ended = fault("error", "/cancel.json", code="1003", message="Export job is in status Completed")
    world = build(tmp_path, slow, ended)
    here, job = world.windows(), await queued(world)
    here.watches[LEADS].add(job.id, job.facts["export_id"])
    await world.clock.sleep(STUCK_SECONDS + 60.0)
    await here.until(job, window.CLEANED)
    assert (1, 2) == (world.calls("leads.export.cancel"), world.calls("leads.export.create"))

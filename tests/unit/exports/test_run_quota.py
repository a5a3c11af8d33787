"""What becomes of windows when the day's megabytes are gone, by Marketo's word or by what is reserved already."""

from pathlib import Path

from syncengine import errors
from syncengine.exports import window
from syncengine.jobs.board import Failed
from syncengine.jobs.job import Job
from tests.unit.exports.world import World, build, fault, leads
from tests.virtual import virtual

SPENT = {"code": "1029", "message": "Export daily quota 500MB exceeded"}


async def one(world: World) -> Job:
    (job,) = await world.planned(leads(20))
    return job


@virtual
async def test_a_spent_quota_fails_the_window_that_needs_it(tmp_path: Path) -> None:
    """At the queue: the window keeps its job for tomorrow; what Marketo has finished is still fetched and applied."""
    world = build(tmp_path)
    finished, waiting = await world.planned(leads(40))
    here = world.windows()
    finished = await here.until(finished, window.QUEUED)
    waiting = await here.until(waiting, window.CREATED)
    world.marketo.set_faults([fault("error", "/enqueue.json", **SPENT)])
    step = await here.windows.step(waiting)

    assert isinstance(step, Failed)
    assert (errors.QuotaExhausted, waiting) == (type(step.error), await world.stored(waiting))
    await here.until(finished, window.CLEANED)
    assert [finished.facts["window"]] == [held.id for held in world.destination.ledger.values()]


@virtual
async def test_a_quota_spent_before_the_create_fails_that_window_alone(tmp_path: Path) -> None:
    """Marketo refuses to create jobs too: that is no reason to leave finished files where they are."""
    world = build(tmp_path, fault("error", "/create.json", **SPENT))
    job = await world.windows().until(await one(world), window.CREATE_INTENT)
    step = await world.windows().windows.step(job)
    assert isinstance(step, Failed)
    assert errors.QuotaExhausted is type(step.error)

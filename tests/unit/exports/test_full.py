"""Reading a whole stream again, with what an earlier run has left behind."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from syncengine.exports import window
from syncengine.exports.slice import Stretch, gaps, joined
from syncengine.exports.sync import sync
from syncengine.exports.window import stretch_of
from syncengine.jobs.job import Job
from tests.unit.exports.world import DAY, build, leads
from tests.virtual import virtual


def stretches(jobs: Sequence[Job]) -> list[Stretch]:
    return [Stretch(*stretch_of(job)) for job in jobs]


@virtual
async def test_a_full_run_whose_fields_change_on_the_way_still_reads_everything(tmp_path: Path) -> None:
    """Windows of it that are given up lie where rows are held already, and are asked for again all the same."""
    world = build(tmp_path)
    await sync(world.parts(), [leads()])
    await world.clock.sleep(DAY.total_seconds())
    left = await world.planned(replace(leads(), full=True), epoch=2)
    (found,) = await world.prepared(leads(fields=("email", "city")))
    assert {job.id for job in left} == {job.id for job in found.abandoned}
    assert joined(stretches(left)) == joined(each.stretch for each in found.new)


@virtual
async def test_a_full_run_reads_again_what_was_just_committed(tmp_path: Path) -> None:
    """A window whose rows were applied when the last run died is put away, and its time is read like any other."""
    world = build(tmp_path)
    for job in await world.planned(leads()):
        await world.windows().until(job, window.COMMITTED)
    (found,) = await world.prepared(replace(leads(), full=True))
    assert (3, ()) == (len(found.resumed), found.abandoned)
    assert () == gaps([each.stretch for each in found.new], joined(stretches(found.resumed))[0])

"""What a run does before its first window: what is given up is taken out of Marketo's queue and off the disk."""

from dataclasses import replace
from pathlib import Path

import pytest

from syncengine.exports import window
from syncengine.exports.fields import Choice
from syncengine.exports.sync import sync
from syncengine.jobs.job import Job
from syncengine.observe.events import JobMoved
from tests.unit.exports.world import INSTANCE, World, activities, build, fault, leads
from tests.virtual import virtual

OTHER = ("email", "city")


async def left_behind(world: World, state: str) -> Job:
    """A window that an earlier run has brought to a state."""
    (job,) = await world.planned(leads(20))
    return await world.windows().until(job, state)


def statuses(world: World) -> list[str]:
    """What became of Marketo's jobs, the oldest first."""
    now = world.clock.now().timestamp()
    world.marketo.exports.advance(now)
    return [made.status_at(now) for made in world.marketo.exports._jobs.values()]


@virtual
@pytest.mark.parametrize("state", [window.CREATED, window.QUEUED])
async def test_a_job_that_nobody_wants_any_more_is_cancelled_at_marketo(tmp_path: Path, state: str) -> None:
    """Its file would cost megabytes of the day and go unread: the fields have changed, another one is asked for."""
    world = build(tmp_path, job_seconds=(600.0, 600.0))
    job = await left_behind(world, state)
    report = await sync(world.parts(), [leads(20, fields=OTHER)])

    assert (["Cancelled", "Completed"], "done") == (statuses(world), report.outcome)
    stored = await world.stored(job)
    assert (window.ABANDONED, "it is asked for in another way now") == (stored.state, stored.facts["problem"])


@virtual
@pytest.mark.parametrize("state", [window.PLANNED, window.CREATE_INTENT, window.COMPLETED, window.VERIFIED])
async def test_what_is_in_no_queue_is_not_cancelled(tmp_path: Path, state: str) -> None:
    """Nothing can be saved where nothing was asked for, or the file has been paid already."""
    world = build(tmp_path)
    await left_behind(world, state)
    assert "done" == (await sync(world.parts(), [leads(20, fields=OTHER)])).outcome
    assert 0 == world.calls("leads.export.cancel")


@virtual
@pytest.mark.parametrize("code", ["1003", "603", "611"])
async def test_a_job_that_cannot_be_cancelled_stops_nothing(tmp_path: Path, code: str) -> None:
    """It does no harm but its megabytes: the run goes on, and gives it up all the same."""
    world = build(tmp_path)
    job = await left_behind(world, window.QUEUED)
    world.marketo.set_faults([fault("error", "/cancel.json", code=code)])
    assert "done" == (await sync(world.parts(), [leads(20, fields=OTHER)])).outcome
    assert window.ABANDONED == (await world.stored(job)).state
    assert world.truth("leads", 20) == world.held("leads")


@virtual
async def test_a_file_that_another_window_waits_for_is_kept(tmp_path: Path) -> None:
    """Some columns lie in the spool while the others are fetched: another stream's run leaves them there."""
    world = build(tmp_path)
    (first,) = await world.planned(leads(20))
    waiting = Job(
        id="joins.1",
        instance=INSTANCE,
        kind=window.KIND,
        state=window.PLANNED,
        group="leads",
        facts=first.facts,
        after=("columns.1",),
    )
    await world.store.plan([waiting])
    (world.spool / "columns.1.csv").touch()
    (world.spool / "unknown.1.csv").touch()
    await sync(world.parts(), [activities(5)])
    assert ["columns.1.csv"] == world.spooled()


@virtual
async def test_what_is_queued_since_an_earlier_run_counts_as_spent(tmp_path: Path) -> None:
    """Its file may take what is left of the day: a new window waits until its size is known, and then goes."""
    world = build(tmp_path, job_seconds=(600.0, 600.0))
    await sync(world.parts(), [leads(20)])
    (measured,) = await world.store.jobs(INSTANCE)
    await world.clock.sleep(10 * 86_400.0)
    (queued,) = await world.planned(leads(20), epoch=2)
    await world.windows().until(queued, window.QUEUED)
    await world.clock.sleep(3_600.0)
    # The queued one is of eleven days, the new one of a day and an hour: of twenty days' bytes, this holds one of them.
    limits = world.client.gate.limits
    world.client.gate.limits = replace(limits, export_bytes_per_day=round(measured.facts["file_bytes"] * 11.5 / 20))
    world.events.clear()
    report = await sync(world.parts(), [leads(20)])
    moves = [(told.job_id == queued.id, told.state) for told in world.told(JobMoved)]

    assert ("done", 2) == (report.outcome, report.streams[0].windows)
    assert moves.index((True, window.COMPLETED)) < moves.index((False, window.CREATED))


@virtual
@pytest.mark.parametrize("choice", [Choice(exclude=("attributes",)), Choice(hash=("attributes",))])
async def test_without_the_columns_of_a_view_there_is_none_and_the_report_says_so(
    tmp_path: Path, choice: Choice
) -> None:
    """Who leaves personal data out of activities has no typed views; the rows come all the same."""
    world = build(tmp_path)
    wanted = [replace(activities(), choice=choice), replace(activities(), name="activity_types", choice=Choice())]
    report = await sync(replace(world.parts(), hash_key=b"k" * 32), wanted)
    lines = [line for line in report.streams[0].problems if "views" in line]

    assert ("done", world.truth("activities")) == (report.outcome, world.held("activities"))
    assert ["no views of activity types: attributes left out or hashed"] == lines

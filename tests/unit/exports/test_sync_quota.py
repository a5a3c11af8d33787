"""What becomes of a sync when the day's megabytes or calls are used up on the way."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from syncengine.errors import QuotaExhausted
from syncengine.exports import window
from syncengine.exports.sync import sync
from tests.unit.exports.test_sync import last_run, unfinished
from tests.unit.exports.world import activities, build, fault, leads
from tests.virtual import virtual


@virtual
async def test_a_spent_quota_pauses_the_run_when_all_else_is_done(tmp_path: Path) -> None:
    """What could be enqueued is in the destination; report and journal say when to go on; then all comes."""
    spent = fault("error", "/enqueue.json", code="1029", message="Export daily quota 500MB exceeded", nth=6)
    world = build(tmp_path, spent)
    report = await sync(world.parts(), [leads(), activities()])
    run, resume_at = await last_run(world), datetime(2026, 3, 3, 6, tzinfo=UTC)

    assert ("paused", resume_at, ("QuotaExhausted",)) == (report.outcome, report.resume_at, report.errors)
    assert orjson.loads(orjson.dumps(report)) == run.report
    assert ("paused", 5, [window.CREATED]) == (run.outcome, len(world.destination.ledger), await unfinished(world))
    await world.clock.sleep((resume_at - world.clock.now()).total_seconds())
    await sync(world.parts(), [leads(), activities()])
    assert world.is_complete()


@virtual
async def test_a_spent_quota_hides_no_other_problem(tmp_path: Path) -> None:
    """One stream is denied and the other has no megabytes left: both are told, and which of them time will mend."""
    spent = fault("error", "/activities/export/create.json", code="1029", message="Export daily quota 500MB exceeded")
    world = build(tmp_path, spent, fault("error", "/leads/export/create.json", code="603"))
    report = await sync(world.parts(), [leads(), activities()])
    denied, waiting = report.problems

    assert ("partial", ("PermissionDenied", "QuotaExhausted")) == (report.outcome, report.errors)
    assert (True, True) == (denied.startswith("leads from "), waiting.startswith("activities from "))
    assert ("Read-Only Lead" in denied, "megabytes" in waiting, 2) == (True, True, len(report.advice))
    assert datetime(2026, 3, 3, 6, tzinfo=UTC) == report.resume_at


@virtual
async def test_a_day_without_calls_ends_the_run(tmp_path: Path) -> None:
    """Without a call nothing else can be done: it is raised, and the journal has when to go on."""
    world = build(tmp_path, fault("error", "/create.json", code="607"))
    with pytest.raises(QuotaExhausted) as caught:
        await sync(world.parts(), [leads()])
    run = await last_run(world)
    assert ("paused", caught.value.resume_at.isoformat()) == (run.outcome, run.report["resume_at"])


@virtual
async def test_a_quota_that_is_spent_on_the_way_loses_no_finished_job(tmp_path: Path) -> None:
    """Marketo refuses further jobs while earlier ones are still being written: all of those are applied."""
    world = build(tmp_path, export_bytes_per_day=500, years=1.0)
    assert "paused" == (await sync(world.parts(), [leads(340)])).outcome
    finished = [made for made in world.marketo.exports._jobs.values() if made.queued_at < float("inf")]
    assert len(finished) == len(world.destination.ledger)

"""One sync from lease to report: what it leaves in destination, journal and spool, however it ends."""

from dataclasses import replace
from pathlib import Path

import anyio
import orjson
import pytest

from syncengine.errors import (
    AlreadyRunning,
    DestinationUnavailable,
    LeaseLost,
    Unavailable,
)
from syncengine.exports import window
from syncengine.exports.bring import PLACES, WORKERS
from syncengine.exports.sync import sync
from syncengine.jobs.job import Run
from syncengine.observe.events import JobMoved, RunEnded, RunStarted, StreamPlanned
from tests.unit.exports.world import DAY, INSTANCE, KINDS, World, activities, build, fault, leads
from tests.virtual import ORIGIN, virtual


async def last_run(world: World) -> Run:
    return (await world.store.runs(INSTANCE, 1))[0]


async def unfinished(world: World) -> list[str]:
    return [job.state for job in await world.store.jobs(INSTANCE, unfinished_only=True)]


@virtual
async def test_two_streams_come_up_to_now(tmp_path: Path) -> None:
    """Every row of both, once; nothing is left to do, nothing in the spool, and no lease is held."""
    world = build(tmp_path)
    report = await sync(world.parts(), [leads(), activities()])

    assert ("done", ()) == (report.outcome, report.problems)
    for stream in report.streams:
        assert world.truth(stream.stream) == world.held(stream.stream)
        assert (len(world.held(stream.stream)), 3) == (stream.inserted, stream.windows)
    assert ([], [], []) == (await unfinished(world), world.spooled(), await world.store.leases(INSTANCE))


@virtual
async def test_the_report_counts_what_happened(tmp_path: Path) -> None:
    """Calls are those that arrived, bytes those that were sent, rows add up, and the journal keeps all of it."""
    world = build(tmp_path)
    report = await sync(world.parts(), [leads(), activities()])
    server, run = world.marketo.report(), await last_run(world)

    assert server["calls_total"] == report.calls
    assert server["file_bytes_total"] == sum(stream.bytes for stream in report.streams)
    assert (str(run.id), run.started_at, world.now) == (report.run_id, report.started_at, report.seconds)
    assert [stream.rows for stream in report.streams] == [
        stream.inserted + stream.changed + stream.unchanged + stream.outdated for stream in report.streams
    ]
    assert ("sync activities+leads", "done") == (run.kind, run.outcome)
    assert orjson.loads(orjson.dumps(report)) == run.report
    (began,), (ended,) = world.told(RunStarted), world.told(RunEnded)
    assert (report.run_id, run.kind, "done") == (began.run_id, ended.kind, ended.outcome)


@virtual
async def test_the_next_run_brings_what_is_new(tmp_path: Path) -> None:
    """Rows of the lookback come again and are as before; changed and new ones are told as such."""
    world = build(tmp_path)
    await sync(world.parts(), [leads()])
    one = min(world.held("leads"))
    world.marketo.change(world.clock.now().timestamp(), leads=[{"id": one, "email": "new@acme.example"}], add_leads=2)
    await world.clock.sleep(3_600.0)
    before, report = world.client.calls_sent, await sync(world.parts(), [leads()])
    (stream,) = report.streams
    assert (2, 1, 1, True) == (stream.inserted, stream.changed, stream.windows, stream.unchanged > 0)
    assert world.client.calls_sent - before == report.calls
    assert "new@acme.example" == world.destination.rows["leads"][one,]["email"]


@virtual
async def test_a_full_run_reads_everything_again(tmp_path: Path) -> None:
    """What is held already is read and compared anew, and nothing of it is lost or doubled."""
    world = build(tmp_path)
    await sync(world.parts(), [leads()])
    (stream,) = (await sync(world.parts(), [replace(leads(), full=True)])).streams
    assert (2, len(world.held("leads"))) == (stream.windows, stream.rows)
    assert stream.unchanged >= len(world.truth("leads"))


@virtual
async def test_marketos_queue_is_kept_filled_and_not_overfilled(tmp_path: Path) -> None:
    """Of many windows, as many are at Marketo at once as have places there, and one at a time is applied."""
    world = build(tmp_path)
    await sync(world.parts(), [leads(340)])
    here, most = set[str](), 0
    for told in world.told(JobMoved):
        (here.add if told.state == window.CREATE_INTENT else here.discard)(told.job_id)
        if told.state in window.HOLDS_A_PLACE:
            here.add(told.job_id)
        most = max(most, len(here))
    assert (PLACES[window.AT_MARKETO], 12) == (most, len(world.destination.ledger))


@virtual
async def test_leases_are_held_from_beginning_to_end(tmp_path: Path) -> None:
    """While rows are applied, each stream's lease is this run's, and its epoch is the ledger's."""
    world, seen = build(tmp_path), list[dict[str, int]]()

    def look() -> None:
        seen.append({lease.work: lease.epoch for lease in world.store._leases.values() if lease.holder})

    world.destination.look = look
    await sync(world.parts(), [leads(5), activities(5)])
    assert [{"sync leads": 1, "sync activities": 1}] * 2 == seen
    assert {1} == {held.epoch for held in world.destination.ledger.values()}


@virtual
async def test_an_epoch_is_above_the_destinations(tmp_path: Path) -> None:
    """A journal that was lost begins anew, and is not fenced by what an earlier one has written."""
    world = build(tmp_path)
    for _ in range(3):
        await sync(world.parts(), [leads(5)])
    world.store._leases.clear()
    await sync(world.parts(), [leads(5)])
    assert [1, 2, 3, 4] == sorted(held.epoch for held in world.destination.ledger.values())


@virtual
@pytest.mark.parametrize("work", ["sync leads", "sync activities"])
async def test_a_stream_that_is_synced_elsewhere_stops_the_run_before_it_begins(tmp_path: Path, work: str) -> None:
    """No call, no run in the journal, and the lease of the other stream is given back."""
    world = build(tmp_path)
    await world.store.acquire_lease(INSTANCE, work)
    with pytest.raises(AlreadyRunning):
        await sync(world.parts(), [leads(), activities()])
    assert (0, []) == (world.client.calls_sent, await world.store.runs(INSTANCE, 1))
    assert [work] == [lease.work for lease in await world.store.leases(INSTANCE)]


@virtual
async def test_different_streams_are_synced_side_by_side(tmp_path: Path) -> None:
    """Two runs on one journal and one spool leave each other's windows and files alone."""
    world = build(tmp_path)
    async with anyio.create_task_group() as tasks:
        for wanted in (leads(), activities()):
            tasks.start_soon(sync, world.parts(), [wanted])
    assert {name: world.truth(name) for name in KINDS} == {name: world.held(name) for name in KINDS}
    assert {"leads": 3, "activities": 3} == world.marketo.report()["jobs_created"]


@virtual
async def test_a_window_that_fails_leaves_the_others_whole(tmp_path: Path) -> None:
    """The report names the time that is missing and why; the next run has it."""
    world = build(tmp_path, fault("error", "/leads/export/create.json", code="1003", message="bad", nth=1))
    report = await sync(world.parts(), [leads(), activities()])
    (problem,) = report.problems

    assert ("partial", "partial", [2, 3]) == (
        report.outcome,
        (await last_run(world)).outcome,
        [stream.windows for stream in report.streams],
    )
    assert "leads from 2026-03-01T07:45Z to 2026-03-02T07:45Z: leads.export.create failed: bad" in problem
    assert world.truth("activities") == world.held("activities")
    assert "done" == (await sync(world.parts(), [leads(), activities()])).outcome
    assert world.truth("leads") == world.held("leads")


@virtual
async def test_a_run_that_is_cut_short_is_gone_on_with(tmp_path: Path) -> None:
    """Ctrl-C at any moment: recorded as interrupted, leases given back; the next run resumes and makes no job twice."""
    for seconds in (0.0, 1.0, 59.0, 61.0, 119.0):
        world = build(tmp_path / str(seconds), bandwidth=1_000.0)
        with world.clock.move_on_after(seconds) as scope:
            await sync(world.parts(), [leads(), activities()])
        run, left = await last_run(world), await unfinished(world)
        assert (True, "interrupted", []) == (scope.cancelled_caught, run.outcome, await world.store.leases(INSTANCE))

        report = await sync(world.parts(), [leads(), activities()])
        assert len(left) == sum(told.resumed for told in world.told(StreamPlanned)[-2:])
        assert ("done", True) == (report.outcome, world.is_complete())
        assert len(world.destination.ledger) == sum(world.marketo.report()["jobs_created"].values())


@virtual
@pytest.mark.parametrize("error", [DestinationUnavailable("gone"), RuntimeError("a bug")])
async def test_an_error_ends_the_run_and_leaves_nothing_held(tmp_path: Path, error: Exception) -> None:
    """It comes out as it was raised; the journal has what went wrong; the files stay for the next run."""
    world = build(tmp_path)
    world.destination.refuses = error
    with pytest.raises(type(error)) as caught:
        await sync(world.parts(), [leads()])
    run = await last_run(world)
    assert (True, "failed", str(error)) == (caught.value is error, run.outcome, run.report["problem"])
    assert ([], True) == (await world.store.leases(INSTANCE), bool(world.spooled()))


@virtual
async def test_an_error_of_a_watch_is_the_runs(tmp_path: Path) -> None:
    """A list that cannot be read ends the run with that error, not with a group of errors."""
    world = build(tmp_path, fault("error", "/export.json", code="611"))
    with pytest.raises(Unavailable):
        await sync(world.parts(), [leads()])


@virtual
@pytest.mark.parametrize("path", ["/leads/export.json", "/leads/export/create.json"])
async def test_a_stream_without_permission_leaves_the_others_whole(tmp_path: Path, path: str) -> None:
    """What the role may not do is told once, with the permission; no window of it is tried in vain again."""
    world = build(tmp_path, fault("error", path, code="603"))
    report = await sync(world.parts(), [leads(340), activities()])
    (problem,) = report.problems
    assert ("partial", ("PermissionDenied",), True) == (report.outcome, report.errors, "Read-Only Lead" in problem)
    assert world.truth("activities") == world.held("activities")
    # Steps that are under way together learn it together; the other windows are not even asked for.
    assert world.marketo.report()["codes"]["603"] <= WORKERS < 11


@virtual
async def test_a_lost_lease_stops_the_run(tmp_path: Path) -> None:
    """Another process took over: this one stops at its next renewal, and the other's lease is left to it."""
    world = build(tmp_path)

    def steal() -> None:
        ((key, lease),) = world.store._leases.items()
        world.store._leases[key] = replace(lease, epoch=9)

    world.destination.look = steal
    with pytest.raises(LeaseLost):
        await sync(world.parts(), [leads(100)])
    assert [9] == [lease.epoch for lease in await world.store.leases(INSTANCE)]
    assert len(world.destination.ledger) < 4


@virtual
async def test_only_files_that_nobody_needs_are_tidied_away(tmp_path: Path) -> None:
    """Unfinished windows keep their files and parts, other streams' too; what no window knows is removed."""
    world = build(tmp_path)
    (job,) = await world.planned(activities(5))
    kept = [f"{job.id}.csv", f"{job.id}.csv.part"]
    for name in (*kept, "unknown.1.csv", "unknown.1.csv.part"):
        (world.spool / name).touch()
    await sync(world.parts(), [leads(5)])
    assert kept == world.spooled()


@virtual
@pytest.mark.parametrize("state", [window.PLANNED, window.QUEUED, window.VERIFIED, window.COMMITTED])
async def test_fields_may_change_while_windows_are_open(tmp_path: Path, state: str) -> None:
    """Wherever the last run stopped, windows of the old columns are given up or finished, and the new ones come."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(20))
    await world.windows().until(job, state)
    report = await sync(world.parts(), [leads(20, fields=("email", "city"))])
    assert ("done", [], []) == (report.outcome, await unfinished(world), world.spooled())
    assert world.truth("leads", 20) == world.held("leads")


@virtual
async def test_a_lookback_of_any_length_finds_late_rows(tmp_path: Path) -> None:
    """An activity that becomes visible within the lookback is brought, also where whole windows are read again."""
    world = build(tmp_path)
    wanted = activities(lookback=60 * DAY)
    await sync(world.parts(), [wanted])
    date = (ORIGIN - 35 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    (late,) = world.marketo.change(world.clock.now().timestamp(), new_activities=[{"activityDate": date}])[
        "added_activities"
    ]
    await sync(world.parts(), [wanted])
    assert late in world.held("activities")

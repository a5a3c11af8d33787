"""What becomes of windows when the day's megabytes are gone, by Marketo's word or by what is reserved already."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncengine import errors
from syncengine.exports import window
from syncengine.exports.budget import seconds_of
from syncengine.exports.slice import WINDOW_BYTES
from syncengine.exports.sync import sync
from syncengine.jobs.board import Failed
from syncengine.jobs.job import Job
from syncengine.marketo.limits import EXPORT_BYTES_PER_DAY
from syncengine.observe.events import JobMoved
from tests.unit.exports.world import DAY, INSTANCE, KINDS, SETTLE, World, activities, build, fault, leads
from tests.virtual import ORIGIN, virtual

SECOND = timedelta(seconds=1)
SPENT = {"code": "1029", "message": "Export daily quota 500MB exceeded"}


async def one(world: World) -> Job:
    (job,) = await world.planned(leads(20))
    return job


@virtual
async def test_a_spent_quota_fails_the_window_that_needs_it(tmp_path: Path) -> None:
    """At the queue: the window keeps its job for tomorrow; what Marketo has finished is still fetched and applied."""
    world = build(tmp_path)
    finished, waiting, *_ = await world.planned(leads(40))
    here = world.windows()
    finished = await here.until(finished, window.COMPLETED)
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


@virtual
async def test_a_refused_window_waits_where_it_stands(tmp_path: Path) -> None:
    """By our own books the day cannot hold it: Marketo is not asked, and it is told until when."""
    world = build(tmp_path)
    job = await one(world)
    here = world.windows()
    here.megabytes.learn([replace(job, id="earlier", facts={**job.facts, "file_bytes": WINDOW_BYTES})])
    await world.client.gate.book_export(EXPORT_BYTES_PER_DAY)
    step = await here.windows.step(job)

    assert isinstance(step, Failed)
    assert isinstance(step.error, errors.QuotaExhausted)
    assert ("export", datetime(2026, 3, 3, 6, tzinfo=UTC)) == (step.error.budget, step.error.resume_at)
    assert (job, {}) == (await world.stored(job), world.marketo.report()["jobs_created"])


@virtual
async def test_what_does_not_fit_today_comes_tomorrow_the_newest_first(tmp_path: Path) -> None:
    """Increments of all streams go before the rest of the past; each day goes on where the last one stopped."""
    world = build(tmp_path, years=1.0, leads=2_000, activities=3_000)
    wanted = [leads(300), activities(300)]
    world.client.gate.limits = replace(world.client.gate.limits, export_bytes_per_day=120_000)
    report, days = await sync(world.parts(), wanted), 1
    assert ("paused", False) == (report.outcome, world.truth("leads", 300) <= world.held("leads"))
    while report.outcome == "paused" and days < 20:
        assert report.resume_at is not None
        await world.clock.sleep((report.resume_at - world.clock.now()).total_seconds())
        began, before = world.clock.now(), len(world.destination.ledger)
        report, days = await sync(world.parts(), wanted), days + 1
        today = list(world.destination.ledger.values())[before:]
        # The newest windows of the two streams are those that were made last, and came first.
        assert {"leads", "activities"} == {held.stream for held in today[:2]}
        assert all(held.end >= began - SETTLE - SECOND for held in today[:2])
    assert ("done", True) == (report.outcome, days > 2)
    assert all(world.truth(name, 300) <= world.held(name) for name in KINDS)
    jobs = await world.store.jobs(INSTANCE)
    assert (
        sum(job.facts["file_bytes"] for job in jobs if job.facts.get("records"))
        == world.marketo.report()["file_bytes_total"]
    )


@virtual
async def test_a_first_run_looks_at_one_file_before_it_asks_for_more(tmp_path: Path) -> None:
    """The last day alone, of each stream; then all the others together, whose size can be told by then."""
    world = build(tmp_path)
    await sync(world.parts(), [leads(150), activities(150)])
    for stream in KINDS:
        moves = [told for told in world.told(JobMoved) if told.stream == stream]
        at = [told.state for told in moves].index(window.COMPLETED)
        asked, later = ([told for told in part if told.state == window.CREATED] for part in (moves[:at], moves[at:]))
        (first,) = [await world.store.get(INSTANCE, told.job_id) for told in asked]
        assert first is not None
        assert (1.0, 5) == (seconds_of(first) / DAY.total_seconds(), len(later))


@virtual
async def test_a_window_that_fails_keeps_no_bytes_set_aside(tmp_path: Path) -> None:
    """Others would wait for its size until the end of days."""
    world = build(tmp_path, fault("error", "/create.json", code="1003"))
    here = world.windows()
    job = await here.until(await one(world), window.CREATE_INTENT)
    assert here.megabytes.is_open
    assert isinstance(await here.windows.step(job), Failed)
    assert not here.megabytes.is_open


@virtual
async def test_an_estimate_that_was_too_high_makes_no_run_stop(tmp_path: Path) -> None:
    """The last day is the fullest of leads: what does not fit by its measure waits for real sizes, and then fits."""
    world = build(tmp_path, leads=400, years=0.5)
    world.marketo.change(ORIGIN.timestamp() - 7_200.0, update_leads=200, seed=1)
    await sync(world.parts(), [leads(170)])
    size = world.marketo.report()["file_bytes_total"]

    again = build(tmp_path / "again", leads=400, years=0.5)
    again.marketo.change(ORIGIN.timestamp() - 7_200.0, update_leads=200, seed=1)
    again.client.gate.limits = replace(again.client.gate.limits, export_bytes_per_day=2 * size)
    report = await sync(again.parts(), [leads(170)])
    assert ("done", again.truth("leads", 170)) == (report.outcome, again.held("leads"))


@virtual
async def test_a_slow_first_file_holds_up_its_own_stream_alone_and_not_for_ever(tmp_path: Path) -> None:
    """The windows behind it take no place at Marketo while they wait, and half an hour is enough of waiting."""
    slow = fault("outcome", "/leads/export/create.json", status="Failed", seconds=11 * 3_600.0, times=1)
    world = build(tmp_path, slow)
    at: list[float] = []
    world.destination.look = lambda: at.append(world.now)
    report = await sync(world.parts(), [leads(300), activities(300)])
    applied = {
        name: [when for when, (of, _) in zip(at, world.destination.ledger, strict=True) if of == name] for name in KINDS
    }

    assert ("done", 11, 11) == (report.outcome, len(applied["leads"]), len(applied["activities"]))
    assert max(applied["activities"]) < 1_800.0
    # All but the first, which fails after eleven hours and is made anew.
    assert applied["leads"][9] < 5_400.0 < 11 * 3_600.0 < applied["leads"][10]


@virtual
@pytest.mark.parametrize("what", ["create", "enqueue"])
async def test_a_first_window_that_fails_holds_nobody_up(tmp_path: Path, what: str) -> None:
    """What can be brought is brought in the same run."""
    world = build(tmp_path, fault("error", f"/{what}.json", code="1003", message="no", times=3))
    with world.clock.move_on_after(12 * 3_600.0) as scope:
        report = await sync(world.parts(), [leads(150)])
    assert (False, "leads", True) == (scope.cancelled_caught, report.streams[0].stream, report.streams[0].windows > 2)


@virtual
async def test_the_newest_of_the_past_comes_first(tmp_path: Path) -> None:
    """A first run that is cut short has brought the months that matter most."""
    world = build(tmp_path)
    await sync(world.parts(), [leads(150)])
    created = [told.job_id for told in world.told(JobMoved) if told.state == window.CREATED]
    starts = [(await world.store.get(INSTANCE, job_id)).facts["start"] for job_id in created]  # type: ignore[union-attr]  # it was moved
    assert sorted(starts, reverse=True) == starts

"""A window's steps, one by one, against a whole instance, and what a crash between two of them leaves."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.destinations import Interval
from syncengine.destinations.duckdb import DuckDB
from syncengine.exports import window
from syncengine.exports.run import Windows
from syncengine.exports.sync import sync
from syncengine.exports.window import LANES, stretch_of
from syncengine.jobs.board import Done, Go, Step, Wait
from syncengine.jobs.job import Job
from syncengine.marketo.endpoints.exports import ACTIVITIES, LEADS
from syncengine.observe.events import DownloadProgress, JobMoved, WindowApplied
from tests.unit.exports.world import DAY, INSTANCE, SETTLE, World, activities, build, fault, leads
from tests.virtual import ORIGIN, virtual

BEFORE_THE_END = (
    window.PLANNED,
    window.CREATE_INTENT,
    window.CREATED,
    window.QUEUED,
    window.COMPLETED,
    window.DOWNLOADING,
    window.VERIFIED,
    window.COMMITTED,
)


def truth(world: World, job: Job, name: str = "id") -> list[Any]:
    """The values of a field of the leads in the window, as Marketo has them."""
    start, end = (moment.timestamp() for moment in stretch_of(job))
    rows = map(orjson.loads, b"".join(world.marketo.people.truth()).splitlines())
    return [row[name] for row in rows if start <= datetime.fromisoformat(row["updatedAt"]).timestamp() < end]


def held(world: World, name: str = "id") -> list[Any]:
    """The same as the destination has them."""
    return [row[name] for _, row in sorted(world.destination.rows["leads"].items())]


def moved_to(step: Step, kind: type[Step]) -> str:
    """The state that a step of this kind has left its job in."""
    assert isinstance(step, kind)
    return step.job.state


@virtual
async def test_the_straight_way(tmp_path: Path) -> None:
    """Each state's step makes one move and says how the window goes on; the journal has every move at once."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(5))
    here = world.windows()
    ways: list[tuple[type[Step], str]] = [
        (Go, window.CREATE_INTENT),
        (Go, window.CREATED),
        (Wait, window.QUEUED),
        (Go, window.COMPLETED),
        (Go, window.DOWNLOADING),
        (Go, window.VERIFIED),
        (Go, window.COMMITTED),
        (Done, window.CLEANED),
    ]
    for kind, state in ways:
        step = await here.windows.step(job)
        assert (state, step.job) == (moved_to(step, kind), await world.stored(job))
        job = step.job
        if state == window.QUEUED:
            assert isinstance(step, Wait)
            assert job.facts["export_id"] == step.key
            await world.clock.sleep(60.0)
            await here.watches[LEADS].poll()
    assert [job.id] == world.wakes
    assert [(state, "leads") for _, state in ways] == [(told.state, told.stream) for told in world.told(JobMoved)]


@virtual
async def test_rows_arrive_as_marketo_has_them(tmp_path: Path) -> None:
    """Every lead of the window and no other, with its values."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(20))
    await world.windows().until(job, window.CLEANED)
    assert len(held(world)) > 10
    assert (truth(world, job), truth(world, job, "email")) == (held(world), held(world, "email"))


@virtual
async def test_the_intent_is_written_before_anything_is_asked(tmp_path: Path) -> None:
    """The first step is a move alone: Marketo hears of the window only when the journal does."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(5))
    before = world.client.calls_sent
    await world.windows().windows.step(job)
    assert (before, ["plan", "intend"]) == (world.client.calls_sent, await world.history(job))


@virtual
async def test_the_journal_keeps_what_marketo_announced(tmp_path: Path) -> None:
    """Size, hash, count and the instant of writing stand in the job, and the bytes are booked on the day."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(20))
    job = await world.windows().until(job, window.COMPLETED)
    made = world.marketo.exports.find("leads", job.facts["export_id"])
    assert made.stored is not None

    assert (made.stored.size, made.records, made.stored.checksum) == (
        job.facts["file_bytes"],
        job.facts["records"],
        f"sha256:{job.facts['sha256']}",
    )
    assert int(made.started_at) == datetime.fromisoformat(job.facts["read_at"]).timestamp()
    assert made.stored.size == (await world.client.gate.use()).spent_today.export_bytes


@virtual
@pytest.mark.parametrize("state", BEFORE_THE_END)
async def test_another_run_goes_on_from_wherever_a_window_stands(tmp_path: Path, state: str) -> None:
    """Whatever state a process died in, the next one brings the window to its end, its rows there once."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(20))
    job = await world.windows().until(job, state)
    await world.windows().until(job, window.CLEANED)

    assert (truth(world, job), 1, []) == (held(world), len(world.destination.ledger), world.spooled())
    assert {"leads": 1} == world.marketo.report()["jobs_created"]


# An effect that has happened while its move was not written: the state before it, and what it may cost at most.
HALF_DONE = [(window.CREATE_INTENT, 2, 1), (window.CREATED, 1, 2), (window.DOWNLOADING, 1, 1), (window.VERIFIED, 1, 1)]


@virtual
@pytest.mark.parametrize(("state", "creates", "enqueues"), HALF_DONE)
async def test_an_effect_without_its_move_is_repeated_harmlessly(
    tmp_path: Path, state: str, creates: int, enqueues: int
) -> None:
    """Died between doing and writing: an orphan is never enqueued, a file not sent again, rows not applied again."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(20))
    before = await world.windows().until(job, state)
    await world.windows().windows.step(before)
    world.store._jobs[INSTANCE, job.id] = before
    await world.windows().until(before, window.CLEANED)

    assert (truth(world, job), 1, []) == (held(world), len(world.destination.order), world.spooled())
    assert {"leads": creates} == world.marketo.report()["jobs_created"]
    assert (enqueues, 1) == (world.calls("leads.export.enqueue"), world.calls("leads.export.file"))
    statuses = [each.status_at(world.clock.now().timestamp()) for each in world.marketo.exports._jobs.values()]
    assert ["Completed"] == [status for status in statuses if status != "Created"]


@virtual
async def test_a_window_that_the_ledger_has_is_not_read_again(tmp_path: Path) -> None:
    """Committed, then killed: only the destination knows. The rest is told as done, with no row of it counted."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(20))
    verified = await world.windows().until(job, window.VERIFIED)
    await world.windows().windows.step(verified)
    world.store._jobs[INSTANCE, job.id] = verified
    again = world.windows()
    committed = await again.until(verified, window.COMMITTED)

    assert (0, 1, 0) == (
        committed.facts["rows"],
        again.landing.tallies["leads"].windows,
        again.landing.tallies["leads"].total(lambda applied: applied.rows),
    )


@virtual
async def test_an_empty_window_is_committed_without_a_file(tmp_path: Path) -> None:
    """Marketo found no record: no file is asked for, and the cursor moves all the same."""
    world = build(tmp_path, leads=0)
    destination = DuckDB(tmp_path / "w.duckdb")
    (job,) = await world.planned(leads(20))
    job = await world.windows(destination).until(job, window.CLEANED)

    assert (0, 0, 0) == (job.facts["records"], job.facts["rows"], world.calls("leads.export.file"))
    assert (Interval(ORIGIN - 20 * DAY, ORIGIN - SETTLE),) == destination.standing(INSTANCE, "leads").intervals
    assert "empty" in await world.history(job)


@virtual
async def test_the_file_lies_in_the_spool_until_its_rows_are_committed(tmp_path: Path) -> None:
    """From its first byte to the commit it can be needed; after the clean-up nothing of it is left."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(20))
    here = world.windows()
    for state, spooled in ((window.VERIFIED, 1), (window.COMMITTED, 1), (window.CLEANED, 0)):
        job = await here.until(job, state)
        assert spooled == len(world.spooled())


@virtual
async def test_a_file_that_has_vanished_is_fetched_again(tmp_path: Path) -> None:
    """Somebody emptied the spool: the finished job still has the file, and no other one is made."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(20))
    job = await world.windows().until(job, window.VERIFIED)
    (world.spool / world.spooled()[0]).unlink()
    await world.windows().until(job, window.CLEANED)

    assert (truth(world, job), {"leads": 1}) == (held(world), world.marketo.report()["jobs_created"])
    assert "refetch" in await world.history(job)


@virtual
async def test_a_queued_window_of_an_earlier_run_is_watched_not_enqueued(tmp_path: Path) -> None:
    """What stands in the queue since an earlier run waits for the first poll like any other."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(20))
    job = await world.windows().until(job, window.QUEUED)
    later = world.windows()
    step = await later.windows.step(job)
    assert Wait(job, job.facts["export_id"]) == step
    assert step == await later.windows.step(job)
    assert (True, 1) == (
        later.watches[LEADS].watches(job.facts["export_id"]),
        world.calls("leads.export.enqueue"),
    )


@virtual
async def test_each_kind_has_its_own_watch(tmp_path: Path) -> None:
    """Activities are listed apart from leads, and each window waits for its own kind's news."""
    world = build(tmp_path)
    here = world.windows()
    for job in await world.planned(leads(5), activities(5)):
        await here.until(job, window.QUEUED)
    await world.clock.sleep(120.0)
    for kind in (ACTIVITIES, LEADS):
        await here.watches[kind].poll()
    groups = {job.id: job.group for job in await world.store.jobs(INSTANCE)}
    assert ["activities", "leads"] == [groups[woken] for woken in world.wakes]


@virtual
async def test_no_window_waits_for_a_watch_that_has_ended(tmp_path: Path) -> None:
    """One is on its way into the queue while the list is denied to all: it fails like them, and the run ends."""
    full = fault("error", "/enqueue.json", code="1029", message="Too many jobs (10) in queue", nth=2)
    slow = fault("latency", "/enqueue.json", seconds=5.0, nth=3)
    world = build(tmp_path, full, slow, fault("error", "/export.json", code="603"))
    with world.clock.move_on_after(3_600.0) as scope:
        await sync(world.parts(), [leads(40)])
    assert not scope.cancelled_caught


@virtual
async def test_a_tally_adds_up(tmp_path: Path) -> None:
    """Windows, bytes and rows are summed by stream, and observers hear of each window and of its file's progress."""
    world = build(tmp_path)
    here = world.windows()
    jobs = await world.planned(leads(40))
    done = [await here.until(job, window.CLEANED) for job in jobs]
    tally = here.landing.tallies["leads"]
    told = world.told(WindowApplied)

    assert (3, sum(job.facts["file_bytes"] for job in done)) == (tally.windows, tally.bytes)
    assert len(held(world)) == tally.total(lambda applied: applied.inserted)
    assert [job.facts["window"] for job in jobs] == [each.window_id for each in told]
    assert tally.bytes == sum(each.bytes for each in told)
    assert {(job.id, job.facts["file_bytes"]) for job in done} == {
        (each.job_id, each.done_bytes) for each in world.told(DownloadProgress) if each.done_bytes == each.total_bytes
    }


@virtual
async def test_a_window_keeps_the_columns_that_it_was_planned_with(tmp_path: Path) -> None:
    """Types are the journal's, not today's: what does not fit them is kept beside the row, and counted."""
    world = build(tmp_path)
    (job,) = await world.planned(leads(20))
    fields = [["id", "integer"], ["updatedAt", "timestamp"], ["email", "integer"]]
    planned = replace(job, facts={**job.facts, "request": {**job.facts["request"], "fields": fields}})
    world.store._jobs[INSTANCE, job.id] = planned
    here = world.windows()
    job = await here.until(planned, window.CLEANED)
    emails = [email for email in truth(world, job, "email") if email is not None]

    tally = here.landing.tallies["leads"]
    assert {"email": len(emails)} == tally.unparsed == job.facts["unparsed"]
    assert len(emails) == tally.report("leads").unparsed
    assert emails == [orjson.loads(text)["email"] for text in held(world, "_unparsed") if text]


@pytest.mark.parametrize("state", BEFORE_THE_END)
def test_lanes_and_places(state: str) -> None:
    """The board is told each state's lane, and that what was created may stand at Marketo from an earlier run."""
    job = Job(id="w", instance=INSTANCE, kind=window.KIND, group="leads", state=state)
    blank = Windows.__new__(Windows)
    assert (LANES.get(state), state in {window.CREATED, window.QUEUED}) == (blank.lane(job), blank.stands(job))

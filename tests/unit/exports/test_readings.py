"""One reading from intention to committed rows: what stands where, and what an error or a crash leaves."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from syncengine.errors import CallRejected, FileDamaged, PermissionDenied, QuotaExhausted, Unavailable
from syncengine.exports import reading, window
from syncengine.exports.catalog import Catalog
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.load import Landing
from syncengine.exports.readers import Readers
from syncengine.exports.reading import READ
from syncengine.exports.readings import READS_MAX, Readings
from syncengine.exports.sync import sync
from syncengine.exports.tally import ParseProblems
from syncengine.exports.window import ABANDONED, CLEANED, COMMITTED, PLANNED
from syncengine.jobs.board import Done, Failed, Go
from syncengine.jobs.job import Job
from tests.unit.exports.world import World, build, fault, reach_of
from tests.virtual import virtual

LISTS = "/rest/v1/lists.json"


def paged(name: str = "lists") -> Wanted:
    return Wanted(name, Choice(), reach_of(40))


@dataclass
class Process:
    """The handler of readings as a new run has it."""

    world: World
    landing: Landing = field(init=False)
    readings: Readings = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        self.landing = Landing(world.clock, world.destination, world.spool, world.events.append)
        readers = Readers(world.client, Catalog(world.client), world.destination)
        self.readings = Readings(client=world.client, store=world.store, landing=self.landing, readers=readers)

    async def until(self, job: Job, state: str) -> Job:
        while job.state != state:
            step = await self.readings.step(job)
            assert isinstance(step, Go | Done)
            job = step.job
        return job


@virtual
async def test_a_reading_goes_from_planned_to_cleaned(tmp_path: Path) -> None:
    """Its rows wait in the spool until they are committed, and nothing is left there afterwards."""
    world = build(tmp_path, lists=310)
    (job,) = await world.planned(paged())
    process = Process(world)

    read = await process.until(job, READ)
    assert ([f"{job.id}.arrow"], 310, 2, True) == (
        world.spooled(),
        read.facts["records"],
        read.facts["calls"],
        read.facts["whole"],
    )
    assert {} == world.destination.rows
    await process.until(read, COMMITTED)
    assert 310 == len(world.held("lists"))
    stored = await world.stored(job)
    await process.until(stored, CLEANED)
    assert ([], ["read", "committed", "cleaned"]) == (world.spooled(), [*await world.history(job)][-3:])


@virtual
async def test_what_is_read_is_applied_by_another_process_without_a_call(tmp_path: Path) -> None:
    """The rows lie whole in the spool: a crash after the last page costs no page again."""
    world = build(tmp_path)
    (job,) = await world.planned(paged())
    read = await Process(world).until(job, READ)
    calls = world.client.calls_sent
    await Process(world).until(read, CLEANED)
    assert (calls, 12) == (world.client.calls_sent, len(world.held("lists")))


@virtual
async def test_a_crash_after_the_commit_applies_nothing_twice(tmp_path: Path) -> None:
    """The ledger knows the reading, although the journal does not say so yet."""
    world = build(tmp_path)
    (job,) = await world.planned(paged())
    read = await Process(world).until(job, READ)
    await Process(world).until(read, COMMITTED)
    ledger = dict(world.destination.ledger)
    landing = Process(world).landing
    applied = await landing.land(read, iter(()), ParseProblems())
    assert (True, ledger) == (applied.already, world.destination.ledger)


@virtual
async def test_an_interrupted_reading_counts_for_nothing_and_is_begun_anew(tmp_path: Path) -> None:
    """Half of the pages are no reading: the next run reads all of them, and takes the part away."""
    world = build(tmp_path, fault("latency", LISTS, seconds=50.0, nth=2), lists=610)
    with world.clock.move_on_after(30.0):
        await sync(world.parts(), [paged()])
    (job,) = await world.store.jobs("acme", group="lists")
    assert (PLANNED, [f"{job.id}.arrow.part"], {}) == (job.state, world.spooled(), world.destination.rows)

    report = await sync(world.parts(), [paged()])
    assert ("done", 610, []) == (report.outcome, len(world.held("lists")), world.spooled())
    assert ABANDONED == (await world.stored(job)).state


@virtual
async def test_a_reading_by_time_that_is_read_is_gone_on_with_by_the_next_run(tmp_path: Path) -> None:
    """It is the same job, and its pages are not asked for again."""
    world = build(tmp_path)
    (job,) = await world.planned(paged("deleted_leads"))
    await Process(world).until(job, READ)
    before = world.calls("deleted_leads.page")
    report = await sync(world.parts(), [paged("deleted_leads")])
    assert ("done", CLEANED) == (report.outcome, (await world.stored(job)).state)
    assert before == world.calls("deleted_leads.page")


@virtual
async def test_a_listing_that_is_read_and_not_applied_is_read_anew(tmp_path: Path) -> None:
    """What lies in the spool may be days old: the next run lists what there is then."""
    world = build(tmp_path)
    (job,) = await world.planned(paged(), epoch=0)
    await Process(world).until(job, READ)
    report = await sync(world.parts(), [paged()])
    assert ("done", ABANDONED, 12) == (report.outcome, (await world.stored(job)).state, len(world.held("lists")))
    assert 2 == world.calls("lists.list")


@virtual
async def test_objects_that_a_crm_owns_are_left_out_with_a_line(tmp_path: Path) -> None:
    """1018 is no error of the run."""
    world = build(tmp_path, fault("error", LISTS, code="1018"))
    (job,) = await world.planned(paged())
    process = Process(world)
    step = await process.readings.step(job)
    assert isinstance(step, Done)
    assert ABANDONED == (await world.stored(job)).state
    assert ["left out: a CRM owns these objects here (1018)"] == process.landing.tally(job).notes


@pytest.mark.parametrize(("code", "kind"), [("603", PermissionDenied), ("1003", CallRejected)])
@virtual
async def test_a_refusal_fails_the_reading_alone(tmp_path: Path, code: str, kind: type[Exception]) -> None:
    """The other streams come whole; the report names the one that did not; the next run has it."""
    world = build(tmp_path, fault("error", LISTS, code=code, times=1))
    report = await sync(world.parts(), [paged(), paged("campaigns"), paged("partitions")])
    (problem,) = report.problems
    assert ("partial", (kind.__name__,), True) == (report.outcome, report.errors, "lists" in problem)
    assert (set(), 100) == (world.held("lists"), len(world.held("campaigns")))
    assert "done" == (await sync(world.parts(), [paged()])).outcome
    assert 12 == len(world.held("lists"))


@pytest.mark.parametrize(("code", "kind"), [("607", QuotaExhausted), ("713", Unavailable)])
@virtual
async def test_an_error_of_all_streams_is_no_readings_own(tmp_path: Path, code: str, kind: type[Exception]) -> None:
    """It comes out of the step, nothing is committed, and the reading stands where it stood."""
    world = build(tmp_path, fault("error", LISTS, code=code))
    (job,) = await world.planned(paged())
    with pytest.raises(kind):
        await Process(world).readings.step(job)
    assert (PLANNED, {}) == ((await world.stored(job)).state, world.destination.ledger)


@virtual
async def test_a_listing_that_marketo_fails_on_stops_itself_alone(tmp_path: Path) -> None:
    """611 for as long as a call is repeated: the others come, and the next run tries it again."""
    world = build(tmp_path, fault("error", LISTS, code="611"))
    report = await sync(world.parts(), [paged(), paged("campaigns")])
    assert ("partial", ("Unavailable",)) == (report.outcome, report.errors)
    assert (set(), 100) == (world.held("lists"), len(world.held("campaigns")))
    world.marketo.set_faults([])
    assert "done" == (await sync(world.parts(), [paged()])).outcome


@virtual
async def test_rows_that_are_gone_are_read_again(tmp_path: Path) -> None:
    """Somebody emptied the spool: one more reading, and all rows."""
    world = build(tmp_path)
    (job,) = await world.planned(paged())
    read = await Process(world).until(job, READ)
    (world.spool / f"{job.id}.arrow").unlink()
    done = await Process(world).until(read, CLEANED)
    assert (1, 12) == (done.attempt, len(world.held("lists")))


@virtual
async def test_rows_that_are_damaged_are_read_again(tmp_path: Path) -> None:
    """A file that is not what was written is thrown away: else each run to come would fail on it."""
    world = build(tmp_path)
    (job,) = await world.planned(paged())
    read = await Process(world).until(job, READ)
    path = world.spool / f"{job.id}.arrow"
    path.write_bytes(path.read_bytes()[:-1])
    done = await Process(world).until(read, CLEANED)
    assert (1, 12, []) == (done.attempt, len(world.held("lists")), world.spooled())


@virtual
async def test_a_spool_that_keeps_damaging_rows_fails_the_reading(tmp_path: Path) -> None:
    """Pages are not asked for without an end; the next run begins anew."""
    world = build(tmp_path)
    (job,) = await world.planned(paged())
    process, reads = Process(world), 0
    while True:
        step = await process.readings.step(job)
        if isinstance(step, Failed):
            break
        job = step.job
        if job.state == READ:
            reads += 1
            (world.spool / f"{job.id}.arrow").write_bytes(b"")
    assert isinstance(step.error, FileDamaged)
    assert (READS_MAX, PLANNED, {}) == (reads, (await world.stored(job)).state, world.destination.ledger)


@virtual
async def test_cells_that_do_not_fit_are_counted_by_whoever_applies(tmp_path: Path) -> None:
    """The count travels in the journal with the rows."""
    world = build(tmp_path)
    (job,) = await world.planned(paged())
    read = await Process(world).until(job, READ)
    read = await world.store.move(read, "lost", attempt=1)
    read = await world.store.move(read, "read", **{**read.facts, "unparsed": {"createdAt": 2}})
    process = Process(world)
    await process.until(read, COMMITTED)
    assert {"createdAt": 2} == process.landing.tally(job).unparsed


@pytest.mark.parametrize(
    ("state", "lane"),
    [(PLANNED, reading.PAGING), (READ, window.APPLYING), (COMMITTED, None)],
)
@virtual
async def test_readings_share_calls_and_wait_for_the_one_writer(tmp_path: Path, state: str, lane: str | None) -> None:
    """Nothing of a reading exists at Marketo in any state."""
    world = build(tmp_path)
    (job,) = await world.planned(paged())
    process = Process(world)
    there = await process.until(job, state)
    assert (lane, False) == (process.readings.lane(there), process.readings.stands(there))

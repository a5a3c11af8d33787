"""A chunk on its way, step by step, as a scheduler takes it."""

from datetime import timedelta
from pathlib import Path

import pytest

from syncengine.errors import SourceUnusable, Unavailable
from syncengine.imports import states
from syncengine.imports.ambiguity import SLOWEST
from syncengine.imports.door import UNREACHABLE_MAX
from syncengine.imports.route import Route
from syncengine.imports.run import AT_MARKETO, CALLS, FILE_BYTES_MAX, LEARNED_BYTES_MIN
from syncengine.imports.runs import work_of
from syncengine.jobs.board import Done, Failed, Later, Wait
from syncengine.marketo.rows import ImportBatch, ImportStatus
from syncengine.observe.events import ChunkMoved, Paused
from tests.unit.imports.stepping import CREATE, emails, handled, stepping
from tests.unit.imports.table import ended
from tests.unit.imports.world import INSTANCE, TERMS, fault, people
from tests.virtual import virtual


@virtual
async def test_a_file_that_went_in(tmp_path: Path) -> None:
    """Intent with hash and time first, then the batch's id, then what became of the rows, in the journal one by one."""
    taken = await stepping(tmp_path)
    job = await taken.first()
    assert (AT_MARKETO, False) == (taken.chunks.lane(job), taken.chunks.stands(job))
    step = await taken.chunks.step(job)
    assert isinstance(step, Wait)
    job = step.job
    assert (states.ACCEPTED, 1001, AT_MARKETO, True) == (
        job.state,
        job.facts["batch_id"],
        taken.chunks.lane(job),
        taken.chunks.stands(job),
    )
    assert 64 == len(job.facts["sha256"])
    await taken.pass_time(step)
    job = await taken.until(job, states.DONE)
    assert {"failed": 0, "warned": 0, "unresolved": 0} == job.facts["found"]
    steps = ["plan", "intend", "accepted", "complete", "failures saved", "warnings saved", "settled"]
    assert steps == await taken.world.history(job.id)
    assert steps[1:] == [event.event for event in taken.world.told(ChunkMoved)]
    assert people(5) == [tuple(map(str, each.values())) for each in await taken.world.people(*emails(5))]
    assert ([], (5, 0)) == (ended(taken.folder / "000001.settled"), (taken.brake.rows, taken.brake.failed))


@virtual
async def test_a_batch_that_was_accepted_is_not_sent_by_a_later_process(tmp_path: Path) -> None:
    """It is asked for by its id."""
    taken = await stepping(tmp_path)
    job = await taken.until(await taken.first(), states.ACCEPTED)
    later = handled(taken.world, taken.run)
    await taken.world.clock.sleep(120)
    job = await later.until(job, states.DONE)
    assert (1, 5) == (taken.world.calls("leads.import.create"), later.brake.rows)


@virtual
async def test_a_call_is_answered_row_by_row(tmp_path: Path) -> None:
    """It holds no place at Marketo; only so many are made at once."""
    taken = await stepping(tmp_path, route=Route.REST)
    job = await taken.first()
    assert CALLS == taken.chunks.lane(job)
    step = await taken.chunks.step(job)
    assert isinstance(step, Done)
    assert (states.DONE, None) == (step.job.state, taken.chunks.lane(step.job))
    assert ["plan", "intend", "answered"] == await taken.world.history(job.id)


@virtual
async def test_a_full_queue_is_waited_for(tmp_path: Path) -> None:
    """The chunk is planned again, since Marketo provably has not taken it."""
    full = fault("error", CREATE, code="1016", message="Too many imports queued", times=1)
    taken = await stepping(tmp_path, full)
    step = await taken.chunks.step(await taken.first())
    assert isinstance(step, Later)
    assert (states.PLANNED, 60.0) == (step.job.state, step.seconds)
    assert ["Marketo's queue of imports is full"] == [event.reason for event in taken.world.told(Paused)]
    await taken.until(step.job, states.DONE)


@virtual
async def test_an_unreachable_marketo_is_waited_for_and_then_told(tmp_path: Path) -> None:
    """For a quarter of an hour."""
    taken = await stepping(tmp_path, fault("error", CREATE, code="606", message="Rate limit"))
    started = taken.world.clock.now()
    with pytest.raises(Unavailable):
        await taken.until(await taken.first(), states.DONE)
    assert timedelta(0) <= taken.world.clock.now() - started - UNREACHABLE_MAX < timedelta(minutes=5)
    assert states.PLANNED == (await taken.first()).state


@virtual
async def test_a_refusal_ends_every_row_with_its_reason(tmp_path: Path) -> None:
    """These bytes will never be taken."""
    taken = await stepping(tmp_path, fault("error", CREATE, code="1003", message="The file is bad"))
    step = await taken.chunks.step(await taken.first())
    assert isinstance(step, Done)
    assert (states.REFUSED, 5, 5) == (step.job.state, step.job.facts["found"]["failed"], taken.brake.failed)
    assert {(row, "failed") for row in range(1, 6)} == {each[:2] for each in ended(taken.folder / "000001.settled")}
    assert "The file is bad" in ended(taken.folder / "000001.settled")[0][2]


@virtual
async def test_a_batch_that_marketo_gives_up_fails_every_row(tmp_path: Path) -> None:
    """With its message."""
    taken = await stepping(tmp_path, fault("outcome", CREATE, status="Failed", message="Out of luck"))
    job = await taken.until(await taken.first(), states.FAILED)
    assert (5, "Out of luck") == (job.facts["found"]["failed"], ended(taken.folder / "000001.settled")[4][2])


@virtual
async def test_a_file_that_is_too_large_is_cut_in_two(tmp_path: Path) -> None:
    """And halves go their own ways; so small a file says nothing about the instance."""
    taken = await stepping(tmp_path, fault("http", CREATE, status=413, times=1))
    step = await taken.chunks.step(await taken.first())
    assert isinstance(step, Done)
    assert (states.REPLACED, [2, 3]) == (step.job.state, [job.facts["rows"] for job in step.instead])
    assert await taken.world.parts.store.recall(INSTANCE, FILE_BYTES_MAX) is None
    for job in step.instead:
        await taken.until(job, states.DONE)
    assert 5 == len(await taken.world.people(*emails(5)))


@virtual
async def test_a_row_that_is_too_large_alone_is_refused(tmp_path: Path) -> None:
    """There is no half of it."""
    taken = await stepping(tmp_path, fault("http", CREATE, status=413), rows=1)
    step = await taken.chunks.step(await taken.first())
    assert isinstance(step, Done)
    assert (states.REFUSED, ()) == (step.job.state, step.instead)


@virtual
async def test_a_source_that_changed_is_never_sent(tmp_path: Path) -> None:
    """It is told, and the chunk may be sent when the file is as it was."""
    taken = await stepping(tmp_path)
    work_of(taken.world.parts, taken.run, TERMS)
    shorten(taken.world.files / "people.csv")
    with pytest.raises(SourceUnusable):
        await taken.chunks.step(await taken.first())
    assert (states.PLANNED, 0) == ((await taken.first()).state, taken.world.calls("leads.import.create"))


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


@virtual
async def test_nothing_more_is_sent_once_the_brake_is_on(tmp_path: Path) -> None:
    """With the reason; what is planned stays so."""
    taken = await stepping(tmp_path)
    taken.brake.count(10, 10)
    step = await taken.chunks.step(await taken.first())
    assert isinstance(step, Failed)
    assert ("all 10 rows of the first chunk failed", states.PLANNED) == (str(step.error), step.job.state)
    assert 0 == taken.world.calls("leads.import.create")


@virtual
async def test_the_slowest_job_is_remembered(tmp_path: Path) -> None:
    """It tells the next runs how long a lost chunk may still be under way."""
    taken = await stepping(tmp_path, import_seconds=(90.0, 90.0))
    await taken.until(await taken.first(), states.DONE)
    took = await taken.world.parts.store.recall(INSTANCE, SLOWEST)
    assert 90 <= took <= 125


@virtual
async def test_a_large_file_that_is_too_large_is_remembered(tmp_path: Path) -> None:
    """The next run makes files that this instance takes, without asking."""
    taken = await stepping(tmp_path, fault("http", CREATE, status=413, times=1), rows=75_000)
    step = await taken.chunks.step(await taken.first())
    assert step.job.facts["bytes"] >= LEARNED_BYTES_MIN
    assert step.job.facts["bytes"] // 2 == await taken.world.parts.store.recall(INSTANCE, FILE_BYTES_MAX)


@virtual
async def test_rows_of_a_broken_batch_that_are_in_are_imported(tmp_path: Path) -> None:
    """Marketo gave it up in its middle; the others failed with its message, and are sent again by nobody."""
    rule = fault("outcome", CREATE, status="Failed", message="Out of luck", bytes=75)
    taken = await stepping(tmp_path, rule)
    job = await taken.until(await taken.first(), states.FAILED)
    there = {each["email"] for each in await taken.world.people(*emails(5))}
    assert 0 < len(there) < 5
    assert {"failed": 5 - len(there), "warned": 0, "unresolved": 0} == job.facts["found"]
    told = ended(taken.folder / "000001.settled")
    assert set(emails(5)) - there == {emails(5)[row - 1] for row, _, _ in told}
    assert {("failed", "Out of luck")} == {each[1:] for each in told}


@pytest.mark.parametrize("bad_rows", [0, 2])
@virtual
async def test_a_status_without_counts_is_no_reason_to_ask_nothing(
    tmp_path_factory: pytest.TempPathFactory, bad_rows: int
) -> None:
    """The lists tell then what failed, if they are there."""
    taken = await stepping(tmp_path_factory.mktemp("world"), bad_rows=bad_rows)
    job = await taken.until(await taken.first(), states.ACCEPTED)
    await taken.world.clock.sleep(600)
    taken.batches.news[1001] = ImportBatch(1001, ImportStatus.COMPLETE)
    job = await taken.until(job, states.DONE)
    assert ({"failed": bad_rows, "warned": 0, "unresolved": 0}, 0, 0) == (
        job.facts["found"],
        job.facts["missing"],
        job.facts["strangers"],
    )
    assert 5 == len(await taken.world.people(*emails(5)))

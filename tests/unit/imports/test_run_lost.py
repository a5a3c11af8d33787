"""A chunk whose fate is not known: it is found out about, and never sent again blindly."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncengine.errors import LeaseLost, OutcomeUnknown
from syncengine.imports import states
from syncengine.imports.ambiguity import SENDING_MAX, Policy
from syncengine.imports.route import Route
from syncengine.jobs.board import Failed, Go, Later
from syncengine.jobs.job import Job
from tests.unit.imports.stepping import CREATE, SYNC, emails, handled, stepping
from tests.unit.imports.world import World, again, asked, build, fault, people
from tests.virtual import virtual


@pytest.mark.parametrize("way", ["drop_after", "drop_before"])
@pytest.mark.parametrize("route", [Route.BULK, Route.REST])
@virtual
async def test_a_lost_answer_is_cleared_up_by_looking(
    tmp_path_factory: pytest.TempPathFactory, way: str, route: Route
) -> None:
    """After the drain bound, and never by sending again before: nobody is doubled, and nobody is missing."""
    path = CREATE if route is Route.BULK else SYNC
    taken = await stepping(tmp_path_factory.mktemp("world"), fault(way, path, method="POST", times=1), route=route)
    started = taken.world.clock.now()
    step = await taken.chunks.step(await taken.first())
    assert states.AMBIGUOUS == step.job.state
    step = await taken.chunks.step(step.job)
    assert isinstance(step, Later)
    bound = 3_600 if route is Route.BULK else 270
    assert bound - 5 <= step.seconds <= bound
    await taken.pass_time(step)
    end = states.CONFIRMED if way == "drop_after" else states.DONE
    job = await taken.until(step.job, end)
    assert 5 == len(await taken.world.people(*emails(5)))
    assert (0 if way == "drop_after" else 1) == job.attempt
    assert taken.world.clock.now() - started >= timedelta(seconds=bound - 5)
    if way == "drop_after":
        assert {"failed": 0, "warned": 0, "unresolved": 0} == job.facts["found"]


@virtual
async def test_a_chunk_that_was_held_waits_for_a_word(tmp_path: Path) -> None:
    """The policy of a later run decides."""
    taken = await stepping(tmp_path, fault("drop_after", CREATE, times=1), policy=Policy.HOLD)
    step = await taken.chunks.step((await taken.chunks.step(await taken.first())).job)
    assert isinstance(step, Failed)
    assert states.HELD == step.job.state
    assert isinstance(step.error, OutcomeUnknown)
    step = await taken.chunks.step(step.job)
    assert isinstance(step, Failed)
    later = handled(taken.world, taken.run)
    job = await later.until(step.job, states.CONFIRMED)
    assert 1 == taken.world.calls("leads.import.create")
    assert 0 == job.facts["found"]["unresolved"]


@virtual
async def test_resubmission_waits_for_the_drain_bound_too(tmp_path: Path) -> None:
    """It does not look then; it is for imports that may be repeated."""
    taken = await stepping(tmp_path, fault("drop_after", CREATE, times=1), policy=Policy.RESUBMIT)
    step = await taken.chunks.step((await taken.chunks.step(await taken.first())).job)
    assert isinstance(step, Later)
    await taken.pass_time(step)
    await taken.until(step.job, states.DONE)
    assert (2, 0) == (taken.world.calls("leads.import.create"), taken.world.calls("leads.query"))
    assert 5 == len(await taken.world.people(*emails(5)))


@virtual
async def test_a_process_that_died_while_sending_leaves_a_question(tmp_path: Path) -> None:
    """The intent stands in the journal, and nothing more: it is looked for, not sent."""
    taken = await stepping(tmp_path)
    job = await taken.first()
    at = taken.world.clock.now().isoformat()
    job = await taken.world.parts.store.move(job, "intend", sha256="0" * 64, sent_at=at)
    step = await handled(taken.world, taken.run).chunks.step(job)
    assert isinstance(step, Go)
    assert (states.AMBIGUOUS, 0) == (step.job.state, taken.world.calls("leads.import.create"))


@virtual
async def test_a_list_of_failures_that_is_gone_leaves_a_question(tmp_path: Path) -> None:
    """Rows failed, and nobody says which: they are looked for, and those that are not there are unresolved."""
    gone = fault("http", "/batch/1001/failures.json", status=404)
    taken = await stepping(tmp_path, gone, bad_rows=2)
    job = await taken.until(await taken.first(), states.AMBIGUOUS)
    job = await taken.until(job, states.CONFIRMED)
    assert ({"failed": 0, "warned": 0, "unresolved": 2}, 1) == (
        job.facts["found"],
        taken.world.calls("leads.import.create"),
    )


@virtual
async def test_a_batch_that_is_forgotten_is_looked_for(tmp_path: Path) -> None:
    """It was accepted, so it is never sent again, whatever is found."""
    taken = await stepping(tmp_path, fault("forget", CREATE))
    job = await taken.until(await taken.first(), states.AMBIGUOUS)
    job = await taken.until(job, states.CONFIRMED)
    assert (1, 1001) == (taken.world.calls("leads.import.create"), job.facts["batch_id"])


@virtual
async def test_an_accepted_batch_is_never_sent_again_by_any_policy(tmp_path: Path) -> None:
    """It has run: its rows are told one by one, also where resubmission was asked for."""
    taken = await stepping(tmp_path, fault("forget", CREATE), policy=Policy.RESUBMIT)
    job = await taken.until(await taken.first(), states.AMBIGUOUS)
    await taken.until(job, states.CONFIRMED)
    assert 1 == taken.world.calls("leads.import.create")


@pytest.mark.parametrize("rows", [1, 5])
@virtual
async def test_rows_that_cannot_be_looked_for_are_unresolved(
    tmp_path_factory: pytest.TempPathFactory, rows: int
) -> None:
    """Marketo refuses the look, which no later one would change: the run is closed and stands in nobody's way."""
    refused = fault("error", SYNC, code="1011")
    world = build(tmp_path_factory.mktemp("world"), fault("drop_after", CREATE, times=1), refused)
    report = await world.imported(asked(world.file(*people(rows))))
    assert ("partial", rows, ()) == (report.outcome, report.counts["unresolved"], report.problems)
    assert (1, []) == (world.calls("leads.import.create"), world.lying_about())
    assert states.UNRESOLVED == (await world.chunks())[0].state


class Frozen:
    """A journal whose process is stopped for so long right after an intent was written down."""

    def __init__(self, world: World, seconds: float) -> None:
        self._world = world
        self._seconds = seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.parts.store, name)

    async def move(self, job: Job, event: str, **facts: Any) -> Job:
        moved = await self._world.parts.store.move(job, event, **facts)
        if event == "intend":
            await self._world.clock.sleep(self._seconds)
        return moved


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("route", [Route.BULK, Route.REST])
@virtual
async def test_a_process_that_was_frozen_sends_nothing_any_more(
    tmp_path_factory: pytest.TempPathFactory, route: Route, *, is_late: bool
) -> None:
    """Another one may have looked for the chunk meanwhile, and sent it; the question stays as it was."""
    taken = await stepping(tmp_path_factory.mktemp("world"), route=route)
    frozen = Frozen(taken.world, SENDING_MAX.total_seconds() + (1 if is_late else -1))
    stopped = handled(again(taken.world, store=frozen), taken.run)
    call = "leads.import.create" if route is Route.BULK else "leads.sync"
    if is_late:
        with pytest.raises(LeaseLost, match="was stopped for too long"):
            await stopped.chunks.step(await taken.first())
        await taken.world.clock.sleep(600)
        assert (states.SENDING, []) == ((await taken.first()).state, await taken.world.people(*emails(5)))
    else:
        await stopped.chunks.step(await taken.first())
        assert 1 == taken.world.calls(call)

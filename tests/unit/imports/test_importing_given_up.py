"""Runs that are given up: in whatever state their chunks are, and whatever has become of their files."""

import shutil
from pathlib import Path

import anyio
import pytest

from syncengine.errors import AlreadyRunning, ConfigError
from syncengine.imports import states
from syncengine.imports.importing import abandon, resume
from syncengine.imports.runs import found
from tests.unit.imports.stepping import Stepping, emails, stepping
from tests.unit.imports.world import INSTANCE, TERMS, asked, build, people
from tests.virtual import virtual

COMPLETE = ["intend", "accepted", "complete"]
STATES: dict[str, list[str]] = {
    states.PLANNED: [],
    states.SENDING: ["intend"],
    states.AMBIGUOUS: ["intend", "lost"],
    states.HELD: ["intend", "lost", "hold"],
    states.ACCEPTED: ["intend", "accepted"],
    states.BROKEN: ["intend", "accepted", "failed"],
    states.COMPLETE: COMPLETE,
    states.FAILURES_SAVED: [*COMPLETE, "failures saved"],
    states.WARNINGS_SAVED: [*COMPLETE, "failures saved", "warnings saved"],
}


def damage(taken: Stepping, how: str) -> None:
    """What may have become of a run's files until somebody gives it up."""
    source = taken.world.files / "people.csv"
    match how:
        case "no folder":
            shutil.rmtree(taken.folder)
        case "an edited source":
            source.write_bytes(source.read_bytes().replace(b"N1", b"N9"))
        case "no source":
            source.unlink()


@pytest.mark.parametrize("how", ["nothing", "no folder", "an edited source", "no source"])
@pytest.mark.parametrize("state", STATES)
@virtual
async def test_a_run_can_be_given_up_in_any_state(
    tmp_path_factory: pytest.TempPathFactory, state: str, how: str
) -> None:
    """Its rows are waiting for ever or unresolved, it is closed, its files are gone, and it stands in nobody's way."""
    taken = await stepping(tmp_path_factory.mktemp("world"))
    world, job = taken.world, await taken.first()
    for event in STATES[state]:
        job = await world.parts.store.move(job, event)
    damage(taken, how)
    calls = world.client.calls_sent
    report = await abandon(world.parts, taken.run.id)
    left = "waiting" if state == states.PLANNED else "unresolved"
    assert ("abandoned", {left: 5}) == (report.outcome, {name: n for name, n in report.counts.items() if n})
    assert (calls, []) == (world.client.calls_sent, world.lying_about())
    assert (states.CLOSED, "abandoned") == (
        (run := await found(world.parts.store, INSTANCE, taken.run.id)).state,
        run.facts["outcome"],
    )
    told = how == "nothing" and state != states.PLANNED
    assert ("summary.json", "unresolved.csv") if told else ("summary.json",) == report.files
    assert (how == "nothing") == (not report.problems)
    again = await world.imported(asked(world.file(*people(5), name="again.csv")))
    assert ("done", 5) == (again.outcome, len(await world.people(*emails(5))))


@virtual
async def test_a_run_that_was_given_up_has_ended(tmp_path: Path) -> None:
    """It is neither gone on with nor given up again."""
    taken = await stepping(tmp_path)
    await abandon(taken.world.parts, taken.run.id)
    for again in (abandon(taken.world.parts, taken.run.id), resume(taken.world.parts, taken.run.id, TERMS)):
        with pytest.raises(ConfigError, match="nothing of it is left to be done"):
            await again


@virtual
async def test_a_run_that_is_under_way_cannot_be_given_up(tmp_path: Path) -> None:
    """Its own process knows more."""
    world = build(tmp_path, import_seconds=(600.0, 600.0))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(world.imported, asked(world.file(*people(5))))
        await world.clock.sleep(60)
        (name,) = world.lying_about()
        with pytest.raises(AlreadyRunning):
            await abandon(world.parts, name)
    assert "done" == (await found(world.parts.store, INSTANCE, name)).facts["outcome"]


@virtual
async def test_what_had_ended_before_stays_told(tmp_path: Path) -> None:
    """Only what is not known is unresolved."""
    world = build(tmp_path, import_seconds=(600.0, 600.0))
    order = asked(world.file(*people(15_000)))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: world.imported(order, file_bytes=50_000))
        while not any(job.state == states.DONE for job in await world.chunks()):
            await world.clock.sleep(30)
        tasks.cancel_scope.cancel()
    (name,) = world.lying_about()
    report = await abandon(world.parts, name)
    assert 15_000 == sum(report.counts.values())
    assert {"imported", "unresolved", "waiting"} == {kind for kind, rows in report.counts.items() if rows}

"""What stands in the way of a run."""

from dataclasses import replace
from pathlib import Path

import pytest

from syncengine.errors import AlreadyRunning, SourceUnusable
from syncengine.imports import states
from syncengine.imports.prepare import Prepared
from syncengine.imports.refusals import refuse_changed, refuse_other_bodies, refuse_unsettled
from syncengine.imports.runs import chunks_of, planned, work_of
from syncengine.jobs.job import Job
from syncengine.sources import STANDARD_INPUT
from tests.unit.imports.world import TERMS, World, asked, build, people
from tests.virtual import virtual


async def begun(world: World, *, rows: int = 3) -> tuple[Job, Prepared]:
    async with world.desk().plan(asked(world.file(*people(rows)))) as (plan, _):
        return await planned(world.parts, plan, TERMS, 1), plan


@virtual
async def test_a_file_that_was_edited_is_refused_with_both_hashes(tmp_path: Path) -> None:
    """Which of the two is meant is not guessed."""
    world = build(tmp_path)
    run, before = await begun(world)
    async with world.desk().plan(asked(world.file(*people(4)))) as (plan, _):
        with pytest.raises(SourceUnusable) as raised:
            refuse_changed(run, plan)
    for digest in (before.sources[0]["sha256"], plan.sources[0]["sha256"]):
        assert f"{digest[:16]}..." in raised.value.message
    assert f"syncengine imports resume {run.id}" in raised.value.advice
    assert "--new-run" in raised.value.advice


@virtual
async def test_other_files_are_other_imports(tmp_path: Path) -> None:
    """The same file, another one, and standard input, which is another one each time."""
    world = build(tmp_path)
    run, plan = await begun(world)
    refuse_changed(run, plan)
    async with world.desk().plan(asked(world.file(*people(4), name="other.csv"))) as (other, _):
        refuse_changed(run, other)
    (source,) = plan.sources
    stdin = {**source, "name": STANDARD_INPUT, "origin": ""}
    facts = {**run.facts, "sources": [stdin]}
    another = replace(plan, sources=({**stdin, "sha256": "f" * 64},))
    refuse_changed(replace(run, facts=facts), another)
    # What makes it pass is the source's name, not a hash that nobody looks at.
    assert another.sources[0]["sha256"] != stdin["sha256"]
    assert {each["origin"] for each in other.sources}.isdisjoint({source["origin"]})


@pytest.mark.parametrize("events", [["intend"], ["intend", "lost"], ["intend", "lost", "hold"], ["intend", "accepted"]])
@virtual
async def test_people_whom_marketo_may_be_working_on_are_not_sent_again(
    tmp_path_factory: pytest.TempPathFactory, events: list[str]
) -> None:
    """Two jobs with one person make two of him."""
    world = build(tmp_path_factory.mktemp("world"))
    run, _ = await begun(world)
    (chunk,) = await chunks_of(world.parts.store, run)
    for event in events:
        chunk = await world.parts.store.move(chunk, event)
    assert chunk.state in states.AT_MARKETO
    with pytest.raises(AlreadyRunning, match=f"run {run.id} is unfinished and has 1 chunk at Marketo") as raised:
        await refuse_unsettled(world.parts, [run])
    assert f"Finish it first: `syncengine imports resume {run.id}`" in raised.value.advice


@pytest.mark.parametrize("events", [[], ["intend", "answered"], ["intend", "not taken"]])
@virtual
async def test_chunks_that_marketo_cannot_be_working_on_stand_in_nobodys_way(
    tmp_path_factory: pytest.TempPathFactory, events: list[str]
) -> None:
    """What was not sent, and what has ended."""
    world = build(tmp_path_factory.mktemp("world"))
    run, _ = await begun(world)
    (chunk,) = await chunks_of(world.parts.store, run)
    for event in events:
        chunk = await world.parts.store.move(chunk, event)
    await refuse_unsettled(world.parts, [run])
    assert chunk.state not in states.AT_MARKETO


def spoil(path: Path, how: str) -> None:
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().replace(b"N1", b"N2"))


@pytest.mark.parametrize("how", ["edited", "gone"])
@virtual
async def test_another_file_than_was_planned_is_never_sent(tmp_path_factory: pytest.TempPathFactory, how: str) -> None:
    """Its size may be the same: the hash tells."""
    world = build(tmp_path_factory.mktemp("world"))
    run, plan = await begun(world)
    work = work_of(world.parts, run, TERMS)
    refuse_other_bodies(work.bodies, run)
    spoil(world.files / "people.csv", how)
    with pytest.raises(SourceUnusable, match="has changed since run") as raised:
        refuse_other_bodies(work.bodies, run)
    assert f"{plan.sources[0]['sha256'][:16]}..." in raised.value.message
    assert ("cannot be read" in raised.value.message) == (how == "gone")

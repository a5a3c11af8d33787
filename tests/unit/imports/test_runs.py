"""Runs as the journal and their folders have them."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncengine.errors import ConfigError, SourceUnusable
from syncengine.imports import states
from syncengine.imports.ambiguity import Policy
from syncengine.imports.parts import Terms
from syncengine.imports.prepare import Prepared
from syncengine.imports.route import Route
from syncengine.imports.runs import LEFT_BEHIND, chunks_of, found, planned, tidy, unfinished, work_of
from syncengine.jobs.job import Job
from tests.unit.imports.table import COLUMNS
from tests.unit.imports.world import INSTANCE, LEADS, TERMS, World, asked, build, people
from tests.virtual import virtual


async def begun(world: World, *, rows: int = 3) -> tuple[Job, Prepared]:
    """A run that was planned and not begun."""
    async with world.desk().plan(asked(world.file(*people(rows)))) as (plan, _):
        return await planned(world.parts, plan, TERMS, 7), plan


@virtual
async def test_a_run_and_its_chunks_are_in_the_journal_at_once(tmp_path: Path) -> None:
    """With all that a later process needs, and the working files under the run's name."""
    world = build(tmp_path)
    run, plan = await begun(world)
    assert f"20260302-080000-{plan.fingerprint[:4]}" == run.id
    assert (states.IMPORT, states.OPEN, LEADS.work, 7, 3, "bulk", plan.fingerprint) == (
        run.kind,
        run.state,
        run.group,
        run.epoch,
        run.facts["rows"],
        run.facts["route"],
        run.facts["fingerprint"],
    )
    (chunk,) = await chunks_of(world.parts.store, run)
    assert (f"{run.id}-000001", states.PLANNED, run.id, 1, 7) == (
        chunk.id,
        chunk.state,
        chunk.group,
        chunk.place,
        chunk.epoch,
    )
    (sha256,) = plan.hashes
    expected = {"run": run.id, "manifest": "000001.arrow", "rows": 3, "bytes": plan.bytes, "sha256": sha256}
    assert expected == chunk.facts
    assert TERMS == Terms.of(run.facts["terms"])
    assert [run.id] == world.lying_about()


@virtual
async def test_two_runs_of_a_second_have_two_names(tmp_path: Path) -> None:
    """The same import may be begun again on purpose."""
    world = build(tmp_path)
    names = [(await begun(world))[0].id for _ in range(3)]
    assert [names[0], f"{names[0]}-2", f"{names[0]}-3"] == names
    assert names == world.lying_about()


@virtual
async def test_work_comes_back_from_the_journal(tmp_path: Path) -> None:
    """Target, columns and way as they were planned; the terms are those of now."""
    world = build(tmp_path)
    run, _ = await begun(world)
    work = work_of(world.parts, run, replace(TERMS, policy=Policy.HOLD))
    assert (LEADS, [column.name for column in COLUMNS], Route.BULK, Policy.HOLD, timedelta(hours=1)) == (
        work.target,
        [column.name for column in work.columns],
        work.route,
        work.policy,
        work.drain,
    )
    assert [world.parts.folder / run.id / "spool.csv", world.files / "people.csv"] == list(work.bodies)
    assert (world.parts.folder / run.id) == work.folder


@virtual
async def test_a_run_whose_working_files_are_gone_is_told(tmp_path: Path) -> None:
    """Nobody can tell any more which rows its chunks hold."""
    world = build(tmp_path)
    run, _ = await begun(world)
    (world.parts.folder / run.id).rename(tmp_path / "elsewhere")
    with pytest.raises(SourceUnusable, match=f"the working files of run {run.id} are gone"):
        work_of(world.parts, run, TERMS)


@virtual
async def test_runs_are_found_by_their_ids(tmp_path: Path) -> None:
    """A chunk is no run, and what there is not is told."""
    world = build(tmp_path)
    run, _ = await begun(world)
    assert run.id == (await found(world.parts.store, INSTANCE, run.id)).id
    for name in (f"{run.id}-000001", "20200101-000000-abcd", ""):
        with pytest.raises(ConfigError, match="there is no import run"):
            await found(world.parts.store, INSTANCE, name)


@virtual
async def test_unfinished_runs_are_those_of_the_same_work(tmp_path: Path) -> None:
    """Until they are closed."""
    world = build(tmp_path)
    run, _ = await begun(world)
    assert [run.id] == [each.id for each in await unfinished(world.parts, LEADS.work)]
    assert [] == await unfinished(world.parts, "import custom object car_c")
    await world.parts.store.move(run, "close", outcome="done")
    assert [] == await unfinished(world.parts, LEADS.work)


@virtual
async def test_a_chunk_that_was_cut_in_two_counts_no_more(tmp_path: Path) -> None:
    """Its halves stand for it."""
    world = build(tmp_path)
    run, _ = await begun(world)
    (chunk,) = await chunks_of(world.parts.store, run)
    heirs = [replace(chunk, id=f"{chunk.id}{letter}", seq=0) for letter in "ab"]
    await world.parts.store.replace([chunk], "replace", by=heirs)
    assert [each.id for each in heirs] == [each.id for each in await chunks_of(world.parts.store, run)]


@virtual
async def test_what_is_nobodys_goes_after_a_day(tmp_path: Path) -> None:
    """People's rows of a process that died before the journal knew; what may be somebody's stays."""
    world = build(tmp_path)
    run, _ = await begun(world)
    closed, _ = await begun(world, rows=4)
    await world.parts.store.move(closed, "close", outcome="done")
    async with world.desk().plan(asked(world.file(*people(5)))) as (plan, _):
        age(world.parts.folder / run.id, LEFT_BEHIND * 3, plan.folder)
        for name, old in (("new-old", LEFT_BEHIND * 2), ("new-young", LEFT_BEHIND / 2)):
            make(world.parts.folder / name, old, plan.folder)
        await tidy(world.parts, plan)
        assert sorted([run.id, "new-young", plan.folder.name]) == world.lying_about()


def make(folder: Path, old: timedelta, beside: Path) -> None:
    """A folder that was left so long ago."""
    folder.mkdir()
    (folder / "rows.arrow").write_bytes(b"people")
    age(folder, old, beside)


def age(folder: Path, old: timedelta, beside: Path) -> None:
    at = beside.stat().st_mtime - old.total_seconds()
    os.utime(folder, (at, at))

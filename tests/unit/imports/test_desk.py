"""The door of the room."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncengine.errors import ConfigError, SourceUnusable
from syncengine.imports.ambiguity import SLOWEST
from syncengine.imports.route import Route
from syncengine.imports.run import FILE_BYTES_MAX
from syncengine.imports.target import Kind, Target
from tests.unit.imports.world import INSTANCE, LEADS, TERMS, asked, build, fault, people
from tests.virtual import virtual

CREATE = "/bulk/v1/leads.json"


@virtual
async def test_a_plan_sends_nothing(tmp_path: Path) -> None:
    """It costs a call to ask what Marketo has, and leaves nothing behind."""
    world = build(tmp_path)
    async with world.desk().plan(asked(world.file(*people(5)))) as (_, plan):
        assert (5, 5, 1, "bulk", False) == (plan.rows, plan.sent, plan.chunks, plan.route, plan.stops)
    assert ({"identity": 1, "describe": 1}, [], ()) == (
        world.marketo.report()["calls"],
        world.lying_about(),
        await world.desk().all(),
    )


@virtual
async def test_a_plan_knows_what_was_learnt_of_the_instance(tmp_path: Path) -> None:
    """How long a file it takes, and how long its jobs take."""
    world = build(tmp_path)
    order = asked(world.file(*people(5_000)))
    await world.parts.store.remember(INSTANCE, FILE_BYTES_MAX, 50_000)
    await world.parts.store.remember(INSTANCE, SLOWEST, 600.0)
    async with world.desk().plan(order) as (prepared, plan):
        assert prepared.room < 50_000
        assert (3, 1_200.0) == (plan.chunks, plan.seconds)
    async with world.desk(file_bytes=30_000).plan(order) as (prepared, _):
        assert prepared.room < 30_000


@virtual
async def test_what_is_not_there_is_told_before_anything_is_read(tmp_path: Path) -> None:
    """A target that Marketo does not have, a file that is none."""
    world = build(tmp_path)
    with pytest.raises(ConfigError, match="there is no static list 9"):
        await world.imported(asked("nowhere.csv", target=replace(LEADS, list_id=9)))
    with pytest.raises(SourceUnusable, match=r"nowhere\.csv"):
        await world.imported(asked(str(world.files / "nowhere.csv")))
    assert [] == world.lying_about()


@virtual
async def test_runs_are_listed_with_the_newest_first(tmp_path: Path) -> None:
    """Each with its counts, ended or not."""
    world = build(tmp_path, import_seconds=(600.0, 600.0))
    first = await world.imported(asked(world.file(*people(2)), route=Route.REST))
    await world.clock.sleep(60)
    order = asked(world.file(*people(3), name="more.csv"), wait_max=timedelta(minutes=1))
    second = await world.imported(order)
    runs = await world.desk().all()
    assert [(second.run_id, "unfinished", 3, 0), (first.run_id, "done", 0, 2)] == [
        (each.run_id, each.state, each.counts["waiting"], each.counts["imported"]) for each in runs
    ]
    assert runs[1] == await world.desk().one(first.run_id)
    assert str(world.parts.reports / first.run_id) == runs[1].folder
    with pytest.raises(ConfigError, match="there is no import run 'nope'"):
        await world.desk().one("nope")


@virtual
async def test_a_run_is_found_by_the_file_that_it_reads(tmp_path: Path) -> None:
    """By how its full path ends; of several runs the newest."""
    world = build(tmp_path)
    order = asked(world.file(*people(2)), route=Route.REST)
    await world.imported(order)
    await world.clock.sleep(60)
    newest = await world.imported(order)
    found = await world.desk().of_file("/files/people.csv")
    assert found == await world.desk().one(newest.run_id)
    assert None is await world.desk().of_file("/files/other.csv")


@virtual
async def test_failed_rows_are_sent_again_as_they_were(tmp_path: Path) -> None:
    """Into the same place, as a run of its own, which knows whose rows they are."""
    world = build(tmp_path, fault("outcome", CREATE, status="Failed", message="not now", times=1))
    target = replace(LEADS, partition="Default")
    report = await world.imported(
        asked(world.file(("a@x.example", "", "1"), *people(2)), target=target, allow_clear=True)
    )
    assert 3 == report.counts["failed"]
    order = await world.desk().again(report.run_id, TERMS)
    assert (target, report.run_id, True, TERMS.wait_max) == (
        order.target,
        order.retries,
        order.allow_clear,
        order.wait_max,
    )
    again = await world.imported(order)
    assert ("done", 3) == (again.outcome, again.counts["imported"])
    with pytest.raises(ConfigError, match=f"were sent again already, by run {again.run_id}") as raised:
        await world.desk().again(report.run_id, TERMS)
    assert f"imports show {again.run_id}" in raised.value.advice
    with pytest.raises(ConfigError, match=f"no row of run {again.run_id} failed"):
        await world.desk().again(again.run_id, TERMS)


@virtual
async def test_rows_of_an_unfinished_run_are_not_sent_again(tmp_path: Path) -> None:
    """It is finished first; nor is there a run of any other name."""
    world = build(tmp_path, import_seconds=(600.0, 600.0))
    report = await world.imported(asked(world.file(*people(3)), wait_max=timedelta(minutes=1)))
    with pytest.raises(ConfigError, match=f"run {report.run_id} is unfinished") as raised:
        await world.desk().again(report.run_id, TERMS)
    assert f"syncengine imports resume {report.run_id}" in raised.value.advice
    with pytest.raises(ConfigError, match="there is no import run"):
        await world.desk().again("nope", TERMS)
    resumed = await world.desk().resume(report.run_id, TERMS)
    assert "done" == resumed.outcome


@virtual
async def test_failed_records_of_a_custom_object_are_sent_by_their_keys(tmp_path: Path) -> None:
    """The target in the journal has them."""
    world = build(tmp_path, fault("error", "/customobjects/car_c.json", code="1003", method="POST", times=1))
    rows = [("V1", "red"), ("V2", "blue")]
    target = Target(kind=Kind.CUSTOM_OBJECTS, keys=(), api_name="car_c")
    order = asked(world.file(*rows, header=("vIN", "color"), name="cars.csv"), target=target, route=Route.REST)
    report = await world.imported(order)
    assert (2, 2) == (report.counts["failed"], report.rows)
    retry = await world.desk().again(report.run_id, TERMS)
    assert ("vIN",) == retry.target.keys
    assert 2 == (await world.imported(retry)).counts["imported"]


@virtual
async def test_members_of_a_program_are_imported(tmp_path: Path) -> None:
    """With a status of its channel."""
    from syncengine.marketo.endpoints import programs

    world = build(tmp_path)
    program = await world.client.send(programs.program(4001))
    assert program is not None
    status = (await world.client.send(programs.channel_statuses(program.channel)))[0]
    target = Target(kind=Kind.PROGRAM_MEMBERS, keys=("email",), program_id=4001, status=status)
    report = await world.imported(asked(world.file(*people(3)), target=target))
    assert ("done", 3, "members of program 4001") == (report.outcome, report.counts["imported"], report.target)

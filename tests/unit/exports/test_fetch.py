"""A finished job's file comes to the spool whole and checked, or not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.errors import CallRejected, FileDamaged, NotFound
from syncengine.exports import request
from syncengine.exports.fetch import discard, fetch, spool_path
from syncengine.marketo.endpoints import exports
from syncengine.marketo.endpoints.exports import ACTIVITIES
from syncengine.marketo.rows import ExportJob
from syncengine.transport.download import Expected
from tests.unit.exports.world import World, activities, build, fault
from tests.virtual import virtual

KIND = ACTIVITIES


async def finished(world: World) -> ExportJob:
    """A completed job with a file of some 15 KB, as a poll shows it."""
    (window,) = await world.planned(activities(31))
    job_id = await request.create(world.client, window)
    await request.enqueue(world.client, KIND, job_id)
    await world.clock.sleep(300.0)
    return await world.client.send(exports.status(KIND, job_id))


def content(world: World, job: ExportJob) -> bytes:
    """The file as Marketo has it."""
    stored = world.marketo.exports.file(KIND.name, job.export_id, world.clock.now().timestamp())
    assert stored is not None
    return stored.file.read(0, stored.size)


async def fetched(
    world: World, job: ExportJob, progress: Callable[[int], None] = lambda _: None, size: int | None = None
) -> str:
    assert job.file_bytes is not None
    expected = Expected(job.file_bytes if size is None else size, job.sha256)
    path = spool_path(world.spool, "w.1")
    return await fetch(world.client, KIND, job.export_id, path, expected=expected, progress=progress)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def sent(world: World) -> int:
    """Bytes of files that Marketo handed out so far."""
    return int(world.marketo.report()["file_bytes_total"])


@virtual
async def test_a_file_comes_whole(tmp_path: Path) -> None:
    """Its bytes are Marketo's, its hash the announced one, and no part of it stays beside it."""
    world = build(tmp_path)
    job = await finished(world)
    assert job.sha256 == await fetched(world, job)
    assert (["w.1.csv"], content(world, job)) == (world.spooled(), spool_path(world.spool, "w.1").read_bytes())
    assert 1 == world.calls("activities.export.file")


@virtual
async def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    """Whoever watches is told of a beginning, of an end, and of no step back."""
    world = build(tmp_path, activities=20_000)
    job, told = await finished(world), list[int]()
    await fetched(world, job, told.append)
    assert (0, job.file_bytes) == (told[0], told[-1])
    assert sorted(told) == told


@virtual
@pytest.mark.parametrize("damage", ["flip", "truncate", "reset"])
async def test_a_damaged_answer_is_made_good(tmp_path: Path, damage: str) -> None:
    """A wrong bit, an early end or a broken connection costs another call, and never shows in the file."""
    world = build(tmp_path, fault(damage, "/file.json", nth=1, bytes=1_000))
    job = await finished(world)
    assert job.sha256 == await fetched(world, job)
    assert (content(world, job), 2) == (
        spool_path(world.spool, "w.1").read_bytes(),
        world.calls("activities.export.file"),
    )


@virtual
async def test_a_file_that_stays_damaged_is_given_up(tmp_path: Path) -> None:
    """The second download begins at the first byte; after it the error is told and no wrong byte is kept."""
    world = build(tmp_path, fault("flip", "/file.json", bytes=1_000))
    job = await finished(world)
    with pytest.raises(FileDamaged):
        await fetched(world, job)
    assert (2, 2 * len(content(world, job)), []) == (
        world.calls("activities.export.file"),
        sent(world),
        world.spooled(),
    )


@virtual
async def test_a_page_in_the_place_of_the_file_costs_nothing_of_it(tmp_path: Path) -> None:
    """A gateway's page with status 200 is no file: the part that is here already stays, and is gone on with."""
    world = build(tmp_path, fault("http", "/file.json", nth=1, status=200, body="<html>busy</html>"))
    job = await finished(world)
    whole = content(world, job)
    (world.spool / "w.1.csv.part").write_bytes(whole[:5_000])
    assert job.sha256 == await fetched(world, job)
    assert len(whole) - 5_000 == sent(world)


@virtual
async def test_an_error_in_the_place_of_the_file_is_that_error(tmp_path: Path) -> None:
    """Marketo's envelope with an error never becomes a file."""
    world = build(tmp_path, fault("error", "/file.json", code="1003", message="no"))
    job = await finished(world)
    with pytest.raises(CallRejected):
        await fetched(world, job)
    assert ["w.1.csv.part"] == world.spooled()
    assert b"" == (world.spool / "w.1.csv.part").read_bytes()


@virtual
async def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    """Completed and 404 happens: who asked decides when to look again."""
    world = build(tmp_path, fault("http", "/file.json", status=404, body="not there"))
    job = await finished(world)
    with pytest.raises(NotFound):
        await fetched(world, job)
    assert 1 == world.calls("activities.export.file")


@virtual
async def test_a_file_longer_than_announced_is_damaged(tmp_path: Path) -> None:
    """Sizes that do not agree are a damaged file, not a shorter one."""
    world = build(tmp_path)
    job = await finished(world)
    with pytest.raises(FileDamaged):
        await fetched(world, job, size=len(content(world, job)) - 1)


@given(share=st.floats(0.0, 1.0))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@virtual
async def test_a_part_is_gone_on_with(tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    """From whatever byte an earlier process came to, only the rest is asked for."""
    world = build(tmp_path_factory.mktemp("world"))
    job = await finished(world)
    whole = content(world, job)
    have = int(share * len(whole))
    (world.spool / "w.1.csv.part").write_bytes(whole[:have])
    assert job.sha256 == await fetched(world, job)
    assert (len(whole) - have, whole) == (sent(world), spool_path(world.spool, "w.1").read_bytes())


@virtual
@pytest.mark.parametrize("have", [100, 1_000_000])
async def test_a_part_that_is_not_the_files_beginning_is_thrown_away(tmp_path: Path, have: int) -> None:
    """A part is never trusted: what it holds shows in the hash, and the file is brought from its first byte."""
    world = build(tmp_path)
    job = await finished(world)
    (world.spool / "w.1.csv.part").write_bytes(b"x" * have)
    assert job.sha256 == await fetched(world, job)
    assert (["w.1.csv"], content(world, job)) == (world.spooled(), spool_path(world.spool, "w.1").read_bytes())


@virtual
async def test_a_whole_file_is_only_hashed(tmp_path: Path) -> None:
    """What an earlier run had verified is not sent again."""
    world = build(tmp_path)
    job = await finished(world)
    spool_path(world.spool, "w.1").write_bytes(content(world, job))
    assert (job.sha256, 0) == (await fetched(world, job), sent(world))


@virtual
async def test_a_whole_file_that_has_changed_is_brought_again(tmp_path: Path) -> None:
    """A bit that rotted on the disk costs a download."""
    world = build(tmp_path)
    job = await finished(world)
    whole = content(world, job)
    spool_path(world.spool, "w.1").write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
    assert job.sha256 == await fetched(world, job)
    assert (whole, len(whole)) == (spool_path(world.spool, "w.1").read_bytes(), sent(world))


@virtual
async def test_discarding_leaves_nothing_of_a_window_and_all_of_others(tmp_path: Path) -> None:
    """File and part go, whether they are there or not; names that only begin alike stay."""
    for name in ("w.1.csv", "w.1.csv.part", "w.10.csv", "w.1.csv.partly"):
        (tmp_path / name).touch()
    await discard(spool_path(tmp_path, "w.1"))
    await discard(spool_path(tmp_path, "w.1"))
    assert ["w.1.csv.partly", "w.10.csv"] == names(tmp_path)

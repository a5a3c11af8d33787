"""One run of an import, from a plan to the account of every row, and the same run again."""

import csv
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import orjson
import pytest

from syncengine.errors import AlreadyRunning, ConfigError, PermissionDenied, SourceUnusable
from syncengine.imports import states
from syncengine.imports.ambiguity import Policy
from syncengine.imports.importing import begin, resume
from syncengine.imports.route import Route
from syncengine.imports.runs import found
from syncengine.imports.target import Kind, Target
from syncengine.observe.events import ChunkProgress, ImportPlanned, RunEnded, RunStarted
from syncengine.reports import ImportReport
from tests.unit.imports.world import INSTANCE, LEADS, TERMS, again, asked, build, fault, people
from tests.virtual import virtual

CREATE = "/bulk/v1/leads.json"
SMALL = 100_000  # bytes of a file, so that a few thousand rows make several chunks


def emails(count: int) -> list[str]:
    return [email for email, _, _ in people(count)]


def cells_of(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(
    ("route", "has_ingestion"), [(Route.BULK, False), (Route.REST, False), (Route.INGESTION, True)]
)
@virtual
async def test_rows_go_in_on_every_way(
    tmp_path_factory: pytest.TempPathFactory, route: Route, *, has_ingestion: bool
) -> None:
    """They are in Marketo afterwards, the account adds up, and nothing of ours is left."""
    world = build(tmp_path_factory.mktemp("world"), has_ingestion=has_ingestion)
    report = await world.imported(asked(world.file(*people(7)), route=route))
    await world.clock.sleep(60)
    assert ("done", 7, 7, ("summary.json",), ()) == (
        report.outcome,
        report.rows,
        report.counts["imported"],
        report.files,
        report.problems,
    )
    assert people(7) == [tuple(map(str, each.values())) for each in await world.people(*emails(7))]
    assert ([], states.CLOSED) == (
        world.lying_about(),
        (await found(world.parts.store, INSTANCE, report.run_id)).state,
    )
    assert [(report.run_id, "import"), (report.run_id, "done")] == [
        *((event.run_id, event.kind) for event in world.told(RunStarted)),
        *((event.run_id, event.outcome) for event in world.told(RunEnded)),
    ]
    assert bool(report.notes) == has_ingestion
    assert bool(report.batches) == (route is Route.BULK)


@virtual
async def test_every_row_ends_in_one_place(tmp_path: Path) -> None:
    """Failed, warned about, quarantined, superseded, imported: with its line, and the numbers add up."""
    world = build(tmp_path)
    rows = [
        ("a@x.example", "A", "1"),
        ("no address", "B", "2"),
        ("c@x.example", "C", "9999999999"),
        ("d@x.example", "D", "four"),
        ("A@x.example", "A2", "5"),
    ]
    report = await world.imported(asked(world.file(*rows)))
    counts = {"imported": 1, "warned": 1, "failed": 1, "quarantined": 1, "superseded": 1}
    assert ("partial", 5, counts) == (report.outcome, report.rows, {k: v for k, v in report.counts.items() if v})
    folder = world.parts.reports / report.run_id
    where = {
        name: cells_of(folder / name)[1][1:3] for name in report.files if name not in {"summary.json", "replay.csv"}
    }
    assert {
        "warnings.csv": ["3", "2"],
        "failed.csv": ["4", "3"],
        "quarantine.csv": ["5", "4"],
        "superseded.csv": ["2", "1"],
    } == where
    summary = orjson.loads((folder / "summary.json").read_bytes())
    assert (report.counts, str(folder)) == (summary["counts"], summary["folder"])


@virtual
async def test_several_chunks_are_at_marketo_at_once(tmp_path: Path) -> None:
    """Two run there and two stand behind them; what is planned and how far it is, is told."""
    world = build(tmp_path)
    report = await world.imported(asked(world.file(*people(25_000))), file_bytes=SMALL)
    assert ("done", 25_000) == (report.outcome, report.counts["imported"])
    assert len(report.batches) == report.chunks > 5
    assert 2 == world.marketo.report()["imports_running_most"]
    (planned,) = world.told(ImportPlanned)
    assert (report.chunks, 0, 25_000) == (planned.chunks, planned.settled, planned.rows)
    assert world.told(ChunkProgress)


@virtual
async def test_one_import_into_a_list_is_at_marketo_at_a_time(tmp_path: Path) -> None:
    """Marketo refuses a second."""
    world = build(tmp_path)
    target = replace(LEADS, list_id=2001)
    report = await world.imported(asked(world.file(*people(9_000)), target=target), file_bytes=SMALL)
    assert ("done", 9_000) == (report.outcome, report.counts["imported"])
    assert report.chunks > 2
    assert 1 == world.marketo.report()["imports_running_most"]
    assert len(report.batches) == world.calls("leads.import.create")


@virtual
async def test_too_many_failures_stop_the_run(tmp_path: Path) -> None:
    """What is at Marketo is followed to its end, nothing more is sent, and a resumption may say that it is meant."""
    world = build(tmp_path)
    rows = [(email, name, "9999999999") for email, name, _ in people(25_000)]
    report = await world.imported(asked(world.file(*rows)), file_bytes=SMALL)
    assert ("stopped", True) == (report.outcome, 0 < report.counts["failed"] < 25_000)
    assert 25_000 == report.counts["failed"] + report.counts["waiting"]
    assert re.search(r"rows of the first chunk failed", report.problems[0])
    resumed = await resume(world.parts, report.run_id, replace(TERMS, failures_max=1.0))
    assert ("partial", 25_000, 0) == (resumed.outcome, resumed.counts["failed"], resumed.counts["waiting"])


@virtual
async def test_a_run_that_takes_too_long_goes_on_later(tmp_path: Path) -> None:
    """Nothing that Marketo has is sent again."""
    world = build(tmp_path, import_seconds=(600.0, 600.0))
    report = await world.imported(asked(world.file(*people(5)), wait_max=timedelta(minutes=1)))
    assert ("waiting", 5, ("the time of --max-wait is over",)) == (
        report.outcome,
        report.counts["waiting"],
        report.problems,
    )
    assert [report.run_id] == world.lying_about()
    resumed = await resume(again(world).parts, report.run_id, TERMS)
    assert ("done", 5, 1) == (resumed.outcome, resumed.counts["imported"], world.calls("leads.import.create"))


@virtual
async def test_a_cancelled_run_has_its_account_and_goes_on(tmp_path: Path) -> None:
    """By the same command, or by its id."""
    world = build(tmp_path, import_seconds=(600.0, 600.0))
    order = asked(world.file(*people(5)))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(world.imported, order)
        await world.clock.sleep(60)
        tasks.cancel_scope.cancel()
    (name,) = world.lying_about()
    assert "interrupted" == orjson.loads(read(world.parts.reports / name / "summary.json"))["outcome"]
    report = await world.imported(order)
    assert (name, "done", 1) == (report.run_id, report.outcome, world.calls("leads.import.create"))


def read(path: Path) -> bytes:
    return path.read_bytes()


@virtual
async def test_an_error_ends_the_run_with_its_account(tmp_path: Path) -> None:
    """It is raised, with a word about where the account is; what was not sent is waiting."""
    world = build(tmp_path, fault("error", CREATE, code="603", message="Access denied"))
    with pytest.raises(PermissionDenied) as raised:
        await world.imported(asked(world.file(*people(5))))
    (name,) = world.lying_about()
    summary = orjson.loads(read(world.parts.reports / name / "summary.json"))
    assert ("failed", 5) == (summary["outcome"], summary["counts"]["waiting"])
    assert raised.value.advice.endswith(f" The account so far is in {world.parts.reports / name}.")


@virtual
async def test_two_imports_of_people_do_not_run_at_once(tmp_path: Path) -> None:
    """The second is refused, and its plan leaves nothing behind; a custom object has its own turn."""
    world = build(tmp_path, import_seconds=(600.0, 600.0))
    first, second = world.file(*people(5)), world.file(*people(5, name="q"), name="other.csv")
    cars = world.file(("V1", "red"), header=("vIN", "color"), name="cars.csv")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(world.imported, asked(first))
        await world.clock.sleep(30)
        with pytest.raises(AlreadyRunning):
            await world.imported(asked(second))
        target = Target(kind=Kind.CUSTOM_OBJECTS, keys=(), api_name="car_c")
        report = await world.imported(asked(cars, target=target, route=Route.REST))
    assert ("done", 1) == (report.outcome, report.counts["imported"])
    assert [] == world.lying_about()


@virtual
async def test_another_import_waits_for_chunks_of_an_unfinished_one(tmp_path: Path) -> None:
    """People in both could be doubled, whatever is said with --new-run; once that one is given up, it goes."""
    world = build(tmp_path, import_seconds=(600.0, 600.0))
    minute = timedelta(minutes=1)
    before = await world.imported(asked(world.file(*people(5)), wait_max=minute))
    other = asked(world.file(*people(5, name="q"), name="other.csv"))
    for order in (other, replace(other, is_new=True)):
        with pytest.raises(AlreadyRunning, match=before.run_id):
            await world.imported(order)
    assert [before.run_id] == world.lying_about()
    given_up = await world.desk().abandon(before.run_id)
    report = await world.imported(other)
    assert ("abandoned", "done", []) == (given_up.outcome, report.outcome, world.lying_about())


@virtual
async def test_an_edited_source_of_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    """By the same command and by resume; --new-run imports it as it is."""
    world = build(tmp_path, fault("error", CREATE, code="603", times=1))
    with pytest.raises(PermissionDenied):
        await world.imported(asked(world.file(*people(5))))
    (name,) = world.lying_about()
    order = asked(world.file(*people(6)))
    with pytest.raises(SourceUnusable, match="has changed since run"):
        await world.imported(order)
    with pytest.raises(SourceUnusable, match="has changed since run"):
        await resume(world.parts, name, TERMS)
    report = await world.imported(replace(order, is_new=True))
    assert (6, [name]) == (report.counts["imported"], world.lying_about())


@virtual
async def test_no_account_is_made_of_a_source_that_has_changed(tmp_path: Path) -> None:
    """Its rows lie elsewhere now; the run stays open, and its account is whole once the file is as it was."""
    world = build(tmp_path, import_seconds=(60.0, 60.0))
    rows = [("a@x.example", "A", "1"), ("b@x.example", "B", "9999999999")]
    order, before = asked(world.file(*rows), failures_max=1.0), read(world.files / "people.csv")
    reports: list[ImportReport] = []

    async def carry_out() -> None:
        reports.append(await world.imported(order))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(carry_out)
        await world.clock.sleep(30)
        world.file(*reversed(rows))
    (report,) = reports
    assert ("partial", ("summary.json",), [report.run_id]) == (report.outcome, report.files, world.lying_about())
    assert any("has changed since run" in problem for problem in report.problems)
    world.written(before)
    resumed = await resume(world.parts, report.run_id, TERMS)
    assert ("partial", 1, []) == (resumed.outcome, resumed.counts["failed"], world.lying_about())
    assert ["3", "2"] == cells_of(world.parts.reports / report.run_id / "failed.csv")[1][1:3]


@virtual
async def test_a_run_that_has_ended_is_not_resumed(tmp_path: Path) -> None:
    """Nothing of it is left to be done; nor is there one of any other name."""
    world = build(tmp_path)
    report = await world.imported(asked(world.file(*people(2))))
    with pytest.raises(ConfigError, match="nothing of it is left to be done") as raised:
        await resume(world.parts, report.run_id, TERMS)
    assert f"imports retry-failed {report.run_id}" in raised.value.advice
    with pytest.raises(ConfigError, match="there is no import run"):
        await resume(world.parts, "nope", TERMS)


@virtual
async def test_the_same_import_again_is_a_run_of_its_own(tmp_path: Path) -> None:
    """Once the first has ended."""
    world = build(tmp_path)
    order = asked(world.file(*people(2)), route=Route.REST)
    first, second = await world.imported(order), await world.imported(order)
    assert first.run_id != second.run_id
    assert ("done", 2) == (second.outcome, len(await world.people(*emails(2))))


@virtual
async def test_no_rows_are_an_import_too(tmp_path: Path) -> None:
    """A nightly file may be empty: it is done at once, without a call."""
    world = build(tmp_path)
    async with world.desk().plan(asked(world.file())) as (plan, _):
        report = await begin(world.parts, plan, TERMS)
    assert ("done", 0, 0, []) == (report.outcome, report.rows, report.calls, world.lying_about())


@virtual
async def test_a_held_chunk_is_told_and_left(tmp_path: Path) -> None:
    """To whoever decides by resuming with another policy."""
    world = build(tmp_path, fault("drop_after", CREATE, times=1))
    report = await world.imported(asked(world.file(*people(3)), policy=Policy.HOLD))
    assert ("partial", 3) == (report.outcome, report.counts["waiting"])
    assert "is held for you to decide" in report.problems[0]
    resumed = await resume(world.parts, report.run_id, TERMS)
    assert ("done", 3, 1) == (resumed.outcome, resumed.counts["imported"], world.calls("leads.import.create"))
    assert resumed.notes[0].startswith("3 rows are known to be there")

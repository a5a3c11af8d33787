"""The same import once more, and others beside one that is unfinished: what goes on, and what is refused."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from syncengine.errors import AlreadyRunning, PermissionDenied, SourceUnusable
from syncengine.imports.ambiguity import Policy
from syncengine.imports.asked import Asked
from syncengine.imports.importing import resume
from syncengine.imports.parts import NewTerms, Terms
from syncengine.imports.route import Route
from syncengine.imports.runs import found
from tests.unit.imports.stepping import CREATE, emails
from tests.unit.imports.world import INSTANCE, LEADS, TERMS, World, asked, build, fault, people
from tests.virtual import virtual

REFUSED_ONCE = fault("error", CREATE, code="603", times=1)
KEPT = NewTerms()


async def stopped(world: World, order: Asked) -> str:
    """The name of a run that ended before anything was sent."""
    before = set(world.lying_about())
    with pytest.raises(PermissionDenied):
        await world.imported(order)
    (name,) = set(world.lying_about()) - before
    return name


@virtual
async def test_a_run_is_not_resumed_while_another_one_has_chunks_at_marketo(tmp_path: Path) -> None:
    """The same people could be in both; when that one has ended it goes, and nobody is there twice."""
    world = build(tmp_path, REFUSED_ONCE, import_seconds=(600.0, 600.0))
    first = await stopped(world, asked(world.file(*people(5))))
    same_people = [(email, f"{name}B", score) for email, name, score in people(5)]
    order = asked(world.file(*same_people, name="other.csv"), wait_max=timedelta(minutes=1))
    second = await world.imported(order)
    assert "waiting" == second.outcome
    with pytest.raises(AlreadyRunning, match=f"run {second.run_id} is unfinished and has 1 chunk") as raised:
        await resume(world.parts, first, KEPT)
    assert f"syncengine imports abandon {second.run_id}" in raised.value.advice
    assert "done" == (await resume(world.parts, second.run_id, TERMS)).outcome
    assert "done" == (await resume(world.parts, first, KEPT)).outcome
    assert (2, 5) == (world.calls("leads.import.create") - 1, len(await world.people(*emails(5))))


@virtual
async def test_terms_are_kept_by_a_run(tmp_path: Path) -> None:
    """A plain resume changes nothing of what was decided; what it names is changed, and stays so."""
    world = build(tmp_path, fault("drop_before", CREATE, times=1))
    report = await world.imported(asked(world.file(*people(3)), policy=Policy.HOLD))
    terms = Terms(Policy.HOLD, 0.2, timedelta(hours=12))
    assert terms == await terms_of(world, report.run_id)
    held = await resume(world.parts, report.run_id, KEPT)
    assert (3, terms) == (held.counts["waiting"], await terms_of(world, report.run_id))
    held = await resume(world.parts, report.run_id, NewTerms(failures_max=0.5))
    terms = replace(terms, failures_max=0.5)
    assert (3, terms) == (held.counts["waiting"], await terms_of(world, report.run_id))
    done = await resume(world.parts, report.run_id, NewTerms(policy=Policy.VERIFY, wait_max=timedelta(hours=2)))
    assert ("done", Terms(Policy.VERIFY, 0.5, timedelta(hours=2))) == (
        done.outcome,
        await terms_of(world, report.run_id),
    )


async def terms_of(world: World, run_id: str) -> Terms:
    return Terms.of((await found(world.parts.store, INSTANCE, run_id)).facts["terms"])


@virtual
async def test_a_query_that_gives_other_rows_is_refused_while_its_run_is_unfinished(tmp_path: Path) -> None:
    """Neither Monday's rows nor Tuesday's are dropped without a word: both hashes are told."""
    world = build(tmp_path, REFUSED_ONCE)
    order = queried(world, "mon")
    name = await stopped(world, order)
    before = (await found(world.parts.store, INSTANCE, name)).facts["sources"][0]["sha256"]
    queried(world, "tue")
    with pytest.raises(SourceUnusable) as raised:
        await world.imported(order)
    assert f"its SHA-256 was {before[:16]}..., now it is " in raised.value.message
    report = await world.imported(replace(order, is_new=True))
    assert (3, 3) == (report.counts["imported"], len(await world.people("tue0@x", "tue1@x", "tue2@x")))
    queried(world, "mon")
    again = await world.imported(order)
    assert (name, "done") == (again.run_id, again.outcome)


def queried(world: World, day: str) -> Asked:
    """An import of what a table holds that day."""
    with duckdb.connect(str(world.files / "w.duckdb")) as database:
        rows = f"SELECT '{day}' || i || '@x' AS email, '{day}' AS \"firstName\" FROM range(3) AS r(i)"
        database.execute(f"CREATE OR REPLACE TABLE p AS {rows}")
    query = 'SELECT email, "firstName" FROM p ORDER BY email'
    return Asked(target=LEADS, database=f"duckdb:///{world.files / 'w.duckdb'}", query=query, route=Route.BULK)


@virtual
async def test_a_file_is_the_same_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edited one is refused by any spelling; one of that name elsewhere is quite another file."""
    world = build(tmp_path, REFUSED_ONCE)
    monkeypatch.chdir(world.files)
    world.file(*people(3))
    await stopped(world, asked("people.csv"))
    world.file(*people(4))
    for spelling in ("people.csv", "./people.csv", str(world.files / "people.csv")):
        with pytest.raises(SourceUnusable, match="has changed since run"):
            await world.imported(asked(spelling))
    (world.files / "elsewhere").mkdir()
    monkeypatch.chdir(world.files / "elsewhere")
    world.file(*people(2, name="q"), name="elsewhere/people.csv")
    assert "done" == (await world.imported(asked("people.csv"))).outcome


@pytest.mark.parametrize("what", [{"encoding": "cp1252"}, {"mapping": {"First": "lastName"}}])
@virtual
async def test_the_same_bytes_read_in_another_way_are_another_import(
    tmp_path_factory: pytest.TempPathFactory, what: dict[str, object]
) -> None:
    """Whoever gives other options does not mean the rows that were planned with the first ones."""
    world = build(tmp_path_factory.mktemp("world"), REFUSED_ONCE)
    file = world.written("email,First\na@x.example,Zoë€\n".encode("cp1252"))
    first = asked(file, encoding="latin-1", mapping={"First": "firstName"})
    name = await stopped(world, first)
    report = await world.imported(replace(first, **what))  # type: ignore[arg-type]
    assert (True, "done") == (name != report.run_id, report.outcome)

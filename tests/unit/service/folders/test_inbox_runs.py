"""A watched folder whose imports do not come to their end at once."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncengine.errors import AlreadyRunning, CallRejected, CredentialsRejected, PermissionDenied
from syncengine.jobs.lease import holding
from tests.simulation.mortal import Through
from tests.unit.imports.world import INSTANCE, fault, people
from tests.unit.service.folders.watched import BULK, Watched, watched
from tests.virtual import virtual


@virtual
async def test_what_can_be_waited_for_keeps_a_drop_in_working(tmp_path: Path) -> None:
    """Its turn comes again, before those that arrived later; then nothing was sent twice."""
    found = watched(tmp_path)
    found.drop("a.csv", people(2))
    found.drop("b.csv", people(2, name="q"))
    os.utime(found.root / "a.csv", (1_000, 1_000))
    store, clock = found.world.parts.store, found.world.clock
    await found.ready()
    async with holding(store, clock, INSTANCE, "import people"):
        for _ in range(2):
            with pytest.raises(AlreadyRunning):
                await found.inbox.take_one(found.world.desk())
            assert ["a.csv"] == list(found.lying("working"))
    assert ("", "waiting") == (found.inbox.standing.working, found.inbox.standing.state)
    later = found.again()
    assert 1 == await later.inbox.look()
    assert "a.csv" == (await later.one()).name
    assert "b.csv" == (await later.one()).name
    assert 2 == len(await found.world.desk().all())


@pytest.mark.parametrize(("code", "error"), [("603", PermissionDenied), ("601", CredentialsRejected)])
@virtual
async def test_a_role_that_may_not_is_no_fault_of_the_drop(tmp_path: Path, code: str, error: type[Exception]) -> None:
    """It stays until somebody mends the role or the credentials."""
    found = watched(
        tmp_path, fault("error", "/rest/v1/leads.json", code=code), fault("error", "describe.json", code=code)
    )
    found.drop()
    await found.ready()
    with pytest.raises(error):
        await found.inbox.take_one(found.world.desk())
    found.world.marketo.set_faults([])
    assert "done" == (await found.one()).outcome


@virtual
async def test_a_run_whose_time_is_over_goes_on_by_its_settings(tmp_path: Path) -> None:
    """It is no end: the drop waits in working, and another process resumes it."""
    found = watched(tmp_path, options={"import_seconds": (600.0, 600.0)})
    found.drop(settings=BULK + 'max_wait = "60s"\n')
    first = await found.one()
    assert ("waiting", found.root / "working") == (first.outcome, first.folder.parent)
    (first.folder / "people.csv.toml").write_text(BULK + 'max_wait = "2h"\n')
    second = await found.again().one()
    assert ("done", first.run_id) == (second.outcome, second.run_id)
    assert 1 == len(await found.world.desk().all())


@virtual
async def test_a_run_that_stopped_ends_and_goes_on_when_it_is_moved_back(tmp_path: Path) -> None:
    """On other terms, as its report says; what was sent is not sent again."""
    rows = [(f"f{number}@x.example", "F", "9999999999") for number in range(5)]
    found = watched(tmp_path)
    found.drop(rows=[*rows, *people(6_000)], settings='route = "rest"\nmax_failures = "0.1%"\n')
    first = await found.one()
    assert ("failed", "stopped") == (first.outcome, first.report and first.report.outcome)
    told = (first.folder / "report.txt").read_text()
    assert 'max_failures = "100%" into people.csv.toml' in told
    assert f"syncengine imports abandon {first.run_id}" in told
    (first.folder / "people.csv.toml").write_text('max_failures = "100%"\n')
    first.folder.rename(found.root / "working" / first.folder.name)
    second = await found.one()
    assert (first.run_id, "partial", 6_000) == (
        second.run_id,
        second.report and second.report.outcome,
        second.report and second.report.counts["imported"],
    )


@virtual
async def test_a_run_that_was_ended_by_hand_takes_its_drop_along(tmp_path: Path) -> None:
    """Given up, say: the drop only moves."""
    found = watched(tmp_path, options={"import_seconds": (600.0, 600.0)})
    found.drop(settings=BULK + 'max_wait = "60s"\n')
    first = await found.one()
    await found.world.desk().abandon(first.run_id)
    second = await found.one()
    assert ("failed", first.run_id, "abandoned") == (
        second.outcome,
        second.run_id,
        second.report and second.report.outcome,
    )
    assert "unresolved.csv" in found.lying("failed")["people.csv"]


@virtual
async def test_rows_that_are_held_keep_their_drop_where_its_run_finds_it(tmp_path: Path) -> None:
    """Until the operator has decided; then it ends by itself."""
    lost = fault("drop_after", "/bulk/v1/leads.json", times=1)
    found = watched(tmp_path, lost, options={"import_seconds": (10.0, 10.0)})
    found.drop(settings=BULK + 'on_ambiguous = "hold"\n')
    first = await found.one()
    assert ("waiting", "partial") == (first.outcome, first.report and first.report.outcome)
    assert f"syncengine imports resume {first.run_id} --on-ambiguous verify" in first.advice
    (first.folder / "people.csv.toml").write_text(BULK)
    assert ("done", first.run_id) == ((second := await found.one()).outcome, second.run_id)


@virtual
async def test_a_file_that_is_gone_under_a_run_ends_with_what_to_do(tmp_path: Path) -> None:
    """Somebody has changed it in working: neither may be guessed."""
    found = watched(tmp_path, options={"import_seconds": (600.0, 600.0)})
    found.drop(rows=people(4_000), settings=BULK + 'max_wait = "1s"\n')
    first = await found.one()
    (first.folder / "people.csv").write_bytes(b"email\nother@x.example\n")
    second = await found.one()
    assert ("failed", first.run_id) == (second.outcome, second.run_id)
    told = (second.folder / "report.txt").read_text()
    assert "has changed since run" in told
    assert f"To give the run up: syncengine imports abandon {first.run_id}" in told


class Meanwhile(Through):
    """A desk at whose resume something happens first."""

    def __init__(self, desk: Any, happens: Callable[[str], Any]) -> None:
        super().__init__(desk)
        self._happens = happens

    async def resume(self, run_id: str, terms: Any) -> Any:
        await self._happens(run_id)
        return await self.store.resume(run_id, terms)


async def waiting(tmp_path: Path) -> Watched:
    """A drop whose run is unfinished."""
    found = watched(tmp_path, options={"import_seconds": (600.0, 600.0)})
    found.drop(settings=BULK + 'max_wait = "60s"\n')
    assert "waiting" == (await found.one()).outcome
    await found.ready()
    return found


@virtual
async def test_a_run_that_is_ended_at_this_very_moment_takes_its_drop_along(tmp_path: Path) -> None:
    """By a command beside the daemon: it is no fault of the drop that there is nothing to be resumed."""
    found = await waiting(tmp_path)
    desk: Any = Meanwhile(found.world.desk(), found.world.desk().abandon)
    ended = await found.inbox.take_one(desk)
    assert ended is not None
    assert ("failed", "abandoned") == (ended.outcome, ended.report and ended.report.outcome)


@virtual
async def test_a_refused_call_is_no_end_of_a_run(tmp_path: Path) -> None:
    """Marketo may have its rows: it stays, and is told."""

    async def refuse(_: str) -> None:
        raise CallRejected("Marketo refuses the call")

    found = await waiting(tmp_path)
    desk: Any = Meanwhile(found.world.desk(), refuse)
    with pytest.raises(CallRejected):
        await found.inbox.take_one(desk)
    assert ["people.csv"] == list(found.lying("working"))


@virtual
async def test_a_refused_call_before_there_is_a_run_fails_the_drop(tmp_path: Path) -> None:
    """No trying again mends it."""
    found = watched(tmp_path, fault("error", "describe.json", code="1003"))
    found.drop()
    assert ("failed", "") == ((ended := await found.one()).outcome, ended.run_id)


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [(people(3), "done"), ([*people(3), ("a@x.example", "A", "many")], "partial")],
    ids=["whole", "some rows"],
)
@virtual
async def test_a_file_that_grows_after_it_was_taken_says_so(tmp_path: Path, rows: Any, outcome: str) -> None:
    """A writer that paused goes on by the handle that it holds: what it adds is missing whatever became of the rest."""
    found = watched(tmp_path)
    found.drop(rows=rows)
    with (found.root / "people.csv").open("a") as writer:
        assert 1 == await found.ready()
        desk: Any = found.world.desk()
        run = desk.run

        async def written_on(prepared: Any) -> Any:
            report = await run(prepared)
            writer.write("late@example.com,Ada\n")
            writer.flush()
            return report

        desk.run = written_on
        ended = await found.inbox.take_one(desk)
    assert ended is not None
    assert ("failed", outcome) == (ended.outcome, ended.report and ended.report.outcome)
    assert "the file was written to after it had been taken: what was added is not imported" in ended.problems

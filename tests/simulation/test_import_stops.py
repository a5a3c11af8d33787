"""Imports that stop before their end or are not begun: too many failures, edited files, other runs, used up quotas."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.errors import AlreadyRunning
from syncengine.imports import states
from syncengine.imports.ambiguity import Policy
from syncengine.imports.asked import Asked
from syncengine.imports.brake import FAILURES_MAX
from syncengine.imports.desk import Desk
from syncengine.imports.parts import Terms
from syncengine.imports.route import Route
from syncengine.transport.wire import Wire, WireAnswer, WireRequest
from tests.simulation.import_checks import leads_by_key, problems, replayed, told_ends
from tests.simulation.imports import CREATE, LEADS, Intake
from tests.simulation.people import People, Shares
from tests.simulation.seeded import seeded
from tests.simulation.test_import_runs import dies_at

ROWS = 200
BAD = Shares(failed=0.6)
GOOD = Shares(failed=0.0, quarantined=0.0, warned=0.0)


@pytest.mark.parametrize("route", [Route.BULK, Route.REST])
@seeded
async def test_a_run_stops_when_too_many_rows_fail_and_goes_on_when_told_to(tmp_path: Path, route: Route) -> None:
    """Nothing more is sent after it, what is at Marketo is followed to its end, and the rest waits for a word."""
    intake = Intake(tmp_path, 1, file_bytes=2_000)
    people = intake.people(ROWS * (10 if route is Route.REST else 1), shares=BAD)
    asked = intake.asked(people, route=route)
    assert "stopped" == await intake.ending(asked), intake.last_error
    report = await intake.told()
    assert report.counts["waiting"] > 0
    assert any(f"{FAILURES_MAX:.0%}" in problem for problem in report.problems)
    sent, calls = len(intake.batches()), intake.server.report()["calls"].get("leads.sync", 0)
    assert "stopped" == await intake.ending(asked, run_id=report.run_id)
    assert (sent, calls) == (len(intake.batches()), intake.server.report()["calls"].get("leads.sync", 0))
    on = replace(asked, failures_max=1.0)
    assert "partial" == await intake.ending(on, run_id=report.run_id), intake.last_error
    assert [] == await problems(intake, people)


@seeded
async def test_a_first_chunk_that_fails_whole_stops_the_run(tmp_path: Path) -> None:
    """Marketo gives up the first job: the run stops though --max-failures would allow it, and says why."""
    intake = Intake(tmp_path, 2)
    people = intake.people(ROWS, shares=GOOD)
    intake.faults({"action": "outcome", "status": "Failed", "message": "bad file", "path": CREATE, "nth": 1})
    asked = intake.asked(people, failures_max=0.9)
    assert "stopped" == await intake.ending(asked), intake.last_error
    report = await intake.told()
    assert any("of the first chunk failed" in problem for problem in report.problems)
    assert "partial" == await intake.ending(replace(asked, failures_max=1.0), run_id=report.run_id)
    assert [] == await problems(intake, people)


@seeded
async def test_an_edited_file_is_refused_with_both_hashes(tmp_path: Path) -> None:
    """Neither the command nor a resume takes it for the file that was planned; put back, the run goes on."""
    intake = Intake(tmp_path, 3)
    people = intake.people(ROWS)
    asked = intake.asked(people)
    await dies_at(intake, asked, states.DONE)
    run = (await intake.jobs(states.IMPORT))[0]
    (before,) = (each["sha256"] for each in run.facts["sources"])
    intake.asked(intake.people(ROWS, edition=2))
    for run_id in ("", run.id):
        assert "SourceUnusable" == await intake.ending(asked, run_id=run_id)
        assert before[:16] in str(intake.last_error)
        assert 2 == str(intake.last_error).count("...")
    people.written(tmp_path / "people.csv")
    assert "partial" == await intake.ending(asked, run_id=run.id), intake.last_error
    assert [] == await problems(intake, people)


@pytest.mark.parametrize("route", [Route.BULK, Route.REST])
@seeded
async def test_a_file_that_is_edited_while_it_is_sent_ends_the_run(tmp_path: Path, route: Route) -> None:
    """Other bytes never travel as rows that were planned: the run stops before them, and goes on with the old file."""
    intake = Intake(tmp_path, 9, import_seconds=(20.0, 60.0))
    count = ROWS * (10 if route is Route.REST else 1)
    people, other = intake.people(count), intake.people(count, edition=2)
    asked = intake.asked(people, route=route)
    assert "SourceUnusable" == await intake.ending(asked, wrap=lambda wire: Editing(wire, intake, other))
    assert "has changed since" in str(intake.last_error)
    assert not [lead for leads in leads_by_key(intake).values() for lead in leads if is_of(other, lead)]
    report = await intake.told()
    assert report.counts["waiting"] > 0
    people.written(tmp_path / "people.csv")
    assert "partial" == await intake.ending(asked, run_id=report.run_id), intake.last_error
    assert [] == await problems(intake, people)


def is_of(people: People, lead: dict[str, Any]) -> bool:
    """Whether a lead has a value that only these rows have."""
    return str(lead["leadScore"]) in {row.cells[3] for row in people.rows}


class Editing:
    """A wire during whose second write somebody writes another file over the source."""

    def __init__(self, wire: Wire, intake: Intake, other: People) -> None:
        self._wire = wire
        self._intake = intake
        self._other = other
        self._writes = 0

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator[WireAnswer]:
        async with self._wire.send(request) as answer:
            self._writes += request.method == "POST" and not request.target.startswith("/identity")
            if self._writes == 2:
                self._other.written(self._intake.folder / "people.csv")
            yield answer

    async def close(self) -> None:
        await self._wire.close()


@pytest.mark.parametrize("state", [states.SENDING, states.ACCEPTED])
@seeded
async def test_another_file_is_refused_while_chunks_are_at_marketo(tmp_path: Path, state: str) -> None:
    """Its people could be doubled; when the first run has ended it goes, and each has its own account."""
    intake = Intake(tmp_path, 4)
    people, others = intake.people(ROWS), intake.people(ROWS, seed=99)
    first, second = intake.asked(people), intake.asked(others, name="others.csv")
    await dies_at(intake, first, state, nth=2)
    run = (await intake.jobs(states.IMPORT))[0]
    assert "AlreadyRunning" == await intake.ending(second)
    assert run.id in str(intake.last_error)
    assert "partial" == await intake.ending(first, run_id=run.id), intake.last_error
    assert [] == await problems(intake, people)
    assert "partial" == await intake.ending(second), intake.last_error
    assert [] == await problems(intake, others)


@seeded
async def test_two_processes_do_not_import_at_once(tmp_path: Path) -> None:
    """The lease of people is one, whatever the file: the second is told who holds it."""
    intake = Intake(tmp_path, 5)
    people, others = intake.people(ROWS), intake.people(ROWS, seed=99)
    asked = intake.asked(people)
    refused: list[bool] = []

    async def second() -> None:
        await intake.clock.sleep(30.0)
        async with intake.process() as parts:
            with pytest.raises(AlreadyRunning, match="import people"):
                await intake.run(parts, intake.asked(others, name="others.csv", is_new=True))
        refused.append(True)

    async with intake.beside(second):
        assert "partial" == await intake.ending(asked), intake.last_error
    assert refused
    assert [] == await problems(intake, people)


@seeded
async def test_rows_that_failed_are_sent_again_on_demand(tmp_path: Path) -> None:
    """The replay file holds them as they were; mended, they go in with a run of their own, and nobody else does."""
    intake = Intake(tmp_path, 6)
    people = intake.people(ROWS, shares=Shares(failed=0.15))
    assert "partial" == await intake.ending(intake.asked(people)), intake.last_error
    report = await intake.told()
    replay = intake.reports / report.run_id / "replay.csv"
    failed = replayed(intake.reports / report.run_id)
    text = replay.read_bytes()
    replay.write_bytes(text.replace(b"9999999999", b"77"))
    async with again(intake, report.run_id) as asked:
        assert "done" == await intake.ending(asked), intake.last_error
    told = await intake.told()
    assert (len(failed), len(failed)) == (told.rows, told.counts["imported"])
    assert {} == told_ends(intake.reports / told.run_id)


@asynccontextmanager
async def again(intake: Intake, run_id: str) -> AsyncIterator[Asked]:
    """The order to send what failed in a run once more."""
    async with intake.process() as parts:
        asked = await Desk(parts, 100_000).again(run_id, Terms(Policy.VERIFY, 0.2, timedelta(hours=9)))
    yield asked


@seeded
async def test_a_day_without_calls_left_pauses_the_run(tmp_path: Path) -> None:
    """607 in the middle: what is at Marketo stays there, the run says that it is paused, and goes on the next day."""
    intake = Intake(tmp_path, 7, calls_per_day=12)
    people = intake.people(ROWS)
    asked = intake.asked(people)
    assert "QuotaExhausted" == await intake.ending(asked)
    assert "paused" == (await intake.told()).outcome
    for _ in range(30):
        await intake.clock.sleep(86_400.0)
        if await intake.is_closed():
            break
        await intake.ending(asked)
    assert [] == await problems(intake, people)


@seeded
async def test_people_join_the_list_that_they_are_imported_into(tmp_path: Path) -> None:
    """A chunk that was never answered is looked for, and no list tells who joined it: everybody is in it at the end."""
    intake = Intake(tmp_path, 8, file_bytes=8_000)
    people = intake.people(ROWS, shares=GOOD)
    list_id = int(str(intake.server.data.lists.records.columns(["id"], [0])[0][0]))
    intake.faults(
        {"action": "drop_before", "path": CREATE, "nth": 1}, {"action": "drop_after", "path": CREATE, "nth": 3}
    )
    asked = intake.asked(people, target=replace(LEADS, list_id=list_id))
    assert "done" == await intake.ending(asked), intake.last_error
    assert [] == await problems(intake, people)
    there = leads_by_key(intake)
    members = intake.server.truth("list_members", intake.clock.now().timestamp()) or ()
    joined = {line["leadId"] for line in map(orjson.loads, b"".join(members).splitlines()) if line["listId"] == list_id}
    assert {there[row.key][0]["id"] for row in people.sent} <= joined

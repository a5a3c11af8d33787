"""Imports that go well, and imports that have to wait: each way in, full queues, busy lists, forgotten batches.

After each of them every row is compared with the sandbox's truth, with the account of the run, and with the journal.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncengine.imports import states
from syncengine.imports.asked import Asked
from syncengine.imports.route import Route
from syncengine.imports.run import FILE_BYTES_MAX
from syncengine.observe.events import ChunkMoved, Event
from tests.simulation.import_checks import leads_by_key, problems, read, told_ends
from tests.simulation.imports import CREATE, LEADS, SYNC, Intake
from tests.simulation.people import Shares
from tests.simulation.seeded import Life, seeded

ROWS = 200
GOOD = Shares(failed=0.0, quarantined=0.0, warned=0.0)


class LastSeen(list[Event]):
    """Events of a process that dies as soon as the n-th chunk has come to a state."""

    def __init__(self, state: str, nth: int = 1) -> None:
        self.life = Life()
        self._state = state
        self._left = nth

    def append(self, event: Event) -> None:
        super().append(event)
        if isinstance(event, ChunkMoved) and event.state == self._state:
            self._left -= 1
            if self._left == 0:
                self.life.end()


async def dies_at(intake: Intake, asked: Asked, state: str, nth: int = 1) -> None:
    """Let a process import until its n-th chunk has come to a state, and die there."""
    intake.events = events = LastSeen(state, nth)
    assert "died" == await intake.ending(asked, events.life)
    intake.events = []


@pytest.mark.parametrize("route", [Route.BULK, Route.REST, Route.INGESTION])
@pytest.mark.parametrize("skew", [timedelta(), timedelta(minutes=7), timedelta(minutes=-7)])
@seeded
async def test_every_row_of_a_file_ends_as_it_must(tmp_path: Path, route: Route, skew: timedelta) -> None:
    """New people and known ones, repeated keys, rows that fail, are warned about or set aside, by any way and clock."""
    intake = Intake(tmp_path, 1, has_ingestion=True, skew=skew)
    people = intake.people(ROWS)
    outcome = await intake.ending(intake.asked(people, route=route))
    await intake.clock.sleep(10.0)  # the Data Ingestion API writes a little later
    assert "partial" == outcome, intake.last_error
    assert [] == await problems(intake, people)
    assert len(intake.batches()) == (len(await intake.jobs()) if route is Route.BULK else 0)


@pytest.mark.parametrize("route", [Route.BULK, Route.REST])
@seeded
async def test_an_import_of_good_rows_is_done(tmp_path: Path, route: Route) -> None:
    """Nothing failed and nothing was set aside: the outcome says so, and no file but the summary tells of rows."""
    intake = Intake(tmp_path, 2)
    people = intake.people(ROWS, shares=replace(GOOD, repeated=0.0))
    assert "done" == await intake.ending(intake.asked(people, route=route)), intake.last_error
    assert [] == await problems(intake, people)
    assert intake.report is not None
    assert ("summary.json",) == intake.report.files


@seeded
async def test_a_queue_that_others_fill_is_waited_for(tmp_path: Path) -> None:
    """Ten jobs of somebody else's: 1016 is a wait that costs a call a minute, and no row is the worse for it."""
    intake = Intake(tmp_path, 3)
    people = intake.people(ROWS)
    intake.others(10, 1_500.0)
    assert "partial" == await intake.ending(intake.asked(people)), intake.last_error
    assert [] == await problems(intake, people)
    assert 20 < intake.server.report()["codes"]["1016"] < 60


@seeded
async def test_a_queue_that_stays_full_ends_the_wait_and_not_the_run(tmp_path: Path) -> None:
    """After --max-wait the run says that it is still queued; resumed, it sends what was never taken, once."""
    intake = Intake(tmp_path, 4)
    people = intake.people(ROWS)
    intake.others(10, 2_400.0)
    asked = intake.asked(people, wait_max=timedelta(minutes=30))
    assert "waiting" == await intake.ending(asked), intake.last_error
    assert intake.report is not None
    assert intake.report.counts["waiting"] == len(people.sent)
    assert [] == intake.batches()
    run_id = intake.report.run_id
    asked = replace(asked, wait_max=timedelta(hours=20))
    assert "partial" == await intake.ending(asked, run_id=run_id), intake.last_error
    assert [] == await problems(intake, people)
    assert run_id == intake.report.run_id


@seeded
async def test_one_list_takes_one_import_after_another(tmp_path: Path) -> None:
    """Somebody else imports into the list, and our own chunks do: 1019 is a wait, ours never meet each other."""
    intake = Intake(tmp_path, 5)
    people = intake.people(ROWS)
    list_id = int(str(intake.server.data.lists.records.columns(["id"], [0])[0][0]))
    intake.others(1, 900.0, list_id=list_id)
    target = replace(LEADS, list_id=list_id)
    assert "partial" == await intake.ending(intake.asked(people, target=target)), intake.last_error
    assert [] == await problems(intake, people)
    refused = intake.server.report()["codes"]
    assert {"1019"} == set(refused)
    assert refused["1019"] <= 16


@pytest.mark.parametrize("state", [states.PLANNED, states.ACCEPTED, states.COMPLETE])
@seeded
async def test_a_run_goes_on_after_eight_days(tmp_path: Path, state: str) -> None:
    """Marketo no longer knows the batches: their rows are looked for, and nothing that it had taken is sent again."""
    intake = Intake(tmp_path, 6)
    people = intake.people(ROWS)
    asked = intake.asked(people)
    if state == states.PLANNED:
        assert "died" == await intake.ending(asked, Life(25))
    else:
        await dies_at(intake, asked, state, nth=3)
    await intake.clock.sleep(8 * 86_400.0)
    assert "partial" == await intake.ending(asked), intake.last_error
    assert [] == await problems(intake, people)
    chunks = await intake.jobs()
    assert len(intake.batches()) == len(chunks)
    assert any(job.state == states.CONFIRMED for job in chunks) == (state != states.PLANNED)


@pytest.mark.parametrize("share", [0.0, 0.5])
@seeded
async def test_a_job_that_marketo_gives_up_fails_with_the_rows_that_are_not_there(tmp_path: Path, share: float) -> None:
    """The part of it that was written is imported, the other is told as failed with Marketo's reason, for a replay."""
    intake = Intake(tmp_path, 7, file_bytes=8_000)
    people = intake.people(ROWS, shares=GOOD)
    rule = {"action": "outcome", "status": "Failed", "message": "no reason", "bytes": int(share * 8_000)}
    intake.faults({**rule, "path": CREATE, "nth": 2})
    asked = intake.asked(people, failures_max=1.0)
    assert "partial" == await intake.ending(asked), intake.last_error
    assert [] == await problems(intake, people)
    assert intake.report is not None
    rows = (await intake.jobs())[1].facts["rows"]
    assert (rows if share == 0.0 else rows // 2) == pytest.approx(intake.report.counts["failed"], abs=2 if share else 0)
    folder = intake.reports / intake.report.run_id
    assert {"no reason"} == {cells[3] for cells in read(folder / "failed.csv")[1:]}


@pytest.mark.parametrize("route", [Route.BULK, Route.REST])
@seeded
async def test_a_chunk_that_is_too_large_goes_in_halves(tmp_path: Path, route: Route) -> None:
    """413 three times: four quarters go; so small a chunk says nothing about the instance, and is not remembered."""
    intake = Intake(tmp_path, 8, file_bytes=16_000)
    people = intake.people(ROWS, shares=GOOD)
    path = CREATE if route is Route.BULK else SYNC
    intake.faults({"action": "http", "status": 413, "path": path, "method": "POST", "times": 3})
    asked = intake.asked(people, route=route)
    assert "done" == await intake.ending(asked), intake.last_error
    assert [] == await problems(intake, people)
    assert await intake.recall(FILE_BYTES_MAX) is None


@seeded
async def test_what_an_instance_takes_is_remembered(tmp_path: Path) -> None:
    """A file of two megabytes is too large for it: the next run makes smaller ones without asking."""
    intake = Intake(tmp_path, 8, file_bytes=10_000_000)
    intake.faults({"action": "http", "status": 413, "path": CREATE, "times": 1})
    path, rows = tmp_path / "notes.csv", 1_300
    for edition in "xy":
        lines = [f"note.{number}@import.example,{edition * 1_990}" for number in range(rows)]
        path.write_text("\n".join(["email,notes", *lines]))
        asked = Asked(target=LEADS, files=(str(path),), route=Route.BULK)
        assert "done" == await intake.ending(asked), intake.last_error
    assert 1_000_000 < await intake.recall(FILE_BYTES_MAX) < path.stat().st_size / 2
    assert 1 == intake.server.report()["http_statuses"]["413"]
    assert all(batch["size"] < path.stat().st_size / 2 + 1_000 for batch in intake.batches())


@seeded
async def test_the_same_command_goes_on_with_the_unfinished_run(tmp_path: Path) -> None:
    """A process dies in the middle; whoever gives the command again finishes that run, with one account."""
    intake = Intake(tmp_path, 9)
    people = intake.people(ROWS)
    asked = intake.asked(people)
    await dies_at(intake, asked, states.DONE, nth=2)
    assert "partial" == await intake.ending(asked), intake.last_error
    assert [] == await problems(intake, people)
    assert 1 == len(await intake.jobs(states.IMPORT))


@seeded
async def test_a_second_file_of_the_same_people_changes_them(tmp_path: Path) -> None:
    """Each run has its own account; the later values stand, and nobody is there twice."""
    intake = Intake(tmp_path, 10)
    first, second = intake.people(ROWS), intake.people(ROWS, edition=2)
    assert "partial" == await intake.ending(intake.asked(first)), intake.last_error
    assert "partial" == await intake.ending(intake.asked(second)), intake.last_error
    assert [] == await problems(intake, second)
    one, other = (told_ends(folder) for folder in intake.reports.iterdir())
    assert one == other
    assert all(len(leads) == 1 for key, leads in leads_by_key(intake).items() if "import.example" in key)

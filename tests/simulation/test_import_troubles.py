"""Imports at whose worst moments something else goes wrong: the disk, the clock, the line, the time that has passed.

Each of these once sent rows twice, waited without reason, or told less of a row than was known.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncengine.errors import NoSpace
from syncengine.imports import states
from syncengine.imports.ambiguity import SLOWEST
from syncengine.imports.outcome import Outcome
from syncengine.imports.route import Route
from syncengine.jobs.job import Job
from syncengine.jobs.store import JobStore
from syncengine.transport.wire import Wire, WireAnswer, WireRequest
from tests.simulation.import_checks import problems
from tests.simulation.imports import CREATE, SYNC, Intake
from tests.simulation.mortal import Through
from tests.simulation.people import Shares
from tests.simulation.seeded import Life, seeded
from tests.simulation.test_import_runs import dies_at

ROWS = 60
MANY_FAIL = Shares(failed=0.3, warned=0.1)
FAILURES = "*/failures.json"


class FullOnce(Through):
    """A journal whose disk is full at the moment at which a chunk makes its first move of one kind."""

    def __init__(self, store: JobStore, event: str) -> None:
        super().__init__(store)
        self._event = event

    async def move(self, job: Job, event: str, /, **facts: Any) -> Job:
        if event == self._event:
            self._event = ""
            raise NoSpace("the disk is full")
        moved: Job = await self.store.move(job, event, **facts)
        return moved


@pytest.mark.parametrize(
    ("route", "event"), [(Route.BULK, "accepted"), (Route.REST, "answered"), (Route.BULK, "complete")]
)
@seeded
async def test_a_disk_that_is_full_when_the_answer_comes_sends_nothing_twice(
    tmp_path: Path, route: Route, event: str
) -> None:
    """Marketo has taken the chunk and the journal could not be told: that is no refusal, so its rows are looked for."""
    intake = Intake(tmp_path, 1)
    people = intake.people(ROWS)
    asked = intake.asked(people, route=route)
    assert "NoSpace" == await intake.ending(asked, keep=lambda store: FullOnce(store, event))
    assert "partial" == await intake.ending(asked), intake.last_error
    sent = intake.server.report()["calls"]["leads.sync" if route is Route.REST else "leads.import.create"]
    assert len(await intake.jobs()) == sent
    assert [] == [each for each in await problems(intake, people) if "was looked for" not in each]


class SlowLine:
    """A wire on which an upload takes long, and its answer is lost."""

    def __init__(self, wire: Wire, intake: Intake, seconds: float) -> None:
        self._wire = wire
        self._intake = intake
        self._seconds = seconds

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator[WireAnswer]:
        if request.upload is not None:
            await self._intake.clock.sleep(self._seconds)
        async with self._wire.send(request) as answer:
            yield answer

    async def close(self) -> None:
        await self._wire.close()


@seeded
async def test_the_drain_bound_counts_from_the_end_of_a_slow_sending(tmp_path: Path) -> None:
    """Eight minutes on the line, an answer that is lost, and a job that runs 57 minutes later: nobody is doubled."""
    intake = Intake(tmp_path, 2, file_bytes=100_000, import_seconds=(20.0, 60.0))
    people = intake.people(ROWS)
    intake.others(8, 16 * 60.0)
    intake.faults({"action": "drop_after", "path": CREATE, "nth": 1})
    asked = intake.asked(people)
    outcome = await intake.ending(asked, wrap=lambda wire: SlowLine(wire, intake, 480.0))
    assert "partial" == outcome, intake.last_error
    assert [] == await problems(intake, people)


class LastWords:
    """A wire whose process dies when its first upload has been carried out, before it hears of it."""

    def __init__(self, wire: Wire, life: Life) -> None:
        self._wire = wire
        self._life = life

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator[WireAnswer]:
        async with self._wire.send(request) as answer:
            if request.upload is not None:
                self._life.end()
            yield answer

    async def close(self) -> None:
        await self._wire.close()


@pytest.mark.parametrize("skew", [timedelta(minutes=100), timedelta(minutes=-100)])
@seeded
async def test_a_clock_that_is_wrong_brings_no_look_forward(tmp_path: Path, skew: timedelta) -> None:
    """A process dies while it sends; the next one knows Marketo's time before it decides whether the job has run."""
    intake = Intake(tmp_path, 3, file_bytes=100_000, skew=skew, import_seconds=(20.0, 60.0))
    people = intake.people(ROWS)
    intake.others(8, 13 * 60.0)
    asked, life = intake.asked(people), Life()
    assert "died" == await intake.ending(asked, life, wrap=lambda wire: LastWords(wire, life))
    run_id, began = (await intake.jobs(states.IMPORT))[0].id, intake.clock.monotonic()
    assert "partial" == await intake.ending(asked, run_id=run_id), intake.last_error
    assert [] == await problems(intake, people)
    assert 3_000.0 < intake.clock.monotonic() - began < 3_900.0


@seeded
async def test_time_in_which_no_process_ran_is_not_taken_for_marketos(tmp_path: Path) -> None:
    """Nobody looked for two days: that says nothing about how long a job takes, and no later chunk waits for it."""
    intake = Intake(tmp_path, 4, file_bytes=100_000)
    people = intake.people(ROWS)
    asked = intake.asked(people)
    await dies_at(intake, asked, states.ACCEPTED)
    await intake.clock.sleep(2 * 86_400.0)
    assert "partial" == await intake.ending(asked), intake.last_error
    assert [] == await problems(intake, people)
    assert (await intake.recall(SLOWEST) or 0.0) <= 3_600.0


@seeded
async def test_a_list_of_failures_that_is_gone_makes_no_row_imported(tmp_path: Path) -> None:
    """After eight days nobody can say why rows failed, but that they are not there can be seen."""
    intake = Intake(tmp_path, 5, file_bytes=100_000)
    people = intake.people(ROWS, shares=MANY_FAIL)
    asked = intake.asked(people, failures_max=1.0)
    await dies_at(intake, asked, states.COMPLETE)
    await intake.clock.sleep(8 * 86_400.0)
    assert "partial" == await intake.ending(asked), intake.last_error
    assert [] == await problems(intake, people)
    assert intake.report is not None
    assert intake.report.counts["unresolved"] > 10


@seeded
async def test_a_list_of_warnings_that_is_gone_is_told_of(tmp_path: Path) -> None:
    """Which rows were warned about nobody knows after eight days; how many there were, the account says."""
    intake = Intake(tmp_path, 5, file_bytes=100_000)
    people = intake.people(ROWS, shares=MANY_FAIL)
    asked = intake.asked(people, failures_max=1.0)
    await dies_at(intake, asked, states.FAILURES_SAVED)
    await intake.clock.sleep(8 * 86_400.0)
    assert "partial" == await intake.ending(asked), intake.last_error
    warned = sum(row.end is Outcome.WARNED for row in people.rows)
    (note,) = (await intake.told()).notes
    assert f"warned about {warned} more rows than it lists" in note


@pytest.mark.parametrize("action", ["reset", "truncate", "drop_after", "drop_before", "stall"])
@seeded
async def test_a_list_of_failures_that_breaks_off_is_fetched_again(tmp_path: Path, action: str) -> None:
    """However its body ends early: as many rows are listed as the batch says that failed, or it is asked for anew."""
    intake = Intake(tmp_path, 6, file_bytes=100_000)
    people = intake.people(ROWS, shares=MANY_FAIL)
    rule = {"action": action, "bytes": 400, "seconds": 90.0}
    intake.faults(*({**rule, "path": path, "times": 2} for path in (FAILURES, "*/warnings.json")))
    outcome = await intake.ending(intake.asked(people, failures_max=1.0))
    assert "partial" == outcome, intake.last_error
    assert [] == await problems(intake, people)


@seeded
async def test_a_sandbox_that_lives_in_the_future_takes_imports(tmp_path: Path) -> None:
    """Files have this machine's time and never the instance's: a plan's own folder is not taken for an old one."""
    intake = Intake(tmp_path, 7, start=datetime(2060, 1, 1, tzinfo=UTC))
    people = intake.people(ROWS)
    assert "partial" == await intake.ending(intake.asked(people)), intake.last_error
    assert [] == await problems(intake, people)


@pytest.mark.parametrize("code", ["606", "615", "608", "604", "611", "713", "502", "1016", "1019"])
@pytest.mark.parametrize("route", [Route.BULK, Route.REST])
@seeded
async def test_an_error_on_the_way_in_costs_time_and_no_row(tmp_path: Path, route: Route, code: str) -> None:
    """What refuses is sent again, what may have been carried out is looked for; three in a row of each."""
    intake = Intake(tmp_path, 8)
    people = intake.people(ROWS)
    path = CREATE if route is Route.BULK else SYNC
    intake.faults({"action": "error", "code": code, "path": path, "method": "POST", "times": 3})
    assert "partial" == await intake.ending(intake.asked(people, route=route)), intake.last_error
    assert [] == await problems(intake, people)


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "http", "status": 502},
        {"action": "http", "status": 200},
        {"action": "truncate", "bytes": 20},
        {"action": "reset", "bytes": 20},
        {"action": "drop_before"},
        {"action": "drop_after"},
        {"action": "cut", "bytes": 100},
        {"action": "latency", "seconds": 700.0},
    ],
)
@seeded
async def test_an_answer_that_does_not_come_costs_time_and_no_row(tmp_path: Path, rule: dict[str, Any]) -> None:
    """Gateways, broken lines, silence: whether the chunk was taken or not, its rows are there once."""
    intake = Intake(tmp_path, 9)
    people = intake.people(ROWS)
    intake.faults({**rule, "path": CREATE, "times": 2})
    assert "partial" == await intake.ending(intake.asked(people)), intake.last_error
    assert [] == await problems(intake, people)


@pytest.mark.parametrize("action", ["drop_after", "drop_before", "http"])
@seeded
async def test_a_status_that_does_not_come_is_asked_for_again(tmp_path: Path, action: str) -> None:
    """Nothing is lost but time, however long Marketo tells nothing of its batches."""
    intake = Intake(tmp_path, 10)
    people = intake.people(ROWS)
    intake.faults({"action": action, "status": 502, "path": "/bulk/v1/leads/batch/*", "times": 25})
    assert "partial" == await intake.ending(intake.asked(people)), intake.last_error
    assert [] == await problems(intake, people)

"""Sources that change or go while an import of them is under way: another file than was planned is never sent."""

from pathlib import Path

import pytest

from syncengine.imports import states
from syncengine.imports.route import Route
from syncengine.observe.events import ChunkMoved, Event
from tests.simulation.import_checks import problems
from tests.simulation.imports import CREATE, SYNC, Intake
from tests.simulation.people import People, Shares
from tests.simulation.seeded import seeded
from tests.simulation.test_import_read_back import later

ROWS = 200
GOOD = Shares(failed=0.0, warned=0.0, quarantined=0.0)


def change(people: People, path: Path, how: str) -> None:
    """What somebody does to the file; rows that only stand in another order have the same bytes in all."""
    text = path.read_bytes()
    match how:
        case "gone":
            path.unlink()
        case "shorter":
            path.write_bytes(text[:100])
        case "reordered":
            people.rows.reverse()
            people.written(path)
            people.rows.reverse()
            assert (len(text), True) == (path.stat().st_size, text != path.read_bytes())
        case "a byte":
            path.write_bytes(text.replace(b"person.", b"persom."))


class Changing(list[Event]):
    """Events of a process beside which the file is changed as soon as its first chunk has come to a state."""

    def __init__(self, people: People, path: Path, state: str, how: str) -> None:
        self._changes = [how]
        self._people, self._path, self._state = people, path, state

    def append(self, event: Event) -> None:
        super().append(event)
        if isinstance(event, ChunkMoved) and event.state == self._state and self._changes:
            change(self._people, self._path, self._changes.pop())


HOWS = pytest.mark.parametrize("how", ["reordered", "a byte", "shorter", "gone"])


@HOWS
@pytest.mark.parametrize(("route", "state"), [(Route.BULK, states.ACCEPTED), (Route.REST, states.DONE)])
@seeded
async def test_chunks_that_are_left_are_not_sent_from_another_file(
    tmp_path: Path, route: Route, state: str, how: str
) -> None:
    """Those at Marketo are told, the run says what has changed; put back, it goes on, and everybody is there once."""
    intake = Intake(tmp_path, 1)
    people = intake.people(ROWS * (10 if route is Route.REST else 1), shares=GOOD)
    asked = intake.asked(people, route=route)
    path, planned = tmp_path / "people.csv", (tmp_path / "people.csv").read_bytes()
    intake.events = Changing(people, path, state, how)
    assert "SourceUnusable" == await intake.ending(asked), intake.last_error
    assert "has changed since this import was planned" in str(intake.last_error)
    left = [job for job in await intake.jobs() if job.state == states.PLANNED]
    assert left
    (run,) = await intake.jobs(states.IMPORT)
    intake.events = []
    assert "SourceUnusable" == await intake.ending(asked, run_id=run.id)
    assert len(left) == sum(job.state == states.PLANNED for job in await intake.jobs())
    path.write_bytes(planned)
    assert "done" == await intake.ending(asked, run_id=run.id), intake.last_error
    assert [] == await problems(intake, people)


@HOWS
@pytest.mark.parametrize(("route", "path"), [(Route.BULK, CREATE), (Route.REST, SYNC)])
@seeded
async def test_people_of_another_file_are_not_looked_for(tmp_path: Path, route: Route, path: str, how: str) -> None:
    """A chunk was applied and its answer lost; other rows would not be found, and would be taken for it."""
    intake = Intake(tmp_path, 2, file_bytes=100_000)
    people = intake.people(40, shares=GOOD)
    asked = intake.asked(people, route=route)
    intake.faults({"action": "drop_after", "path": path, "method": "POST", "nth": 1})
    file, planned = tmp_path / "people.csv", (tmp_path / "people.csv").read_bytes()

    async with intake.beside(lambda: later(intake, lambda: change(people, file, how), 60.0)):
        assert "SourceUnusable" == await intake.ending(asked), intake.last_error
    assert [states.AMBIGUOUS] == [job.state for job in await intake.jobs()]
    (run,) = await intake.jobs(states.IMPORT)
    file.write_bytes(planned)
    assert "done" == await intake.ending(asked, run_id=run.id), intake.last_error
    assert [] == await problems(intake, people)

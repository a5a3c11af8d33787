"""What a look among the people can tell of a chunk whose answer was lost, and what it cannot.

Each of these has one chunk, so that what is found of it stands alone.
"""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from syncengine.imports import states
from syncengine.imports.ambiguity import Policy
from syncengine.imports.asked import Asked
from syncengine.imports.outcome import Outcome
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.sandbox.exports import Outcome as JobOutcome
from tests.simulation.import_checks import leads_by_key, problems, told_ends, wrong_lead
from tests.simulation.imports import CREATE, SYNC, Intake
from tests.simulation.people import People, Shares
from tests.simulation.seeded import Life, seeded
from tests.simulation.small import quick_folder

ROWS = 40
FIRST_LENGTH = 20
GOOD = Shares(failed=0.0, warned=0.0, quarantined=0.0, repeated=0.0)
LOST_AFTER = {"action": "drop_after", "path": CREATE, "nth": 1}
LOST_BEFORE = {"action": "drop_before", "path": CREATE, "nth": 1}
UNRESOLVED = Outcome.UNRESOLVED.value


def intake_with(tmp_path: Path, seed: int, **options: Any) -> tuple[Intake, People, Asked]:
    """An instance, good rows for one chunk, and the order to import them."""
    intake = Intake(tmp_path, seed, file_bytes=100_000, **options)
    people = intake.people(ROWS, shares=GOOD)
    return intake, people, intake.asked(people)


async def later(intake: Intake, change: Callable[[], None], seconds: float = 1_800.0) -> None:
    """Somebody else writes, after any job of ours has run and before the look."""
    await intake.clock.sleep(seconds)
    intake.server.advance(intake.clock.now().timestamp())
    change()


async def unresolved(intake: Intake) -> set[int]:
    """The rows of the latest run that are unresolved, by number."""
    ends = told_ends(intake.reports / (await intake.told()).run_id)
    return {number for number, end in ends.items() if end == [UNRESOLVED]}


@pytest.mark.parametrize(("rule", "state"), [(LOST_AFTER, states.CONFIRMED), (LOST_BEFORE, states.DONE)])
@seeded
async def test_a_look_tells_whether_a_chunk_was_applied(tmp_path: Path, rule: dict[str, object], state: str) -> None:
    """It is there and done with, or it is not and sent again: every row is imported, and the file was taken once."""
    intake, people, asked = intake_with(tmp_path, 1)
    intake.faults(rule)
    assert "done" == await intake.ending(asked), intake.last_error
    assert [] == await problems(intake, people)
    assert [state] == [job.state for job in await intake.jobs()]
    assert 1 == len(intake.batches())


@seeded
async def test_rows_that_were_always_so_are_not_sent_again(tmp_path: Path) -> None:
    """The same file once more, and an answer that is lost: sent or not, nothing is left to be done."""
    intake, people, asked = intake_with(tmp_path, 2)
    assert "done" == await intake.ending(asked), intake.last_error
    await intake.clock.sleep(3_600.0)
    intake.faults(LOST_BEFORE)
    assert "done" == await intake.ending(asked), intake.last_error
    assert [] == await problems(intake, people)
    assert 1 == len(intake.batches())


def giving_up(intake: Intake, share: float) -> Callable[[], Coroutine[None, None, None]]:
    """Marketo gives the one job up when this share of it is written."""

    async def give_up() -> None:
        while not intake.server.imports.jobs:
            await intake.clock.sleep(1.0)
        (job,) = intake.server.imports.jobs.values()
        job.outcome = JobOutcome("Failed", at_byte=int(job.size * share))

    return give_up


@seeded
async def test_a_job_that_broke_off_unseen_near_its_end_leaves_its_other_rows_unresolved(tmp_path: Path) -> None:
    """Nobody heard of it: most rows show that it ran, so the others may be rows that Marketo did not take."""
    intake, people, asked = intake_with(tmp_path, 3)
    intake.faults(LOST_AFTER)
    async with intake.beside(giving_up(intake, 0.7)):
        assert "partial" == await intake.ending(asked), intake.last_error
    leads = leads_by_key(intake)
    absent = {row.number for row in people.rows if wrong_lead(row, leads.get(row.key, []))}
    assert absent == await unresolved(intake)
    assert 0 < len(absent) < ROWS / 2
    assert 1 == len(intake.batches())


@seeded
async def test_a_job_that_broke_off_unseen_near_its_beginning_goes_on_with_its_other_rows(tmp_path: Path) -> None:
    """As a chunk of their own: everybody is there once, and nobody is sent again who was there."""
    intake, people, asked = intake_with(tmp_path, 3)
    intake.faults(LOST_AFTER)
    async with intake.beside(giving_up(intake, 0.3)):
        assert "done" == await intake.ending(asked), intake.last_error
    assert [] == await problems(intake, people)
    first, second = await intake.jobs()
    assert (states.CONFIRMED, states.DONE, f"{first.id}r") == (first.state, second.state, second.id)
    assert ROWS == first.facts["rows"] + second.facts["rows"]
    assert 0 < first.facts["rows"] < ROWS / 2
    assert 2 == len(intake.batches())


@seeded
async def test_a_row_that_somebody_changed_since_is_unresolved(tmp_path: Path) -> None:
    """No read tells it from one that Marketo did not take; the rows beside it show that the chunk was applied."""
    intake, people, asked = intake_with(tmp_path, 4)
    intake.faults(LOST_AFTER)
    row = people.rows[-1]

    def change() -> None:
        store = intake.server.people
        store.write(store.lookup("email", row.key)[0], {"firstName": "changed"}, intake.clock.now().timestamp())

    async with intake.beside(lambda: later(intake, change)):
        assert "partial" == await intake.ending(asked), intake.last_error
    assert {row.number} == await unresolved(intake)
    assert 1 == len(intake.batches())


@seeded
async def test_what_somebody_else_wrote_as_we_sent_it_proves_nothing_of_the_others(tmp_path: Path) -> None:
    """One row is there though the chunk never came: it is as good as sent; the others go as one of their own."""
    intake, people, asked = intake_with(tmp_path, 5)
    intake.faults(LOST_BEFORE)
    lead = people.rows[-1].lead()

    def write() -> None:
        names = tuple(lead)
        intake.server.people.create(names, list(lead.values()), intake.clock.now().timestamp())

    async with intake.beside(lambda: later(intake, write)):
        assert "done" == await intake.ending(asked), intake.last_error
    assert [] == await problems(intake, people)
    assert [1, ROWS - 1] == [job.facts["rows"] for job in await intake.jobs()]
    assert 1 == len(intake.batches())


@seeded
async def test_rows_that_somebody_has_changed_since_are_never_sent_again(tmp_path: Path) -> None:
    """The chunk was applied, and another system has then written over all its people: its newer values stand."""
    intake, people, asked = intake_with(tmp_path, 10)
    intake.faults(LOST_AFTER)
    store = intake.server.people

    def change() -> None:
        for row in people.rows:
            store.write(store.lookup("email", row.key)[0], {"firstName": "newer"}, intake.clock.now().timestamp())

    async with intake.beside(lambda: later(intake, change)):
        assert "partial" == await intake.ending(asked), intake.last_error
    assert {row.number for row in people.rows} == await unresolved(intake)
    leads = leads_by_key(intake)
    assert {"newer"} == {lead["firstName"] for row in people.rows for lead in leads[row.key]}
    assert 1 == len(intake.batches())
    assert [states.UNRESOLVED] == [job.state for job in await intake.jobs()]


@seeded
async def divided(folder: Path, length: int) -> bool:
    """A chunk that broke off early, was never heard of, and whose process dies about when it divides it."""
    intake, people, asked = intake_with(folder, 3, in_memory=True)
    intake.faults(LOST_AFTER)
    async with intake.beside(giving_up(intake, 0.3)):
        died = "died" == await intake.ending(asked, Life(length))
        await intake.close(asked)
    assert [] == await problems(intake, people), length
    assert (2, 2, ROWS) == (
        len(intake.batches()),
        len(await intake.jobs()),
        (await intake.told()).counts["imported"],
    ), length
    return died


def test_a_death_while_a_chunk_is_divided_leaves_both_parts_or_none(tmp_path: Path) -> None:
    """At every second effect, from about its sending on: all rows are there once, and are told once."""
    for length in count(FIRST_LENGTH, 2):
        with quick_folder(tmp_path) as folder:
            if not divided(folder, length):
                break
    assert length > FIRST_LENGTH + 30


@seeded
async def test_keys_that_cannot_be_asked_for_are_unresolved(tmp_path: Path) -> None:
    """A comma parts the values of a filter: what has one in its key is told by none, and never sent again for it."""
    intake = Intake(tmp_path, 6, file_bytes=100_000)
    path = tmp_path / "numbers.csv"
    path.write_text('legacyNumber,firstName\n"A,1",Ann\n"B,2",Bob\n')
    target = Target(kind=Kind.LEADS, keys=("legacyNumber",))
    intake.faults(LOST_AFTER)
    outcome = await intake.ending(Asked(target=target, files=(str(path),), route=Route.BULK))
    assert "partial" == outcome, intake.last_error
    assert {1, 2} == await unresolved(intake)
    assert [states.UNRESOLVED] == [job.state for job in await intake.jobs()]


@seeded
async def test_a_held_chunk_waits_for_a_word_and_is_then_looked_for(tmp_path: Path) -> None:
    """With hold the run ends with its rows waiting and sends nothing; resumed with verify it finds them."""
    intake, people, asked = intake_with(tmp_path, 7)
    intake.faults(LOST_AFTER)
    hold = intake.asked(people, policy=Policy.HOLD)
    for _ in range(2):
        assert "partial" == await intake.ending(hold), intake.last_error
        report = await intake.told()
        assert len(people.sent) == report.counts["waiting"]
        assert any("is held for you to decide" in problem for problem in report.problems)
    assert "done" == await intake.ending(asked, run_id=report.run_id), intake.last_error
    assert [] == await problems(intake, people)
    assert 1 == len(intake.batches())


@pytest.mark.parametrize("rule", [LOST_AFTER, LOST_BEFORE])
@seeded
async def test_a_chunk_is_sent_again_unseen_for_whoever_asks_for_it(tmp_path: Path, rule: dict[str, object]) -> None:
    """With resubmit nobody looks, but the bound is kept: the first sending has ended before the second begins."""
    intake, people, _ = intake_with(tmp_path, 8)
    intake.others(8, 600.0)
    intake.faults(rule)
    began = intake.clock.monotonic()
    assert "done" == await intake.ending(intake.asked(people, policy=Policy.RESUBMIT)), intake.last_error
    assert intake.clock.monotonic() - began > timedelta(hours=1).total_seconds()
    again = [problem for problem in await problems(intake, people) if "was sent again" not in problem]
    assert [] == again
    assert (2 if rule is LOST_AFTER else 1) == len(intake.batches())


@pytest.mark.parametrize("action", ["drop_after", "drop_before"])
@seeded
async def test_a_synchronous_call_without_an_answer_is_looked_for_within_minutes(tmp_path: Path, action: str) -> None:
    """Such a call has no queue: what it did is done when Marketo would have ended it."""
    intake = Intake(tmp_path, 9)
    people = intake.people(ROWS, shares=GOOD)
    intake.faults({"action": action, "path": SYNC, "method": "POST", "nth": 1})
    began = intake.clock.monotonic()
    assert "done" == await intake.ending(intake.asked(people, route=Route.REST)), intake.last_error
    assert [] == await problems(intake, people)
    assert 270.0 <= intake.clock.monotonic() - began < 400.0

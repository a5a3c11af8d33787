"""A snapshot, read from a real journal, real slots and a real destination."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncengine.choices import JOURNAL, SLOTS
from syncengine.clock import SystemClock
from syncengine.config import GroupSettings, Settings, SyncSettings
from syncengine.destinations import Destination
from syncengine.exports import window
from syncengine.jobs.job import Job
from syncengine.service.seen.looking import BITES, RUNS_SHOWN, read_journals, read_snapshot
from syncengine.service.seen.snapshot import InstanceSnapshot, Snapshot
from syncengine.service.standing import GroupStanding, InboxStanding, Problem, Standings
from tests.unit.exports.opened import opened, settings_for
from tests.unit.exports.world import SETTLE
from tests.unit.service.seen.written import (
    NOW,
    Hand,
    calling,
    journal_of,
    night,
    settings_of,
    standings,
    write_night,
    write_nights,
)
from tests.virtual import ORIGIN, virtual


async def look(settings: Sequence[Settings], standing: Standings | None = None) -> Snapshot:
    """A snapshot at NOW."""
    hand = Hand()
    clocks = {each.instance.name: hand.clock for each in settings}
    return await read_snapshot(settings, standing or standings(), clocks, clock=hand.clock)


async def look_at(settings: Sequence[Settings], standing: Standings | None = None) -> InstanceSnapshot:
    """The one instance of such a snapshot."""
    (instance,) = (await look(settings, standing)).instances
    return instance


async def test_before_anything_has_run_everything_is_empty(tmp_path: Path) -> None:
    """Looking makes no file, and no part of it is a problem."""
    instance = await look_at(settings_of(tmp_path))
    assert ((), (), (), "", "", "") == (
        instance.nights,
        instance.runs,
        instance.jobs,
        instance.journal_problem,
        instance.destination_problem,
        instance.live.problem,
    )
    assert [("leads", None, None), ("activities", None, None)] == [
        (each.stream, each.cursor, each.lag_seconds) for each in instance.streams
    ]
    assert ["nightly"] == [each.group for each in instance.groups]
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240  # an empty folder of the test's own


async def test_nights_are_those_of_the_journal(tmp_path: Path) -> None:
    """Every figure as it was written down, newest first, each instance its own."""
    settings = settings_of(tmp_path, "acme", "emea")
    written = [night(2), night(1, "partial", problems=("leads: no room",)), night(0, calls=7)]
    await write_nights(settings[0], *written, night(0, instance="emea", calls=9))
    acme, emea = (await look(settings)).instances
    assert tuple(reversed(written)) == acme.nights
    assert [9] == [each.calls for each in emea.nights]
    assert ["3", "2", "1"] == [each.run_id for each in acme.runs]


async def test_all_nights_of_thirty_days_are_found_among_many_runs(tmp_path: Path) -> None:
    """Also when other runs are many more than the first bite; of all runs only the last are shown."""
    settings, hand = settings_of(tmp_path), Hand()
    async with journal_of(settings[0], hand) as journal:
        for days in range(40, -1, -1):
            for _ in range(7):
                await journal.begin_run("acme", "sync leads", {"streams": ["leads"]})
            await write_night(journal, hand, night(days))
    instance = await look_at(settings)
    assert 41 * 8 > BITES[0]
    assert set(range(31)) <= {(NOW.date() - each.due.date()).days for each in instance.nights}
    assert RUNS_SHOWN == len(instance.runs)


async def test_a_night_of_a_dead_process_is_not_shown_as_running(tmp_path: Path) -> None:
    """Only the group that is at work on it makes it one that runs."""
    settings = settings_of(tmp_path)
    await write_nights(settings[0], night(0, ""))
    assert ["interrupted"] == [each.outcome for each in (await look_at(settings)).nights]
    at_work = standings()
    at_work.groups["acme", "nightly"] = GroupStanding(
        instance="acme", group="nightly", state="running", due=night().due
    )
    assert [""] == [each.outcome for each in (await look_at(settings, at_work)).nights]


async def test_an_instance_that_another_daemon_has_says_so(tmp_path: Path) -> None:
    """With the sentence of that instance alone."""
    taken = standings(taken_over={"acme": "process 7 on b has it"})
    acme, emea = (await look(settings_of(tmp_path, "acme", "emea"), taken)).instances
    assert ("process 7 on b has it", "") == (acme.taken_over, emea.taken_over)


async def test_another_versions_night_hides_no_other(tmp_path: Path) -> None:
    """What cannot be read as an account is still a run."""
    settings, hand = settings_of(tmp_path), Hand()
    async with journal_of(settings[0], hand) as journal:
        await write_night(journal, hand, night(1))
        run = await journal.begin_run("acme", "night nightly", {"due": "some day"})
        await journal.end_run(run, "done", {"streams": {"leads": {"unheard_of": 1}}, "rows": 5})
    instance = await look_at(settings)
    assert (1, 2) == (len(instance.nights), len(instance.runs))


async def test_jobs_at_marketo_and_windows_left_open_are_shown(tmp_path: Path) -> None:
    """Of the unfinished windows those that Marketo has are in its queue; all of them are their stream's."""
    settings, hand = settings_of(tmp_path), Hand()
    span = {"start": (NOW - timedelta(days=1)).isoformat(), "end": NOW.isoformat()}
    async with journal_of(settings[0], hand) as journal:
        planned = await journal.plan(
            [
                Job(id=name, instance="acme", kind=window.KIND, state=window.PLANNED, group="leads", facts=span)
                for name in ("one", "two")
            ]
        )
        await journal.move(await journal.move(planned[0], "intend"), "created")
    instance = await look_at(settings)
    assert [window.CREATED] == [each.state for each in instance.jobs]
    assert [2, 0] == [each.windows_unfinished for each in instance.streams]


async def test_calls_are_those_of_all_processes(tmp_path: Path) -> None:
    """Who holds a call, by the clock that the daemon gives to the instance."""
    settings, hand = settings_of(tmp_path), Hand()
    async with calling(settings[0], hand.clock, holder="pid 1"), calling(settings[0], hand.clock, holder="pid 2"):
        live = (await look_at(settings)).live
    assert (2, 2, {"pid 1": 1, "pid 2": 1}, 2) == (live.window, live.in_flight, live.holders, live.calls.used)


@virtual
async def test_lag_is_the_destinations_cursor_against_the_instances_clock(tmp_path: Path) -> None:
    """Up to where the destination holds a stream, whatever the journal believes."""
    settings = settings_for(tmp_path, schedule={"nightly": GroupSettings(cron="30 2 * * *")})
    async with opened(settings) as here:
        await here.engine.sync()
        now = here.clock.now()
        snapshot = await read_snapshot([settings], standings(), {"acme": here.clock}, clock=SystemClock())
    (instance,) = snapshot.instances
    assert [(ORIGIN - SETTLE, now - (ORIGIN - SETTLE))] * 2 == [
        (each.cursor, timedelta(seconds=each.lag_seconds or 0.0)) for each in instance.streams
    ]


@pytest.mark.parametrize("name", [JOURNAL, SLOTS])
async def test_a_damaged_state_is_a_sentence(tmp_path: Path, name: str) -> None:
    """The other parts are shown all the same."""
    settings = settings_of(tmp_path)
    settings[0].state.path.mkdir()
    (settings[0].state.path / name).write_bytes(b"no database" * 1_000)
    instance = await look_at(settings)
    problem = instance.journal_problem if name == JOURNAL else instance.live.problem
    assert name in problem
    assert "" == (instance.live.problem if name == JOURNAL else instance.journal_problem)
    assert ["leads", "activities"] == [each.stream for each in instance.streams]


async def test_a_destination_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    """Its cursors are unknown then; what a driver raises does not come out, and its text, which may quote, neither."""
    settings = settings_of(tmp_path)
    settings[0].destination.path.write_bytes(b"no database" * 1_000)
    instance = await look_at(settings)
    assert str(settings[0].destination.path) in instance.destination_problem
    assert [None, None] == [each.cursor for each in instance.streams]

    def broken(_: Settings) -> Destination:
        raise KeyError("canary")

    snapshot = await read_snapshot(settings, standings(), {}, clock=Hand().clock, destination=broken)
    assert "it cannot be read (KeyError)" == snapshot.instances[0].destination_problem


async def test_groups_folders_and_problems_are_shown_where_they_belong(tmp_path: Path) -> None:
    """Each under its instance, problems newest first; what is of no instance stands apart."""
    schedule = {
        "nightly": GroupSettings(cron="30 2 * * *"),
        "assets": GroupSettings(cron="0 4 * * 0", instances=("emea",)),
    }
    there = standings()
    there.inboxes["inbox"] = InboxStanding(name="inbox", instance="emea", path="inbox")
    there.problems.append(Problem(NOW - timedelta(hours=2), "emea", "nightly", "first"))
    there.problems.append(Problem(NOW - timedelta(hours=1), "emea", "nightly", "second"))
    there.problems.append(Problem(NOW, "", "telling", "third"))
    snapshot = await look(settings_of(tmp_path, "acme", "emea", schedule=schedule), there)
    acme, emea = snapshot.instances
    assert (["nightly"], ["nightly", "assets"]) == (
        [each.group for each in acme.groups],
        [each.group for each in emea.groups],
    )
    assert ((), ["second", "first"]) == (acme.problems, [each.text for each in emea.problems])
    assert ((), ["inbox"]) == (acme.inboxes, [each.name for each in emea.inboxes])
    assert ["third"] == [each.text for each in snapshot.problems]


async def test_custom_objects_are_those_that_were_met(tmp_path: Path) -> None:
    """Also when none of their windows is open any more."""
    sync = SyncSettings(start=NOW - timedelta(days=60), streams=("leads", "custom_object_*"))
    settings, hand = settings_of(tmp_path, sync=sync), Hand()
    span = {"start": (NOW - timedelta(days=1)).isoformat(), "end": NOW.isoformat()}
    async with journal_of(settings[0], hand) as journal:
        job = Job(
            id="o", instance="acme", kind=window.KIND, state=window.PLANNED, group="custom_object_car_c", facts=span
        )
        (planned,) = await journal.plan([replace(job, facts=span)])
        await journal.move(planned, "abandon")
    instance = await look_at(settings)
    assert ["leads", "custom_object_car_c"] == [each.stream for each in instance.streams]


async def test_without_any_instance_nothing_breaks() -> None:
    """A configuration has at least one; what reads it does not rely on that."""
    assert {} == await read_journals((), {}, Hand().clock)

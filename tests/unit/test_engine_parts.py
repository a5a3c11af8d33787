"""Syncs of some streams, and syncs that are asked to stop: what is left comes with the next one, and none is lost."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from syncengine.config import StreamSettings, SyncSettings
from syncengine.errors import ConfigError
from syncengine.exports.window import FINAL, KIND
from syncengine.jobs.halt import Halt
from syncengine.observe.events import Event, JobMoved, SchemaChanged, WindowApplied
from tests.simulation.small import quick_folder
from tests.unit.exports.opened import FIELDS, Opened, opened, settings_for
from tests.unit.exports.world import DAY
from tests.virtual import ORIGIN, virtual


class Asking(list[Event]):
    """Events; at the first that is meant the run is asked to stop."""

    def __init__(self, halt: Halt, is_meant: Callable[[Event], bool]) -> None:
        super().__init__()
        self._halt = halt
        self._is_meant = is_meant

    def append(self, event: Event) -> None:
        super().append(event)
        if self._is_meant(event):
            self._halt.ask()


def asking(here: Opened, halt: Halt, is_meant: Callable[[Event], bool]) -> None:
    """Ask the engine's run to stop when something has happened."""
    events = Asking(halt, is_meant)
    here.engine._observe = events.append
    here.engine.client._observe = events.append


def rows(path: Path, table: str) -> int:
    with duckdb.connect(str(path), read_only=True) as database:
        found = database.execute(f"SELECT count(*) FROM marketo.{table}").fetchone()
    assert found
    return int(found[0])


def is_applied(event: Event) -> bool:
    return isinstance(event, WindowApplied)


def is_queued(event: Event) -> bool:
    return isinstance(event, JobMoved) and event.state == "QUEUED"


@pytest.mark.parametrize("is_meant", [is_applied, is_queued])
@virtual
async def test_a_sync_that_is_asked_to_stop_leaves_the_rest_to_the_next(
    tmp_path: Path, is_meant: Callable[[Event], bool]
) -> None:
    """Steps under way are finished, nothing is begun; the next run goes on and asks Marketo for nothing twice."""
    with quick_folder(tmp_path) as folder:
        async with opened(settings_for(folder), leads=50, activities=60, years=0.1) as here:
            halt = Halt()
            asking(here, halt, is_meant)
            report = await here.engine.sync(halt=halt)
            left = [job for job in await here.engine.journal.jobs("acme", kind=KIND) if job.state not in FINAL]
            assert left
            assert ("partial", ("The run was asked to stop before everything was brought",)) == (
                report.outcome,
                report.problems,
            )
            assert () == report.errors
            asked = here.marketo.report()["jobs_created"]
            after = await here.engine.sync()
            assert ("done", ()) == (after.outcome, after.problems)
            # Of the two runs together each window was asked for once.
            made = here.marketo.report()["jobs_created"]
            jobs = await here.engine.journal.jobs("acme", kind=KIND)
            assert sum(made.values()) == len(jobs)
            assert sum(asked.values()) <= sum(made.values())
            assert [] == [job for job in jobs if job.state not in FINAL]
            truth = sum(1 for part in here.marketo.people.truth() for _ in part.splitlines())
        assert truth == rows(here.settings.destination.path, "leads")


@virtual
async def test_a_halt_before_the_first_step_begins_nothing(tmp_path: Path) -> None:
    """Neither a plan nor a call for an export."""
    with quick_folder(tmp_path) as folder:
        async with opened(settings_for(folder)) as here:
            halt = Halt()
            halt.ask()
            report = await here.engine.sync(halt=halt)
            assert ("partial", {}) == (report.outcome, here.marketo.report()["jobs_created"])
            assert [] == await here.engine.journal.jobs("acme")
            (run,) = await here.engine.journal.runs("acme", 5)
            assert "partial" == run.outcome


@virtual
async def test_a_halt_reaches_the_turns_that_have_not_begun(tmp_path: Path) -> None:
    """Streams that take their keys from others are not planned any more."""
    with quick_folder(tmp_path) as folder:
        sync = SyncSettings(start=ORIGIN - 3 * DAY, streams=("leads", "programs", "program_members"))
        async with opened(settings_for(folder, sync=sync), leads=30, programs=5, years=0.008) as here:
            halt = Halt()
            asking(here, halt, is_applied)
            report = await here.engine.sync(halt=halt)
            planned = {job.group for job in await here.engine.journal.jobs("acme")}
            assert ("partial", False) == (report.outcome, "program_members" in planned)
            assert "done" == (await here.engine.sync()).outcome


@virtual
async def test_some_streams_are_brought_and_the_others_stay_as_they_are(tmp_path: Path) -> None:
    """The run is named by what it brings, and leaves the rest to other groups."""
    with quick_folder(tmp_path) as folder:
        async with opened(settings_for(folder)) as here:
            report = await here.engine.sync(streams=["leads"])
            assert ("done", ["leads"]) == (report.outcome, [each.stream for each in report.streams])
            assert ["sync leads"] == [run.kind for run in await here.engine.journal.runs("acme", 5)]
            assert {"leads"} == {job.group for job in await here.engine.journal.jobs("acme")}
            with pytest.raises(ConfigError, match="'programs' is not a stream"):
                await here.engine.sync(streams=["programs"])


def row_of(path: Path, person: int) -> tuple[Any, ...] | None:
    with duckdb.connect(str(path), read_only=True) as database:
        found: tuple[Any, ...] | None = database.execute(
            "SELECT id, _deleted_at IS NOT NULL FROM marketo.leads WHERE id = ?", [person]
        ).fetchone()
    return found


@pytest.mark.parametrize("hard_delete", [True, False])
@virtual
async def test_a_deletion_is_carried_out_though_its_stream_is_not_of_this_sync(
    tmp_path: Path, hard_delete: bool
) -> None:
    """What [streams.leads] says of deleted rows holds where deleted_leads come alone."""
    with quick_folder(tmp_path) as folder:
        sync = SyncSettings(start=ORIGIN - 3 * DAY, streams=("leads", "deleted_leads"), lookback_hours=1.0)
        own = {"leads": StreamSettings(fields=FIELDS["leads"], hard_delete=hard_delete)}
        settings = settings_for(folder, sync=sync, streams=own)
        async with opened(settings, leads=30, years=0.008) as here:
            assert "done" == (await here.engine.sync()).outcome
            person = 1_001
            assert row_of(settings.destination.path, person) == (person, False)
            await here.clock.sleep(3_600.0)
            here.marketo.change(here.clock.now().timestamp(), delete_leads=[person], seed=1)
            await here.clock.sleep(3_600.0)
            assert "done" == (await here.engine.sync(streams=["deleted_leads"])).outcome
        found = row_of(settings.destination.path, person)
        assert found is None if hard_delete else found is not None and found[1]


@virtual
async def test_changed_fields_are_an_event_once(tmp_path: Path) -> None:
    """Not of the first run, which has nothing to compare with, nor of the next one, which has."""
    with quick_folder(tmp_path) as folder:
        sync = SyncSettings(start=ORIGIN - 3 * DAY, streams=("leads",))
        first = settings_for(folder, sync=sync)
        later = replace(first, streams={"leads": StreamSettings(fields=("email", "city"))})
        told = []
        for number, settings in enumerate((first, later, later)):
            async with opened(settings, leads=30, years=0.008, origin=ORIGIN + number * DAY) as here:
                assert "done" == (await here.engine.sync()).outcome
                told.append([event for event in here.events if isinstance(event, SchemaChanged)])
        before, (changed,), after = told
        assert ([], [], "leads") == (before, after, changed.stream)
        assert changed.changes[0].startswith("new are city:")
        assert "no longer read are leadScore: their columns stay as they are." in changed.changes

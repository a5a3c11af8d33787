"""Several instances under one daemon: each has its own nights, and trouble with one is nothing to the others."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import duckdb

from syncengine.config import LimitSettings, Secret, Settings
from tests.simulation.months import NAME, Month
from tests.simulation.seeded import seeded
from tests.simulation.small import quick_folder

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
OTHER = "emea"


def twin(month: Month, **changes: object) -> Settings:
    """The settings of another instance of the same subscription, with a place of its own."""
    own = month.settings
    settings = replace(
        own,
        instance=replace(own.instance, name=OTHER),
        destination=replace(own.destination, schema=f"marketo_{OTHER}"),
        assets=own.assets,
    )
    return replace(settings, **changes)  # type: ignore[arg-type]  # fields of Settings, as the caller names them


def outcomes(month: Month, name: str) -> list[str]:
    """How the nights of an instance ended, read from the file alone."""
    with sqlite3.connect(month.settings.state.path / "journal.db") as journal:
        rows = journal.execute("SELECT outcome FROM runs WHERE instance = ? AND kind LIKE 'night%' ORDER BY id", [name])
        return [outcome for (outcome,) in rows.fetchall()]


@seeded
async def test_an_instance_whose_credentials_are_wrong_stops_no_other(tmp_path: Path) -> None:
    """It is parked and told, while the other brings night after night into tables of its own in the same file."""
    with quick_folder(tmp_path) as folder:
        month = Month(folder, 1, start=START)
        wrong = twin(month, instance=replace(month.settings.instance, name=OTHER, client_secret=Secret("mistyped")))
        month.others = [wrong]
        async with anyio.create_task_group() as tasks:
            await month.start(tasks)
            await month.until(START + timedelta(days=2))
            assert month.daemon is not None
            standings = month.daemon.standings
            assert "parked" == standings.groups[OTHER, "nightly"].state
            assert {OTHER} == {each.instance for each in standings.problems}
            # Somebody mends it, and nothing has to be started again.
            month.others = [twin(month)]
            await month.until(START + timedelta(days=3))
            await month.stop()
        assert ["done"] * 3 == outcomes(month, NAME)
        assert "done" == outcomes(month, OTHER)[-1]
        with duckdb.connect(str(month.settings.destination.path), read_only=True) as database:
            for schema in ("marketo", f"marketo_{OTHER}"):
                assert [(30,)] == database.execute(f"SELECT count(*) FROM {schema}.leads").fetchall()
        assert [] == month.broken_limits()


@seeded
async def test_instances_come_and_go_with_the_configuration(tmp_path: Path) -> None:
    """One that is added begins, and one that is taken out ends, without a restart and without a word to the others."""
    with quick_folder(tmp_path) as folder:
        month = Month(folder, 1, start=START)
        async with anyio.create_task_group() as tasks:
            await month.start(tasks)
            await month.until(START + timedelta(hours=1))
            month.others = [twin(month)]
            await month.reload()
            await month.until(START + timedelta(days=1))
            month.others = []
            await month.reload()
            await month.until(START + timedelta(days=2))
            assert month.daemon is not None
            assert {NAME} == {instance for instance, _ in month.daemon.standings.groups}
            await month.stop()
        assert (["done"] * 2, ["done"]) == (outcomes(month, NAME), outcomes(month, OTHER))


@seeded
async def test_what_only_a_new_process_can_take_is_refused(tmp_path: Path) -> None:
    """The state folder and the addresses of instances stay what they were; the sentence says to restart."""
    with quick_folder(tmp_path) as folder:
        month = Month(folder, 1, start=START)
        async with anyio.create_task_group() as tasks:
            await month.start(tasks)
            before = month.settings
            month.configure(state=replace(before.state, path=folder / "elsewhere"), limits=LimitSettings(share=0.5))
            await month.reload()
            assert month.daemon is not None
            (problem,) = month.daemon.standings.problems
            assert month.daemon.standings.reloaded_at is None
            await month.stop()
        assert "refused; the one before stays" in problem.text

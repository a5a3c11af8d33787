"""Where things stand, read without any network: after nothing, after work, and beside a run that is under way."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from syncengine.choices import JOURNAL, SLOTS, boot_of, gate_limits, limited_as
from syncengine.clock import SystemClock
from syncengine.config import InstanceSettings, Secret, SyncSettings
from syncengine.engine import Engine
from syncengine.errors import StateUnusable, SyncEngineError
from syncengine.exports import window
from syncengine.jobs.lease import LEASE_TTL_SECONDS
from syncengine.marketo.call import Priority
from syncengine.reports import SlotHolder, StreamStatus
from syncengine.status import RUNS_SHOWN, outcomes, read_status
from syncengine.transport.gate import Gate
from syncengine.transport.shared_slots import SharedSlotStore
from tests.unit.exports.opened import BASE_URL, opened, settings_for
from tests.unit.exports.world import DAY, SETTLE, fault
from tests.virtual import ORIGIN, virtual


async def try_sync(engine: Engine) -> str:
    """The class of the error that ends a sync, empty for none."""
    try:
        await engine.sync()
    except SyncEngineError as error:
        return type(error).__name__
    return ""


def scaled(time_scale: float) -> InstanceSettings:
    """The instance of these tests with a clock of that speed."""
    return InstanceSettings(
        name="acme", base_url=BASE_URL, client_id="id", client_secret=Secret("x"), time_scale=time_scale
    )


def any_file(folder: Path) -> bool:
    return any(folder.iterdir())


@virtual
async def test_before_the_first_run_everything_is_empty(tmp_path: Path) -> None:
    """Nothing has happened, nothing is known of any stream, and looking makes no file."""
    status = await read_status(settings_for(tmp_path))

    assert ("acme", (), (), (), "") == (
        status.instance,
        status.runs,
        status.windows_unfinished,
        status.holders,
        status.destination_problem,
    )
    assert (StreamStatus("leads", None, None, 0), StreamStatus("activities", None, None, 0)) == status.streams
    assert (0, 50_000, 0, 500_000_000, 0, 0) == (
        status.calls_today,
        status.calls_per_day,
        status.export_bytes_today,
        status.export_bytes_per_day,
        status.window_slots_used,
        status.in_flight,
    )
    assert not any_file(tmp_path)


@virtual
async def test_after_a_sync_the_cursors_stand_where_it_came_to(tmp_path: Path) -> None:
    """Each stream's cursor and lag, the run with its counts, and nothing unfinished; no call is made for it."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        report = await here.engine.sync()
        before, calls = SystemClock().now(), here.engine.client.calls_sent
        status = await read_status(settings)
        after = SystemClock().now()

    (run,) = status.runs
    assert ("sync activities+leads", "done", report.started_at, report.ended_at) == (
        run.kind,
        run.outcome,
        run.started_at,
        run.ended_at,
    )
    assert (report.run_id, sum(each.rows for each in report.streams), report.calls) == (run.run_id, run.rows, run.calls)
    assert sum(each.moved for each in report.streams) == run.moved
    assert [ORIGIN - SETTLE] * 2 == [each.cursor for each in status.streams]
    for each in status.streams:
        assert each.lag_seconds is not None
        assert before <= ORIGIN - SETTLE + timedelta(seconds=each.lag_seconds) <= after
    assert ((), calls) == (status.windows_unfinished, here.engine.client.calls_sent)


@virtual
async def test_todays_spending_is_the_limiters(tmp_path: Path) -> None:
    """Calls and megabytes of the day, by everyone who shares the state folder; identity is not billed, a count is."""
    # An hour ahead, so that the day's reset cannot fall between the run and the look at it.
    origin = SystemClock().now() + timedelta(hours=1)
    settings = settings_for(tmp_path, origin=origin)
    async with opened(settings, origin=origin) as here:
        report = await here.engine.sync()
        status = await read_status(settings)
    assert report.calls + here.marketo.report()["calls"]["usage"] == status.calls_today
    assert sum(each.bytes for each in report.streams) == status.export_bytes_today


@virtual
async def test_a_run_under_way_can_be_looked_at(tmp_path: Path) -> None:
    """The run is told as running, the last day of each stream as queued, and the other windows as planned."""
    # Leases run out by the machine's own clock, at which `read_status` looks.
    origin = SystemClock().now().replace(microsecond=0)
    settings = settings_for(tmp_path, origin=origin)
    async with opened(settings, origin=origin) as here, anyio.create_task_group() as tasks:
        tasks.start_soon(here.engine.sync)
        await here.clock.sleep(30.0)
        status = await read_status(settings)
    (run,) = status.runs

    assert ("running", None, None) == (run.outcome, run.ended_at, run.rows)
    states = Counter(each.state for each in status.windows_unfinished)
    assert {window.QUEUED: 2, window.PLANNED: 4} == states
    assert [("leads", None, 3), ("activities", None, 3)] == [
        (each.stream, each.cursor, each.windows_unfinished) for each in status.streams
    ]
    assert (origin - 40 * DAY, origin - SETTLE) == (
        min(each.start for each in status.windows_unfinished),
        max(each.end for each in status.windows_unfinished),
    )


async def test_calls_in_flight_are_told_by_process(tmp_path: Path) -> None:
    """Who is calling Marketo at this moment, and how much of the window is used, whichever process looks."""
    # Not in virtual time: threads of `read_status` read the machine's own clock, as another process would.
    settings, clock = settings_for(tmp_path), SystemClock()
    settings.state.path.mkdir()
    slots = SharedSlotStore(
        settings.state.path / SLOTS, limited_as(settings), boot_of(settings), window_seconds=20.0, now=clock.monotonic()
    )
    gate = Gate(slots, gate_limits(settings), clock, holder="process 1")
    async with gate.enter("leads.describe", Priority.BACKGROUND, seconds=120.0) as permit:
        during = await read_status(settings)
        await permit.unsent()
    after = await read_status(settings)
    await slots.close()
    assert ((SlotHolder("process 1", 1),), 1, 1) == (during.holders, during.in_flight, during.window_slots_used)
    assert ((), 0, 0) == (after.holders, after.in_flight, after.window_slots_used)


@virtual
async def test_what_failed_is_told_with_its_problem(tmp_path: Path) -> None:
    """A window that was given up stands planned, with the reason of its last attempt; so does each half of one."""
    settings = settings_for(tmp_path)
    failing = fault("outcome", "/leads/export/create.json", status="Failed", message="too large")
    async with opened(settings, failing) as here:
        await here.engine.sync()
        status = await read_status(settings)
    assert {("leads", window.PLANNED)} == {(each.stream, each.state) for each in status.windows_unfinished}
    # Windows that were not tried any more, as nothing of the stream came, have no problem of their own.
    assert {True} == {"too large" in each.problem for each in status.windows_unfinished if each.problem}
    assert ["partial"] == [run.outcome for run in status.runs]
    assert [None, ORIGIN - SETTLE] == [each.cursor for each in status.streams]


@virtual
async def test_a_run_that_failed_is_told_without_counts(tmp_path: Path) -> None:
    """Nothing is made up for a run that has no report."""
    settings = settings_for(tmp_path)
    async with opened(settings, fault("error", "/leads/export.json", code="611")) as here:
        assert "Unavailable" == await try_sync(here.engine)
        (run,) = (await read_status(settings)).runs
    assert ("failed", None, None, None) == (run.outcome, run.rows, run.moved, run.calls)


@virtual
async def test_only_the_last_runs_are_shown(tmp_path: Path) -> None:
    """The newest first, and no more than fit on a screen."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        for number in range(RUNS_SHOWN + 2):
            run = await here.engine.journal.begin_run("acme", f"sync {number}", {})
            await here.engine.journal.end_run(run, "done", {})
        await here.engine.journal.begin_run("another", "sync leads", {})
        shown = (await read_status(settings)).runs
    assert [f"sync {number}" for number in range(RUNS_SHOWN + 1, 1, -1)] == [run.kind for run in shown]


@virtual
async def test_a_run_whose_process_is_gone_has_died(tmp_path: Path) -> None:
    """No outcome and nobody who holds its work: it will not come to an end by itself."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        await here.engine.journal.begin_run("acme", "sync leads", {"streams": ["leads"]})
        (run,) = (await read_status(settings)).runs
    assert "died" == run.outcome


@virtual
@pytest.mark.parametrize(
    ("silent_seconds", "time_scale", "outcome"),
    [(0, 1.0, "running"), (LEASE_TTL_SECONDS + 60, 1.0, "died"), (LEASE_TTL_SECONDS + 60, 60.0, "running")],
)
async def test_a_run_of_another_machine_that_fell_silent_has_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent_seconds: float, time_scale: float, outcome: str
) -> None:
    """Its process cannot be looked for: only the time of its lease decides, where clocks can be compared."""
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    origin = SystemClock().now() - timedelta(seconds=silent_seconds)
    settings = settings_for(tmp_path, origin=origin)
    async with opened(settings, origin=origin) as here:
        await here.engine.journal.begin_run("acme", "sync leads", {"streams": ["leads"]})
        await here.engine.journal.acquire_lease("acme", window.lease_name("leads"))
    monkeypatch.undo()
    (run,) = (await read_status(replace(settings, instance=scaled(time_scale)))).runs
    assert outcome == run.outcome


@virtual
async def test_of_two_open_runs_the_newer_holds_the_lease(tmp_path: Path) -> None:
    """An earlier run of the same stream cannot be alive beside a later one; one of another stream can."""
    async with opened(settings_for(tmp_path)) as here:
        begun = [
            await here.engine.journal.begin_run("acme", kind, {"streams": streams})
            for kind, streams in (("a", ["leads", "activities"]), ("b", ["leads"]), ("c", ["activities"]))
        ]
    newest_first = begun[::-1]
    assert ["running", "running", "died"] == outcomes(newest_first, {"sync leads", "sync activities"})
    assert ["died", "running", "died"] == outcomes(newest_first, {"sync leads"})
    assert ["died"] * 3 == outcomes(newest_first, set())


@virtual
async def test_a_destination_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """The cursors are unknown then, and everything else is shown all the same."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        await here.engine.sync()
    settings.destination.path.write_bytes(b"no database" * 1_000)
    status = await read_status(settings)
    assert ([None, None], 1) == ([each.cursor for each in status.streams], len(status.runs))
    assert str(settings.destination.path) in status.destination_problem


@virtual
@pytest.mark.parametrize("name", [JOURNAL, SLOTS])
async def test_damaged_state_is_not_shown_as_empty(tmp_path: Path, name: str) -> None:
    """A journal or limiter that cannot be read is an error, never a clean slate."""
    settings = settings_for(tmp_path)
    settings.state.path.mkdir()
    (settings.state.path / name).write_bytes(b"no database" * 1_000)
    with pytest.raises(StateUnusable):
        await read_status(settings)


@virtual
async def test_only_the_configured_streams_are_shown(tmp_path: Path) -> None:
    """In the order of the configuration."""
    sync = SyncSettings(start=ORIGIN - DAY, streams=("activities",))
    status = await read_status(settings_for(tmp_path, sync=sync))
    assert ["activities"] == [each.stream for each in status.streams]


@virtual
async def test_on_a_fast_clock_no_lag_is_told(tmp_path: Path) -> None:
    """A sandbox's clock is ahead of ours by nobody knows how much: the cursor stands alone."""
    settings = settings_for(tmp_path)
    async with opened(settings) as here:
        await here.engine.sync()
    status = await read_status(replace(settings, instance=scaled(60.0)))
    assert [(ORIGIN - SETTLE, None)] * 2 == [(each.cursor, each.lag_seconds) for each in status.streams]


@virtual
async def test_custom_objects_are_shown_as_they_were_met(tmp_path: Path) -> None:
    """Where all of an instance's custom objects are synced, each of them has its own line."""
    sync = SyncSettings(start=ORIGIN - timedelta(days=40), streams=("leads", "custom_object_*"))
    settings = settings_for(tmp_path, sync=sync)
    async with opened(settings, custom_object_rows=3) as here:
        await here.engine.sync()
        status = await read_status(settings)
    names = [each.stream for each in status.streams]
    assert ["leads", "custom_object_car_c", "custom_object_purchase_c"] == names

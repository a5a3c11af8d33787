"""The composition root: what it opens and closes, and what it answers to check, plan and sync."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from syncengine.choices import JOURNAL, SLOTS, SPOOL, gate_limits, open_clock
from syncengine.clock import SystemClock
from syncengine.config import InstanceSettings, LimitSettings, Secret, StateSettings, StreamSettings, SyncSettings
from syncengine.engine import open_engine
from syncengine.errors import CallRejected, ConfigError, StateUnusable, Unavailable
from syncengine.exports.window import KIND, PLANNED
from syncengine.jobs.job import Job
from syncengine.marketo.endpoints import leads
from syncengine.observe.events import StreamPlanned
from syncengine.reports import CheckItem
from syncengine.transport.turns import GateLimits
from tests.unit.exports.opened import BASE_URL, opened, settings_for
from tests.unit.exports.world import DAY, SETTLE, fault
from tests.virtual import ORIGIN, virtual

ITEMS = [
    "destination",
    "credentials",
    "permission: leads",
    "permission: activities",
    "calls left today",
    "bulk export left today",
    "clock",
]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def failing(folder: Path, *faults: Any, **options: Any) -> tuple[list[str], list[CheckItem]]:
    """The items that a check tries, and those that are not ok."""
    async with opened(settings_for(folder), *faults, **options) as here:
        report = await here.engine.check()
        failed = [item for item in report.items if not item.ok]
        assert report.ok == (not failed)
        return [item.name for item in report.items], failed


@virtual
async def test_a_check_tries_everything(tmp_path: Path) -> None:
    """All is well: each item says what it found, for four calls, and nothing is exported."""
    async with opened(settings_for(tmp_path)) as here:
        report = await here.engine.check()
    told = {item.name: item.detail for item in report.items}

    assert (True, ITEMS, 4) == (report.ok, list(told), here.engine.client.calls_sent)
    assert str(tmp_path / "warehouse.duckdb") in told["destination"]
    assert f"{BASE_URL} accepts the client id and secret" == told["credentials"]
    assert "leads.describe answers with 63 entries" == told["permission: leads"]
    assert "49,998 of 50,000" == told["calls left today"]
    assert "0 s from Marketo's" == told["clock"]
    assert {} == here.marketo.report()["jobs_created"]


@virtual
async def test_a_destination_that_cannot_be_used_does_not_hide_the_rest(tmp_path: Path) -> None:
    """A file that is no database is told, and everything else is tried all the same."""
    (tmp_path / "warehouse.duckdb").write_bytes(b"no database" * 1_000)
    names, (item,) = await failing(tmp_path)
    assert (ITEMS, "destination", "DestinationUnavailable") == (names, item.name, item.error)
    assert str(tmp_path / "warehouse.duckdb") in item.detail


@virtual
async def test_wrong_credentials_end_the_check(tmp_path: Path) -> None:
    """Without a token nothing else can be tried: the advice says where to look, and the secret is not in it."""
    names, (item,) = await failing(tmp_path, client_secret="another")
    assert (ITEMS[:2], "credentials", "CredentialsRejected") == (names, item.name, item.error)
    assert "LaunchPoint" in item.advice
    assert "canary-secret" not in f"{item.detail} {item.advice}"


@virtual
@pytest.mark.parametrize(
    ("path", "name", "permission"),
    [
        ("/leads/describe.json", "permission: leads", "Read-Only Lead"),
        ("/activities/types.json", "permission: activities", "Read-Only Activity"),
    ],
)
async def test_a_missing_permission_is_named(tmp_path: Path, path: str, name: str, permission: str) -> None:
    """What the API role lacks stands in the sentence, beside items that are fine."""
    names, (item,) = await failing(tmp_path, fault("error", path, code="603", message="Access denied"))
    assert (ITEMS, name, "PermissionDenied") == (names, item.name, item.error)
    assert f"(permission: {permission})" in item.detail


@virtual
async def test_an_instance_in_trouble_fails_its_items(tmp_path: Path) -> None:
    """A call that keeps failing is told with Marketo's own words."""
    names, (item,) = await failing(tmp_path, fault("error", "/usage.json", code="611", message="busy"))
    assert (ITEMS, "calls left today", "Unavailable") == (names, item.name, item.error)
    assert "busy" in item.detail


@virtual
@pytest.mark.parametrize(("minutes", "is_fine"), [(4, True), (-4, True), (10, False), (-10, False)])
async def test_a_clock_that_is_far_off_is_told(tmp_path: Path, minutes: int, is_fine: bool) -> None:
    """A few minutes are nothing; more, in either direction, and the clock has to be set."""
    _, failed = await failing(tmp_path, machine_ahead=timedelta(minutes=minutes))
    assert ([] if is_fine else [("clock", "Set this machine's clock (NTP).")]) == [
        (item.name, item.advice) for item in failed
    ]


@virtual
async def test_a_spent_export_budget_is_told(tmp_path: Path) -> None:
    """A sync would get nothing today: the check says so before, and until when."""
    settings = settings_for(tmp_path, limits=LimitSettings(export_bytes_per_day=1_000))
    async with opened(settings) as here:
        await here.engine.client.gate.book_export(1_000)
        (item,) = [item for item in (await here.engine.check()).items if not item.ok]
    assert ("bulk export left today", "QuotaExhausted") == (item.name, item.error)
    assert "2026-03-03T06:00Z" in item.detail


@virtual
async def test_a_plan_tells_costs_and_what_the_day_has_left(tmp_path: Path) -> None:
    """Calls left are the stricter of Marketo's count and ours, less the reserve; nothing is written anywhere."""
    limits = LimitSettings(calls_per_day=1_000, reserve_calls=100, export_bytes_per_day=5_000_000)
    async with opened(settings_for(tmp_path, limits=limits)) as here:
        await here.engine.client.gate.book_export(2_000_000)
        plan = await here.engine.plan()
        jobs = await here.engine.journal.jobs("acme")

    assert [("leads", 3), ("activities", 3)] == [(each.stream, each.windows) for each in plan.streams]
    assert [(ORIGIN - 40 * DAY, ORIGIN - SETTLE)] * 2 == [(each.start, each.end) for each in plan.streams]
    assert sum(each.calls for each in plan.streams) == plan.calls
    # Describe and usage have been spent by now.
    assert (1_000 - 100 - 2, 3_000_000) == (plan.calls_left_today, plan.export_bytes_left_today)
    assert ([], {}, False) == (jobs, here.marketo.report()["jobs_created"], here.settings.destination.path.exists())


@virtual
async def test_a_sync_does_what_the_plan_has_shown(tmp_path: Path) -> None:
    """The same windows; the spool that it makes is private; a second plan starts from what was committed."""
    async with opened(settings_for(tmp_path)) as here:
        plan = await here.engine.plan()
        report = await here.engine.sync()
        again, full = await here.engine.plan(), await here.engine.plan(full=["leads"])
    told = [event for event in here.events if isinstance(event, StreamPlanned)]

    assert "done" == report.outcome
    assert [(each.stream, each.windows, each.resumed) for each in plan.streams] == [
        (each.stream, each.windows, each.resumed) for each in told
    ]
    spool = tmp_path / "state" / SPOOL / "acme"
    assert (0o700, 0o700, []) == (mode(spool.parent), mode(spool), list(spool.iterdir()))
    assert [ORIGIN - SETTLE - DAY] * 2 == [each.start for each in again.streams]
    assert [ORIGIN - 40 * DAY, ORIGIN - SETTLE - DAY] == [each.start for each in full.streams]
    assert report.streams[0].bytes + report.streams[1].bytes == 5 * 10**8 - again.export_bytes_left_today


@virtual
async def test_what_is_configured_is_what_is_synced(tmp_path: Path) -> None:
    """Streams, fields, exclusions, settle delay and each stream's own lookback reach the run."""
    sync = SyncSettings(start=ORIGIN - 2 * DAY, streams=("leads",), settle_minutes=5.0, lookback_hours=12.0)
    own = {"leads": StreamSettings(exclude=("email",), lookback_hours=3.0)}
    async with opened(settings_for(tmp_path, sync=sync, streams=own)) as here:
        await here.engine.sync()
        (plan,) = (await here.engine.plan()).streams
        (job,) = await here.engine.journal.jobs("acme")

    until = ORIGIN - timedelta(minutes=5)
    assert (until - timedelta(hours=3), (ORIGIN - 2 * DAY).isoformat(), until.isoformat()) == (
        plan.start,
        job.facts["start"],
        job.facts["end"],
    )
    names = [name for name, _ in job.facts["request"]["fields"]]
    assert (True, False) == ("lastName" in names, "email" in names)


@virtual
async def test_a_stream_that_is_not_configured_cannot_be_read_in_full(tmp_path: Path) -> None:
    """A misspelt name is told, with those that there are, before anything is asked of Marketo."""
    async with opened(settings_for(tmp_path)) as here:
        for ask in (here.engine.plan, here.engine.sync):
            with pytest.raises(ConfigError, match="'lead'") as caught:
                await ask(full=["lead"])
            assert ("It syncs leads, activities.", 0) == (caught.value.advice, here.engine.client.calls_sent)


@virtual
async def test_opening_makes_private_state_and_nothing_else(tmp_path: Path) -> None:
    """Folders for the owner alone, files too; the destination is not touched and nobody is called."""
    settings = settings_for(tmp_path, state=StateSettings(path=tmp_path / "new" / "state"))
    async with open_engine(settings) as engine:
        assert 0 == engine.client.calls_sent
    state = settings.state.path
    assert (0o700, 0o600, 0o600) == (mode(state), mode(state / JOURNAL), mode(state / SLOTS))
    assert (False, False) == (settings.destination.path.exists(), (state / SPOOL).exists())


@virtual
async def test_a_folder_that_somebody_made_keeps_its_mode(tmp_path: Path) -> None:
    """It may be another user's, or be shared for other ends: what is made in it is private all the same."""
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o775)
    async with opened(settings_for(tmp_path)) as here:
        await here.engine.sync()
    async with open_engine(here.settings):
        made = {path.name: mode(path) for path in state.iterdir()}
    assert 0o775 == mode(state)
    assert {SPOOL: 0o700, JOURNAL: 0o600, SLOTS: 0o600}.items() <= made.items()
    assert [] == [name for name, each in made.items() if each & 0o077]


@virtual
async def test_two_engines_share_a_state_folder(tmp_path: Path) -> None:
    """Processes of one instance look at one journal; closing one leaves the other as it is."""
    settings = settings_for(tmp_path)
    async with open_engine(settings) as first:
        async with open_engine(settings) as second:
            await second.journal.begin_run("acme", "sync leads", {})
        assert ["sync leads"] == [run.kind for run in await first.journal.runs("acme", 9)]


@virtual
async def test_everything_is_closed_again(tmp_path: Path) -> None:
    """After the block no task of the engine is left, however the block ended."""
    async with open_engine(settings_for(tmp_path)):
        assert len(asyncio.all_tasks()) > 1
    assert {asyncio.current_task()} == asyncio.all_tasks()
    with anyio.CancelScope() as scope:
        async with open_engine(settings_for(tmp_path)):
            scope.cancel()
            await anyio.sleep_forever()
    assert (True, {asyncio.current_task()}) == (scope.cancelled_caught, asyncio.all_tasks())


@virtual
async def test_an_error_of_the_block_comes_out_as_it_was_raised(tmp_path: Path) -> None:
    """Who calls `sync` in the block can catch the error that it documents, not a group around it."""
    with pytest.raises(CallRejected):
        async with open_engine(settings_for(tmp_path)):
            raise CallRejected("no")


@virtual
async def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands in its place: the message names it, the advice says what to do."""
    (tmp_path / "state").write_text("")
    with pytest.raises(StateUnusable, match=str(tmp_path / "state")) as caught:
        async with open_engine(settings_for(tmp_path)):
            raise AssertionError
    assert "[state] path" in caught.value.advice


@virtual
async def test_a_name_belongs_to_one_instance(tmp_path: Path) -> None:
    """A mistyped address can be mended while there is no work; a journal with work is not gone on with elsewhere."""
    settings = settings_for(tmp_path)
    other = InstanceSettings(name="acme", base_url="http://127.0.0.1:8", client_id="id", client_secret=Secret("x"))
    async with open_engine(replace(settings, instance=other)):
        pass
    async with open_engine(settings) as engine:
        await engine.journal.plan([Job(id="w", instance="acme", kind=KIND, state=PLANNED)])
    with pytest.raises(StateUnusable):
        async with open_engine(replace(settings, instance=other)):
            raise AssertionError


async def test_a_sandbox_that_is_not_there_is_told() -> None:
    """A scaled clock begins where the sandbox's stands: without the sandbox there is none."""
    instance = InstanceSettings(
        name="acme", base_url=BASE_URL, client_id="id", client_secret=Secret("x"), time_scale=60.0
    )
    with pytest.raises(Unavailable, match=BASE_URL) as caught:
        await open_clock(settings_for(Path("nowhere"), instance=instance))
    assert "syncengine sandbox" in caught.value.advice


async def test_without_a_scale_time_is_real() -> None:
    """Marketo's own clock runs as ours does, and nobody is asked for it."""
    assert SystemClock is type(await open_clock(settings_for(Path("nowhere"))))


def test_the_gate_gets_the_limits_of_the_configuration() -> None:
    """Every figure of the limits, each in its place."""
    limits: dict[str, Any] = {
        "calls_per_window": 1,
        "window_seconds": 2.0,
        "in_flight": 3,
        "calls_per_day": 500,
        "export_bytes_per_day": 6,
        "share": 0.7,
        "reserve_calls": 80,
    }
    settings = settings_for(Path("nowhere"), limits=LimitSettings(**limits))
    assert (GateLimits(**limits), set(limits)) == (gate_limits(settings), set(GateLimits.__dataclass_fields__))


@virtual
async def test_the_client_of_an_engine_keeps_its_token(tmp_path: Path) -> None:
    """Calls after each other cost one identity call."""
    async with opened(settings_for(tmp_path)) as here:
        for _ in range(3):
            await here.engine.client.send(leads.describe())
    assert {"identity": 1, "describe": 3} == here.marketo.report()["calls"]

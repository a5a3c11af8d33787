"""What an instance does beside its nights: the day's budget is watched, and what is old is cleared away."""

import os
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from syncengine.choices import SLOTS, boot_of, gate_limits, limited_as
from syncengine.config import LimitSettings, NotifySettings
from syncengine.config.service import ServiceSettings
from syncengine.service.upkeep import BUDGET_SECONDS, FIRST_HOUSE_SECONDS, HOUSE_SECONDS, keep_house, warnings
from syncengine.service.upkeep import watch_budget as watch
from syncengine.transport.book import Spent
from syncengine.transport.gate import Gate
from syncengine.transport.shared_slots import SharedSlotStore
from tests.simulation.seeded import seeded
from tests.unit.service.placed import NAME, PlayedPlace, placed, quick, settings_of

LIMITS = LimitSettings(calls_per_day=1_100, reserve_calls=100, export_bytes_per_day=500_000_000)


async def spend(place: PlayedPlace, *, calls: int = 0, export_bytes: int = 0) -> None:
    """Some process uses so much of the day."""
    settings = place.settings
    slots = SharedSlotStore(
        settings.state.path / SLOTS,
        limited_as(settings),
        boot_of(settings),
        window_seconds=20.0,
        now=place.clock.monotonic(),
    )
    gate = Gate(slots, gate_limits(settings), place.clock, holder="another")
    await gate.reconcile(calls)
    await gate.book_export(export_bytes)
    await slots.close()


def in_the_way(path: Path) -> None:
    """An old account that cannot be removed."""
    path.mkdir(parents=True)
    os.utime(path, (1_000, 1_000))


async def while_kept(work: Callable[[Any], Coroutine[Any, Any, None]], place: PlayedPlace, *steps: Any) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work, place)
        for step in steps:
            if isinstance(step, float):
                await place.clock.sleep(step)
            elif callable(step):
                step()
            else:
                await step
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("spent", "subjects"),
    [
        (Spent(0, 0), []),
        (Spent(799, 399_999_999), []),
        (Spent(800, 0), ["calls"]),
        (Spent(0, 400_000_000), ["export megabytes"]),
        (Spent(5_000, 900_000_000), ["calls", "export megabytes"]),
    ],
)
@seeded
async def test_a_budget_is_told_from_its_percent_on(spent: Spent, subjects: list[str]) -> None:
    """Of what is ours: calls that are reserved for others are not."""
    with quick() as folder:
        async with placed(settings_of(folder, limits=LIMITS)) as place:
            assert subjects == [subject for subject, _ in warnings(place, spent)]


@seeded
async def test_a_warning_says_how_much_and_until_when() -> None:
    """In the units of the limits, with the reset of the day."""
    with quick() as folder:
        async with placed(settings_of(folder, limits=LIMITS, notify=NotifySettings(quota_percent=50))) as place:
            told = dict(warnings(place, Spent(512, 250_400_000)))
            assert {
                "calls": "512 of 1,000 calls of today are used; they come back at 2026-03-02T06:00Z.",
                "export megabytes": "250 of 500 MB of bulk export of today are used; "
                "they come back at 2026-03-02T06:00Z.",
            } == told


@seeded
async def test_whoever_uses_up_the_day_it_is_told_under_the_day_s_own_key() -> None:
    """Within a quarter of an hour; the next day is another one."""
    with quick() as folder:
        async with placed(settings_of(folder, limits=LIMITS)) as place:
            await while_kept(
                watch,
                place,
                1.0,
                spend(place, calls=900),
                BUDGET_SECONDS,
                86_400.0 - 3_600.0,
                spend(place, calls=900),
                BUDGET_SECONDS,
            )
            keys = {notice.key for notice in place.told}
            assert {"2026-03-02T06:00:00+00:00", "2026-03-03T06:00:00+00:00"} == keys
            assert {("quota", "calls")} == {(notice.kind, notice.subject) for notice in place.told}


@seeded
async def test_a_day_without_use_is_nothing_to_tell() -> None:
    """Before the first call there is no ledger."""
    with quick() as folder:
        async with placed(settings_of(folder, limits=LIMITS)) as place:
            await while_kept(watch, place, BUDGET_SECONDS * 3)
            assert ([], []) == (place.told, place.problems)


@seeded
async def test_a_ledger_in_trouble_is_told_and_looked_at_again() -> None:
    """It ends no instance."""
    with quick() as folder:
        async with placed(settings_of(folder, limits=LIMITS)) as place:
            path = place.settings.state.path / SLOTS
            path.write_bytes(b"no database" * 1_000)
            await while_kept(watch, place, 1.0, path.unlink, spend(place, calls=900), BUDGET_SECONDS)
            assert (1, ["calls"]) == (len(place.problems), [each.subject for each in place.told])


@seeded
async def test_what_is_old_is_cleared_away_once_a_day() -> None:
    """Not at the start, when there is other work; runs and accounts alike, and nothing that is young or not ours."""
    with quick() as folder:
        service = ServiceSettings(reports=folder / "reports", keep_days=2)
        async with placed(settings_of(folder, service=service)) as place:
            accounts = folder / "reports" / NAME
            accounts.mkdir(parents=True)
            names = ["2026-03-01-nightly-20260302T0230Z.json", "2026-03-01-nightly-20260302T0230Z.txt", "notes.txt"]
            for name in (*names, "2026-03-02-nightly-20260303T0230Z.txt"):
                (accounts / name).write_text("x")
            for name in names:
                os.utime(accounts / name, (1_000, 1_000))
            for _ in range(2):
                await place.journal.end_run(await place.journal.begin_run(NAME, "sync leads", {}), "done", {})
            await while_kept(keep_house, place, FIRST_HOUSE_SECONDS - 60.0)
            assert 4 == len(list(accounts.iterdir()))
            await while_kept(keep_house, place, FIRST_HOUSE_SECONDS + 1.0)
            assert ["2026-03-02-nightly-20260303T0230Z.txt", "notes.txt"] == sorted(
                path.name for path in accounts.iterdir()
            )
            assert 2 == len(await place.journal.runs(NAME, 10))
            await while_kept(keep_house, place, FIRST_HOUSE_SECONDS + 3 * HOUSE_SECONDS)
            assert len(await place.journal.runs(NAME, 10)) < 2
            assert [] == place.problems


@pytest.mark.parametrize("what", ["journal", "reports"])
@seeded
async def test_what_cannot_be_cleared_away_is_told(what: str) -> None:
    """Every day, and it ends no instance."""
    with quick() as folder:
        async with placed(settings_of(folder)) as place:
            if what == "journal":
                state = folder / "other"
                state.mkdir()
                (state / "journal.db").write_bytes(b"no database" * 1_000)
                place.settings = replace(place.settings, state=replace(place.settings.state, path=state))
            else:
                in_the_way(folder / "reports" / NAME / "2026-03-01-nightly-20260302T0230Z.txt")
            await while_kept(keep_house, place, FIRST_HOUSE_SECONDS + HOUSE_SECONDS + 1.0)
            assert 2 == len(place.problems)

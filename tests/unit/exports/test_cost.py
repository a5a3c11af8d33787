"""What a run will cost, by what earlier runs have cost, before any of it is spent."""

from dataclasses import replace
from datetime import timedelta
from math import ceil
from pathlib import Path

import pytest

from syncengine.errors import PermissionDenied
from syncengine.exports.cost import CALLS_PER_WINDOW, stream_plans
from syncengine.exports.due import BACKFILL, INCREMENT, New
from syncengine.exports.plan import Preparation, Prepared
from syncengine.exports.slice import Stretch
from syncengine.exports.sync import sync
from syncengine.exports.window import CLEANED, KIND, PLANNED
from syncengine.jobs.job import Job
from tests.unit.exports.test_plan import UNTIL, some_committed
from tests.unit.exports.world import DAY, SETTLE, activities, build, leads
from tests.virtual import ORIGIN, virtual

A_DAY = 500_000_000


@virtual
async def test_a_plan_counts_calls_polls_and_time(tmp_path: Path) -> None:
    """Three calls a window, a poll a minute while jobs run two at a time, and describe for leads."""
    world = build(tmp_path, leads=1, activities=1)
    found = await world.preparation(leads(150), activities(150))
    for plan in stream_plans(found, world.clock.now(), A_DAY):
        # Five of 31 days, and the last day alone.
        seconds = ceil(6 / 2) * 60.0 + 60.0
        describe = 1 if plan.stream == "leads" else 0

        assert (6, 0, seconds, None) == (plan.windows, plan.resumed, plan.seconds_estimate, plan.bytes_estimate)
        # Both kinds are watched for as long as there are windows of either.
        assert CALLS_PER_WINDOW * 6 + ceil(2 * seconds / 60.0) + describe == plan.calls
        assert (ORIGIN - 150 * DAY, UNTIL) == (plan.start, plan.end)


@virtual
async def test_a_plan_of_nothing_costs_no_call_for_windows(tmp_path: Path) -> None:
    """With nothing due, the plan stands at the cursor and spends describe alone."""
    world = build(tmp_path)
    await sync(world.parts(), [leads()])
    preparation = await world.preparation(leads(settle=2 * SETTLE))
    (found,), (plan,) = preparation.streams, stream_plans(preparation, world.clock.now(), A_DAY)

    assert (0, 0, 0.0, 1) == (plan.windows, plan.resumed, plan.seconds_estimate, plan.calls)
    assert (found.cursor, found.cursor) == (plan.start, plan.end)


@virtual
async def test_sizes_are_estimated_from_the_files_before(tmp_path: Path) -> None:
    """Bytes are those of earlier windows, by the time that they covered."""
    world = build(tmp_path, activities=20_000)
    await some_committed(world, activities())
    preparation = await world.preparation(activities(lookback=timedelta()))
    (plan,) = stream_plans(preparation, world.clock.now(), A_DAY)

    fetched = world.marketo.report()["file_bytes_total"]
    bytes_per_second = fetched / (40 * DAY - SETTLE).total_seconds()
    assert round(bytes_per_second * (plan.end - plan.start).total_seconds()) == plan.bytes_estimate


def stretch(number: int) -> Stretch:
    """The day so many days before the world began."""
    return Stretch(ORIGIN - (number + 1) * DAY, ORIGIN - number * DAY)


def job(number: int, group: str, *, state: str, priority: int = BACKFILL, size: int | None = None) -> Job:
    """The window of one day."""
    day = stretch(number)
    known = {"start": day.start.isoformat(), "end": day.end.isoformat(), "file_bytes": size}
    facts = {**known, "request": {"filter": "updatedAt"}}
    return Job(
        id=f"{group} {number}", instance="acme", kind=KIND, group=group, state=state, priority=priority, facts=facts
    )


def day_by_day(prepared: Prepared, *days: tuple[int, int], size: int | None, resumed: tuple[Job, ...] = ()) -> Prepared:
    """The stream with windows of these days and priorities, and a day that had a file of so many bytes."""
    name = prepared.shape.stream.name
    new = tuple(New(stretch(number), {"filter": "updatedAt"}, priority) for number, priority in days)
    return replace(prepared, new=new, resumed=resumed, jobs=(job(99, name, state=CLEANED, size=size), *resumed))


@pytest.fixture
def nothing(tmp_path: Path) -> Preparation:
    """Leads and activities of which nothing is due."""
    found: list[Preparation] = []

    @virtual
    async def prepare() -> None:
        found.append(await build(tmp_path).preparation(leads(0.0), activities(0.0)))

    prepare()
    return found[0]


@pytest.mark.parametrize(
    ("left", "waiting"),
    [(80, [0, 0]), (79, [1, 0]), (60, [0, 1]), (50, [1, 1]), (30, [3, 1]), (10, [3, 2]), (0, [4, 2])],
)
def test_what_does_not_fit_into_the_day_waits(nothing: Preparation, left: int, waiting: list[int]) -> None:
    """Megabytes go to the increments of all streams first, then to the newest that still fit."""
    people, acts = nothing.streams
    people = day_by_day(people, (0, INCREMENT), (1, BACKFILL), (2, BACKFILL), (3, BACKFILL), size=10)
    acts = day_by_day(acts, (0, INCREMENT), (2, BACKFILL), size=20)
    plans = stream_plans(Preparation([people, acts]), ORIGIN, left)
    assert waiting == [each.waiting for each in plans]


def test_what_is_measured_already_does_not_wait(nothing: Preparation) -> None:
    """A file that Marketo has made is paid for; a window of an earlier run without one is not."""
    people, _ = nothing.streams
    old = (
        job(1, "leads", state=PLANNED),
        job(2, "leads", state="DOWNLOADING", size=10),
    )
    people = day_by_day(people, (0, INCREMENT), size=10, resumed=old)
    (plan,) = stream_plans(Preparation([people]), ORIGIN, 10)
    assert (3, 2, 1) == (plan.windows, plan.resumed, plan.waiting)


def test_nothing_waits_while_no_size_is_known(nothing: Preparation) -> None:
    """Before the first file Marketo alone can say what the day cannot hold."""
    people, _ = nothing.streams
    (plan,) = stream_plans(Preparation([day_by_day(people, (0, BACKFILL), size=None)]), ORIGIN, 0)
    assert (0, None) == (plan.waiting, plan.bytes_estimate)


def test_a_stream_that_cannot_be_brought_costs_nothing_and_says_why() -> None:
    """A missing permission and a CRM that owns the objects stand in the plan, beside what will come."""
    found = Preparation(denied={"leads": PermissionDenied("denied")}, skipped={"companies": "a CRM owns them"})
    plans = stream_plans(found, ORIGIN, A_DAY)
    assert [("leads", 0, 0, ("denied",)), ("companies", 0, 0, ("a CRM owns them",))] == [
        (each.stream, each.windows, each.calls, each.notes) for each in plans
    ]

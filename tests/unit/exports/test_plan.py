"""What a run finds to do: out of the destination, the journal and the clock, and what it says that it will cost."""

from dataclasses import replace
from datetime import timedelta
from math import ceil
from pathlib import Path

import pytest

from syncengine.exports import window
from syncengine.exports.plan import CALLS_PER_WINDOW, Wanted, new_jobs, request_of, stream_plans
from syncengine.exports.slice import Stretch
from syncengine.exports.streams import STREAMS
from syncengine.exports.sync import sync
from syncengine.exports.window import stretch_of
from syncengine.jobs.job import Job
from syncengine.observe.events import StreamPlanned
from tests.unit.exports.world import DAY, FIELDS, INSTANCE, SETTLE, World, activities, build, leads
from tests.virtual import ORIGIN, virtual

UNTIL = ORIGIN - SETTLE


def stretches(jobs: list[Job]) -> list[Stretch]:
    return [Stretch(*stretch_of(job)) for job in jobs]


async def some_committed(world: World, *wanted: Wanted) -> None:
    """A first run, then a day without any."""
    await sync(world.parts(), wanted)
    await world.clock.sleep(DAY.total_seconds())


@virtual
async def test_a_first_run_takes_everything_from_the_start(tmp_path: Path) -> None:
    """With nothing held and nothing planned, the whole time is due, in windows of 31 days."""
    world = build(tmp_path)
    (found,) = await world.prepared(leads(40))

    start = ORIGIN - 40 * DAY
    assert (Stretch(start, start + 31 * DAY), Stretch(start + 31 * DAY, UNTIL)) == found.new
    assert (found.new, (), (), start, None) == (
        found.stretches,
        found.resumed,
        found.abandoned,
        found.cursor,
        found.bytes_per_second,
    )


@virtual
async def test_the_destination_says_where_a_stream_stands(tmp_path: Path) -> None:
    """A lost journal changes nothing: what the destination holds is not fetched again, but for the lookback."""
    world = build(tmp_path)
    await some_committed(world, leads())
    world.store._jobs.clear()
    (found,) = await world.prepared(leads())

    assert UNTIL == found.cursor
    assert (Stretch(UNTIL - DAY, world.clock.now() - SETTLE),) == found.new


@virtual
async def test_each_stream_has_its_own_cursor_and_reach(tmp_path: Path) -> None:
    """One stream's windows, settle delay and lookback are not another's."""
    world = build(tmp_path)
    await some_committed(world, leads())
    here, there = await world.prepared(leads(lookback=timedelta()), activities(3, settle=timedelta()))

    assert [Stretch(UNTIL, world.clock.now() - SETTLE)] == list(here.new)
    assert [Stretch(ORIGIN - 3 * DAY, world.clock.now())] == list(there.new)


@virtual
async def test_unfinished_windows_of_the_same_request_are_resumed(tmp_path: Path) -> None:
    """What an earlier run has planned is gone on with; only the time after it is new, with the lookback before it."""
    world = build(tmp_path)
    earlier = await world.planned(leads())
    await world.clock.sleep(1_800.5)
    (found,) = await world.prepared(leads())

    assert ([job.id for job in earlier], []) == ([job.id for job in found.resumed], list(found.abandoned))
    assert (Stretch(UNTIL - DAY, UNTIL + timedelta(minutes=30)),) == found.new
    assert [*stretches(earlier), *found.new] == list(found.stretches)


@virtual
@pytest.mark.parametrize("fields", [(), ("email",), ("email", "leadScore", "city")])
async def test_windows_of_other_fields_are_abandoned_and_planned_anew(tmp_path: Path, fields: tuple[str, ...]) -> None:
    """A file without the new column would leave it empty for good: the same time is asked for again."""
    world = build(tmp_path)
    earlier = await world.planned(leads())
    (found,) = await world.prepared(leads(fields=fields))

    assert ((), [job.id for job in earlier]) == (found.resumed, [job.id for job in found.abandoned])
    assert stretches(earlier) == list(found.new)
    assert not {job.id for job in earlier} & {job.id for job in new_jobs(found, INSTANCE, epoch=1, turn=0)}


@virtual
async def test_a_full_run_asks_for_everything_under_new_names(tmp_path: Path) -> None:
    """From the start on, in windows that no ledger has; what an earlier run left open is given up for them."""
    world = build(tmp_path)
    await some_committed(world, leads())
    left = await world.planned(leads(), epoch=2)
    (found,) = await world.prepared(replace(leads(), full=True))
    names = {job.facts["window"] for job in new_jobs(found, INSTANCE, epoch=3, turn=0)}

    start, end = ORIGIN - 40 * DAY, world.clock.now().replace(microsecond=0) - SETTLE
    assert (Stretch(start, start + 31 * DAY), Stretch(start + 31 * DAY, end)) == found.new
    assert [job.id for job in left] == [job.id for job in found.abandoned]
    assert set() == names & {job.facts["window"] for job in await world.store.jobs(INSTANCE)}


@virtual
async def test_a_full_run_that_was_cut_short_is_gone_on_with(tmp_path: Path) -> None:
    """The next usual run resumes its windows; it does not begin anew."""
    world = build(tmp_path)
    left = await world.planned(replace(leads(), full=True))
    (found,) = await world.prepared(leads())
    assert ([job.id for job in left], (), ()) == ([job.id for job in found.resumed], found.abandoned, found.new)


@virtual
async def test_changed_fields_are_told_once_there_are_rows_without_them(tmp_path: Path) -> None:
    """Rows that were read before lack a new column: the plan says so, and how to have it filled."""
    world = build(tmp_path)
    before = (await world.prepared(leads(fields=("city",))))[0].shape.notes
    await some_committed(world, leads())
    new, gone = (await world.prepared(leads(fields=("email", "city"))))[0].shape.notes[len(before) :]
    assert ("leads: new are city:", True) == (new[:20], "`syncengine sync --full leads`" in new)
    assert "leads: no longer read are leadScore: their columns stay as they are." == gone


@virtual
async def test_the_order_of_wanted_fields_changes_nothing(tmp_path: Path) -> None:
    """The request is in Marketo's order whatever the configuration's: nothing is abandoned."""
    world = build(tmp_path)
    await world.planned(leads())
    (found,) = await world.prepared(leads(fields=FIELDS[::-1]))
    assert (2, 0) == (len(found.resumed), len(found.abandoned))


@virtual
async def test_finished_and_foreign_windows_are_neither_resumed_nor_abandoned(tmp_path: Path) -> None:
    """Cleaned and abandoned windows, other streams' and other instances' are no affair of this run."""
    world = build(tmp_path)
    await some_committed(world, leads())
    for job in await world.planned(activities()):
        await world.store.plan([replace(job, instance="other", id="x", group="leads", seq=0)])
    (found,) = await world.prepared(leads())
    assert ((), ()) == (found.resumed, found.abandoned)


@virtual
async def test_describe_is_asked_only_where_fields_are_to_be_found(tmp_path: Path) -> None:
    """Leads cost one call however many streams there are; activities alone cost none."""
    world = build(tmp_path)
    await world.prepared(activities())
    assert 0 == world.calls("describe")
    await world.prepared(leads(), activities())
    assert 1 == world.calls("describe")


@virtual
@pytest.mark.parametrize("wanted", [leads(), activities()], ids=["leads", "activities"])
@pytest.mark.parametrize("ahead", [-3 * DAY, 3 * DAY], ids=["behind", "ahead"])
async def test_a_wrong_clock_on_this_machine_moves_no_window(tmp_path: Path, wanted: Wanted, ahead: timedelta) -> None:
    """Windows end by Marketo's clock: ours may be days off, and no window lies in Marketo's future."""
    world = build(tmp_path, machine_ahead=ahead)
    (found,) = await world.prepared(wanted)
    assert UNTIL == found.new[-1].end


@virtual
async def test_new_jobs_carry_what_their_steps_need(tmp_path: Path) -> None:
    """A job has the window, its id for the ledger, the request, the holder's epoch, and an id of its own."""
    world = build(tmp_path)
    (found,) = await world.prepared(leads())
    jobs = new_jobs(found, INSTANCE, epoch=7, turn=0)
    request = request_of(found.shape)

    assert [("leads", window.KIND, window.PLANNED, 7)] * 2 == [(j.group, j.kind, j.state, j.epoch) for j in jobs]
    assert list(found.new) == stretches(jobs)
    assert [request] * 2 == [job.facts["request"] for job in jobs]
    assert [f"{job.facts['window']}.7" for job in jobs] == [job.id for job in jobs]


@virtual
async def test_a_window_has_one_name_and_a_job_for_each_holder(tmp_path: Path) -> None:
    """What was asked for at one moment is the same window under any holder's job; another instance's is not."""
    world = build(tmp_path)
    (found,) = await world.prepared(leads())
    ours, later, others = (
        new_jobs(found, name, epoch=epoch, turn=0)[0] for name, epoch in ((INSTANCE, 1), (INSTANCE, 2), ("other", 1))
    )
    assert (ours.facts["window"], True) == (later.facts["window"], ours.id != later.id)
    assert ours.facts["window"] != others.facts["window"]


@virtual
async def test_the_same_time_asked_for_again_is_another_window(tmp_path: Path) -> None:
    """A lookback of months cuts whole windows again: the ledger must not take their rows for those that it has."""
    world, jobs = build(tmp_path), list[Job]()
    for _ in range(2):
        (found,) = await world.prepared(leads(lookback=60 * DAY))
        jobs.append(new_jobs(found, INSTANCE, epoch=1, turn=0)[0])
        await world.clock.sleep(3_600.0)
    assert (stretches(jobs[:1]), True) == (stretches(jobs[1:]), jobs[0].facts["window"] != jobs[1].facts["window"])


@virtual
async def test_older_windows_go_first_and_streams_take_turns(tmp_path: Path) -> None:
    """Among windows of the same time the streams stand in their order; no stream waits for all of another."""
    world = build(tmp_path)
    found = await world.prepared(leads(), activities())
    jobs = [job for turn in (1, 0) for job in new_jobs(found[turn], INSTANCE, epoch=1, turn=turn)]
    assert ["leads", "activities"] * 2 == [job.group for job in sorted(jobs, key=lambda job: job.place)]


@virtual
async def test_a_plan_counts_calls_polls_and_time(tmp_path: Path) -> None:
    """Three calls a window, a poll a minute while jobs run two at a time, and describe for leads."""
    world = build(tmp_path, leads=1, activities=1)
    found = await world.prepared(leads(150), activities(150))
    for plan in stream_plans(found, world.clock.now()):
        seconds = ceil(5 / 2) * 60.0 + 60.0
        describe = 1 if plan.stream == "leads" else 0

        assert (5, 0, seconds, None) == (plan.windows, plan.resumed, plan.seconds_estimate, plan.bytes_estimate)
        # Both kinds are watched for as long as there are windows of either.
        assert CALLS_PER_WINDOW * 5 + ceil(2 * seconds / 60.0) + describe == plan.calls
        assert (ORIGIN - 150 * DAY, UNTIL) == (plan.start, plan.end)


@virtual
async def test_a_plan_of_nothing_costs_no_call_for_windows(tmp_path: Path) -> None:
    """With nothing due, the plan stands at the cursor and spends describe alone."""
    world = build(tmp_path)
    await sync(world.parts(), [leads()])
    (found,) = await world.prepared(leads(settle=2 * SETTLE))
    (plan,) = stream_plans([found], world.clock.now())

    assert (0, 0, 0.0, 1) == (plan.windows, plan.resumed, plan.seconds_estimate, plan.calls)
    assert (found.cursor, found.cursor) == (plan.start, plan.end)


@virtual
async def test_sizes_are_estimated_from_the_files_before(tmp_path: Path) -> None:
    """Bytes are those of earlier windows, by the time that they covered."""
    world = build(tmp_path, activities=20_000)
    await some_committed(world, activities())
    (found,) = await world.prepared(activities(lookback=timedelta()))
    (plan,) = stream_plans([found], world.clock.now())

    fetched = world.marketo.report()["file_bytes_total"]
    bytes_per_second = fetched / (40 * DAY - SETTLE).total_seconds()
    assert round(bytes_per_second * (plan.end - plan.start).total_seconds()) == plan.bytes_estimate


@virtual
async def test_sync_does_what_plan_shows(tmp_path: Path) -> None:
    """Windows, those resumed among them, and their stretches are the same; the cost is the plan's but for the polls."""
    world = build(tmp_path, job_seconds=(10.0, 10.0))
    first, *_ = await world.planned(leads(100))
    await world.store.move(await world.stored(first), "intend")
    world.marketo.change(world.clock.now().timestamp(), add_leads=3)
    await world.clock.sleep(3_600.5)
    found = await world.prepared(leads(100), activities(100))
    plans = stream_plans(found, world.clock.now())
    before = world.client.calls_sent
    report = await sync(world.parts(), [leads(100), activities(100)])

    assert [(plan.stream, plan.windows, plan.resumed) for plan in plans] == [
        (told.stream, told.windows, told.resumed) for told in world.told(StreamPlanned)
    ]
    assert [plan.windows for plan in plans] == [stream.windows for stream in report.streams]
    for plan, each in zip(plans, found, strict=True):
        applied = [Stretch(held.start, held.end) for held in world.destination._windows(plan.stream)]
        assert list(each.stretches) == sorted(applied, key=lambda stretch: stretch.start)
    polls = sum(world.calls(f"{name}.export.list") for name in STREAMS)
    expected = CALLS_PER_WINDOW * sum(plan.windows for plan in plans) + 1
    assert expected == world.client.calls_sent - before - polls


@virtual
async def test_a_plan_writes_nothing(tmp_path: Path) -> None:
    """Looking twice finds the same, and neither journal nor Marketo has a job of it."""
    world = build(tmp_path)
    first = await world.prepared(leads(), activities())
    second = await world.prepared(leads(), activities())

    assert first == second
    assert ([], {}) == (await world.store.jobs(INSTANCE), world.marketo.report()["jobs_created"])

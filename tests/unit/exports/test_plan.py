"""What a run finds to do: out of the destination, the journal and the clock, and what it says that it will cost."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from syncengine.errors import ConfigError
from syncengine.exports import window
from syncengine.exports.cost import CALLS_PER_WINDOW, stream_plans
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.heirs import halves
from syncengine.exports.plan import Prepared, new_jobs
from syncengine.exports.slice import Stretch, pieces
from syncengine.exports.sync import sync
from syncengine.exports.window import request_of, stretch_of
from syncengine.jobs.job import Job
from syncengine.observe.events import StreamPlanned
from tests.unit.exports.world import DAY, FIELDS, INSTANCE, KINDS, SETTLE, World, activities, build, leads
from tests.virtual import ORIGIN, virtual

UNTIL = ORIGIN - SETTLE


def stretches(jobs: list[Job]) -> list[Stretch]:
    return [Stretch(*stretch_of(job)) for job in jobs]


def new(prepared: Prepared) -> list[Stretch]:
    return [each.stretch for each in prepared.new]


async def some_committed(world: World, *wanted: Wanted) -> None:
    """A first run, then a day without any."""
    await sync(world.parts(), wanted)
    await world.clock.sleep(DAY.total_seconds())


@virtual
async def test_a_first_run_takes_everything_from_the_start(tmp_path: Path) -> None:
    """With nothing held and nothing planned, the whole time is due, in windows of 31 days and a last one of a day."""
    world = build(tmp_path)
    (found,) = await world.prepared(leads(40))

    start = ORIGIN - 40 * DAY
    edges = (start, start + 31 * DAY, UNTIL - DAY, UNTIL)
    assert [Stretch(*each) for each in pairwise(edges)] == new(found)
    assert (tuple(new(found)), (), (), start, ()) == (
        found.stretches,
        found.resumed,
        found.abandoned,
        found.cursor,
        found.measured,
    )


@virtual
async def test_the_destination_says_where_a_stream_stands(tmp_path: Path) -> None:
    """A lost journal changes nothing: what the destination holds is not fetched again, but for the lookback."""
    world = build(tmp_path)
    await some_committed(world, leads())
    world.store._jobs.clear()
    (found,) = await world.prepared(leads())

    assert UNTIL == found.cursor
    assert [Stretch(UNTIL - DAY, world.clock.now() - SETTLE)] == new(found)


@virtual
async def test_each_stream_has_its_own_cursor_and_reach(tmp_path: Path) -> None:
    """One stream's windows, settle delay and lookback are not another's."""
    world = build(tmp_path)
    await some_committed(world, leads())
    here, there = await world.prepared(leads(lookback=timedelta()), activities(3, settle=timedelta()))

    assert [Stretch(UNTIL, world.clock.now() - SETTLE)] == new(here)
    assert [Stretch(ORIGIN - 3 * DAY, world.clock.now())] == new(there)


@virtual
async def test_unfinished_windows_of_the_same_request_are_resumed(tmp_path: Path) -> None:
    """What an earlier run has planned is gone on with; only the time after it is new, with the lookback before it."""
    world = build(tmp_path)
    earlier = await world.planned(leads())
    await world.clock.sleep(1_800.5)
    (found,) = await world.prepared(leads())

    assert ({job.id for job in earlier}, ()) == ({job.id for job in found.resumed}, found.abandoned)
    assert [Stretch(UNTIL - DAY, UNTIL + timedelta(minutes=30))] == new(found)
    assert [*stretches(earlier), *new(found)] == list(found.stretches)


@virtual
@pytest.mark.parametrize("fields", [("*",), ("email",), ("email", "leadScore", "city")])
async def test_windows_of_other_fields_are_abandoned_and_planned_anew(tmp_path: Path, fields: tuple[str, ...]) -> None:
    """A file without the new column would leave it empty for good: the same time is asked for again."""
    world = build(tmp_path)
    earlier = await world.planned(leads())
    (found,) = await world.prepared(leads(fields=fields))

    assert ((), {job.id for job in earlier}) == (found.resumed, {job.id for job in found.abandoned})
    assert stretches(earlier) == new(found)
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
    assert [Stretch(start, start + 31 * DAY), Stretch(start + 31 * DAY, end)] == new(found)
    assert {job.id for job in left} == {job.id for job in found.abandoned}
    assert set() == names & {job.facts["window"] for job in await world.store.jobs(INSTANCE)}


@virtual
async def test_a_full_run_that_was_cut_short_is_gone_on_with(tmp_path: Path) -> None:
    """The next usual run resumes its windows; it does not begin anew."""
    world = build(tmp_path)
    left = await world.planned(replace(leads(), full=True))
    (found,) = await world.prepared(leads())
    assert ({job.id for job in left}, (), ()) == ({job.id for job in found.resumed}, found.abandoned, found.new)


@virtual
async def test_changed_fields_are_told_once_there_are_rows_without_them(tmp_path: Path) -> None:
    """Rows that were read before lack a new column: the plan says so, and how to have it filled."""
    world = build(tmp_path)
    before = (await world.prepared(leads(fields=("city",))))[0].shape.notes
    await some_committed(world, leads())
    added, gone = (await world.prepared(leads(fields=("email", "city"))))[0].shape.notes[len(before) :]
    assert ("new are city:", True) == (added[:13], "`syncengine sync --full leads`" in added)
    assert "no longer read are leadScore: their columns stay as they are." == gone


@virtual
async def test_the_order_of_wanted_fields_changes_nothing(tmp_path: Path) -> None:
    """The request is in Marketo's order whatever the configuration's: nothing is abandoned."""
    world = build(tmp_path)
    await world.planned(leads())
    (found,) = await world.prepared(leads(fields=FIELDS[::-1]))
    assert (3, 0) == (len(found.resumed), len(found.abandoned))


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
    assert UNTIL == new(found)[-1].end


@virtual
async def test_new_jobs_carry_what_their_steps_need(tmp_path: Path) -> None:
    """A job has the window, its id for the ledger, the request, the holder's epoch, and an id of its own."""
    world = build(tmp_path)
    (found,) = await world.prepared(leads())
    jobs = new_jobs(found, INSTANCE, epoch=7, turn=0)
    request = request_of(found.shape, "updatedAt", "")

    assert [("leads", window.KIND, window.PLANNED, 7)] * 3 == [(j.group, j.kind, j.state, j.epoch) for j in jobs]
    assert new(found) == stretches(jobs)
    assert [request] * 3 == [job.facts["request"] for job in jobs]
    assert [f"{job.facts['window']}.7" for job in jobs] == [job.id for job in jobs]


@virtual
async def test_pieces_of_a_window_are_like_it(tmp_path: Path) -> None:
    """They ask for the same, stand where it stood, and the ledger tells them apart; late rows are late in them too."""
    world = build(tmp_path)
    await some_committed(world, activities())
    (found,) = await world.prepared(activities())
    (job,) = new_jobs(found, INSTANCE, epoch=2, turn=5)
    whole = Stretch(*stretch_of(job))
    cut = pieces(whole, 3)
    heirs = halves(job, cut)

    assert list(cut) == stretches(heirs)
    assert 4 == len({job.facts["window"], *(heir.facts["window"] for heir in heirs)})
    assert [{**job.facts, "window": 0, "start": 0, "end": 0}] * 3 == [
        {**heir.facts, "window": 0, "start": 0, "end": 0} for heir in heirs
    ]
    assert UNTIL.isoformat() == job.facts["late_before"]
    blank = replace(job, id="", facts={})
    assert [blank] * 3 == [replace(heir, id="", facts={}) for heir in heirs]


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
async def test_newer_windows_go_first_and_streams_take_turns(tmp_path: Path) -> None:
    """Among windows of the same time the streams stand in their order; no stream waits for all of another."""
    world = build(tmp_path)
    found = await world.prepared(leads(), activities())
    jobs = [job for turn in (1, 0) for job in new_jobs(found[turn], INSTANCE, epoch=1, turn=turn)]
    in_order = sorted(jobs, key=lambda job: job.place)
    assert ["leads", "activities"] * 3 == [job.group for job in in_order]
    assert sorted(stretches(jobs), key=lambda each: each.start, reverse=True) == stretches(in_order)


@virtual
async def test_sync_does_what_plan_shows(tmp_path: Path) -> None:
    """Windows, those resumed among them, and their stretches are the same; the cost is the plan's but for the polls."""
    world = build(tmp_path, job_seconds=(10.0, 10.0))
    first, *_ = await world.planned(leads(100))
    await world.store.move(await world.stored(first), "intend")
    world.marketo.change(world.clock.now().timestamp(), add_leads=3)
    await world.clock.sleep(3_600.5)
    found = await world.preparation(leads(100), activities(100))
    plans = stream_plans(found, world.clock.now(), 500_000_000)
    before = world.client.calls_sent
    report = await sync(world.parts(), [leads(100), activities(100)])

    assert [(plan.stream, plan.windows, plan.resumed) for plan in plans] == [
        (told.stream, told.windows, told.resumed) for told in world.told(StreamPlanned)
    ]
    assert [plan.windows for plan in plans] == [stream.windows for stream in report.streams]
    for plan, each in zip(plans, found.streams, strict=True):
        applied = [Stretch(held.start, held.end) for held in world.destination._windows(plan.stream)]
        assert Counter(each.stretches) == Counter(applied)
    polls = sum(world.calls(f"{name}.export.list") for name in KINDS)
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


@virtual
async def test_a_start_in_the_future_is_refused(tmp_path: Path) -> None:
    """Nothing would come, and a run that says done would hide it."""
    world = build(tmp_path)
    with pytest.raises(ConfigError) as caught:
        await world.prepared(leads(-1))
    (problem,) = caught.value.problems
    assert problem.startswith(
        "sync.start: 2026-03-03T08:00Z lies in the future; Marketo's clock says 2026-03-02T08:00Z"
    )


@virtual
@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(), True),
        (Choice(exclude=("attributes",)), True),
        (Choice(exclude=("activityTypeId",)), False),
        (Choice(exclude=("leadId",)), False),
        (Choice(hash=("leadId",)), False),
    ],
)
async def test_roles_are_sought_by_activities_that_say_whose_they_are(
    tmp_path: Path, choice: Choice, expected: bool
) -> None:
    """Where type or lead are hidden, changed leads alone tell which roles to ask for."""
    world = build(tmp_path)
    parts = replace(world.parts(), hash_key=b"k" * 32)
    await sync(parts, [leads(), replace(activities(), choice=choice)])
    roles = replace(leads(), name="opportunity_roles", choice=Choice())
    (found,) = await world.prepared(roles)
    assert [expected] == [each.facts["by_activities"] for each in found.new]

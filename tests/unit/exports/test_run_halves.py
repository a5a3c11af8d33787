"""Windows that are too much for Marketo, or for a day: cut before they are asked for, or halved when they fail."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncengine import errors
from syncengine.exports import window
from syncengine.exports.attempts import FAILURES_IN_A_ROW_MAX
from syncengine.exports.bring import PLACES
from syncengine.exports.due import INCREMENT
from syncengine.exports.fields import Choice
from syncengine.exports.slice import WINDOW_BYTES, Stretch, joined
from syncengine.exports.sync import sync
from syncengine.exports.window import part_of, stretch_of
from syncengine.jobs.board import Done, Failed
from syncengine.jobs.job import Job
from tests.unit.exports.world import DAY, INSTANCE, SETTLE, World, activities, build, fault, leads
from tests.virtual import ORIGIN, virtual

HOUR = timedelta(hours=1)


async def planned(world: World, days: float = 20) -> Job:
    (job,) = await world.planned(leads(days))
    return job


def whole(job: Job) -> Stretch:
    return Stretch(*stretch_of(job))


def cut_into(step: object) -> list[Stretch]:
    """The windows that take a window's place, oldest first."""
    assert isinstance(step, Done)
    return sorted((whole(heir) for heir in step.instead), key=lambda each: each.start)


@virtual
@pytest.mark.parametrize("status", ["Failed", "Canceled", "Cancelled"])
async def test_a_window_that_fails_twice_is_halved(tmp_path: Path, status: str) -> None:
    """Once it is made anew; then its halves come in its place, with Marketo's reason in the journal, and all rows."""
    world = build(tmp_path, fault("outcome", "/create.json", status=status, message="too large", times=2))
    job = await planned(world)
    first, *others = await world.windows().ends(job)
    left, right = cut_into(first)

    assert (whole(job),) == joined([left, right])
    assert abs((left.end - left.start) - (right.end - right.start)) <= timedelta(seconds=1)
    assert [window.CLEANED] * 2 == [end.job.state for end in others]
    stored = await world.stored(job)
    assert (window.ABANDONED, 2) == (stored.state, stored.attempt)
    assert "cut into 2 windows: " in stored.facts["problem"]
    assert (4, world.truth("leads", 20)) == (world.marketo.report()["jobs_created"]["leads"], world.held("leads"))


@virtual
@pytest.mark.parametrize("path", ["/create.json", "/enqueue.json"])
async def test_a_system_error_of_one_job_halves_its_window(tmp_path: Path, path: str) -> None:
    """611 for as long as a call is repeated: a smaller window may do, and does; the run goes on meanwhile."""
    world = build(tmp_path)
    job = await planned(world)
    world.marketo.set_faults([fault("error", path, code="611", message="System error")])
    state = window.CREATE_INTENT if path == "/create.json" else window.CREATED
    here = world.windows()
    step = await here.windows.step(await here.until(job, state))
    world.marketo.set_faults([])

    assert (whole(job),) == joined(cut_into(step))
    assert 2 == len(cut_into(step))
    assert isinstance(step, Done)
    for heir in step.instead:
        await here.until(heir, window.CLEANED)
    assert world.truth("leads", 20) == world.held("leads")


@virtual
async def test_other_errors_of_the_instance_halve_nothing(tmp_path: Path) -> None:
    """An instance that cannot answer at all is no matter of size: the run ends."""
    world = build(tmp_path, fault("error", "/create.json", code="713"))
    with pytest.raises(errors.Unavailable):
        await world.windows().ends(await planned(world))


@virtual
async def test_halving_stops_at_an_hour(tmp_path: Path) -> None:
    """What fails however small it is, fails; each second of it is left to the next run, in one window."""
    world = build(tmp_path, fault("outcome", "/create.json", status="Failed"))
    job = await planned(world, 0.25)
    ends = await world.windows().ends(job)
    failed = [whole(end.job) for end in ends if isinstance(end, Failed)]

    assert (whole(job),) == joined(failed)
    assert all(HOUR <= each.end - each.start < 2 * HOUR for each in failed)
    assert {whole(each) for each in await world.store.jobs(INSTANCE, unfinished_only=True)} == set(failed)


@virtual
async def test_a_stream_of_which_nothing_comes_is_given_up_for_the_run(tmp_path: Path) -> None:
    """Years that fail however they are asked for cost few calls, the other stream comes, and the next run has all."""
    world = build(tmp_path, fault("outcome", "/leads/export/create.json", status="Failed", message="no"))
    report = await sync(world.parts(), [leads(300), activities(300)])

    assert ("partial", ("CallRejected",)) == (report.outcome, report.errors)
    assert all(problem.startswith("leads from ") for problem in report.problems)
    assert world.truth("activities", 300) == world.held("activities")
    assert world.marketo.report()["jobs_created"]["leads"] <= FAILURES_IN_A_ROW_MAX + PLACES[window.AT_MARKETO]
    world.marketo.set_faults([])
    assert "done" == (await sync(world.parts(), [leads(300), activities(300)])).outcome
    assert world.truth("leads", 300) == world.held("leads")


@virtual
async def test_halves_are_gone_on_with_after_a_crash(tmp_path: Path) -> None:
    """The process dies with one half in the queue: the next run resumes both and asks for nothing else."""
    world = build(tmp_path, fault("outcome", "/create.json", status="Failed", times=2))
    here = world.windows()
    heirs = (await here.until_done(await planned(world))).instead
    await here.until(heirs[1], window.QUEUED)
    (found,) = await world.prepared(leads(20))

    assert ({heir.id for heir in heirs}, ()) == ({job.id for job in found.resumed}, found.abandoned)
    assert "done" == (await sync(world.parts(), [leads(20)])).outcome
    # Two that failed, the halves, and the minutes that have passed meanwhile.
    assert ({"leads": 5}, world.truth("leads", 20)) == (world.marketo.report()["jobs_created"], world.held("leads"))


@virtual
async def test_late_rows_are_late_in_halves_too(tmp_path: Path) -> None:
    """A window that looks back is halved like any other, and its halves know what was read before."""
    world = build(tmp_path)
    await sync(world.parts(), [activities()])
    await world.clock.sleep(DAY.total_seconds())
    world.marketo.set_faults([fault("outcome", "/create.json", status="Failed", times=2)])
    (job,) = await world.planned(activities(), epoch=2)
    heirs = (await world.windows().until_done(job)).instead
    assert [(ORIGIN - SETTLE).isoformat()] * 2 == [heir.facts["late_before"] for heir in heirs]
    assert [INCREMENT] * 2 == [heir.priority for heir in heirs]


@virtual
async def test_a_window_that_is_too_large_for_a_file_is_cut_before_it_is_asked_for(tmp_path: Path) -> None:
    """By what earlier windows of the stream have cost: nothing is spent to find out what is known."""
    world = build(tmp_path)
    job = await planned(world)
    bytes_of_an_hour = 2.5 * WINDOW_BYTES / ((20 * DAY - SETTLE) / HOUR)
    here = world.windows()
    here.megabytes.learn([measured(job, bytes_of_an_hour)])
    step = await here.windows.step(job)

    assert (3, (whole(job),)) == (len(cut_into(step)), joined(cut_into(step)))
    assert (window.ABANDONED, {}) == (step.job.state, world.marketo.report()["jobs_created"])
    assert "cut into 3 windows: too large for one file" == step.job.facts["problem"]


@virtual
async def test_a_window_that_is_a_little_too_large_stays_whole(tmp_path: Path) -> None:
    """One more job costs more than some megabytes in a file."""
    world = build(tmp_path)
    job = await planned(world)
    here = world.windows()
    here.megabytes.learn([measured(job, 1.4 * WINDOW_BYTES / ((20 * DAY - SETTLE) / HOUR))])
    assert window.CREATE_INTENT == (await here.windows.step(job)).job.state


@virtual
async def test_new_leads_without_the_filter_are_halved_too(tmp_path: Path) -> None:
    """Their reading of changed leads is done for all of the time: each half commits its own."""
    path = "/leads/export/create.json"
    # The first job that is asked for is refused, the next two fail.
    world = build(tmp_path, fault("outcome", path, status="Failed", times=3), updated_at_filter=False)
    report = await sync(world.parts(), [leads(20)])
    created = [each for each in await world.store.jobs(INSTANCE) if each.facts["request"]["filter"] == "createdAt"]
    states = sorted(each.state for each in created)

    assert ("done", [window.ABANDONED, window.CLEANED, window.CLEANED]) == (report.outcome, states)
    assert [Stretch(ORIGIN - 20 * DAY, ORIGIN - SETTLE)] == [
        Stretch(each.start, each.end)
        for each in world.destination.standing(INSTANCE, "leads").intervals
        if each.end > each.start
    ]


@virtual
async def test_a_filter_that_is_refused_once_is_not_asked_for_again(tmp_path: Path) -> None:
    """One call teaches it to the whole run, however many windows wait."""
    world = build(tmp_path, updated_at_filter=False)
    report = await sync(world.parts(), [leads(300)])
    created = world.marketo.report()["jobs_created"]["leads"]
    assert ("done", 11, 11 + 1) == (report.outcome, created, world.calls("leads.export.create"))


@virtual
async def test_a_group_of_programs_is_halved_by_its_programs(tmp_path: Path) -> None:
    """A program with too many members fails alone in the end; the others' come, and the time is not called complete."""
    world = build(tmp_path, programs=8, program_members=300)
    ids = list(range(4_001, 4_009))
    world.destination.rows["programs"] = {(each,): {"id": each} for each in ids}
    wanted = replace(leads(), name="program_members", choice=Choice())
    world.marketo.set_faults([fault("outcome", "/program/members/export/create.json", status="Failed", times=5)])
    report = await sync(world.parts(), [wanted])
    jobs = await world.store.jobs(INSTANCE)
    groups = sorted(part_of(each).program_ids for each in jobs if each.state == window.CLEANED)

    assert ("done", ids) == (report.outcome, [each for group in groups for each in group])
    assert len(groups) > 2
    assert [each.end for each in world.destination.standing(INSTANCE, "program_members").intervals] == [
        max(whole(each).end for each in jobs)
    ]


@virtual
async def test_half_of_the_last_group_does_not_stand_for_the_other(tmp_path: Path) -> None:
    """The group that stands for the time of all is halved, and one half fails: the time is not complete."""
    world = build(tmp_path, programs=10, program_members=300)
    world.destination.rows["programs"] = {(each,): {"id": each} for each in range(4_001, 4_011)}
    path = "/program/members/export/create.json"
    world.marketo.set_faults(
        [fault("outcome", path, status="Failed", times=2), fault("error", path, code="1003", nth=3)]
    )
    report = await sync(world.parts(), [replace(leads(), name="program_members", choice=Choice())])
    ends = world.destination.standing(INSTANCE, "program_members").intervals
    assert ("partial", []) == (report.outcome, [each for each in ends if each.end > each.start])


@virtual
async def test_a_time_is_not_complete_without_one_of_its_programs(tmp_path: Path) -> None:
    """What took a group's place failed: the next run asks for all members again, and misses none."""
    world = build(tmp_path, programs=12, program_members=300)
    world.destination.rows["programs"] = {(each,): {"id": each} for each in range(4_001, 4_013)}
    wanted = replace(leads(), name="program_members", choice=Choice())
    # Ten programs fail twice, then five of them for good.
    path = "/program/members/export/create.json"
    world.marketo.set_faults(
        [fault("outcome", path, status="Failed", times=2), fault("error", path, code="1003", nth=3)]
    )
    report = await sync(world.parts(), [wanted])
    ends = world.destination.standing(INSTANCE, "program_members").intervals

    assert ("partial", []) == (report.outcome, [each for each in ends if each.end > each.start])
    assert 5 == len({row["programId"] for row in world.destination.rows["program_members"].values()})
    world.marketo.set_faults([])
    assert "done" == (await sync(world.parts(), [wanted])).outcome
    assert 12 == len({row["programId"] for row in world.destination.rows["program_members"].values()})


@virtual
async def test_members_of_a_list_are_never_cut_by_time(tmp_path: Path) -> None:
    """Without a date each half would be the whole list."""
    world = build(tmp_path, fault("outcome", "/create.json", status="Failed"))
    wanted = replace(leads(), name="list_members", choice=Choice(), lists=(2001,))
    (job,) = await world.planned(wanted)
    (end,) = await world.windows().ends(job)
    assert (Failed, 3) == (type(end), world.marketo.report()["jobs_created"]["leads"])


def measured(job: Job, bytes_of_an_hour: float) -> Job:
    """An earlier window of an hour, whose file had so many bytes."""
    end = stretch_of(job)[0]
    facts = {**job.facts, "start": (end - HOUR).isoformat(), "end": end.isoformat(), "file_bytes": bytes_of_an_hour}
    return replace(job, id="earlier", facts=facts)

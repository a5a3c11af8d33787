"""Jobs are created, put into the queue, and all of a kind are watched with one call a minute."""

from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.errors import PermissionDenied, QuotaExhausted, Unavailable
from syncengine.exports import request
from syncengine.exports.request import STUCK_SECONDS, Watch
from syncengine.marketo.endpoints.exports import ACTIVITIES as KIND
from syncengine.marketo.endpoints.exports import LEADS
from syncengine.marketo.rows import ExportStatus
from tests.scripted import refused
from tests.unit.exports.listing import POLL_SECONDS, export_id, watching
from tests.unit.exports.world import INSTANCE, World, activities, build, fault
from tests.virtual import virtual, virtual_clock


async def created(world: World) -> str:
    planned = await world.store.jobs(INSTANCE) or await world.planned(activities(1))
    return await request.create(world.client, planned[0])


def status(world: World, job_id: str) -> str:
    """What Marketo would say of a job at this very second."""
    world.marketo.exports.advance(world.clock.now().timestamp())
    return world.marketo.exports.find(KIND.name, job_id).status_at(world.clock.now().timestamp())


@virtual
async def test_a_created_job_does_nothing_until_it_is_enqueued(tmp_path: Path) -> None:
    """An hour later it stands where it stood; in the queue it is worked on."""
    world = build(tmp_path)
    job_id = await created(world)
    await world.clock.sleep(3_600.0)
    assert "Created" == status(world, job_id)
    await request.enqueue(world.client, KIND, job_id)
    await world.clock.sleep(3_600.0)
    assert "Completed" == status(world, job_id)


@virtual
async def test_enqueueing_twice_is_fine(tmp_path: Path) -> None:
    """After a crash nobody knows whether the first call arrived: "already queued" is success, at once."""
    world = build(tmp_path)
    job_id = await created(world)
    await request.enqueue(world.client, KIND, job_id)
    began = world.now
    await request.enqueue(world.client, KIND, job_id)
    assert (2, {"1029": 1}) == (world.calls("activities.export.enqueue"), world.marketo.report()["codes"])
    assert pytest.approx(began, abs=1e-3) == world.now


@virtual
async def test_a_full_queue_is_told_at_once(tmp_path: Path) -> None:
    """The worker can do something else meanwhile: one call, no waiting."""
    world = build(tmp_path, jobs_queued=1)
    await request.enqueue(world.client, KIND, await created(world))
    job_id, began = await created(world), world.now
    with pytest.raises(Unavailable) as caught:
        await request.enqueue(world.client, KIND, job_id)
    assert ("1029", 2) == (caught.value.code, world.calls("activities.export.enqueue"))
    assert pytest.approx(began, abs=1e-3) == world.now


@virtual
@pytest.mark.parametrize("code", ["606", "615"])
async def test_a_rate_that_others_use_up_is_no_full_queue(tmp_path: Path, code: str) -> None:
    """606 and 615 pass in seconds: an enqueue waits through them like every other call."""
    world = build(tmp_path, fault("error", "/enqueue.json", code=code, nth=1))
    job_id = await created(world)
    await request.enqueue(world.client, KIND, job_id)
    assert "Processing" == status(world, job_id)


@virtual
async def test_a_spent_quota_is_told_with_its_end_and_not_asked_before(tmp_path: Path) -> None:
    """The day's megabytes are gone until the reset: until then jobs are refused here, without a call."""
    world = build(tmp_path, fault("error", "/enqueue.json", nth=1, code="1029", message="Export daily quota exceeded"))
    job_id, resume_at = await created(world), datetime(2026, 3, 3, 6, tzinfo=UTC)
    for _ in range(3):
        with pytest.raises(QuotaExhausted) as caught:
            await request.enqueue(world.client, KIND, job_id)
        assert (resume_at, "activities.export.enqueue") == (caught.value.resume_at, caught.value.call)
    with pytest.raises(QuotaExhausted, match="megabytes"):
        await created(world)
    assert (1, 1) == (world.calls("activities.export.enqueue"), world.calls("activities.export.create"))
    await world.clock.sleep((resume_at - world.clock.now()).total_seconds())
    await request.enqueue(world.client, KIND, job_id)
    assert "Processing" == status(world, job_id)


@virtual
async def test_a_job_is_taken_out_of_the_queue(tmp_path: Path) -> None:
    """Cancelled for good; one that Marketo does not know is fine."""
    world = build(tmp_path)
    job_id = await created(world)
    await request.enqueue(world.client, KIND, job_id)
    await request.cancel(world.client, KIND, job_id)
    await request.cancel(world.client, KIND, export_id(1))
    assert ("Cancelled", {"1013": 1}) == (status(world, job_id), world.marketo.report()["codes"])


@virtual
async def test_one_call_looks_at_all_jobs() -> None:
    """However many are watched, a poll is one call, and who has news is woken by the job's id."""
    here = await watching(virtual_clock())
    here.add(*range(1, 9))
    here.listing.statuses |= {export_id(2): "Completed", export_id(5): "Failed", export_id(9): "Completed"}
    await here.watch.poll()

    assert (["/bulk/v1/leads/export.json"], ["job 2", "job 5"]) == (here.asked, here.woken)
    assert {export_id(2): ExportStatus.COMPLETED, export_id(5): ExportStatus.FAILED} == {
        job_id: seen and seen.status for job_id, seen in here.watch.news.items()
    }
    assert [True, False, True] == [here.watch.watches(export_id(number)) for number in (1, 2, 3)]
    here.watch.drop(export_id(2))
    assert [export_id(5)] == list(here.watch.news)


@virtual
@pytest.mark.parametrize(
    ("stated", "status"),
    [
        ("Cancelled", ExportStatus.CANCELLED),
        ("Canceled", ExportStatus.CANCELLED),
        ("CANCELED", ExportStatus.CANCELLED),
        ("cancelled", ExportStatus.CANCELLED),
        ("Failed", ExportStatus.FAILED),
        ("completed", ExportStatus.COMPLETED),
    ],
)
async def test_an_end_is_an_end_however_it_is_spelt(stated: str, status: ExportStatus) -> None:
    """Adobe's pages write Canceled where its answers say Cancelled."""
    here = await watching(virtual_clock())
    here.add(1, status=stated)
    await here.watch.poll()
    seen = here.watch.news[export_id(1)]
    assert (status, ["job 1"]) == (seen and seen.status, here.woken)


@virtual
@pytest.mark.parametrize("stated", ["Created", "Queued", "Processing", "a word of tomorrow", ""])
async def test_a_job_under_way_is_no_news(stated: str) -> None:
    """Created is shown for up to a minute after the enqueue, and an unknown word is polled on."""
    here = await watching(virtual_clock())
    here.add(1, status=stated)
    await here.watch.poll()
    assert ({}, [], True) == (here.watch.news, here.woken, here.watch.watches(export_id(1)))


@virtual
async def test_a_fresh_job_is_looked_at_after_a_minute_and_an_older_one_at_once() -> None:
    """Nothing can be through before Marketo renews its status; what an earlier run queued may be through long ago."""
    for age_seconds, first in ((None, POLL_SECONDS), (0.0, 0.0), (3_600.0, 0.0)):
        here = await watching(virtual_clock())
        began = here.told.clock.monotonic()
        here.add(1, age_seconds=age_seconds)
        with here.told.clock.move_on_after(POLL_SECONDS + 5.0):
            await here.watch.run()
        assert pytest.approx(first, abs=0.5) == here.told.wire.sent_at[0] - began


@virtual
async def test_nothing_to_watch_is_nothing_to_ask() -> None:
    """Without jobs there are no calls, before the first one and after the last."""
    here = await watching(virtual_clock())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(here.watch.run)
        await here.told.clock.sleep(3_600.0)
        assert [] == here.asked
        here.add(1, status="Completed")
        await here.told.clock.sleep(3_600.0)
        tasks.cancel_scope.cancel()
    assert (1, 1, ["job 1"]) == (len(here.asked), here.watch.polls, here.woken)


@given(pauses=st.lists(st.floats(0.0, 150.0), min_size=1, max_size=12), age_seconds=st.sampled_from([None, 300.0]))
@settings(max_examples=40, deadline=None)
@virtual
async def test_polls_keep_their_distance_and_come_in_time(pauses: list[float], age_seconds: float | None) -> None:
    """Whenever jobs are added there is a minute between two polls, and not two as long as there is a job to watch."""
    here = await watching(virtual_clock())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(here.watch.run)
        for number, pause in enumerate(pauses):
            await here.told.clock.sleep(pause)
            here.add(number, age_seconds=age_seconds)
        await here.told.clock.sleep(300.0)
        tasks.cancel_scope.cancel()

    assert len(here.asked) >= 4
    assert POLL_SECONDS - 1e-3 <= min(here.gaps) <= max(here.gaps) <= POLL_SECONDS + 1.0


@virtual
async def test_two_processes_keep_the_distance_together() -> None:
    """Watches that share the instance's book take turns: one poll a minute for both."""
    here = await watching(virtual_clock())
    other = Watch(here.told.client, LEADS, POLL_SECONDS, here.woken.append)
    here.add(1, age_seconds=0.0)
    other.add("job 2", export_id(1), age_seconds=0.0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(here.watch.run)
        tasks.start_soon(other.run)
        await here.told.clock.sleep(601.0)
        tasks.cancel_scope.cancel()
    assert 10 <= len(here.asked) <= 11
    assert min(here.gaps) >= POLL_SECONDS - 1e-3
    assert min(here.watch.polls, other.polls) >= 4


@virtual
async def test_as_many_pages_as_it_takes() -> None:
    """Pages are read until each watched job was seen, in one poll; no page is read for jobs of others."""
    here = await watching(virtual_clock(), page_size=2)
    here.listing.statuses |= {export_id(number): "Completed" for number in range(1, 8)}
    here.add(2)
    await here.watch.poll()
    assert (1, ["job 2"]) == (len(here.asked), here.woken)
    here.add(1, 5)
    await here.watch.poll()
    assert (4, ["job 2", "job 1", "job 5"]) == (len(here.asked), here.woken)
    assert "/bulk/v1/leads/export.json?nextPageToken=4" == here.asked[-1]


@virtual
async def test_a_job_that_the_list_lacks_is_asked_for_by_its_id() -> None:
    """Missing once may be a hiccup; missing twice in a row it is looked for by name."""
    here = await watching(virtual_clock())
    here.add(1, status="Completed")
    here.listing.hidden.add(export_id(1))
    await here.watch.poll()
    assert [] == here.woken
    await here.watch.poll()
    assert (["job 1"], f"/bulk/v1/leads/export/{export_id(1)}/status.json") == (here.woken, here.asked[-1])


@virtual
async def test_a_job_that_is_back_in_the_list_was_never_missed() -> None:
    """Only misses in a row count, and each look by id begins a new count."""
    here = await watching(virtual_clock())
    here.add(1)
    for hidden in ([1], [], [1], [], [1], [1], [1], [1]):
        here.listing.hidden = {export_id(number) for number in hidden}
        await here.watch.poll()
    assert (2, True) == (sum("status" in each for each in here.asked), here.watch.watches(export_id(1)))


@virtual
async def test_a_job_that_marketo_no_longer_knows_is_news_of_nothing() -> None:
    """Neither listed nor found: its window is woken to start over, and it is watched no more."""
    here = await watching(virtual_clock())
    here.watch.add("job 1", export_id(1))
    await here.watch.poll()
    await here.watch.poll()
    assert ({export_id(1): None}, ["job 1"]) == (here.watch.news, here.woken)


@virtual
async def test_a_job_is_stuck_after_twelve_hours() -> None:
    """No job takes longer, restarts or not: from then on each poll wakes its window, until that drops it."""
    here = await watching(virtual_clock())
    here.add(1)
    await here.told.clock.sleep(STUCK_SECONDS - 60.0)
    await here.watch.poll()
    assert (False, []) == (here.watch.is_stuck(export_id(1)), here.woken)
    await here.told.clock.sleep(60.0)
    await here.watch.poll()
    await here.watch.poll()
    assert (True, ["job 1", "job 1"]) == (here.watch.is_stuck(export_id(1)), here.woken)
    here.watch.drop(export_id(1))
    await here.watch.poll()
    assert (False, 2) == (here.watch.is_stuck(export_id(1)), len(here.woken))
    here.add(1, age_seconds=STUCK_SECONDS + 1.0)
    assert here.watch.is_stuck(export_id(1))


@virtual
async def test_who_may_not_look_says_so_to_all() -> None:
    """Without the permission nothing will ever be seen: every window is woken to learn why, and nothing more asked."""
    here = await watching(virtual_clock())
    here.told.wire.steps = [refused("603")]
    here.add(1, 2, age_seconds=0.0)
    await here.watch.run()
    assert (PermissionDenied, ["job 1", "job 2"], 1) == (type(here.watch.failure), here.woken, len(here.asked))

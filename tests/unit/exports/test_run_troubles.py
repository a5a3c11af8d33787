"""What becomes of a window when its job fails, its file is wrong, the queue is full or the day's megabytes are gone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncengine import errors
from syncengine.exports import window
from syncengine.jobs.board import Go, Later
from syncengine.jobs.job import Job
from syncengine.observe.events import Paused
from tests.unit.exports.world import DAY, Stepping, World, build, fault, leads
from tests.virtual import virtual

FULL = {"code": "1029", "message": "Too many jobs (10) in queue"}
# So many that a window of less than two hours has some.
MANY = 20_000


async def one(world: World) -> Job:
    (job,) = await world.planned(leads(20))
    return job


async def short(world: World) -> Job:
    """A window that is too short to be halved."""
    (job,) = await world.planned(leads(2 / 24))
    return job


def jobs_created(world: World) -> int:
    return int(world.marketo.report()["jobs_created"].get("leads", 0))


def told(stepping: Stepping) -> tuple[str, ...]:
    """What the report of leads would say."""
    return stepping.landing.tallies["leads"].report("leads").problems


def is_whole(world: World, least: int = 10) -> bool:
    """The one window is committed with all its rows, once, and they are not too few to show anything."""
    (applied,) = world.destination.order
    made = list(world.marketo.exports._jobs.values())[-1]
    return applied.rows == made.records >= least


@virtual
@pytest.mark.parametrize(
    ("status", "word"), [("Failed", "Failed"), ("Cancelled", "Cancelled"), ("Canceled", "Cancelled")]
)
async def test_a_job_that_failed_is_created_anew(tmp_path: Path, status: str, word: str) -> None:
    """Failed, and cancelled in either spelling: another job is made, the window ends well, and the report says it."""
    world = build(tmp_path, fault("outcome", "/create.json", status=status, nth=1))
    here = world.windows()
    job = await here.until(await one(world), window.CLEANED)
    assert (2, 1, True) == (jobs_created(world), job.attempt, is_whole(world))
    assert (f"1 export job ended as {word}: asked for again",) == told(here)


@virtual
@pytest.mark.parametrize(("status", "reason"), [("Failed", "too large"), ("Canceled", "no reason given")])
async def test_a_job_is_created_three_times_at_most(tmp_path: Path, status: str, reason: str) -> None:
    """A window that cannot be halved is then left to the next run, planned, with Marketo's reason."""
    world = build(tmp_path, fault("outcome", "/create.json", status=status, message="too large"))
    here = world.windows()
    step = await here.failed(await short(world))
    stored = await world.stored(step.job)

    assert (3, 3, window.PLANNED) == (jobs_created(world), stored.attempt, stored.state)
    assert (errors.CallRejected, str(step.error)) == (type(step.error), stored.facts["problem"])
    assert reason in str(step.error)
    # The third is the run's problem, not one that was asked for again.
    word = "Failed" if status == "Failed" else "Cancelled"
    assert (f"2 export jobs ended as {word}: asked for again",) == told(here)


@virtual
async def test_each_run_has_three_creates_of_its_own(tmp_path: Path) -> None:
    """What was given up last night is tried again tonight."""
    world = build(tmp_path, fault("outcome", "/create.json", status="Failed", times=3), leads=MANY)
    given_up = (await world.windows().failed(await short(world))).job
    await world.windows().until(given_up, window.CLEANED)
    assert (4, True) == (jobs_created(world), is_whole(world, 1))


@virtual
@pytest.mark.parametrize("state", [window.CREATED, window.QUEUED])
async def test_a_job_that_marketo_has_forgotten_is_created_anew(tmp_path: Path, state: str) -> None:
    """A run that comes back after a month finds its job gone, and asks for the window once more."""
    world = build(tmp_path)
    job = await world.windows().until(await one(world), state)
    world.marketo.exports._jobs.clear()
    await world.clock.sleep((31 * DAY).total_seconds())
    here = world.windows()
    await here.until(job, window.CLEANED)
    assert 1 == sum("export job" in line for line in told(here))
    assert (2, True) == (jobs_created(world), is_whole(world))


@virtual
@pytest.mark.parametrize("state", [window.COMPLETED, window.DOWNLOADING])
async def test_a_file_that_has_expired_is_created_anew(tmp_path: Path, state: str) -> None:
    """Marketo keeps files for a week: after more than that the window's job is made again."""
    world = build(tmp_path)
    job = await world.windows().until(await one(world), state)
    await world.clock.sleep((8 * DAY).total_seconds())
    await world.windows().until(job, window.CLEANED)
    assert (2, True) == (jobs_created(world), is_whole(world))


@virtual
async def test_a_job_cancelled_by_somebody_before_it_was_enqueued_is_created_anew(tmp_path: Path) -> None:
    """A created job of ours can be cancelled in Marketo: its window must not hang on it for a month."""
    world = build(tmp_path)
    job = await world.windows().until(await one(world), window.CREATED)
    (made,) = world.marketo.exports._jobs.values()
    world.marketo.exports.cancel(made, world.clock.now().timestamp())
    step = await world.windows().windows.step(job)
    assert (Go, window.PLANNED) == (type(step), step.job.state)


@virtual
async def test_a_stuck_job_is_cancelled_and_created_anew(tmp_path: Path) -> None:
    """Twelve hours are more than any job takes: it is taken out of the queue, so that it costs nothing later."""
    world = build(tmp_path, fault("outcome", "/create.json", status="Completed", seconds=90_000.0, nth=1))
    here, job = world.windows(), await one(world)
    job = await here.until(job, window.QUEUED)
    await world.clock.sleep(43_260.0)
    step = await here.windows.step(job)

    assert (Go, window.PLANNED, 1) == (type(step), step.job.state, world.calls("leads.export.cancel"))
    await here.until(step.job, window.CLEANED)
    assert is_whole(world)


@virtual
async def test_a_full_queue_is_waited_for_longer_and_longer(tmp_path: Path) -> None:
    """A minute, two, four, and four from then on; the job stays created and holds no worker."""
    world = build(tmp_path, fault("error", "/enqueue.json", times=5, **FULL))
    job = await world.windows().until(await one(world), window.CREATED)
    steps = await world.windows().take(job, 6)

    assert [60.0, 120.0, 240.0, 240.0, 240.0] == [step.seconds for step in steps if isinstance(step, Later)]
    assert [job] * 5 == [step.job for step in steps[:5]]
    assert (window.QUEUED, 1, 5) == (steps[5].job.state, jobs_created(world), len(world.told(Paused)))


@virtual
async def test_a_file_that_is_not_there_yet_is_looked_at_again(tmp_path: Path) -> None:
    """Completed and 404 happens: three more looks, a minute apart, find it without another job."""
    world = build(tmp_path, fault("http", "/file.json", status=404, times=3))
    job = await world.windows().until(await one(world), window.DOWNLOADING)
    steps = await world.windows().take(job, 4)
    assert [60.0] * 3 == [step.seconds for step in steps if isinstance(step, Later)]
    assert (window.VERIFIED, 1) == (steps[3].job.state, jobs_created(world))


@virtual
async def test_a_file_that_does_not_come_is_created_anew(tmp_path: Path) -> None:
    """Four looks in vain, and the window starts over."""
    world = build(tmp_path, fault("http", "/file.json", status=404, times=4))
    here = world.windows()
    await here.until(await one(world), window.CLEANED)
    assert (2, 5, True) == (jobs_created(world), world.calls("leads.export.file"), is_whole(world))
    assert ("1 export job had no file: asked for again",) == told(here)


@virtual
async def test_each_job_gets_its_own_looks_at_its_file(tmp_path: Path) -> None:
    """That an earlier job's file never came says nothing of this one's, which costs megabytes of the day."""
    world = build(tmp_path, fault("http", "/file.json", status=404), leads=MANY)
    step = await world.windows().failed(await short(world))
    assert (errors.NotFound, 3, 12) == (type(step.error), jobs_created(world), world.calls("leads.export.file"))


@virtual
async def test_waiting_for_the_queue_uses_up_no_look_at_the_file(tmp_path: Path) -> None:
    """Two different waits: a window that stood before a full queue still looks for its file again."""
    world = build(
        tmp_path, fault("error", "/enqueue.json", times=3, **FULL), fault("http", "/file.json", status=404, nth=1)
    )
    await world.windows().until(await one(world), window.CLEANED)
    assert (1, True) == (jobs_created(world), is_whole(world))


@virtual
async def test_a_damaged_file_is_fetched_again_then_created_anew(tmp_path: Path) -> None:
    """One more download of the same file, then another job; nothing of the wrong bytes is applied."""
    world = build(tmp_path, fault("flip", "/file.json", bytes=100, times=2))
    here = world.windows()
    job = await here.until(await one(world), window.CLEANED)
    assert (2, 3, True) == (jobs_created(world), world.calls("leads.export.file"), is_whole(world))
    assert ("1 export job came with a damaged file: asked for again",) == told(here)
    assert 1 == (await world.history(job)).count("lost")


@virtual
async def test_a_file_that_stays_damaged_fails_its_window(tmp_path: Path) -> None:
    """Three jobs with two downloads each, then nothing is in the spool nor in the destination."""
    world = build(tmp_path, fault("flip", "/file.json", bytes=100), leads=MANY)
    step = await world.windows().failed(await short(world))
    assert (errors.FileDamaged, 3, 6) == (type(step.error), jobs_created(world), world.calls("leads.export.file"))
    assert ({}, [], window.PLANNED) == (world.destination.ledger, world.spooled(), step.job.state)


@virtual
@pytest.mark.parametrize("difference", [-1, 1])
async def test_another_count_of_records_commits_nothing(tmp_path: Path, difference: int) -> None:
    """The bytes are right and yet rows are missing, or too many: the window starts over."""
    world = build(tmp_path)
    job = await world.windows().until(await one(world), window.VERIFIED)
    wrong = replace(job, facts={**job.facts, "records": job.facts["records"] + difference})
    step = await world.windows().windows.step(wrong)
    assert (Go, window.PLANNED, {}, []) == (type(step), step.job.state, world.destination.ledger, world.spooled())


@virtual
async def test_a_file_without_a_size_is_not_downloaded(tmp_path: Path) -> None:
    """What cannot be checked is not taken: another job may state it."""
    world = build(tmp_path)
    job = await world.windows().until(await one(world), window.DOWNLOADING)
    step = await world.windows().windows.step(replace(job, facts={**job.facts, "file_bytes": None}))
    assert (window.PLANNED, 0) == (step.job.state, world.calls("leads.export.file"))


@virtual
async def test_a_file_without_a_hash_is_checked_by_size_and_records(tmp_path: Path) -> None:
    """A checksum of another algorithm is no reason to fail: it is told, and the ledger gets the hash of what came."""
    world = build(tmp_path)
    here, job = world.windows(), await one(world)
    job = await here.until(job, window.QUEUED)
    (made,) = world.marketo.exports._jobs.values()
    assert made.stored is not None
    announced, made.stored = made.stored.checksum, replace(made.stored, checksum="md5:00")
    await here.until(job, window.CLEANED)
    (held,) = world.destination.ledger.values()
    assert (announced, 1) == (f"sha256:{held.sha256}", here.landing.tallies["leads"].unverified)


@virtual
@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (fault("error", "/create.json", code="607"), errors.QuotaExhausted),
        (fault("error", "/create.json", code="713"), errors.Unavailable),
        (fault("error", "/file.json", code="607"), errors.QuotaExhausted),
        (fault("drop_before", "/file.json"), errors.Unavailable),
    ],
)
async def test_what_concerns_all_windows_ends_the_run(tmp_path: Path, trouble: Any, kind: type[Exception]) -> None:
    """No calls left, no line, or an instance that keeps failing: every other window would meet the same."""
    world = build(tmp_path, trouble)
    with pytest.raises(kind):
        await world.windows().until(await one(world), window.CLEANED)


@virtual
@pytest.mark.parametrize(
    ("path", "code", "kind"),
    [
        ("/create.json", "603", errors.PermissionDenied),
        ("/create.json", "1003", errors.CallRejected),
        ("/enqueue.json", "1003", errors.CallRejected),
        ("/file.json", "603", errors.PermissionDenied),
        ("/file.json", "713", errors.Unavailable),
    ],
)
async def test_what_concerns_one_window_fails_it_alone(
    tmp_path: Path, path: str, code: str, kind: type[errors.MarketoError]
) -> None:
    """A refusal of this very call: the window stands where it stood, for a run that may do better."""
    world = build(tmp_path, fault("error", path, code=code), leads=MANY)
    step = await world.windows().failed(await short(world))
    assert (kind, step.job) == (type(step.error), await world.stored(step.job))


@virtual
@pytest.mark.parametrize(
    "error",
    [errors.DestinationFenced("later"), errors.DestinationUnavailable("gone"), errors.NoSpace("full")],
    ids=lambda e: type(e).__name__,
)
async def test_a_destination_that_fails_ends_the_run_and_keeps_the_file(
    tmp_path: Path, error: errors.SyncEngineError
) -> None:
    """Nothing is lost: the verified file waits in the spool, and the next run begins with applying it."""
    world = build(tmp_path)
    job = await world.windows().until(await one(world), window.VERIFIED)
    world.destination.refuses = error
    with pytest.raises(type(error)):
        await world.windows().windows.step(job)
    assert (job, 1) == (await world.stored(job), len(world.spooled()))
    world.destination.refuses = None
    await world.windows().until(job, window.CLEANED)
    assert (1, True) == (world.calls("leads.export.file"), is_whole(world))

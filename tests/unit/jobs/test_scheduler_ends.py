"""How a run ends: by errors, failures, stops and cancels, in virtual time."""

import anyio
import pytest

from syncengine.errors import QuotaExhausted
from syncengine.jobs.board import Done, Failed, Go, Later, Step
from syncengine.jobs.job import Job
from syncengine.jobs.memory import MemoryJobStore
from tests.unit.jobs.acting import MOVES, job, over, scheduler
from tests.virtual import ORIGIN, virtual, virtual_clock

ERROR = RuntimeError("broken")


@virtual
async def test_an_error_ends_the_run_and_comes_out_bare() -> None:
    """What a handler raises is raised from the run, after the other steps were cancelled; the journal has the rest."""
    clock = virtual_clock()
    store = MemoryJobStore({"window": MOVES}, clock)
    cancelled: list[str] = []

    async def act(one: Job) -> Step:
        if one.id == "bad":
            await clock.sleep(5)
            raise QuotaExhausted("the day's calls are used up", resume_at=ORIGIN)
        sent = await store.move(one, "send")
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append(one.id)
        return Go(sent)

    jobs = await store.plan([job("a"), job("bad"), job("c"), job("d")])
    with pytest.raises(QuotaExhausted):
        await scheduler(act, clock).run(jobs)

    assert sorted(cancelled) == ["a", "c"]
    assert [(one.id, one.state) for one in await store.jobs("acme", unfinished_only=True)] == [
        ("a", "sent"),
        ("bad", "planned"),
        ("c", "sent"),
        ("d", "planned"),
    ]


@virtual
async def test_two_errors_at_once_are_both_told() -> None:
    """The first error is raised and carries a note of the one that came in the same moment."""
    clock = virtual_clock()

    async def act(one: Job) -> Step:
        with anyio.CancelScope(shield=True):
            await clock.sleep(1)
        raise RuntimeError(one.id)

    with pytest.raises(RuntimeError) as raised:
        await scheduler(act, clock, workers=2).run([job("a"), job("b")])
    assert raised.value.__notes__ == ["another job failed at the same time: RuntimeError('b')"]


@virtual
async def test_a_failed_job_fails_its_dependants_and_no_others() -> None:
    """An error of one job is returned, with what it takes along, and the rest of the run goes on."""

    async def act(one: Job) -> Step:
        return Failed(one, ERROR) if one.id == "a" else over(one)

    outcome = await scheduler(act, virtual_clock()).run([job("a"), job("b", after=("a",)), job("c")])
    assert [(failure.job.id, failure.because) for failure in outcome.failed] == [("a", ""), ("b", "a")]
    assert [one.id for one in outcome.done] == ["c"]


@virtual
async def test_a_stop_finishes_steps_and_leaves_the_rest() -> None:
    """After a stop the step under way ends, nothing new begins, and the outcome says what is left."""
    clock = virtual_clock()

    async def act(one: Job) -> Step:
        await clock.sleep(10)
        return over(one)

    made = scheduler(act, clock, workers=1)

    async def stop_soon() -> None:
        await clock.sleep(5)
        made.stop()

    async with anyio.create_task_group() as group:
        group.start_soon(stop_soon)
        outcome = await made.run([job("a"), job("b")])
    assert ([one.id for one in outcome.done], [one.id for one in outcome.left]) == (["a"], ["b"])
    assert [one.id for one in (await made.run([job("c")])).left] == ["c"]


@virtual
async def test_a_cancelled_run_can_be_taken_up_again() -> None:
    """Cancelled at any second, a run goes on from the journal, and each job is applied once."""
    clock = virtual_clock()
    store = MemoryJobStore({"window": MOVES}, clock)
    await store.plan([job(f"w{i}", place=i) for i in range(4)])
    applied: list[str] = []

    async def act(one: Job) -> Step:
        await clock.sleep(0.7)
        if one.state == "planned":
            return Later(await store.move(one, "send"), 1.1)
        if one.state == "sent":
            return Go(await store.move(one, "get"))
        done = await store.move(one, "apply")
        applied.append(one.id)
        return Done(done)

    runs = 0
    while left := await store.jobs("acme", unfinished_only=True):
        runs += 1
        with clock.move_on_after(1.0 + 0.3 * runs):
            await scheduler(act, clock, workers=2, vendor=2).run(left)
    assert runs > 2
    assert sorted(applied) == ["w0", "w1", "w2", "w3"]
    for one in await store.jobs("acme"):
        assert [line.event for line in await store.history("acme", one.id)] == ["plan", "send", "get", "apply"]


@virtual
async def test_jobs_that_cannot_go_are_refused_before_any_step() -> None:
    """A circle of dependencies is an error of the call, and the scheduler can be used again."""

    async def act(one: Job) -> Step:
        return over(one)

    made = scheduler(act, virtual_clock())
    with pytest.raises(ValueError, match="jobs wait for each other"):
        await made.run([job("a", after=("b",)), job("b", after=("a",))])

    assert len((await made.run([job("a", after=("z",))], done=["z"])).done) == 1


@virtual
async def test_one_run_at_a_time() -> None:
    """A second run on a scheduler that is running is refused, as is a job for one that is not."""

    async def act(one: Job) -> Step:
        with pytest.raises(RuntimeError, match="running already"):
            await made.run([])
        return over(one)

    made = scheduler(act, virtual_clock())
    await made.run([job("a")])
    with pytest.raises(RuntimeError, match="no run is under way"):
        made.submit([job("b")])
    made.wake("nobody")
    assert made.parked("poll") == ()

"""Workers, timers and wakes over the board, in virtual time."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio
import pytest

from syncengine.clock import Clock
from syncengine.errors import QuotaExhausted
from syncengine.jobs.board import Done, Failed, Go, Later, Step, Wait
from syncengine.jobs.job import Job, Moves
from syncengine.jobs.memory import MemoryJobStore
from syncengine.jobs.scheduler import Scheduler
from tests.virtual import ORIGIN, virtual, virtual_clock

MOVES = Moves(
    "planned",
    {("planned", "send"): "sent", ("sent", "get"): "got", ("got", "apply"): "over"},
    frozenset({"over"}),
)
LANES = {"planned": "vendor", "sent": "vendor", "got": "fetch"}
ERROR = RuntimeError("broken")

Act = Callable[[Job], Awaitable[Step]]


class Acting:
    """A handler whose steps are given by the test; its sent jobs stand at the vendor."""

    moves = MOVES

    def __init__(self, act: Act) -> None:
        self._act = act

    async def step(self, job: Job) -> Step:
        return await self._act(job)

    def lane(self, job: Job) -> str | None:
        return LANES.get(job.state)

    def stands(self, job: Job) -> bool:
        return job.state == "sent"


def job(job_id: str, **changes: Any) -> Job:
    return replace(Job(id=job_id, instance="acme", kind="window", state="planned"), **changes)


def scheduler(act: Act, clock: Clock, *, workers: int = 3, vendor: int = 9, fetch: int = 9) -> Scheduler:
    return Scheduler({"window": Acting(act)}, clock, workers=workers, lanes={"vendor": vendor, "fetch": fetch})


def over(one: Job) -> Done:
    return Done(replace(one, state="over", seq=one.seq + 1))


class Vendor:
    """Jobs that are sent, take an hour elsewhere, are found ready by a poll, and take minutes to fetch and apply."""

    def __init__(self, store: MemoryJobStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.there: dict[str, float] = {}
        self.most_there = 0
        self.log: list[str] = []

    async def step(self, one: Job) -> Step:
        if one.state == "planned":
            sent = await self.store.move(one, "send")
            self.there[one.id] = self.clock.monotonic()
            self.most_there = max(self.most_there, len(self.there))
            return Wait(sent, "poll")
        if one.state == "sent":
            if self.clock.monotonic() < self.there[one.id] + 3600:
                return Wait(one, "poll")
            del self.there[one.id]
            return Go(await self.store.move(one, "get"))
        await self.clock.sleep(1200)
        self.log.append(one.id)
        return Done(await self.store.move(one, "apply"))

    async def poll(self, made: Scheduler) -> None:
        while True:
            await self.clock.sleep(60)
            made.wake("poll")


@virtual
async def test_waiting_holds_no_worker_and_stages_overlap() -> None:
    """Three workers keep three jobs at the vendor while two earlier ones at a time are fetched."""
    clock = virtual_clock()
    store = MemoryJobStore({"window": MOVES}, clock)
    vendor = Vendor(store, clock)
    made = scheduler(vendor.step, clock, workers=3, vendor=3, fetch=2)
    jobs = await store.plan([job(f"w{i}", place=i) for i in range(9)])
    async with anyio.create_task_group() as group:
        group.start_soon(vendor.poll, made)
        outcome = await made.run(jobs)
        group.cancel_scope.cancel()
    seconds = (clock.now() - ORIGIN).total_seconds()

    assert (len(outcome.done), outcome.failed, outcome.left) == (9, (), ())
    assert vendor.most_there == 3
    assert sorted(vendor.log) == [f"w{i}" for i in range(9)]
    # The vendor is never idle for more than a poll: three hours there, and two rounds of fetching what came last.
    assert 3 * 3600 <= seconds <= 3 * (3600 + 60) + 2 * 1200


@virtual
async def test_a_run_without_jobs_ends_at_once() -> None:
    """Nothing to do is done."""

    async def act(one: Job) -> Step:
        raise AssertionError

    outcome = await scheduler(act, virtual_clock()).run([])
    assert (outcome.done, outcome.failed, outcome.left) == ((), (), ())


@virtual
async def test_no_more_steps_at_once_than_workers() -> None:
    """However many jobs are ready, only so many steps are under way."""
    clock = virtual_clock()
    now = most = 0

    async def act(one: Job) -> Step:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await clock.sleep(1)
        now -= 1
        return over(one)

    outcome = await scheduler(act, clock, workers=3).run([job(f"w{i}") for i in range(10)])
    assert (most, len(outcome.done)) == (3, 10)


@virtual
async def test_later_is_on_the_clock_and_holds_no_worker() -> None:
    """A job that comes back later does so after its seconds, while the only worker serves others."""
    clock = virtual_clock()
    log: list[tuple[str, float]] = []

    async def act(one: Job) -> Step:
        log.append((one.id, (clock.now() - ORIGIN).total_seconds()))
        if one.id == "slow" and one.attempt == 0:
            return Later(replace(one, attempt=1, seq=1), 30)
        return over(one)

    await scheduler(act, clock, workers=1).run([job("slow", priority=-1), job("quick")])
    assert log == [("slow", 0), ("quick", 0), ("slow", pytest.approx(30))]


@virtual
async def test_a_timer_that_was_overtaken_does_nothing() -> None:
    """A job woken before its time goes on at once, and its old timer does not disturb its next wait."""
    clock = virtual_clock()
    times: list[float] = []

    async def act(one: Job) -> Step:
        times.append((clock.now() - ORIGIN).total_seconds())
        if len(times) <= 2:
            return Later(one, 100)
        return over(one)

    made = scheduler(act, clock)
    async with anyio.create_task_group() as group:
        group.start_soon(made.run, [job("a")])
        await clock.sleep(40)
        made.wake("a")
    assert times == [0, pytest.approx(40), pytest.approx(140)]


@virtual
async def test_a_waker_passes_the_moved_job_along() -> None:
    """A job that its waker has moved is handed to the next step as moved."""
    clock = virtual_clock()
    store = MemoryJobStore({"window": MOVES}, clock)
    seen: list[tuple[str, Any]] = []

    async def act(one: Job) -> Step:
        seen.append((one.state, one.facts.get("size")))
        if one.state == "planned":
            return Wait(await store.move(one, "send"), "poll")
        return Done(await store.move(one, "apply"))

    made = scheduler(act, clock)

    async def poll() -> None:
        await clock.sleep(60)
        (waiting,) = made.parked("poll")
        made.wake(await store.move(waiting, "get", size=7))

    async with anyio.create_task_group() as group:
        group.start_soon(poll)
        outcome = await made.run(await store.plan([job("a")]))
    assert seen == [("planned", None), ("got", 7)]
    assert outcome.done == (await store.get("acme", "a"),)


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
async def test_jobs_may_be_added_by_a_step() -> None:
    """A step may submit further jobs, such as the halves of its own, and the run ends when all are done."""

    async def act(one: Job) -> Step:
        if one.id == "whole":
            made.submit([job("half1", after=("whole",)), job("half2", after=("half1",))])
        log.append(one.id)
        return over(one)

    log: list[str] = []
    made = scheduler(act, virtual_clock())
    outcome = await made.run([job("whole")])
    assert log == ["whole", "half1", "half2"]
    assert len(outcome.done) == 3


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

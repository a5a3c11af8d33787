"""Workers, timers and wakes over the board, in virtual time."""

from dataclasses import replace
from typing import Any

import anyio
import pytest

from syncengine.clock import Clock
from syncengine.jobs.board import Done, Go, Later, Step, Wait
from syncengine.jobs.job import Job
from syncengine.jobs.memory import MemoryJobStore
from syncengine.jobs.scheduler import Scheduler
from tests.unit.jobs.acting import MOVES, job, over, scheduler
from tests.virtual import ORIGIN, virtual, virtual_clock


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

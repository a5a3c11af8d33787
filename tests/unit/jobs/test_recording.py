"""Runs in the journal, however they end."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import anyio
import pytest

from syncengine.clock import Clock
from syncengine.errors import LeaseLost, QuotaExhausted
from syncengine.jobs.job import Run
from syncengine.jobs.memory import MemoryJobStore
from syncengine.jobs.recording import Recorded, recorded
from syncengine.observe.events import Event, RunEnded, RunStarted
from tests.virtual import ORIGIN, virtual, virtual_clock

DETAIL = {"folder": "assets"}


class SlowStore(MemoryJobStore):
    """A journal that takes a moment to close a run, as one on a disk does."""

    def __init__(self, clock: Clock) -> None:
        super().__init__({}, clock)
        self._slow = clock

    async def end_run(self, run: Run, outcome: str, report: Mapping[str, Any]) -> Run:
        await self._slow.sleep(0.1)
        return await super().end_run(run, outcome, report)


class Book:
    """A journal, and what is told of the runs that are written into it."""

    def __init__(self) -> None:
        self.clock: Clock = virtual_clock()
        self.store = SlowStore(self.clock)
        self.events: list[Event] = []

    async def run(self, work: Callable[[Recorded], object], seconds: float = 60.0) -> None:
        """One run that does something after a while."""
        async with recorded(
            self.store, self.clock, self.events.append, instance="acme", kind="assets pull", detail=DETAIL
        ) as entry:
            await self.clock.sleep(seconds)
            work(entry)

    @property
    def ended(self) -> tuple[str, int]:
        """What was told last, which is how the run ended: its outcome and its seconds."""
        (event,) = (each for each in self.events[1:] if isinstance(each, RunEnded))
        assert ("1", "assets pull") == (event.run_id, event.kind)
        return event.outcome, round(event.seconds)

    async def last(self) -> Run:
        """The last run, as the journal has it."""
        (run, *_) = await self.store.runs("acme", 1)
        return run


def fail(error: BaseException) -> Callable[[Recorded], object]:
    """Work that ends with an error."""

    def work(_: Recorded) -> None:
        raise error

    return work


def done(entry: Recorded) -> None:
    """Work that says how it ended."""
    entry.outcome, entry.report = "done", {"calls": 7}


@virtual
async def test_a_run_that_is_done_says_so() -> None:
    """With its report, and how long it took; it was there from its beginning."""
    book, seen = Book(), list[str | None]()
    async with anyio.create_task_group() as group:
        group.start_soon(book.run, done)
        await book.clock.sleep(30)
        run = await book.last()
        seen = [run.kind, run.outcome]
        assert DETAIL == run.detail
    assert ["assets pull", None] == seen
    run = await book.last()
    assert ("done", {"calls": 7}, ORIGIN + timedelta(seconds=60)) == (
        run.outcome,
        run.report,
        run.ended_at and run.ended_at.replace(microsecond=0),
    )
    assert RunStarted("1", "assets pull") == book.events[0]
    assert ("done", 60) == book.ended


@virtual
async def test_a_run_of_which_nobody_says_how_it_ended_has_failed() -> None:
    """Silence is no success."""
    book = Book()
    await book.run(lambda _: None)
    assert ("failed", {}) == ((run := await book.last()).outcome, run.report)


@virtual
async def test_a_run_that_raises_has_failed() -> None:
    """Also when it had said that it was done; the error goes on as it is."""
    book, error = Book(), ValueError("a bug")

    def work(entry: Recorded) -> None:
        done(entry)
        raise error

    with pytest.raises(ValueError, match="a bug") as raised:
        await book.run(work)
    assert error is raised.value
    assert ("failed", {"problem": "a bug"}) == ((run := await book.last()).outcome, run.report)
    assert ("failed", 60) == book.ended


@virtual
async def test_a_run_that_has_to_wait_for_calls_is_paused() -> None:
    """Until a moment that is written down."""
    book = Book()
    with pytest.raises(QuotaExhausted):
        await book.run(fail(QuotaExhausted("no calls left", resume_at=ORIGIN)))
    run = await book.last()
    assert ("paused", {"problem": "no calls left", "resume_at": ORIGIN.isoformat()}) == (run.outcome, run.report)


@virtual
async def test_a_run_that_is_cancelled_was_interrupted() -> None:
    """That is still written down, and the cancellation goes on."""
    book = Book()
    with book.clock.move_on_after(10) as scope:
        await book.run(done)
    assert scope.cancelled_caught
    run = await book.last()
    assert ("interrupted", {}) == (run.outcome, run.report)
    assert ("interrupted", 10) == book.ended


@virtual
async def test_a_run_that_another_process_has_closed_is_not_closed_again() -> None:
    """Its lease had passed on."""
    book = Book()

    async def take_over() -> None:
        await book.clock.sleep(30)
        await book.store.begin_run("acme", "assets pull", {})

    async with anyio.create_task_group() as group:
        group.start_soon(take_over)
        with pytest.raises(LeaseLost):
            await book.run(done)
    second, first = await book.store.runs("acme", 2)
    assert (None, "interrupted") == (second.outcome, first.outcome)

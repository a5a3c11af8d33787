"""The async queue: a fixed number of workers that carry out what the board decides.

Theory of operation
-------------------
Jobs are values in the store; a *handler* per kind advances a job by one step and says what is next. Between two steps a
job holds no worker, only perhaps its place in a lane. So a job that waits for somebody far away costs nothing, and a
handful of workers serve any number of jobs: while some are parked at the vendor, others are fetched and applied.

A step makes its moves in the store itself, effect by effect; the scheduler keeps nothing that a crash could lose. To
cancel `run` at any moment is therefore a normal way to end: what was in the middle of a step stands in the journal as
far as it came, and is found there by the next run. `stop` is the gentle way: steps under way are finished, no further
ones begun.

An error that a handler raises is the run's: the other workers are cancelled, and it is raised from `run`. An error of
one job is not raised but returned, as `Failed`.

Whoever parks a job on a key must see to it that the key is woken: a run whose jobs are all parked waits.
"""

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from syncengine.clock import Clock
from syncengine.jobs.board import Board, Kind, Later, Outcome, Step, Wait
from syncengine.jobs.job import Job


class Handler(Kind, Protocol):
    """What can be done with one kind of job."""

    async def step(self, job: Job) -> Step:
        """Take the job's next step; it may be cancelled at any await. What it raises ends the run."""
        ...


class Scheduler:
    """Runs the jobs of one instance to their ends.

    `lanes` gives the capacity of each lane that the handlers name. Put long steps into lanes, and give more workers
    than those lanes have places: then a short step, such as one that starts the vendor's next job, finds one at once.
    """

    def __init__(
        self, handlers: Mapping[str, Handler], clock: Clock, *, workers: int, lanes: Mapping[str, int] | None = None
    ) -> None:
        self._handlers = handlers
        self._clock = clock
        self._workers = workers
        self._lanes = lanes or {}
        self._timers = itertools.count()
        self._board: Board | None = None
        self._changed = anyio.Event()
        self._is_stopping = False

    async def run(self, jobs: Sequence[Job], *, done: Collection[str] = ()) -> Outcome:
        """Work until every job is done or failed, or a stop is carried out; raises what a handler raised.

        Raises ValueError for jobs that the board refuses, before anything is begun.
        """
        if self._board is not None:
            raise RuntimeError("the scheduler is running already")
        board = Board(self._handlers, self._lanes)
        board.add(jobs, done)
        self._board = board
        failures: list[Exception] = []
        try:
            async with anyio.create_task_group() as timers:
                async with anyio.create_task_group() as workers:
                    for _ in range(self._workers):
                        workers.start_soon(self._work, board, timers, failures)
                timers.cancel_scope.cancel()
        finally:
            self._board = None
        if failures:
            first, *others = failures
            for error in others:
                first.add_note(f"another job failed at the same time: {error!r}")
            raise first
        return board.outcome

    def submit(self, jobs: Sequence[Job], *, done: Collection[str] = ()) -> None:
        """Add jobs to the run under way; raises ValueError for jobs that the board refuses."""
        if self._board is None:
            raise RuntimeError("no run is under way")
        self._board.add(jobs, done)
        self._announce()

    def wake(self, what: str | Job) -> None:
        """Make the jobs that wait for a key, or the job with this id, ready for their next step.

        A job given as a value, as moved by the waker, replaces the one that its handler last returned. A wake for a job
        in the middle of a step is kept for its next wait. With no run under way there is nobody to wake.
        """
        if self._board is not None:
            self._board.wake(what)
            self._announce()

    def parked(self, key: str) -> tuple[Job, ...]:
        """The jobs that wait for `key` now."""
        return self._board.parked(key) if self._board else ()

    def stop(self) -> None:
        """Begin no further step, for good; `run` returns when those under way have ended."""
        self._is_stopping = True
        self._announce()

    async def _work(self, board: Board, timers: TaskGroup, failures: list[Exception]) -> None:
        while not (board.is_finished or self._is_stopping):
            job = board.next()
            if job is None:
                await self._changed.wait()
                continue
            try:
                step = await self._handlers[job.kind].step(job)
                self._settle(board, timers, step)
            except Exception as error:  # noqa: BLE001  # raised by `run`, when the other workers have ended
                failures.append(error)
                timers.cancel_scope.cancel()
                return

    def _settle(self, board: Board, timers: TaskGroup, step: Step) -> None:
        if isinstance(step, Later):
            key = f"timer {next(self._timers)}"
            board.settle(Wait(step.job, key, step.keeps_place))
            timers.start_soon(self._ring, key, step.seconds)
        else:
            board.settle(step)
        self._announce()

    async def _ring(self, key: str, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self.wake(key)

    def _announce(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


@dataclass(slots=True)
class Beside:
    """Jobs of another flow that go through the same queue, with what they need of the scheduler that runs them.

    `begun` is told of the scheduler before it runs. `outcome` is theirs alone, when it has run.
    """

    handlers: Mapping[str, Handler]
    lanes: Mapping[str, int]
    jobs: Sequence[Job]
    begun: Callable[[Scheduler], None]
    outcome: Outcome = field(default_factory=lambda: Outcome((), (), ()))

    def split(self, outcome: Outcome) -> Outcome:
        """Keep what became of these jobs, and give what became of the others."""
        mine = frozenset(self.handlers)
        self.outcome = Outcome(
            done=tuple(each for each in outcome.done if each.kind in mine),
            failed=tuple(each for each in outcome.failed if each.job.kind in mine),
            left=tuple(each for each in outcome.left if each.kind in mine),
        )
        return Outcome(
            done=tuple(each for each in outcome.done if each.kind not in mine),
            failed=tuple(each for each in outcome.failed if each.job.kind not in mine),
            left=tuple(each for each in outcome.left if each.kind not in mine),
        )

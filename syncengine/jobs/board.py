"""Which job goes next: the scheduler's decisions, as a plain object without a loop.

Theory of operation
-------------------
Each job on the board is in one place: *blocked* by jobs that must be done first, *ready*, *working* (a worker has it),
*parked* (it waits for somebody's word and holds no worker), or off the board as *done* or *failed*. `next` hands out
the best ready job, `settle` takes it back with what its step said, `wake` makes parked jobs ready.

Order: lower `priority` first; among equals the one that has come further, so that what was begun is finished before
more is begun; then `place`.

Lanes bound how many jobs are at once in a stretch of their states: at the vendor, say. `lane(job)` names the lane that
the job's next step belongs to. A job takes a place when its first step there is handed out, keeps it from step to
step, parked or not, and gives it back when its lane is another or none, or when its wait says so. Nothing is ever held
while waiting for a place elsewhere, so lanes cannot block each other. A job that `stands` in its lane since an earlier
run has its place from the start, even beyond the lane's capacity: new ones enter when the count has fallen.

A job that fails takes with it, in this run, the jobs that depend on it. In the journal those stay as they were.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Protocol

from syncengine.errors import IllegalMove
from syncengine.jobs.job import Job, Moves, newest


@dataclass(frozen=True, slots=True)
class Go:
    """The job is ready for its next step at once."""

    job: Job


@dataclass(frozen=True, slots=True)
class Wait:
    """The job is parked until somebody wakes `key`, or the job itself by its id; it may give its place back."""

    job: Job
    key: str
    keeps_place: bool = True


@dataclass(frozen=True, slots=True)
class Later:
    """The job is ready for its next step after `seconds`, or when somebody wakes it by its id before."""

    job: Job
    seconds: float
    keeps_place: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """The job has come to an end of its moves. `instead` take its place: what waited for it waits for them."""

    job: Job
    instead: tuple[Job, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The job cannot go on in this run. `because` names the job whose error this is, when it is not its own."""

    job: Job
    error: Exception
    because: str = ""


Step = Go | Wait | Later | Done | Failed


class Kind(Protocol):
    """What the board has to know of a kind of job; plain functions of the job alone."""

    @property
    def moves(self) -> Moves:
        """The table of moves of these jobs."""
        ...

    def lane(self, job: Job) -> str | None:
        """The lane that the job's next step belongs to; None for a step that is not bounded."""
        ...

    def stands(self, job: Job) -> bool:
        """Whether a job found in this state has its place in the lane already, from an earlier run."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the jobs of a run. `left` are those that a stop left for the next one."""

    done: tuple[Job, ...]
    failed: tuple[Failed, ...]
    left: tuple[Job, ...]


class Board:
    """The jobs of one run of one instance, and where each of them is."""

    def __init__(self, kinds: Mapping[str, Kind], lanes: Mapping[str, int]) -> None:
        self._kinds = kinds
        self._lanes = lanes
        self._serial = itertools.count()
        self._jobs: dict[str, Job] = {}  # the newest value of each job that is not done or failed
        self._blocked: dict[str, set[str]] = {}
        self._dependants: dict[str, list[str]] = {}
        self._ready: dict[str | None, list[tuple[int, int, int, int, str]]] = {}
        self._working: set[str] = set()
        self._woken: set[str] = set()  # jobs at work for which a wake came: their next wait is over already
        self._parked: dict[str, str] = {}
        self._held: dict[str, str] = {}
        self._places: Counter[str] = Counter()
        self._done: dict[str, Job] = {}
        self._failed: dict[str, Failed] = {}

    @property
    def is_finished(self) -> bool:
        """Whether every job is done or failed."""
        return not self._jobs

    @property
    def outcome(self) -> Outcome:
        """The board as it stands."""
        return Outcome(tuple(self._done.values()), tuple(self._failed.values()), tuple(self._jobs.values()))

    def in_lane(self, lane: str) -> int:
        """How many places of a lane are taken."""
        return self._places[lane]

    def parked(self, key: str) -> tuple[Job, ...]:
        """The jobs that wait for `key`."""
        return tuple(self._jobs[job_id] for job_id, awaited in self._parked.items() if awaited == key)

    def add(self, jobs: Sequence[Job], done: Collection[str] = ()) -> None:
        """Put jobs on the board, all or none. `done` are the ids of earlier runs' jobs that these may come after.

        Raises ValueError for a job that is here already, that no kind knows, that comes after a job which is neither
        here nor done, or that waits for itself over a circle of others.
        """
        self._check(jobs, frozenset(done))
        self._jobs.update({job.id: job for job in jobs})
        known = {*self._jobs, *self._failed}
        for job in jobs:
            if self._kinds[job.kind].stands(job) and (lane := self._lane(job)) is not None:
                self._hold(job.id, lane)
        for job in jobs:
            self._block(job.id, [earlier for earlier in job.after if earlier in known])
        for job in jobs:
            self._fail_with(job.id, job.after)

    def next(self) -> Job | None:
        """The job whose step is to be taken now, which a worker has from here on; None when none can go."""
        while (heap := self._best()) is not None:
            job = self._jobs[heapq.heappop(heap)[-1]]
            lane = self._wanted(job)
            if lane is not None and not self._has_place(lane):
                self._enqueue(job)  # somebody moved it on while it was ready: it belongs to another lane now
                continue
            if lane is not None:
                self._hold(job.id, lane)
            self._working.add(job.id)
            return job
        return None

    def settle(self, step: Go | Wait | Done | Failed) -> None:
        """Take a job back from its worker."""
        if step.job.id not in self._working:
            raise ValueError(f"job {step.job.id!r} is not at work")
        self._working.remove(step.job.id)
        is_woken = step.job.id in self._woken
        self._woken.discard(step.job.id)
        job = self._jobs[step.job.id] = newest(self._jobs[step.job.id], step.job)
        if isinstance(step, Done):
            if job.state not in self._kinds[job.kind].moves.final:
                raise IllegalMove(f"job {job.id!r} was called done in {job.state!r}, which is not an end")
            self.add(step.instead)
            self._finish(job, step.instead)
            return
        if isinstance(step, Failed):
            self._fail(Failed(job, step.error, step.because))
            return
        if self._held.get(job.id) != self._lane(job) or (isinstance(step, Wait) and not step.keeps_place):
            self._give_back(job.id)
        if isinstance(step, Wait) and not is_woken:
            self._parked[job.id] = step.key
        else:
            self._enqueue(job)

    def wake(self, what: str | Job) -> int:
        """Make the jobs that wait for a key, or the job with this id, ready; give their number.

        A job given as a value replaces an older one. A wake for a job at work is kept for its next wait.
        """
        key = what if isinstance(what, str) else what.id
        if isinstance(what, Job) and key in self._jobs:
            self._jobs[key] = newest(self._jobs[key], what)
        if key in self._working:
            self._woken.add(key)
        woken = [job_id for job_id, awaited in self._parked.items() if key in (awaited, job_id)]
        for job_id in woken:
            del self._parked[job_id]
            self._enqueue(self._jobs[job_id])
        return len(woken)

    def _check(self, jobs: Sequence[Job], done: frozenset[str]) -> None:
        settled = {*self._jobs, *self._done, *self._failed}
        known = {*settled, *done, *(job.id for job in jobs)}
        for job_id, times in Counter(job.id for job in jobs).items():
            if times > 1 or job_id in settled:
                raise ValueError(f"job {job_id!r} is on the board already")
        for job in jobs:
            if job.kind not in self._kinds:
                raise ValueError(f"nothing handles jobs of kind {job.kind!r} ({job.id!r})")
            if missing := sorted(set(job.after) - known):
                raise ValueError(f"job {job.id!r} comes after {missing[0]!r}, which is neither planned nor done")
            self._lane(job)
        # A circle can only close among the new ones: whatever is on the board came after jobs that were there.
        try:
            TopologicalSorter({job.id: job.after for job in jobs}).prepare()
        except CycleError as error:
            raise ValueError("jobs wait for each other: " + " before ".join(error.args[1])) from None

    def _lane(self, job: Job) -> str | None:
        lane = self._kinds[job.kind].lane(job)
        if lane is not None and self._lanes.get(lane, 0) < 1:
            raise ValueError(f"job {job.id!r} belongs to lane {lane!r}, which has no capacity")
        return lane

    def _wanted(self, job: Job) -> str | None:
        """The lane in which the job needs a place that it has not got."""
        lane = self._lane(job)
        return None if self._held.get(job.id) == lane else lane

    def _has_place(self, lane: str) -> bool:
        return self._places[lane] < self._lanes[lane]

    def _hold(self, job_id: str, lane: str) -> None:
        self._held[job_id] = lane
        self._places[lane] += 1

    def _give_back(self, job_id: str) -> None:
        lane = self._held.pop(job_id, None)
        if lane is not None:
            self._places[lane] -= 1

    def _best(self) -> list[tuple[int, int, int, int, str]] | None:
        """Of the ready jobs that may go, the heap with the first one on top."""
        open_heaps = (heap for lane, heap in self._ready.items() if heap and (lane is None or self._has_place(lane)))
        return min(open_heaps, key=lambda heap: heap[0], default=None)

    def _enqueue(self, job: Job) -> None:
        depth = self._kinds[job.kind].moves.depth(job.state)
        rank = (job.priority, -depth, job.place, next(self._serial), job.id)
        heapq.heappush(self._ready.setdefault(self._wanted(job), []), rank)

    def _block(self, job_id: str, earlier: Sequence[str]) -> None:
        """Let a job wait for more others, or make it ready when there is none left that it waits for."""
        for each in earlier:
            self._dependants.setdefault(each, []).append(job_id)
        self._blocked.setdefault(job_id, set()).update(earlier)
        if not self._blocked[job_id]:
            del self._blocked[job_id]
            self._enqueue(self._jobs[job_id])

    def _finish(self, job: Job, heirs: Sequence[Job]) -> None:
        self._give_back(job.id)
        self._done[job.id] = self._jobs.pop(job.id)
        in_its_place = [heir.id for heir in heirs]
        for later in self._dependants.pop(job.id, ()):
            if later in self._blocked:
                self._blocked[later].discard(job.id)
                self._block(later, in_its_place)
                self._fail_with(later, in_its_place)

    def _fail_with(self, job_id: str, earlier: Sequence[str]) -> None:
        reason = next((self._failed[each] for each in earlier if each in self._failed), None)
        if reason and job_id in self._jobs:
            self._fail(Failed(self._jobs[job_id], reason.error, reason.because or reason.job.id))

    def _fail(self, failure: Failed) -> None:
        """Take a job off the board, and with it all that wait for it, near or far."""
        because = failure.because or failure.job.id
        failures = [failure]
        while failures:
            one = failures.pop()
            self._give_back(one.job.id)
            self._blocked.pop(one.job.id, None)
            del self._jobs[one.job.id]
            self._failed[one.job.id] = one
            for later in self._dependants.pop(one.job.id, ()):
                if later in self._blocked and all(waiting.job.id != later for waiting in failures):
                    failures.append(Failed(self._jobs[later], failure.error, because))

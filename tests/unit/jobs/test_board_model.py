"""Which job goes next, against a model, through any life of the jobs."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from syncengine.jobs.board import Board, Done, Failed, Go, Wait
from syncengine.jobs.job import Job
from tests.unit.jobs.windows import ERROR, LANES, MOVES, Windows, forward, job


class BoardAgainstModel(RuleBasedStateMachine):
    """Drives a board through any life of its jobs and holds it to what it promises."""

    vendor = 2
    local = 1

    def __init__(self) -> None:
        super().__init__()
        self.board = Board({"window": Windows()}, {"vendor": self.vendor, "local": self.local})
        self.jobs: dict[str, Job] = {}  # as last known, of all jobs ever
        self.awaited: dict[str, set[str]] = {}
        self.ready: set[str] = set()
        self.working: set[str] = set()
        self.parked: dict[str, str] = {}
        self.done: set[str] = set()
        self.failed: set[str] = set()
        self.inside: dict[str, str] = {}  # job -> lane
        self.standing = 0  # the most that resumed jobs alone put into the vendor's lane

    @initialize(states=st.lists(st.sampled_from(["planned", "sent", "got"]), max_size=6))
    def resume(self, states: list[str]) -> None:
        self.add_jobs([job(f"old{i}", state=state) for i, state in enumerate(states)])
        self.standing = len(self.inside)

    @rule(data=st.data(), priority=st.integers(0, 2), place=st.integers(0, 3), count=st.integers(1, 3))
    def add(self, data: st.DataObject, priority: int, place: int, count: int) -> None:
        new: list[Job] = []
        for i in range(count):
            known = [*self.jobs, *(one.id for one in new)]
            after = data.draw(st.lists(st.sampled_from(known), max_size=2, unique=True)) if known else []
            new.append(job(f"j{len(self.jobs) + i}", priority=priority, place=place, after=tuple(after)))
        self.add_jobs(new)

    def add_jobs(self, new: list[Job]) -> None:
        self.board.add(new)
        self.note(new)
        self.spread()

    def note(self, new: list[Job]) -> None:
        for one in new:
            self.jobs[one.id] = one
            self.awaited[one.id] = set(one.after)
            if one.state == "sent":
                self.inside[one.id] = "vendor"

    def spread(self) -> None:
        """What becomes ready or fails by itself, near or far."""
        before = None
        while before != (before := len(self.ready) + len(self.failed)):
            for job_id in self.jobs.keys() - self.ready - self.working - self.done - self.failed - self.parked.keys():
                if self.failed & self.awaited[job_id]:
                    self.failed.add(job_id)
                elif self.done >= self.awaited[job_id]:
                    self.ready.add(job_id)

    def may_go(self, job_id: str) -> bool:
        lane = LANES.get(self.jobs[job_id].state)
        if lane is None or self.inside.get(job_id) == lane:
            return True
        taken = sum(1 for other in self.inside.values() if other == lane)
        return taken < {"vendor": self.vendor, "local": self.local}[lane]

    @rule()
    def take(self) -> None:
        able = [self.jobs[job_id] for job_id in self.ready if self.may_go(job_id)]
        taken = self.board.next()
        if not able:
            assert taken is None
            return
        assert taken is not None
        assert taken in able
        best = min((one.priority, -MOVES.depth(one.state), one.place) for one in able)
        assert best == (taken.priority, -MOVES.depth(taken.state), taken.place)
        self.ready.remove(taken.id)
        self.working.add(taken.id)
        if lane := LANES.get(taken.state):
            self.inside[taken.id] = lane

    @precondition(lambda self: self.working)
    @rule(
        data=st.data(),
        says=st.sampled_from(["go", "wait", "fail", "stay"]),
        key=st.sampled_from("kl"),
        heirs=st.integers(0, 2),
    )
    def settle(self, data: st.DataObject, says: str, key: str, heirs: int) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.working)))
        self.working.remove(job_id)
        if says == "fail":
            self.board.settle(Failed(self.jobs[job_id], ERROR))
            self.failed.add(job_id)
            self.inside.pop(job_id, None)
            self.spread()
            return
        now = self.jobs[job_id] = self.jobs[job_id] if says == "stay" else forward(self.jobs[job_id])
        if self.inside.get(job_id) != LANES.get(now.state):
            self.inside.pop(job_id, None)
        if now.state == "over":
            places = [f"j{len(self.jobs) + i}" for i in range(heirs)]
            new = [
                job(name, after=tuple(data.draw(st.lists(st.sampled_from([*self.done, *self.failed]), max_size=1))))
                if self.done or self.failed
                else job(name)
                for name in places
            ]
            self.board.settle(Done(now, tuple(new)))
            self.done.add(job_id)
            for awaited in self.awaited.values():
                awaited.update(places if job_id in awaited else ())
            self.note(new)
            self.spread()
        elif says == "wait":
            self.board.settle(Wait(now, key))
            self.parked[job_id] = key
        else:
            self.board.settle(Go(now))
            self.ready.add(job_id)

    @rule(key=st.sampled_from("kl"))
    def wake(self, key: str) -> None:
        woken = {job_id for job_id, awaited in self.parked.items() if awaited == key}
        assert len(woken) == self.board.wake(key)
        self.ready |= woken
        self.parked = {job_id: awaited for job_id, awaited in self.parked.items() if awaited != key}

    @invariant()
    def lanes_are_never_overfull(self) -> None:
        assert self.board.in_lane("local") <= self.local
        assert self.board.in_lane("vendor") <= max(self.vendor, self.standing)
        for lane in ("vendor", "local"):
            assert self.board.in_lane(lane) == sum(1 for other in self.inside.values() if other == lane)

    @invariant()
    def every_job_is_accounted_for(self) -> None:
        outcome = self.board.outcome
        assert self.done == {one.id for one in outcome.done}
        assert self.failed == {failure.job.id for failure in outcome.failed}
        assert set(self.jobs) - self.done - self.failed == {one.id for one in outcome.left}
        assert self.board.is_finished == (not outcome.left)


BoardAgainstModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBoardAgainstModel = BoardAgainstModel.TestCase
TestBoardAgainstModel.runTest.__doc__ = "A board keeps its promises through any life of its jobs."

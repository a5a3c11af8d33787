"""Which job goes next, by example and against a model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from syncengine.errors import IllegalMove
from syncengine.jobs.board import Board, Done, Failed, Go, Wait
from syncengine.jobs.job import Job, Moves

# planned -> sent -> ready -> over; one stretch at the vendor, one for a local resource
MOVES = Moves(
    "planned",
    {("planned", "send"): "sent", ("sent", "get"): "got", ("got", "apply"): "over", ("sent", "lose"): "planned"},
    frozenset({"over"}),
)
FOLLOWING = {"planned": "sent", "sent": "got", "got": "over"}
LANES = {"planned": "vendor", "sent": "vendor", "got": "local"}
ERROR = RuntimeError("broken")


class Windows:
    """A kind whose jobs stand at the vendor once they are sent."""

    moves = MOVES

    def lane(self, job: Job) -> str | None:
        return LANES.get(job.state)

    def stands(self, job: Job) -> bool:
        return job.state == "sent"


def job(job_id: str, **changes: Any) -> Job:
    return replace(Job(id=job_id, instance="acme", kind="window", state="planned", seq=1), **changes)


def forward(one: Job) -> Job:
    return replace(one, state=FOLLOWING[one.state], seq=one.seq + 1)


def board(*jobs: Job, vendor: int = 9, local: int = 9, done: Sequence[str] = ()) -> Board:
    made = Board({"window": Windows()}, {"vendor": vendor, "local": local})
    made.add(jobs, done)
    return made


def drain(made: Board) -> list[str]:
    taken = []
    while one := made.next():
        taken.append(one.id)
    return taken


def test_order_is_priority_progress_place() -> None:
    """Lower priority first, then what has come further, then place, then arrival."""
    made = board(
        job("e", place=2),
        job("d", place=1),
        job("f", place=2),
        job("c", state="sent", place=9),
        job("b", state="got", place=10),
        job("a", priority=-1, place=99),
    )

    assert drain(made) == ["a", "b", "c", "d", "e", "f"]


def test_a_full_lane_lets_others_pass() -> None:
    """Jobs that need no place, or have one, go on while a lane is full."""
    made = board(job("a"), job("b"), job("c", state="got", place=9), vendor=1)

    assert drain(made) == ["c", "a"]


def test_a_place_is_kept_while_parked_and_given_back_on_leaving() -> None:
    """A job keeps its place from step to step, waiting included, until its state is of another lane."""
    made = board(job("a"), job("b"), vendor=1)
    first = made.next()
    assert first is not None
    sent = forward(first)
    made.settle(Wait(sent, "poll"))
    assert made.next() is None

    made.wake("poll")
    again = made.next()
    assert sent == again
    made.settle(Go(forward(sent)))
    assert drain(made) == ["a", "b"]


def test_jobs_at_the_vendor_count_before_new_ones() -> None:
    """A job resumed at the vendor has its place from the start, whatever the priority of new ones."""
    made = board(job("new", priority=-5), job("old", state="sent", priority=9), vendor=1)

    assert drain(made) == ["old"]


def test_more_jobs_at_the_vendor_than_places_all_go_on() -> None:
    """When more stand in a lane than it allows now, all are served, and new ones enter only below its capacity."""
    made = board(job("a", state="sent"), job("b", state="sent"), job("new"), vendor=1)
    assert (drain(made), made.in_lane("vendor")) == (["a", "b"], 2)

    made.settle(Go(job("a", state="got", seq=2)))
    assert drain(made) == ["a"]
    made.settle(Go(job("b", state="got", seq=2)))
    assert drain(made) == ["b", "new"]


def test_a_local_lane_is_entered_anew_after_a_restart() -> None:
    """Jobs found before a stretch in which they do not stand share its places like any others."""
    made = board(job("a", state="got"), job("b", state="got"), local=1)

    assert drain(made) == ["a"]


def test_a_job_waits_for_all_that_it_comes_after() -> None:
    """A job is ready when the last of those before it is done, and not when an earlier run's is missing."""
    made = board(job("c", after=("a", "b", "z")), job("a", state="got"), job("b", state="got"), done=["z"])
    assert drain(made) == ["a", "b"]
    made.settle(Done(job("a", state="over", seq=3)))
    assert drain(made) == []
    made.settle(Done(job("b", state="over", seq=3)))

    assert drain(made) == ["c"]


def test_a_failure_takes_its_dependants_along() -> None:
    """All that wait for a failed job, near or far, fail with its error and name it; others go on."""
    made = board(job("a"), job("b", after=("a",)), job("c", after=("a",)), job("d", after=("b", "c")), job("e"))
    made.next()
    made.settle(Failed(job("a"), ERROR))
    made.add([job("f", after=("d",))])

    assert {f.job.id: f.because for f in made.outcome.failed} == {"a": "", "b": "a", "c": "a", "d": "a", "f": "a"}
    assert {ERROR} == {failure.error for failure in made.outcome.failed}
    assert drain(made) == ["e"]


def test_a_failed_job_gives_its_place_back() -> None:
    """A lane is not clogged by jobs that failed in it."""
    made = board(job("a"), job("b"), vendor=1)
    made.next()
    made.settle(Failed(job("a"), ERROR))

    assert drain(made) == ["b"]


def test_a_wake_in_the_middle_of_a_step_is_kept() -> None:
    """A job that is woken while at work does not park at the end of the step."""
    made = board(job("a"))
    made.next()
    made.wake("a")
    made.settle(Wait(job("a"), "poll"))

    assert (made.parked("poll"), drain(made)) == ((), ["a"])


def test_a_waker_brings_the_newer_value() -> None:
    """Of the handler's value of a job and the waker's, the one with more moves is handed out."""
    sent, got = job("a", state="sent", seq=2), job("a", state="got", seq=3)
    made = board(job("a"), job("b"))
    drain(made)
    made.settle(Wait(sent, "poll"))
    assert (sent,) == made.parked("poll")
    made.wake(got)
    made.wake(job("b", state="sent", seq=2))
    made.settle(Wait(job("b", seq=1), "poll"))

    assert [got, job("b", state="sent", seq=2)] == [made.next(), made.next()]


def test_a_job_moved_while_ready_enters_its_new_lane() -> None:
    """A job that somebody moves on while it waits for its turn is handed out under its new lane's bound."""
    made = board(job("a", state="got"), job("b"), local=1)
    assert made.next() == job("a", state="got")
    made.wake(job("b", state="got", seq=3))

    assert (made.next(), made.in_lane("vendor")) == (None, 0)


@pytest.mark.parametrize(
    ("jobs", "problem"),
    [
        ([job("a", after=("b",)), job("b", after=("c",)), job("c", after=("a",))], "jobs wait for each other: "),
        ([job("a", after=("a",))], "jobs wait for each other: a before a"),
        ([job("a", after=("ghost",))], "'a' comes after 'ghost', which is neither planned nor done"),
        ([job("a"), job("a")], "'a' is on the board already"),
        ([job("there")], "'there' is on the board already"),
        ([job("a", kind="chunk")], "nothing handles jobs of kind 'chunk'"),
    ],
)
def test_jobs_that_could_never_go_are_refused(jobs: list[Job], problem: str) -> None:
    """A mistake in a plan is refused whole, before anything of it is begun."""
    made = board(job("there"))
    with pytest.raises(ValueError, match=problem):
        made.add([job("fine"), *jobs])

    assert drain(made) == ["there"]


def test_a_lane_without_places_is_refused() -> None:
    """A job whose lane lets nobody in would wait for ever."""
    with pytest.raises(ValueError, match="lane 'vendor', which has no capacity"):
        board(job("a"), vendor=0)


def test_done_means_the_end_of_the_table() -> None:
    """A handler that calls a job done before its end has a fault, which must not pass silently."""
    made = board(job("a"))
    made.next()
    with pytest.raises(IllegalMove, match="called done in 'sent'"):
        made.settle(Done(job("a", state="sent", seq=2)))


def test_only_a_job_at_work_is_settled() -> None:
    """A step's result that belongs to no worker is a fault."""
    with pytest.raises(ValueError, match="'a' is not at work"):
        board(job("a")).settle(Go(job("a")))


class BoardAgainstModel(RuleBasedStateMachine):
    """Drives a board through any life of its jobs and holds it to what it promises."""

    vendor = 2
    local = 1

    def __init__(self) -> None:
        super().__init__()
        self.board = Board({"window": Windows()}, {"vendor": self.vendor, "local": self.local})
        self.jobs: dict[str, Job] = {}  # as last known, of all jobs ever
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
        for one in new:
            self.jobs[one.id] = one
            if one.state == "sent":
                self.inside[one.id] = "vendor"
        self.spread()

    def spread(self) -> None:
        """What becomes ready or fails by itself."""
        for one in self.jobs.values():  # dependencies come before their dependants here
            if one.id in self.ready | self.working | self.done | self.failed | set(self.parked):
                continue
            if self.failed & set(one.after):
                self.failed.add(one.id)
            elif self.done >= set(one.after):
                self.ready.add(one.id)

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
    @rule(data=st.data(), says=st.sampled_from(["go", "wait", "fail", "stay"]), key=st.sampled_from("kl"))
    def settle(self, data: st.DataObject, says: str, key: str) -> None:
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
            self.board.settle(Done(now))
            self.done.add(job_id)
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

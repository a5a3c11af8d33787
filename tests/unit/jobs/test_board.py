"""Which job goes next, by example."""

from collections.abc import Sequence

import pytest

from syncengine.errors import IllegalMove
from syncengine.jobs.board import Board, Done, Failed, Go, Wait
from syncengine.jobs.job import Job
from tests.unit.jobs.windows import ERROR, Windows, forward, job


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


def test_a_place_can_be_given_back_while_waiting() -> None:
    """Another job takes it; the one that waits queues for a place like a new one."""
    made = board(job("a"), job("b"), vendor=1)
    first = made.next()
    assert first is not None
    made.settle(Wait(first, "poll", keeps_place=False))
    other = made.next()
    assert (job("b"), 1) == (other, made.in_lane("vendor"))
    made.wake("poll")
    assert made.next() is None

    assert other is not None
    made.settle(Go(forward(forward(other))))
    assert ["b", "a"] == drain(made)


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


def test_jobs_that_take_the_place_of_another_go_on() -> None:
    """A job that is done may leave others in its place, and the board is not finished before they are."""
    made = board(job("whole", state="got"))
    whole = made.next()
    assert whole is not None
    made.settle(Done(forward(whole), (job("half 1"), job("half 2"))))

    assert not made.is_finished
    assert drain(made) == ["half 1", "half 2"]


def test_what_waits_for_a_job_waits_for_those_in_its_place() -> None:
    """Until the last of them is done, however often one is replaced in its turn."""
    made = board(job("a", state="got"), job("after", after=("a",), priority=-1))
    half, other = job("half", state="got"), job("other", state="got", place=1)
    settle_next(made, instead=(half, other))
    settle_next(made, instead=(job("quarter", state="got"),))
    assert ["quarter", "other", "after"] == drain_to_end(made)


def test_what_waits_for_a_job_fails_with_those_in_its_place() -> None:
    """One that could not be brought is as if the job itself could not."""
    made = board(job("a", state="got"), job("after", after=("a",)))
    settle_next(made, instead=(job("half", state="got"), job("other", state="got", place=1)))
    half = made.next()
    assert half is not None
    made.settle(Failed(half, ERROR))
    assert {"half": "", "after": "half"} == {each.job.id: each.because for each in made.outcome.failed}


def settle_next(made: Board, instead: tuple[Job, ...] = ()) -> str:
    """Take the next job to its end, with these in its place."""
    taken = made.next()
    assert taken is not None
    while taken.state != "over":
        taken = forward(taken)
    made.settle(Done(taken, instead))
    return taken.id


def drain_to_end(made: Board) -> list[str]:
    """Every job to its end, one at a time."""
    done = []
    while not made.is_finished:
        done.append(settle_next(made))
    return done

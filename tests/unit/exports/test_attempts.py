"""What comes after a failure: the same again, its halves, or the next run."""

from syncengine.errors import CallRejected
from syncengine.exports.attempts import CREATES_MAX, FAILURES_BEFORE_HALVING, FAILURES_IN_A_ROW_MAX, After, Attempts
from syncengine.exports.window import KIND, PLANNED
from syncengine.jobs.job import Job

ERROR = CallRejected("too large")


def job(name: str = "w", stream: str = "leads") -> Job:
    return Job(id=name, instance="acme", kind=KIND, state=PLANNED, group=stream)


def failures(attempts: Attempts, count: int, *, can_be_cut: bool, of: Job | None = None) -> list[After]:
    """What comes after each of so many attempts in a row."""
    found = []
    for _ in range(count):
        attempts.begin(of or job())
        found.append(attempts.failed(of or job(), ERROR, can_be_cut=can_be_cut))
    return found


def test_a_window_is_tried_again_before_it_is_halved() -> None:
    """The first failure may be chance; at the second, half of it is asked for."""
    assert [After.AGAIN] * (FAILURES_BEFORE_HALVING - 1) + [After.HALVES] == failures(
        Attempts(), FAILURES_BEFORE_HALVING, can_be_cut=True
    )


def test_a_window_that_cannot_be_cut_is_tried_three_times() -> None:
    """Then it waits for the next run."""
    assert [After.AGAIN] * (CREATES_MAX - 1) + [After.GIVE_UP] == failures(Attempts(), CREATES_MAX, can_be_cut=False)


def test_what_is_too_much_is_halved_at_once() -> None:
    """Where a call was repeated for as long as calls are, nobody repeats it once more."""
    attempts = Attempts()
    attempts.begin(job())
    attempts.is_too_much(job())
    assert After.HALVES is attempts.failed(job(), ERROR, can_be_cut=True)


def test_each_window_has_attempts_of_its_own() -> None:
    """That another one failed says nothing of this one."""
    attempts = Attempts()
    failures(attempts, 1, can_be_cut=True)
    assert [After.AGAIN] == failures(attempts, 1, can_be_cut=True, of=job("v"))


def test_a_stream_of_which_nothing_comes_is_given_up() -> None:
    """So many failures in a row are not of size: nothing more is asked for, and the other streams go on."""
    attempts = Attempts()
    for number in range(FAILURES_IN_A_ROW_MAX):
        assert {} == attempts.given_up
        failures(attempts, 1, can_be_cut=True, of=job(f"w{number}"))
    assert {"leads": ERROR} == attempts.given_up
    assert [After.AGAIN] == failures(attempts, 1, can_be_cut=True, of=job("v", "activities"))


def test_a_window_that_comes_keeps_its_stream_going() -> None:
    """Failures count from the last success on."""
    attempts = Attempts()
    for number in range(2 * FAILURES_IN_A_ROW_MAX):
        failures(attempts, 1, can_be_cut=True, of=job(f"w{number}"))
        if number % 2:
            attempts.succeeded(job(f"w{number}"))
    assert {} == attempts.given_up

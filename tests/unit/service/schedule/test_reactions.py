"""What follows an attempt at a night: whatever went wrong, it is tried again with care, or settled."""

import inspect
import itertools
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine import errors
from syncengine.asset_reports import AssetsReport
from syncengine.asset_reports import Outcome as ReportOutcome
from syncengine.errors import CallRejected, ConfigError, QuotaExhausted, SyncEngineError
from syncengine.reports import StreamReport, SyncReport
from syncengine.service.schedule.reactions import (
    BACK_OFF_MAX,
    FOR_GOOD,
    PARTIAL_PAUSE,
    PARTIAL_TRIES,
    PASSING,
    SPREAD,
    Again,
    Attempt,
    Settle,
    after,
    attempt_failed,
    attempt_of,
    back_off,
    place_of,
    together,
)

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
CLASSES = sorted(
    name for name, each in vars(errors).items() if inspect.isclass(each) and issubclass(each, SyncEngineError)
)
DRAWN = st.floats(0, 1, exclude_max=True)
TRIES = st.integers(1, 10_000)
OUTCOMES = st.sampled_from(["failed", "partial", "paused", "done"])
ATTEMPTS = st.builds(
    Attempt,
    OUTCOMES,
    st.lists(st.sampled_from([*CLASSES, "ZeroDivisionError"]), max_size=4).map(tuple),
    st.lists(st.sampled_from(["one thing", "another"]), max_size=2).map(tuple),
    st.just(()),
    st.none() | st.datetimes(NOW.replace(tzinfo=None, day=1), timezones=st.just(UTC)),
)


def raised(error: Exception) -> Exception:
    """The error with the traceback of one that was raised."""

    def fails() -> None:
        raise error

    try:
        fails()
    except Exception as caught:  # noqa: BLE001  # whatever it is
        return caught
    return error


@given(TRIES, DRAWN)
def test_a_back_off_has_a_floor_and_a_ceiling(tries: int, drawn: float) -> None:
    """Never less than forty seconds, never more than half an hour."""
    assert timedelta(seconds=40) <= back_off(tries, drawn) <= BACK_OFF_MAX


@given(TRIES, DRAWN)
def test_a_back_off_only_grows(tries: int, drawn: float) -> None:
    """After one more try in vain nobody waits less."""
    assert back_off(tries, drawn) <= back_off(tries + 1, drawn)


def test_a_back_off_doubles() -> None:
    """One minute, two, four, up to half an hour; what is drawn takes up to a third of it."""
    minutes = [back_off(tries, 0.0) / timedelta(minutes=1) for tries in range(1, 8)]
    assert [1, 2, 4, 8, 16, 30, 30] == minutes
    assert timedelta(minutes=20) == back_off(6, 1.0)


@given(ATTEMPTS, TRIES, DRAWN)
def test_something_always_follows(attempt: Attempt, tries: int, drawn: float) -> None:
    """A whole night is settled; of all others none is tried again later than its ceiling or its reset."""
    match after(attempt, tries, NOW, drawn):
        case Settle(outcome):
            assert attempt.outcome == outcome
        case Again(at, state, reason):
            assert "done" != attempt.outcome
            latest = [NOW + BACK_OFF_MAX, NOW + PARTIAL_PAUSE * 3 ** (PARTIAL_TRIES - 1)]
            if attempt.resume_at is not None:
                latest.append(max(NOW, attempt.resume_at) + SPREAD)
            assert NOW <= at <= max(latest)
            assert state in {"backing off", "parked"}
            assert reason


@given(ATTEMPTS, TRIES, DRAWN)
def test_nothing_is_tried_again_at_once(attempt: Attempt, tries: int, drawn: float) -> None:
    """What has no reset to wait for waits for forty seconds at least."""
    follows = after(attempt, tries, NOW, drawn)
    if isinstance(follows, Again) and attempt.resume_at is None:
        assert follows.at - NOW >= timedelta(seconds=40)


@given(st.integers(1, 100), DRAWN)
def test_a_quota_is_waited_for_up_to_its_reset(tries: int, drawn: float) -> None:
    """Not a second earlier, and not all in the same second; however often it was tried before."""
    reset = NOW + timedelta(hours=3)
    attempt = attempt_failed(QuotaExhausted("used up", resume_at=reset))
    follows = after(attempt, tries, NOW, drawn)
    assert Again(reset + SPREAD * drawn, "parked", "used up") == follows
    assert "paused" == attempt.outcome


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_has_a_reaction(name: str) -> None:
    """What passes is never given up, what only a person can mend is not tried again, all else a few times."""
    if name == "QuotaExhausted":
        return  # it has a reset of its own
    many = [after(Attempt("failed", (name,), ("why",)), tries, NOW, 0.5) for tries in (1, PARTIAL_TRIES, 500)]
    kinds = [type(each) for each in many]
    if name in PASSING:
        assert [Again] * 3 == kinds
    elif name in FOR_GOOD:
        assert [Settle] * 3 == kinds
    else:
        assert [Again, Again, Settle] == kinds


def test_the_named_classes_are_those_of_the_engine() -> None:
    """A class that is renamed would lose its reaction in silence."""
    assert {"RowsRejected", "FileFailed"} >= (PASSING | FOR_GOOD) - set(CLASSES)
    assert set() == PASSING & FOR_GOOD


@pytest.mark.parametrize("name", ["Unavailable", "DestinationUnavailable", "NoSpace", "AlreadyRunning", "LeaseLost"])
def test_what_passes_by_itself_or_by_a_hand_is_never_given_up(name: str) -> None:
    """Marketo, the warehouse or the disk come back, and another process comes to its end."""
    assert isinstance(after(Attempt("failed", (name,), ("why",)), 10_000, NOW, 0.5), Again)


@pytest.mark.parametrize("name", ["PermissionDenied", "ConfigError"])
def test_what_only_a_person_can_mend_is_told_at_once(name: str) -> None:
    """The night is over; the next one finds it mended or not."""
    assert Settle("failed") == after(Attempt("failed", (name,), ("why",)), 1, NOW, 0.5)


def test_rejected_credentials_park_a_night() -> None:
    """Somebody has to come, so it is tried less often from the start, and never given up."""
    for tries in (1, 50):
        follows = after(Attempt("failed", ("CredentialsRejected",), ("refused",)), tries, NOW, 0.0)
        assert Again(NOW + back_off(tries + 2, 0.0), "parked", "refused") == follows


def test_credentials_come_before_an_outage() -> None:
    """Of several troubles the one that needs a person is told."""
    follows = after(Attempt("failed", ("Unavailable", "CredentialsRejected"), ("refused",)), 1, NOW, 0.0)
    assert isinstance(follows, Again)
    assert "parked" == follows.state


def test_what_a_role_may_not_is_not_tried_again_but_what_stands_beside_it_is() -> None:
    """Only where nothing else went wrong the night is over."""
    assert Settle("partial") == after(Attempt("partial", ("PermissionDenied",), ("no",)), 1, NOW, 0.0)
    follows = after(Attempt("partial", ("PermissionDenied", "Unavailable"), ("no", "away")), 1, NOW, 0.0)
    assert Again(NOW + timedelta(minutes=1), "backing off", "no") == follows


def test_a_part_that_fails_for_its_own_reasons_is_tried_four_times() -> None:
    """After five minutes, a quarter and three quarters of an hour more; then the night is what it is."""
    attempt = Attempt("partial", ("CallRejected",), ("no such field",))
    pauses = []
    for tries in itertools.count(1):
        follows = after(attempt, tries, NOW, 0.9)
        if isinstance(follows, Settle):
            assert "partial" == follows.outcome
            break
        pauses.append((follows.at - NOW) / timedelta(minutes=1))
    assert [5, 15, 45] == pauses


def test_an_attempt_without_a_word_has_a_reason_all_the_same() -> None:
    """The page never shows an empty sentence."""
    follows = after(Attempt("partial"), 1, NOW, 0.0)
    assert isinstance(follows, Again)
    assert "it did not say why" == follows.reason


def test_an_error_of_ours_speaks_for_itself() -> None:
    """Its message first, then what it lists, and its advice."""
    error = ConfigError("2 problems", problems=("a is wrong", "b is wrong"), advice="Mend them.")
    expected = Attempt("failed", ("ConfigError",), ("2 problems", "a is wrong", "b is wrong"), ("Mend them.",))
    assert expected == attempt_failed(error)
    assert () == attempt_failed(CallRejected("no")).advice


def test_a_foreign_error_says_nothing_of_what_it_choked_on() -> None:
    """A bug is told by its class and its place: its message may quote a row."""
    attempt = attempt_failed(raised(ValueError("ada@example.com is no number")))
    (problem,) = attempt.problems
    assert ("failed", ("ValueError",)) == (attempt.outcome, attempt.errors)
    assert "ada@" not in problem
    assert problem.startswith("a bug: ValueError at test_reactions.py:")
    assert problem.endswith("(fails)")


def test_an_error_that_was_never_raised_has_no_place() -> None:
    """It is told all the same."""
    assert "an unknown place" == place_of(ValueError())


def sync_report(outcome: ReportOutcome, **facts: object) -> SyncReport:
    return SyncReport("7", outcome, NOW, NOW, 0.0, 0, **{"streams": (), **facts})  # type: ignore[arg-type]  # as named


def stream_report(name: str, rejected: int, *problems: str) -> StreamReport:
    return StreamReport(name, 1, 1, 0, 0, 0, 0, 0, rejected=rejected, problems=problems)


def test_a_report_of_a_sync_says_what_is_missing() -> None:
    """Its own problems, those of streams with rejected rows, and those of assets; notes of good streams are none."""
    assets = AssetsReport("tree", "partial", 0, {}, 0.0, (), (), problems=("forms: refused",))
    report = sync_report(
        "partial",
        streams=(stream_report("leads", 2, "2 rows were rejected"), stream_report("programs", 0, "a note")),
        problems=("lists: away",),
        errors=("Unavailable",),
        advice=("Wait.",),
        resume_at=NOW,
        assets=assets,
    )
    expected = Attempt(
        "partial",
        ("Unavailable", "RowsRejected"),
        ("lists: away", "2 rows were rejected", "forms: refused"),
        ("Wait.",),
        NOW,
    )
    assert expected == attempt_of(report)


def test_a_report_of_a_pull_has_no_reset() -> None:
    """Assets have no megabytes of the day to wait for."""
    report = AssetsReport("tree", "partial", 0, {}, 0.0, (), (), problems=("x",), errors=("NotFound",), advice=("y",))
    assert Attempt("partial", ("NotFound",), ("x",), ("y",)) == attempt_of(report)


@pytest.mark.parametrize("outcome", get_args(ReportOutcome))
def test_every_outcome_of_a_report_can_stand_beside_others(outcome: ReportOutcome) -> None:
    """None of them is unknown to the sum."""
    assert outcome == together([attempt_of(sync_report(outcome))]).outcome


def test_nothing_to_do_is_done() -> None:
    """A group whose parts belong to other instances has a whole night."""
    assert Attempt("done") == together([])


@given(st.lists(ATTEMPTS, min_size=1, max_size=5))
def test_parts_together_hide_nothing(parts: list[Attempt]) -> None:
    """Every problem and error of a part is in the sum, which is done only if all parts are, and failed if none is."""
    whole = together(parts)
    assert tuple(line for each in parts for line in each.problems) == whole.problems
    assert {error for each in parts for error in each.errors} == set(whole.errors)
    assert len(set(whole.errors)) == len(whole.errors)
    assert (whole.outcome == "done") == all(each.outcome == "done" for each in parts)
    if any(each.outcome == "done" for each in parts):
        assert "failed" != whole.outcome
    moments = [each.resume_at for each in parts if each.resume_at]
    assert (max(moments) if moments else None) == whole.resume_at


def test_one_part_that_failed_beside_a_good_one_is_partial() -> None:
    """What is in the destination counts; without it the night has failed."""
    good, bad, paused = Attempt("done"), Attempt("failed"), Attempt("paused")
    assert ["partial", "failed", "paused", "failed"] == [
        together(each).outcome for each in ([good, bad], [bad], [good, paused], [bad, paused])
    ]

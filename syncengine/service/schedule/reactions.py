"""What follows an attempt at a night: settle it, or try again, when and why. Plain decisions on values.

What can pass by itself is tried again, with a back-off that has a ceiling; what only a person can mend is told. Nothing
here gives up on an outage: a night ends when it is whole, when the next one is due, or when its time is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncengine.asset_reports import AssetsReport
from syncengine.errors import QuotaExhausted, SyncEngineError
from syncengine.reports import SyncReport
from syncengine.service.standing import State

BACK_OFF_FIRST = timedelta(minutes=1)
BACK_OFF_MAX = timedelta(minutes=30)
# A part that failed for reasons of its own is tried so often, with longer pauses: it may well fail the same way again.
PARTIAL_TRIES = 3
PARTIAL_PAUSE = timedelta(minutes=5)
# After the quota's reset, or an outage that all have waited for, not everybody comes in the same second.
SPREAD = timedelta(seconds=120)
CREDENTIALS = "CredentialsRejected"
# Rows that the destination cannot hold: they are kept aside, and no second try makes it hold them.
REJECTED = "RowsRejected"
# Files of a watched folder that did not go in whole: each lies with its account where a person finds it.
FILE_FAILED = "FileFailed"
# Trying again the same night does not help: a permission or the configuration has to be mended.
FOR_GOOD = frozenset({"PermissionDenied", "ConfigError", REJECTED, FILE_FAILED})
# These pass, sooner or later, by themselves or by somebody's hand.
PASSING = frozenset(
    {
        "Unavailable",
        "DestinationUnavailable",
        "NoSpace",
        "AlreadyRunning",
        "LeaseLost",
        "DestinationFenced",
        "StateUnusable",
        CREDENTIALS,
    }
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended. `errors` are the classes of what went wrong, `problems` the same in words."""

    outcome: str
    errors: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    resume_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """The night has ended."""

    outcome: str


@dataclass(frozen=True, slots=True)
class Again:
    """The night goes on at `at`; until then its group is in `state`, for a reason in plain words."""

    at: datetime
    state: State
    reason: str


def attempt_of(report: SyncReport | AssetsReport) -> Attempt:
    """An attempt that came to its report."""
    resume_at = report.resume_at if isinstance(report, SyncReport) else None
    problems = report.problems
    errors = report.errors
    if isinstance(report, SyncReport):
        if any(each.rejected for each in report.streams):
            errors = (*errors, REJECTED)
        problems += tuple(line for each in report.streams for line in each.problems if each.rejected)
        problems += report.assets.problems if report.assets else ()
    return Attempt(report.outcome, errors, problems, report.advice, resume_at)


def attempt_failed(error: Exception) -> Attempt:
    """An attempt that was ended by an error; a foreign one is a bug, and told by its class and place alone."""
    if isinstance(error, SyncEngineError):
        outcome, resume_at = "failed", None
        if isinstance(error, QuotaExhausted):
            outcome, resume_at = "paused", error.resume_at
        problems = (error.message, *getattr(error, "problems", ()))
        return Attempt(outcome, (type(error).__name__,), problems, (error.advice,) if error.advice else (), resume_at)
    # What a foreign error says may quote what it choked on.
    return Attempt("failed", (type(error).__name__,), (f"a bug: {type(error).__name__} at {place_of(error)}",))


def place_of(error: BaseException) -> str:
    """The innermost line of an error's traceback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    code = trace.tb_frame.f_code
    return f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} ({code.co_name})"


def together(attempts: Sequence[Attempt]) -> Attempt:
    """Several parts of one attempt as one: the worst outcome, and everything that went wrong."""
    worst = ("failed", "partial", "paused", "done")
    outcome = min((each.outcome for each in attempts), key=worst.index, default="done")
    if outcome == "failed" and any(each.outcome == "done" for each in attempts):
        outcome = "partial"
    moments = [each.resume_at for each in attempts if each.resume_at]
    return Attempt(
        outcome,
        tuple(dict.fromkeys(error for each in attempts for error in each.errors)),
        tuple(line for each in attempts for line in each.problems),
        tuple(dict.fromkeys(line for each in attempts for line in each.advice)),
        max(moments, default=None),
    )


def after(attempt: Attempt, tries: int, now: datetime, drawn: float) -> Settle | Again:
    """What follows the attempt that was the night's `tries`-th in a row without success; `drawn` is 0 to 1."""
    reason, errors = attempt.problems[0] if attempt.problems else "it did not say why", set(attempt.errors)
    if attempt.outcome == "done" or (errors and errors <= FOR_GOOD):
        return Settle(attempt.outcome)
    if CREDENTIALS in errors:
        return Again(now + back_off(tries + 2, drawn), "parked", reason)
    if errors & PASSING:
        return Again(now + back_off(tries, drawn), "backing off", reason)
    if attempt.resume_at is not None:
        return Again(max(now + BACK_OFF_FIRST, attempt.resume_at) + SPREAD * drawn, "parked", reason)
    if tries > PARTIAL_TRIES:
        return Settle(attempt.outcome)
    return Again(now + PARTIAL_PAUSE * 3 ** (tries - 1), "backing off", reason)


def back_off(tries: int, drawn: float) -> timedelta:
    """How long to wait after so many tries in vain: twice as long each time, up to a ceiling, spread by a third."""
    longest = min(BACK_OFF_MAX, BACK_OFF_FIRST * 2.0 ** min(tries - 1, 20))
    return longest * (1 - drawn / 3)

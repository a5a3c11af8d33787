"""How often a window is tried in one run, and what comes after a failure: the same again, its halves, or the next run.

Apart from the flow, which carries it out: here it is only decided. Nothing of it outlives a run, so each run has its
own patience.
"""

from collections import Counter
from enum import Enum

from syncengine.errors import SyncEngineError
from syncengine.jobs.job import Job

# Marketo's own fault with one call, when everything else of it works.
SYSTEM_ERROR = "611"
# How often a window's job is created anew in one run: it failed, was cancelled, vanished, or its file was damaged.
CREATES_MAX = 3
# Marketo fails on windows that are too much for it: from the second time on, half of one is asked for.
FAILURES_BEFORE_HALVING = 2
# But a stream of which so many jobs in a row came to nothing fails for another reason than their size.
FAILURES_IN_A_ROW_MAX = 32


class After(Enum):
    """What to do with a window that came to nothing."""

    AGAIN = "again"
    HALVES = "halves"
    GIVE_UP = "give up"


class Attempts:
    """Counts what one run tries. `given_up` has the streams of which nothing more is asked for, and why."""

    def __init__(self) -> None:
        self._creates: Counter[str] = Counter()
        self._in_a_row: Counter[str] = Counter()
        self.given_up: dict[str, SyncEngineError] = {}

    def begin(self, job: Job) -> None:
        """A job is created for the window."""
        self._creates[job.id] += 1

    def is_too_much(self, job: Job) -> None:
        """Marketo cannot take the window as it is: the next failure halves it."""
        self._creates[job.id] = max(self._creates[job.id], FAILURES_BEFORE_HALVING)

    def succeeded(self, job: Job) -> None:
        """Rows of the window are in the destination; one without rows shows nothing."""
        self._in_a_row[job.group] = 0

    def failed(self, job: Job, error: SyncEngineError, *, can_be_cut: bool) -> After:
        """What comes after a failure of the window's job."""
        self._in_a_row[job.group] += 1
        if self._in_a_row[job.group] >= FAILURES_IN_A_ROW_MAX:
            self.given_up[job.group] = error
            return After.GIVE_UP
        creates = self._creates[job.id]
        if creates >= FAILURES_BEFORE_HALVING and can_be_cut:
            return After.HALVES
        return After.GIVE_UP if creates >= CREATES_MAX else After.AGAIN

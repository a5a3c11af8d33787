"""How often a window is tried in one run, and what comes after a failure: the same again, its halves, or the next run.

Apart from the flow, which carries it out: here it is only decided. Nothing of it outlives a run, so each run has its
own patience.
"""

from collections import Counter
from enum import Enum

from syncengine.errors import CallRejected, FileDamaged, NotFound, SyncEngineError, TooLarge, Unsupported
from syncengine.jobs.job import Job

# Errors that end one window or reading and leave the others running; any other error ends the run.
OF_ONE_JOB = (CallRejected, FileDamaged, NotFound, TooLarge, Unsupported)
# Marketo's own fault with one call, when everything else of it works.
SYSTEM_ERROR = "611"
# How often a window's job is created anew in one run: it failed, was cancelled, vanished, or its file was damaged.
CREATES_MAX = 3
# Marketo fails on windows that are too much for it: from the second time on, half of one is asked for.
FAILURES_BEFORE_HALVING = 2
# But a stream of which so many jobs in a row came to nothing fails for another reason than their size.
FAILURES_IN_A_ROW_MAX = 32
# Marketo's queue is full of others' jobs: Adobe advises to wait a minute, then longer.
QUEUE_WAITS_SECONDS = (60.0, 120.0, 240.0)
# A completed job whose file is not there yet (404) is looked at again this often, a minute apart.
FILE_LOOKS_MAX = 3
FILE_LOOK_SECONDS = 60.0
# How often, a minute apart, a window waits for the first file of its stream: a queue may be hours long.
SIZE_WAITS_MAX = 15


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
        self._queue_waits: Counter[str] = Counter()
        self._file_looks: Counter[str] = Counter()
        self._size_waits: Counter[str] = Counter()
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

    def queue_is_full(self, job: Job) -> float:
        """For how many seconds the window waits until it asks for a place in Marketo's queue again."""
        self._queue_waits[job.id] += 1
        return QUEUE_WAITS_SECONDS[min(self._queue_waits[job.id], len(QUEUE_WAITS_SECONDS)) - 1]

    def may_wait_for_size(self, job: Job) -> bool:
        """Whether the window goes on waiting for the file that tells how large its own will be."""
        self._size_waits[job.id] += 1
        return self._size_waits[job.id] <= SIZE_WAITS_MAX

    def file_is_not_there(self, job: Job) -> float | None:
        """After how many seconds a file that should be there is looked for again; None when it will not come."""
        self._file_looks[job.id] += 1
        return FILE_LOOK_SECONDS if self._file_looks[job.id] <= FILE_LOOKS_MAX else None

    def failed(self, job: Job, error: SyncEngineError, *, can_be_cut: bool) -> After:
        """What comes after a failure of the window's job."""
        self._in_a_row[job.group] += 1
        self._file_looks.pop(job.id, None)
        if self._in_a_row[job.group] >= FAILURES_IN_A_ROW_MAX:
            self.given_up[job.group] = error
            return After.GIVE_UP
        creates = self._creates[job.id]
        if creates >= FAILURES_BEFORE_HALVING and can_be_cut:
            return After.HALVES
        return After.GIVE_UP if creates >= CREATES_MAX else After.AGAIN

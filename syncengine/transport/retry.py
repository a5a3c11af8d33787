"""What to do about an answer that is not a result: a plain decision on values; the client acts on it.

Refusals by limits and queues (606, 615, 1016, 1019, "too many jobs") are waits: nothing failed, so they are not
charged to a call's tries nor to the retry budget, only bounded in time. Failures are charged: full jitter under a
doubling cap, few tries a call, and over two minutes at most one retry for ten first tries, so that an instance in
trouble is not asked for more (https://sre.google/sre-book/handling-overload/).
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from syncengine.marketo.call import Repeat
from syncengine.marketo.codes import CodeEntry, Verdict

BUDGET_SECONDS = 120.0
BUDGET_SHARE = 0.10
BUDGET_FLOOR = 10

BACKOFF_FIRST_SECONDS = 1.0
BACKOFF_MAX_SECONDS = 60.0

# Waits that are no failures: code -> (shortest, first longest, longest) seconds. Queues move in minutes: Adobe's own
# advice for a full export queue is to back off 1, 2, then 4 minutes.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract
WAITS: dict[str, tuple[float, float, float]] = {
    "606": (0.0, 1.0, 1.0),  # the gate has closed for a window already
    "615": (0.5, 5.0, 5.0),
    "1016": (30.0, 60.0, 240.0),
    "1019": (30.0, 60.0, 240.0),
    "1029": (30.0, 60.0, 240.0),
    "1029a": (30.0, 60.0, 240.0),
}
EXPORT_QUEUE_FULL = frozenset({"1029", "1029a"})
IMPORT_QUEUE_FULL = frozenset({"1016", "1019"})
REFRESHES_MAX = 3
# Doubling ends here: a call that waits for hours must not overflow a float.
DOUBLINGS_MAX = 16


class Stop(Enum):
    """Why a call is not tried again; each has its error class in the client."""

    CREDENTIALS = "credentials"
    PERMISSION = "permission"
    QUOTA_CALLS = "quota calls"
    QUOTA_EXPORT = "quota export"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "outcome unknown"
    TOO_LARGE = "too large"
    UNSUPPORTED = "unsupported"
    GONE = "gone"
    ALREADY = "already done"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again after a time drawn evenly from `shortest` to `longest` seconds."""

    shortest: float
    longest: float
    charged: bool


@dataclass(frozen=True, slots=True)
class Refresh:
    """Get a token that is not the refused one, then try again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call may be tried: failures by count, refusals by time.

    `queue_seconds` bounds the waits for a place in a queue, of exports or of imports, and for a list that another
    import writes to, for a caller who has other things to do meanwhile: zero ends such a call at once, as Unavailable
    with Marketo's code.
    """

    tries: int = 5
    wait_seconds: float = 4 * 3600.0
    queue_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Tries:
    """What a call has been through: tries that failed (this one included), refreshes, seconds since the first."""

    failed: int
    refreshed: int
    waited: int
    elapsed: float


Decision = Wait | Refresh | Stop

ENDS_AT_CODE = {
    "403": Stop.PERMISSION,
    "603": Stop.PERMISSION,
    "404": Stop.GONE,
    "610": Stop.GONE,
    "1013": Stop.GONE,
    "1029b": Stop.QUOTA_EXPORT,
}
ENDS_AT_VERDICT = {
    Verdict.PAUSE: Stop.QUOTA_CALLS,
    Verdict.SPLIT: Stop.TOO_LARGE,
    Verdict.NOOP: Stop.ALREADY,
    Verdict.FALLBACK: Stop.UNSUPPORTED,
    Verdict.FATAL: Stop.REJECTED,
    Verdict.SKIP_RECORD: Stop.REJECTED,
}


def decide(entry: CodeEntry, repeat: Repeat, tries: Tries, patience: Patience, *, authorized: bool) -> Decision:
    """What to do after the refusal or failure that `entry` describes."""
    if entry.unsafe_on_create and repeat is Repeat.UNSAFE:
        return Stop.UNKNOWN
    # The identity endpoint means its 401; from a gateway before the API it can only be about the token.
    refreshes = REFRESHES_MAX if entry.verdict is Verdict.REFRESH else int(entry.code == "401" and authorized)
    if entry.verdict is Verdict.REFRESH and not authorized:
        # A call that carries no token has none to replace: something is out of order over there.
        return _back_off(tries, patience)
    if refreshes or entry.code == "401":
        return Refresh() if tries.refreshed < refreshes else Stop.CREDENTIALS
    if entry.code in ENDS_AT_CODE:
        return ENDS_AT_CODE[entry.code]
    if entry.verdict is not Verdict.RETRY:
        return ENDS_AT_VERDICT[entry.verdict]
    return _wait_for_room(entry.code, tries, patience) if entry.code in WAITS else _back_off(tries, patience)


def _back_off(tries: Tries, patience: Patience) -> Decision:
    if tries.failed >= patience.tries:
        return Stop.UNAVAILABLE
    longest = BACKOFF_FIRST_SECONDS * 2 ** min(DOUBLINGS_MAX, tries.failed - 1)
    return Wait(0.0, min(BACKOFF_MAX_SECONDS, longest), charged=True)


def _wait_for_room(code: str, tries: Tries, patience: Patience) -> Decision:
    bound = patience.queue_seconds if code in EXPORT_QUEUE_FULL | IMPORT_QUEUE_FULL else None
    if tries.elapsed >= (patience.wait_seconds if bound is None else bound):
        return Stop.UNAVAILABLE
    shortest, first, longest = WAITS[code]
    return Wait(shortest, min(longest, first * 2 ** min(DOUBLINGS_MAX, tries.waited)), charged=False)


class RetryBudget:
    """At most one retry for ten first tries over two minutes, with a floor of ten. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._first: deque[float] = deque()
        self._again: deque[float] = deque()

    def first_try(self, now: float) -> None:
        """Note a call's first try."""
        self._first.append(now)
        self._forget(now)

    def take(self, now: float) -> bool:
        """Take the right to one retry, if there is one."""
        self._forget(now)
        if len(self._again) >= max(BUDGET_FLOOR, BUDGET_SHARE * len(self._first)):
            return False
        self._again.append(now)
        return True

    def _forget(self, now: float) -> None:
        for times in (self._first, self._again):
            while times and times[0] <= now - BUDGET_SECONDS:
                times.popleft()

"""Whether Marketo takes chunks at present: a full queue, a busy list or a dead line is the same for all of them.

So one of them tries again after a while, and the others wait for what comes of it: a queue that stays full for hours
costs a call a minute, whatever the number of chunks.
"""

from datetime import datetime, timedelta

from syncengine.errors import Unavailable
from syncengine.transport.retry import IMPORT_QUEUE_FULL

AGAIN = timedelta(minutes=1)
# For so long a Marketo that cannot be reached is waited for.
UNREACHABLE_MAX = timedelta(minutes=15)


class Door:
    """What is known of the way in."""

    def __init__(self) -> None:
        self._closed_until: datetime | None = None
        self._unreachable_since: datetime | None = None

    def seconds(self, now: datetime) -> float:
        """For how long nothing need be offered; 0 when the next chunk may be sent."""
        return max(0.0, (self._closed_until - now).total_seconds()) if self._closed_until else 0.0

    def opened(self) -> None:
        """Marketo has taken a chunk."""
        self._closed_until = self._unreachable_since = None

    def closed(self, error: Unavailable, now: datetime) -> tuple[datetime, str]:
        """Marketo cannot take a chunk now; gives until when, and why. Raises `error` once it was out of reach too long.

        A queue that is full, or a list that somebody else imports to, may stay so for any time.
        """
        self._closed_until = now + AGAIN
        if error.code in IMPORT_QUEUE_FULL:
            self._unreachable_since = None
            return self._closed_until, "Marketo's queue of imports is full"
        self._unreachable_since = self._unreachable_since or now
        if now - self._unreachable_since >= UNREACHABLE_MAX:
            raise error
        return self._closed_until, error.message

"""What to do about a chunk that was sent and not answered, and from when on its absence means anything.

Theory of operation
-------------------
Marketo gives no hint how long an accepted job may take, and lists none. So the bound is a time, measured from the end
of the sending, in which any accepted job is certain to have run: twice the longest that this instance was seen to take,
and never less than the configured one. When a process died while it sent, nobody knows when that ended; but no sending
lasts longer than its tries may. Before the bound has passed nothing that is not found is taken for absent: sending a
chunk again while its first sending may still run is how people are doubled.

A synchronous call has no queue: Marketo ends it after 90 seconds itself. The Data Ingestion API tries rows again for
six hours in all.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/leads
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/data-ingestion
"""

from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from syncengine.imports.route import Route
from syncengine.marketo.limits import SYNC_LEADS_SECONDS_MAX

SEEN_FACTOR: Final = 2
CALL_DRAIN: Final = timedelta(seconds=3 * SYNC_LEADS_SECONDS_MAX)
# Three tries of a large upload on a slow line, and its waits at the gate.
SENDING_MAX: Final = timedelta(minutes=40)
INGESTION_DRAIN: Final = timedelta(hours=6)
# Under this name the journal keeps the longest time that a job of the instance took, in seconds.
SLOWEST: Final = "import_job_seconds_max"


class Policy(Enum):
    """What happens to a chunk whose fate is not known."""

    VERIFY = "verify"  # look for its rows, and send it again only if it was never applied
    HOLD = "hold"  # leave it to the operator
    RESUBMIT = "resubmit"  # send it again without looking, once nothing of it can be under way


def drained_at(route: Route, sent_at: datetime, least: timedelta, slowest_seconds: float) -> datetime:
    """From when on a chunk whose sending ended at `sent_at` is no longer under way, whatever became of it."""
    if route is Route.REST:
        return sent_at + CALL_DRAIN
    if route is Route.INGESTION:
        return sent_at + INGESTION_DRAIN
    return sent_at + max(least, timedelta(seconds=SEEN_FACTOR * slowest_seconds))

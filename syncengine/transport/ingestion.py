"""The gate before the Data Ingestion API, whose limits are its own: its calls take no place of the instance's."""

from typing import Final

from syncengine.clock import Clock
from syncengine.marketo.limits import INGESTION_CALLS_PER_SECOND, INGESTION_OBJECTS_PER_DAY
from syncengine.transport.book import MemorySlotStore
from syncengine.transport.gate import Gate
from syncengine.transport.turns import GateLimits

# No limit is published; more than this keeps no line busier.
IN_FLIGHT: Final = 20


def ingestion_gate(clock: Clock, *, holder: str) -> Gate:
    """A gate of this process alone.

    The day's limit counts objects, not calls, and is Marketo's to tell (code 4290801, which closes this gate until the
    reset); here it only bounds the calls.
    """
    limits = GateLimits(
        calls_per_window=INGESTION_CALLS_PER_SECOND,
        window_seconds=1.0,
        in_flight=IN_FLIGHT,
        calls_per_day=INGESTION_OBJECTS_PER_DAY,
    )
    return Gate(MemorySlotStore(), limits, clock, holder=holder)

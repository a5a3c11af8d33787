"""The slot rule: how never to be the hundred-and-first call in twenty seconds.

Theory of operation. Marketo counts the calls of an instance in the last 20 seconds by its own clock, at a moment
between our sending a call and its answer's first byte, and refuses the one over 100 with code 606
(https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes). We cannot see that moment,
only bound it. So a window has 100 places, and a call holds one from before it is sent until 20 seconds after the
headers of its answer have arrived.

Proof. Let k calls be counted within some 20 seconds, the last of them at time t. Each was counted at some c with
t - 20 < c <= t, was sent no later than c and answered no earlier than c. It took its place before it was sent, so
before t, and gives it back 20 s after its answer, so after c + 20 > t. All k places are held at t, one place each,
and there are never more than 100: k <= 100, whatever the network does between.

What breaks without it: a limiter that stamps the send time lets a delayed call and its successors arrive together
(110 in a window under jitter), and a leaky bucket with capacity 100 lets 199 through. The price of the rule is
latency / 20 s of the throughput: 1 % at 200 ms.

A call whose answer never comes may be counted up to 30 s after we gave up on it: its place comes back 20 s + 30 s
after its deadline. The same holds for a process that died with calls under way.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from syncengine.transport.book import Slot

# How long the server may still work on, and count, a call that its sender has given up
# (calls end after about 30 s: code 604).
LOST_CALL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """The places of one window: `limit` of them, each given back `seconds` after its call was answered."""

    limit: int
    seconds: float

    def free_at(self, slot: Slot) -> float:
        """When this call's place is free again, as far as is known now."""
        if slot.window_free_at is not None:
            return slot.window_free_at
        return slot.deadline + LOST_CALL_SECONDS + self.seconds

    def taken(self, slots: Iterable[Slot], now: float) -> int:
        """How many places are held at `now`."""
        return sum(now < self.free_at(slot) for slot in slots)

    def openings(self, slots: Iterable[Slot], now: float) -> list[float]:
        """The moments after `now` at which held places are sure to come free, earliest first."""
        return sorted(at for slot in slots if (at := self.free_at(slot)) > now)


@dataclass(frozen=True, slots=True)
class InFlight:
    """The calls between their first byte out and their last byte in: at most `limit`, or code 615 answers."""

    limit: int

    @staticmethod
    def free_at(slot: Slot) -> float:
        """When this call is no longer in flight, as far as is known now."""
        if slot.flight_free_at is not None:
            return slot.flight_free_at
        return slot.deadline + LOST_CALL_SECONDS

    def taken(self, slots: Iterable[Slot], now: float) -> int:
        """How many calls are in flight at `now`."""
        return sum(now < self.free_at(slot) for slot in slots)

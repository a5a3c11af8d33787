"""How much of each limit is in use now: read off a book, for status, plan and check; nothing is decided here."""

from dataclasses import dataclass
from datetime import datetime

from syncengine.transport.book import Book, Spent
from syncengine.transport.quota import spent_today
from syncengine.transport.turns import GateLimits, Moment, ours, sweep
from syncengine.transport.window import InFlight, SlidingWindow


@dataclass(frozen=True, slots=True)
class GateUse:
    """The limits' use at one moment, over all processes that share the instance."""

    in_window: int
    window_limit: int
    in_flight: int
    flight_limit: int
    spent_today: Spent
    holders: dict[str, int]  # calls in flight by process
    paused_until: datetime | None
    export_paused_until: datetime | None = None
    waiting: frozenset[str] = frozenset()  # processes whose next call waits for its turn


def read_use(book: Book, limits: GateLimits, moment: Moment) -> GateUse:
    """The present use of the limits, read off a book."""
    window = SlidingWindow(ours(limits.calls_per_window, limits, book, "window", moment.at), limits.window_seconds)
    flight = InFlight(ours(limits.in_flight, limits, book, "flight", moment.at))
    sweep(book, window, moment.at)
    holders: dict[str, int] = {}
    for slot in book.slots.values():
        if moment.at < flight.free_at(slot):
            holders[slot.holder] = holders.get(slot.holder, 0) + 1
    return GateUse(
        in_window=window.taken(book.slots.values(), moment.at),
        window_limit=window.limit,
        in_flight=flight.taken(book.slots.values(), moment.at),
        flight_limit=flight.limit,
        spent_today=spent_today(book.spent, moment.wall),
        holders=holders,
        paused_until=_paused(book, "calls", moment),
        export_paused_until=_paused(book, "export", moment),
        waiting=frozenset(each.holder for each in book.waiters.values()),
    )


def _paused(book: Book, what: str, moment: Moment) -> datetime | None:
    until = book.pauses.get(what)
    return until if until and moment.wall < until else None

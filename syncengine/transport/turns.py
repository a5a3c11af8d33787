"""Whose turn it is: the gate's decisions, as plain functions on a book.

A waiting call asks; it is let in when the window has a place, fewer than ten calls are in flight, and no better
waiter of any process stands before it. Otherwise it learns when asking again makes sense.

Rank is the moment a call began to wait, plus one window for background work and two for what is patient. So an ad hoc
call passes every background call that has waited less than a window longer than itself, and nobody waits for ever:
ageing needs no bookkeeping when the rank is a date.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from math import floor

from syncengine.marketo.call import Priority
from syncengine.transport.book import Book, Slot, Throttle, Waiter
from syncengine.transport.quota import book_spending, next_reset, spent_today
from syncengine.transport.window import InFlight, SlidingWindow

# After 606 or 615 somebody else uses the instance: multiply our share, then grow it back one step a window.
SHARE_CUT = 0.7
SHARE_STEP = 0.1
# When the next opening is not known (calls in flight, waiters ahead), look again after this.
LOOK_AGAIN_SECONDS = 0.1
# A waiter that has not asked for this long after it meant to is dead or stopped; it only loses its place in line.
WAITER_LATE_SECONDS = 2.0
WINDOWS_BEHIND = {Priority.INTERACTIVE: 0, Priority.BACKGROUND: 1, Priority.PATIENT: 2}


@dataclass(frozen=True, slots=True)
class GateLimits:
    """The instance's limits and what part of them is ours; `reserve_calls` of the day are left to others."""

    calls_per_window: int = 100
    window_seconds: float = 20.0
    in_flight: int = 10
    calls_per_day: int = 50_000
    export_bytes_per_day: int = 500_000_000
    share: float = 1.0
    reserve_calls: int = 0


@dataclass(frozen=True, slots=True)
class Granted:
    """The call may be sent now."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class NotYet:
    """The call may not be sent; asking again makes sense at `ask_at`."""

    ask_at: float


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The day's calls are used up until `resume_at`."""

    resume_at: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of the clock: the wall and the monotonic side of the same instant."""

    wall: datetime
    at: float


def rank(priority: Priority, waiting_since: float, window_seconds: float) -> float:
    """Where a call stands in line: smaller goes first."""
    return waiting_since + window_seconds * WINDOWS_BEHIND[priority]


def share_now(throttle: Throttle, now: float, window_seconds: float) -> float:
    """A cut share after it has grown back one step for each full window since the cut."""
    steps = floor(max(0.0, now - throttle.cut_at) / window_seconds) if throttle.share < 1 else 0
    return min(1.0, throttle.share + SHARE_STEP * steps)


def ours(limit: int, limits: GateLimits, book: Book, which: str, now: float) -> int:
    """How much of a limit this engine uses now: the configured share of it, cut by what others take; at least one."""
    throttle = book.throttles.get(which, Throttle())
    return max(1, floor(limit * limits.share * share_now(throttle, now, limits.window_seconds) + 1e-9))


def ask(
    book: Book, waiter: Waiter, limits: GateLimits, moment: Moment, *, name: str, seconds: float, billed: bool
) -> Granted | NotYet | Exhausted:
    """Let one call in, or say when to ask again. `seconds` is how long its sender waits for headers."""
    now = moment.at
    window = SlidingWindow(ours(limits.calls_per_window, limits, book, "window", now), limits.window_seconds)
    flight = InFlight(ours(limits.in_flight, limits, book, "flight", now))
    sweep(book, window, now)
    if billed and (resume_at := budget_gone(book, limits, moment.wall)):
        book.waiters.pop(waiter.id, None)
        return Exhausted(resume_at)
    ahead = sum(other.rank < waiter.rank for other in book.waiters.values() if other.id != waiter.id)
    slots = book.slots.values()
    closed_until = book.marks.get("closed_until", float("-inf"))
    if now >= closed_until and ahead < min(
        window.limit - window.taken(slots, now), flight.limit - flight.taken(slots, now)
    ):
        book.waiters.pop(waiter.id, None)
        book.marks["last_slot"] = number = book.marks.get("last_slot", 0.0) + 1
        slot = Slot(id=int(number), holder=waiter.holder, name=name, sent_at=now, deadline=now + seconds)
        book.slots[slot.id] = slot
        if billed:
            book_spending(book.spent, moment.wall, calls=1)
        return Granted(slot)
    ask_at = max(closed_until, _next_opening(book, window, now, ahead))
    book.waiters[waiter.id] = replace(waiter, asks_again_at=ask_at)
    return NotYet(ask_at)


def _next_opening(book: Book, window: SlidingWindow, now: float, ahead: int) -> float:
    """When the window has a place for a waiter with `ahead` better ones before it, as far as is known."""
    openings = window.openings(book.slots.values(), now)
    missing = len(openings) - window.limit + ahead + 1
    if missing <= 0 or not openings:
        # The window is not what keeps it waiting: calls in flight are, or waiters who are about to be let in.
        return now + LOOK_AGAIN_SECONDS
    # A call under way counts by its worst case; answered now, its place would be back a window from now.
    return min(openings[min(missing, len(openings)) - 1], now + window.seconds)


def budget_gone(book: Book, limits: GateLimits, wall: datetime, what: str = "calls") -> datetime | None:
    """When `what` ("calls" or "export" megabytes) is back, if today's is used up; None if it is not.

    Used up is what Marketo says so of (607, 1029), and what our own ledger says.
    """
    paused = book.pauses.get(what)
    if paused and wall < paused:
        return paused
    book.pauses.pop(what, None)
    spent = spent_today(book.spent, wall)
    if what == "export":
        is_gone = spent.export_bytes >= limits.export_bytes_per_day
    else:
        is_gone = spent.calls >= limits.calls_per_day - limits.reserve_calls
    return next_reset(wall) if is_gone else None


def sweep(book: Book, window: SlidingWindow, now: float) -> None:
    """Forget calls that hold nothing any more, and waiters that no longer ask."""
    for slot in list(book.slots.values()):
        if now >= window.free_at(slot) and now >= InFlight.free_at(slot):
            del book.slots[slot.id]
    for waiter in list(book.waiters.values()):
        if now > waiter.asks_again_at + WAITER_LATE_SECONDS:
            del book.waiters[waiter.id]


def cut(book: Book, which: str, slot: Slot, limits: GateLimits, now: float) -> None:
    """Answer a 606 ("window") or a 615 ("flight"): others use the instance, so take less of it.

    Refusals of calls that were sent before the last cut tell nothing new and cut nothing.
    """
    throttle = book.throttles.get(which, Throttle())
    if slot.sent_at >= throttle.cut_at:
        share = share_now(throttle, now, limits.window_seconds) * SHARE_CUT
        book.throttles[which] = Throttle(max(share, 1e-3), now)
    if which == "window":
        # The server's window is full by its own count: only its draining helps.
        book.marks["closed_until"] = max(book.marks.get("closed_until", now), now + limits.window_seconds)


def poll_turn(book: Book, kind: str, seconds: float, now: float) -> float:
    """Take the turn to poll `kind`, and give 0; or give the seconds until the next turn comes."""
    mark = f"poll:{kind}"
    # A turn that was taken in the future was taken by another clock's time: it counts as taken now, at the longest.
    taken = book.marks[mark] = min(now, book.marks.get(mark, float("-inf")))
    if taken + seconds <= now:
        book.marks[mark] = now
        return 0.0
    return taken + seconds - now

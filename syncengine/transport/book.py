"""What all processes that share an instance know together, as plain values.

A `Book` is read, changed by one plain function, and written back in one transaction: the rules of the limiter are
written once, over values, and neither know nor care whether the book lies in memory, in SQLite or in Postgres.

Times named `*_at` and `until` are seconds of the Clock's `monotonic`, comparable between processes of one boot.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slot:
    """One call: a place in the window and a place in flight, each held until it is known to be free.

    `deadline` is when the caller gives up; an unanswered slot past it belongs to a call that was lost, or to a process
    that died. `window_free_at` and `flight_free_at` are None for as long as the answer's headers, or its body's end,
    have not been seen.
    """

    id: int
    holder: str
    name: str
    sent_at: float
    deadline: float
    window_free_at: float | None = None
    flight_free_at: float | None = None


@dataclass(frozen=True, slots=True)
class Waiter:
    """The first call in line of one process. `rank` orders them; past `asks_again_at` it may be taken for dead."""

    id: str
    holder: str
    rank: float
    asks_again_at: float


@dataclass(frozen=True, slots=True)
class Throttle:
    """How much of a limit others have left to us, as last cut; it grows back as a function of time."""

    share: float = 1.0
    cut_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls and exported bytes of one hour."""

    calls: int = 0
    export_bytes: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.calls + other.calls, self.export_bytes + other.export_bytes)


@dataclass(slots=True)
class Book:
    """Everything shared about one instance. Rows are frozen; a change replaces or removes them."""

    slots: dict[int, Slot] = field(default_factory=dict)
    waiters: dict[str, Waiter] = field(default_factory=dict)
    throttles: dict[str, Throttle] = field(default_factory=dict)  # "window" and "flight"
    spent: dict[str, Spent] = field(default_factory=dict)  # by UTC hour, "2026-11-24T03"
    marks: dict[str, float] = field(default_factory=dict)  # "closed_until", "poll:<kind>": monotonic seconds
    pauses: dict[str, datetime] = field(default_factory=dict)  # "calls", "export": until when Marketo's quota is gone


class SlotStore(Protocol):
    """Where a book is kept. `transact` gives `change` the present book alone and keeps what it leaves there."""

    async def transact(self, change: Callable[[Book], T]) -> T:
        """Run `change` on the book in one transaction and give its result; an exception changes nothing."""
        ...

    async def close(self) -> None:
        """Give back what is held open; the book stays."""
        ...


class MemorySlotStore:
    """A book of this process alone, for tests and for engines with no state folder."""

    def __init__(self) -> None:
        self.book = Book()

    async def transact(self, change: Callable[[Book], T]) -> T:
        trial = Book(
            dict(self.book.slots),
            dict(self.book.waiters),
            dict(self.book.throttles),
            dict(self.book.spent),
            dict(self.book.marks),
            dict(self.book.pauses),
        )
        result = change(trial)
        self.book = trial
        return result

    async def close(self) -> None:
        """Nothing is held open."""

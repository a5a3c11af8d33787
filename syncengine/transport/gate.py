"""Who may call now: every call of the engine passes here, and holds a permit until its answer's last byte.

The gate orders the calls of its own process and lets the first in line ask the shared book (`turns.py` decides).
Whatever ends a call, its permit tells the book what is known: answered, lost, never sent, refused.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from secrets import token_hex

import anyio

from syncengine.clock import Clock
from syncengine.errors import QuotaExhausted
from syncengine.marketo.call import Priority
from syncengine.transport.book import Book, Slot, SlotStore, Waiter
from syncengine.transport.quota import book_spending, counted_at, next_reset, spent_today
from syncengine.transport.turns import (
    Exhausted,
    GateLimits,
    Granted,
    Moment,
    NotYet,
    ask,
    budget_gone,
    cut,
    poll_turn,
    rank,
)
from syncengine.transport.use import GateUse, read_use
from syncengine.transport.window import LOST_CALL_SECONDS

# A body that streams for long tells the book this often that its sender is alive.
KEEP_SECONDS = 10.0


@dataclass(slots=True)
class _InLine:
    """A call of this process that waits for its turn."""

    id: str
    rank: float
    nudge: anyio.Event
    slot_id: int | None = None


class Permit:
    """The right to make one call. Report what happens to it in order; `Gate.enter` closes what was left open."""

    def __init__(self, gate: "Gate", slot: Slot, *, billed: bool) -> None:
        self._gate = gate
        self.slot_id = slot.id
        self._seconds = slot.deadline - slot.sent_at
        self._deadline = slot.deadline
        self._billed = billed
        self._answered = False
        self._closed = False
        self._kept_at = 0.0

    def is_late(self) -> bool:
        """Whether this process was stopped for so long that others may take the call's places for free."""
        return self._gate.clock.monotonic() >= self._deadline

    async def answered(self) -> None:
        """The headers have arrived: the window's place comes back a full window from now."""
        self._answered = True
        now = self._kept_at = self._gate.clock.monotonic()
        await self._gate.amend(self.slot_id, window_free_at=now + self._gate.limits.window_seconds)

    async def keep(self) -> None:
        """The body still streams: say so now and then, so that nobody takes the call for dead."""
        now = self._gate.clock.monotonic()
        if now - self._kept_at >= KEEP_SECONDS:
            self._kept_at = now
            await self._gate.amend(self.slot_id, deadline=now + self._seconds)

    async def unsent(self) -> None:
        """Nothing left this machine: both places, and the booked call, come back at once."""
        self._closed = True
        await self._gate.forget(self.slot_id, refund=self._billed)

    async def free(self) -> None:
        """Marketo does not bill this answer: the call does not count towards the day."""
        if self._billed:
            await self._gate.refund()

    async def refused(self, which: str) -> None:
        """606 ("window") or 615 ("flight")."""
        await self._gate.cut(which, self.slot_id)

    async def close(self) -> None:
        """The exchange is over. Without an answer the server may still be at work: hold both places longer."""
        if self._closed:
            return
        self._closed = True
        now = self._gate.clock.monotonic()
        if self._answered:
            await self._gate.amend(self.slot_id, flight_free_at=now)
        else:
            lost = now + LOST_CALL_SECONDS
            window_free_at = lost + self._gate.limits.window_seconds
            await self._gate.amend(self.slot_id, flight_free_at=lost, window_free_at=window_free_at)


class Gate:
    """The one door to an instance. `holder` names this process to others ("pid 4711 on host")."""

    def __init__(self, store: SlotStore, limits: GateLimits, clock: Clock, *, holder: str) -> None:
        self._store = store
        self.limits = limits
        self.clock = clock
        self._holder = holder
        # A process may have several gates to one instance, one for each of its flows: their calls stand apart in line.
        self._line_id = f"{holder}/{token_hex(4)}"
        # How far Marketo's clock is ahead of ours: its days begin by its own.
        self.skew = timedelta()
        self._line: list[_InLine] = []
        self._numbers = count(1)

    @asynccontextmanager
    async def enter(
        self, name: str, priority: Priority, *, seconds: float, billed: bool = True
    ) -> AsyncIterator[Permit]:
        """Wait for the turn of one call whose headers are awaited for `seconds`.

        Raises QuotaExhausted when the day's calls are used up.
        """
        permit = await self._wait_for_turn(name, priority, seconds, billed=billed)
        try:
            yield permit
        finally:
            with anyio.CancelScope(shield=True):
                await permit.close()
            self._nudge_first()

    async def _wait_for_turn(self, name: str, priority: Priority, seconds: float, *, billed: bool) -> Permit:
        me = _InLine(
            id=f"{self._line_id}/{next(self._numbers)}",
            rank=rank(priority, self.clock.monotonic(), self.limits.window_seconds),
            nudge=anyio.Event(),
        )
        self._line.append(me)
        self._line.sort(key=lambda waiting: waiting.rank)
        asked = False
        try:
            while True:
                me.nudge = anyio.Event()
                if self._line[0] is not me:
                    await me.nudge.wait()
                    continue
                asked = True
                match await self._ask(me, name, seconds, billed=billed):
                    case Granted(slot):
                        asked = False
                        return Permit(self, slot, billed=billed)
                    case Exhausted(resume_at):
                        asked = False
                        raise exhausted(resume_at, name)
                    case NotYet(ask_at):
                        with self.clock.move_on_after(max(0.0, ask_at - self.clock.monotonic())):
                            await me.nudge.wait()
        finally:
            self._line.remove(me)
            self._nudge_first()
            if asked:
                with anyio.CancelScope(shield=True):
                    await self._leave(me, refund=billed)

    async def _ask(self, me: _InLine, name: str, seconds: float, *, billed: bool) -> Granted | NotYet | Exhausted:
        def change(book: Book) -> Granted | NotYet | Exhausted:
            # The clock is read inside the transaction: waiting for the lock must not age the moment.
            moment = self._moment()
            waiter = Waiter(me.id, self._holder, me.rank, moment.at)
            answer = ask(book, waiter, self.limits, moment, name=name, seconds=seconds, billed=billed)
            me.slot_id = answer.slot.id if isinstance(answer, Granted) else None
            return answer

        return await self._store.transact(change)

    async def _leave(self, me: _InLine, *, refund: bool) -> None:
        """Take a call out of line whose caller was cancelled, with the slot that it may have got at that moment."""
        await self._store.transact(lambda book: book.waiters.pop(me.id, None))
        if me.slot_id is not None:
            await self.forget(me.slot_id, refund=refund)

    def _moment(self) -> Moment:
        return Moment(self._server_now(), self.clock.monotonic())

    def _server_now(self) -> datetime:
        return self.clock.now() + self.skew

    def _nudge_first(self) -> None:
        if self._line:
            self._line[0].nudge.set()

    async def amend(
        self,
        slot_id: int,
        *,
        deadline: float | None = None,
        window_free_at: float | None = None,
        flight_free_at: float | None = None,
    ) -> None:
        """Write down what is now known of a slot; a slot that was swept meanwhile stays gone."""

        def change(book: Book) -> None:
            if slot := book.slots.get(slot_id):
                book.slots[slot_id] = replace(
                    slot,
                    deadline=slot.deadline if deadline is None else deadline,
                    window_free_at=slot.window_free_at if window_free_at is None else window_free_at,
                    flight_free_at=slot.flight_free_at if flight_free_at is None else flight_free_at,
                )

        await self._store.transact(change)

    async def forget(self, slot_id: int, *, refund: bool) -> None:
        """Remove a slot whose call was never sent, and its booked call with it."""

        def change(book: Book) -> None:
            if book.slots.pop(slot_id, None) and refund:
                book_spending(book.spent, self._server_now(), calls=-1)

        await self._store.transact(change)

    async def refund(self) -> None:
        """Take one call off today's ledger."""
        await self._store.transact(lambda book: book_spending(book.spent, self._server_now(), calls=-1))

    async def cut(self, which: str, slot_id: int) -> None:
        """Take a smaller share of the window or of the flights: someone else needs it."""

        def change(book: Book) -> None:
            if slot := book.slots.get(slot_id):
                cut(book, which, slot, self.limits, self.clock.monotonic())

        await self._store.transact(change)

    async def pause(self, what: str) -> datetime:
        """Marketo says that today's "calls" or "export" megabytes are gone; gives when to try again."""
        resume_at = next_reset(self._server_now())

        def change(book: Book) -> None:
            book.pauses[what] = resume_at

        await self._store.transact(change)
        return resume_at

    async def paused(self, what: str) -> datetime | None:
        """Until when today's budget of "calls" or "export" megabytes is gone, by Marketo's word or by our ledger."""
        return await self._store.transact(lambda book: budget_gone(book, self.limits, self._moment().wall, what))

    async def book_export(self, export_bytes: int) -> None:
        """Add a finished job's file to the day's exported bytes."""
        now = self._server_now()
        await self._store.transact(lambda book: book_spending(book.spent, now, export_bytes=export_bytes))

    async def reconcile(self, calls: int) -> None:
        """Marketo has counted so many calls today, those of other integrations among them: the ledger knows no less."""

        def change(book: Book) -> None:
            now = self._server_now()
            if (unknown := calls - spent_today(book.spent, now).calls) > 0:
                book_spending(book.spent, counted_at(now), calls=unknown)

        await self._store.transact(change)

    async def poll_turn(self, kind: str, seconds: float) -> None:
        """Wait until `kind` may be polled: at most once in `seconds`, whatever process asks and however often."""
        while wait := await self._store.transact(lambda book: poll_turn(book, kind, seconds, self.clock.monotonic())):
            await self.clock.sleep(wait)

    async def use(self) -> GateUse:
        """How much of each limit is in use now, by everyone on this book."""
        return await self._store.transact(lambda book: read_use(book, self.limits, self._moment()))


def exhausted(resume_at: datetime, name: str, what: str = "calls") -> QuotaExhausted:
    """The error that says which budget is gone and when it is back."""
    budget = "API calls" if what == "calls" else "bulk export megabytes"
    return QuotaExhausted(
        f"Today's {budget} of this instance are used up; they come back at {resume_at:%Y-%m-%dT%H:%MZ}.",
        resume_at=resume_at,
        budget=what,
        call=name,
        advice="Everything done so far is kept: run the same command again after that time.",
    )

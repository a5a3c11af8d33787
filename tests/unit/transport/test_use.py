"""How much of each limit is in use, read off a book."""

from datetime import UTC, datetime, timedelta

from syncengine.transport.book import Book, Slot, Spent, Waiter
from syncengine.transport.turns import GateLimits, Moment
from syncengine.transport.use import read_use

WALL = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NOW = Moment(WALL, 1_000.0)


def slot(number: int, holder: str, **freed: float) -> Slot:
    """A call that was sent a second ago."""
    return Slot(id=number, holder=holder, name="leads", sent_at=999.0, deadline=1_030.0, **freed)


def test_calls_are_counted_in_the_window_and_in_flight_by_process() -> None:
    """One that was answered still has its place in the window, and nobody holds it."""
    slots = {1: slot(1, "a"), 2: slot(2, "a"), 3: slot(3, "b", window_free_at=1_019.0, flight_free_at=999.5)}
    use = read_use(Book(slots=slots), GateLimits(share=0.5), NOW)
    assert (3, 50, 2, 5, {"a": 2}) == (use.in_window, use.window_limit, use.in_flight, use.flight_limit, use.holders)


def test_who_waits_is_told_by_process() -> None:
    """One that has not asked for long is dead, and waits for nothing."""
    waiters = {
        "a/1": Waiter("a/1", "a", 990.0, 1_000.5),
        "a/2": Waiter("a/2", "a", 991.0, 1_000.5),
        "b/1": Waiter("b/1", "b", 992.0, 999.5),
        "c/1": Waiter("c/1", "c", 900.0, 950.0),
    }
    assert {"a", "b"} == read_use(Book(waiters=waiters), GateLimits(), NOW).waiting


def test_each_budget_is_gone_until_its_own_hour() -> None:
    """What Marketo said of the calls says nothing of the exports; what is over is not told any more."""
    later, over = WALL + timedelta(hours=1), WALL - timedelta(hours=1)
    use = read_use(
        Book(pauses={"calls": over, "export": later}, spent={"2026-03-02T07": Spent(5, 9)}), GateLimits(), NOW
    )
    assert (None, later, Spent(5, 9)) == (use.paused_until, use.export_paused_until, use.spent_today)
    use = read_use(Book(pauses={"calls": later}), GateLimits(), NOW)
    assert (later, None) == (use.paused_until, use.export_paused_until)

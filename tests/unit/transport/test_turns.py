"""Whose turn it is: order, ageing, shares, sweeping, and when asking again makes sense."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.marketo.call import Priority
from syncengine.transport.book import Book, Slot, Spent, Throttle, Waiter
from syncengine.transport.quota import hour_of
from syncengine.transport.turns import (
    LOOK_AGAIN_SECONDS,
    SHARE_CUT,
    WAITER_LATE_SECONDS,
    Exhausted,
    GateLimits,
    Granted,
    Moment,
    NotYet,
    ask,
    cut,
    ours,
    poll_turn,
    rank,
    share_now,
    sweep,
)
from syncengine.transport.window import SlidingWindow
from tests.virtual import ORIGIN

NOW = 5_000.0
LIMITS = GateLimits()
WINDOW = SlidingWindow(100, 20.0)


def waiter(name: str = "me", at: float = NOW, since: float = NOW) -> Waiter:
    return Waiter(name, name, since, at)


def asked(book: Book, me: Waiter, now: float = NOW, limits: GateLimits = LIMITS) -> Granted | NotYet | Exhausted:
    moment = Moment(ORIGIN + timedelta(seconds=now - NOW), now)
    return ask(book, me, limits, moment, name="call", seconds=120.0, billed=True)


def filled(*window_free_at: float, in_flight: int = 0) -> Book:
    """A book with answered calls whose places come back at these moments, and calls under way."""
    book = Book()
    for number, at in enumerate(window_free_at, 1):
        book.slots[number] = Slot(number, "me", "call", at - 20.2, at + 99.8, at, at - 20.0)
    for number in range(len(window_free_at) + 1, len(window_free_at) + 1 + in_flight):
        book.slots[number] = Slot(number, "me", "call", NOW, NOW + 120.0)
    book.marks["last_slot"] = float(len(book.slots))
    return book


def test_a_granted_call_holds_a_slot_and_is_booked() -> None:
    """Being let in takes a place in both limits, leaves the line, and books one call of the day."""
    book = Book(waiters={"me": waiter()})

    assert Granted(Slot(1, "me", "call", NOW, NOW + 120.0)) == asked(book, waiter())
    assert ({}, 1, Spent(1)) == (book.waiters, len(book.slots), book.spent[hour_of(ORIGIN)])


@given(
    st.lists(st.floats(-5.0, 20.0), max_size=130),
    st.integers(0, 12),
    st.integers(0, 5),
)
def test_nobody_is_let_in_over_a_limit_nor_sent_to_sleep_beside_a_place(
    free_in: list[float], in_flight: int, ahead: int
) -> None:
    """`ask` grants exactly when both limits have room for those ahead and this call; else it names a later moment."""
    book = filled(*(NOW + seconds for seconds in free_in), in_flight=in_flight)
    for number in range(ahead):
        book.waiters[str(number)] = waiter(str(number), NOW + 1.0, since=NOW - 10.0)
    taken = sum(seconds > 0 for seconds in free_in) + in_flight
    answer = asked(book, waiter())

    assert (taken + ahead < 100 and in_flight + ahead < 10) == isinstance(answer, Granted)
    if isinstance(answer, NotYet):
        assert NOW < answer.ask_at <= NOW + 20.0
        assert answer.ask_at == book.waiters["me"].asks_again_at


@given(st.lists(st.floats(0.001, 20.0), min_size=91, max_size=100), st.integers(0, 8))
def test_a_waiter_asks_the_moment_its_place_comes_free(free_in: list[float], ahead: int) -> None:
    """With only answered calls in the way, the moment named is the very opening that this waiter is waiting for."""
    book = filled(*(NOW + seconds for seconds in free_in))
    for number in range(ahead):
        book.waiters[str(number)] = waiter(str(number), NOW + 1.0, since=NOW - 10.0)
    answer = asked(book, waiter())
    needed = len(free_in) + ahead + 1 - 100

    if needed > 0:
        assert answer == NotYet(sorted(NOW + seconds for seconds in free_in)[needed - 1])
    else:
        assert isinstance(answer, Granted)


def test_a_call_under_way_is_waited_for_as_if_answered_now() -> None:
    """Its place cannot be back sooner than a window from now, however late its worst case."""
    book = filled(*[NOW + 300.0] * 99, in_flight=1)

    assert NotYet(NOW + 20.0) == asked(book, waiter())


def test_a_full_flight_is_looked_at_again_soon() -> None:
    """When calls in flight are what is in the way, nobody knows their end: asking again is soon but no busy loop."""
    assert NotYet(NOW + LOOK_AGAIN_SECONDS) == asked(filled(in_flight=10), waiter())


def test_interactive_calls_pass_background_calls_of_the_same_window() -> None:
    """An ad hoc call stands before background calls that began to wait less than a window earlier, and no others."""
    interactive = rank(Priority.INTERACTIVE, NOW, 20.0)

    assert interactive < rank(Priority.BACKGROUND, NOW - 19.9, 20.0)
    assert interactive > rank(Priority.BACKGROUND, NOW - 20.1, 20.0)


@given(st.lists(st.tuples(st.sampled_from(Priority), st.floats(0.0, 100.0)), min_size=2, max_size=20, unique=True))
def test_one_place_goes_to_the_best_waiter(waiting: list[tuple[Priority, float]]) -> None:
    """Of all who wait, in whatever order they ask, only those of the best rank are let in."""
    book = filled(*[NOW + 10.0] * 99)
    line = [waiter(str(n), NOW, since=rank(who, NOW - age, 20.0)) for n, (who, age) in enumerate(waiting)]
    book.waiters = {each.id: each for each in line}
    let_in = [each for each in line if isinstance(asked(book, each), Granted)]

    assert [min(each.rank for each in line)] == [each.rank for each in let_in]


def test_a_dead_waiter_loses_its_place_in_line_and_a_dead_call_its_slot() -> None:
    """Sweeping forgets waiters that did not ask when they meant to, and calls that hold nothing any more."""
    book = Book(waiters={"late": waiter("late", NOW - WAITER_LATE_SECONDS - 0.1), "ok": waiter("ok", NOW - 1.0)})
    dead = Slot(1, "gone", "call", NOW - 200.0, NOW - 50.0)
    book.slots = {1: dead, 2: Slot(2, "gone", "call", NOW - 199.0, NOW - 49.0)}
    book.slots[3] = Slot(3, "me", "file", NOW - 90.0, NOW + 30.0, window_free_at=NOW - 60.0)
    sweep(book, WINDOW, NOW)

    assert (["ok"], [2, 3]) == (list(book.waiters), list(book.slots))


def test_a_burst_of_refusals_cuts_once() -> None:
    """Refusals of calls sent before the cut tell nothing new; one sent after it cuts again."""
    book = Book()
    for number in range(10):
        cut(book, "flight", Slot(number, "me", "call", NOW - 1.0, NOW + 119.0), LIMITS, NOW + number / 100)

    assert Throttle(SHARE_CUT, NOW) == book.throttles["flight"]
    cut(book, "flight", Slot(11, "me", "call", NOW + 1.0, NOW + 121.0), LIMITS, NOW + 1.2)
    assert Throttle(SHARE_CUT * SHARE_CUT, NOW + 1.2) == book.throttles["flight"]


@pytest.mark.parametrize(
    ("after", "share"), [(0.0, 0.7), (19.9, 0.7), (20.0, 0.8), (40.0, 0.9), (60.0, 1.0), (6_000.0, 1.0)]
)
def test_a_cut_share_grows_one_step_a_window(after: float, share: float) -> None:
    """From 0.7 the share grows by 0.1 for each full window, up to the whole."""
    assert pytest.approx(share) == share_now(Throttle(0.7, NOW), NOW + after, 20.0)


def test_cuts_never_leave_nothing() -> None:
    """However often it is cut, at least one call may be in flight, and the share grows back."""
    book = Book()
    for number in range(100):
        cut(book, "flight", Slot(number, "me", "call", NOW + number, NOW + 120.0), LIMITS, NOW + number)

    assert 1 == ours(10, LIMITS, book, "flight", NOW + 100.0)
    assert 10 == ours(10, LIMITS, book, "flight", NOW + 100.0 + 200.0)


def test_limits_round_down_to_the_share() -> None:
    """Half of ten is five, and 0.7 of ten is seven in spite of binary fractions."""
    book = Book(throttles={"flight": Throttle(0.7, NOW)})

    assert 5 == ours(10, GateLimits(share=0.5), Book(), "flight", NOW)
    assert 7 == ours(10, LIMITS, book, "flight", NOW)
    assert 3 == ours(10, GateLimits(share=0.5), book, "flight", NOW)


def test_a_full_window_at_the_server_closes_the_gate_for_a_window() -> None:
    """After 606 nobody is let in until the server's window has drained, and a second refusal closes from its moment."""
    book = Book()
    cut(book, "window", Slot(1, "me", "call", NOW - 1.0, NOW + 119.0), LIMITS, NOW)
    cut(book, "window", Slot(2, "me", "call", NOW - 1.0, NOW + 119.0), LIMITS, NOW + 0.5)

    assert NotYet(NOW + 20.5) == asked(book, waiter(), NOW + 1.0)
    assert isinstance(asked(book, waiter(), NOW + 20.5), Granted)


def test_a_full_flight_closes_nothing() -> None:
    """After 615 the next call may go at once, under the smaller limit."""
    book = Book()
    cut(book, "flight", Slot(1, "me", "call", NOW - 1.0, NOW + 119.0), LIMITS, NOW)

    assert isinstance(asked(book, waiter()), Granted)


def test_the_day_ends_at_its_last_call_but_the_reserve() -> None:
    """When what is ours of the day is spent, asking answers with the reset, and the waiter leaves the line."""
    limits = GateLimits(calls_per_day=3, reserve_calls=1)
    book = Book(waiters={"me": waiter()})
    answers = [asked(book, waiter(), limits=limits) for _ in range(3)]

    assert [Granted, Granted, Exhausted] == [type(each) for each in answers]
    assert {} == book.waiters


def test_calls_that_are_not_billed_know_no_day() -> None:
    """Identity is reached even when the day's calls are gone, and books none."""
    book = Book(pauses={"calls": ORIGIN + timedelta(hours=3)})
    free = ask(book, waiter(), LIMITS, Moment(ORIGIN, NOW), name="identity", seconds=120.0, billed=False)

    assert isinstance(free, Granted)
    assert {} == book.spent


def test_marketos_own_word_pauses_until_its_moment() -> None:
    """After 607 no billed call goes before the reset; then one probes, whatever our ledger said."""
    resume_at = ORIGIN + timedelta(seconds=60)
    book = Book(pauses={"calls": resume_at})

    assert Exhausted(resume_at) == asked(book, waiter(), NOW + 59.9)
    assert isinstance(asked(book, waiter(), NOW + 60.0), Granted)


def test_polls_take_turns_by_kind() -> None:
    """A kind is polled at most once in its seconds, and whoever comes early learns how long to wait."""
    book = Book()

    assert [0.0, 50.0, 0.0] == [
        poll_turn(book, "leads", 60.0, NOW),
        poll_turn(book, "leads", 60.0, NOW + 10.0),
        poll_turn(book, "leads", 60.0, NOW + 60.0),
    ]
    assert 0.0 == poll_turn(book, "activities", 60.0, NOW + 1.0)


@pytest.mark.parametrize("taken_in", [0.5, 59.0, 61.0, 100_000.0])
def test_a_turn_of_a_faster_clock_is_waited_for_once(taken_in: float) -> None:
    """A mark in the future is not ours: whoever meets it waits one turn at the longest, and then has the next."""
    book = Book(marks={"poll:leads": NOW + taken_in})

    assert [60.0, 20.0, 0.0] == [poll_turn(book, "leads", 60.0, at) for at in (NOW, NOW + 40.0, NOW + 60.0)]
    assert 60.0 == poll_turn(book, "leads", 60.0, NOW + 60.0)


@given(st.floats(0, 1e6), st.floats(0, 1e4), st.floats(1, 60))
def test_whoever_has_waited_a_window_longer_passes_the_next_better_priority(
    since: float, longer: float, window: float
) -> None:
    """Interactive, background, patient: one window apart, so that nobody waits for ever."""
    ranks = [rank(each, since, window) for each in (Priority.INTERACTIVE, Priority.BACKGROUND, Priority.PATIENT)]
    assert sorted(ranks) == ranks
    assert pytest.approx([window, window]) == [ranks[1] - ranks[0], ranks[2] - ranks[1]]
    is_ahead = rank(Priority.PATIENT, since, window) < rank(Priority.BACKGROUND, since + longer, window)
    assert is_ahead == (longer > window) or abs(longer - window) < 1e-6


def test_every_priority_has_a_rank() -> None:
    """A new one without a place in line would end the first call that has it."""
    assert len(Priority) == len({rank(each, NOW, 20.0) for each in Priority})

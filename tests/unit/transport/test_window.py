"""The slot rule against a server that stamps calls wherever it likes between their sending and their answer."""

import heapq
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.marketo.call import Priority
from syncengine.transport.book import Book, Slot, Waiter
from syncengine.transport.turns import GateLimits, Granted, Moment, NotYet, ask, rank
from syncengine.transport.window import LOST_CALL_SECONDS, InFlight, SlidingWindow
from tests.virtual import ORIGIN

LIMITS = GateLimits()
HEADERS_SECONDS = 120.0


def slot(**known: float) -> Slot:
    return Slot(id=1, holder="me", name="call", sent_at=100.0, deadline=220.0, **known)


def test_a_place_is_held_until_a_window_after_the_headers() -> None:
    """An answered call gives its place back exactly when it was said to, and holds it up to then."""
    window, answered = SlidingWindow(100, 20.0), slot(window_free_at=121.0)

    assert [1, 0] == [window.taken([answered], 120.999), window.taken([answered], 121.0)]


def test_a_lost_call_holds_its_places_longest() -> None:
    """Without an answer, flight ends 30 s after the deadline, and the window's place comes back 20 s later."""
    assert 220.0 + LOST_CALL_SECONDS == InFlight.free_at(slot())
    assert 220.0 + LOST_CALL_SECONDS + 20.0 == SlidingWindow(100, 20.0).free_at(slot())


def test_openings_are_the_future_ones_in_order() -> None:
    """What came free already is no opening; the rest comes earliest first."""
    slots = [slot(window_free_at=at) for at in (130.0, 110.0, 120.0)]

    assert [120.0, 130.0] == SlidingWindow(100, 20.0).openings(slots, 110.0)


@dataclass(frozen=True)
class Exchange:
    """One call of the model: when the server stamps it (share of the way), how long it takes, how it ends."""

    seconds: float
    stamp_share: float
    body_seconds: float
    end: str  # answered, lost (no answer; the server may stamp it late), or dead (its process dies)


@dataclass
class Server:
    """Counts what a server would: stamps in any window, and calls in flight at once."""

    stamps: list[float] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)

    def largest_window(self, seconds: float) -> int:
        stamps, largest, first = sorted(self.stamps), 0, 0
        for last, at in enumerate(stamps):
            while stamps[first] <= at - seconds + 1e-6:
                first += 1
            largest = max(largest, last - first + 1)
        return largest

    def most_in_flight(self) -> int:
        moves = sorted([(end - 1e-6, -1) for _, end in self.spans] + [(start, 1) for start, _ in self.spans])
        now, most = 0, 0
        for _, step in moves:
            now += step
            most = max(most, now)
        return most


def exchanges() -> st.SearchStrategy[Exchange]:
    return st.builds(
        Exchange,
        seconds=st.floats(0.02, 3.0),
        stamp_share=st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0.0, 1.0),
        body_seconds=st.just(0.0) | st.floats(0.0, 2.0),
        end=st.sampled_from(["answered"] * 40 + ["lost", "dead"]),
    )


class Model:
    """Drives `ask` as the gate does, in event order, with `processes` first-in-line waiters on one book."""

    def __init__(self, calls: list[Exchange], processes: int) -> None:
        self.book, self.server = Book(), Server()
        self.refusals = 0
        self.events: list[tuple[float, int, str, object]] = []
        self.number = 0
        self.calls = calls
        for process in range(processes):
            self.at(1_000.0, "ask", (process, 0))

    def at(self, when: float, kind: str, what: object) -> None:
        self.number += 1
        heapq.heappush(self.events, (when, self.number, kind, what))

    def run(self) -> None:
        while self.events:
            now, _, kind, what = heapq.heappop(self.events)
            getattr(self, kind)(now, what)

    def ask(self, now: float, what: tuple[int, int]) -> None:
        process, turn = what
        if not self.calls:
            return
        waiter = Waiter(f"{process}/{turn}", str(process), rank(Priority.BACKGROUND, now, 20.0), now)
        waiter = self.book.waiters.get(waiter.id, waiter)
        answer = ask(self.book, waiter, LIMITS, Moment(ORIGIN, now), name="c", seconds=HEADERS_SECONDS, billed=False)
        if isinstance(answer, Granted):
            self.begin(now, answer.slot, self.calls.pop())
            self.at(now, "ask", (process, turn + 1))
            return
        assert isinstance(answer, NotYet)
        assert answer.ask_at > now
        self.refusals += 1
        self.at(answer.ask_at, "ask", what)

    def begin(self, now: float, slot: Slot, call: Exchange) -> None:
        if call.end == "answered":
            headers = now + call.seconds
            self.server.stamps.append(now + call.seconds * call.stamp_share)
            self.server.spans.append((now, headers + call.body_seconds))
            self.at(headers, "note", (slot.id, {"window_free_at": headers + 20.0}))
            self.at(headers + call.body_seconds, "note", (slot.id, {"flight_free_at": headers + call.body_seconds}))
            return
        # The server may take up a call at any time before it would give it up itself.
        gone = now + HEADERS_SECONDS if call.end == "lost" else now + call.seconds
        worst = gone + LOST_CALL_SECONDS if call.end == "lost" else now + HEADERS_SECONDS + LOST_CALL_SECONDS
        self.server.stamps.append(now + (worst - now) * call.stamp_share)
        self.server.spans.append((now, worst))
        if call.end == "lost":
            self.at(gone, "note", (slot.id, {"flight_free_at": worst, "window_free_at": worst + 20.0}))

    def note(self, now: float, what: tuple[int, dict[str, float]]) -> None:
        number, known = what
        held = self.book.slots[number]
        fields = {name: getattr(held, name) for name in Slot.__slots__} | known
        self.book.slots[number] = Slot(**fields)


@given(st.lists(exchanges(), min_size=120, max_size=300), st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_the_server_never_counts_more_than_the_limits(calls: list[Exchange], processes: int) -> None:
    """However calls are delayed, lost or orphaned, no 20 s hold 101 of them and never are 11 in flight."""
    model = Model(calls, processes)
    model.run()

    assert model.server.largest_window(20.0) <= 100
    assert model.server.most_in_flight() <= 10


def test_the_model_server_can_count_too_many() -> None:
    """A window of sending times, which is the usual limiter, is caught by the same model."""
    server = Server()
    for number in range(200):
        sent = 1_000.0 + 20.0 * (number // 100)
        server.stamps.append(sent + (3.0 if number < 100 else 0.0))
        server.spans.append((sent, sent + 3.0))

    assert 200 == server.largest_window(20.0)
    assert 100 == server.most_in_flight()


def test_a_saturated_window_is_used_to_the_limit() -> None:
    """A thousand calls of 200 ms take their places as soon as these come free: 100 in each 20.2 s."""
    model = Model([Exchange(0.2, 0.5, 0.0, "answered")] * 1_000, 3)
    model.run()
    stamps = sorted(model.server.stamps)

    assert stamps[-1] - stamps[0] <= 9 * 20.2 + 2.5
    assert 100 == model.server.largest_window(20.0)
    assert model.refusals <= 3_000

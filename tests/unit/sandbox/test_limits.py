"""Tests of the rate window, the day ledgers and the order of refusals."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.sandbox.limits import ArrivalWindow, DayLedger, Limits, reset_zone
from tests.unit.sandbox.caller import small_options

START = 1_768_478_400.0


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@given(st.lists(st.integers(0, 400), max_size=120), st.integers(1, 300))
def test_window_counts_as_brute_force_does(gaps: list[int], seconds: int) -> None:
    """The window holds exactly the arrivals of the past `seconds`, and remembers the most that it ever held."""
    window, stamps, largest = ArrivalWindow(seconds / 10), list[float](), 0
    tick = 0
    for gap in gaps:
        tick += gap
        stamps.append(tick)
        window.add(START + tick / 10)
        expected = sum(1 for stamp in stamps if tick - stamp < seconds)
        largest = max(largest, expected)
        assert expected == window.count(START + tick / 10)
    assert largest == window.largest


@pytest.mark.parametrize("offset", [0.0, 0.1, 1 / 3, 0.7])
def test_a_call_exactly_one_window_later_finds_its_slot_free(offset: float) -> None:
    """Rounding of large floats never makes a call that waited a full window too early."""
    window = ArrivalWindow(20)
    window.add(START + offset)
    assert window.count(START + offset + 19.999) == 1
    assert window.count(START + offset + 20) == 0


@pytest.mark.parametrize(
    ("reading", "instant", "expected"),
    [
        ("CST fixed", "2026-07-01T05:59:59", "2026-06-30"),
        ("CST fixed", "2026-07-01T06:00:00", "2026-07-01"),
        ("Central", "2026-07-01T04:59:59", "2026-06-30"),
        ("Central", "2026-07-01T05:00:00", "2026-07-01"),
        ("Central", "2026-01-15T05:59:59", "2026-01-14"),
        ("Central", "2026-01-15T06:00:00", "2026-01-15"),
    ],
)
def test_a_day_begins_at_midnight_of_the_chosen_reading(reading: str, instant: str, expected: str) -> None:
    """Both readings of Adobe's reset hour differ only while daylight saving time is in force."""
    ledger = DayLedger(reset_zone("Central" if reading == "Central" else "CST fixed"))
    assert expected == ledger.day(unix(instant))


def test_ledger_forgets_nothing_of_other_days() -> None:
    """Amounts are kept by day and the recent days come newest first."""
    ledger = DayLedger(reset_zone("CST fixed"))
    for day in range(10):
        ledger.add(START + day * 86_400, day)
    assert ledger.used(START + 3 * 86_400) == 3
    assert [day for _, day in ledger.recent(START + 9 * 86_400, 7)] == [9, 8, 7, 6, 5, 4, 3]


def test_rate_comes_before_flight_and_flight_before_quota() -> None:
    """A call that breaks several limits is told of the first."""
    limits = Limits(small_options(calls_per_window=1, in_flight=1, calls_per_day=1))
    limits.count(START, is_identity=False)
    limits.in_flight = 1
    codes = []
    for now, in_flight in ((START, 1), (START + 20, 1), (START + 20, 0)):
        limits.in_flight = in_flight
        refused = limits.refuse(now, is_identity=False)
        codes.append(refused.code if refused else "")
    assert codes == ["606", "615", "607"]


def test_identity_calls_fill_the_window_but_not_the_day() -> None:
    """Asking for a token costs a place in the window and none of the day's calls."""
    limits = Limits(small_options(calls_per_day=0))
    limits.count(START, is_identity=True)
    assert limits.window.count(START) == 1
    assert limits.calls.used(START) == 0
    assert limits.refuse(START, is_identity=True) is None


def test_exports_stop_when_the_days_bytes_are_used_up() -> None:
    """The refusal carries the quota in megabytes and ends with the day."""
    limits = Limits(small_options(export_bytes_per_day=5_000_000))
    limits.exported.add(START, 5_000_000)
    refused = limits.refuse_export(START)
    assert refused is not None
    assert (refused.code, refused.message) == ("1029", "Export daily quota 5MB exceeded")
    assert limits.refuse_export(START + 86_400) is None

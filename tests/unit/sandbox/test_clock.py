"""Tests of the scaled clock."""

from datetime import UTC, datetime

from syncengine.sandbox.clock import SandboxClock, http_date
from tests.unit.sandbox.caller import small_options


def test_the_clock_runs_as_fast_as_it_is_told() -> None:
    """Sandbox time is the start plus real time times the speed."""
    real = [100.0]
    clock = SandboxClock(small_options(speed=60, start=datetime(2026, 1, 1, tzinfo=UTC)), monotonic=lambda: real[0])
    begin = clock.now()
    real[0] += 1.5
    assert begin == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert clock.now() == begin + 90


def test_dates_are_those_of_http() -> None:
    """The Date header names whole seconds in GMT."""
    assert http_date(1_768_478_400.9) == "Thu, 15 Jan 2026 12:00:00 GMT"

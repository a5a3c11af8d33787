"""How figures and instants are shown."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.service.seen import figures

AT = datetime(2026, 7, 4, 22, 5, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (figures.count(1_234_567), "1,234,567"),
        (figures.count(0), "0"),
        (figures.count(None), figures.UNKNOWN),
        (figures.megabytes(86_340_000), "86.3 MB"),
        (figures.megabytes(None), figures.UNKNOWN),
        (figures.span(0.4), "0 s"),
        (figures.span(119), "119 s"),
        (figures.span(120), "2 min"),
        (figures.span(38 * 60), "38 min"),
        (figures.span(2 * 3600 + 5 * 60), "2 h 05 min"),
        (figures.span(50 * 3600), "2 d 2 h"),
        (figures.span(None), figures.UNKNOWN),
        (figures.percent(0, 50_000), "0 %"),
        (figures.percent(1, 50_000), "<1 %"),
        (figures.percent(25_000, 50_000), "50 %"),
        (figures.percent(1, 0), "0 %"),
        (figures.day(date(2026, 3, 1)), "Sun 1 Mar"),
        (figures.utc(AT), "2026-07-04 22:05Z"),
        (figures.utc(None), figures.UNKNOWN),
        (figures.clock_utc(AT), "22:05Z"),
        (figures.local(AT, "Europe/Berlin"), "Sun 5 Jul 00:05 CEST"),
        (figures.local(AT, "UTC"), "Sat 4 Jul 22:05 UTC"),
        (figures.local(None, "UTC"), figures.UNKNOWN),
        (figures.machine(AT), "2026-07-04T22:05:59Z"),
        (figures.short(0), "0"),
        (figures.short(2.5), "2.5"),
        (figures.short(1_200), "1.2k"),
        (figures.short(30_000_000), "30M"),
        (figures.short(4_000_000_000), "4G"),
    ],
)
def test_a_figure_is_shown_to_a_precision_that_fits_it(shown: str, expected: str) -> None:
    """Thousands apart, decimal megabytes, spans in the unit that people would take."""
    assert expected == shown


@given(st.integers(-14, 14))
def test_an_instant_is_the_same_in_whatever_zone_it_comes(hours: int) -> None:
    """What is shown as UTC is UTC."""
    there = AT.astimezone(timezone(timedelta(hours=hours)))
    assert (figures.utc(AT), figures.machine(AT)) == (figures.utc(there), figures.machine(there))

"""Figures and instants as the page and its live values show them; both go through here, so that they never differ.

Sizes are decimal, times of day name their zone, and what is not known is a dash.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

MEGABYTE = 1_000_000
UNKNOWN = "–"  # noqa: RUF001  # a dash on the page, not a minus sign
STEPS = ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"))


def count(number: float | None) -> str:
    """A whole number with its thousands apart."""
    return UNKNOWN if number is None else f"{number:,.0f}"


def megabytes(size: float | None) -> str:
    """A size in decimal megabytes, with its unit."""
    return UNKNOWN if size is None else f"{size / MEGABYTE:,.1f} MB"


def span(seconds: float | None) -> str:
    """A length of time, to a precision that fits it."""
    if seconds is None:
        return UNKNOWN
    if seconds < 120:
        return f"{max(0.0, seconds):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def percent(part: float, whole: float) -> str:
    """How much of a whole; more than nothing is never shown as nothing."""
    share = 100 * part / whole if whole else 0.0
    return "<1 %" if 0 < share < 1 else f"{share:.0f} %"


def day(at: date) -> str:
    """A day with its weekday."""
    return f"{at:%a} {at.day} {at:%b}"


def utc(at: datetime | None) -> str:
    """An instant in UTC, to the minute."""
    return UNKNOWN if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%MZ}"


def clock_utc(at: datetime) -> str:
    """The time of day in UTC."""
    return f"{at.astimezone(UTC):%H:%MZ}"


def local(at: datetime | None, zone: str) -> str:
    """An instant by the clock of a zone, which it names."""
    if at is None:
        return UNKNOWN
    there = at.astimezone(ZoneInfo(zone))
    return f"{day(there)} {there:%H:%M} {'UTC' if zone == 'UTC' else there.tzname()}"


def machine(at: datetime) -> str:
    """An instant as HTML's `datetime` takes it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def short(number: float) -> str:
    """A number on an axis: 1.2k, 30M."""
    for step, letter in STEPS:
        if number >= step:
            return f"{number / step:.1f}".removesuffix(".0") + letter
    return f"{number:.1f}".removesuffix(".0")

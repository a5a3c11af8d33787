"""Typed values and their texts: how a cell looks in an export file, how it looks in the truth, how it is read back.

A datetime is held as whole Unix seconds, a date as its text; None is Marketo's null. Separate so that the stores
never format and the writers never guess a type.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from syncengine.sandbox.fields import DECIMAL_TYPES, WHOLE_TYPES

Value = str | int | float | bool | None

BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
OFFSETS = ("+0200", "+05:30", "-0800", "Z", "+00:00", "-03:30", "+0000")


class ClockTexts(dict[int, str]):
    """Seconds of a day as HH:MM:SS, and days since 1970 as dates, each formatted once."""

    def __init__(self, form: Callable[[int], str]) -> None:
        super().__init__()
        self._form = form

    def __missing__(self, number: int) -> str:
        text = self[number] = self._form(number)
        return text


def utc_formatter() -> Callable[[int], str]:
    """A quick formatter of Unix seconds as 2024-03-01T10:00:00Z."""
    days = ClockTexts(lambda day: (date(1970, 1, 1) + timedelta(days=day)).isoformat())
    clocks = ClockTexts(lambda second: f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}")
    return lambda seconds: f"{days[seconds // 86_400]}T{clocks[seconds % 86_400]}Z"


def with_offset(seconds: int) -> str:
    """Unix seconds with an offset that depends on the instant, as 2024-03-01T12:00:00+0200."""
    offset = OFFSETS[seconds % len(OFFSETS)]
    if offset == "Z":
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digits = offset.replace(":", "")
    minutes = int(digits[1:3]) * 60 + int(digits[3:5])
    zone = timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%dT%H:%M:%S") + offset


INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:?\d\d)")


def parse_instant(text: str) -> int:
    """Unix seconds of an ISO 8601 text with offset and without milliseconds.

    Raises ValueError for anything else.
    """
    if not INSTANT.fullmatch(text):
        raise ValueError(f"not an ISO 8601 datetime with offset and without milliseconds: {text!r}")
    return int(datetime.fromisoformat(text).timestamp())


def coerced(data_type: str, value: Any) -> Value:  # noqa: PLR0911  # a return for each family of types
    """A JSON value as this type's value; raises ValueError, TypeError or KeyError when it is not one."""
    if value is None:
        return None
    if data_type in WHOLE_TYPES:
        return int(value)
    if data_type in DECIMAL_TYPES:
        return float(value)
    if data_type == "boolean":
        return value if isinstance(value, bool) else BOOLEANS[str(value).lower()]
    if data_type == "datetime":
        return value if isinstance(value, int) else parse_instant(str(value))
    if data_type == "date":
        return date.fromisoformat(str(value)).isoformat()
    return str(value)


def truth_converter(data_type: str) -> Callable[[list[Value]], list[Any]]:
    """Turns a column into JSON values: datetimes become RFC 3339 UTC, all else stays."""
    if data_type != "datetime":
        return list
    utc = utc_formatter()
    return lambda column: [None if value is None else utc(int(value)) for value in column]

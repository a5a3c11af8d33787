"""What a write may put into a field: a text of a file or a JSON value becomes this type's value, or a reason why not.

"Invalid data type in field Lead Score" is Adobe's wording; that for a text that is too long is a guess:
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-program-member-import
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/field-types
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from syncengine.sandbox.fields import DECIMAL_TYPES, LENGTHS, WHOLE_TYPES
from syncengine.sandbox.values import BOOLEANS, Value, parse_instant

WHOLE = re.compile(r"[+-]?\d{1,10}")
DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
WHOLE_MOST = 2**31 - 1
INVALID_EMAIL = "Invalid email address"


class BadCell(Exception):
    """A value that its field does not take; the text is the reason that a client is given."""


@dataclass(frozen=True, slots=True)
class Target:
    """A field as a write sees it; `length` 0 stands for no bound."""

    name: str
    label: str
    data_type: str
    length: int = 0


def target(name: str, label: str, data_type: str, length: int = 0) -> Target:
    """A field with the length of its type, where it has none of its own."""
    return Target(name, label, data_type, length or LENGTHS.get(data_type, 0))


def _whole(value: Any) -> Value:
    if isinstance(value, str) and not WHOLE.fullmatch(value.strip()):
        raise ValueError
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    number = int(value)
    if not -WHOLE_MOST - 1 <= number <= WHOLE_MOST:
        raise ValueError
    return number


def _decimal(value: Any) -> Value:
    if isinstance(value, bool) or (isinstance(value, str) and not DECIMAL.fullmatch(value.strip())):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(value: Any) -> Value:
    return value if isinstance(value, bool) else BOOLEANS[str(value).strip().lower()]


def _instant(value: Any) -> Value:
    if not isinstance(value, str):
        raise TypeError
    return parse_instant(value.strip())


def _day(value: Any) -> Value:
    if not isinstance(value, str) or not DAY.fullmatch(value.strip()):
        raise ValueError
    return date.fromisoformat(value.strip()).isoformat()


def _text(value: Any) -> Value:
    if isinstance(value, (dict, list)):
        raise TypeError
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _reader(data_type: str) -> Callable[[Any], Value]:
    if data_type in WHOLE_TYPES:
        return _whole
    if data_type in DECIMAL_TYPES:
        return _decimal
    return {"boolean": _boolean, "datetime": _instant, "date": _day}.get(data_type, _text)


def cell_reader(field: Target) -> Callable[[Any], Value]:
    """Reads values for a field; an empty text is null. The reader raises BadCell."""
    if _reader(field.data_type) is _text:
        return _text_reader(field)
    read = _reader(field.data_type)

    def convert(value: Any) -> Value:
        if value is None or value == "":
            return None
        try:
            return read(value)
        except (ValueError, TypeError, KeyError, OverflowError):
            raise BadCell(f"Invalid data type in field {field.label}") from None

    return convert


def _text_reader(field: Target) -> Callable[[Any], Value]:
    length, is_address = field.length or math.inf, field.name == "email"

    def convert(value: Any) -> Value:
        if value is None or value == "":
            return None
        try:
            text = value if isinstance(value, str) else str(_text(value))
        except TypeError:
            raise BadCell(f"Invalid data type in field {field.label}") from None
        if len(text) > length:
            raise BadCell(f"Value too long in field {field.label}")
        if is_address and not text.isascii():
            raise BadCell(f"Invalid characters in field {field.label}")
        return text

    return convert

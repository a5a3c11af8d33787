"""The parts that every create call of an export shares: fields, headers, format, date ranges; each is judged here.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract
"""

from collections.abc import Collection, Mapping
from typing import Any

from syncengine.sandbox.files import DELIMITERS
from syncengine.sandbox.replies import invalid
from syncengine.sandbox.values import parse_instant

RANGE_SECONDS_MAX = 31 * 86_400

Chosen = tuple[tuple[str, str, str], ...]


def chosen_fields(asked: Mapping[str, Any], types: Mapping[str, str], headers: Mapping[str, str]) -> Chosen:
    """The fields of an export as (name, type, column header); `headers` are those that differ from the name."""
    names = asked.get("fields")
    if not isinstance(names, list) or not names:
        raise invalid("'fields' cannot be blank")
    unknown = [str(name) for name in names if name not in types]
    if unknown:
        raise invalid(f"Invalid fields: {', '.join(unknown)}")
    if len(set(names)) < len(names):
        raise invalid("A field is named twice")
    renamed = an_object(asked.get("columnHeaderNames") or {}, "columnHeaderNames")
    strangers = sorted(set(renamed) - set(names))
    if strangers:
        raise invalid(f"columnHeaderNames names fields that are not exported: {', '.join(strangers)}")
    return tuple((name, types[name], str(renamed.get(name, headers.get(name, name)))) for name in names)


def file_format(asked: Mapping[str, Any]) -> str:
    """CSV, TSV or SSV."""
    given = asked.get("format") or "CSV"
    if given not in DELIMITERS:
        raise invalid(f"Invalid format: {given}")
    return str(given)


def an_object(value: Any, name: str) -> dict[str, Any]:
    """The value, if it is a JSON object."""
    if not isinstance(value, dict):
        raise invalid(f"Invalid value specified for attribute '{name}'")
    return value


def known_filters(asked: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The filter object, if it names known filters alone."""
    filters = an_object(asked.get("filter"), "filter")
    unknown = sorted(set(filters) - set(known))
    if unknown:
        raise invalid(f"Invalid filter: {', '.join(unknown)}")
    return filters


def one_filter(asked: Mapping[str, Any], known: Collection[str]) -> tuple[str, Any]:
    """Name and value of the only filter."""
    filters = known_filters(asked, known)
    if len(filters) != 1:
        raise invalid("Exactly one filter type is required")
    ((name, value),) = filters.items()
    return name, value


def whole_numbers(value: Any, name: str) -> list[int]:
    """A list of integers."""
    if not isinstance(value, list) or not all(type(one) is int for one in value):
        raise invalid(f"'{name}' is a list of integers")
    return value


def date_range(value: Any, name: str, now: float) -> tuple[int, int]:
    """Both ends of a date range, inclusive Unix seconds."""
    given = an_object(value, name)
    try:
        start, end = parse_instant(str(given["startAt"])), parse_instant(str(given["endAt"]))
    except (KeyError, ValueError):
        raise invalid(
            f"Invalid value specified for attribute '{name}': startAt and endAt as ISO 8601 datetimes"
        ) from None
    if end < start:
        raise invalid(f"'{name}': endAt lies before startAt")
    if end - start > RANGE_SECONDS_MAX:
        raise invalid(f"'{name}': the date range must be 31 days or fewer")
    if start > now:
        raise invalid(f"'{name}': startAt lies in the future")
    return start, end

"""How each stream is asked for and what that costs, in words for people: nothing here is measured or spent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from syncengine.exports.streams import STREAMS, Bulk, ByKey, Listing, Since, Stream, stream_of
from syncengine.marketo.endpoints import programs
from syncengine.marketo.limits import (
    ASSET_PAGE_ROWS_MAX,
    EXPORT_PROGRAMS_MAX,
    EXPORT_WINDOW_DAYS_MAX,
    FILTER_VALUES_MAX,
    PAGE_ROWS_MAX,
)

# Streams whose listing is one call, whatever is in it.
ONE_CALL = frozenset({"activity_types", "partitions", "usage"})


@dataclass(frozen=True, slots=True)
class StreamLine:
    """One stream as `syncengine streams` shows it; `cursor` is empty for what is read whole each time."""

    stream: str
    is_on: bool
    way: str
    cost: str
    key: tuple[str, ...]
    cursor: str
    needs: tuple[str, ...]
    permission: str


def lines(on: Collection[str], custom_objects: Sequence[str] = ()) -> tuple[StreamLine, ...]:
    """Every stream of the table, then the custom objects that were found or are configured."""
    named = [name for name in on if name not in STREAMS and name.startswith("custom_object_") and "*" not in name]
    others = dict.fromkeys((*named, *custom_objects))
    return tuple(
        line(stream_of(name), is_on=name in on or (name in others and "custom_object_*" in on))
        for name in (*STREAMS, *others)
    )


def line(stream: Stream, *, is_on: bool) -> StreamLine:
    """One stream in words."""
    way, cost, cursor = asked(stream)
    return StreamLine(stream.name, is_on, way, cost, stream.key, cursor, stream.needs, stream.permission)


def asked(stream: Stream) -> tuple[str, str, str]:  # noqa: PLR0911  # a line for each way
    """The way of a stream, its cost, and what dates its rows."""
    match stream.way:
        case Bulk(parts="programs"):
            return "bulk export", f"{EXPORT_PROGRAMS_MAX} programs: 3 calls; 1 a minute for all", "updatedAt"
        case Bulk(parts="lists"):
            return "bulk export", "a list: 3 calls; 1 a minute for all", ""
        case Bulk():
            window = f"{EXPORT_WINDOW_DAYS_MAX} days or fewer"
            return "bulk export", f"{window}: 3 calls; 1 a minute for all", stream.way.filter_field or ""
        case Since():
            return "pages since the cursor", f"{PAGE_ROWS_MAX} rows: 1 call; 1 to begin", "activityDate"
        case ByKey():
            whose = f"{stream.way.stream}.{stream.way.field}"
            which = "changed values" if stream.way.only_changed else "values"
            return "by key", f"{FILTER_VALUES_MAX} {which} of {whose}: 1 call", ""
        case Listing() if stream.way.pages is programs.programs:
            return "whole listing", f"{ASSET_PAGE_ROWS_MAX} rows: 1 call", ""
        case Listing():
            return "whole listing", "1 call" if stream.name in ONE_CALL else f"{PAGE_ROWS_MAX} rows: 1 call", ""
        case _:
            return _special(stream)


def _special(stream: Stream) -> tuple[str, str, str]:
    if stream.name in ONE_CALL:
        return "whole listing", "1 call", ""
    return {
        "lead_changes": ("pages since the cursor", f"{PAGE_ROWS_MAX} rows: 1 call; 1 to begin", "activityDate"),
        "fields": ("describe of each object", "an object: 1 call", ""),
        "named_account_lists": ("by name", f"{FILTER_VALUES_MAX} names: 1 call", ""),
    }.get(stream.name, ("pages of each list", f"a list, or {PAGE_ROWS_MAX} rows of it: 1 call", ""))

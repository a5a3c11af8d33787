"""Values of any Arrow type as text of cells, exactly.

Apart from where the values come from. Numbers are plain digits, without an exponent and, where they are whole, without
".0"; decimals keep their scale. Dates are YYYY-MM-DD, times HH:MM:SS with a fraction where there is one. A timestamp
with a zone is told in UTC (2024-03-01T10:00:00Z), one without a zone as it stands and without a "Z", since nobody
knows what it means. NaN, which pandas writes where there is no number, is no value.
"""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from syncengine.errors import SourceUnusable

Column = Any  # an array of any type


def text_of(column: Column, name: str, of: str) -> pa.StringArray:
    """The column's values as text; `name` is the column's and `of` its source's.

    Raises SourceUnusable when they have no text: lists, structs, maps, bytes, intervals.
    """
    convert = _conversion(column.type)
    if convert is None:
        raise SourceUnusable(
            f"{of}: column {name!r} is of type {column.type}, which is no cell",
            advice="leave the column out, or make text of it first",
        )
    texts: pa.StringArray = convert(column)
    return texts


def _conversion(kind: Any) -> Callable[[Column], Column] | None:
    if isinstance(kind, pa.UuidType):
        return _uuids
    if isinstance(kind, pa.BaseExtensionType):
        return _inside(kind.storage_type, lambda column: column.storage)
    if kinds.is_dictionary(kind):
        return _inside(kind.value_type, lambda column: column.dictionary_decode())
    table: tuple[tuple[Callable[[Any], bool], Callable[[Column], Column]], ...] = (
        (_is_plain, _cast),
        (kinds.is_floating, _floats),
        (kinds.is_decimal, lambda column: _plain_digits(_cast(column))),
        (kinds.is_timestamp, _timestamps),
        (kinds.is_time, lambda column: _without_zeros(_cast(column))),
    )
    return next((convert for fits, convert in table if fits(kind)), None)


def _inside(kind: Any, opened: Callable[[Column], Column]) -> Callable[[Column], Column] | None:
    convert = _conversion(kind)
    return None if convert is None else lambda column: convert(opened(column))


def _is_plain(kind: Any) -> bool:
    fits = (kinds.is_null, kinds.is_string, kinds.is_large_string, kinds.is_boolean, kinds.is_integer, kinds.is_date)
    return any(fit(kind) for fit in (*fits, kinds.is_string_view))


def _cast(column: Column) -> Column:
    return column.cast(pa.string())


def _floats(column: Column) -> Column:
    compute: Any = pc
    if kinds.is_float16(column.type):
        column = column.cast(pa.float32())
    texts = _cast(column)
    texts = compute.if_else(compute.is_nan(column), pa.scalar(None, pa.string()), texts)
    return _plain_digits(compute.if_else(compute.equal(texts, "-0"), "0", texts))


def _plain_digits(texts: Column) -> Column:
    compute: Any = pc
    exponent = compute.match_substring_regex(texts, "[0-9][eE]")
    if not compute.any(exponent).as_py():
        return texts
    plain = [format(Decimal(text.as_py()), "f") for text in texts.filter(exponent)]
    return compute.replace_with_mask(texts, compute.fill_null(exponent, fill_value=False), pa.array(plain, pa.string()))


def _timestamps(column: Column) -> Column:
    compute: Any = pc
    if column.type.tz:
        column = column.cast(pa.timestamp(column.type.unit, "UTC"))
    return _without_zeros(compute.replace_substring(_cast(column), " ", "T"))


def _without_zeros(texts: Column) -> Column:
    compute: Any = pc
    whole = compute.replace_substring_regex(texts, r"\.0+(Z?)$", r"\1")
    return compute.replace_substring_regex(whole, r"(\.[0-9]*[1-9])0+(Z?)$", r"\1\2")


def _uuids(column: Column) -> Column:
    storage = column.storage.to_pylist()
    return pa.array([None if each is None else str(uuid.UUID(bytes=each)) for each in storage], pa.string())

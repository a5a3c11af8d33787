"""Rows of JSON answers -> Arrow record batches, typed by the stream's schema.

Apart from the parser of files, whose cells are all text: a JSON value says itself what it is. What both promise is the
same: a value that does not fit its column's type is NULL, and its text is kept in the row's `_unparsed`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from math import isfinite
from typing import Any

import orjson
import pyarrow as pa

from syncengine.errors import FileDamaged
from syncengine.exports.fields import landed
from syncengine.exports.tally import ParseProblems
from syncengine.marketo.rows import instant, whole
from syncengine.schema import FieldType, Schema

TRUE, FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})
# Python reads more as a number or a day than JSON and Marketo write: `1_000`, `2026-W10-1`, digits of other scripts.
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ].*)?")


def batch(rows: Sequence[Mapping[str, Any]], schema: Schema, problems: ParseProblems) -> pa.RecordBatch:
    """The rows as one batch of `landed(schema)`; members that the schema lacks are left out.

    Raises FileDamaged for a row whose key cannot be read: nothing could ever find it again.
    """
    columns: list[list[Any]] = [[] for _ in schema.fields]
    unparsed: list[str | None] = []
    for row in rows:
        misfits: dict[str, str] = {}
        for column, field in zip(columns, schema.fields, strict=True):
            stated = row.get(field.name)
            try:
                column.append(None if stated is None else value(stated, field.type))
            except ValueError:
                column.append(None)
                misfits[field.name] = text(stated)
            if column[-1] is None and field.name in schema.key:
                raise FileDamaged(f"an answer has a row without a {field.name} that can be read")
        problems.unparsed.update(misfits.keys())
        unparsed.append(orjson.dumps(misfits).decode() if misfits else None)
    arrow = landed(schema).arrow()
    arrays = [pa.array(column, kind) for column, kind in zip([*columns, unparsed], arrow.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=arrow)


def value(stated: Any, kind: FieldType) -> Any:  # noqa: PLR0911  # a return for each type
    """A JSON value as a value of `kind`, None for blank text of anything but text; ValueError for what it is not."""
    match kind:
        case FieldType.TEXT:
            return text(stated)
        case FieldType.JSON:
            return orjson.dumps(stated).decode()
    if isinstance(stated, str) and not stated.strip():
        return None
    match kind:
        case FieldType.INTEGER:
            return _required(whole(stated))
        case FieldType.FLOAT:
            return _number(stated)
        case FieldType.BOOLEAN:
            return _truth(stated)
        case FieldType.DATE:
            return _day(_text_only(stated))
        case FieldType.TIMESTAMP:
            return _moment(stated)
    raise ValueError(f"no field is of type {kind}")


def text(stated: Any) -> str:
    """A JSON value as text: a text as it stands, anything else as JSON writes it."""
    return stated if isinstance(stated, str) else orjson.dumps(stated).decode()


def _required(number: int | None) -> int:
    if number is None:
        raise ValueError("not a whole number")
    return number


def _number(stated: Any) -> float:
    if isinstance(stated, bool) or not isinstance(stated, int | float | str):
        raise ValueError("not a number")  # noqa: TRY004  # the caller keeps what does not fit
    if isinstance(stated, str) and not NUMBER.fullmatch(stated.strip()):
        raise ValueError("not a number")
    number = float(stated)
    if not isfinite(number):
        raise ValueError("not a finite number")
    return number


def _truth(stated: Any) -> bool:
    word = text(stated).strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ValueError("neither true nor false")


def _text_only(stated: Any) -> str:
    if not isinstance(stated, str):
        raise ValueError("not a text")  # noqa: TRY004  # the caller keeps what does not fit
    return stated.strip()


def _day(stated: str) -> date:
    found = DAY.fullmatch(stated)
    if found is None:
        raise ValueError("not a day")
    return date.fromisoformat(found[1])


def _moment(stated: Any) -> datetime:
    return instant(_text_only(stated))

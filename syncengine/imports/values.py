"""Cells as the values of a JSON call, and the question whether a value of Marketo's is what a cell said.

Bulk import takes text; the synchronous calls take JSON, where a number as text may be refused. What cannot be read by
its field's type is sent as the text that it is: Marketo then says what is wrong with it.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/field-types
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any

from syncengine.imports.header import Column
from syncengine.marketo.dialect import field_type, folded
from syncengine.schema import FieldType

TRUE = frozenset({"true", "yes", "t", "y", "1"})
FALSE = frozenset({"false", "no", "f", "n", "0"})
WHOLE = re.compile(r"\s*[+-]?[0-9]+(\.0*)?\s*", re.ASCII)


def json_row(columns: Sequence[Column], cells: Sequence[str]) -> dict[str, Any]:
    """A row as an object of a call; an empty cell is null, which clears the field."""
    return {column.name: json_value(column.data_type, cell) for column, cell in zip(columns, cells, strict=True)}


def json_value(data_type: str, cell: str) -> Any:
    """A cell as JSON by its field's type."""
    if cell == "":
        return None
    word = cell.strip().casefold()
    match field_type(data_type):
        case FieldType.INTEGER if WHOLE.fullmatch(cell):
            return int(word.partition(".")[0])
        case FieldType.FLOAT:
            # JSON has no infinity: it would travel as null, which clears the field.
            with suppress(ValueError):
                return value if isfinite(value := float(word)) else cell
        case FieldType.BOOLEAN if word in TRUE | FALSE:
            return word in TRUE
    return cell


def is_same(data_type: str, cell: str, value: Any) -> bool:
    """Whether a value that Marketo gives is what the cell said; blanks at the ends never make a difference."""
    said = json_value(data_type, cell)
    if said is None or value is None:
        return said is None and (value is None or value == "")
    match field_type(data_type):
        case FieldType.INTEGER | FieldType.FLOAT:
            with suppress(ValueError, TypeError):
                return float(said) == float(value)
        case FieldType.BOOLEAN:
            return bool(json_value(data_type, str(value)) == said)
        case FieldType.DATE:
            return str(said).strip()[:10] == str(value).strip()[:10]
        case FieldType.TIMESTAMP:
            return instant_of(str(said)) == instant_of(str(value))
    text, other = str(said).strip(), str(value).strip()
    return text.casefold() == other.casefold() if folded(data_type) == "email" else text == other


def instant_of(text: str) -> datetime | str:
    """A date and time to the second; one without an offset is taken for UTC, one that cannot be read stays text."""
    stripped = text.strip()
    with suppress(ValueError):
        if len(stripped) == len("2026-01-01"):
            day = date.fromisoformat(stripped)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        at = datetime.fromisoformat(stripped)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    return stripped

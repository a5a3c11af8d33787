"""Cells as text -> a typed column, and which cells did not fit.

Apart from the parser, which takes a shorter way as long as every cell fits: here is what a cell means when it does not.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from syncengine.schema import FieldType, arrow_type

if TYPE_CHECKING:
    Column: TypeAlias = pa.Array[Any]  # of a type that is known only when the file is read
else:
    Column = pa.Array  # generic for the type checker alone

# What every value of a kind matches, and most other texts do not.
POSSIBLE = {
    FieldType.INTEGER: r"^[-+]?(0[xX])?[0-9a-fA-F]+$",  # Arrow takes hexadecimal ones too
    FieldType.FLOAT: r"^[-+0-9.eE]+$",
    FieldType.BOOLEAN: r"^(?i:true|false|0|1)$",
    FieldType.DATE: r"^[0-9]{4}-",
    FieldType.TIMESTAMP: r"^[0-9]{4}-",
}

Conversion: TypeAlias = Callable[[Column], Column]


def typed(column: Column, kind: FieldType) -> tuple[Column, list[int]]:
    """Convert a binary column; the rows whose cell is not of `kind` are NULL in it, and listed."""
    text, garbled = _each(column, lambda cells: pc.cast(cells, pa.string()))
    text, hopeless = _screened(_repaired(text, kind), kind)
    values, unfit = _each(text, conversion(kind), arrow_type(kind))
    return values, sorted({*garbled, *hopeless, *unfit})


def _screened(text: Column, kind: FieldType) -> tuple[Column, list[int]]:
    """The same cells without those that cannot be of `kind` at a glance: a whole column of them costs one look."""
    if (pattern := POSSIBLE.get(kind)) is None:
        return text, []
    is_possible = pc.match_substring_regex(text, pattern)
    hopeless = [row for row, fits in enumerate(is_possible.to_pylist()) if fits is False]
    return (pc.if_else(is_possible, text, pa.scalar(None, pa.string())) if hopeless else text), hopeless


def direct(column: Column, kind: FieldType) -> Column | None:
    """Convert a binary column as it stands, or None when a cell of it has to be looked at."""
    try:
        return conversion(kind)(pc.cast(column, pa.string()))
    except pa.ArrowInvalid:
        return None


def conversion(kind: FieldType) -> Conversion:
    """The function from text to values of `kind`; it raises ArrowInvalid when any cell does not fit."""
    match kind:
        case FieldType.TEXT:
            return lambda cells: cells
        case FieldType.JSON:
            return checked_json
        case FieldType.FLOAT:
            return lambda cells: checked_finite(pc.cast(cells, pa.float64()))
        case FieldType.INTEGER | FieldType.BOOLEAN | FieldType.DATE | FieldType.TIMESTAMP:
            return lambda cells: pc.cast(cells, arrow_type(kind))
        case _:
            assert_never(kind)


def checked_json(cells: Column) -> Column:
    """The same cells; raises ArrowInvalid when one is not a JSON value."""
    for cell in cells.to_pylist():
        if cell is not None:
            try:
                orjson.loads(cell)
            except orjson.JSONDecodeError as error:
                raise pa.ArrowInvalid("not JSON") from error
    return cells


def checked_finite(values: Column) -> Column:
    """The same numbers; raises ArrowInvalid for NaN and infinity, which 1e400 becomes too."""
    if pc.all(pc.is_finite(values)).as_py() is False:
        raise pa.ArrowInvalid("not a finite number")
    return values


def unparsed_column(rows: int, misfits: dict[str, tuple[Column, list[int]]]) -> Column:
    """One JSON object of field -> original text for each row that has a cell which did not fit, NULL for the others.

    A byte that is not UTF-8 is written as `\\xNN`.
    """
    texts: dict[int, dict[str, str]] = {}
    for field, (column, unfit) in misfits.items():
        for row in unfit:
            texts.setdefault(row, {})[field] = column[row].as_py().decode("utf-8", "backslashreplace")
    if not texts:
        return pa.nulls(rows, pa.string())
    return pa.array([orjson.dumps(texts[row]).decode() if row in texts else None for row in range(rows)], pa.string())


def _repaired(text: Column, kind: FieldType) -> Column:
    """The same values in the spelling that Arrow reads; blank cells of anything but text hold nothing."""
    if kind is FieldType.TEXT:
        return text
    text = pc.utf8_trim(text, " \t")
    text = pc.if_else(pc.equal(text, pa.scalar("")), pa.scalar(None, pa.string()), text)
    match kind:
        case FieldType.INTEGER:
            return pc.replace_substring_regex(text, r"^(-?[0-9]+)\.0+$", r"\1")
        case FieldType.TIMESTAMP:
            # https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/field-types has "Z+0000"
            text = pc.replace_substring_regex(text, r"Z[+-]00:?00$", "Z")
            return pc.replace_substring_regex(text, r"(\.[0-9]{6})[0-9]+", r"\1")
        case _:
            return text


def _each(cells: Column, convert: Conversion, kind: pa.DataType | None = None) -> tuple[Column, list[int]]:
    """Convert in halves until only the cells that do not fit are left out, so that few of them cost little."""
    parts: list[Column] = []
    unfit: list[int] = []
    waiting = [(0, len(cells))]
    while waiting:
        start, count = waiting.pop()
        try:
            parts.append(convert(cells.slice(start, count)))
        except pa.ArrowInvalid:
            if count == 1:
                unfit.append(start)
                parts.append(pa.array([None], kind or pa.string()))
            else:
                half = count // 2
                waiting += [(start + half, count - half), (start, half)]
    return (pa.concat_arrays(parts) if len(parts) != 1 else parts[0]), unfit

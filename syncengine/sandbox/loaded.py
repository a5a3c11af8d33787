"""The user's own people, from a CSV or Parquet file, held as Arrow columns; an alternative to generated ones.

A column whose name is a standard field's REST name (in any case) becomes that field; every other column becomes a
custom string field. Ids are given in the file's order. An empty cell of a CSV file is null.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from syncengine.sandbox.fields import (
    DECIMAL_TYPES,
    TEXT_TYPES,
    WHOLE_TYPES,
    LeadField,
    standard_fields,
    text_fields,
)
from syncengine.sandbox.values import Value, coerced

READ_BLOCK_BYTES = 8_000_000


def read_table(path: Path) -> pa.Table:
    """The file as a table; every column of a CSV file is text."""
    if path.suffix.lower() in {".parquet", ".pq"}:
        return pq.read_table(path)
    with path.open("rb") as stream:
        names = pa_csv.open_csv(stream, parse_options=_csv_dialect(), read_options=_csv_reading()).schema.names
    return pa_csv.read_csv(
        path,
        read_options=_csv_reading(),
        parse_options=_csv_dialect(),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )


def _csv_dialect() -> pa_csv.ParseOptions:
    return pa_csv.ParseOptions(newlines_in_values=True)


def _csv_reading() -> pa_csv.ReadOptions:
    return pa_csv.ReadOptions(block_size=READ_BLOCK_BYTES)


class LoadedPeople:
    """People of a file; rows beyond its end are people added later, whose values the store keeps."""

    def __init__(self, path: Path) -> None:
        table = read_table(path)
        if len({name.lower() for name in table.column_names}) < len(table.column_names):
            raise ValueError(f"{path}: two columns have the same name")
        standard = {field.name.lower(): field for field in standard_fields() if field.has_rest}
        matched = {name: standard[name.lower()].name for name in table.column_names if name.lower() in standard}
        others = [name for name in table.column_names if name not in matched]
        self.fields: list[LeadField] = [*standard_fields(), *text_fields(others)]
        types = {field.name: field.data_type for field in self.fields if field.has_rest}
        self._columns: dict[str, pa.ChunkedArray[Any]] = {}
        for name in table.column_names:
            target = matched.get(name, name)
            self._columns[target] = typed(table.column(name), types[target], name)
        self.count: int = table.num_rows

    def columns(self, names: Sequence[str], indices: Sequence[int]) -> list[list[Value]]:
        """Values of the rows `indices`, a list for each name; names that the file lacks are null."""
        inside = [index if index < self.count else None for index in indices]
        rows = pa.array(inside, type=pa.int64())
        return [
            self._columns[name].take(rows).to_pylist() if name in self._columns else [None] * len(indices)
            for name in names
        ]


def typed(column: "pa.ChunkedArray[Any]", data_type: str, name: str) -> "pa.ChunkedArray[Any]":
    """The column in the field's type; raises ValueError that names the column when a value does not fit."""
    if data_type in TEXT_TYPES and pa.types.is_string(column.type):
        return column
    convert = _instant if data_type == "datetime" else partial(coerced, data_type)
    values = []
    for row, value in enumerate(column.to_pylist(), 1):
        try:
            values.append(convert(value))
        except (ValueError, TypeError, KeyError):
            # The value itself may be personal: its place is enough to find it.
            raise ValueError(f"column {name!r} holds a value that is no {data_type}, in row {row:,}") from None
    return pa.chunked_array([pa.array(values, type=_arrow_type(data_type))])


def _instant(value: Any) -> Value:
    """Unix seconds; a user's file may leave the offset out, which means UTC."""
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _arrow_type(data_type: str) -> "pa.DataType":
    if data_type in WHOLE_TYPES or data_type == "datetime":
        return pa.int64()
    if data_type in DECIMAL_TYPES:
        return pa.float64()
    return pa.bool_() if data_type == "boolean" else pa.string()

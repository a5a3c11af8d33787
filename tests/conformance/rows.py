"""Rows of a table in one form, whatever they were read with."""

from typing import Any

import pyarrow as pa

Row = dict[str, Any]


def in_order(rows: list[Row]) -> list[Row]:
    """Rows in the order of their first column, then of the second; NULL comes last."""
    return sorted(rows, key=lambda row: [(value is None, 0 if value is None else value) for value in row.values()])


def from_arrow(table: pa.Table) -> list[Row]:
    """The rows of an Arrow table in the form that `Place.rows` gives."""
    rows: list[Row] = table.to_pylist()
    return in_order(rows)

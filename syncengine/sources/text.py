"""Strict CSV text to columns of cells, and columns of cells to strict CSV text with the place of each record.

Apart from cutting records, because here a piece is handled at once, by Arrow.
"""

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from syncengine.sources.feed import BOM

_NEEDS_QUOTES = re.compile(rb'[",\r\n]|\A[ \t]|[ \t]\Z')


def cells_of(text: bytes | memoryview, delimiter: str, fields: int, taken: Sequence[int]) -> tuple[pa.StringArray, ...]:
    """The cells of whole strict records of `fields` fields, for the columns `taken`, exactly as they are written."""
    if not text:
        return tuple(pa.array([], pa.string()) for _ in taken)
    names = [f"f{place}" for place in taken]
    if bytes(text[: len(BOM)]) == BOM:
        text = BOM + bytes(text)  # Arrow skips one at the start of what it is given, and this one belongs to a cell
    data: Any = pa.BufferReader(text)
    table = csv.read_csv(
        data,
        # One block, so that one chunk: a record that lies across two blocks would be an error.
        csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=[f"f{n}" for n in range(fields)]),
        csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            check_utf8=False,  # the feed has looked
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[],
            strings_can_be_null=False,
            include_columns=names,
        ),
    )
    # Each column has one chunk.
    columns: list[Any] = [table.column(name).chunk(0) for name in names]
    return tuple(columns)


def record_of(fields: Sequence[bytes], delimiter: str) -> bytes:
    """One strict record of these cells, ending in LF."""
    if list(fields) == [b""]:
        return b'""\n'
    mark = delimiter.encode()
    return (
        mark.join(_quoted(field) if mark in field or _NEEDS_QUOTES.search(field) else field for field in fields) + b"\n"
    )


def _quoted(field: bytes) -> bytes:
    return b'"' + field.replace(b'"', b'""') + b'"'


def records_of(cells: Sequence[pa.StringArray]) -> pa.StringArray:
    """The strict records of columns of cells, with commas, each ending in LF; null is written as an empty cell."""
    join: Any = pc.binary_join_element_wise
    columns = [_written(column, only=len(cells) == 1) for column in cells]
    columns[-1] = join(columns[-1], "", "\n")
    records: pa.StringArray = join(*columns, ",") if len(columns) > 1 else columns[0]
    return records


def _written(column: pa.StringArray, *, only: bool) -> pa.StringArray:
    compute: Any = pc
    column = compute.fill_null(column, "")
    quote = compute.match_substring_regex(column, r'[",\r\n]|\A[ \t]|[ \t]\z')
    if only:
        # In a table of one column, an empty cell that is not quoted is a blank line.
        quote = compute.or_(quote, compute.equal(column, ""))
    if compute.any(quote).as_py():
        doubled = compute.replace_substring(column, '"', '""')
        column = compute.if_else(quote, compute.binary_join_element_wise('"', doubled, '"', ""), column)
    return column


def data_of(records: pa.StringArray) -> memoryview:
    """The text of records that stand one after the other."""
    _, offsets, data = records.buffers()
    if offsets is None or data is None:
        return memoryview(b"")
    places = memoryview(offsets).cast("i")
    return memoryview(data).cast("B")[places[records.offset] : places[records.offset + len(records)]]

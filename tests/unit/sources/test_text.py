"""Strict CSV text to cells, and back."""

import csv
import io

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.sources.text import cells_of, data_of, record_of, records_of

CELLS = st.none() | st.text(st.sampled_from('ab",;\t\r\n é\u2028\ufeff'), max_size=5)
TABLES = st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=6))


@settings(deadline=None)  # machines may be busy
@given(TABLES)
def test_cells_are_read_back_from_their_records(table: list[tuple[str | None, ...]]) -> None:
    """The text of a piece is its records, each of which the csv module reads as its row; null comes back empty."""
    columns = tuple(pa.array(column, pa.string()) for column in zip(*table, strict=True))
    filled = [tuple(cell or "" for cell in row) for row in table]

    records = records_of(columns)

    assert [row.encode() for row in records.to_pylist() if row] == [
        record_of([c.encode() for c in row], ",") for row in filled
    ]
    assert bytes(data_of(records)).decode() == "".join(row for row in records.to_pylist() if row)
    assert filled == [
        tuple(row) for text in records.to_pylist() for row in csv.reader(io.StringIO(text, newline=""), strict=True)
    ]
    cells = cells_of(data_of(records), ",", len(columns), range(len(columns)))
    assert filled == list(zip(*(column.to_pylist() for column in cells), strict=True))


def test_only_cells_that_need_quotes_have_them() -> None:
    """Spaces at an end, delimiters, quotes and line ends do; inner spaces do not."""
    cells = ["a b", " a", "a\t", "a,b", 'a"', "a\nb", "a\rb", "", "é"]
    columns = tuple(pa.array([cell]) for cell in cells)

    assert ['a b," a","a\t","a,b","a""","a\nb","a\rb",,é\n'] == records_of(columns).to_pylist()


def test_records_of_a_slice_are_its_own() -> None:
    """The data of a part of an array is that part."""
    records = pa.array(["a\n", "b\n", "c\n"])

    assert b"b\n" == bytes(data_of(records.slice(1, 1)))
    assert b"" == bytes(data_of(records.slice(0, 0)))
    assert () == cells_of(b"", ",", 2, [])
    assert [[], []] == [column.to_pylist() for column in cells_of(b"", ",", 2, [1, 0])]

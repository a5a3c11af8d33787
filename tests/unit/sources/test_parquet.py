"""Parquet files as sources."""

import gzip
import hashlib
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from syncengine.errors import SourceUnusable
from syncengine.sources import THE_SPOOL, Source
from syncengine.sources.opening import open_source
from syncengine.sources.spool import Spool
from tests.unit.sources.reading import assert_records_hold_rows, read

PEOPLE = pa.table({"id": [1, 2, None], "name": ['"Zoë"', "a,\nb", ""], "tags": [[1], [], None]})


def opened(table: Any, folder: Path, **options: Any) -> Source:
    """The table as a file, opened."""
    pq.write_table(table, folder / "people.parquet", **options)
    return open_source(str(folder / "people.parquet"), work=folder / "work")


@pytest.mark.parametrize("row_group_size", [1, 2, 100])
def test_rows_are_numbered_and_written_to_the_spool(tmp_path: Path, row_group_size: int) -> None:
    """Columns that are not taken may be of any type; null is no value, and "" is one."""
    source = opened(PEOPLE, tmp_path, row_group_size=row_group_size)

    whole = read(source, tmp_path, [1, 0])

    assert ("id", "name", "tags") == source.columns
    assert [('"Zoë"', "1"), ("a,\nb", "2"), ("", None)] == whole.rows
    assert [1, 2, 3] == whole.lines
    assert {THE_SPOOL} == {body for body, _, _ in whole.places}
    assert_records_hold_rows(whole)
    data = (tmp_path / "people.parquet").read_bytes()
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (source.sha256, source.size)


def test_pieces_stay_small_where_a_text_repeats(tmp_path: Path) -> None:
    """The file has it once, and rows have it each."""
    table = pa.table({"a": pa.array(["x" * 10_000] * 5_000)})
    source = opened(table, tmp_path)
    assert (tmp_path / "people.parquet").stat().st_size < 20_000

    with Spool(tmp_path / "spool.csv") as spool:
        pieces = [len(rows) for rows in source.rows([0], spool)]

    assert 5_000 == sum(pieces)
    assert max(pieces) <= 205


def test_a_column_without_text_is_named(tmp_path: Path) -> None:
    """When it is taken."""
    with pytest.raises(SourceUnusable, match=r"people\.parquet: column 'tags' is of type list<"):
        read(opened(PEOPLE, tmp_path), tmp_path)


def test_columns_of_one_name_are_told_apart_by_their_place(tmp_path: Path) -> None:
    """The names are the caller's to judge."""
    table = pa.table([[1], [2], [3]], names=["a", "a.b", "a"])

    assert [("3", "2")] == read(opened(table, tmp_path), tmp_path, [2, 1]).rows


def test_a_dot_in_a_name_is_a_part_of_it(tmp_path: Path) -> None:
    """A column "a.b" is none of the column "a"."""
    table = pa.table([[1], [2]], names=["a", "a.b"])

    assert [("1",)] == read(opened(table, tmp_path), tmp_path, [0]).rows
    assert [("2", "1")] == read(opened(table, tmp_path), tmp_path, [1, 0]).rows


def test_a_row_with_a_nul_character_is_unreadable(tmp_path: Path) -> None:
    """Its record stands in the spool; the others are rows."""
    whole = read(opened(pa.table({"a": ["x", "y\0", None], "b": [1, 2, 3]}), tmp_path), tmp_path)

    assert [("x", "1"), (None, "3")] == whole.rows
    assert [1, 3] == whole.lines
    assert [(2, "the row has a NUL character")] == whole.problems
    assert [b"y\0,2\n"] == [whole.bytes_of(each) for each in whole.unreadable]
    assert_records_hold_rows(whole)


def test_an_empty_only_cell_is_no_blank_line(tmp_path: Path) -> None:
    """In a table of one column, no value and an empty one are written in quotes."""
    whole = read(opened(pa.table({"a": ["", None, " x"]}), tmp_path), tmp_path)

    assert [b'""\n', b'""\n', b'" x"\n'] == whole.records


def test_a_table_without_rows_is_one(tmp_path: Path) -> None:
    """It has columns."""
    source = opened(PEOPLE.slice(0, 0), tmp_path)

    assert 3 == len(source.columns)
    assert [] == read(source, tmp_path).rows


def test_it_is_known_by_its_bytes(tmp_path: Path) -> None:
    """From standard input, compressed, without a name."""
    file = io.BytesIO()
    pq.write_table(PEOPLE, file)
    source = open_source("-", work=tmp_path / "work", stdin=io.BytesIO(gzip.compress(file.getvalue())))

    assert [("1",), ("2",), (None,)] == read(source, tmp_path, [0]).rows


@pytest.mark.parametrize("damage", ["empty", "head", "cut", "page"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    """When it is opened, or when the page is met."""
    opened(pa.table({"a": [str(n) for n in range(10_000)]}), tmp_path)
    path = tmp_path / "people.parquet"
    data = path.read_bytes()
    broken = {
        "empty": b"",
        "head": b"a,b\n1,2\n",
        "cut": data[:-20],
        "page": data[:100] + b"\xff" * 5_000 + data[5_100:],
    }
    path.write_bytes(broken[damage])

    with pytest.raises(SourceUnusable, match=r"people\.parquet is no Parquet file, or damaged: ") as failure:
        read(open_source(str(path), work=tmp_path), tmp_path)

    assert "write or fetch the file again" == failure.value.advice


def test_a_table_without_columns_is_refused(tmp_path: Path) -> None:
    """There is nothing to take."""
    with pytest.raises(SourceUnusable, match=r"has no columns$"):
        opened(pa.table({}), tmp_path)

"""CSV files, clean and dirty: rows as Python's csv module reads them, and where their bytes lie."""

import csv
import hashlib
import io
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.errors import SourceUnusable
from syncengine.sources import THE_SOURCE, THE_SPOOL
from syncengine.sources.delimited import Delimited
from syncengine.sources.spool import Spool
from tests.unit.sources.reading import (
    Delimits,
    assert_every_byte_has_a_place,
    assert_records_hold_rows,
    parsed,
    read,
)

CELLS = st.text(st.sampled_from('ab",;\t\r\n é\x0b\x0c\x85\u2028\u20ac\U0001f600\ufeff\x1a'), max_size=6)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8)
)
BLOCKS = st.integers(1, 40)
FILES = pytest.mark.parametrize("block_bytes", [1, 2, 7, 64, 2_000_000])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all examples of a property."""
    return tmp_path_factory.mktemp("sources")


def written(table: Sequence[Sequence[str]], **dialect: Any) -> bytes:
    """The table as the csv module writes it."""
    text = io.StringIO(newline="")
    csv.writer(text, **dialect).writerows(table)
    return text.getvalue().encode()


@settings(deadline=None)  # machines may be busy
@given(
    table=TABLES,
    block_bytes=BLOCKS,
    # With line ends of one character, the csv module leaves cells with the other one bare unless it quotes all.
    dialect=st.sampled_from(
        [(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r")]
    ),
    bom=st.booleans(),
)
def test_what_the_csv_module_writes_is_read_back(
    folder: Path, table: list[list[str]], block_bytes: int, dialect: tuple[Any, str], bom: bool
) -> None:
    """Any table in any quoting and line end, loaded in blocks of any size: cells and records are what was written."""
    quoting, line_end = dialect
    table = [["first"] * len(table[0]), *table]
    data = b"\xef\xbb\xbf" * bom + written(table, quoting=quoting, lineterminator=line_end)
    (folder / "a.csv").write_bytes(data)
    source = Delimited(folder / "a.csv", "a.csv", block_bytes=block_bytes)

    whole = read(source, folder)

    assert ("first",) * len(table[0]) == source.columns
    assert [tuple(row) for row in table[1:]] == whole.rows
    assert [] == whole.unreadable
    assert_records_hold_rows(whole)
    assert hashlib.sha256(data).hexdigest() == source.sha256
    assert len(data) == source.size
    if line_end != "\r":
        assert {THE_SOURCE} == {body for body, _, _ in whole.places}
        header = data[: data.index(b"\n") + 1]
        assert_every_byte_has_a_place(whole, header, source.blank_lines)


@settings(deadline=None)  # machines may be busy
@given(table=TABLES, block_bytes=BLOCKS, delimiter=st.sampled_from(",;\t"), data=st.data())
def test_columns_that_are_taken_in_another_order_are_written_anew(
    folder: Path, table: list[list[str]], block_bytes: int, delimiter: str, data: st.DataObject
) -> None:
    """With any choice of columns and any delimiter, the spool holds exactly the records of the rows, in order."""
    width = len(table[0])
    taken = data.draw(st.lists(st.integers(0, width - 1), min_size=1, unique=True))
    header = [f"c{place}" for place in range(width)]
    (folder / "b.csv").write_bytes(written([header, *table], delimiter=delimiter, quoting=csv.QUOTE_ALL))
    source = Delimited(folder / "b.csv", "b.csv", delimiter=delimiter, block_bytes=block_bytes)

    whole = read(source, folder, taken)

    assert [tuple(row[place] for place in taken) for row in table] == whole.rows
    assert_records_hold_rows(whole)
    if delimiter != "," or taken != list(range(width)):
        assert {THE_SPOOL} == {body for body, _, _ in whole.places}
        assert whole.bodies[THE_SPOOL] == b"".join(whole.records)


@given(
    dirt=st.text(st.sampled_from('ab",\r\n \t\x00\x85\u2028'), max_size=30),
    width=st.integers(1, 3),
    block_bytes=BLOCKS,
    anew=st.booleans(),
)
@settings(max_examples=500, deadline=None)
def test_dirty_text_is_read_as_the_csv_module_reads_it_or_refused(
    folder: Path, dirt: str, width: int, block_bytes: int, anew: bool
) -> None:
    """Rows that are taken are those of the csv module; each other record of its is unreadable, or blank.

    That is so where rows point into the file, and where they are written anew (here: without the last column).
    """
    data = ",".join("xyz"[:width]).encode() + b"\n" + dirt.encode()
    taken = range(max(1, width - anew))
    (folder / "c.csv").write_bytes(data)
    source = Delimited(folder / "c.csv", "c.csv", block_bytes=block_bytes)

    try:
        whole = read(source, folder, taken)
    except SourceUnusable:
        # What would come next would be part of a quoted cell.
        assert [("@",)] != parsed(data + b"\n@")[-1:]
        return
    assert [("@",)] == parsed(data + b"\n@")[-1:]
    assert_records_hold_rows(whole)

    def held(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        return [row for row in rows if width == 1 or len(row) > 1 or row[0].strip(" \t")]

    expected = held(parsed(data)[1:])
    unreadable = [(each.line, None) for each in whole.unreadable if held(parsed(whole.bytes_of(each)))]
    found = sorted([*zip(whole.lines, whole.rows, strict=True), *unreadable], key=lambda each: each[0])
    assert len(expected) == len(found)
    for there, (_, row) in zip(expected, found, strict=True):
        if row is not None:
            assert tuple(there[place] for place in taken) == row
    if THE_SPOOL not in {body for body, _, _ in whole.places} and len(taken) == width:
        assert_every_byte_has_a_place(whole, data[: width * 2], source.blank_lines)


@FILES
def test_each_kind_of_dirt_has_its_reason(delimited: Delimits, tmp_path: Path, block_bytes: int) -> None:
    """Ragged rows, text after a closing quote and NUL are unreadable, each with its line; other rows are read."""
    source = delimited(
        b'a,b,c\n1,2,3\n1,2\n1,2,3,4\nonly\n"x"y,2,3\n1,\0,3\n\n   \n5" pipe,2,3\n"two\nlines",2,3\n1,2,3',
        block_bytes=block_bytes,
    )

    whole = read(source, tmp_path)

    assert [
        (3, "2 cells where the header has 3"),
        (4, "4 cells where the header has 3"),
        (5, "1 cell where the header has 3"),
        (6, "a cell goes on after its closing quote"),
        (7, "the row has a NUL character"),
    ] == whole.problems
    assert [b"1,2\n", b"1,2,3,4\n", b"only\n", b'"x"y,2,3\n', b"1,\0,3\n"] == [
        whole.bytes_of(each) for each in whole.unreadable
    ]
    assert [("1", "2", "3"), ('5" pipe', "2", "3"), ("two\nlines", "2", "3"), ("1", "2", "3")] == whole.rows
    assert [2, 10, 11, 13] == whole.lines
    assert 2 == source.blank_lines
    assert [b"1,2,3\n", b'"5"" pipe",2,3\n', b'"two\nlines",2,3\n', b"1,2,3\n"] == whole.records
    assert [THE_SOURCE, THE_SPOOL, THE_SOURCE, THE_SPOOL] == [body for body, _, _ in whole.places]


@FILES
def test_lines_are_those_of_an_editor(delimited: Delimits, tmp_path: Path, block_bytes: int) -> None:
    """LF, CRLF and CR end a line, inside quotes as outside; U+2028, U+0085, VT and FF do not."""
    source = delimited('a,b\r\n"1\r\n2",\u2028\x85\x0b\x0c\r3,4\n"5\r6\n7",8\n9,0\n'.encode(), block_bytes=block_bytes)

    whole = read(source, tmp_path)

    assert [2, 4, 5, 8] == whole.lines
    assert ("1\r\n2", "\u2028\x85\x0b\x0c") == whole.rows[0]


def test_a_byte_order_mark_in_a_cell_belongs_to_it(delimited: Delimits, tmp_path: Path) -> None:
    """Only the one at the start of the file is none of its text."""
    source = delimited(b"\xef\xbb\xbfa,b\n\xef\xbb\xbf1,2\n\xef\xbb\xbf,\n")

    assert [("\ufeff1", "2"), ("\ufeff", "")] == read(source, tmp_path).rows


@FILES
def test_tabs_between_empty_cells_are_no_blank_line(delimited: Delimits, tmp_path: Path, block_bytes: int) -> None:
    """Where tabs are delimiters, a line of them has cells."""
    source = delimited(b"a\tb\n\t\n\t\t\n  \n1\t2\n", delimiter="\t", block_bytes=block_bytes)

    whole = read(source, tmp_path)

    assert [("", ""), ("1", "2")] == whole.rows
    assert [(3, "3 cells where the header has 2")] == whole.problems
    assert 1 == source.blank_lines


def test_spaces_are_a_cell_where_there_is_one_column(delimited: Delimits, tmp_path: Path) -> None:
    """There an empty line is blank, and an empty cell is written in quotes."""
    source = delimited(b'a\n  \n\n""\nx\n')

    assert [("  ",), ("",), ("x",)] == read(source, tmp_path).rows
    assert 1 == source.blank_lines


def test_a_cell_of_many_megabytes_is_read(delimited: Delimits, tmp_path: Path) -> None:
    """One that is longer than a piece, and than the csv module takes by default, is whole."""
    long = 'x"' + "é\n" * 3_000_000
    source = delimited(written([["a", "b"], ["1", long], ["2", "y"]], lineterminator="\n"))

    whole = read(source, tmp_path)

    assert [("1", long), ("2", "y")] == whole.rows
    assert [2, 3_000_003] == whole.lines
    assert [THE_SOURCE, THE_SOURCE] == [body for body, _, _ in whole.places]


@pytest.mark.parametrize("cell", [b'"' + b"x" * 11_000_000 + b'"', b"y" * 11_000_000])
def test_a_row_that_no_chunk_takes_is_passed_over(delimited: Delimits, tmp_path: Path, cell: bytes) -> None:
    """It is unreadable, its bytes are known, and what follows is read."""
    source = delimited(b"a,b\n1,2\n3," + cell + b"\n5,6\n")

    whole = read(source, tmp_path)

    assert [(3, "the row has more than 10,000,000 bytes")] == whole.problems
    assert [(each.offset, each.length) for each in whole.unreadable] == [(8, len(cell) + 3)]
    assert [("1", "2"), ("5", "6")] == whole.rows
    assert [2, 4] == whole.lines


def test_bytes_that_are_passed_over_are_not_held(tmp_path: Path) -> None:
    """A quote that opens and never closes costs no memory, however much comes after it."""
    import tracemalloc

    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b'a,b\n1,"2\n')
        for _ in itertools.repeat(None, 60):
            file.write(b"0123456789,\n" * 100_000)
    source = Delimited(path, "long.csv", block_bytes=1_000_000)
    tracemalloc.start()

    with pytest.raises(SourceUnusable, match="line 2: the quote"):
        read(source, tmp_path)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30_000_000


def test_pieces_stay_small(delimited: Delimits, tmp_path: Path) -> None:
    """A piece has a bounded number of rows and bytes."""
    source = delimited(b"a,b\n" + b"1,2\n" * 120_000 + b"1," + b"2" * 3_000_000 + b"\n" + b"1,2\n" * 3)

    def pieces() -> Iterator[int]:
        with Spool(tmp_path / "spool.csv") as spool:
            yield from map(len, source.rows([0, 1], spool))

    assert [50_000, 50_000, 20_001, 3] == list(pieces())

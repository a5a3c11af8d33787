"""Headers of CSV files, and files that are refused as a whole."""

from pathlib import Path

import pytest

from syncengine.errors import SourceUnusable
from tests.unit.sources.reading import Delimits, read

FILES = pytest.mark.parametrize("block_bytes", [1, 2, 7, 64, 2_000_000])


@FILES
@pytest.mark.parametrize(("text", "line", "offset"), [(b'a,b\n1,2\n\n"3,4\n5,6\n', 4, 9), (b'a,"b\n1,2\n', 1, 2)])
def test_a_quote_that_is_never_closed_is_shown(
    delimited: Delimits, tmp_path: Path, block_bytes: int, text: bytes, line: int, offset: int
) -> None:
    """The whole file is refused, with the line and offset at which the quote opens."""
    with pytest.raises(SourceUnusable) as failure:
        read(delimited(text, block_bytes=block_bytes), tmp_path)

    assert f'people.csv, line {line}: the quote (") at offset {offset} is never closed' == failure.value.message
    assert 'close it; a quote inside a quoted cell is written twice: ""' == failure.value.advice


@FILES
@pytest.mark.parametrize(
    ("text", "line", "offset", "byte"),
    [
        (b"a\n\xe9t\xe9\n", 2, 2, "E9"),
        ("a\r\n\u20ac\r\r\n".encode() + b"\xe2\x82,\n", 4, 9, "E2"),
        (b"aaa\r\n\xff", 2, 5, "FF"),
        (b"a\nb\n\xc3", 3, 4, "C3"),
        (b"a\nb\n\xf0\x9f\x98", 3, 4, "F0"),
    ],
)
def test_a_byte_that_is_no_utf8_is_shown(
    delimited: Delimits, tmp_path: Path, block_bytes: int, text: bytes, line: int, offset: int, byte: str
) -> None:
    """The whole file is refused, with the byte, its line and its offset, and how to say the encoding."""
    with pytest.raises(SourceUnusable) as failure:
        read(delimited(text, block_bytes=block_bytes), tmp_path)

    assert f"people.csv, line {line}: byte 0x{byte} at offset {offset} is no UTF-8" == failure.value.message
    assert "name the file's encoding, such as --encoding cp1252 (Windows), latin-1 or utf-16" == failure.value.advice


@pytest.mark.parametrize("text", [b"", b"\xef\xbb\xbf", b"\n\r\n \t\n", b"\xef\xbb\xbf\n"])
def test_a_file_with_nothing_in_it_is_refused(delimited: Delimits, text: bytes) -> None:
    """Without a header there is no table."""
    with pytest.raises(SourceUnusable, match=r"^people\.csv is empty: not even a header$"):
        delimited(text)


@pytest.mark.parametrize("text", [b"a,b", b"a,b\n", b"a,b\r", b"\xef\xbb\xbfa,b\r\n\r\n", b"\n\na,b\n"])
def test_a_file_with_a_header_alone_has_no_rows(delimited: Delimits, tmp_path: Path, text: bytes) -> None:
    """That is a table all the same."""
    source = delimited(text)

    assert ("a", "b") == source.columns
    assert [] == read(source, tmp_path).rows


@pytest.mark.parametrize(
    ("text", "message", "advice"),
    [
        (b"a\0,\0b\0\n\0", "line 1 (offset 0) should be the header: the row has a NUL character", "--encoding utf-16"),
        (b'\n"a"x,b\n', "line 2 (offset 1) should be the header: a cell goes on after", "mend the first line"),
    ],
)
def test_a_header_that_is_none_is_refused(delimited: Delimits, text: bytes, message: str, advice: str) -> None:
    """It says where, and what may be the matter."""
    with pytest.raises(SourceUnusable) as failure:
        delimited(text)

    assert message in failure.value.message
    assert advice in failure.value.advice


def test_a_header_is_given_as_it_stands(delimited: Delimits, tmp_path: Path) -> None:
    """Names that are repeated, blank or spaced are the caller's to judge; the cells under them are read."""
    source = delimited(b'\xef\xbb\xbfid, vin,,id,"a ""b""\n",5" x\n1,2,3,4,5,6\n')

    assert ("id", " vin", "", "id", 'a "b"\n', '5" x') == source.columns
    assert [("1", "2", "3", "4", "5", "6")] == read(source, tmp_path).rows


@pytest.mark.parametrize(
    ("header", "delimiter", "columns"),
    [
        (b"a;b;c", ";", ("a", "b", "c")),
        (b"a\tb", "\t", ("a", "b")),
        (b"a", ",", ("a",)),
        (b'"a;b"', ",", ("a;b",)),
        (b"a;b,c", ",", ("a;b", "c")),
    ],
)
def test_a_csv_file_may_have_another_delimiter(
    delimited: Delimits, header: bytes, delimiter: str, columns: tuple[str, ...]
) -> None:
    """A header without a comma, but with semicolons or tabs, says what stands between the cells."""
    source = delimited(header + b"\n", delimiter=None)

    assert delimiter == source.delimiter
    assert columns == source.columns


@pytest.mark.parametrize("other", [b"b,a\nx,y\n", b"a,c\nx,y\n", b"", b"a\nx\n"])
def test_a_header_that_changes_between_looking_and_reading_is_told(
    delimited: Delimits, tmp_path: Path, other: bytes
) -> None:
    """Cells would go into the fields of other columns, without a word."""
    source = delimited(b"a,b\nx,y\n")
    (tmp_path / "people.csv").write_bytes(other)
    with pytest.raises(SourceUnusable, match=r"people\.csv was changed while it was read"):
        read(source, tmp_path)

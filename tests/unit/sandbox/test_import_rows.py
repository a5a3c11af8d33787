"""Tests of reading import files."""

import csv
import io
import random

import pytest

from syncengine.sandbox.import_rows import Rows, first_rows, written_row


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        (b"a,b\r\n1,2", [["a", "b"], ["1", "2"]]),
        (b"a,b\r1,2\r", [["a", "b"], ["1", "2"]]),
        (b"a\n\n1\n\r\n2\n", [["a"], ["1"], ["2"]]),
        (b'a,b\n"x,""y""\r\nz",\n', [["a", "b"], ['x,"y"\r\nz', ""]]),
        ('a\n"\u2028\x0b\x85"\n'.encode(), [["a"], ["\u2028\x0b\x85"]]),
        (b"\xef\xbb\xbfa\n1\n", [["\ufeffa"], ["1"]]),
        (b"a\n\xff\n", [["a"], ["\ufffd"]]),
        (b'a,b\n1"2,3\n4,5\n', [["a", "b"], ['1"2', "3"], ["4", "5"]]),
        (b'a,b\n"1"2,"3\n"\n4,5\n', [["a", "b"], ["12", "3\n"], ["4", "5"]]),
        (b'a\n"never closed\nmore', [["a"], ["never closed\nmore"]]),
        (b"", []),
    ],
)
def test_records_are_read_over_bytes(content: bytes, expected: list[list[str]]) -> None:
    """Line ends, quotes, blank lines and strange characters."""
    assert list(Rows(content, "csv")) == expected


@pytest.mark.parametrize(("file_format", "delimiter"), [("csv", ","), ("tsv", "\t"), ("ssv", ";")])
def test_what_a_writer_writes_is_read_back(file_format: str, delimiter: str) -> None:
    """Against the writer of the standard library, with hostile cells."""
    rng = random.Random(4)
    pieces = ["a", '"', "\r\n", "\n", "\r", ",", ";", "\t", "\u2028", "\x00", "null", " ", "\u00e9"]
    rows = [["".join(rng.choices(pieces, k=rng.randrange(6))) for _ in range(3)] + ["end"] for _ in range(2_000)]
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    assert list(Rows(stream.getvalue().encode(), file_format)) == rows


def test_a_cell_of_megabytes_with_many_lines_is_one_step() -> None:
    """Its lines are gathered before they are read."""
    cell = '""x\n' * 500_000
    assert list(Rows(f'a\n"{cell}"\n'.encode(), "csv"))[1] == [cell.replace('""', '"')]


def test_progress_reaches_the_end() -> None:
    """All characters are counted."""
    rows = Rows(b'a\n"1\n2"\n3\n', "csv")
    assert (len(list(rows)), rows.read_chars) == (3, 10)
    assert first_rows(b"a\n1\n2\n", "csv", 2) == [["a"], ["1"]]


def test_rows_are_written_as_they_are_read() -> None:
    """Quotes stand only where they must."""
    cells = ["a", "b,c", 'say "x"', "two\nlines", ""]
    assert written_row(cells, "csv") == 'a,"b,c","say ""x""","two\nlines",\n'
    assert list(Rows(written_row(cells, "tsv").encode(), "tsv")) == [cells]

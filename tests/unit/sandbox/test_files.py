"""Tests of export files: cells, ranges, stores."""

import csv
import hashlib
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.sandbox.files import (
    MemoryFiles,
    SpoolFiles,
    Unsatisfiable,
    asked_range,
    cell_encoder,
    table_pieces,
)
from syncengine.sandbox.hostile import HOSTILE_TEXTS
from syncengine.sandbox.values import Value

TEXTS = st.one_of(
    st.none(), st.sampled_from(HOSTILE_TEXTS), st.text(st.characters(exclude_characters="\0", codec="utf-8"))
)


def written(rows: list[list[str | None]], file_format: str = "CSV") -> bytes:
    def columns_of(part: Sequence[int]) -> list[list[Value]]:
        return [[rows[row][column] for row in part] for column in range(2)]

    fields = [("a", "string", "Header, one"), ("b", "string", "b")]
    return b"".join(table_pieces(columns_of, range(len(rows)), fields, file_format))


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2)), st.sampled_from(["CSV", "TSV", "SSV"]))
def test_a_written_file_parses_back_to_its_rows(rows: list[list[str | None]], file_format: str) -> None:
    """Python's csv module reads every cell back, whatever it holds; null reads as its four letters."""
    text = written(rows, file_format).decode()
    delimiter = {"CSV": ",", "TSV": "\t", "SSV": ";"}[file_format]
    parsed = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    expected = [["null" if cell is None else cell for cell in row] for row in rows]
    assert [["Header, one", "b"], *expected] == parsed


def test_null_the_text_null_and_the_empty_text_are_told_apart() -> None:
    """Only a null is written without quotes as null."""
    assert written([[None, "null"], ["", "NULL"], ["a b", 'q"']]).decode().splitlines()[1:] == [
        'null,"null"',
        '"",NULL',
        'a b,"q"""',
    ]


@pytest.mark.parametrize(
    ("name", "data_type", "value", "expected"),
    [
        ("n", "integer", -3, "-3"),
        ("n", "currency", 10.4, "10.4"),
        ("n", "percent", 12.5, "12.5"),
        ("n", "boolean", False, "false"),
        ("n", "date", "2024-02-29", "2024-02-29"),
        ("n", "datetime", 1_709_287_200, "2024-03-01T10:00:00Z"),
        ("lastSeenLocal", "datetime", 1_709_287_203, "2024-03-01T15:30:03+05:30"),
    ],
)
def test_typed_cells(name: str, data_type: str, value: Value, expected: str) -> None:
    """Each type has its text."""
    assert expected == cell_encoder(name, data_type)(value)


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_ranges_name_the_bytes_that_slicing_would(size: int, first: int, last: int) -> None:
    """The three forms of a range equal Python's slices; a range without a byte in the file is unsatisfiable."""
    content = bytes(range(size))
    for header, expected in (
        (f"bytes={first}-", content[first:]),
        (f"bytes=-{last}", content[-last:] if last else b""),
        (f"bytes={first}-{first + last}", content[first : first + last + 1]),
    ):
        if not expected:
            with pytest.raises(Unsatisfiable):
                asked_range(header, size)
        else:
            asked = asked_range(header, size)
            assert asked is not None
            assert expected == content[asked[0] : asked[1]]


@pytest.mark.parametrize("header", ["", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "items=0-1", "bytes=a-b"])
def test_ranges_that_cannot_be_read_are_ignored(header: str) -> None:
    """The whole file is sent instead, as the standard allows."""
    assert asked_range(header, 10) is None


@pytest.mark.parametrize("store", [MemoryFiles, SpoolFiles])
def test_a_store_keeps_files_apart(store: type[MemoryFiles | SpoolFiles]) -> None:
    """Each file has its own bytes, size and checksum, and can be read anywhere."""
    files = store()
    first, second = files.write([b"abc", b"def"]), files.write([b"0123"])
    assert (first.size, second.size) == (6, 4)
    assert first.checksum == f"sha256:{hashlib.sha256(b'abcdef').hexdigest()}"
    assert (first.file.read(2, 5), second.file.read(0, 4)) == (b"cde", b"0123")
    if isinstance(files, SpoolFiles):
        files.close()

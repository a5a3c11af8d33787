"""JSON Lines: keys as columns, values as text, and lines that are no rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.errors import SourceUnusable
from syncengine.sources import THE_SOURCE, THE_SPOOL
from syncengine.sources.jsonl import JsonLines
from tests.unit.sources.reading import assert_records_hold_rows, read

Opens = Callable[..., JsonLines]
VALUES = st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('ab",\n\r é\u2028\U0001f600'), max_size=5)
BLOCKS = pytest.mark.parametrize("block_bytes", [1, 3, 50, 2_000_000])


@pytest.fixture
def opened(tmp_path: Path) -> Opens:
    """Writes bytes to people.jsonl and opens it."""

    def open_(data: bytes, **options: Any) -> JsonLines:
        path = tmp_path / "people.jsonl"
        path.write_bytes(data)
        return JsonLines(path, "people.jsonl", **options)

    return open_


@BLOCKS
def test_keys_are_columns_in_the_order_in_which_they_appear(opened: Opens, tmp_path: Path, block_bytes: int) -> None:
    """Also one that the last line alone has; null and a missing key are null, which "" is not."""
    source = opened(
        b'\xef\xbb\xbf{"b": "x", "a": null}\r\n\n  \n{"a": "", "b": "y\\n"}\n{"c": "\xc3\xa9", "a": "\\"1,"}',
        block_bytes=block_bytes,
    )

    whole = read(source, tmp_path)

    assert ("b", "a", "c") == source.columns
    assert [("x", None, None), ("y\n", "", None), (None, '"1,', "é")] == whole.rows
    assert [1, 4, 5] == whole.lines
    assert 2 == source.blank_lines
    assert_records_hold_rows(whole)
    assert {THE_SPOOL} == {body for body, _, _ in whole.places}


def test_numbers_are_as_they_are_written(opened: Opens, tmp_path: Path) -> None:
    """However long; a float keeps its zeros, an integer all its digits."""
    source = opened(
        b'{"n": 12345678901234567890123456789}\n{"n": 1.10}\n{"n": 1e5}\n{"n": -0}\n'
        b'{"n": true}\n{"n": false}\n{"n": "007"}\n'
    )

    assert ["12345678901234567890123456789", "1.10", "1e5", "0", "true", "false", "007"] == [
        row[0] for row in read(source, tmp_path).rows
    ]


@BLOCKS
def test_lines_that_are_no_rows_say_why(opened: Opens, tmp_path: Path, block_bytes: int) -> None:
    """Each with its line, its bytes in the file, and a reason; the other lines are read."""
    lines = [
        b'{"a": 1, "b": 2}',
        b"{oops}",
        b"[1]",
        b"3",
        b'"x"',
        b"null",
        b'{"a": [1]}',
        b'{"a": {}}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"a": 9',
    ]
    source = opened(b"\n".join(lines), block_bytes=block_bytes)

    whole = read(source, tmp_path)

    assert [("1", "2")] == whole.rows
    assert [
        (2, "the line is no JSON: unexpected character, expected a string key at column 2"),
        (3, "the line is a list, not a JSON object"),
        (4, "the line is a number, not a JSON object"),
        (5, "the line is a string, not a JSON object"),
        (6, "the line is null, not a JSON object"),
        (7, "'a' holds a list, which is no cell"),
        (8, "'a' holds an object, which is no cell"),
        (9, "the row has a NUL character"),
        (10, "the line is no JSON: no low surrogate in string at column 8"),
        (11, "the line is no JSON: unexpected end of data at column 8"),
    ] == whole.problems
    own = [each for each in whole.unreadable if each.body == THE_SOURCE]
    assert [*lines[1:8], lines[9], lines[10]] == [whole.bytes_of(each).rstrip(b"\n") for each in own]


def test_values_of_columns_that_are_not_taken_do_no_harm(opened: Opens, tmp_path: Path) -> None:
    """A list in a column that nobody wants is nobody's trouble."""
    source = opened(b'{"a": 1, "b": [1]}\n{"b": 2, "a": 3}\n')

    assert [("1",), ("3",)] == read(source, tmp_path, [0]).rows


@settings(deadline=None)  # machines may be busy
@given(
    rows=st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1), min_size=1, max_size=6),
    block=st.integers(1, 60),
)
def test_any_objects_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], block: int
) -> None:
    """Whatever is in the strings, and wherever blocks end."""
    folder = tmp_path_factory.mktemp("objects")
    rows = [
        {key: value for key, value in row.items() if not isinstance(value, int) or abs(value) < 2**63} for row in rows
    ]
    rows[0]["z"] = "x"
    (folder / "a.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    source = JsonLines(folder / "a.jsonl", "a.jsonl", block_bytes=block)

    whole = read(source, folder)

    def text(value: Any) -> str | None:
        return orjson.dumps(value).decode() if isinstance(value, int) else value

    assert [tuple(text(row.get(key)) for key in source.columns) for row in rows] == whole.rows
    assert_records_hold_rows(whole)


def test_a_line_that_no_chunk_takes_is_passed_over(opened: Opens, tmp_path: Path) -> None:
    """It is unreadable, and what follows is read."""
    long = b'{"a": "' + b"x" * 13_000_000 + b'"}'
    source = opened(b'{"a": "1"}\n' + long + b'\n{"a": "2"}\n')

    whole = read(source, tmp_path)

    assert [("1",), ("2",)] == whole.rows
    assert [1, 3] == whole.lines
    assert [(2, "the row has more than 10,000,000 bytes")] == whole.problems
    assert [(11, len(long) + 1)] == [(each.offset, each.length) for each in whole.unreadable]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "people.jsonl is empty: not even one row"),
        (b"\n \n", "people.jsonl is empty: not even one row"),
        (b"1\n{}\n", "people.jsonl: no line is a JSON object with a key"),
        (b'\n[{"a": 1}]\n', "people.jsonl begins as one JSON list, and JSON Lines are an object a line"),
        (b'{"a": 1}\n{"a": "\xff"}\n', "people.jsonl, line 2: byte 0xFF at offset 16 is no UTF-8"),
    ],
)
def test_a_file_that_is_no_json_lines_is_refused(opened: Opens, data: bytes, message: str) -> None:
    """The message says what it is instead."""
    with pytest.raises(SourceUnusable) as failure:
        opened(data)

    assert message == failure.value.message


def test_a_file_that_is_written_to_between_looking_and_reading_is_told(opened: Opens, tmp_path: Path) -> None:
    """Keys that only its second state has would be missing without a word."""
    source = opened(b'{"a": 1}\n')
    (tmp_path / "people.jsonl").write_bytes(b'{"a": 1}\n{"b": 2}\n')
    with pytest.raises(SourceUnusable, match=r"people\.jsonl was changed while it was read"):
        read(source, tmp_path)

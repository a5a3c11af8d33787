"""Files as Marketo writes them, and as it should not, become typed batches without losing a cell."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.errors import FileDamaged
from syncengine.exports.fields import landed
from syncengine.exports.parse import batches
from syncengine.exports.tally import ParseProblems
from syncengine.schema import Field, FieldType, Schema

ID = Field("id", FieldType.INTEGER)
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def read(
    folder: Path,
    content: bytes,
    *fields: Field,
    expected_rows: int | None = None,
    header: dict[str, str] | None = None,
    piece_bytes: int = 4_000_000,
    key: tuple[str, ...] = ("id",),
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Rows as dicts, and how many cells of each field did not fit."""
    path = folder / "export.csv"
    path.write_bytes(content)
    schema = Schema((ID, *fields), key)
    problems = ParseProblems()
    found = list(
        batches(path, schema, header=header, expected_rows=expected_rows, problems=problems, piece_bytes=piece_bytes)
    )
    assert all(batch.schema == landed(schema).arrow() for batch in found)
    return [row for batch in found for row in batch.to_pylist()], dict(problems.unparsed)


def column(folder: Path, kind: FieldType, *written: str) -> tuple[list[Any], list[Any]]:
    """The values of cells written as they stand, and the text kept of those that did not fit."""
    lines = "".join(f"{number},{cell}\n" for number, cell in enumerate(written))
    rows, _ = read(folder, f"id,x\n{lines}".encode(), Field("x", kind))
    kept = [json.loads(row["_unparsed"])["x"] if row["_unparsed"] else None for row in rows]
    return [row["x"] for row in rows], kept


def test_null_is_only_the_bare_word_or_nothing(tmp_path: Path) -> None:
    """In text, quotes tell a value from none: "null" and "" stay."""
    values, kept = column(tmp_path, FieldType.TEXT, "null", "", '"null"', '""', "NULL", " ", "nullable")

    assert values == [None, None, "null", "", "NULL", " ", "nullable"]
    assert kept == [None] * 7


@pytest.mark.parametrize("written", ["null", "", '""'])
@pytest.mark.parametrize("kind", [kind for kind in FieldType if kind is not FieldType.TEXT])
def test_an_empty_cell_of_any_other_type_is_null(tmp_path: Path, kind: FieldType, written: str) -> None:
    """Quoted or not, an empty cell of a number, a date or JSON holds nothing, and nothing is kept of it."""
    assert column(tmp_path, kind, written) == ([None], [None])


def test_integers(tmp_path: Path) -> None:
    """Whole numbers fit however they are written; others are kept as text beside the row, never rounded."""
    written = (
        "12",
        "-7",
        "12.0",
        "-3.00",
        " 5 ",
        "9223372036854775807",
        "12.5",
        "abc",
        "9223372036854775808",
        '"null"',
    )
    values, kept = column(tmp_path, FieldType.INTEGER, *written)

    assert values == [12, -7, 12, -3, 5, 9223372036854775807, None, None, None, None]
    assert kept == [None] * 6 + ["12.5", "abc", "9223372036854775808", "null"]


def test_floats(tmp_path: Path) -> None:
    """Numbers only: text, NaN and what is too large for 64 bits are kept as text."""
    values, kept = column(tmp_path, FieldType.FLOAT, "10.40", "-1e3", "7", " 1.5", "nan", "1e400", '"1,5"')

    assert values == [10.4, -1000.0, 7.0, 1.5, None, None, None]
    assert kept == [None] * 4 + ["nan", "1e400", "1,5"]


def test_booleans(tmp_path: Path) -> None:
    """True and false in any case, 1 and 0."""
    values, kept = column(tmp_path, FieldType.BOOLEAN, "true", "false", "1", "0", "True", "FALSE", "tRue", "yes")

    assert values == [True, False, True, False, True, False, True, None]
    assert kept == [None] * 7 + ["yes"]


def test_dates(tmp_path: Path) -> None:
    """Days of the calendar fit; a day that does not exist is kept as text."""
    values, kept = column(tmp_path, FieldType.DATE, "2024-02-29", "0001-01-01", "9999-12-31", "2023-02-29", "1/2/2024")

    assert [date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31), None, None] == values
    assert kept == [None] * 3 + ["2023-02-29", "1/2/2024"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2024-03-01T12:00:00Z", NOON),
        ("2024-03-01T12:00:00+0000", NOON),
        ("2024-03-01T17:30:00+05:30", NOON),
        ("2024-03-01T04:00:00-0800", NOON),
        ("2024-03-01T12:00:00Z+0000", NOON),
        ("2024-03-01T12:00:00.250Z", NOON + timedelta(milliseconds=250)),
        ("2024-03-01T12:00:00.250Z+0000", NOON + timedelta(milliseconds=250)),
        ("2024-03-01T12:00:00.123456789Z", NOON + timedelta(microseconds=123456)),
        ("2024-03-01 12:00:00Z", NOON),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_timestamps(tmp_path: Path, written: str, value: datetime) -> None:
    """Every form that Marketo writes is the same instant."""
    assert ([value], [None]) == column(tmp_path, FieldType.TIMESTAMP, written)


@pytest.mark.parametrize("written", ["2024-03-01T12:00:00", "2024-02-30T12:00:00Z", "2024-03-01", "yesterday"])
def test_timestamps_without_zone_are_not_guessed(tmp_path: Path, written: str) -> None:
    """What is not an instant is kept as text."""
    assert ([None], [written]) == column(tmp_path, FieldType.TIMESTAMP, written)


def test_json(tmp_path: Path) -> None:
    """JSON is kept to the letter when it is JSON."""
    values, kept = column(tmp_path, FieldType.JSON, '"{""a"": [1,  2]}"', "{broken", "7")

    assert values == ['{"a": [1,  2]}', None, "7"]
    assert kept == [None, "{broken", None]


@pytest.mark.parametrize(
    "cell",
    [
        "comma, cell",
        'say "hi"',
        "two\nlines",
        "cr\rlf\r\n",
        "\u2028 \u2029 \x85 \x0b \x0c",
        "nul\x00inside",
        "日本 🎉",
        "\ufeffmark",
        "x" * 200_000,
        "=1+1",
    ],
)
def test_hostile_text_survives(tmp_path: Path, cell: str) -> None:
    """Whatever stands in a quoted cell arrives unchanged, in any column."""
    written = '"' + cell.replace('"', '""') + '"'
    content = f"id,a,b\n1,{written},x\n2,y,{written}\n".encode()

    rows, _ = read(tmp_path, content, Field("a", FieldType.TEXT), Field("b", FieldType.TEXT))

    assert [(1, cell, "x"), (2, "y", cell)] == [(row["id"], row["a"], row["b"]) for row in rows]


@pytest.mark.parametrize("cell", ["cr\rinside", "\rcr", 'stray " quote', 'inch 5"', '5"" pipe'])
def test_unquoted_oddities_are_data(tmp_path: Path, cell: str) -> None:
    """A bare CR or a quote inside an unquoted cell belongs to the cell, and its neighbours stay where they are."""
    content = f'id,a,b\n1,{cell},x\n2,"two\nlines",{cell}\n3,z,null\n'.encode()

    rows, _ = read(tmp_path, content, Field("a", FieldType.TEXT), Field("b", FieldType.TEXT), expected_rows=3)

    assert [(cell, "x"), ("two\nlines", cell), ("z", None)] == [(row["a"], row["b"]) for row in rows]


def test_bytes_that_are_not_utf8_are_kept_readably(tmp_path: Path) -> None:
    """A garbled text cell is NULL, its bytes stand in `_unparsed`, and the other rows are untouched."""
    rows, problems = read(tmp_path, b"id,a\n1,caf\xe9\n2,ok\n", Field("a", FieldType.TEXT))

    assert [(row["a"], row["_unparsed"]) for row in rows] == [(None, '{"a":"caf\\\\xe9"}'), ("ok", None)]
    assert problems == {"a": 1}


def test_misfits_of_one_row_share_its_object(tmp_path: Path) -> None:
    """`_unparsed` names each field of the row that did not fit, and problems count them by field."""
    fields = (Field("score", FieldType.INTEGER), Field("born", FieldType.DATE))
    rows, problems = read(tmp_path, b"id,score,born\n1,12.5,soon\n2,1,2000-01-01\n3,x,null\n", *fields)

    kept = [json.loads(row["_unparsed"] or "null") for row in rows]
    assert kept == [{"score": "12.5", "born": "soon"}, None, {"score": "x"}]
    assert problems == {"score": 2, "born": 1}


def test_a_wrong_cell_far_into_the_file_changes_nothing_before_it(tmp_path: Path) -> None:
    """Pieces before and after a misfit are typed alike, and each row is there once."""
    lines = "".join(f"{number},{'oops' if number == 777 else number * 2}\n" for number in range(2_000))
    rows, problems = read(tmp_path, f"id,n\n{lines}".encode(), Field("n", FieldType.INTEGER), piece_bytes=500)

    assert [(number, None if number == 777 else number * 2) for number in range(2_000)] == [
        (row["id"], row["n"]) for row in rows
    ]
    assert problems == {"n": 1}


@pytest.mark.parametrize("content", [b"", b"id,a", b"id,a\n", b"id,a\r\n", b"\xef\xbb\xbfid,a\n"])
def test_a_file_may_have_no_rows(tmp_path: Path, content: bytes) -> None:
    """An empty file and a lone header are no rows, and no damage when none were announced."""
    assert read(tmp_path, content, Field("a", FieldType.TEXT), expected_rows=0) == ([], {})


@pytest.mark.parametrize("content", [b"", b"id,a\n", b"id,a\n1,x\n2,y\n3,z\n"])
def test_the_count_of_rows_is_checked(tmp_path: Path, content: bytes) -> None:
    """More or fewer records than Marketo announced are damage."""
    with pytest.raises(FileDamaged, match="Marketo announced 2"):
        read(tmp_path, content, Field("a", FieldType.TEXT), expected_rows=2)


def test_the_header_must_be_the_request(tmp_path: Path) -> None:
    """A header with other columns is damage, and the message names both sides."""
    with pytest.raises(FileDamaged, match="missing: email; not asked for: phone"):
        read(tmp_path, b"id,phone\n1,x\n", Field("email", FieldType.TEXT))


def test_columns_are_found_by_their_header(tmp_path: Path) -> None:
    """Renamed and reordered columns land in their fields."""
    content = b'"E-Mail, work",id\na@example.com,1\n'
    rows, _ = read(tmp_path, content, Field("email", FieldType.TEXT), header={"email": "E-Mail, work"})

    assert rows == [{"id": 1, "email": "a@example.com", "_unparsed": None}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,a\n1,x\n2\n", "record 2 has 1 cells where the header has 2"),
        (b"id,a\n1,x\n2,y,z\n", "record 2 has 3 cells where the header has 2"),
        (b"id,a\n1,x\n\n2,y\n", "record 2 has 1 cells where the header has 2"),
        (b'id,a\n1,x\n2,"y\n', "ends inside a quoted cell, in record 2"),
        (b"id,a\n1,x\nnull,y\n", "record 2 has no id that can be read"),
        (b"id,a\n1,x\nseven,y\n", "record 2 has no id that can be read"),
    ],
)
def test_damage_names_its_record(tmp_path: Path, content: bytes, message: str) -> None:
    """A ragged record, an open quote and a missing key are damage, told by the record's number."""
    with pytest.raises(FileDamaged, match=message):
        read(tmp_path, content, Field("a", FieldType.TEXT))


@pytest.mark.parametrize("lines", [1, 5, 9])
def test_damage_is_counted_over_pieces(tmp_path: Path, lines: int) -> None:
    """The number of a damaged record counts from the head of the file, whatever piece it is in."""
    content = b"id,a\n" + b"1,xxxxxxx\n" * lines + b"2\n" + b"3,y\n" * 20
    with pytest.raises(FileDamaged, match=f"record {lines + 1} has 1 cells"):
        read(tmp_path, content, Field("a", FieldType.TEXT), piece_bytes=20)


def test_a_single_column_with_bare_cr_is_not_split(tmp_path: Path) -> None:
    """With one column, a bare CR in an unquoted cell must not make two rows of one."""
    path = tmp_path / "one.csv"
    path.write_bytes(b"a\nx\ry\nz\n")
    schema = Schema((Field("a", FieldType.TEXT),), ("a",))

    found = batches(path, schema, header=None, expected_rows=2, problems=ParseProblems())

    assert [row["a"] for batch in found for row in batch.to_pylist()] == ["x\ry", "z"]


def test_a_mark_at_the_head_of_a_cell_is_kept(tmp_path: Path) -> None:
    """A byte order mark is taken off the file alone, not off cells that begin a piece."""
    path = tmp_path / "marks.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\n" + "\ufeffx,1\n".encode() * 40)
    schema = Schema((Field("a", FieldType.TEXT), Field("b", FieldType.INTEGER)), ("a",))

    found = batches(path, schema, header=None, expected_rows=40, problems=ParseProblems(), piece_bytes=30)

    assert [row["a"] for batch in found for row in batch.to_pylist()] == ["\ufeffx"] * 40


TEXTS = st.text(st.sampled_from('ab",\n\r\u2028\x85\x00é1'), max_size=6)
CELLS = st.one_of(
    st.none(),
    TEXTS,
    st.sampled_from(["null", "12.5", "7", "true", "2024-03-01T12:00:00Z", "2024-02-30", "{}", "-4.0"]),
)


def written(cell: str | None) -> str:
    """A cell in RFC 4180, quoted only where it must be."""
    if cell is None:
        return "null"
    if cell in {"", "null"} or any(mark in cell for mark in '",\n\r'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(CELLS, CELLS), max_size=12),
    st.sampled_from([kind for kind in FieldType if kind is not FieldType.TEXT]),
    st.integers(4, 60),
)
def test_no_cell_is_lost_wherever_the_file_is_cut(
    tmp_path: Path, rows: list[tuple[str | None, str | None]], kind: FieldType, size: int
) -> None:
    """For any cells and any cuts: text is the same, and what does not fit a type is kept to the letter."""
    lines = "".join(f"{number},{written(text)},{written(other)}\n" for number, (text, other) in enumerate(rows))
    fields = (Field("text", FieldType.TEXT), Field("typed", kind))
    content = f"id,text,typed\n{lines}".encode()

    pieced, _ = read(tmp_path, content, *fields, expected_rows=len(rows), piece_bytes=size)
    whole, _ = read(tmp_path, content, *fields, expected_rows=len(rows))

    assert whole == pieced
    assert [text for text, _ in rows] == [row["text"] for row in whole]
    for row, (_, other) in zip(whole, rows, strict=True):
        kept = json.loads(row["_unparsed"])["typed"] if row["_unparsed"] else None
        blank = other is None or not other.strip(" \t")
        assert blank or other == kept or row["typed"] is not None
        assert kept is None or (row["typed"] is None and other == kept)

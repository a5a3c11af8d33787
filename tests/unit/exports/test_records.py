"""Where records end and what cells are, against a reader that goes byte by byte."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syncengine.errors import FileDamaged
from syncengine.exports.records import cells, first_record, is_plain, pieces

# Few letters, so that every meeting of quotes, line ends and delimiters comes up.
RAW = st.lists(st.sampled_from([b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"a", b"null", b"\xe2\x80\xa8"])).map(
    b"".join
)


def record_ends(data: bytes) -> list[int]:
    """The grammar told again, plainly: the offsets after each LF outside of quotes."""
    ends, at_cell_start, inside, place = [], True, False, 0
    while place < len(data):
        byte = data[place : place + 1]
        if inside:
            if byte == b'"' and data[place + 1 : place + 2] == b'"':
                place += 1
            elif byte == b'"':
                inside = False
        elif byte == b'"' and at_cell_start:
            inside = True
        elif byte == b"\n":
            ends.append(place + 1)
        at_cell_start = not inside and byte in {b",", b"\n"}
        place += 1
    return ends


@given(RAW, st.integers(1, 12))
@example(b'5" pipe,"a\nb"\n1,2\n', 6)
@example(b'a,""",b\n', 2)
@example(b'"a"b"",c\n"x\n",d\n', 4)
def test_pieces_are_cut_between_records_and_lose_nothing(data: bytes, size: int) -> None:
    """Joined, the pieces are the file; each cut lies where a record ends, whatever quotes stand where."""
    cut = list(pieces(io.BytesIO(data), size))

    assert data == b"".join(piece.data for piece in cut)
    ends, place = record_ends(data), 0
    for piece in cut[:-1]:
        place += len(piece.data)
        assert place in ends


@given(RAW)
@example(b'a,5""",b\n')
@example(b'1,5\r"x\n2",3\n')
def test_plain_bytes_have_quotes_only_around_cells(data: bytes) -> None:
    """Bytes that pass as plain keep the promise that an even count of quotes means being outside of them."""
    if is_plain(data):
        even = [place + 1 for place in range(len(data)) if data[place : place + 1] == b"\n"]
        assert record_ends(data) == [end for end in even if data.count(b'"', 0, end) % 2 == 0]


@pytest.mark.parametrize(
    ("data", "plain"),
    [
        (b"1,2\n", True),
        (b'1,"2"\n', True),
        (b'1,"2"\r\n', True),
        (b'"","""",""""""\n', True),
        (b'1,"a""b\nc"\n', True),
        (b'1,5" pipe\n', False),
        (b'1,5"\n', False),
        (b'1,"2"3\n', False),
        (b'1,"2\n', False),
        (b'1,x\r"y"\n', False),
    ],
)
def test_plain_or_not(data: bytes, plain: bool) -> None:
    """Quotes count as plain only at the edges of cells and doubled inside."""
    assert plain is is_plain(data)


def test_cells_keep_what_quotes_say() -> None:
    """Bare null and nothing are no value; quoted they are text; a stray quote and a bare CR are data."""
    data = b'null,"null"\n,""\n5" pipe,"a""b"c\ncr\rhere,"line\r\n"\r\n'

    assert cells(data, 2, first=1) == [
        [None, None, b'5" pipe', b"cr\rhere"],
        [b"null", b"", b'a"bc', b"line\r\n"],
    ]


@given(st.lists(st.tuples(st.binary(), st.binary()), min_size=1))
def test_quoted_cells_come_back_to_the_byte(rows: list[tuple[bytes, bytes]]) -> None:
    """Whatever bytes are quoted into a cell come out of it."""
    data = b"".join(b",".join(b'"' + cell.replace(b'"', b'""') + b'"' for cell in row) + b"\n" for row in rows)

    assert [list(column) for column in zip(*rows, strict=True)] == cells(data, 2, first=1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"1,2\n3\n", "record 8 has 1 cells where the header has 2"),
        (b"1,2\n3,4,5\n", "record 8 has 3 cells where the header has 2"),
        (b"1,2\n\n", "record 8 has 1 cells where the header has 2"),
        (b'1,2\n3,"4\n', "the file ends inside a quoted cell, in record 8"),
    ],
)
def test_a_record_of_another_width_is_damage(data: bytes, message: str) -> None:
    """A ragged record is named by its number in the file."""
    with pytest.raises(FileDamaged, match=message):
        cells(data, 2, first=7)


def test_a_record_may_be_larger_than_a_piece() -> None:
    """A giant record is never cut, and the records after it are cut as before."""
    giant, others = b'1,"' + b"x\n" * 5_000 + b'"\n', b"2,b\n" * 5_000

    cut = [piece.data for piece in pieces(io.BytesIO(giant + others), 100)]

    assert giant + others == b"".join(cut)
    assert cut[0].startswith(giant)
    assert len(cut) > 10


def test_the_first_record_may_be_quoted_and_alone() -> None:
    """A header's cells are unquoted, with or without a line after them."""
    assert first_record(b'id,"First, Name"\n1,x\n') == (["id", "First, Name"], 17)
    assert first_record(b"id,email") == (["id", "email"], 8)

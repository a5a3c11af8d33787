"""Text becomes typed values where it fits, and is kept, to the byte, where it does not."""

from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.exports.cells import Column, checked_finite, checked_json, conversion, direct, typed, unparsed_column
from syncengine.schema import FieldType, arrow_type

# One text that fits and one that does not, for each type that not all text fits.
FITTING = {
    FieldType.JSON: b'{"a": 1}',
    FieldType.FLOAT: b"12.5",
    FieldType.INTEGER: b"12",
    FieldType.BOOLEAN: b"true",
    FieldType.DATE: b"2026-03-02",
    FieldType.TIMESTAMP: b"2026-03-02T08:00:00Z",
}
UNFIT = {
    FieldType.JSON: b"{",
    FieldType.FLOAT: b"NaN",
    FieldType.INTEGER: b"12.5",
    FieldType.BOOLEAN: b"yes",
    FieldType.DATE: b"2026-02-30",
    FieldType.TIMESTAMP: b"yesterday",
}
KINDS = list(FITTING)
NOT_UTF_8 = b"caf\xe9"


def column(*cells: bytes | None) -> Column:
    return pa.array(cells, pa.binary())


def texts(*cells: str | None) -> Column:
    return pa.array(cells, pa.string())


@pytest.mark.parametrize("kind", list(FieldType))
def test_a_column_has_its_type_however_little_fits(kind: FieldType) -> None:
    """Empty, all NULL, or all garbled: batches of one file always have one schema."""
    for cells in ((), (None, None), (NOT_UTF_8,), (NOT_UTF_8, None, b"")):
        values, _ = typed(column(*cells), kind)
        assert (arrow_type(kind), len(cells)) == (values.type, len(values))


@given(kind=st.sampled_from(KINDS), drawn=st.lists(st.sampled_from("vngw"), max_size=40))
def test_only_the_cells_that_do_not_fit_are_left_out(kind: FieldType, drawn: list[str]) -> None:
    """Wherever they stand among the others, unfit and garbled cells are NULL and listed; no other row is touched."""
    written = {"v": FITTING[kind], "n": None, "g": NOT_UTF_8, "w": UNFIT[kind]}
    values, unfit = typed(column(*(written[each] for each in drawn)), kind)
    (good,) = typed(column(FITTING[kind]), kind)[0].to_pylist()

    assert [row for row, each in enumerate(drawn) if each in "gw"] == unfit
    assert [good if each == "v" else None for each in drawn] == values.to_pylist()
    assert good is not None


@given(kind=st.sampled_from(KINDS), drawn=st.lists(st.sampled_from("vngw"), max_size=12))
def test_the_short_way_gives_the_same_or_steps_aside(kind: FieldType, drawn: list[str]) -> None:
    """Read as it stands, a column is what the careful way makes of it; with any cell that does not fit it is None."""
    cells = column(*({"v": FITTING[kind], "n": None, "g": NOT_UTF_8, "w": UNFIT[kind]}[each] for each in drawn))
    found = direct(cells, kind)
    if set(drawn) & set("gw"):
        assert found is None
    else:
        assert found is not None
        assert typed(cells, kind)[0].equals(found)


@given(cells=st.lists(st.one_of(st.none(), st.text(max_size=8), st.just(" "), st.just("")), max_size=20))
def test_text_is_never_changed(cells: list[str | None]) -> None:
    """Blanks, line breaks and empty text are values of a text column."""
    raw = column(*(None if each is None else each.encode() for each in cells))
    values, unfit = typed(raw, FieldType.TEXT)
    assert (cells, []) == (values.to_pylist(), unfit)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("blank", [b"", b" ", b"\t  "])
def test_a_blank_cell_of_other_types_holds_nothing(kind: FieldType, blank: bytes) -> None:
    """Nothing but blanks is no value, and nothing is kept of it."""
    values, unfit = typed(column(blank, FITTING[kind]), kind)
    assert ([], 1) == (unfit, values.null_count)


@pytest.mark.parametrize(
    ("kind", "written", "plain"),
    [
        (FieldType.INTEGER, b" 7.0", b"7"),
        (FieldType.INTEGER, b"-3.000", b"-3"),
        (FieldType.TIMESTAMP, b"2026-03-02T08:00:00Z+0000", b"2026-03-02T08:00:00Z"),
        (FieldType.TIMESTAMP, b"2026-03-02T08:00:00Z-00:00", b"2026-03-02T08:00:00Z"),
        (FieldType.TIMESTAMP, b"2026-03-02T08:00:00.1234567Z", b"2026-03-02T08:00:00.123456Z"),
        (FieldType.FLOAT, b"\t1.5 ", b"1.5"),
        (FieldType.BOOLEAN, b" true", b"true"),
    ],
)
def test_other_spellings_are_read_as_the_plain_one(kind: FieldType, written: bytes, plain: bytes) -> None:
    """What Marketo writes in more than one way is one value."""
    values, unfit = typed(column(written), kind)
    assert ([], typed(column(plain), kind)[0]) == (unfit, values)


@pytest.mark.parametrize("written", [b"7.01", b"7.", b"1e3", b"9223372036854775808", b"7 8"])
def test_a_number_is_never_rounded_to_a_whole_one(written: bytes) -> None:
    """What is not a whole number of 64 bits does not fit."""
    assert [0] == typed(column(written), FieldType.INTEGER)[1]


@pytest.mark.parametrize("cells", [(), ("1",), ('{"a": [null]}', None, '"x"')])
def test_json_is_kept_as_it_is_written(cells: tuple[str | None, ...]) -> None:
    """A valid value passes unchanged, spaces included; NULL is no value to check."""
    assert list(cells) == checked_json(texts(*cells)).to_pylist()


@pytest.mark.parametrize("cell", ["", "{", "{'a': 1}", "NaN", "1 2"])
def test_what_is_no_json_does_not_fit(cell: str) -> None:
    """One bad cell is enough."""
    with pytest.raises(pa.ArrowInvalid):
        checked_json(texts("1", cell))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_are_finite(number: float) -> None:
    """No destination could sum up what is not; NULL and an empty column are fine."""
    with pytest.raises(pa.ArrowInvalid):
        checked_finite(pa.array([1.0, None, number]))
    for fine in ([], [None], [1.0, None, -0.0]):
        assert fine == checked_finite(pa.array(fine, pa.float64())).to_pylist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_conversion_refuses_the_whole_column(kind: FieldType) -> None:
    """It is all or nothing: who wants to know which cell did not fit has to ask `typed`."""
    convert = conversion(kind)
    assert arrow_type(kind) == convert(texts(FITTING[kind].decode(), None)).type
    with pytest.raises(pa.ArrowInvalid):
        convert(texts(FITTING[kind].decode(), UNFIT[kind].decode()))


def test_what_did_not_fit_is_kept_by_row_and_field() -> None:
    """Each row has an object of its own cells only, in the bytes that Marketo wrote; rows without any have NULL."""
    cells = column(b"12.5", b"x,y\n", NOT_UTF_8)
    kept = unparsed_column(4, {"a": (cells, [0, 2]), "b": (cells, [1, 2])}).to_pylist()
    expected: list[Any] = [{"a": "12.5"}, {"b": "x,y\n"}, {"a": "caf\\xe9", "b": "caf\\xe9"}, None]
    assert expected == [each and orjson.loads(each) for each in kept]


@pytest.mark.parametrize("rows", [0, 3])
def test_where_all_fits_nothing_is_kept(rows: int) -> None:
    """The column is there and NULL, of the same type as when it is not."""
    kept = unparsed_column(rows, {"a": (column(), [])})
    assert (pa.string(), rows) == (kept.type, kept.null_count)

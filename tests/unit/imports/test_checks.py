"""What is wrong with cells: only what Marketo is certain to refuse."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from syncengine.imports.checks import TEXT_AREA_BYTES_MAX, Checks, key_text, key_texts
from syncengine.imports.findings import Effect
from syncengine.imports.header import Column
from tests.unit.imports.table import COLUMNS, EMAIL, NAME, SCORE


def column(data_type: str, length: int | None = None, name: str = "f") -> Column:
    return Column(name, data_type, length, 0, is_key=False)


def texts(*cells: str | None) -> pa.StringArray:
    array: pa.StringArray = pa.array(cells, pa.string())
    return array


def problems(checks: Checks, *cells: Sequence[str | None]) -> list[str | None]:
    """The first thing wrong with each row of these columns."""
    found = checks.piece([texts(*each) for each in cells], lambda row: f"line {row + 2}")
    told: list[Any] = found.problems.to_pylist()
    return told


GOOD = {
    "integer": ["0", "17", "-3", "+4", " 5 ", "007", "12.0", "1.", ""],
    "score": ["1", "-1", ""],
    "float": ["0", "1.5", "-2.", ".5", "+1e3", "1E-3", " 2 ", ""],
    "currency": ["1000000.25", ""],
    "percent": ["12.5", ""],
    "boolean": ["true", "FALSE", "Yes", "no", "1", "0", "t", "F", "y", "N", " true ", ""],
    "date": ["2026-02-28", " 2026-12-31", "2026-01-01T10:00:00Z", ""],
    "datetime": ["2026-02-28T10:00:00+0100", "2026-02-28 10:00", "2026-02-28", ""],
    "string": ["anything", "true", "é", " ", ""],
    "text": ["x" * 100_000],
    "phone": ["+49 30 1234", "=1"],
    "url": ["https://x.example/?q=é"],
    "somethingNew": ["whatever"],
}
BAD = {
    "integer": (["1.5", "abc", "12345678901", "1e3", "--1", "0x10", "१", " ", "1,000"], "is no whole number"),
    "float": (["1,5", "abc", ".", "1e", "nan", "inf", "$5"], "is no number"),
    "boolean": (["maybe", "2", "on", "tru", " "], "is neither true nor false"),
    "date": (["01/02/2026", "2026-13-01", "2026-00-10", "2026-01-32", "26-01-01", "today"], "is no date (YYYY-MM-DD)"),
    "datetime": (
        ["10:00", "1767225600", "2026/01/01"],
        "is no date and time (YYYY-MM-DDThh:mm:ss, best with an offset)",
    ),
}


@pytest.mark.parametrize("data_type", GOOD)
def test_good_values_of_each_type_are_sent(data_type: str) -> None:
    """As they are, blanks and all; an empty cell is of every type."""
    given = GOOD[data_type]
    assert [None] * len(given) == problems(Checks([column(data_type)]), given)


@pytest.mark.parametrize("data_type", BAD)
def test_bad_values_of_each_type_are_set_aside(data_type: str) -> None:
    """With the column and what is wrong, and never the value."""
    given, what = BAD[data_type]
    checks = Checks([column(data_type)])
    assert [f"f {what}"] * len(given) == problems(checks, given)
    (finding,) = checks.findings.all()
    assert (Effect.SETS_ASIDE, what, "f", len(given)) == (finding.effect, finding.what, finding.column, finding.rows)
    assert tuple(f"line {n}" for n in range(2, min(5, len(given) + 2))) == finding.examples


@pytest.mark.parametrize(
    ("data_type", "spelt"), [("integer", "Integer"), ("datetime", "date_time"), ("float", "FLOAT")]
)
def test_types_are_known_however_they_are_spelt(data_type: str, spelt: str) -> None:
    """Pages and answers write one type in several ways."""
    given, what = BAD[data_type]
    assert [f"f {what}"] * len(given) == problems(Checks([column(spelt)]), given)


def test_a_text_may_be_as_long_as_its_field() -> None:
    """Counted in characters; types that are no text have no length."""
    checks = Checks([column("string", 3)])
    assert [None, None, "f is longer than 3 characters"] == problems(checks, ["abc", "日本語", "abcd"])
    assert [None] == problems(Checks([column("datetime", 3)]), ["2026-01-01"])
    assert [None] == problems(Checks([column("string", None)]), ["x" * 70_000])


def test_a_text_area_is_counted_in_bytes() -> None:
    """Marketo states 30,000 bytes."""
    checks = Checks([column("textArea")])
    most = TEXT_AREA_BYTES_MAX // 2
    assert [None, f"f is longer than {TEXT_AREA_BYTES_MAX:,} bytes"] == problems(checks, ["é" * most, "é" * most + "a"])


def test_addresses_are_ascii() -> None:
    """Marketo refuses others; a name may be anything."""
    checks = Checks([EMAIL, NAME])
    what = "email has characters beyond ASCII, which Marketo refuses"
    assert [None, what] == problems(checks, ["a@x.example", "ä@x.example"], ["Ä", "b"])


def test_a_key_may_not_be_empty() -> None:
    """Neither null nor blank; any other column may be."""
    checks = Checks([EMAIL, SCORE])
    assert ["email is empty"] * 3 + [None] == problems(checks, [None, "", " \t ", "a@x"], ["1", None, "", ""])


def test_a_nul_is_never_sent() -> None:
    """In whatever column it stands."""
    checks = Checks(COLUMNS)
    given = [["a\0@x", "b@x", "c@x"], ["A", "B\0", "C"], ["1", "2", "3"]]
    assert ["email holds a NUL character", "firstName holds a NUL character", None] == problems(checks, *given)


def test_only_the_first_fault_of_a_row_is_told() -> None:
    """From the left; each row is counted once."""
    checks = Checks(COLUMNS)
    assert ["email is empty", "leadScore is no whole number"] == problems(
        checks, ["", "a@x"], ["x" * 21, "A"], ["abc", "abc"]
    )
    assert [("is empty", 1), ("is no whole number", 1)] == [(each.what, each.rows) for each in checks.findings.all()]


def test_nulls_are_empty_cells_of_every_type() -> None:
    """A source that knows no value gives none; nothing is wrong with that."""
    for data_type in GOOD:
        assert [None] == problems(Checks([column(data_type, 3)]), [None])


@pytest.mark.parametrize(("allow_clear", "effect"), [(False, Effect.STOPS), (True, Effect.TELLS)])
def test_cells_that_would_clear_a_field_are_counted(*, allow_clear: bool, effect: Effect) -> None:
    """Null or empty, of rows that are sent; not of keys, which may not be empty. They stop what does not allow them."""
    checks = Checks(COLUMNS, allow_clear=allow_clear)
    problems(checks, ["a@x", "b@x", "", "d@x"], ["", None, "", "D"], ["1", "", "", "x"])
    problems(checks, ["e@x"], [""], ["5"])
    found = [each for each in checks.findings.all() if each.effect is not Effect.SETS_ASIDE]
    assert [("firstName", 3, effect), ("leadScore", 1, effect)] == [(e.column, e.rows, e.effect) for e in found]
    assert ("line 2", "line 3", "line 2") == found[0].examples


def test_a_piece_without_rows_is_fine() -> None:
    """A file may be a header and unreadable records."""
    checks = Checks(COLUMNS)
    assert [] == problems(checks, [], [], [])
    assert () == checks.findings.all()


@pytest.mark.parametrize(
    ("data_type", "name", "cell", "key"),
    [
        ("email", "email", " Ann@X.Example ", "ann@x.example"),
        ("string", "email", "Ann@X", "ann@x"),
        ("string", "sku", " Ab ", "Ab"),
        ("integer", "id", "007", "7"),
        ("integer", "id", "+7", "7"),
        ("integer", "id", " 7.00 ", "7"),
        ("integer", "id", "0", "0"),
        ("integer", "id", "000", "0"),
        ("integer", "id", "100", "100"),
        ("integer", "id", "-7", "-7"),
        ("string", "id", "007", "007"),
        ("integer", "id", "-0", "0"),
        ("integer", "id", "\f7", "7"),
        ("float", "f", "7.0", "7"),
        ("float", "f", "+.70e1", "7"),
        ("float", "f", "\f7", "7"),
        ("float", "f", "-0.0", "0"),
        ("float", "f", "1e400", "1e400"),
        ("float", "f", "seven", "seven"),
        ("currency", "f", "7.00", "7"),
        ("boolean", "b", "T", "true"),
        ("boolean", "b", "no", "false"),
        ("boolean", "b", "2", "2"),
        ("date", "d", "2026-01-02T00:00:00Z", "2026-01-02"),
        ("datetime", "t", "2026-01-02T04:04:05+01:00", "2026-01-02 03:04:05+00:00"),
        ("datetime", "t", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05+00:00"),
        ("datetime", "t", "whenever", "whenever"),
        ("string", "s", "A\u00a0", "A\u00a0"),
        ("string", "s", "A\x1f", "A\x1f"),
        ("string", "s", None, ""),
    ],
)
def test_a_key_is_compared_as_marketo_does(data_type: str, name: str, cell: str | None, key: str) -> None:
    """Addresses differ in nothing but case, numbers in how they are written, and blanks at the ends never count."""
    assert [key] == key_text(Column(name, data_type, None, 0, is_key=True), texts(cell)).to_pylist()


def test_keys_of_several_columns_are_told_apart() -> None:
    """("ab", "c") and ("a", "bc") are two keys; columns that are no keys make none."""
    one, two = (Column(name, "string", None, 0, is_key=True) for name in ("a", "b"))
    found: list[Any] = key_texts([one, NAME, two], [texts("ab", "a"), texts("x", "y"), texts("c", "bc")]).to_pylist()
    assert ["2:ab 1:c", "1:a 2:bc"] == found

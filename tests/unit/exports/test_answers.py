"""Rows of JSON answers become typed columns; what does not fit is kept as text, and no row is lost."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.errors import FileDamaged
from syncengine.exports.answers import batch, text, value
from syncengine.exports.fields import landed
from syncengine.exports.tally import ParseProblems
from syncengine.schema import Field, FieldType, Schema

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SCHEMA = Schema((Field("id", FieldType.INTEGER), *(Field(kind.value, kind) for kind in FieldType)), ("id",))
FITS: dict[FieldType, list[tuple[Any, Any]]] = {
    FieldType.TEXT: [
        ("a", "a"),
        ("", ""),
        (" a ", " a "),
        ("null", "null"),
        ("x\0\u2028\r\ny", "x\0\u2028\r\ny"),
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        (["a", 1], '["a",1]'),
        ({"a": {"b": None}}, '{"a":{"b":null}}'),
    ],
    FieldType.INTEGER: [
        (7, 7),
        (-7, -7),
        ("7", 7),
        (" +7 ", 7),
        (7.0, 7),
        (2**63 - 1, 2**63 - 1),
        (str(2**63 - 1), 2**63 - 1),
        ("", None),
        ("  ", None),
    ],
    FieldType.FLOAT: [(7, 7.0), (1.5, 1.5), ("1.5", 1.5), (" -1e3 ", -1000.0), ("", None), (2**63, 2.0**63)],
    FieldType.BOOLEAN: [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        ("1", True),
        ("0", False),
        ("true", True),
        ("False", False),
        (" TRUE ", True),
        ("", None),
    ],
    FieldType.DATE: [
        ("2026-03-02", date(2026, 3, 2)),
        (" 2026-03-02 ", date(2026, 3, 2)),
        ("2026-03-02T23:30:00Z", date(2026, 3, 2)),
        ("2026-03-02 23:30:00", date(2026, 3, 2)),
        ("", None),
    ],
    FieldType.TIMESTAMP: [
        ("2026-03-02T12:00:00Z", NOON),
        ("2026-03-02T12:00:00Z+0000", NOON),
        ("2026-03-02T12:00:00+0000", NOON),
        ("2026-03-02T07:00:00-05:00", NOON),
        ("2026-03-02 12:00:00.250Z", NOON + timedelta(milliseconds=250)),
        (" ", None),
    ],
    FieldType.JSON: [
        ([], "[]"),
        ({"b": [1, None, "x"], "a": {}}, '{"b":[1,null,"x"],"a":{}}'),
        ("a", '"a"'),
        (7, "7"),
        (False, "false"),
    ],
}
MISFITS: dict[FieldType, list[Any]] = {
    FieldType.INTEGER: [
        "x",
        "1.5",
        1.5,
        True,
        [],
        {},
        2**63,
        -1e19,
        "9" * 30,
        1e300,
        "1_000",
        "\u0661",
        "7 7",
    ],
    FieldType.FLOAT: ["x", True, [], "nan", "inf", "-Infinity", "1e999", "1_000", "\u0661", "1,5"],
    FieldType.BOOLEAN: ["yes", "2", 2, -1, 1.5, [], {}],
    FieldType.DATE: ["2026-02-30", "soon", "02.03.2026", 20260302, True, "2026-03-02x", "20260302", "2026-W10-1", []],
    FieldType.TIMESTAMP: [
        "2026-03-02T12:00:00",
        "2026-03-02",
        "2026-13-02T12:00:00Z",
        "2026-03-02T25:00:00Z",
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00:00+05:00",
        1_772_452_800,
        {},
    ],
}


def of(rows: list[dict[str, Any]], problems: ParseProblems | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = batch(rows, SCHEMA, problems or ParseProblems()).to_pylist()
    return found


@pytest.mark.parametrize(("kind", "stated", "meant"), [(kind, *each) for kind, all_ in FITS.items() for each in all_])
def test_every_form_of_a_value_is_read(kind: FieldType, stated: Any, meant: Any) -> None:
    """A value comes as its type whichever way the JSON has it, and nothing is noted about it."""
    (row,) = of([{"id": 1, kind.value: stated}])
    assert (type(meant), meant, None) == (type(row[kind.value]), row[kind.value], row["_unparsed"])


@pytest.mark.parametrize(("kind", "stated"), [(kind, each) for kind, all_ in MISFITS.items() for each in all_])
def test_what_does_not_fit_is_null_and_kept_as_text(kind: FieldType, stated: Any) -> None:
    """One bad cell spoils no row: its text lies in `_unparsed`, and the report counts it."""
    problems = ParseProblems()
    (row,) = of([{"id": 1, kind.value: stated, "text": "a"}], problems)
    assert (None, "a") == (row[kind.value], row["text"])
    assert {kind.value: text(stated)} == orjson.loads(row["_unparsed"])
    assert {kind.value: 1} == problems.unparsed


@pytest.mark.parametrize("kind", FieldType)
def test_null_and_a_missing_member_are_no_value(kind: FieldType) -> None:
    """Marketo leaves out what has no value, or says null: neither is a misfit, in a column of any type."""
    problems = ParseProblems()
    for row in of([{"id": 1, kind.value: None}, {"id": 2}], problems):
        assert (None, None) == (row[kind.value], row["_unparsed"])
    assert not problems.unparsed


def test_several_misfits_of_a_row_are_kept_together() -> None:
    """Each by its field; rows without any have none."""
    problems = ParseProblems()
    bad, good = of([{"id": 1, "integer": "x", "date": "y"}, {"id": 2, "integer": 3}], problems)
    assert ({"integer": "x", "date": "y"}, None) == (orjson.loads(bad["_unparsed"]), good["_unparsed"])
    assert {"integer": 1, "date": 1} == problems.unparsed


@pytest.mark.parametrize("stated", [{}, {"id": None}, {"id": "x"}, {"id": ""}, {"id": 2**70 * 1.0}, {"id": [1]}])
def test_a_row_whose_key_cannot_be_read_damages_the_answer(stated: dict[str, Any]) -> None:
    """Nothing could ever find it again, so nothing of the answer is taken for good."""
    with pytest.raises(FileDamaged, match="without a id"):
        of([{"id": 1}, stated])


def test_a_key_may_come_as_text() -> None:
    """A key is a value like any other."""
    assert [7] == [row["id"] for row in of([{"id": "7"}])]


def test_members_that_the_schema_lacks_are_left_out() -> None:
    """What was not asked for does not land."""
    (row,) = of([{"id": 1, "new": "x", "ID": 2}])
    assert {*SCHEMA.names, "_unparsed"} == row.keys()
    assert 1 == row["id"]


def test_no_rows_are_a_batch_of_no_rows() -> None:
    """An empty page has columns all the same."""
    found = batch([], SCHEMA, ParseProblems())
    assert (0, landed(SCHEMA).arrow()) == (found.num_rows, found.schema)


PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=9)
JSON = PLAIN | st.lists(PLAIN, max_size=2) | st.dictionaries(st.sampled_from("ab"), PLAIN, max_size=2)


@given(
    st.lists(
        st.fixed_dictionaries({}, optional={kind.value: JSON for kind in FieldType}),
        max_size=4,
    )
)
def test_no_row_and_no_value_is_lost(rows: list[dict[str, Any]]) -> None:
    """Whatever JSON has: each row comes in its place, and each value is in its column or in `_unparsed`."""
    # As they travel: JSON has no infinity.
    rows = orjson.loads(orjson.dumps(rows))
    problems = ParseProblems()
    found = batch([{"id": place, **row} for place, row in enumerate(rows)], SCHEMA, problems)
    found.validate(full=True)
    assert list(range(len(rows))) == found.column("id").to_pylist()
    noted = 0
    for row, landed_row in zip(rows, found.to_pylist(), strict=True):
        misfits = orjson.loads(landed_row["_unparsed"] or "{}")
        noted += len(misfits)
        for name, stated in row.items():
            is_blank = stated is None or (isinstance(stated, str) and not stated.strip())
            assert is_blank or (landed_row[name] is None) == (name in misfits)
            assert misfits.get(name, text(stated)) == text(stated)
    assert noted == problems.unparsed.total()


@given(st.sampled_from(list(FieldType)), JSON.filter(lambda stated: stated is not None))
def test_a_value_is_read_or_refused(kind: FieldType, stated: Any) -> None:
    """Nothing but ValueError comes out, so that a strange value never ends a run."""
    try:
        value(stated, kind)
    except ValueError:
        assert kind not in {FieldType.TEXT, FieldType.JSON}

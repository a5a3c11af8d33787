"""Cells arrive as they are, whatever they hold, in columns of any name: every destination."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from syncengine.destinations import Applied
from syncengine.schema import Field, FieldType, Schema
from tests.conformance.places import Place
from tests.conformance.windows import DAY, ID, UPDATED, at, batch, columns_of, window

VALUES: dict[FieldType, list[Any]] = {
    FieldType.TEXT: [
        "null",
        "",
        None,
        " ",
        "\\N",
        "\\.",
        "comma, \"quote\" 'single' \\ back",
        "tab\tand \\t",
        "two\nlines\r\n\rend",
        "\u2028\u2029\x85\x0b\x0c\x01\x7f",
        "nul\x00inside",
        "日本 🎉 e\u0301 \u202e\ufeff",
        "x" * 200_000,
        "'; DROP TABLE people; --",
        "%s {} $1 ?",
    ],
    FieldType.INTEGER: [0, -1, 2**63 - 1, -(2**63), None],
    FieldType.FLOAT: [0.1, -0.0, 1.7976931348623157e308, 5e-324, -1e300, 1 / 3, None],
    FieldType.BOOLEAN: [True, False, None],
    FieldType.DATE: [date(1, 1, 1), date(1582, 10, 10), date(2024, 2, 29), date(9999, 12, 31), None],
    FieldType.TIMESTAMP: [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        DAY + timedelta(microseconds=1),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        None,
    ],
    FieldType.JSON: ['{"a": [1,  "\\u0000", null]}', "null", '""', '{"b":1,"a":2,"b":3}', "[1e2]", None],
}


def values(place: Place, kind: FieldType) -> list[Any]:
    """Values of a kind that the place can hold."""
    unheld = "\x00" if "NUL" in place.refuses else "nothing"
    return [value for value in VALUES[kind] if not (kind is FieldType.TEXT and unheld in str(value))]


@pytest.mark.parametrize("type_", FieldType)
def test_values_arrive_as_they_are(place: Place, type_: FieldType) -> None:
    """Every type comes back cell for cell, the word null, the empty string and NULL apart."""
    schema = Schema((ID, Field("value", type_)), ("id",))
    rows = list(enumerate(values(place, type_)))

    applied = place.open().apply(window("w1", *rows, schema=schema, newer_by=None))

    assert Applied(inserted=len(rows)) == applied
    assert rows == columns_of(place, "id", "value")
    assert [str(value) for _, value in rows] == [str(row["value"]) for row in place.rows("people")]


@pytest.mark.parametrize("type_", FieldType)
def test_values_that_stay_are_seen_to_stay(place: Place, type_: FieldType) -> None:
    """Read again in other batches, every value of every type is found unchanged; exchanged for another, changed."""
    schema = Schema((ID, Field("value", type_)), ("id",))
    rows = list(enumerate(values(place, type_)))
    place.open().apply(window("w1", *rows, schema=schema, newer_by=None))

    again = window("w2", schema=schema, newer_by=None, read=1, batches=[batch(schema, row) for row in rows])
    moved = [(number, rows[number - 1][1]) for number, _ in rows]

    assert Applied(unchanged=len(rows)) == place.open().apply(again)
    assert Applied(changed=len(rows)) == place.open().apply(window("w3", *moved, schema=schema, newer_by=None, read=2))
    assert moved == columns_of(place, "id", "value")


RESERVED = ["rowid", "rowId", "_read_at", "_window", "_changed_at", "_deleted_at", "_merged_into", "ctid", "xmin"]


@pytest.mark.parametrize("name", [*RESERVED, "seq", "verdict", "target", "c0", "k0"])
def test_a_field_may_have_any_name(place: Place, name: str) -> None:
    """Names that mean something to the database or to us are a field's like any other: no row is lost or doubled."""
    schema = Schema((ID, UPDATED, Field(name, FieldType.INTEGER)), ("id",))
    before = [(number, at(1), number % 3 or None) for number in range(40)]
    after = [(number, at(2), 7) for number in range(10)]

    place.open().apply(window("w1", *before, schema=schema, can_be_marked=True))
    applied = place.open().apply(window("w2", *after, schema=schema, read=1, can_be_marked=True))

    assert Applied(changed=10) == applied
    rows = place.rows("people")
    assert list(range(40)) == [row["id"] for row in rows]
    assert all(7 in set(row.values()) for row in rows[:10])
    assert all(row["_deleted_at"] is None for row in rows)


NAMES = ["x" * 100, "ü" * 40, 'quo"ted', "semi;colon", "sp ace", "select", "ünï", "a.b", "%s", "{x}", "c0", "seq"]


@pytest.mark.parametrize("name", NAMES)
def test_names_may_be_anything(place: Place, name: str) -> None:
    """Fields and streams of any name keep it."""
    schema = Schema((ID, Field(name, FieldType.TEXT)), ("id",))
    for number in (1, 2):
        row = (1, f"value {number}")
        place.open().apply(window(f"w{number}", row, schema=schema, stream=name, newer_by=None, read=number))

    assert [(1, "value 2")] == columns_of(place, "id", place.called(name), stream=name)


def test_names_that_begin_alike_stay_apart(place: Place) -> None:
    """However long names are, each field has its own column, also one that comes later."""
    long = "y" * 99
    first = Schema((ID, Field(long + "a", FieldType.TEXT)), ("id",))
    second = Schema((ID, Field(long + "b", FieldType.TEXT), Field(long + "a", FieldType.TEXT)), ("id",))
    place.open().apply(window("w1", (1, "a"), schema=first, newer_by=None))

    applied = place.open().apply(window("w2", (1, "b", "a"), schema=second, newer_by=None, read=1))

    assert Applied(changed=1, columns_added=(place.called(long + "b"),)) == applied
    assert [("a", "b")] == columns_of(place, place.called(long + "a"), place.called(long + "b"))


def test_fields_that_differ_in_case_have_columns_of_their_own(place: Place) -> None:
    """No value of `email` lands in `Email`, in whatever order a later request names them."""
    upper, lower = Field("Email", FieldType.TEXT), Field("email", FieldType.TEXT)
    place.open().apply(window("w1", (1, "UP", "low"), schema=Schema((ID, upper, lower), ("id",)), newer_by=None))

    applied = place.open().apply(
        window("w2", (1, "low", "UP"), schema=Schema((ID, lower, upper), ("id",)), newer_by=None, read=1)
    )

    assert Applied(unchanged=1) == applied
    assert [("UP", "low")] == columns_of(place, "Email", "email_e7927c74")

"""A table grows with its stream's fields and never shrinks: every destination."""

from datetime import date
from typing import Any

import pytest

from syncengine.destinations import Applied
from syncengine.schema import Field, FieldType, Schema
from tests.conformance.places import Place
from tests.conformance.windows import DAY, ID, NAME, UPDATED, at, columns_of, people, window


def test_a_new_field_becomes_a_column(place: Place) -> None:
    """Rows that were there hold NULL in it, and the answer names it."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b")))
    wider = Schema((ID, Field("score", FieldType.INTEGER), UPDATED, NAME), ("id",))

    applied = place.open().apply(window("w2", (2, 7, at(1), "b"), schema=wider, read=1))

    assert applied == Applied(changed=1, columns_added=("score",))
    assert columns_of(place, "id", "score") == [(1, None), (2, 7)]


def test_a_field_that_is_gone_keeps_its_column(place: Place) -> None:
    """Rows written without a field keep the value it had; new ones have none."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b")))
    narrower = Schema((ID, UPDATED), ("id",))

    applied = place.open().apply(window("w2", (1, at(1)), (2, at(2)), (3, at(2)), schema=narrower, read=1))

    assert applied == Applied(inserted=1, changed=1, unchanged=1)
    assert people(place) == [(1, at(1), "a"), (2, at(2), "b"), (3, at(2), None)]


@pytest.mark.parametrize(
    ("was", "old", "becomes", "new", "reads"),
    [
        (FieldType.INTEGER, 3, FieldType.FLOAT, 4.5, [3.0, 4.5]),
        (FieldType.INTEGER, 3, FieldType.TEXT, "four", ["3", "four"]),
        (FieldType.FLOAT, 3.5, FieldType.TEXT, "four", ["3.5", "four"]),
        (FieldType.FLOAT, 3.5, FieldType.INTEGER, 4, [3.5, 4.0]),
        (FieldType.TEXT, "three", FieldType.INTEGER, 4, ["three", "4"]),
        (FieldType.BOOLEAN, True, FieldType.TEXT, "no", ["true", "no"]),
        (FieldType.DATE, date(2024, 3, 1), FieldType.TEXT, "soon", ["2024-03-01", "soon"]),
        (FieldType.TIMESTAMP, DAY, FieldType.TEXT, "soon", ["2024-03-01 00:00:00+00", "soon"]),
        (FieldType.BOOLEAN, True, FieldType.INTEGER, 4, ["true", "4"]),
        (FieldType.JSON, '{"a":  1}', FieldType.TEXT, "four", ['{"a":  1}', "four"]),
        (FieldType.TEXT, "three", FieldType.JSON, "[]", ["three", "[]"]),
        (FieldType.TEXT, "three", FieldType.BOOLEAN, False, ["three", "false"]),
        (FieldType.TEXT, "three", FieldType.TIMESTAMP, DAY, ["three", "2024-03-01 00:00:00+00"]),
    ],
)
def test_a_column_widens_and_never_narrows(
    place: Place, was: FieldType, old: Any, becomes: FieldType, new: Any, reads: list[Any]
) -> None:
    """When a field's type changes, its column takes the type that holds the old values and the new."""
    before, after = (Schema((ID, Field("x", each)), ("id",)) for each in (was, becomes))
    place.open().apply(window("w1", (1, old), schema=before, newer_by=None))
    applied = place.open().apply(window("w2", (2, new), schema=after, newer_by=None, day=1))
    again = place.open().apply(window("w3", (1, old), schema=before, newer_by=None, day=2, read=1))

    assert [row["x"] for row in place.rows("people")] == reads
    widens = was is not FieldType.TEXT and not (was is FieldType.FLOAT and becomes is FieldType.INTEGER)
    assert Applied(inserted=1, columns_widened=("x",) if widens else ()) == applied
    assert Applied(unchanged=1) == again


def test_a_key_may_widen(place: Place) -> None:
    """Rows are found again under a key whose column has taken a wider type."""
    place.open().apply(window("w1", (1, "a"), schema=Schema((ID, NAME), ("id",)), newer_by=None))
    wider = Schema((Field("id", FieldType.TEXT), NAME), ("id",))

    applied = place.open().apply(window("w2", ("1", "b"), ("x", "c"), schema=wider, newer_by=None, read=1))

    assert Applied(inserted=1, changed=1, columns_widened=("id",)) == applied
    assert [("1", "b"), ("x", "c")] == columns_of(place, "id", "name")

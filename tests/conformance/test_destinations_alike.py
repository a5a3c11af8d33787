"""A stream is the same table wherever it goes: cell for cell, bookkeeping included."""

from pathlib import Path
from typing import Any

import pytest

from syncengine.destinations import MARKS, Marks, Snapshot, View, ViewColumn, Window
from syncengine.schema import Field, FieldType, Schema
from tests.conformance.places import KINDS, Places
from tests.conformance.test_destinations_values import VALUES
from tests.conformance.windows import ID, at, batch, window

EVERY = Schema(
    (ID, *(Field(f"{kind.value}Field", kind) for kind in FieldType), Field("Id", FieldType.INTEGER)), ("id",)
)
WIDER = Schema(
    (
        *EVERY.fields[:2],
        Field("integerField", FieldType.FLOAT),
        Field("dateField", FieldType.TEXT),
        Field("_window", FieldType.TEXT),
    ),
    ("id",),
)
ACTS = Schema((ID, Field("kind", FieldType.INTEGER), Field("attributes", FieldType.JSON)), ("id",))
VIEW = View("visits", "acts", "kind", 1, "attributes", tuple(ViewColumn(k.value, "x", k) for k in FieldType))


def cells(number: int) -> tuple[Any, ...]:
    """The n-th value of each kind, over and over, without a NUL, which not every destination holds."""
    columns = [[value for value in VALUES[kind] if "\x00" not in str(value)] for kind in FieldType]
    return (number, *(column[number % len(column)] for column in columns), number % 3)


def night() -> list[Window]:
    """Windows that do everything a window can do."""
    everybody = [cells(number) for number in range(60)]
    texts = ['"a"', "7", '"7.0"', "1.5", "true", '"2024-02-29"', '"2024-02-29T10:00:00.5Z"', '{"a":1}', "null"]
    return [
        window("w1", *everybody, schema=EVERY, newer_by=None, can_be_marked=True),
        window("m1", stream="acts", schema=ACTS, newer_by=None, marks=Marks("people", [batch(MARKS, *deaths())])),
        window("s1", *everybody[10:], schema=EVERY, newer_by=None, read=2, can_be_marked=True, snapshot=Snapshot()),
        window("w2", *everybody[5:8], schema=EVERY, newer_by=None, read=1, can_be_marked=True),
        window("w3", *((n, "t", n / 4, "soon", "w") for n in range(50, 70)), schema=WIDER, newer_by=None, read=3),
        window(
            "s2", *everybody[:20], schema=EVERY, newer_by=None, read=4, can_be_marked=True, snapshot=Snapshot("Id", 1)
        ),
        window(
            "a1",
            *((number, 1, f'{{"x": {text}}}') for number, text in enumerate(texts)),
            schema=ACTS,
            newer_by=None,
            stream="acts",
        ),
    ]


def deaths() -> list[tuple[Any, ...]]:
    """Marks on rows that are there, that come later and that never come."""
    return [(1, at(5), None), (2, None, 3), (65, at(6), 7), (99, at(7), None)]


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_same_windows_make_the_same_table(kind: str, places: Places, tmp_path: Path) -> None:
    """Each window does the same, and every cell is equal to what the first kind of destination has."""
    (tmp_path / "first").mkdir()
    (tmp_path / "other").mkdir()
    first, other = places.make(KINDS[0], tmp_path / "first"), places.make(kind, tmp_path / "other")

    assert [first.open().apply(each) for each in night()] == [other.open().apply(each) for each in night()]
    assert first.rows("people") == other.rows("people")
    assert first.rows("acts") == other.rows("acts")
    if other.shows:
        for place in (first, other):
            place.open().show("acme", [VIEW])
        assert first.rows("visits") == other.rows("visits")

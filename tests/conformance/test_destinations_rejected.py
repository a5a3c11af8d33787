"""A row that a destination cannot hold is put aside whole, and stops nothing else: every destination that refuses."""

import json

import pytest

from syncengine.destinations import Applied, Snapshot
from syncengine.schema import Field, FieldType, Schema
from tests.conformance.places import Place
from tests.conformance.windows import ID, PEOPLE, UPDATED, at, batch, columns_of, people, read_at, window


@pytest.fixture
def guarded(place: Place) -> Place:
    """A table of two people, whose owner has forbidden NULL in the name."""
    if "constraint" not in place.refuses:
        pytest.skip("takes no constraints")
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b")))
    place.require("people", "name")
    return place


def put_aside(place: Place) -> list[tuple[object, ...]]:
    """Stream, window, key, row and the instant of each refused row, JSON as values."""
    return [
        (row["stream"], row["window"], json.loads(row["key"]), json.loads(row["row"]), row["read_at"])
        for row in place.rows("_rejected")
    ]


def test_a_refused_row_is_put_aside_and_the_rest_goes_in(guarded: Place) -> None:
    """The window commits; what the table held under the row's key stays, and the refused row can be read whole."""
    rows = [(1, at(2), None), (2, at(2), "B"), (3, at(1), None), (4, at(1), "d")]

    applied = guarded.open().apply(window("w2", *rows, read=1))

    assert Applied(inserted=1, changed=1, rejected=2) == applied
    assert [(1, at(1), "a"), (2, at(2), "B"), (4, at(1), "d")] == people(guarded)
    assert [
        ("people", "w2", {"id": 1}, {"id": 1, "updatedAt": "2024-03-01T02:00:00Z", "name": None}, read_at(1)),
        ("people", "w2", {"id": 3}, {"id": 3, "updatedAt": "2024-03-01T01:00:00Z", "name": None}, read_at(1)),
    ] == put_aside(guarded)
    assert all("name" in row["reason"] for row in guarded.rows("_rejected"))


def test_all_rows_may_be_refused(guarded: Place) -> None:
    """A field that is gone from Marketo, and may not be NULL here, puts every new row aside and ends no run."""
    schema = Schema((ID, UPDATED), ("id",))
    rows = [(key, at(2)) for key in range(1, 3_001)]

    applied = guarded.open().apply(window("w2", *rows, schema=schema, read=1))

    assert Applied(changed=2, rejected=2_998) == applied
    assert [(1, at(2), "a"), (2, at(2), "b")] == people(guarded)
    assert 2_998 == len(guarded.rows("_rejected"))


def test_a_refused_row_is_not_gone(guarded: Place) -> None:
    """A snapshot that has a row which the table cannot hold still says that it exists."""
    applied = guarded.open().apply(window("s1", (1, at(2), None), read=1, snapshot=Snapshot()))

    assert Applied(rejected=1, deleted=1) == applied
    assert [(1, None), (2, read_at(1))] == columns_of(guarded, "id", "_deleted_at")


def test_a_refused_window_is_applied_once(guarded: Place) -> None:
    """The ledger holds it like any other, and its refused rows are kept once."""
    guarded.open().apply(window("w2", (3, at(1), None), read=1))

    assert Applied(already=True) == guarded.open().apply(window("w2", (3, at(1), None), read=1))
    assert 1 == len(guarded.rows("_rejected"))


def test_values_that_must_not_repeat(place: Place) -> None:
    """Of rows that claim one value the first in the file has it, unless the table gives it to a row that stays."""
    if "constraint" not in place.refuses:
        pytest.skip("takes no constraints")
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b"), (3, at(1), "c")))
    place.be_unique("people", "name")
    # 2 gives "b" up and 4 takes it; 5 wants what 1 has; 6 and 7 want the same.
    rows = [(2, at(2), "x"), (4, at(1), "b"), (5, at(1), "a"), (6, at(1), "n"), (7, at(1), "n"), (8, at(1), None)]

    applied = place.open().apply(window("w2", *rows, read=1))

    assert Applied(inserted=3, changed=1, rejected=2) == applied
    assert [(1, "a"), (2, "x"), (3, "c"), (4, "b"), (6, "n"), (8, None)] == columns_of(place, "id", "name")
    assert [{"id": 5}, {"id": 7}] == sorted((row[2] for row in put_aside(place)), key=str)


def test_text_that_cannot_be_held(place: Place) -> None:
    """Where text has no NUL, the row that has one is put aside, in whatever batch and column it is."""
    if "NUL" not in place.refuses:
        pytest.skip("holds every text")
    place.open().apply(window("w0", (1, at(1), "a")))
    rows = [
        batch(PEOPLE, (1, at(2), "nul\x00"), (2, at(1), "b"), (2, at(2), "\x00")),
        batch(PEOPLE, (3, at(1), "c"), (4, at(1), "\x00x")),
    ]

    applied = place.open().apply(window("w1", read=1, batches=rows))

    assert Applied(inserted=1, unchanged=1, rejected=3) == applied
    assert [(1, at(1), "a"), (3, at(1), "c")] == people(place)
    assert ["nul\x00", "\x00", "\x00x"] == [row[3]["name"] for row in sorted(put_aside(place), key=str)]  # type: ignore[index]


def test_what_is_no_json_is_put_aside(place: Place) -> None:
    """Where JSON has a type of its own, a text that is none is refused like any value that misfits."""
    if "constraint" not in place.refuses:
        pytest.skip("holds every text")
    schema = Schema((ID, Field("attributes", FieldType.JSON)), ("id",))

    applied = place.open().apply(window("w1", (1, "{}"), (2, "{not"), (3, None), schema=schema, newer_by=None))

    assert Applied(inserted=2, rejected=1) == applied
    assert [(1, "{}"), (3, None)] == columns_of(place, "id", "attributes")

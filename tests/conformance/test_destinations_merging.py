"""Of two rows with one key the newer stays, and each row of a file is counted once: every destination."""

import pytest

from syncengine.destinations import Applied, Late
from syncengine.schema import Field, FieldType, Schema
from tests.conformance.places import Place
from tests.conformance.windows import ID, NAME, PEOPLE, at, batch, columns_of, people, read_at, window


def test_a_reread_window_changes_only_what_changed(place: Place) -> None:
    """New, changed and unchanged rows are told apart and counted, across batches."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), None), (3, at(1), "")))
    rows = [batch(PEOPLE, (1, at(1), "a"), (2, at(2), "b")), batch(PEOPLE, (3, at(1), None), (4, at(1), "d"))]

    applied = place.open().apply(window("w2", read=1, batches=rows))

    assert applied == Applied(inserted=1, changed=2, unchanged=1)
    assert people(place) == [(1, at(1), "a"), (2, at(2), "b"), (3, at(1), None), (4, at(1), "d")]


def test_a_row_tells_when_it_was_read_and_when_it_changed(place: Place) -> None:
    """A row read again moves `_read_at` and `_window`, and `_changed_at` only with its content."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b"), (3, at(1), "c")))
    place.open().apply(window("w2", (1, at(1), "a"), (2, at(2), "B"), read=1))

    assert columns_of(place, "id", "_read_at", "_window", "_changed_at", "_deleted_at") == [
        (1, read_at(1), "w2", read_at(0), None),
        (2, read_at(1), "w2", read_at(1), None),
        (3, read_at(0), "w1", read_at(0), None),
    ]


def test_of_a_key_repeated_in_a_file_the_newest_row_stays(place: Place) -> None:
    """The latest update wins, the later row among equals, and the others count as unchanged."""
    rows = [
        batch(PEOPLE, (1, at(2), "newest"), (1, at(1), "older"), (2, at(1), "first"), (3, None, "undated")),
        batch(PEOPLE, (2, at(1), "last"), (3, at(1), "dated"), (1, None, "undated")),
    ]

    applied = place.open().apply(window("w1", batches=rows))

    assert applied == Applied(inserted=3, unchanged=4)
    assert people(place) == [(1, at(2), "newest"), (2, at(1), "last"), (3, at(1), "dated")]


def test_an_older_file_never_replaces_a_newer_row(place: Place) -> None:
    """Rows behind what is there are counted as outdated, by the row's update first and the file's age second."""
    place.open().apply(window("new", (1, at(5), "new"), (2, at(5), "new"), (3, at(5), "new"), read=5))

    applied = place.open().apply(window("old", (1, at(4), "old"), (2, at(6), "newer"), (3, at(5), "old"), read=1))

    assert applied == Applied(changed=1, outdated=2)
    assert [name for *_, name in people(place)] == ["new", "newer", "new"]
    assert columns_of(place, "_read_at") == [(read_at(5),), (read_at(1),), (read_at(5),)]


def test_without_a_column_to_go_by_the_later_file_wins(place: Place) -> None:
    """Streams whose rows carry no update keep what the later export says."""
    place.open().apply(window("later", (1, at(1), "later"), read=2, newer_by=None))

    applied = place.open().apply(window("earlier", (1, at(9), "earlier"), read=1, newer_by=None))

    assert applied == Applied(outdated=1)
    assert people(place) == [(1, at(1), "later")]


def test_a_key_may_have_several_columns(place: Place) -> None:
    """Rows are the same only when all columns of the key are."""
    schema = Schema((ID, NAME, Field("score", FieldType.INTEGER)), ("id", "name"))
    place.open().apply(window("w1", (1, "a", 1), (1, "b", 2), schema=schema, newer_by=None))

    applied = place.open().apply(window("w2", (1, "b", 3), (2, "a", 4), schema=schema, newer_by=None, read=1))

    assert applied == Applied(inserted=1, changed=1)
    assert columns_of(place, "id", "name", "score") == [(1, "a", 1), (1, "b", 3), (2, "a", 4)]


def test_a_key_may_be_all_there_is(place: Place) -> None:
    """Rows of nothing but their key are inserted once and unchanged ever after; text is a key as good as a number."""
    schema = Schema((NAME,), ("name",))
    place.open().apply(window("w1", ("a",), ("A",), ("",), schema=schema, newer_by=None))

    applied = place.open().apply(window("w2", ("a",), ("é",), schema=schema, newer_by=None, read=1))

    assert applied == Applied(inserted=1, unchanged=1)
    assert {"a", "A", "", "é"} == {row["name"] for row in place.rows("people")}


def test_late_rows_are_counted_among_the_inserted(place: Place) -> None:
    """Of new rows those count whose field lies before the instant; known, undated and later ones do not."""
    place.open().apply(window("w1", (1, at(1), "known")))
    rows = [(1, at(2), "changed"), (2, at(4), "late"), (3, at(5), "on the instant"), (4, None, "undated")]

    applied = place.open().apply(window("w2", *rows, read=1, late=Late("updatedAt", at(5))))

    assert applied == Applied(inserted=3, changed=1, late=1)


def test_a_row_without_its_key_is_refused(place: Place) -> None:
    """A row that could never be found again is a fault of the caller, and nothing is applied."""
    with pytest.raises(ValueError, match="has no id"):
        place.open().apply(window("w1", (1, at(1), "a"), (None, at(1), "b")))

    assert place.open().holds("acme", "people", "w1") is False
    assert place.rows("people") == []

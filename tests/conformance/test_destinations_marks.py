"""Marks of deletion and merging stay with their rows, whichever comes first: every destination."""

import pytest

from syncengine.destinations import MARKS, Applied, Marks
from syncengine.errors import ConfigError, FileDamaged
from tests.conformance.places import Place
from tests.conformance.windows import at, batch, columns_of, marking, read_at, window


def marked(place: Place) -> list[tuple[object, ...]]:
    """Id, since when each person is deleted, and into whom they were merged."""
    return columns_of(place, "id", "_deleted_at", "_merged_into")


def test_rows_that_are_there_are_marked(place: Place) -> None:
    """Deleted, merged or both; they keep their content, and their change is the mark's."""
    place.open().apply(window("w1", *((key, at(1), "a") for key in (1, 2, 3, 4)), can_be_marked=True))

    applied = place.open().apply(marking("m1", (1, at(5), None), (2, None, 4), (3, at(6), 4), read=2))

    assert Applied(deleted=2, merged=2) == applied
    assert [(1, at(5), None), (2, None, 4), (3, at(6), 4), (4, None, None)] == marked(place)
    assert [(1, "a", read_at(2), read_at(0)), (4, "a", read_at(0), read_at(0))] == [
        row for row in columns_of(place, "id", "name", "_changed_at", "_read_at") if row[0] in {1, 4}
    ]


def test_rows_that_come_later_are_marked_on_arrival(place: Place) -> None:
    """A mark waits for its row, even before there is a table; it is counted once, when it comes."""
    assert Applied(deleted=1, merged=1) == place.open().apply(marking("m1", (1, at(5), None), (2, None, 1)))

    applied = place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b"), (3, at(1), "c"), can_be_marked=True))

    assert Applied(inserted=3) == applied
    assert [(1, at(5), None), (2, None, 1), (3, None, None)] == marked(place)


def test_a_marked_row_may_still_change(place: Place) -> None:
    """Newer content goes into a marked row, and the mark stays."""
    place.open().apply(window("w1", (1, at(1), "a"), can_be_marked=True))
    place.open().apply(marking("m1", (1, at(5), 9)))

    applied = place.open().apply(window("w2", (1, at(2), "b"), read=1, can_be_marked=True))

    assert Applied(changed=1) == applied
    assert [(1, "b", at(5), 9)] == columns_of(place, "id", "name", "_deleted_at", "_merged_into")


def test_the_earliest_deletion_stays(place: Place) -> None:
    """Marks may repeat within a window and across; what was known already is not counted again."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b"), can_be_marked=True))

    first = place.open().apply(marking("m1", (1, at(6), None), (1, at(5), None), (2, None, 7), (2, None, 7)))
    second = place.open().apply(marking("m2", (1, at(7), 3), (2, at(4), 7), read=1))
    third = place.open().apply(marking("m3", (1, at(4), None), read=2))

    assert (Applied(deleted=1, merged=1), Applied(deleted=1, merged=1), Applied()) == (first, second, third)
    assert [(1, at(4), 3), (2, at(4), 7)] == marked(place)


def test_a_mark_that_says_nothing_new_changes_nothing(place: Place) -> None:
    """A row's last change stays when it was when a mark is only repeated."""
    place.open().apply(window("w1", (1, at(1), "a"), can_be_marked=True))
    for number in (1, 2):
        place.open().apply(marking(f"m{number}", (1, at(5), 3), read=number))

    assert [(read_at(1),)] == columns_of(place, "_changed_at")


def test_marked_rows_may_be_removed(place: Place) -> None:
    """With `hard_delete` a marked row goes, and an export that still has it brings it back no more."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b"), (3, at(1), "c"), can_be_marked=True))

    removed = place.open().apply(marking("m1", (1, at(5), None), (2, None, 3), read=1, hard_delete=True))
    rows = [(1, at(9), "a"), (2, at(9), "b"), (3, at(1), "c"), (4, at(1), "d")]
    applied = place.open().apply(window("w2", *rows, read=2, can_be_marked=True, hard_delete=True))

    assert Applied(deleted=1, merged=1) == removed
    assert Applied(inserted=1, unchanged=1, outdated=2) == applied
    assert [(3, None, None), (4, None, None)] == marked(place)


def test_marks_and_rows_of_one_window_go_together(place: Place) -> None:
    """A window's marks are about rows of its own too, and its batches are read before its marks."""
    order = list[str]()

    def rows() -> object:
        order.append("rows")
        yield batch(own.schema, (1, at(1), "a"))

    def marks() -> object:
        order.append("marks")
        yield batch(MARKS, (1, at(5), None))

    own = window("w1")
    applied = place.open().apply(
        window("w1", batches=rows(), can_be_marked=True, marks=Marks("people", marks()))  # type: ignore[arg-type]
    )

    assert Applied(inserted=1, deleted=1) == applied
    assert ["rows", "marks"] == order
    assert [(1, at(5), None)] == marked(place)


def test_marks_of_two_streams_are_apart(place: Place) -> None:
    """The same id in another stream is another row."""
    for stream in ("people", "companies"):
        place.open().apply(window("w1", (1, at(1), "a"), stream=stream, can_be_marked=True))

    place.open().apply(marking("m1", (1, at(5), None), marks_stream="companies"))

    assert [(1, None, None)] == marked(place)
    assert [(1, at(5))] == columns_of(place, "id", "_deleted_at", stream="companies")


def test_a_failure_among_marks_leaves_nothing(place: Place) -> None:
    """When marks cannot be read, neither they nor the window's rows are applied."""
    place.open().apply(window("w1", (1, at(1), "a"), can_be_marked=True))

    def torn() -> object:
        yield batch(MARKS, (1, at(5), None))
        raise FileDamaged("torn")

    with pytest.raises(FileDamaged, match="torn"):
        place.open().apply(window("w2", (2, at(1), "b"), day=1, marks=Marks("people", torn())))  # type: ignore[arg-type]

    assert [(1, None, None)] == marked(place)
    assert Applied(inserted=1) == place.open().apply(window("w2", (2, at(1), "b"), day=1, can_be_marked=True))
    assert [(1, None, None), (2, None, None)] == marked(place)


def test_another_instance_marks_nothing_here(place: Place) -> None:
    """Marks for a table that is another instance's are refused like its rows."""
    place.open().apply(window("w1", (1, at(1), "a"), can_be_marked=True))
    theirs = Marks("people", [batch(MARKS, (1, at(5), None))])

    with pytest.raises(ConfigError, match="holds people of acme"):
        place.open().apply(window("m1", stream="activities", instance="globex", marks=theirs))

    assert [(1, None, None)] == marked(place)

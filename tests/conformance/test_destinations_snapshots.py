"""What a listing of all rows lacks is gone, and comes back when a later one has it: every destination."""

from syncengine.destinations import Applied, Snapshot
from syncengine.schema import Field, FieldType, Schema
from tests.conformance.places import Place
from tests.conformance.windows import ID, NAME, at, batch, columns_of, marking, people, read_at, window

MEMBERS = Schema((Field("programId", FieldType.INTEGER), ID, NAME), ("programId", "id"))


def gone(place: Place) -> list[tuple[object, ...]]:
    """Id, and since when each person is gone, with when the row changed."""
    return columns_of(place, "id", "_deleted_at", "_changed_at")


def test_a_row_that_a_snapshot_lacks_is_gone(place: Place) -> None:
    """It is kept with the instant of the file that lacked it first; rows that are there are left as they were."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b"), (3, at(1), "c")))

    applied = place.open().apply(window("s1", (2, at(1), "b"), read=1, snapshot=Snapshot()))
    again = place.open().apply(window("s2", (2, at(1), "b"), read=2, snapshot=Snapshot()))

    assert Applied(unchanged=1, deleted=2) == applied
    assert Applied(unchanged=1) == again
    assert [(1, read_at(1), read_at(1)), (2, None, read_at(0)), (3, read_at(1), read_at(1))] == gone(place)


def test_a_row_that_comes_back_lives(place: Place) -> None:
    """It counts as changed, though its content is what it was."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b")))
    place.open().apply(window("s1", (2, at(1), "b"), read=1, snapshot=Snapshot()))

    applied = place.open().apply(window("s2", (1, at(1), "a"), (2, at(1), "b"), read=2, snapshot=Snapshot()))

    assert Applied(changed=1, unchanged=1) == applied
    assert [(1, None, read_at(2)), (2, None, read_at(0))] == gone(place)


def test_a_snapshot_says_nothing_about_rows_read_later(place: Place) -> None:
    """A row that a later file had lives on, though an older snapshot lacks it."""
    place.open().apply(window("w1", (1, at(1), "a"), read=5))

    assert Applied(deleted=0) == place.open().apply(window("s1", read=4, snapshot=Snapshot()))
    assert [(1, None, read_at(5))] == gone(place)


def test_an_older_file_does_not_bring_a_row_back(place: Place) -> None:
    """What was gone at an instant stays gone, whatever files of before that instant still come in."""
    place.open().apply(window("w1", (1, at(1), "a")))
    place.open().apply(window("s1", read=5, snapshot=Snapshot()))

    applied = place.open().apply(window("w2", (1, at(2), "b"), read=3))

    assert Applied(changed=1) == applied
    assert [(1, at(2), "b")] == people(place)
    assert [(1, read_at(5), read_at(3))] == gone(place)


def test_an_empty_snapshot_empties_the_table(place: Place) -> None:
    """No rows means that there are none."""
    place.open().apply(window("w1", (1, at(1), "a")))

    assert Applied(deleted=1) == place.open().apply(window("s1", read=1, snapshot=Snapshot()))
    assert Applied() == place.open().apply(window("s2", stream="others", snapshot=Snapshot()))


def test_a_snapshot_may_be_of_a_part(place: Place) -> None:
    """Only rows of the part are gone, and keys count as a whole."""
    rows = [(7, 1, "a"), (7, 2, "b"), (8, 1, "c"), (8, 3, "d")]
    place.open().apply(window("w1", *rows, schema=MEMBERS, newer_by=None))

    applied = place.open().apply(
        window("s1", (7, 2, "b"), schema=MEMBERS, newer_by=None, read=1, snapshot=Snapshot("programId", 7))
    )

    assert Applied(unchanged=1, deleted=1) == applied
    assert [(7, 1, read_at(1)), (7, 2, None), (8, 1, None), (8, 3, None)] == columns_of(
        place, "programId", "id", "_deleted_at"
    )


def test_a_part_may_be_named_by_text(place: Place) -> None:
    """Quotes and the like in a part's name are just that."""
    place.open().apply(window("w1", (1, at(1), "it's"), (2, at(1), "other")))

    applied = place.open().apply(window("s1", read=1, snapshot=Snapshot("name", "it's")))

    assert Applied(deleted=1) == applied
    assert [(1, read_at(1)), (2, None)] == columns_of(place, "id", "_deleted_at")


def test_a_key_repeated_in_a_snapshot_is_there(place: Place) -> None:
    """Repeats in a file, and rows that are older than the table's, still say that the row exists."""
    place.open().apply(window("w1", (1, at(5), "new"), (2, at(1), "b")))
    rows = [batch(MEMBERS_OF_PEOPLE, (1, at(1), "old")), batch(MEMBERS_OF_PEOPLE, (1, at(2), "old"))]

    applied = place.open().apply(window("s1", read=1, batches=rows, snapshot=Snapshot()))

    assert Applied(unchanged=1, outdated=1, deleted=1) == applied
    assert [(1, None, read_at(0)), (2, read_at(1), read_at(1))] == gone(place)


MEMBERS_OF_PEOPLE = Schema((ID, Field("updatedAt", FieldType.TIMESTAMP), NAME), ("id",))


def test_what_is_gone_may_be_removed(place: Place) -> None:
    """With `hard_delete` no row stays that is gone, not even one from before it was asked for."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b"), (3, at(1), "c")))
    place.open().apply(window("s1", (2, at(1), "b"), (3, at(1), "c"), read=1, snapshot=Snapshot()))

    applied = place.open().apply(window("s2", (3, at(1), "c"), read=2, snapshot=Snapshot(), hard_delete=True))

    assert Applied(unchanged=1, deleted=1) == applied
    assert [(3, None, read_at(0))] == gone(place)


def test_a_mark_outlives_a_snapshot_that_has_the_row(place: Place) -> None:
    """A row that is marked as deleted stays so, whatever listing still has it; the earlier of both instants stays."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b"), can_be_marked=True))
    place.open().apply(window("s1", (1, at(1), "a"), read=1, snapshot=Snapshot(), can_be_marked=True))
    place.open().apply(marking("m1", (1, at(7), None), (2, at(8), None), read=2))
    rows = [(1, at(1), "a"), (2, at(1), "b")]

    applied = place.open().apply(window("s2", *rows, read=3, snapshot=Snapshot(), can_be_marked=True))

    assert Applied(unchanged=2) == applied
    assert [(1, at(7)), (2, at(8))] == columns_of(place, "id", "_deleted_at")

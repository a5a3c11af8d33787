"""Whoever exports one stream by the keys of another asks the destination for them: every destination."""

from collections.abc import Collection

import pytest

from syncengine.destinations import Snapshot
from syncengine.errors import ConfigError
from syncengine.schema import Field, FieldType, Schema
from tests.conformance.places import Place
from tests.conformance.windows import ID, at, ids, marking, read_at, window

VISITS = Schema((ID, Field("person", FieldType.INTEGER), Field("kind", FieldType.INTEGER)), ("id",))


def test_keys_are_distinct_and_sorted(place: Place) -> None:
    """NULL is no key; numbers are in the order of numbers."""
    rows = [(1, 10, 1), (2, 9, 1), (3, 10, 2), (4, None, 2), (5, -1, 1)]
    place.open().apply(window("w1", *rows, schema=VISITS, newer_by=None))

    assert [-1, 9, 10] == ids(place.open().keys("acme", "people", "person"))


def test_text_is_sorted_by_its_characters(place: Place) -> None:
    """The order of text does not depend on any country's habits."""
    names = ["b", "B", "a", "é", "", "Z", "10", "9", "🎉", "\ufb00"]
    place.open().apply(window("w1", *((key, at(1), name) for key, name in enumerate(names))))

    assert sorted(names) == ids(place.open().keys("acme", "people", "name"))


@pytest.mark.parametrize(
    ("wanted", "expected"), [({1}, [9, 10]), ([2], [10, 11]), ((1, 2), [9, 10, 11]), (range(5, 900_000), []), ((), [])]
)
def test_keys_of_some_rows_alone(place: Place, wanted: Collection[int], expected: list[int]) -> None:
    """Only rows whose other field has one of the values, however many those are."""
    rows = [(1, 10, 1), (2, 9, 1), (3, 10, 2), (4, 11, 2), (5, 12, None)]
    place.open().apply(window("w1", *rows, schema=VISITS, newer_by=None))

    assert expected == ids(place.open().keys("acme", "people", "person", only=("kind", wanted)))


def test_keys_of_rows_that_changed(place: Place) -> None:
    """A row that was only read again has not changed; a new one, a changed one and one that came back have."""
    place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b"), (3, at(1), "c"), (4, at(1), "d")))
    place.open().apply(window("s1", (1, at(1), "a"), (2, at(1), "b"), (3, at(1), "c"), read=1, snapshot=Snapshot()))
    place.open().apply(window("w2", (1, at(1), "a"), (2, at(2), "B"), (4, at(1), "d"), (5, at(1), "e"), read=2))

    asked = [place.open().keys("acme", "people", "id", changed_after=read_at(hour)) for hour in (-1, 0, 1, 2)]

    assert [[1, 2, 3, 4, 5], [2, 4, 5], [2, 4, 5], []] == [ids(each) for each in asked]


def test_deleted_rows_have_no_keys(place: Place) -> None:
    """Neither rows that are marked as deleted nor those that are gone; merged ones are there until they are deleted."""
    place.open().apply(window("w1", *((key, at(1), "a") for key in (1, 2, 3, 4)), can_be_marked=True))
    place.open().apply(marking("m1", (1, at(5), None), (2, None, 3), (4, at(5), 3)))

    assert [2, 3] == ids(place.open().keys("acme", "people", "id"))


def test_an_unknown_stream_has_no_keys(place: Place) -> None:
    """Asking before anything was written, or for what never was, is answered with nothing."""
    assert [] == ids(place.open().keys("acme", "people", "id"))
    place.open().apply(window("w1", (1, at(1), "a")))
    assert [] == ids(place.open().keys("acme", "others", "id"))


def test_a_field_that_is_not_there_is_named(place: Place) -> None:
    """Neither a missing field nor another spelling of one is answered with somebody else's values."""
    place.open().apply(window("w1", (1, at(1), "a")))

    for field in ("nickname", "Name", "_read_at"):
        with pytest.raises(ConfigError, match=field):
            place.open().keys("acme", "people", field)
    with pytest.raises(ConfigError, match="nickname"):
        place.open().keys("acme", "people", "id", only=("nickname", [1]))


def test_keys_are_not_told_to_another_instance(place: Place) -> None:
    """A table that holds another instance's rows is refused."""
    place.open().apply(window("w1", (1, at(1), "a")))

    with pytest.raises(ConfigError, match="holds people of acme"):
        place.open().keys("globex", "people", "id")

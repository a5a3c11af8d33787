"""Tests of finding rows by value."""

from collections.abc import Sequence

from syncengine.sandbox.indices import Index, Indices, Key, normal_key


def test_addresses_are_compared_without_spaces_and_case() -> None:
    """Other fields are compared as they are, and nothing is no key."""
    assert normal_key("email", " Ada@Example.COM ") == "ada@example.com"
    assert normal_key("email", "  ") is None
    assert normal_key("nickname", " Ada ") == " Ada "


def test_a_key_has_its_rows_in_their_order() -> None:
    """One, several, one again, none."""
    index = Index()
    for row in (3, 1, 2):
        index.add("k", row)
    index.add(None, 9)
    assert list(index.find("k")) == [3, 1, 2]
    index.remove("k", 1)
    index.remove("k", 77)
    assert list(index.find("k")) == [3, 2]
    assert dict(index.items()) == {"k": [3, 2]}
    single = Index()
    single.add("k", 5)
    single.remove("k", 5)
    assert (list(single.find("k")), list(single.find(None))) == ([], [])


def test_indices_follow_the_rows() -> None:
    """Births and changes are seen by the indices that are there; a dropped one is built anew."""
    values: dict[int, dict[str, Key]] = {0: {"a": "x", "b": 1}, 1: {"a": "y", "b": 1}}

    def keys_of(names: tuple[str, ...], rows: Sequence[int]) -> list[Key]:
        return [values[row][names[0]] for row in rows]

    indices = Indices(lambda: list(values), keys_of)
    assert list(indices.of(("b",)).find(1)) == [0, 1]
    values[2] = {"a": "x", "b": 2}
    indices.born(2)
    before = indices.keys(0, ["b"])
    values[0] = {"a": "x", "b": 2}
    indices.moved(0, before)
    assert (list(indices.of(("b",)).find(1)), list(indices.of(("b",)).find(2))) == ([1], [2, 0])
    assert indices.keys(0, ["a"]) == []
    values[1] = {"a": "y", "b": 3}
    indices.drop("b")
    assert list(indices.of(("b",)).find(3)) == [1]

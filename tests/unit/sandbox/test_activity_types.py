"""Tests of the table of activity types."""

import orjson

from syncengine.sandbox.activity_types import ACTIVITY_TYPES, attribute_texts


def test_twelve_types_with_their_own_ids() -> None:
    """One of them is custom and carries an API name, one has no primary attribute."""
    assert len({kind.id for kind in ACTIVITY_TYPES}) == 12
    assert [kind.id for kind in ACTIVITY_TYPES if "apiName" in kind.described()] == [100001]
    assert [kind.id for kind in ACTIVITY_TYPES if "primaryAttribute" not in kind.described()] == [12]


def test_shares_make_a_hundred() -> None:
    """Weights are percentages."""
    assert sum(kind.weight for kind in ACTIVITY_TYPES) == 100


def test_booleans_come_as_words_and_as_digits() -> None:
    """Readers of the attributes have to take both; empty attributes are left out."""
    merges = next(kind for kind in ACTIVITY_TYPES if kind.name == "Merge Leads")
    variants = [orjson.loads(text) for text in attribute_texts(merges)]
    kinds = {type(variant["Master Updated"]) for variant in variants if "Master Updated" in variant}
    assert kinds == {bool, int}
    assert any("Master Updated" not in variant for variant in variants)

"""Tests of the table of activity types."""

import orjson

from syncengine.sandbox.activity_types import ACTIVITY_TYPES, CUSTOM_ACTIVITY_TYPES, attribute_texts


def test_thirteen_types_with_their_own_ids() -> None:
    """One of them is custom and carries an API name, one has no primary attribute."""
    assert len({kind.id for kind in ACTIVITY_TYPES}) == 13
    assert [kind.id for kind in ACTIVITY_TYPES if "apiName" in kind.described()] == [100001]
    assert [kind.id for kind in ACTIVITY_TYPES if "primaryAttribute" not in kind.described()] == [12]


def test_shares_make_a_hundred() -> None:
    """Weights are percentages."""
    assert sum(kind.weight for kind in ACTIVITY_TYPES) == 100


def test_merges_and_deletions_only_happen_on_purpose() -> None:
    """No generated activity is of their types."""
    assert {kind.name for kind in ACTIVITY_TYPES if not kind.weight} == {"Merge Leads", "Delete Lead"}


def test_a_draft_is_known_to_the_metadata_api_alone() -> None:
    """A custom type that is not approved stands beside the others only where types are managed."""
    drafts = [kind.type.id for kind in CUSTOM_ACTIVITY_TYPES if kind.status == "draft"]
    assert drafts == [100002]
    assert not set(drafts) & {kind.id for kind in ACTIVITY_TYPES}


def test_booleans_come_as_words_and_as_digits() -> None:
    """Readers of the attributes have to take both; empty attributes are left out."""
    merges = next(kind for kind in ACTIVITY_TYPES if kind.name == "Merge Leads")
    variants = [orjson.loads(text) for text in attribute_texts(merges)]
    kinds = {type(variant["Master Updated"]) for variant in variants if "Master Updated" in variant}
    assert kinds == {bool, int}
    assert any("Master Updated" not in variant for variant in variants)

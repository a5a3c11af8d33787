"""Tests of assets as values."""

import pytest

from syncengine.sandbox.asset_items import Asset, Place, Version, place_of, serial, stamp


def test_ids_are_unique_within_a_kind() -> None:
    """However many there are."""
    assert len({serial(index) for index in range(20_000)}) == 20_000
    assert [serial(index) for index in range(4)] == [14, 4001, 15, 4002]


def test_dates_are_written_with_both_zones() -> None:
    """As Adobe's examples are."""
    assert stamp(1_456_425_418) == "2016-02-25T18:36:58Z+0000"


def test_a_place_is_a_folder_or_a_program() -> None:
    """Anything else is refused."""
    assert place_of({"type": "Program", "id": "5"}) == Place("program", 5)
    assert Place("program", 5).reference() == {"id": 5, "type": "Program"}
    with pytest.raises(ValueError, match="Folder or a Program"):
        place_of({"type": "folder", "id": 5})


def test_chance_follows_from_edits() -> None:
    """The same until an edit, another after it, and another for another part."""
    asset = Asset("email", 14, "A", None, 0, {"draft": Version(0, "x")})
    first = asset.rng(7, "html", "draft").random()
    assert asset.rng(7, "html", "draft").random() == first
    assert asset.rng(7, "sections", "draft").random() != first
    asset.versions["draft"].edits += 1
    assert asset.rng(7, "html", "draft").random() != first

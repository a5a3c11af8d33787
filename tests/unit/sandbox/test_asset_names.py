"""Tests of the names of assets."""

import pytest

from syncengine.sandbox.asset_names import FOLDER_GROUPS, LONG, NAME_GROUPS, folder_groups, grouped_names


@pytest.mark.parametrize("count", [0, 1, 2, 40, 500])
def test_there_are_as_many_names_as_were_asked_for(count: int) -> None:
    """Groups included."""
    assert sum(len(group) for group in grouped_names("email", count, 5)) == count
    assert sum(len(group) for group in folder_groups(count)) == count


def test_unusual_names_stand_among_ordinary_ones() -> None:
    """Each group once for a kind, one of three, from the kind's own first one on."""
    groups = list(grouped_names("form", 300, 3))
    assert [group for group in groups if group in NAME_GROUPS] == [*NAME_GROUPS[3:], *NAME_GROUPS[:3]]
    assert groups[0] == NAME_GROUPS[3]
    assert groups[1] not in NAME_GROUPS
    assert set(FOLDER_GROUPS) <= set(folder_groups(100))


def test_two_long_names_differ_at_their_very_end() -> None:
    """Whoever cuts names short makes them one."""
    (pair,) = [group for group in NAME_GROUPS if group[0].startswith(LONG)]
    assert [len(name) for name in pair] == [300, 300]
    assert pair[0] != pair[1]

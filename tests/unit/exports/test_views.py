"""Each activity type has a view of its own, under a name that no other view has."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.destinations import ViewColumn
from syncengine.exports.views import NAME_CHARACTERS_MAX, STREAM, of_types, view_name
from syncengine.marketo.rows import ActivityAttribute, ActivityType
from syncengine.schema import FieldType


def kind(number: int, name: str, **attributes: str) -> ActivityType:
    """A type of this name with attributes of these types."""
    found = tuple(ActivityAttribute(each, data_type) for each, data_type in attributes.items())
    return ActivityType(number, name, None, found)


def names(*types: str) -> list[str]:
    """The names of views of types with the ids 1, 2, 3, …"""
    return [view.name for view in of_types([kind(number, name) for number, name in enumerate(types, 1)])]


@pytest.mark.parametrize(
    ("type_name", "name"),
    [
        ("Fill Out Form", "activities_fill_out_form"),
        ("Add to SFDC Campaign (old)", "activities_add_to_sfdc_campaign_old"),
        ("  Öffnet E-Mail ", "activities_offnet_e_mail"),
        ('a"; DROP TABLE x', "activities_a_drop_table_x"),
        ("x" * 90, "activities_" + "x" * 49),
        ("漢字", "activities"),
        ("", "activities"),
    ],
)
def test_a_name_needs_no_quotes(type_name: str, name: str) -> None:
    """Small letters, digits and underscores, at most sixty."""
    assert name == view_name(type_name)


def test_a_view_has_its_types_rows_and_attributes() -> None:
    """The rows are told by the type's id, the columns are as Marketo types them."""
    (view,) = of_types([kind(12, "Visit Web Page", **{"Client IP Address": "string", "Score": "integer"})])
    assert ("activities_visit_web_page", STREAM, "activityTypeId", 12, "attributes") == (
        view.name,
        view.stream,
        view.field,
        view.value,
        view.json,
    )
    assert (
        ViewColumn("Client IP Address", "Client IP Address", FieldType.TEXT),
        ViewColumn("Score", "Score", FieldType.INTEGER),
    ) == view.columns


def test_types_of_one_name_carry_their_id() -> None:
    """Also where they differ in what a name leaves out; a name of the stream itself is never a view's."""
    assert ["activities_a_b_1", "activities_a_b_2", "activities_c"] == names("A b", "a-B", "C")
    assert ["activities_1"] == names("漢字")


def test_an_id_behind_a_name_meets_no_other_name() -> None:
    """A type whose name ends like another's name with its id has a view of its own all the same."""
    assert 3 == len(set(names("X", "x!", "x 1")))


@given(st.lists(st.text("aAbB 12_-é漢", max_size=6), max_size=12))
def test_no_two_views_share_a_name(types: list[str]) -> None:
    """Whatever people call their activity types, each has one view that is not the stream's table."""
    found = names(*types)
    assert len(types) == len(set(found))
    assert STREAM not in found
    assert all(re.fullmatch(r"[a-z0-9_]+", name) and len(name) <= NAME_CHARACTERS_MAX + 3 for name in found)

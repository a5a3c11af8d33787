"""Marketo's type names as ours, and the columns of an activity file."""

import pytest

from syncengine.marketo.dialect import ACTIVITY_COLUMNS, field_type, is_exportable
from syncengine.schema import FieldType, Schema


@pytest.mark.parametrize(
    ("data_type", "expected"),
    [
        ("string", FieldType.TEXT),
        ("email", FieldType.TEXT),
        ("phone", FieldType.TEXT),
        ("url", FieldType.TEXT),
        ("text", FieldType.TEXT),
        ("Text area", FieldType.TEXT),
        ("textarea", FieldType.TEXT),
        ("reference", FieldType.TEXT),
        ("formula", FieldType.TEXT),
        ("lead_function", FieldType.TEXT),
        ("integer", FieldType.INTEGER),
        ("score", FieldType.INTEGER),
        ("float", FieldType.FLOAT),
        ("currency", FieldType.FLOAT),
        ("percent", FieldType.FLOAT),
        ("boolean", FieldType.BOOLEAN),
        ("Boolean", FieldType.BOOLEAN),
        ("date", FieldType.DATE),
        ("datetime", FieldType.TIMESTAMP),
        ("Datetime", FieldType.TIMESTAMP),
    ],
)
def test_each_type_of_adobes_page_has_a_neutral_type(data_type: str, expected: FieldType) -> None:
    """Types are read in any case and spacing."""
    assert expected is field_type(data_type)


@pytest.mark.parametrize("data_type", ["", "geo_point", "\u2603"])
def test_a_type_of_tomorrow_travels_as_text(data_type: str) -> None:
    """Text loses nothing of a value whose type is not known."""
    assert field_type(data_type) is FieldType.TEXT


def test_formula_fields_are_not_asked_for() -> None:
    """Adobe does not export formula fields; references are exported like any other."""
    assert not is_exportable("Formula")
    assert is_exportable("reference")


def test_activity_columns_form_a_schema() -> None:
    """Rows of activities are identified by their GUID, which the file has."""
    assert Schema(ACTIVITY_COLUMNS, key=("marketoGUID",)).names[0] == "marketoGUID"

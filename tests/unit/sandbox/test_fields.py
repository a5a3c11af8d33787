"""Tests of the lead fields."""

from syncengine.sandbox.fields import custom_fields, standard_fields, text_fields


def test_ids_and_names_are_unique() -> None:
    """No two fields share an id or, in any case, a name."""
    fields = [*standard_fields(), *custom_fields()]
    assert len({field.id for field in fields}) == len({field.name.lower() for field in fields}) == len(fields)


def test_twenty_fields_are_custom_and_one_of_them_is_a_formula() -> None:
    """A formula is described, read-only and not exportable."""
    custom = custom_fields()
    formulas = [field for field in custom if not field.is_exportable]
    assert len(custom) == 20
    assert [(field.data_type, field.is_read_only, field.has_rest) for field in formulas] == [("formula", True, True)]


def test_a_described_field_names_itself_for_each_interface() -> None:
    """length stands only where the type has one, rest only where the field can be reached."""
    by_name = {field.name: field for field in standard_fields()}
    assert by_name["leadScore"].described() == {
        "id": 33,
        "displayName": "Lead Score",
        "dataType": "score",
        "rest": {"name": "leadScore", "readOnly": False},
        "soap": {"name": "LeadScore", "readOnly": False},
    }
    assert by_name["company"].described2()["length"] == 255
    assert "rest" not in by_name["sfdcLeadId"].described()


def test_columns_of_a_file_are_string_fields() -> None:
    """Their names are taken as they are."""
    assert [(f.name, f.data_type, f.is_custom) for f in text_fields(["Shoe Size"])] == [("Shoe Size", "string", True)]

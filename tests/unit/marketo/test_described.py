"""Objects as describe shows them."""

from typing import Any

import pytest

from syncengine.marketo.columns import FIELD_COLUMNS
from syncengine.marketo.described import (
    CustomObject,
    Described,
    ObjectField,
    Relationship,
    custom_object_type,
    described,
    field_rows,
)
from syncengine.marketo.reply import Malformed
from syncengine.marketo.rows import LeadField
from syncengine.schema import Field, FieldType

# Adobe's example, shortened.
ROLE: dict[str, Any] = {
    "name": "opportunityRole",
    "displayName": "Opportunity Role",
    "createdAt": "2015-02-03T22:36:23Z",
    "idField": "marketoGUID",
    "dedupeFields": ["externalOpportunityId", "leadId", "role"],
    "searchableFields": [["externalOpportunityId", "leadId", "role"], ["marketoGUID"], ["leadId"]],
    "fields": [
        {
            "name": "marketoGUID",
            "displayName": "Marketo GUID",
            "dataType": "string",
            "length": 36,
            "updateable": False,
        },
        {"name": "leadId", "dataType": "integer", "updateable": False, "crmManaged": True},
        {"name": "isPrimary", "displayName": "Is Primary", "dataType": "boolean", "updateable": True},
    ],
}
CAR: dict[str, Any] = {
    "name": "car_c",
    "displayName": "Car",
    "idField": "marketoGUID",
    "dedupeFields": ["vin"],
    "relationships": [{"field": "leadID", "type": "child", "relatedTo": {"name": "Lead", "field": "Id"}}],
}


def test_an_object_is_read_whole() -> None:
    """Keys, compound ones too, and every field in Marketo's order."""
    expected = Described(
        "opportunityRole",
        "marketoGUID",
        ("externalOpportunityId", "leadId", "role"),
        (("externalOpportunityId", "leadId", "role"), ("marketoGUID",), ("leadId",)),
        (
            ObjectField("marketoGUID", "Marketo GUID", "string", 36, updateable=False),
            ObjectField("leadId", "leadId", "integer", None, updateable=False, crm_managed=True),
            ObjectField("isPrimary", "Is Primary", "boolean", None, updateable=True),
        ),
    )
    assert expected == described(ROLE)


def test_fields_become_columns() -> None:
    """Each with the neutral type of Marketo's."""
    expected = (
        Field("marketoGUID", FieldType.TEXT),
        Field("leadId", FieldType.INTEGER),
        Field("isPrimary", FieldType.BOOLEAN),
    )
    assert expected == described(ROLE).columns


def test_a_part_of_a_compound_key_is_searched_by_only_where_it_stands_alone() -> None:
    """The role of a role cannot be searched for."""
    assert described(ROLE).searched_by("leadId")
    assert not described(ROLE).searched_by("role")


def test_members_have_no_key_of_marketos_own() -> None:
    """Program members have no `idField`; a searchable field that is not in a list counts as one."""
    found = described({**ROLE, "idField": None, "searchableFields": ["leadId", [], ["statusName"], 3]})
    assert ("", (("leadId",), ("statusName",))) == (found.id_field, found.searchable_fields)


@pytest.mark.parametrize("row", [None, {}, {**ROLE, "fields": None}, {**ROLE, "fields": [None, {"name": ""}]}])
def test_an_object_without_fields_is_a_fault(row: Any) -> None:
    """All of its rows would be empty without an error."""
    with pytest.raises(Malformed):
        described(row)


@pytest.mark.parametrize("member", ["relatedTo", "object"])
@pytest.mark.parametrize("named", ["name", "apiName"])
def test_a_custom_object_says_how_it_is_linked(named: str, member: str) -> None:
    """Adobe's pages and definitions call both members by two names."""
    row = {key: value for key, value in CAR.items() if key not in {"name", "relationships"}}
    row |= {
        named: "car_c",
        "state": "approved",
        "relationships": [{"field": "leadID", "type": "child", member: {"name": "Lead", "field": "Id"}}],
    }
    found = custom_object_type(row)
    links = (Relationship("leadID", "child", "Lead", "Id"),)
    assert CustomObject("car_c", "Car", "approved", "marketoGUID", ("vin",), links) == found
    assert ("leadID",) == found.lead_fields


def test_a_custom_object_of_companies_is_not_linked_to_leads() -> None:
    """Bulk export does not give it."""
    link = {"field": "companyId", "type": "child", "relatedTo": {"name": "Company", "field": "id"}}
    assert () == custom_object_type({**CAR, "relationships": [link]}).lead_fields
    assert () == custom_object_type({**CAR, "relationships": None}).lead_fields


@pytest.mark.parametrize("row", [None, {}, {"name": "../x"}, {"name": 3}])
def test_a_custom_object_without_a_usable_name_is_a_fault(row: Any) -> None:
    """It would vanish from the streams without an error."""
    with pytest.raises(Malformed):
        custom_object_type(row)


def test_fields_of_all_objects_make_one_table() -> None:
    """Leads' fields, of which describe says `readOnly`, stand beside those of objects."""
    columns = {each.name for each in FIELD_COLUMNS}
    fields: list[LeadField | ObjectField] = [
        LeadField("company", "Company Name", "string", 255, read_only=False),
        ObjectField("vin", "VIN", "string", 36, updateable=False, crm_managed=True),
    ]
    lead, car = field_rows("x", fields)
    assert (columns, columns) == (set(lead), set(car))
    assert ("x", "company", "Company Name", "string", 255, True, None) == tuple(lead.values())
    assert ("x", "vin", "VIN", "string", 36, False, True) == tuple(car.values())

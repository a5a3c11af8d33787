"""Describing leads."""

import pytest

from syncengine.marketo.endpoints import leads
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import LeadField

COMPANY = {
    "id": 2,
    "displayName": "Company Name",
    "dataType": "string",
    "length": 255,
    "rest": {"name": "company", "readOnly": False},
    "soap": {"name": "Company", "readOnly": False},
}


def test_describe_asks_for_all_fields_at_once() -> None:
    """One call with no parameters, and the permission it needs is known before it is sent."""
    call = leads.describe()
    assert (call.method, call.path, call.query) == ("GET", "/rest/v1/leads/describe.json", {})
    assert call.permission == "Read-Only Lead"


def test_a_field_is_known_by_its_rest_name() -> None:
    """Adobe's example is read whole; what REST does not name is left out."""
    soap_only = {"id": 9, "displayName": "Old", "dataType": "string", "soap": {"name": "Old"}}
    bare = {"id": 3, "dataType": "boolean", "rest": {"name": "unsubscribed", "readOnly": True}}
    expected = (
        LeadField("company", "Company Name", "string", 255, read_only=False),
        LeadField("unsubscribed", "unsubscribed", "boolean", None, read_only=True),
    )
    assert expected == leads.describe().decode(Reply(result=(COMPANY, soap_only, bare)))


@pytest.mark.parametrize("result", [(), (None,), ({"rest": {"name": ""}},)])
def test_no_fields_at_all_are_a_fault(result: tuple[object, ...]) -> None:
    """An export of no fields would look like success."""
    with pytest.raises(Malformed):
        leads.describe().decode(Reply(result=result))

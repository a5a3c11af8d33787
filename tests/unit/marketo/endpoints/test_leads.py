"""Leads: described, and found by the values of a field."""

from typing import Any

import pytest

from syncengine.marketo.call import Repeat
from syncengine.marketo.endpoints import leads
from syncengine.marketo.endpoints.leads import Action
from syncengine.marketo.pages import Page
from syncengine.marketo.records import RecordResult, RecordStatus
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


def test_leads_are_found_by_the_values_of_a_field() -> None:
    """Values, fields and the token of the page before travel in one query."""
    call = leads.by_filter("id", [318581, 318592], ["id", "email"], "T")
    assert (call.method, call.path, call.permission) == ("GET", "/rest/v1/leads.json", "Read-Only Lead")
    assert call.query == {
        "filterType": "id",
        "filterValues": "318581,318592",
        "fields": "id,email",
        "batchSize": "300",
        "nextPageToken": "T",
    }
    assert Page(({"id": 1},), "U") == call.decode(Reply(result=({"id": 1},), next_page_token="U"))
    assert Page((), None) == call.decode(Reply())


@pytest.mark.parametrize(("values", "fields"), [((), ["id"]), (range(301), ["id"]), (["a,b"], ["id"]), ([1], [])])
def test_a_filter_that_marketo_would_misread_is_not_sent(values: Any, fields: list[str]) -> None:
    """1 to 300 values without commas, and at least one field."""
    with pytest.raises(ValueError, match=r"values of id|fields"):
        leads.by_filter("id", values, fields)


def test_partitions_come_in_one_answer() -> None:
    """An instance has few of them."""
    call = leads.partitions()
    assert ("/rest/v1/leads/partitions.json", {}, "Read-Only Lead") == (call.path, call.query, call.permission)
    assert Page(({"id": 1, "name": "Default"},), None) == call.decode(Reply(result=({"id": 1, "name": "Default"},)))


def test_leads_are_synced_as_adobes_page_has_it() -> None:
    """Action, lookup field and rows in the body; a partition only where one is named."""
    rows = [{"email": "a@example.com", "firstName": None}]
    call = leads.sync(rows, partition="EMEA")
    assert ("POST", "/rest/v1/leads.json", "Read-Write Lead") == (call.method, call.path, call.permission)
    body = {"action": "createOrUpdate", "lookupField": "email", "input": rows}
    assert [{**body, "partitionName": "EMEA"}, body] == [call.json, leads.sync(rows).json]
    assert [RecordResult(0, RecordStatus.CREATED, 50)] == call.decode(Reply(result=({"id": 50, "status": "created"},)))


@pytest.mark.parametrize(
    ("action", "repeat"),
    [("createOrUpdate", Repeat.UNSAFE), ("createOnly", Repeat.UNSAFE), ("updateOnly", Repeat.SAFE)],
)
def test_only_an_update_may_be_repeated_blindly(action: Action, repeat: Repeat) -> None:
    """What may create could create twice."""
    assert repeat is leads.sync([{"email": "a"}], action=action).repeat


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        ([], {}),
        ([{"email": "a"}] * 301, {}),
        ([{"email": "a"}, {"firstName": "b"}], {}),
        ([{"email": ""}], {}),
        ([{"email": None}], {}),
        ([{"email": "a", "id": 1}], {}),
        ([{"id": 1}], {"lookup_field": "id"}),
        ([{"id": 1}], {"lookup_field": "id", "action": "updateOnly", "partition": "EMEA"}),
    ],
)
def test_leads_that_marketo_would_refuse_are_not_sent(rows: list[dict[str, object]], options: dict[str, Any]) -> None:
    """1 to 300, each with its key; an id and a partition only with the actions that take them."""
    with pytest.raises(ValueError, match=r"records|found by|only updated"):
        leads.sync(rows, **options)


def test_a_printed_call_shows_no_people() -> None:
    """Rows stay out of logs."""
    assert "canary" not in repr(leads.sync([{"email": "canary"}]))

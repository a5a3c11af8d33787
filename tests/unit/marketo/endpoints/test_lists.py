"""Static lists and their leads."""

import pytest

from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import lists
from syncengine.marketo.pages import Page
from syncengine.marketo.reply import Reply

ROWS = ({"id": 1},)


def test_all_lists_are_asked_for_page_by_page() -> None:
    """The largest batch, and the token of the page before."""
    call = lists.lists()
    assert (call.method, call.path, call.permission) == ("GET", "/rest/v1/lists.json", "Read-Only Lead")
    assert ({"batchSize": "300"}, "T") == (call.query, lists.lists("T").query["nextPageToken"])


def test_leads_of_a_list_are_asked_for_page_by_page() -> None:
    """With the fields that are named, or those that Marketo chooses."""
    call = lists.leads_of_list(1081, ["id", "email"], "T")
    assert (call.path, call.permission) == ("/rest/v1/lists/1081/leads.json", "Read-Only Lead")
    assert {"fields": "id,email", "batchSize": "300", "nextPageToken": "T"} == call.query
    assert {"batchSize": "300"} == lists.leads_of_list(1081).query


@pytest.mark.parametrize("call", [lists.lists(), lists.leads_of_list(1)])
def test_the_301st_is_not_lost(call: Call[Page]) -> None:
    """Neither endpoint has `moreResult`: a token is enough to go on."""
    assert Page(ROWS, "T") == call.decode(Reply(result=ROWS, next_page_token="T"))
    assert Page((), None) == call.decode(Reply())

"""Static lists and their leads."""

import pytest

from syncengine.marketo.call import Call, Repeat
from syncengine.marketo.endpoints import lists
from syncengine.marketo.pages import Page
from syncengine.marketo.records import RecordResult, RecordStatus
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


def test_members_are_added_by_their_ids() -> None:
    """Up to 300 in one body; adding them again changes nothing."""
    call = lists.add_members(1081, [318594, 318595])
    assert ("POST", "/rest/v1/lists/1081/leads.json", Repeat.SAFE) == (call.method, call.path, call.repeat)
    assert ({"input": [{"id": 318594}, {"id": 318595}]}, "Read-Write Lead") == (call.json, call.permission)
    assert [RecordResult(0, RecordStatus.ADDED, 1)] == call.decode(Reply(result=({"id": 1, "status": "added"},)))
    with pytest.raises(ValueError, match="1 to 300"):
        lists.add_members(1081, range(301))

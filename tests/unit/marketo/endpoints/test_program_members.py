"""Members of one program, by key."""

import pytest

from syncengine.marketo.call import Repeat
from syncengine.marketo.endpoints import program_members
from syncengine.marketo.pages import Page
from syncengine.marketo.reply import Malformed, Reply

ROWS = ({"seq": 0, "leadId": 1789},)


def test_members_are_found_by_their_leads() -> None:
    """By filter in one program, with fields or Marketo's own choice, and page by page."""
    call = program_members.by_filter(1044, "leadId", [1789, 1790], ["leadId", "statusName"], "T")
    assert ("GET", "/rest/v1/programs/1044/members.json") == (call.method, call.path)
    assert {
        "filterType": "leadId",
        "filterValues": "1789,1790",
        "fields": "leadId,statusName",
        "batchSize": "300",
        "nextPageToken": "T",
    } == call.query
    assert "fields" not in program_members.by_filter(1044, "leadId", [1]).query
    with pytest.raises(ValueError, match="1 to 300"):
        program_members.by_filter(1044, "leadId", range(301))


@pytest.mark.parametrize(
    ("reply", "following"),
    [
        (Reply(result=ROWS, more_result=False), None),
        (Reply(result=ROWS, more_result=False, next_page_token="T"), None),
        (Reply(result=ROWS, more_result=True, next_page_token="T"), "T"),
        (Reply(result=ROWS, next_page_token="T"), "T"),
        (Reply(result=ROWS), None),
    ],
)
def test_pages_end_where_marketo_says(reply: Reply, following: str | None) -> None:
    """By `moreResult` where it is sent, by the token where it is not."""
    assert Page(ROWS, following) == program_members.by_filter(1, "leadId", [1]).decode(reply)


def test_more_without_a_token_is_no_end() -> None:
    """Rows are not lost in silence."""
    with pytest.raises(Malformed):
        program_members.by_filter(1, "leadId", [1]).decode(Reply(result=ROWS, more_result=True))


def test_members_are_given_a_status_and_fields() -> None:
    """Both end in the same state however often they are sent."""
    given = program_members.set_status(1044, "Influenced", [1800, 1801])
    synced = program_members.sync(1044, [{"leadId": 1800, "registrationCode": "x"}])

    assert ("POST", "/rest/v1/programs/1044/members/status.json") == (given.method, given.path)
    assert {"statusName": "Influenced", "input": [{"leadId": 1800}, {"leadId": 1801}]} == given.json
    assert ("POST", "/rest/v1/programs/1044/members.json") == (synced.method, synced.path)
    assert {"input": [{"leadId": 1800, "registrationCode": "x"}]} == synced.json
    assert {(Repeat.SAFE, "Read-Write Lead")} == {(call.repeat, call.permission) for call in (given, synced)}


def test_what_marketo_would_refuse_is_not_sent() -> None:
    """No status, no leads, or a row that names no lead."""
    with pytest.raises(ValueError, match="status"):
        program_members.set_status(1, " ", [1])
    with pytest.raises(ValueError, match="1 to 300"):
        program_members.set_status(1, "Member", [])
    with pytest.raises(ValueError, match="leadId"):
        program_members.sync(1, [{"registrationCode": "x"}])

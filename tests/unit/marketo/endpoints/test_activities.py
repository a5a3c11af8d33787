"""The activity types of an instance, and activities that are read page by page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import activities
from syncengine.marketo.pages import Page
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import ActivityAttribute, ActivityType


def test_types_are_read_with_their_attributes() -> None:
    """Standard types have a primary attribute, some have none, attributes without a name are passed over."""
    rows = (
        {
            "id": 1,
            "name": "Visit Webpage",
            "primaryAttribute": {"name": "Webpage ID", "dataType": "integer"},
            "attributes": [{"name": "Query Parameters", "dataType": "string"}, {"dataType": "string"}],
        },
        {"id": "12", "name": "New Lead"},
    )
    expected = (
        ActivityType(
            1,
            "Visit Webpage",
            ActivityAttribute("Webpage ID", "integer"),
            (ActivityAttribute("Query Parameters", "string"),),
        ),
        ActivityType(12, "New Lead", None, ()),
    )
    assert expected == activities.types().decode(Reply(result=rows))


@pytest.mark.parametrize("result", [(), (None,), ({"name": "nameless number"},)])
def test_types_that_cannot_be_read_are_a_fault(result: tuple[object, ...]) -> None:
    """A stream never vanishes because its types could not be read."""
    with pytest.raises(Malformed):
        activities.types().decode(Reply(result=result))


def test_types_are_given_as_rows_too() -> None:
    """The same call, with everything that Marketo says of a type."""
    row = {"id": 1, "name": "Visit Webpage", "description": "User visits a web page"}
    call = activities.type_rows()
    assert (activities.types().path, Page((row,), None)) == (call.path, call.decode(Reply(result=(row,))))


def test_a_listing_begins_with_a_token_for_a_moment() -> None:
    """The moment is sent in UTC and whole seconds, cut so that nothing is left out."""
    since = datetime(2024, 5, 1, 5, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    call = activities.paging_token(since)
    assert (call.path, call.permission) == ("/rest/v1/activities/pagingtoken.json", "Read-Only Activity")
    assert {"sinceDatetime": "2024-05-01T00:00:00Z"} == call.query
    assert "GIYDAOBNGEYS2===" == call.decode(Reply(next_page_token="GIYDAOBNGEYS2==="))
    with pytest.raises(Malformed):
        call.decode(Reply())
    with pytest.raises(ValueError, match="zone"):
        activities.paging_token(datetime(2024, 5, 1, tzinfo=UTC).replace(tzinfo=None))


LISTINGS: dict[str, tuple[Callable[[str], Call[Page]], dict[str, str]]] = {
    "/rest/v1/activities.json": (lambda token: activities.activities(token, [1, 12]), {"activityTypeIds": "1,12"}),
    "/rest/v1/activities/leadchanges.json": (
        lambda token: activities.lead_changes(token, ["firstName", "department"]),
        {"fields": "firstName,department"},
    ),
    "/rest/v1/activities/deletedleads.json": (activities.deleted_leads, {}),
}


@pytest.mark.parametrize("path", LISTINGS)
def test_a_listing_follows_a_token(path: str) -> None:
    """The first page as every other; without a token Marketo would refuse."""
    asked, query = LISTINGS[path]
    call = asked("T==")
    assert (call.method, call.path, call.permission) == ("GET", path, "Read-Only Activity")
    assert query | {"batchSize": "300", "nextPageToken": "T=="} == call.query
    with pytest.raises(ValueError, match="paging token"):
        asked("")


@pytest.mark.parametrize("path", LISTINGS)
def test_a_listing_ends_when_marketo_says_so(path: str) -> None:
    """A token comes on the last page too, and an empty page may have more behind it."""
    decode = LISTINGS[path][0]("T").decode
    row = {"leadId": 6}
    assert Page((), "U") == decode(Reply(next_page_token="U", more_result=True))
    assert Page((row,), None) == decode(Reply(result=(row,), next_page_token="U", more_result=False))
    with pytest.raises(Malformed):
        decode(Reply(result=(row,), next_page_token="U"))


@pytest.mark.parametrize("type_ids", [(), range(11)])
def test_a_call_takes_up_to_ten_types(type_ids: Any) -> None:
    """None and eleven are refused before any call."""
    assert "0,1,2,3,4,5,6,7,8,9" == activities.activities("T", range(10)).query["activityTypeIds"]
    with pytest.raises(ValueError, match="1 to 10 activity types"):
        activities.activities("T", type_ids)


def test_changes_are_asked_for_by_field() -> None:
    """Marketo needs at least one."""
    with pytest.raises(ValueError, match="fields"):
        activities.lead_changes("T", ())

"""Smart campaigns."""

from syncengine.marketo.endpoints import campaigns
from syncengine.marketo.pages import Page
from syncengine.marketo.reply import Reply


def test_all_campaigns_are_asked_for_page_by_page() -> None:
    """The largest batch, and the token of the page before."""
    call = campaigns.campaigns("T")
    assert (call.method, call.path, call.permission) == ("GET", "/rest/v1/campaigns.json", "Read-Only Campaign")
    assert {"batchSize": "300", "nextPageToken": "T"} == call.query
    assert {"batchSize": "300"} == campaigns.campaigns().query


def test_campaigns_go_on_while_a_token_comes() -> None:
    """There is no `moreResult` in Adobe's definition of the answer."""
    decode = campaigns.campaigns().decode
    assert Page(({"id": 1},), "T") == decode(Reply(result=({"id": 1},), next_page_token="T"))
    assert Page(({"id": 1},), None) == decode(Reply(result=({"id": 1},)))

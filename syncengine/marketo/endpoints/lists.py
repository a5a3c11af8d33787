"""Static lists, and who is in them.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/list-membership
"""

from collections.abc import Sequence
from typing import Final

from syncengine.marketo.call import Call
from syncengine.marketo.limits import FILTER_VALUES_MAX
from syncengine.marketo.pages import Page, comma_separated, page_query, while_token
from syncengine.marketo.records import RecordResult, record_results, sync_input

PERMISSION: Final = "Read-Only Lead"


def lists(following: str = "") -> Call[Page]:
    """A page of all static lists, as rows of LIST_COLUMNS."""
    return Call(
        name="lists.list",
        method="GET",
        path="/rest/v1/lists.json",
        decode=while_token,
        query=page_query(following),
        permission=PERMISSION,
    )


def by_ids(list_ids: Sequence[int]) -> Call[Page]:
    """The static lists that have one of 1 to 300 ids; one that there is not is not in the answer."""
    return Call(
        name="lists.by_ids",
        method="GET",
        path="/rest/v1/lists.json",
        decode=while_token,
        query={"id": comma_separated(list_ids, "ids of lists", at_most=FILTER_VALUES_MAX)},
        permission=PERMISSION,
    )


def leads_of_list(list_id: int, fields: Sequence[str] = (), following: str = "") -> Call[Page]:
    """A page of the leads in a list; without `fields` those that Marketo gives by itself, `id` among them."""
    chosen = {"fields": comma_separated(fields, "fields")} if fields else {}
    return Call(
        name="lists.leads",
        method="GET",
        path=f"/rest/v1/lists/{int(list_id)}/leads.json",
        decode=while_token,
        query=chosen | page_query(following),
        permission=PERMISSION,
    )


def add_members(list_id: int, lead_ids: Sequence[int]) -> Call[list[RecordResult]]:
    """Up to 300 leads put into a list, and what became of each; one that was in it before is no error.

    ValueError for no or too many leads. Adobe's page names them in the query, its definition in a body as well: the
    body has no limit that 300 long ids could reach.
    https://developer.adobe.com/marketo-apis/api/mapi#operation/addLeadsToListUsingPOST
    """
    return Call(
        name="lists.add_members",
        method="POST",
        path=f"/rest/v1/lists/{int(list_id)}/leads.json",
        decode=record_results,
        json={"input": sync_input([{"id": int(lead_id)} for lead_id in lead_ids])},
        permission="Read-Write Lead",
    )

"""Static lists, and who is in them.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/list-membership
"""

from collections.abc import Sequence
from typing import Final

from syncengine.marketo.call import Call
from syncengine.marketo.pages import Page, comma_separated, page_query, while_token

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

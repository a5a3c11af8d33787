"""Programs, which are assets; their members are exported in bulk.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/programs
"""

from datetime import datetime

from syncengine.marketo.call import Call
from syncengine.marketo.limits import ASSET_PAGE_ROWS_MAX
from syncengine.marketo.pages import Page, offset_of, while_full
from syncengine.marketo.rows import wire_time


def programs(following: str = "", updated_since: datetime | None = None) -> Call[Page]:
    """A page of all programs, or of those made or changed since a moment, as rows of PROGRAM_COLUMNS.

    Pages are cut by offset: a program that is deleted meanwhile can hide another one until the next listing.
    ValueError for a moment without a zone, or a `following` that no page of programs gave.
    """
    offset = offset_of(following)
    since = {"earliestUpdatedAt": wire_time(updated_since)} if updated_since else {}
    return Call(
        name="programs.list",
        method="GET",
        path="/rest/asset/v1/programs.json",
        decode=while_full(offset, ASSET_PAGE_ROWS_MAX),
        query=since | {"offset": str(offset), "maxReturn": str(ASSET_PAGE_ROWS_MAX)},
        permission="Read-Only Assets",
    )

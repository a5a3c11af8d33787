"""Activities: what types an instance knows, and those that are read page by page rather than as a file.

A listing begins with a token for a moment. Bulk export gives all activities but those of deleted leads.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/activities
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from syncengine.marketo.call import Call
from syncengine.marketo.limits import ACTIVITY_TYPES_PER_CALL_MAX
from syncengine.marketo.pages import Page, comma_separated, page_query, while_more, whole
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import ActivityAttribute, ActivityType, listed, mapping, text, wire_time
from syncengine.marketo.rows import whole as whole_number

PERMISSION: Final = "Read-Only Activity"


def types() -> Call[tuple[ActivityType, ...]]:
    """All activity types, standard and custom, in one answer."""
    return Call(
        name="activities.types",
        method="GET",
        path="/rest/v1/activities/types.json",
        decode=decode,
        permission=PERMISSION,
    )


def type_rows() -> Call[Page]:
    """The same answer as rows of ACTIVITY_TYPE_COLUMNS; one page, which nothing follows."""
    return Call(
        name="activities.types",
        method="GET",
        path="/rest/v1/activities/types.json",
        decode=whole,
        permission=PERMISSION,
    )


def paging_token(since: datetime) -> Call[str]:
    """Where listings of activities, lead changes and deleted leads begin that happened after `since`, in whole seconds.

    How long a token lives is documented nowhere: keep the moment, not the token. ValueError without a zone.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/paging-tokens
    """
    return Call(
        name="activities.pagingtoken",
        method="GET",
        path="/rest/v1/activities/pagingtoken.json",
        decode=token,
        query={"sinceDatetime": wire_time(since)},
        permission=PERMISSION,
    )


def activities(following: str, type_ids: Collection[int]) -> Call[Page]:
    """A page of activities of 1 to 10 types; the first one follows a `paging_token`. ValueError without either."""
    chosen = comma_separated(type_ids, "activity types", at_most=ACTIVITY_TYPES_PER_CALL_MAX)
    return listing("activities.list", "/rest/v1/activities.json", following, activityTypeIds=chosen)


def lead_changes(following: str, fields: Sequence[str]) -> Call[Page]:
    """A page of value changes of these fields, and of new leads; the first one follows a `paging_token`.

    Adobe names no limit to the fields; a URI over 8 KB travels as a form. ValueError for no field or no token.
    """
    chosen = comma_separated(fields, "fields")
    return listing("activities.leadchanges", "/rest/v1/activities/leadchanges.json", following, fields=chosen)


def deleted_leads(following: str) -> Call[Page]:
    """A page of deleted leads; the first one follows a `paging_token`. ValueError without one.

    Deletions of more than 14 days ago may be missing. Leads that lost a merge are not here.
    """
    return listing("activities.deletedleads", "/rest/v1/activities/deletedleads.json", following)


def listing(name: str, path: str, following: str, **query: str) -> Call[Page]:
    """A page of the activity family."""
    if not following:
        raise ValueError(f"{name} begins with a paging token")
    call = Call(name=name, method="GET", path=path, decode=while_more, permission=PERMISSION)
    return replace(call, query=query | page_query(following))


def token(reply: Reply) -> str:
    """The token of an answer that holds nothing else."""
    if reply.next_page_token is None:
        raise Malformed("no paging token was given")
    return reply.next_page_token


def decode(reply: Reply) -> tuple[ActivityType, ...]:
    """The types; Malformed when there are none or one has no id, as streams would then vanish without an error."""
    if not reply.result:
        raise Malformed("no activity types were named")
    return tuple(activity_type(row) for row in reply.result)


def activity_type(row: object) -> ActivityType:
    """One type."""
    stated = mapping(row)
    number = whole_number(stated.get("id"))
    if number is None:
        raise Malformed("an activity type has no id")
    return ActivityType(
        id=number,
        name=text(stated.get("name")),
        primary_attribute=attribute(stated.get("primaryAttribute")),
        attributes=tuple(found for each in listed(stated.get("attributes")) if (found := attribute(each))),
    )


def attribute(stated: object) -> ActivityAttribute | None:
    """One attribute, or None where there is no named one."""
    if not isinstance(stated, dict) or not text(stated.get("name")):
        return None
    return ActivityAttribute(name=stated["name"], data_type=text(stated.get("dataType")))

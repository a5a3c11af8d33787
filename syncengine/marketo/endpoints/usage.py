"""Usage: what all integrations of an instance have used of the day's calls."""

from syncengine.marketo.call import Call
from syncengine.marketo.pages import Page, whole
from syncengine.marketo.reply import Reply
from syncengine.marketo.rows import Usage, count, day_or_none, listed, mapping, text


def today() -> Call[Usage]:
    """The calls of the current day, in all and by API user.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/usage
    """
    return Call(name="usage.today", method="GET", path="/rest/v1/stats/usage.json", decode=decode)


def last_7_days() -> Call[Page]:
    """The calls of the last 7 days, one row of USAGE_COLUMNS each; one page, which nothing follows.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/usage
    """
    return Call(name="usage.last7days", method="GET", path="/rest/v1/stats/usage/last7days.json", decode=whole)


def decode(reply: Reply) -> Usage:
    """The day's counts; a day on which nothing is counted yet has no row."""
    if not reply.result:
        return Usage(day=None, calls=0, calls_by_user={})
    row = mapping(reply.result[0])
    users = [user for user in listed(row.get("users")) if isinstance(user, dict)]
    return Usage(
        day=day_or_none(row.get("date")),
        calls=count(row.get("total")) or 0,
        calls_by_user={text(user.get("userId")): count(user.get("count")) or 0 for user in users},
    )

"""Programs, which are assets, and the channels that give their members their statuses.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/programs
"""

from dataclasses import dataclass
from datetime import datetime

from syncengine.marketo.call import Call
from syncengine.marketo.limits import ASSET_PAGE_ROWS_MAX
from syncengine.marketo.pages import Page, offset_of, while_full
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import count, listed, mapping, text, wire_time

PERMISSION = "Read-Only Assets"
NOT_IN_PROGRAM = "Not in Program"


@dataclass(frozen=True, slots=True)
class Program:
    """A program and the name of its channel."""

    id: int
    name: str
    channel: str


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
        permission=PERMISSION,
    )


def program(program_id: int) -> Call[Program | None]:
    """One program; None when there is none with this id."""
    return Call(
        name="programs.get",
        method="GET",
        path=f"/rest/asset/v1/program/{int(program_id)}.json",
        decode=program_or_none,
        permission=PERMISSION,
    )


def channel_statuses(channel: str) -> Call[tuple[str, ...]]:
    """The statuses that a member of a channel's programs may be given; none when there is no such channel.

    A status that a channel hides is one all the same; "Not in Program" is what removes a member, and is left out.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/channels
    """
    return Call(
        name="channels.by_name",
        method="GET",
        path="/rest/asset/v1/channel/byName.json",
        decode=statuses,
        query={"name": channel},
        permission=PERMISSION,
    )


def program_or_none(reply: Reply) -> Program | None:
    """The program of an answer, if it names one; Malformed when it has no id."""
    if not reply.result:
        return None
    row = mapping(reply.result[0])
    if (number := count(row.get("id"))) is None:
        raise Malformed("a program has no id")
    return Program(number, text(row.get("name")), text(row.get("channel")))


def statuses(reply: Reply) -> tuple[str, ...]:
    """The names of a channel's statuses, in the order in which Marketo gives them."""
    named = [
        text(mapping(status).get("name"))
        for row in reply.result
        for status in listed(mapping(row).get("progressionStatuses"))
    ]
    return tuple(name for name in named if name and name.casefold() != NOT_IN_PROGRAM.casefold())

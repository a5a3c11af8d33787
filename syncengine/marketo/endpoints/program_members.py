"""Members of one program, read by key and given a status; whole programs are exported in bulk.

Their fields are described by `objects.describe(PROGRAM_MEMBERS)`.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/program-members
"""

from collections.abc import Mapping, Sequence

from syncengine.marketo.call import Call
from syncengine.marketo.limits import FILTER_VALUES_MAX
from syncengine.marketo.pages import Page, comma_separated, page_query, rows_of, while_token
from syncengine.marketo.records import RecordResult, record_results, sync_input
from syncengine.marketo.reply import Reply


def by_filter(
    program_id: int, filter_type: str, values: Sequence[object], fields: Sequence[str] = (), following: str = ""
) -> Call[Page]:
    """A page of the members of a program whose field `filter_type` has one of 1 to 300 values.

    `leadId` can be searched in any program, other fields only where it has, or the filter matches, at most 100,000
    members (code 1003). Without `fields`, leadId, programId, membershipDate, reachedSuccess and acquiredBy. A URI over
    8 KB travels as a form. ValueError for no or too many values, and for one that is empty or holds a comma.
    """
    chosen = {"fields": comma_separated(fields, "fields")} if fields else {}
    return Call(
        name="program_members.by_filter",
        method="GET",
        path=f"/rest/v1/programs/{int(program_id)}/members.json",
        decode=while_said,
        query={
            "filterType": filter_type,
            "filterValues": comma_separated(values, f"values of {filter_type}", at_most=FILTER_VALUES_MAX),
        }
        | chosen
        | page_query(following),
        permission="Read-Only Lead",
    )


def set_status(program_id: int, status: str, lead_ids: Sequence[int]) -> Call[list[RecordResult]]:
    """Up to 300 leads made members with a status of the program's channel, or moved on to it.

    A member who has come further than this status is skipped with code 1037. Repeating changes nothing more.
    ValueError for no or too many leads, and for a blank status.
    """
    if not status.strip():
        raise ValueError("members are given a status")
    return Call(
        name="program_members.set_status",
        method="POST",
        path=f"/rest/v1/programs/{int(program_id)}/members/status.json",
        decode=record_results,
        json={"statusName": status, "input": sync_input([{"leadId": int(lead_id)} for lead_id in lead_ids])},
        permission="Read-Write Lead",
    )


def sync(program_id: int, rows: Sequence[Mapping[str, object]]) -> Call[list[RecordResult]]:
    """Fields of up to 300 members updated; each row has a leadId. ValueError for no or too many rows, or without it."""
    if not all(row.get("leadId") for row in rows):
        raise ValueError("a member has no leadId to be found by")
    return Call(
        name="program_members.sync",
        method="POST",
        path=f"/rest/v1/programs/{int(program_id)}/members.json",
        decode=record_results,
        json={"input": sync_input(rows)},
        permission="Read-Write Lead",
    )


def while_said(reply: Reply) -> Page:
    """A page, and what follows it: nothing once `moreResult` is false, whatever token comes with that."""
    return Page(rows_of(reply), None) if reply.more_result is False else while_token(reply)

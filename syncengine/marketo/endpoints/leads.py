"""Leads, as the synchronous API has them; bulk export and import of leads stand with their own kinds of jobs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from syncengine.marketo.call import Call, Repeat
from syncengine.marketo.limits import FILTER_VALUES_MAX
from syncengine.marketo.pages import Page, comma_separated, page_query, while_token, whole
from syncengine.marketo.records import RecordResult, record_results, sync_input
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import LeadField, count, mapping, text

PERMISSION: Final = "Read-Only Lead"

Action = Literal["createOrUpdate", "createOnly", "updateOnly"]


def describe() -> Call[tuple[LeadField, ...]]:
    """Every lead field that the REST API knows, in Marketo's order, with labels and lengths.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/leads
    """
    return Call(
        name="leads.describe",
        method="GET",
        path="/rest/v1/leads/describe.json",
        decode=decode,
        permission=PERMISSION,
    )


def by_filter(filter_type: str, values: Sequence[object], fields: Sequence[str], following: str = "") -> Call[Page]:
    """A page of the leads whose field `filter_type` has one of 1 to 300 values.

    Marketo can filter by `id`, `email`, some ids of CRMs and networks, and custom fields of text, email or integer; it
    refuses a filter that more than 1,000 leads match with code 1003. A field that was asked for and is not in a row is
    null. A URI over 8 KB travels as a form. ValueError for no or too many values, for one that is empty or holds a
    comma, and for no fields.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/leads
    """
    return Call(
        name="leads.by_filter",
        method="GET",
        path="/rest/v1/leads.json",
        decode=while_token,
        query={
            "filterType": filter_type,
            "filterValues": comma_separated(values, f"values of {filter_type}", at_most=FILTER_VALUES_MAX),
            "fields": comma_separated(fields, "fields"),
        }
        | page_query(following),
        permission=PERMISSION,
    )


def sync(
    rows: Sequence[Mapping[str, object]],
    *,
    lookup_field: str = "email",
    action: Action = "createOrUpdate",
    partition: str = "",
) -> Call[list[RecordResult]]:
    """Up to 300 leads created or updated, each found by `lookup_field`, and what became of each.

    Two calls with one key make a duplicate where the first has not returned, so that only an update is safe to repeat.
    After a lost answer, code 1005 to `createOnly` proves that the first try worked. `null` empties a field.
    ValueError for no or too many rows, for a row without the lookup field, for `id` with an action that creates, and
    for a partition with one that does not.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/leads
    """
    if any(row.get(lookup_field) in (None, "") for row in rows):
        raise ValueError(f"a lead has no {lookup_field} to be found by")
    if action == "updateOnly" and partition:
        raise ValueError("leads that are only updated stay in their partition")
    if action != "updateOnly" and any("id" in row for row in rows):
        raise ValueError("leads with an id are only updated")
    body: dict[str, Any] = {"action": action, "lookupField": lookup_field, "input": sync_input(rows)}
    if partition:
        body["partitionName"] = partition
    return Call(
        name="leads.sync",
        method="POST",
        path="/rest/v1/leads.json",
        decode=record_results,
        json=body,
        repeat=Repeat.SAFE if action == "updateOnly" else Repeat.UNSAFE,
        permission="Read-Write Lead",
    )


def partitions() -> Call[Page]:
    """All lead partitions, as rows of PARTITION_COLUMNS; one page, which nothing follows."""
    return Call(
        name="leads.partitions",
        method="GET",
        path="/rest/v1/leads/partitions.json",
        decode=whole,
        permission=PERMISSION,
    )


def decode(reply: Reply) -> tuple[LeadField, ...]:
    """The fields; Malformed when there are none, as an export of no fields would look like success."""
    rows = [mapping(row) for row in reply.result]
    # Entries without a `rest` block belong to other APIs and cannot be asked for.
    fields = tuple(
        LeadField(
            name=rest["name"],
            display_name=text(row.get("displayName")) or rest["name"],
            data_type=text(row.get("dataType")),
            length=count(row.get("length")),
            read_only=rest.get("readOnly") is True,
        )
        for row in rows
        if isinstance(rest := row.get("rest"), dict) and text(rest.get("name"))
    )
    if not fields:
        raise Malformed("describe named no field of leads")
    return fields

"""Leads, as the synchronous API has them; bulk export and import of leads stand with their own kinds of jobs."""

from collections.abc import Sequence
from typing import Final

from syncengine.marketo.call import Call
from syncengine.marketo.limits import FILTER_VALUES_MAX
from syncengine.marketo.pages import Page, comma_separated, page_query, while_token, whole
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import LeadField, count, mapping, text

PERMISSION: Final = "Read-Only Lead"


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

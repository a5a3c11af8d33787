"""Leads, as the synchronous API has them; bulk export and import of leads stand with their own kinds of jobs."""

from syncengine.marketo.call import Call
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import LeadField, count, mapping, text


def describe() -> Call[tuple[LeadField, ...]]:
    """Every lead field that the REST API knows, in Marketo's order, with labels and lengths.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/leads
    """
    return Call(
        name="leads.describe",
        method="GET",
        path="/rest/v1/leads/describe.json",
        decode=decode,
        permission="Read-Only Lead",
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

"""Parameters of calls: which each endpoint takes, and how they are read; separate so that no endpoint parses text.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from syncengine.sandbox.asset_paths import ASSET_PARAMETERS
from syncengine.sandbox.replies import invalid, refusal

BATCH_SIZE_MAX = 300
ASSETS_MAX, ASSETS_DEFAULT = 200, 20
FILTER_VALUES_MAX = 300


@dataclass(frozen=True, slots=True)
class Parameters:
    """What an endpoint reads besides its path; others are ignored, as Marketo does."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


PAGED = ("batchSize", "nextPageToken")
QUERY = Parameters(("filterType", "filterValues"), ("fields", *PAGED))
LISTING = Parameters((), ("id", "name", "programName", "workspaceName", *PAGED))

PARAMETERS: Mapping[str, Parameters] = {
    "activities.paging_token": Parameters(("sinceDatetime",)),
    "activities.page": Parameters(("nextPageToken", "activityTypeIds"), ("leadIds", "listId", "batchSize")),
    "lead_changes.page": Parameters(("nextPageToken", "fields"), ("leadIds", "listId", "batchSize")),
    "deleted_leads.page": Parameters(("nextPageToken",), ("batchSize",)),
    "activities.external_type": Parameters((), ("draft",)),
    "leads.query": QUERY,
    "leads.import.create": Parameters(("format",), ("lookupField", "partitionName", "listId")),
    "custom_objects.import.create": Parameters(("format",)),
    "program_members.import.create": Parameters(("format", "programMemberStatus")),
    "lists.add": Parameters((), ("id",)),
    "lists.list": LISTING,
    "lists.leads": Parameters((), ("fields", *PAGED)),
    "list.leads": Parameters((), ("fields", *PAGED)),
    "campaigns.list": Parameters((), (*LISTING.optional, "isTriggerable")),
    "channels.by_name": Parameters(("name",), ()),
    "programs.list": Parameters((), ("maxReturn", "offset", "earliestUpdatedAt", "latestUpdatedAt")),
    "companies.query": QUERY,
    "salespersons.query": QUERY,
    "opportunities.query": QUERY,
    "opportunity_roles.query": QUERY,
    "named_accounts.query": QUERY,
    "named_account_lists.query": Parameters(QUERY.required, PAGED),
    "named_account_list_members.page": Parameters((), ("fields", *PAGED)),
    "custom_objects.list": Parameters((), ("names",)),
    "custom_objects.query": QUERY,
    "program_members.query": QUERY,
    "custom_objects.schema": Parameters((), ("names", "state")),
    "custom_objects.schema_describe": Parameters((), ("state",)),
} | {endpoint: Parameters(*both) for endpoint, both in ASSET_PARAMETERS.items()}


def required(query: Mapping[str, str], name: str) -> str:
    """The parameter's text; 1002 when it is missing or blank."""
    text = query.get(name, "").strip()
    if not text:
        raise refusal("1002", name)
    return text


def whole(text: str) -> int:
    """The text as a whole number; 1001 when it is none."""
    try:
        return int(text)
    except ValueError:
        raise refusal("1001", text, "integer") from None


def flag(text: str) -> bool:
    """The text as a boolean; 1001 when it is none."""
    if text.lower() not in {"true", "false"}:
        raise refusal("1001", text, "boolean")
    return text.lower() == "true"


def parts(query: Mapping[str, str], name: str) -> list[str]:
    """The values of a comma-separated parameter; none when it is missing."""
    return [part.strip() for part in query.get(name, "").split(",") if part.strip()]


def whole_parts(query: Mapping[str, str], name: str, most: int) -> list[int]:
    """At most so many whole numbers, separated by commas."""
    found = [whole(part) for part in parts(query, name)]
    if len(found) > most:
        raise invalid(f"'{name}' takes up to {most} values")
    return found


def offset_page(query: Mapping[str, str]) -> slice:
    """The part of a list of assets that a page shows."""
    most = whole(query.get("maxReturn") or str(ASSETS_DEFAULT))
    offset = whole(query.get("offset") or "0")
    if not 1 <= most <= ASSETS_MAX or offset < 0:
        raise invalid(f"maxReturn is 1 to {ASSETS_MAX}, offset 0 or more")
    return slice(offset, offset + most)


def update_range(query: Mapping[str, str]) -> tuple[int, int]:
    """The first and the last second in which assets were updated that a page shows."""
    earliest, latest = (
        _instant(query.get("earliestUpdatedAt", ""), 0),
        _instant(query.get("latestUpdatedAt", ""), 1 << 40),
    )
    if earliest > latest:
        raise invalid("earliestUpdatedAt lies after latestUpdatedAt")
    return earliest, latest


def _instant(text: str, absent: int) -> int:
    if not text:
        return absent
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refusal("704") from None
    if moment.tzinfo is None or moment.microsecond:
        raise refusal("704")
    return int(moment.timestamp())


def batch_size(query: Mapping[str, str]) -> int:
    """How many records a page may have."""
    size = whole(query.get("batchSize") or str(BATCH_SIZE_MAX))
    if not 1 <= size <= BATCH_SIZE_MAX:
        raise invalid(f"batchSize must be between 1 and {BATCH_SIZE_MAX}")
    return size

"""The names that `[sync] streams` takes, and what each stream asks of the others and of the configuration.

Held equal to the table of streams by a test: the configuration is read without what brings the streams.
"""

import re
from collections.abc import Collection, Mapping

DEFAULT_STREAMS = ("leads", "activities", "deleted_leads", "activity_types")
# Each stream, and those whose rows it takes keys from.
STREAMS: Mapping[str, tuple[str, ...]] = {
    "leads": (),
    "activities": (),
    "program_members": ("programs",),
    "list_members": (),
    "deleted_leads": (),
    "lead_changes": (),
    "activity_types": (),
    "lists": (),
    "programs": (),
    "campaigns": (),
    "partitions": (),
    "fields": (),
    "usage": (),
    "opportunity_roles": ("leads",),
    "opportunities": ("opportunity_roles",),
    "companies": ("leads",),
    "salespersons": ("leads",),
    "named_account_lists": (),
    "named_accounts": ("named_account_lists",),
}
# Kinds of assets, held equal to their table likewise.
ASSET_KINDS = (
    "folder",
    "program",
    "channel",
    "tag_type",
    "email",
    "email_template",
    "landing_page",
    "landing_page_template",
    "landing_page_domain",
    "redirect_rule",
    "form",
    "snippet",
    "file",
    "smart_campaign",
    "smart_list",
    "static_list",
    "segmentation",
    "email_v2",
    "email_template_v2",
    "fragment",
)
# Streams that bring nothing before the configuration says of what, and the key that does.
CHOSEN_BY = {"list_members": "lists", "named_account_lists": "names"}
EVERYTHING = "*"
CUSTOM_OBJECTS = "custom_object_*"
CUSTOM_OBJECT = re.compile(r"custom_object_[A-Za-z0-9_]{1,100}", re.ASCII)


def is_brought(name: str, synced: Collection[str]) -> bool:
    """Whether a name that a group gives means streams among those that are synced."""
    return name in {EVERYTHING, *synced} or (CUSTOM_OBJECTS in synced and bool(CUSTOM_OBJECT.fullmatch(name)))


def is_stream(name: str) -> bool:
    """Whether a stream can be called so; whether the instance has the custom object shows later."""
    return name in STREAMS or name in {EVERYTHING, CUSTOM_OBJECTS} or bool(CUSTOM_OBJECT.fullmatch(name))

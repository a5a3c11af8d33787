"""The table of streams: what each is called, how it is asked for, what identifies, orders and dates its rows.

Everything that tells one stream from another stands here as data; the stages read it and know no stream by name. An
instance's custom objects are streams too: `stream_of` makes theirs out of the name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from syncengine.marketo import columns
from syncengine.marketo.call import Call
from syncengine.marketo.dialect import ACTIVITY_COLUMNS
from syncengine.marketo.endpoints import activities, campaigns, leads, lists, objects, programs, usage
from syncengine.marketo.endpoints.exports import ACTIVITIES, LEADS, PROGRAM_MEMBERS, ExportKind, custom_object
from syncengine.marketo.endpoints.objects import ObjectKind
from syncengine.marketo.pages import Page
from syncengine.schema import Field, FieldType

TimeFilter = Literal["createdAt", "updatedAt"]
Pages = Callable[[str], Call[Page]]
CUSTOM_OBJECT: Final = "custom_object_"


@dataclass(frozen=True, slots=True)
class Bulk:
    """Asked for by bulk export: the kind of job, the filter that takes a window's rows, and what a job is a part of."""

    kind: ExportKind
    filter_field: TimeFilter | None
    parts: Literal["", "programs", "lists"] = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Asked for page after page; where it `is_whole`, what is not in it any more is gone."""

    pages: Pages
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Since:
    """Asked for from an instant on, page after page, as the activity family is."""

    pages: Pages


@dataclass(frozen=True, slots=True)
class ByKey:
    """Asked for by 300 keys a call, since there is no other way: values of `field`, taken from another stream.

    With `only_changed`, of rows that changed since; without it all of them are asked for each time, as a change of the
    object shows nowhere else.
    """

    object: ObjectKind
    filter_type: str
    stream: str
    field: str
    only_changed: bool = False


@dataclass(frozen=True, slots=True)
class Special:
    """Asked for in a way of its own, which `exports.readers` knows under this name."""

    name: Literal["fields", "activity_types", "lead_changes", "named_account_lists", "named_accounts"]


Way = Bulk | Listing | Since | ByKey | Special


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of rows.

    `key` identifies a row; of two rows with one key the later by `newer_by` is the newer; `dated_by` is when a row came
    to be, where that never changes. `columns` fixes the fields; without it they are those that describe names.
    `needs` are the streams whose rows it takes keys from. Streams of a lower `turn` are brought first. `marks` says
    what its rows tell about leads. `permission` is the least that the API user's role needs.
    """

    name: str
    way: Way
    key: tuple[str, ...]
    permission: str
    newer_by: str | None = None
    dated_by: str | None = None
    columns: tuple[Field, ...] = ()
    needs: tuple[str, ...] = ()
    turn: int = 1
    marks: Literal["", "deletions", "merges"] = ""
    is_default: bool = False

    @property
    def is_bulk(self) -> bool:
        """Whether its rows come as files of bulk export."""
        return isinstance(self.way, Bulk)


LEAD: Final = "Read-Only Lead"
ACTIVITY: Final = "Read-Only Activity"
ASSETS: Final = "Read-Only Assets"
CAMPAIGN: Final = "Read-Only Campaign"
ACCOUNT_LIST: Final = "Read-Only Named Account List"

STREAMS: Mapping[str, Stream] = {
    stream.name: stream
    for stream in (
        Stream("leads", Bulk(LEADS, "updatedAt"), ("id",), LEAD, newer_by="updatedAt", is_default=True),
        Stream(
            "activities",
            # On activities this filter means the activity's own date. All types come in one job.
            Bulk(ACTIVITIES, "createdAt"),
            ("marketoGUID",),
            ACTIVITY,
            dated_by="activityDate",
            columns=ACTIVITY_COLUMNS,
            marks="merges",
            is_default=True,
        ),
        Stream(
            "program_members",
            Bulk(PROGRAM_MEMBERS, "updatedAt", parts="programs"),
            ("programId", "leadId"),
            LEAD,
            newer_by="updatedAt",
            needs=("programs",),
        ),
        Stream(
            "list_members",
            Bulk(LEADS, None, parts="lists"),
            ("listId", "leadId"),
            LEAD,
            columns=(Field("listId", FieldType.INTEGER), Field("leadId", FieldType.INTEGER)),
        ),
        Stream(
            "deleted_leads",
            Since(activities.deleted_leads),
            ("leadId",),
            ACTIVITY,
            dated_by="activityDate",
            columns=columns.DELETED_LEAD_COLUMNS,
            marks="deletions",
            is_default=True,
        ),
        Stream(
            "lead_changes", Special("lead_changes"), ("marketoGUID",), ACTIVITY, columns=columns.LEAD_CHANGE_COLUMNS
        ),
        Stream(
            "activity_types",
            Special("activity_types"),
            ("id",),
            ACTIVITY,
            columns=columns.ACTIVITY_TYPE_COLUMNS,
            is_default=True,
        ),
        Stream("lists", Listing(lists.lists), ("id",), LEAD, columns=columns.LIST_COLUMNS),
        Stream("programs", Listing(programs.programs), ("id",), ASSETS, columns=columns.PROGRAM_COLUMNS, turn=0),
        Stream("campaigns", Listing(campaigns.campaigns), ("id",), CAMPAIGN, columns=columns.CAMPAIGN_COLUMNS),
        Stream("partitions", Listing(lambda _: leads.partitions()), ("id",), LEAD, columns=columns.PARTITION_COLUMNS),
        Stream("fields", Special("fields"), ("object", "name"), LEAD, columns=columns.FIELD_COLUMNS),
        Stream(
            "usage",
            Listing(lambda _: usage.last_7_days(), is_whole=False),
            ("date",),
            "",
            columns=columns.USAGE_COLUMNS,
        ),
        Stream(
            "opportunity_roles",
            ByKey(objects.OPPORTUNITY_ROLES, "leadId", "leads", "id", only_changed=True),
            ("marketoGUID",),
            objects.OPPORTUNITY_ROLES.permission,
            needs=("leads",),
            turn=2,
        ),
        Stream(
            "opportunities",
            ByKey(objects.OPPORTUNITIES, "externalOpportunityId", "opportunity_roles", "externalOpportunityId"),
            ("marketoGUID",),
            objects.OPPORTUNITIES.permission,
            needs=("opportunity_roles",),
            turn=3,
        ),
        Stream(
            "companies",
            ByKey(objects.COMPANIES, "externalCompanyId", "leads", "externalCompanyId"),
            ("externalCompanyId",),
            objects.COMPANIES.permission,
            needs=("leads",),
            turn=2,
        ),
        Stream(
            "salespersons",
            ByKey(objects.SALESPERSONS, "externalSalesPersonId", "leads", "externalSalesPersonId"),
            ("externalSalesPersonId",),
            objects.SALESPERSONS.permission,
            needs=("leads",),
            turn=2,
        ),
        Stream(
            "named_account_lists",
            Special("named_account_lists"),
            ("marketoGUID",),
            ACCOUNT_LIST,
            columns=columns.NAMED_ACCOUNT_LIST_COLUMNS,
        ),
        Stream(
            "named_accounts",
            Special("named_accounts"),
            ("marketoGUID",),
            objects.NAMED_ACCOUNTS.permission,
            needs=("named_account_lists",),
            turn=2,
        ),
    )
}


def stream_of(name: str) -> Stream:
    """The stream of this name, a custom object's made from it; KeyError for one that there cannot be."""
    if name in STREAMS or not name.startswith(CUSTOM_OBJECT):
        return STREAMS[name]
    kind = custom_object(name.removeprefix(CUSTOM_OBJECT))
    return Stream(name, Bulk(kind, "updatedAt"), ("marketoGUID",), kind.permission, newer_by="updatedAt")

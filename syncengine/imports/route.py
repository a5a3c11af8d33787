"""Which way rows go in, and what that costs: plain decisions on figures.

- `rest`: POST /rest/v1/leads.json and its like, 300 rows a call; an answer says at once what became of each row.
- `bulk`: files of 10 MB that Marketo works off in its own time; the fewest calls.
- `ingestion`: the Data Ingestion API, 1,000 objects a call, for subscriptions that have it; it only ever says that it
  has taken the rows.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/marketo-integration-best-practices
"""

from dataclasses import dataclass
from enum import Enum
from math import ceil

from syncengine.errors import ConfigError
from syncengine.imports.target import Kind, Target
from syncengine.marketo.limits import IMPORT_RUNNING_MAX, SYNC_ROWS_MAX

# Ten calls or so: done before a bulk job would have left its queue.
REST_ROWS_MAX = 3_000
# What a job of ten megabytes takes where nothing has been seen yet.
JOB_SECONDS = 120.0
CALLS_A_SECOND = 5.0


class Route(Enum):
    """The ways in."""

    AUTO = "auto"
    BULK = "bulk"
    REST = "rest"
    INGESTION = "ingestion"


@dataclass(frozen=True, slots=True)
class Cost:
    """What sending is going to take: calls of the day's quota, bytes on the way, seconds."""

    calls: int
    bytes: int
    seconds: float


def chosen(wish: Route, target: Target, rows: int, *, has_ingestion: bool) -> Route:
    """The way that rows take; raises ConfigError for a wish that the target does not allow."""
    if reason := _against(wish, target, has_ingestion=has_ingestion):
        raise ConfigError(
            f"--route {wish.value} does not do for this import: {reason}", advice="--route auto always does."
        )
    if wish is not Route.AUTO:
        return wish
    if not _against(Route.INGESTION, target, has_ingestion=has_ingestion):
        return Route.INGESTION
    if rows <= REST_ROWS_MAX and not _against(Route.REST, target, has_ingestion=has_ingestion):
        return Route.REST
    return Route.BULK


def _against(wish: Route, target: Target, *, has_ingestion: bool) -> str:
    """Why a way is closed; empty when it is open."""
    match wish:
        case Route.REST if target.kind is Kind.PROGRAM_MEMBERS:
            return "the synchronous call knows program members by lead id only."
        case Route.INGESTION if target.kind is Kind.PROGRAM_MEMBERS:
            return "the Data Ingestion API knows program members by lead id only."
        case Route.INGESTION if not has_ingestion:
            return "the configuration does not say that the subscription has the Data Ingestion API."
        case Route.REST | Route.INGESTION if target.list_id is not None:
            return "only bulk import adds people to a list as it imports them."
        case Route.INGESTION if target.kind is Kind.LEADS and target.keys == ("id",):
            return "the Data Ingestion API would create people whose id it does not find."
        case _:
            return ""


def cost(route: Route, chunks: int, size: int, *, poll_seconds: float, job_seconds: float | None = None) -> Cost:
    """What `chunks` of together `size` bytes take."""
    if route is not Route.BULK:
        return Cost(chunks, size, chunks / CALLS_A_SECOND)
    seconds = ceil(chunks / IMPORT_RUNNING_MAX) * (job_seconds or JOB_SECONDS)
    polls = ceil(seconds / poll_seconds) * min(chunks, IMPORT_RUNNING_MAX)
    return Cost(chunks + polls, size, seconds)


def rows_a_call(route: Route) -> int | None:
    """How many rows one call takes, where they are counted."""
    return {Route.REST: SYNC_ROWS_MAX, Route.INGESTION: 1_000}.get(route)

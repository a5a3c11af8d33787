"""Marketo's results as frozen rows, and the reading of its loose JSON.

Apart from the endpoints, since several of them answer with the same row and all of them meet the same looseness:
numbers as text, two spellings of one status, five ways to write an offset. What cannot be read is None or UNKNOWN where
the engine can go on without it, and `Malformed` where it cannot.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import Any, NewType

from syncengine.marketo.reply import Malformed, clean

ExportId = NewType("ExportId", str)

INTEGER_MAX = 2**63 - 1
INSTANT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?"
    r"(?:Z|Z?(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>[0-5]\d))",
    re.ASCII,
)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
SHA256 = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII | re.IGNORECASE)
API_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,99}", re.ASCII)
BEARER = re.compile(r"[\x21-\x7e]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and its remaining life in seconds: 0 when Marketo says nothing useful about it."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LeadField:
    """A lead field that REST knows; `name` is its REST name, `data_type` Marketo's word, `length` in characters."""

    name: str
    display_name: str
    data_type: str
    length: int | None
    read_only: bool


@dataclass(frozen=True, slots=True)
class ActivityAttribute:
    """One attribute of an activity type, by the name under which `attributes` of its rows holds it."""

    name: str
    data_type: str


@dataclass(frozen=True, slots=True)
class ActivityType:
    """What kind of activity an id stands for; types without a primary attribute exist."""

    id: int
    name: str
    primary_attribute: ActivityAttribute | None
    attributes: tuple[ActivityAttribute, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """The calls of one day, counted by Marketo; `day` is Central Time's."""

    day: date | None
    calls: int
    calls_by_user: Mapping[str, int] = field(repr=False)


class ExportStatus(Enum):
    """Where an export job stands, in Marketo's words."""

    CREATED = "Created"
    QUEUED = "Queued"
    PROCESSING = "Processing"
    CANCELLED = "Cancelled"
    COMPLETED = "Completed"
    FAILED = "Failed"
    UNKNOWN = "Unknown"  # a word of tomorrow: poll on

    @property
    def is_final(self) -> bool:
        """Whether the job will not move any more."""
        return self in {ExportStatus.CANCELLED, ExportStatus.COMPLETED, ExportStatus.FAILED}

    @classmethod
    def of(cls, stated: object) -> "ExportStatus":
        """The status a word means; Adobe's pages write Canceled where its answers say Cancelled."""
        word = clean(stated).casefold().replace("canceled", "cancelled")
        return next((status for status in cls if status.value.casefold() == word), cls.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ExportJob:
    """One export job as Marketo states it; times are UTC, `sha256` is hex, and both come and go with the status."""

    export_id: ExportId
    status: ExportStatus
    created_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    records: int | None = None
    file_bytes: int | None = None
    sha256: str | None = None
    error: str = ""


class ImportStatus(Enum):
    """Where an import stands, in Marketo's words."""

    QUEUED = "Queued"
    IMPORTING = "Importing"
    COMPLETE = "Complete"
    FAILED = "Failed"
    UNKNOWN = "Unknown"  # a word of tomorrow: poll on

    @property
    def is_final(self) -> bool:
        """Whether the import will not move any more."""
        return self in {ImportStatus.COMPLETE, ImportStatus.FAILED}

    @classmethod
    def of(cls, stated: object) -> "ImportStatus":
        """The status a word means."""
        word = clean(stated).casefold()
        return next((status for status in cls if status.value.casefold() == word), cls.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """One import as Marketo states it: rows processed, failed and with a warning, None where it does not say."""

    batch_id: int
    status: ImportStatus
    processed: int | None = None
    failed: int | None = None
    warned: int | None = None
    message: str = ""


def batch_id(stated: object) -> int:
    """A batchId that may enter a path: a whole number above 0, or Malformed."""
    number = count(stated)
    if not number:
        raise Malformed("a batchId is not a whole number above 0")
    return number


def import_batch(row: object) -> ImportBatch:
    """One row of any bulk import answer; Malformed without a usable batchId, or when no status is stated."""
    stated = mapping(row)
    if not text(stated.get("status")):
        raise Malformed("an import has no status")
    # Leads and members count leads, custom objects count objects.
    processed = stated.get("numOfLeadsProcessed", stated.get("numOfObjectsProcessed"))
    return ImportBatch(
        batch_id=batch_id(stated.get("batchId", stated.get("importId"))),
        status=ImportStatus.of(stated.get("status")),
        processed=count(processed),
        failed=count(stated.get("numOfRowsFailed")),
        warned=count(stated.get("numOfRowsWithWarning")),
        message=clean(stated.get("message")),
    )


def export_id(stated: object) -> ExportId:
    """An export id that may enter a path: a UUID and nothing else, or Malformed."""
    if isinstance(stated, str) and UUID.fullmatch(stated):
        return ExportId(stated)
    raise Malformed("an export id is not a UUID")


def api_name_in_path(stated: object) -> str:
    """An object's API name that may enter a path: letters, digits and underscores, or Malformed."""
    if isinstance(stated, str) and API_NAME.fullmatch(stated):
        return stated
    raise Malformed("an object's API name is not made of letters, digits and underscores")


def guid_in_path(stated: object) -> str:
    """A marketoGUID that may enter a path: a UUID and nothing else, or Malformed."""
    if isinstance(stated, str) and UUID.fullmatch(stated):
        return stated
    raise Malformed("a marketoGUID is not a UUID")


def export_job(row: object) -> ExportJob:
    """One row of any bulk export answer; Malformed without a usable id."""
    stated = mapping(row)
    checksum = SHA256.fullmatch(text(stated.get("fileChecksum")))
    return ExportJob(
        export_id=export_id(stated.get("exportId")),
        status=ExportStatus.of(stated.get("status")),
        created_at=instant_or_none(stated.get("createdAt")),
        queued_at=instant_or_none(stated.get("queuedAt")),
        started_at=instant_or_none(stated.get("startedAt")),
        finished_at=instant_or_none(stated.get("finishedAt")),
        records=count(stated.get("numberOfRecords")),
        file_bytes=count(stated.get("fileSize")),
        sha256=checksum[1].lower() if checksum else None,
        error=clean(stated.get("errorMsg")),
    )


def token(body: Mapping[str, Any]) -> Token:
    """Identity's answer; Malformed when its token cannot stand in a header. The token is in no message."""
    secret = body.get("access_token")
    if not isinstance(secret, str) or not BEARER.fullmatch(secret):
        raise Malformed("identity gave no usable access token")
    return Token(secret, count(body.get("expires_in")) or 0, text(body.get("scope")))


def instant(stated: str) -> datetime:
    """A moment in any of Marketo's forms (`Z`, `+0000`, `Z+0000`, `+05:30`) as aware UTC; ValueError for others.

    A time without an offset is refused: guessing one moves rows by hours.
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/field-types
    """
    parts = INSTANT.fullmatch(stated.strip())
    if parts is None:
        raise ValueError("not a time with an offset as Marketo writes them")
    local = datetime.fromisoformat(f"{parts['day']}T{parts['clock']}")
    away = timedelta(hours=int(parts["hours"] or 0), minutes=int(parts["minutes"] or 0))
    microseconds = int((parts["fraction"] or "0").ljust(6, "0")[:6])
    try:
        zone = timezone(-away if parts["sign"] == "-" else away)
        return local.replace(microsecond=microseconds, tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time beyond the years that can be computed with") from error


def wire_time(moment: datetime) -> str:
    """A moment as Marketo's filters take it: UTC in whole seconds, cut and not rounded; ValueError without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time for Marketo needs a zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant_or_none(stated: object) -> datetime | None:
    """A moment, or None where there is none to be read."""
    try:
        return instant(text(stated))
    except ValueError:
        return None


def day_or_none(stated: object) -> date | None:
    """The calendar day that a text begins with, or None."""
    try:
        return date.fromisoformat(text(stated)[:10])
    except ValueError:
        return None


def whole(stated: object) -> int | None:
    """A whole number of at most 64 bits, sent as a number or as text; None for anything else."""
    if isinstance(stated, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,19}\s*", stated, re.ASCII):
        stated = int(stated)
    if isinstance(stated, float) and stated.is_integer():
        stated = int(stated)
    if isinstance(stated, bool) or not isinstance(stated, int) or abs(stated) > INTEGER_MAX:
        return None
    return stated


def count(stated: object) -> int | None:
    """A whole number that is not negative; None for anything else."""
    number = whole(stated)
    return number if number is not None and number >= 0 else None


def text(stated: object) -> str:
    """A text, empty when it is none."""
    return stated if isinstance(stated, str) else ""


def mapping(stated: object) -> Mapping[str, Any]:
    """A JSON object, or Malformed."""
    if not isinstance(stated, dict):
        raise Malformed("a row is not a JSON object")
    return stated


def listed(stated: object) -> list[Any]:
    """A JSON list, empty when it is none."""
    return stated if isinstance(stated, list) else []

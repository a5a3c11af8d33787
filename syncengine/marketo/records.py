"""What became of each record of a call that creates or updates up to 300 of them.

Apart from the endpoints, since leads, custom objects, lists and programs answer alike: a list as long as the input,
each entry with a status and, where the record was skipped, with reasons. A 200 with `success: true` says nothing about
any one record.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from syncengine.marketo.codes import CodeEntry, lookup
from syncengine.marketo.limits import SYNC_ROWS_MAX
from syncengine.marketo.reply import Malformed, Reply, clean, code_text
from syncengine.marketo.rows import count, listed, mapping, text


class RecordStatus(Enum):
    """What was done with a record, in Marketo's words."""

    CREATED = "created"
    UPDATED = "updated"
    ADDED = "added"  # to a list
    SKIPPED = "skipped"
    UNKNOWN = "unknown"  # a word of tomorrow

    @property
    def is_done(self) -> bool:
        """Whether the record is in Marketo as it was sent, by this call."""
        return self in {RecordStatus.CREATED, RecordStatus.UPDATED, RecordStatus.ADDED}

    @classmethod
    def of(cls, stated: object) -> "RecordStatus":
        """The status a word means."""
        word = clean(stated).casefold()
        return next((status for status in cls if status.value == word), cls.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a record was skipped; `code` and `message` are as Marketo sent them, `entry` says what follows."""

    code: str
    message: str = field(repr=False)
    entry: CodeEntry = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What became of the record at `position` of the input, counted from 0.

    `id` is a lead's, `guid` a custom object's marketoGUID; None and empty where Marketo gives none.
    """

    position: int
    status: RecordStatus
    id: int | None = None
    guid: str = ""
    reasons: tuple[Reason, ...] = ()


def record_results(reply: Reply) -> list[RecordResult]:
    """The results in order of the input. Whether there are as many as records were sent is for the caller to see.

    Malformed when two of them claim one position, or one that cannot be: then none can be told from another.
    """
    rows = [mapping(row) for row in reply.result]
    results = [record_result(place, row) for place, row in enumerate(rows)]
    if sorted(each.position for each in results) != list(range(len(results))):
        raise Malformed("results do not say which records they are about")
    return sorted(results, key=lambda each: each.position)


def record_result(place: int, row: Mapping[str, Any]) -> RecordResult:
    """One entry; its position is `seq` where there is one, and its place in the list otherwise."""
    position = count(row["seq"]) if "seq" in row else place
    if position is None:
        raise Malformed("a result has no usable position")
    return RecordResult(
        position=position,
        status=RecordStatus.of(row.get("status")),
        id=count(row.get("id", row.get("leadId"))),
        guid=text(row.get("marketoGUID")),
        reasons=tuple(reason(each) for each in listed(row.get("reasons"))),
    )


def reason(stated: object) -> Reason:
    """One entry of `reasons`; one that is no object is a reason without a code."""
    parts = stated if isinstance(stated, dict) else {"message": stated}
    code, message = code_text(parts.get("code")), clean(parts.get("message"))
    return Reason(code, message, lookup("record", code, message))


def sync_input(rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """The `input` of a call; ValueError for no or too many records, or for an empty one."""
    if not 1 <= len(rows) <= SYNC_ROWS_MAX:
        raise ValueError(f"one call takes 1 to {SYNC_ROWS_MAX} records, not {len(rows)}")
    if not all(rows):
        raise ValueError("a record has no field")
    return [dict(row) for row in rows]

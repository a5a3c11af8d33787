"""Data Ingestion: up to 1,000 records a call, taken at once and worked off later; a service with a host of its own.

It answers with a request's id and nothing else. What became of the records, it tells only a stream of events that the
subscriber sets up elsewhere; here a 202 means "taken", never "imported".
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/data-ingestion
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from syncengine.marketo.call import Api, Call, Repeat
from syncengine.marketo.limits import INGESTION_ROWS_MAX
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import api_name_in_path

HOST: Final = "mkto-ingestion-api.adobe.io"
MUNCHKIN_ID: Final = re.compile(r"[0-9]{3}-[A-Z]{3}-[0-9]{3}", re.ASCII)
DEDUPE_FIELDS_MAX: Final = 2

Priority = Literal["normal", "high"]
Rows = Sequence[Mapping[str, object]]


def persons(
    munchkin_id: str,
    rows: Rows,
    *,
    dedupe_fields: Sequence[str] = ("email",),
    partition: str = "",
    priority: Priority = "normal",
) -> Call[str]:
    """Up to 1,000 people created or updated, found by one or two fields together; gives the request's id.

    Only people that are found by their id are safe to send again when an answer was lost. ValueError for no or too many
    rows or fields, and for a Munchkin id that could lead out of the path.
    """
    if not 1 <= len(dedupe_fields) <= DEDUPE_FIELDS_MAX:
        raise ValueError(f"people are found by 1 or {DEDUPE_FIELDS_MAX} fields, not {len(dedupe_fields)}")
    body: dict[str, Any] = {
        "priority": priority,
        "dedupeFields": {f"field{number}": name for number, name in enumerate(dedupe_fields, 1)},
        "persons": taken(rows),
    }
    if partition:
        body["partitionName"] = partition
    repeat = Repeat.SAFE if tuple(dedupe_fields) == ("id",) else Repeat.UNSAFE
    return ingest("persons", munchkin_id, "persons", body, repeat)


def custom_objects(
    munchkin_id: str,
    api_name: str,
    rows: Rows,
    *,
    dedupe_by: Literal["dedupeFields", "marketoGUID"] = "dedupeFields",
    priority: Priority = "normal",
) -> Call[str]:
    """Up to 1,000 records of a custom object created or updated; gives the request's id.

    A record that links to a person who is not there yet is tried again for 65 minutes. Only records that are found by
    marketoGUID are safe to send again. ValueError as `persons`, Malformed for an API name that could lead out of the
    path.
    """
    body = {"priority": priority, "dedupeBy": dedupe_by, "customObjects": taken(rows)}
    repeat = Repeat.SAFE if dedupe_by == "marketoGUID" else Repeat.UNSAFE
    return ingest("custom_objects", munchkin_id, f"customobjects/{api_name_in_path(api_name)}", body, repeat)


def program_members(munchkin_id: str, program_id: int, status: str, rows: Rows) -> Call[str]:
    """Up to 1,000 leads made members of a program, each row with its `leadId` and fields of the member; gives the id.

    Safe to repeat. ValueError as `persons`, for a row without leadId, and for a status that is blank or would remove
    the member.
    """
    if program_id < 1:
        raise ValueError(f"a program id is a number above 0, not {program_id}")
    if not status.strip() or status.strip().casefold() == "not in program":
        raise ValueError("members are given a status that keeps them in the program")
    if not all(row.get("leadId") for row in rows):
        raise ValueError("a member has no leadId to be found by")
    body = {"programs": [{"programId": program_id, "status": status, "members": taken(rows)}]}
    return ingest("program_members", munchkin_id, "programmembers", body, Repeat.SAFE)


def ingest(name: str, munchkin_id: str, resource: str, body: Mapping[str, Any], repeat: Repeat) -> Call[str]:
    """A call of the service."""
    if not MUNCHKIN_ID.fullmatch(munchkin_id):
        raise ValueError("a Munchkin id looks like 123-ABC-456")
    return Call(
        name=f"ingestion.{name}",
        method="POST",
        path=f"/subscriptions/{munchkin_id}/{resource}",
        decode=request_id,
        json=body,
        repeat=repeat,
        permission="Read-Write Custom Object" if name == "custom_objects" else "Read-Write Lead",
        api=Api.INGESTION,
    )


def taken(rows: Rows) -> list[dict[str, object]]:
    """The records of a body; ValueError for no or too many, or for an empty one."""
    if not 1 <= len(rows) <= INGESTION_ROWS_MAX:
        raise ValueError(f"one call takes 1 to {INGESTION_ROWS_MAX} records, not {len(rows)}")
    if not all(rows):
        raise ValueError("a record has no field")
    return [dict(row) for row in rows]


def request_id(reply: Reply) -> str:
    """The id of a request that was taken."""
    if not reply.request_id:
        raise Malformed("a request was taken without an id")
    return reply.request_id

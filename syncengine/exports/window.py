"""One window's way from an intention to committed rows: its table of moves, and the step that each state asks for.

Theory of operation. A window is one export job of Marketo's and what becomes of its file. Every effect is between two
moves: the state before it says "may have happened", the one after it "has happened". So a run that finds a window
after a crash takes the step of the state it finds, and at worst repeats one effect that is harmless to repeat:

    PLANNED         nothing has been asked of Marketo
    CREATE_INTENT   a job may exist; if so it is never enqueued, costs nothing, and another one is created
    CREATED         the job's id is known; enqueueing it twice is answered "already queued"
    QUEUED          Marketo works on it; asked for by one list call a minute for all windows of its kind
    COMPLETED       size, hash and record count are known
    DOWNLOADING     a part of the file may lie in the spool; it is gone on with, never trusted
    VERIFIED        the file is whole; whether its rows are applied only the destination's ledger knows
    COMMITTED       the ledger has the window; its file may still lie in the spool
    CLEANED         nothing is left to do

A job that failed, was cancelled, expired or gave a damaged file sends its window back to PLANNED. ABANDONED is a window
that another request has replaced, or the halves into which it was cut. KEPT is one that brings only some of the
columns: its file waits in the spool for the window that brings the others and joins them.
"""

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from syncengine.exports.fields import Shape, needed_by, parts
from syncengine.exports.streams import stream_of
from syncengine.jobs.job import Job, Moves
from syncengine.schema import Field, FieldType, Schema

KIND = "export window"

PLANNED = "PLANNED"
CREATE_INTENT = "CREATE_INTENT"
CREATED = "CREATED"
QUEUED = "QUEUED"
COMPLETED = "COMPLETED"
DOWNLOADING = "DOWNLOADING"
VERIFIED = "VERIFIED"
COMMITTED = "COMMITTED"
CLEANED = "CLEANED"
ABANDONED = "ABANDONED"
KEPT = "KEPT"
FINAL = frozenset({CLEANED, ABANDONED, KEPT})


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stream that one job can take: the members of some programs, or of one static list."""

    program_ids: tuple[int, ...] = ()
    list_id: int | None = None


WHOLE = Part()

HOLDS_A_PLACE = frozenset({CREATED, QUEUED})
# A file will be made, and its size is not known yet.
EXPECTED = frozenset({CREATE_INTENT, *HOLDS_A_PLACE})
STARTED = (CREATE_INTENT, CREATED, QUEUED, COMPLETED, DOWNLOADING, VERIFIED)
BEFORE_MARKETO = frozenset({PLANNED, CREATE_INTENT, CREATED})

# What bounds the steps of a state: places at Marketo, downloads at once, and the destination's one writer.
AT_MARKETO = "at Marketo"
FETCHING = "fetching"
APPLYING = "applying"
LANES = MappingProxyType(
    {
        PLANNED: AT_MARKETO,
        CREATE_INTENT: AT_MARKETO,
        CREATED: AT_MARKETO,
        QUEUED: AT_MARKETO,
        DOWNLOADING: FETCHING,
        VERIFIED: APPLYING,
    }
)

MOVES = Moves(
    initial=PLANNED,
    table=MappingProxyType(
        {
            (PLANNED, "intend"): CREATE_INTENT,
            (CREATE_INTENT, "created"): CREATED,
            (CREATED, "enqueued"): QUEUED,
            (QUEUED, "completed"): COMPLETED,
            (COMPLETED, "download"): DOWNLOADING,
            (COMPLETED, "empty"): VERIFIED,
            (DOWNLOADING, "verified"): VERIFIED,
            (VERIFIED, "refetch"): COMPLETED,
            (VERIFIED, "committed"): COMMITTED,
            (VERIFIED, "kept"): KEPT,
            (COMMITTED, "cleaned"): CLEANED,
            **{(state, "lost"): PLANNED for state in STARTED},
            **{(state, "abandon"): ABANDONED for state in (PLANNED, *STARTED)},
        }
    ),
    final=FINAL,
)


def lease_name(stream: str) -> str:
    """The work that excludes itself: two syncs of one stream."""
    return f"sync {stream}"


def stretch_of(job: Job) -> tuple[datetime, datetime]:
    """A window's start and end, out of its facts."""
    return datetime.fromisoformat(job.facts["start"]), datetime.fromisoformat(job.facts["end"])


def request_of(shaped: Shape, filter_field: str | None, generation: str, part: Part = WHOLE) -> dict[str, Any]:
    """What makes two windows over the same time the same: filter, columns with their types, and generation.

    A generation is the moment at which everything was asked for anew; an interrupted one is gone on with.
    """
    request: dict[str, Any] = {
        "filter": filter_field,
        "fields": [[field.name, field.type.value] for field in shaped.schema.fields],
        "generation": generation,
    }
    if shaped.hashed:
        request["hashed"] = list(shaped.hashed)
    if part.program_ids:
        request["programs"] = list(part.program_ids)
    if part.list_id is not None:
        request["list"] = part.list_id
    return request


def part_of(job: Job) -> Part:
    """Which part of the stream a window takes."""
    request = job.facts["request"]
    return Part(tuple(request.get("programs", ())), request.get("list"))


def shape_of(job: Job) -> Shape:
    """The shape that a window was planned with."""
    stream, request = stream_of(job.group), job.facts["request"]
    fields = tuple(Field(name, FieldType(kind)) for name, kind in request["fields"])
    return Shape(stream, Schema(fields, stream.key), tuple(request.get("hashed", ())))


def columns_of(job: Job) -> int | None:
    """Which list of columns a window brings, where they are too many for one job; the first one joins them all."""
    number = job.facts["request"].get("columns")
    return None if number is None else int(number)


def file_fields(job: Job) -> tuple[str, ...]:
    """The fields that the window's file has, beside what Marketo adds: of a list's members only who they are."""
    if part_of(job).list_id is not None:
        return ("id",)
    shape, number = shape_of(job), columns_of(job)
    return shape.schema.names if number is None else parts(shape.schema.names, needed_by(shape.stream))[number]


def file_schema(job: Job) -> Schema:
    """The columns of the window that its own file brings."""
    schema = shape_of(job).schema
    if columns_of(job) is None:
        return schema
    names = file_fields(job)
    return Schema(tuple(field for field in schema.fields if field.name in names), schema.key)


def counts(job: Job) -> bool:
    """Whether the window's time is committed with it; of several windows that share one time, only the last counts."""
    return bool(job.facts.get("counts", True))

"""Sending a chunk: the file for bulk import, the rows for a synchronous call, and nothing more than once.

The bytes are hashed once more on their way out. A source that has changed since the intent was written down ends the
body before its last byte, and an incomplete body is none for Marketo.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import orjson

from syncengine.imports.body import Rows, cells_of, changed, header_line
from syncengine.imports.header import Column
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.imports.values import json_row
from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import imports, ingestion, leads, objects
from syncengine.marketo.endpoints.imports import ImportTarget
from syncengine.marketo.limits import BODY_BYTES_MAX
from syncengine.marketo.multipart import FormFile, form_file, overhead
from syncengine.marketo.records import RecordResult
from syncengine.marketo.rows import ImportBatch

FILENAME = "import.csv"
ID = "id"
# What stands around the rows of a JSON call: the action, lookup field, partition, brackets.
ENVELOPE_BYTES = 2_000
JSON_GROWTH = len("\\u0000")


@dataclass(frozen=True, slots=True)
class Payload:
    """What a chunk is made of: its rows, the columns they have, and the hash of both as one file."""

    rows: Rows
    columns: Sequence[Column]
    row_bytes: int  # of the records alone

    @property
    def header(self) -> bytes:
        """The file's first line."""
        return header_line([column.name for column in self.columns])

    def sha256(self) -> str:
        """The hash of the file; reads it."""
        digest = hashlib.sha256(self.header)
        for piece in self.rows.pieces():
            digest.update(piece)
        return digest.hexdigest()

    def form(self, sha256: str, check: Callable[[], None] = lambda: None) -> FormFile:
        """The body of a bulk import, whose file must still have this hash when it is read.

        `check` is called before the first byte and before the last; what it raises ends the body there.
        """
        size = len(self.header) + self.row_bytes
        return form_file(size, sha256, partial(self._file, sha256, check), filename=FILENAME)

    def _file(self, sha256: str, check: Callable[[], None]) -> Iterator[bytes]:
        check()
        digest = hashlib.sha256(self.header)
        yield self.header
        for piece in self.rows.pieces():
            digest.update(piece)
            yield piece
        if digest.hexdigest() != sha256:
            raise changed(self.rows.bodies[-1])
        check()

    def verify(self, sha256: str) -> None:
        """Raise SourceUnusable when the bytes are no longer those that were planned; reads them."""
        if self.sha256() != sha256:
            raise changed(self.rows.bodies[-1])

    def objects(self, sha256: str) -> list[dict[str, object]]:
        """The rows as objects of a JSON call; raises SourceUnusable when they are not those that were planned."""
        records = [record for _, _, record in self.rows.records()]
        digest = hashlib.sha256(self.header)
        for record in records:
            digest.update(record)
        if digest.hexdigest() != sha256:
            raise changed(self.rows.bodies[-1])
        # Only now: what stands in their places in another file may be no rows at all.
        return [json_row(self.columns, cells_of(record)) for record in records]


def bulk(target: Target, form: FormFile) -> Call[ImportBatch]:
    """The call that sends a chunk as a file."""
    return imports.create(import_target(target), form)


def synchronous(target: Target, rows: Sequence[dict[str, object]]) -> Call[list[RecordResult]]:
    """The call that sends a chunk as JSON and is answered row by row."""
    if target.kind is Kind.CUSTOM_OBJECTS:
        return objects.sync_custom_objects(target.api_name, rows)
    if target.keys == (ID,):
        return leads.sync(rows, lookup_field=ID, action="updateOnly")
    return leads.sync(rows, lookup_field=target.keys[0], partition=target.partition)


def handed_over(target: Target, munchkin_id: str, rows: Sequence[dict[str, object]]) -> Call[str]:
    """The call that hands a chunk to the Data Ingestion API."""
    if target.kind is Kind.CUSTOM_OBJECTS:
        return ingestion.custom_objects(munchkin_id, target.api_name, rows)
    return ingestion.persons(munchkin_id, rows, dedupe_fields=target.keys, partition=target.partition)


def import_target(target: Target) -> ImportTarget:
    """The target as the endpoints of bulk import know it."""
    match target.kind:
        case Kind.LEADS:
            return imports.LeadImport(lookup_field=target.keys[0], list_id=target.list_id, partition=target.partition)
        case Kind.CUSTOM_OBJECTS:
            return imports.CustomObjectImport(target.api_name)
        case Kind.PROGRAM_MEMBERS:
            return imports.ProgramMemberImport(target.program_id, target.status)


def room_bytes(route: Route, columns: Sequence[Column], file_bytes_max: int) -> int:
    """How many bytes of rows one call takes on this way."""
    if route is not Route.BULK:
        return BODY_BYTES_MAX - ENVELOPE_BYTES
    return file_bytes_max - overhead(FILENAME) - len(header_line([column.name for column in columns]))


def row_bytes_max(route: Route, columns: Sequence[Column], file_bytes_max: int) -> int:
    """The largest row, as CSV, that is certain to fit into one call: JSON can write a byte as six."""
    room = room_bytes(route, columns, file_bytes_max)
    if route is Route.BULK:
        return room
    names = sum(len(column.name.encode()) + len('"":"",') for column in columns)
    return (room - names) // JSON_GROWTH


def json_bytes(columns: Sequence[Column], record: bytes) -> int:
    """What a row adds to a JSON call."""
    return len(orjson.dumps(json_row(columns, cells_of(record)))) + 1

"""Assets as rows: a table for each kind, and with them tokens, segments, who uses what, and the history.

A kind's table has every version as it is now; one that is gone keeps its row, with `_deleted_at`. The history is in
`history`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import pyarrow as pa

from syncengine.assets.documents import Document
from syncengine.assets.entry import Entry
from syncengine.assets.kind import Kind
from syncengine.assets.kinds import FOLDER, PROGRAM
from syncengine.assets.usage import uses
from syncengine.marketo.rows import instant_or_none, listed, text, whole
from syncengine.schema import Field, FieldType, Schema

USAGE: Final = "asset_usage"
TOKENS: Final = "asset_token"
SEGMENTS: Final = "asset_segment"
STATE: Final = "asset_state"
STATE_OF_KIND: Final = "state"
BATCH_ROWS = 200

TEXT, JSON, STAMP = FieldType.TEXT, FieldType.JSON, FieldType.TIMESTAMP
Row = dict[str, Any]


def schema_of(kind: Kind) -> Schema:
    """The columns of a kind's table: what all kinds have, its own, and everything else as JSON."""
    identity = Field("id", TEXT if kind.has_text_ids else FieldType.INTEGER)
    fields = (
        identity,
        *(Field(name, TEXT) for name in ("version", "name", "parentType")),
        Field("parentId", FieldType.INTEGER),
        *(Field(name, TEXT) for name in ("path", "workspace", "status")),
        Field("createdAt", STAMP),
        Field("updatedAt", STAMP),
        Field("sha256", TEXT),
    )
    own = tuple(each for each in kind.columns if each.name not in {field.name for field in fields})
    last = (Field("asset", JSON), Field("content", JSON), Field("html", TEXT), Field("unavailable", JSON))
    return Schema((*fields, *own, *last), ("id", "version"))


USAGE_COLUMNS: Final = ("kind", "id", "version", "usedKind", "usedId", "usedName", "how")
USAGE_SCHEMA: Final = Schema(tuple(Field(name, TEXT) for name in USAGE_COLUMNS), USAGE_COLUMNS)
STATE_SCHEMA: Final = Schema((Field("kind", TEXT), Field(STATE_OF_KIND, TEXT)), ("kind",))
TOKEN_SCHEMA: Final = Schema(
    (
        Field("folderType", TEXT),
        Field("folderId", FieldType.INTEGER),
        *(Field(name, TEXT) for name in ("name", "type", "value")),
    ),
    ("folderType", "folderId", "name"),
)
SEGMENT_SCHEMA: Final = Schema(
    (
        Field("segmentationId", FieldType.INTEGER),
        Field("id", FieldType.INTEGER),
        *(Field(name, TEXT) for name in ("version", "name", "description")),
        Field("updatedAt", STAMP),
    ),
    ("segmentationId", "id", "version"),
)


def asset_row(kind: Kind, document: Document, entry: Entry) -> Row:
    """A version as a row of its kind's table."""
    row = document.listed.row
    own = {field.name: cell(row.get(field.name), field.type) for field in kind.columns}
    metadata = row.get("metadata")
    dates = {"createdAt": metadata.get("createdAt")} if isinstance(metadata, dict) else {}
    return own | {
        "id": document.key.asset.id,
        "version": document.key.version,
        "name": document.listed.name,
        "parentType": document.listed.home.type if document.listed.home else None,
        "parentId": document.listed.home.id if document.listed.home else None,
        "path": str(entry.path),
        "workspace": cell(row.get("workspace"), TEXT),
        "status": cell(row.get("status"), TEXT),
        "createdAt": instant_or_none(row.get("createdAt", dates.get("createdAt"))),
        "updatedAt": instant_or_none(document.listed.updated),
        "sha256": entry.sha256,
        "asset": orjson.dumps(row, option=orjson.OPT_SORT_KEYS).decode(),
        "content": orjson.dumps(document.parts, option=orjson.OPT_SORT_KEYS).decode(),
        "html": document.html,
        "unavailable": orjson.dumps(document.unavailable, option=orjson.OPT_SORT_KEYS).decode(),
    }


def cell(stated: Any, kind: FieldType) -> Any:
    """A value of a row as a column holds it; Marketo wraps some in an object with `value`."""
    if isinstance(stated, dict):
        stated = stated.get("value")
    match kind:
        case FieldType.INTEGER:
            return whole(stated)
        case FieldType.BOOLEAN:
            return stated if isinstance(stated, bool) else None
        case _:
            return None if stated is None else stated if isinstance(stated, str) else orjson.dumps(stated).decode()


def usage_rows(document: Document) -> Iterator[Row]:
    """What a version uses, as rows."""
    asset = document.key.asset
    for use in uses(document):
        values = (asset.kind, str(asset.id), document.key.version, use.kind, use.id, use.name, use.how)
        yield dict(zip(USAGE_COLUMNS, values, strict=True))


def token_rows(document: Document) -> Iterator[Row]:
    """The tokens of a folder or program, each name once."""
    asset = document.key.asset
    if asset.kind not in {FOLDER, PROGRAM}:
        return
    home = {"folderType": "Program" if asset.kind == PROGRAM else "Folder", "folderId": asset.id}
    named = {text(token.get("name")): token for token in listed(document.parts.get("tokens"))}
    for name, token in named.items():
        yield home | {"name": name, "type": cell(token.get("type"), TEXT), "value": cell(token.get("value"), TEXT)}


def segment_rows(document: Document) -> Iterator[Row]:
    """The segments of a segmentation."""
    for segment in listed(document.parts.get("segments")):
        if (number := whole(segment.get("id"))) is not None:
            yield {
                "segmentationId": document.key.asset.id,
                "id": number,
                "version": document.key.version,
                "name": cell(segment.get("name"), TEXT),
                "description": cell(segment.get("description"), TEXT),
                "updatedAt": instant_or_none(segment.get("updatedAt")),
            }


def batches(schema: Schema, rows: Iterable[Mapping[str, Any]]) -> Iterator[pa.RecordBatch]:
    """Rows as record batches of a schema, a few hundred at a time."""
    arrow, held = schema.arrow(), list[Mapping[str, Any]]()

    def batch(some: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
        arrays = [pa.array([row.get(field.name) for row in some], field.type) for field in arrow]
        return pa.RecordBatch.from_arrays(arrays, schema=arrow)

    for row in rows:
        held.append(row)
        if len(held) >= BATCH_ROWS:
            yield batch(held)
            held = []
    if held:
        yield batch(held)

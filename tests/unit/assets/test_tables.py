"""Assets as rows."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest

from syncengine.assets import tables
from syncengine.assets.documents import Place
from syncengine.assets.history import SCHEMA
from syncengine.assets.kinds import KINDS
from syncengine.schema import Field, FieldType
from tests.unit.assets.made import document, entry

SAVED_AT = datetime(2026, 2, 1, 8, tzinfo=UTC)


def row_of(kind: str, identity: int | str = 1, **more: Any) -> dict[str, Any]:
    """A version as a row."""
    each = document(kind, identity, **more)
    return tables.asset_row(KINDS[kind], each, entry(each))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_row_fits_its_table(kind: Any) -> None:
    """It has all its columns and no others, and Arrow takes it; a version is identified by its id."""
    schema = tables.schema_of(kind)
    row = row_of(kind.name, "a" if kind.has_text_ids else 1)
    assert set(schema.names) == set(row)
    assert ("id", "version") == schema.key
    (batch,) = tables.batches(schema, [row])
    assert schema.arrow() == batch.schema
    assert [row["id"]] == batch.column("id").to_pylist()


def test_a_row_says_what_an_asset_is() -> None:
    """What all kinds have, what its kind has, and everything as JSON."""
    row = row_of(
        "email",
        1056,
        version="draft",
        html="<p>",
        parts={"b": 1, "a": [2]},
        unavailable={"variables": "709"},
        subject={"type": "Text", "value": "Hi"},
        fromName="Ann",
        operational=True,
        template="7",
        status="draft",
        workspace="Default",
        createdAt="2026-01-01T00:00:00Z+0000",
    )
    expected = {
        "id": 1056,
        "version": "draft",
        "name": "Welcome",
        "parentType": "Folder",
        "parentId": 5,
        "path": "Here/Welcome.email",
        "workspace": "Default",
        "status": "draft",
        "createdAt": datetime(2026, 1, 1, tzinfo=UTC),
        "updatedAt": SAVED_AT,
        "subject": "Hi",
        "fromName": "Ann",
        "operational": True,
        "template": 7,
        "content": '{"a":[2],"b":1}',
        "html": "<p>",
        "unavailable": '{"variables":"709"}',
    }
    assert expected == {name: row[name] for name in expected}
    assert "Ann" == orjson.loads(row["asset"])["fromName"]


def test_what_a_row_lacks_is_null() -> None:
    """Nothing is made up; what is not of its column's type is nothing."""
    row = row_of("email", home=None, updatedAt="soon", operational="yes", template="x")
    names = (
        "parentType",
        "parentId",
        "workspace",
        "createdAt",
        "updatedAt",
        "html",
        "operational",
        "template",
        "subject",
    )
    assert [None] * len(names) == [row[name] for name in names]
    assert ("{}", "{}") == (row["content"], row["unavailable"])


def test_a_design_dates_itself_among_its_metadata() -> None:
    """And lies where its data say."""
    metadata = {"createdAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-02-01T08:00:00Z"}
    row = row_of("email_v2", "9f-1", home=None, updatedAt=None, metadata=metadata, appData={"programId": 7})
    assert (datetime(2026, 1, 1, tzinfo=UTC), SAVED_AT) == (row["createdAt"], row["updatedAt"])
    assert ("9f-1", "Program", 7) == (row["id"], row["parentType"], row["parentId"])


@pytest.mark.parametrize(
    ("stated", "kind", "value"),
    [
        ("Hi", FieldType.TEXT, "Hi"),
        ("", FieldType.TEXT, ""),
        (None, FieldType.TEXT, None),
        ({"type": "Text", "value": "Hi"}, FieldType.TEXT, "Hi"),
        ({"type": "Text"}, FieldType.TEXT, None),
        (["a", "b"], FieldType.TEXT, '["a","b"]'),
        (5, FieldType.TEXT, "5"),
        (True, FieldType.TEXT, "true"),
        ({"value": {"a": 1}}, FieldType.TEXT, '{"a":1}'),
        (5, FieldType.INTEGER, 5),
        ("5", FieldType.INTEGER, 5),
        ({"value": "5"}, FieldType.INTEGER, 5),
        ("five", FieldType.INTEGER, None),
        (True, FieldType.INTEGER, None),
        (True, FieldType.BOOLEAN, True),
        ({"value": False}, FieldType.BOOLEAN, False),
        ("true", FieldType.BOOLEAN, None),
        (1, FieldType.BOOLEAN, None),
    ],
)
def test_a_cell_holds_what_its_column_can(stated: object, kind: FieldType, value: object) -> None:
    """Marketo wraps some values, and writes some numbers as text."""
    found = tables.cell(stated, kind)
    assert value == found
    assert type(value) is type(found)


def test_a_column_of_a_kind_does_not_stand_twice() -> None:
    """Its own columns come after those of all, and JSON last."""
    names = tables.schema_of(KINDS["landing_page_domain"]).names
    assert len(set(names)) == len(names)
    assert ("id", "version", "name") == names[:3]
    assert ("type", "asset", "content", "html", "unavailable") == names[-5:]
    assert Field("id", FieldType.TEXT) == tables.schema_of(KINDS["tag_type"]).fields[0]
    assert Field("id", FieldType.INTEGER) == tables.schema_of(KINDS["email"]).fields[0]


def test_every_use_is_a_row() -> None:
    """With all that makes it one."""
    page = document("landing_page", 3, version="draft", template=7, parts={"content": [{"type": "Form", "content": 5}]})
    shared = {"kind": "landing_page", "id": "3", "version": "draft", "usedName": ""}
    assert [
        shared | {"usedKind": "landing_page_template", "usedId": "7", "how": "template"},
        shared | {"usedKind": "form", "usedId": "5", "how": "content"},
    ] == list(tables.usage_rows(page))


def test_tokens_are_rows_of_folders_and_programs() -> None:
    """Which have ids of their own; of two of one name the last counts."""
    tokens = [
        {"name": "a", "type": "text", "value": "1"},
        {"name": "b", "type": "number", "value": 2},
        {"name": "a", "type": "text", "value": "3"},
    ]
    for kind, word in (("folder", "Folder"), ("program", "Program")):
        home = {"folderType": word, "folderId": 9}
        assert [
            home | {"name": "a", "type": "text", "value": "3"},
            home | {"name": "b", "type": "number", "value": "2"},
        ] == list(tables.token_rows(document(kind, 9, home=Place("Folder", 1), parts={"tokens": tokens})))
    assert [] == list(tables.token_rows(document("email", parts={"tokens": tokens})))
    assert [] == list(tables.token_rows(document("folder", parts={"tokens": None})))


def test_segments_are_rows() -> None:
    """One without an id is none."""
    segments = [
        {"id": 5, "name": "EMEA", "description": None, "updatedAt": "2026-02-01T08:00:00Z+0000"},
        {"name": "lost"},
        {"id": "6", "name": "Default"},
    ]
    shared = {"segmentationId": 1001, "version": "approved", "description": None}
    assert [
        shared | {"id": 5, "name": "EMEA", "updatedAt": SAVED_AT},
        shared | {"id": 6, "name": "Default", "updatedAt": None},
    ] == list(tables.segment_rows(document("segmentation", 1001, parts={"segments": segments})))
    assert [] == list(tables.segment_rows(document("segmentation", 1001)))


@pytest.mark.parametrize("count", [0, 1, tables.BATCH_ROWS, tables.BATCH_ROWS + 1, 3 * tables.BATCH_ROWS])
def test_rows_come_in_batches(count: int) -> None:
    """All of them, in order, never too many at once; of none there is no batch."""
    rows = ({"segmentationId": 1, "id": number, "version": ""} for number in range(count))
    found = list(tables.batches(tables.SEGMENT_SCHEMA, rows))
    assert all(0 < batch.num_rows <= tables.BATCH_ROWS for batch in found)
    assert list(range(count)) == [number for batch in found for number in batch.column("id").to_pylist()]
    assert -(-count // tables.BATCH_ROWS) == len(found)


def test_the_shared_tables_have_the_columns_of_their_rows() -> None:
    """A row that lacks one leaves it empty."""
    for schema in (tables.USAGE_SCHEMA, tables.TOKEN_SCHEMA, tables.SEGMENT_SCHEMA, tables.STATE_SCHEMA, SCHEMA):
        (batch,) = tables.batches(schema, [{}])
        assert isinstance(batch, pa.RecordBatch)
        assert schema.arrow() == batch.schema
        assert [None] * len(schema.names) == list(batch.to_pylist()[0].values())

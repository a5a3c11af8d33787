"""What rows tell about leads: who was deleted and who lost a merge, noted while the rows pass by."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest

from syncengine.destinations import MARKS
from syncengine.exports.fields import Choice, shape
from syncengine.exports.marks import Marking
from syncengine.exports.streams import STREAMS
from syncengine.marketo.merges import MERGE_LEADS
from syncengine.schema import Field, FieldType, Schema

DAY = datetime(2026, 3, 2, tzinfo=UTC)
LATER = datetime(2026, 3, 3, tzinfo=UTC)
LEAD, DATE = Field("leadId", FieldType.INTEGER), Field("activityDate", FieldType.TIMESTAMP)
KIND, ATTRIBUTES = Field("activityTypeId", FieldType.INTEGER), Field("attributes", FieldType.JSON)
DELETIONS = Schema((LEAD, DATE), ("leadId",)).arrow()
ACTIVITIES = Schema((LEAD, KIND, ATTRIBUTES), ("leadId",)).arrow()


def rows(schema: pa.Schema, *found: tuple[Any, ...]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([dict(zip(schema.names, each, strict=True)) for each in found], schema)


def marks(marking: Marking, *batches: pa.RecordBatch) -> list[tuple[Any, ...]]:
    """The marks, after the batches have passed as they are."""
    assert list(batches) == list(marking.watch(batches))
    found = list(marking.batches())
    assert all(MARKS.arrow() == each.schema for each in found)
    return [tuple(row.values()) for each in found for row in each.to_pylist()]


def merge(*losers: int) -> str:
    return orjson.dumps({"Merge IDs": ",".join(map(str, losers)), "Merged in Sales": False}).decode()


def test_a_deletion_marks_its_lead_with_its_date() -> None:
    """Over all batches, each lead once."""
    first, second = rows(DELETIONS, (1, DAY), (2, DAY)), rows(DELETIONS, (3, LATER))
    assert [(1, DAY, None), (2, DAY, None), (3, LATER, None)] == marks(Marking("deletions"), first, second)


def test_a_merge_marks_the_losers_with_who_remained() -> None:
    """Only activities of that type tell; the winner is never marked."""
    batch = rows(
        ACTIVITIES,
        (1, MERGE_LEADS, merge(2, 3)),
        (4, 13, merge(5)),
        (6, MERGE_LEADS, merge(6, 7)),
        (8, MERGE_LEADS, None),
        (9, MERGE_LEADS, "no JSON"),
    )
    assert [(2, None, 1), (3, None, 1), (7, None, 6)] == marks(Marking("merges"), batch)


def test_merges_are_found_in_any_batch() -> None:
    """Most batches have none; one that has does not depend on its place."""
    plain, merging = rows(ACTIVITIES, (1, 2, "{}")), rows(ACTIVITIES, (1, MERGE_LEADS, merge(2)))
    assert [(2, None, 1)] == marks(Marking("merges"), plain, merging, plain)


@pytest.mark.parametrize("missing", ACTIVITIES.names)
def test_activities_without_the_columns_tell_nothing(missing: str) -> None:
    """A configuration may leave a column out: then no merge is seen, and no row is stopped for it."""
    batch = rows(ACTIVITIES, (1, MERGE_LEADS, merge(2))).drop_columns([missing])
    assert [] == marks(Marking("merges"), batch)


@pytest.mark.parametrize("kind", ["deletions", "merges"])
def test_no_rows_make_no_marks(kind: Any) -> None:
    """Nothing is not a batch of nothing."""
    assert [] == marks(Marking(kind))


def test_a_deletion_cannot_lose_its_date() -> None:
    """Without it the mark would say nothing, and a deleted lead would live on: no choice of fields leaves it out."""
    assert "activityDate" in shape(STREAMS["deleted_leads"], (), Choice(("leadId",))).schema.names

"""Windows of rows for the suites that every destination passes, and what tables hold afterwards."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from syncengine.destinations import MARKS, Marks, Window
from syncengine.schema import Field, FieldType, Schema
from tests.conformance.places import Place

DAY = datetime(2024, 3, 1, tzinfo=UTC)

ID = Field("id", FieldType.INTEGER)
UPDATED = Field("updatedAt", FieldType.TIMESTAMP)
NAME = Field("name", FieldType.TEXT)
PEOPLE = Schema((ID, UPDATED, NAME), ("id",))


def batch(schema: Schema, *rows: tuple[Any, ...]) -> pa.RecordBatch:
    """Rows as values in the schema's order."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema.fields)
    arrow = schema.arrow()
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, arrow, strict=True)], schema=arrow
    )


def window(
    window_id: str = "w1",
    *rows: tuple[Any, ...],
    schema: Schema = PEOPLE,
    day: int = 0,
    read: int = 0,
    epoch: int = 1,
    instance: str = "acme",
    stream: str = "people",
    newer_by: str | None = "updatedAt",
    batches: Iterable[pa.RecordBatch] | None = None,
    **more: Any,
) -> Window:
    """A window of the day `day`, whose file was written `read` hours into a later one; `more` as Window has it."""
    return Window(
        instance=instance,
        stream=stream,
        id=window_id,
        epoch=epoch,
        start=DAY + timedelta(days=day),
        end=DAY + timedelta(days=day + 1),
        sha256="0" * 64,
        read_at=read_at(read),
        schema=schema,
        newer_by=newer_by,
        batches=[batch(schema, *rows)] if batches is None else batches,
        **more,
    )


def marking(
    window_id: str,
    *marks: tuple[int, datetime | None, int | None],
    read: int = 0,
    hard_delete: bool = False,
    marks_stream: str = "people",
) -> Window:
    """A window of activities without rows that marks people: id, deleted at, merged into."""
    found = Marks(marks_stream, [batch(MARKS, *marks)], hard_delete)
    return window(window_id, stream="activities", read=read, marks=found)


def at(hour: int) -> datetime:
    """An instant to be updated or deleted at."""
    return DAY + timedelta(hours=hour)


def read_at(hour: int) -> datetime:
    """The instant at which the file of a window with `read=hour` was written."""
    return DAY + timedelta(days=90, hours=hour)


def people(place: Place) -> list[tuple[Any, ...]]:
    """Id, hour of the update and name of each person in the table."""
    return columns_of(place, "id", "updatedAt", "name")


def columns_of(place: Place, *columns: str, stream: str = "people") -> list[tuple[Any, ...]]:
    """These columns of each row of a table."""
    return [tuple(row[column] for column in columns) for row in place.rows(stream)]


def ids(values: "pa.Array[Any]") -> Sequence[Any]:
    """An answer of `keys` as Python values."""
    found: list[Any] = values.to_pylist()
    return found

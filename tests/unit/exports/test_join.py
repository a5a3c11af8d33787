"""Files that each have some of a window's columns become rows that have them all."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.errors import FileDamaged
from syncengine.exports.fields import landed
from syncengine.exports.join import joined
from syncengine.schema import Field, FieldType, Schema

NOON = datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)
WHOLE = landed(
    Schema(
        (
            Field("id", FieldType.INTEGER),
            Field("Email", FieldType.TEXT),
            Field("email", FieldType.TEXT),
            Field("isVip", FieldType.BOOLEAN),
            Field("rate", FieldType.FLOAT),
            Field("day", FieldType.DATE),
            Field("updatedAt", FieldType.TIMESTAMP),
        ),
        ("id",),
    )
)


def file(names: str, *rows: dict[str, Any], schema: Schema = WHOLE) -> tuple[pa.Schema, list[pa.RecordBatch]]:
    """A file with these columns, a batch a row."""
    fields = tuple(each for each in schema.fields[:-1] if each.name in names.split())
    arrow = landed(Schema(fields, schema.key)).arrow()
    return arrow, [pa.RecordBatch.from_pylist([row], arrow) for row in rows]


def rows_of(folder: Path, *files: tuple[pa.Schema, Any], schema: Schema = WHOLE) -> list[dict[str, Any]]:
    found = list(joined(files, schema, folder))
    assert all(schema.arrow() == each.schema for each in found)
    return sorted((row for each in found for row in each.to_pylist()), key=lambda row: next(iter(row.values())))


def test_a_row_has_the_columns_of_all_files(tmp_path: Path) -> None:
    """Each value in its column with its type, also where names differ by their case alone."""
    day = NOON.date()
    first = file("id updatedAt Email isVip", {"id": 1, "updatedAt": NOON, "Email": "A", "isVip": False})
    second = file("id updatedAt email", {"id": 1, "updatedAt": NOON, "email": "a"})
    third = file("id updatedAt rate day", {"id": 1, "updatedAt": NOON, "rate": 0.5, "day": day})
    whole = {"id": 1, "Email": "A", "email": "a", "isVip": False, "rate": 0.5, "day": day, "updatedAt": NOON}
    assert [whole | {"_unparsed": None}] == rows_of(tmp_path, first, second, third)


def test_only_rows_that_every_file_has_are_whole(tmp_path: Path) -> None:
    """A row that moved between the files comes with a later window; half of it never lands."""
    first = file("id Email isVip", *({"id": each, "Email": "A"} for each in (1, 2, 3)))
    second = file("id email rate day updatedAt", *({"id": each, "email": "a"} for each in (2, 3, 4)))
    assert [2, 3] == [row["id"] for row in rows_of(tmp_path, first, second)]


def test_what_did_not_fit_is_kept_from_all_files(tmp_path: Path) -> None:
    """The objects of `_unparsed` become one, and none where no file has any."""
    first = file("id Email isVip", {"id": 1, "_unparsed": '{"isVip":"maybe"}'}, {"id": 2})
    second = file(
        "id email rate day updatedAt",
        {"id": 1, "_unparsed": '{"rate":"x","day":"soon"}'},
        {"id": 2, "_unparsed": None},
    )
    found = [row["_unparsed"] for row in rows_of(tmp_path, first, second)]
    assert ({"isVip": "maybe", "rate": "x", "day": "soon"}, None) == (orjson.loads(found[0]), found[1])


def test_a_key_of_two_columns_joins_by_both(tmp_path: Path) -> None:
    """A member of two programs is two rows."""
    names = ("programId", "leadId", "a", "b")
    schema = landed(Schema(tuple(Field(name, FieldType.INTEGER) for name in names), ("programId", "leadId")))
    keys = [(1, 1), (1, 2), (2, 1)]
    first = file("programId leadId a", *({"programId": p, "leadId": q, "a": p} for p, q in keys), schema=schema)
    second = file("programId leadId b", *({"programId": p, "leadId": q, "b": q} for p, q in keys), schema=schema)
    found = rows_of(tmp_path, first, second, schema=schema)
    assert sorted(keys) == sorted((row["a"], row["b"]) for row in found)
    assert sorted(keys) == sorted((row["programId"], row["leadId"]) for row in found)


def test_no_rows_join_to_no_rows(tmp_path: Path) -> None:
    """A file without rows leaves none whole."""
    assert [] == rows_of(tmp_path, file("id Email isVip"), file("id email rate day updatedAt", {"id": 1}))


def test_the_folder_is_left_as_it_was(tmp_path: Path) -> None:
    """Whether all rows were taken, or the first batch alone, or a file broke on the way."""
    (tmp_path / "w.csv").write_text("mine")

    def breaks() -> Iterator[pa.RecordBatch]:
        yield from file("id Email isVip", {"id": 1})[1]
        raise FileDamaged("cut short")

    other = file("id email rate day updatedAt", {"id": 1})
    rows_of(tmp_path, file("id Email isVip", {"id": 1}), other)
    given_up = joined([file("id Email isVip", {"id": 1}), other], WHOLE, tmp_path)
    next(given_up)
    del given_up
    with pytest.raises(FileDamaged):
        rows_of(tmp_path, (other[0], other[1]), (file("id Email isVip")[0], breaks()))
    assert ["w.csv"] == [path.name for path in tmp_path.iterdir()]


def test_more_than_fits_into_memory_is_spilled_and_removed(tmp_path: Path) -> None:
    """Files whose texts are larger than the join's memory are joined whole, and nothing of the spill stays."""
    rows, width = 32_000, 9_000
    arrow = file("id Email isVip")[0]

    def large() -> Iterator[pa.RecordBatch]:
        for start in range(0, rows, 1_000):
            ids = range(start, start + 1_000)
            yield pa.RecordBatch.from_pylist(
                [{"id": each, "Email": f"{each:09}" * (width // 9)} for each in ids], arrow
            )

    small = file("id email rate day updatedAt", {"id": 7}, {"id": 31_999})
    batches = joined([(arrow, large()), small], WHOLE, tmp_path / "join")
    found = next(batches).to_pylist()
    assert ["join"] == [path.name for path in tmp_path.iterdir()]
    found += [row for each in batches for row in each.to_pylist()]
    assert [(7, "000000007"), (31_999, "000031999")] == sorted((row["id"], row["Email"][:9]) for row in found)
    assert [] == list(tmp_path.iterdir())


@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_join_is_the_rows_in_common(tmp_path: Path, first: set[int], second: set[int], third: set[int]) -> None:
    """Of any three files."""
    files = [
        file(names, *({"id": each} for each in ids))
        for names, ids in (("id Email isVip", first), ("id email rate", second), ("id day updatedAt", third))
    ]
    assert sorted(first & second & third) == [row["id"] for row in rows_of(tmp_path, *files)]

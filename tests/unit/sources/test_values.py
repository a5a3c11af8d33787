"""Values of Arrow types as text of cells."""

import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.errors import SourceUnusable
from syncengine.sources.values import text_of

MOMENT = datetime(2024, 3, 1, 10, 0, 0, 120000, UTC)


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        (["a", ""], pa.string(), ["a", ""]),
        (["a"], pa.large_string(), ["a"]),
        (["a"], pa.string_view(), ["a"]),
        (["a", "b", "a"], pa.dictionary(pa.int8(), pa.string()), ["a", "b", "a"]),
        ([True, False], pa.bool_(), ["true", "false"]),
        ([-(2**63), 2**63 - 1], pa.int64(), ["-9223372036854775808", "9223372036854775807"]),
        ([2**64 - 1], pa.uint64(), ["18446744073709551615"]),
        ([1.0, -0.0, 1.5, 0.1], pa.float64(), ["1", "0", "1.5", "0.1"]),
        ([1e15, 1e22, 1e-7], pa.float64(), ["1000000000000000", "10000000000000000000000", "0.0000001"]),
        ([0.1, 3e10], pa.float32(), ["0.1", "30000000000"]),
        ([0.5], pa.float16(), ["0.5"]),
        ([float("nan"), float("inf")], pa.float64(), [None, "inf"]),
        ([Decimal("12.50"), Decimal("0.00")], pa.decimal128(10, 2), ["12.50", "0.00"]),
        ([Decimal("0.0000001")], pa.decimal128(20, 7), ["0.0000001"]),
        ([Decimal(10) ** 37], pa.decimal128(38, 0), ["1" + "0" * 37]),
        ([date(2024, 3, 1), date(1, 1, 1)], pa.date32(), ["2024-03-01", "0001-01-01"]),
        ([date(2024, 3, 1)], pa.date64(), ["2024-03-01"]),
        ([MOMENT], pa.timestamp("us", "UTC"), ["2024-03-01T10:00:00.12Z"]),
        ([MOMENT.replace(microsecond=0)], pa.timestamp("us", "UTC"), ["2024-03-01T10:00:00Z"]),
        ([MOMENT], pa.timestamp("ns", "America/New_York"), ["2024-03-01T10:00:00.12Z"]),
        ([MOMENT.replace(microsecond=0, tzinfo=None)], pa.timestamp("ms"), ["2024-03-01T10:00:00"]),
        ([MOMENT.replace(tzinfo=None)], pa.timestamp("us"), ["2024-03-01T10:00:00.12"]),
        ([time(1, 2, 3), time(1, 2, 3, 500_000)], pa.time64("us"), ["01:02:03", "01:02:03.5"]),
        ([None], pa.null(), [None]),
        ([uuid.UUID(int=1).bytes], pa.uuid(), ["00000000-0000-0000-0000-000000000001"]),
        (['{"a": 1}'], pa.json_(), ['{"a": 1}']),
    ],
    ids=str,
)  # fmt: skip
def test_values_become_text(values: list[Any], kind: Any, texts: list[str | None]) -> None:
    """Each type has one way to be written; no value is null."""
    if isinstance(kind, pa.DictionaryType):
        column: Any = pa.array(values).dictionary_encode()
    elif isinstance(kind, pa.BaseExtensionType):
        column = pa.ExtensionArray.from_storage(kind, pa.array(values, kind.storage_type))
    else:
        column = pa.array([*values], kind)

    assert texts == text_of(column, "x", "a.parquet").to_pylist()
    assert pa.string() == text_of(column, "x", "a.parquet").type
    assert [None] == text_of(pa.nulls(1, column.type), "x", "a.parquet").to_pylist()


@settings(deadline=None)  # machines may be busy
@given(st.lists(st.floats(allow_nan=False)))
def test_a_number_is_read_back_as_itself(values: list[float]) -> None:
    """Whatever its size, its text is that number, in digits alone."""
    texts = text_of(pa.array(values, pa.float64()), "x", "a").to_pylist()

    assert values == [float(text or "") for text in texts]
    assert not any("e" in (text or "") for text in texts)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (pa.binary(), "binary"),
        (pa.list_(pa.int8()), "list<item: int8>"),
        (pa.struct([("a", pa.int8())]), "struct<a: int8>"),
        (pa.map_(pa.string(), pa.int8()), "map<string, int8>"),
        (pa.duration("s"), "duration[s]"),
        (pa.month_day_nano_interval(), "month_day_nano_interval"),
        (pa.dictionary(pa.int8(), pa.binary()), "dictionary<values=binary, indices=int8, ordered=0>"),
    ],
)
def test_what_is_no_cell_is_refused(kind: Any, told: str) -> None:
    """The column is named, and its type."""
    with pytest.raises(SourceUnusable) as failure:
        text_of(pa.nulls(1, kind), "tags", "a.parquet")

    assert f"a.parquet: column 'tags' is of type {told}, which is no cell" == failure.value.message
    assert "leave the column out, or make text of it first" == failure.value.advice

"""Which parts of a table a window writes anew, and how many parts there are: seen through a folder of Parquet files."""

from pathlib import Path

import pytest

from syncengine.destinations import Applied, Snapshot
from syncengine.destinations import lake_merge as limits
from syncengine.destinations.parquet import Parquet, tables
from syncengine.schema import Field, FieldType, Schema
from tests.conformance.lakes import ParquetFolder
from tests.conformance.windows import ID, NAME, UPDATED, at, marking, window


@pytest.fixture
def lake(tmp_path: Path) -> ParquetFolder:
    """A folder with three parts of two people each: 0 and 1, 10 and 11, 20 and 21."""
    place = ParquetFolder(tmp_path)
    for number in range(3):
        rows = [(number * 10 + each, at(1), "a") for each in range(2)]
        place.open().apply(window(f"w{number}", *rows, day=number, can_be_marked=True))
    return place


def parts(lake: ParquetFolder) -> set[Path]:
    """The parts of the table of people."""
    return set(tables(lake.path)["people"])


def test_a_window_of_new_keys_adds_a_part(lake: ParquetFolder) -> None:
    """What has none of the window's keys stays as it is."""
    before = parts(lake)

    lake.open().apply(window("w9", (15, at(1), "new"), day=9))

    assert before < parts(lake)
    assert len(before) + 1 == len(parts(lake))


def test_only_parts_with_the_windows_keys_are_written_anew(lake: ParquetFolder) -> None:
    """Two parts stay, byte for byte; the third gives way to one that has its other row as well."""
    before = parts(lake)

    applied = lake.open().apply(window("w9", (11, at(2), "changed"), day=9, read=1))

    assert Applied(changed=1) == applied
    assert 2 == len(before & parts(lake))
    assert 3 == len(parts(lake))
    assert [(10, "a"), (11, "changed")] == [(row["id"], row["name"]) for row in lake.rows("people")][2:4]


def test_a_window_that_changes_nothing_writes_no_part(lake: ParquetFolder) -> None:
    """Rows behind what is there leave every part alone."""
    before = parts(lake)

    applied = lake.open().apply(window("w9", (10, at(0), "old"), day=9, read=1))

    assert Applied(outdated=1) == applied
    assert before == parts(lake)


def test_a_new_column_alone_writes_no_part(lake: ParquetFolder) -> None:
    """Parts from before it are read with NULL in it."""
    before = parts(lake)
    wider = Schema((ID, UPDATED, NAME, Field("score", FieldType.INTEGER)), ("id",))

    applied = lake.open().apply(window("w9", (30, at(1), "new", 7), schema=wider, day=9))

    assert Applied(inserted=1, columns_added=("score",)) == applied
    assert before < parts(lake)
    assert [None] * 6 + [7] == [row["score"] for row in lake.rows("people")]


def test_a_wider_type_writes_every_part_anew(lake: ParquetFolder) -> None:
    """All parts of a table have one type in a column."""
    before = parts(lake)
    wider = Schema((ID, Field("updatedAt", FieldType.TEXT), NAME), ("id",))

    lake.open().apply(window("w9", (30, "soon", "new"), schema=wider, day=9))

    assert not before & parts(lake)
    assert {"2024-03-01 01:00:00+00", "soon"} == {row["updatedAt"] for row in lake.rows("people")}


def test_a_snapshot_finds_the_missing_in_every_part(lake: ParquetFolder) -> None:
    """Parts without one key of the window are looked through for rows that are gone."""
    applied = lake.open().apply(window("s1", (0, at(1), "a"), read=1, snapshot=Snapshot()))

    assert Applied(unchanged=1, deleted=5) == applied
    assert [True] + [False] * 5 == [row["_deleted_at"] is None for row in lake.rows("people")]


def test_a_snapshot_of_a_section_leaves_other_parts_alone(lake: ParquetFolder) -> None:
    """Only parts with rows of that section, or of the window, are written anew."""
    lake.open().apply(window("w9", (30, at(1), "b"), (31, at(1), "b"), day=9))
    before = parts(lake)

    applied = lake.open().apply(window("s1", (30, at(1), "b"), read=1, snapshot=Snapshot("name", "b")))

    assert Applied(unchanged=1, deleted=1) == applied
    assert 3 == len(before & parts(lake))


def test_marks_reach_rows_in_every_part(lake: ParquetFolder) -> None:
    """A window of another stream writes anew the parts whose rows it marks, and no others."""
    before = parts(lake)

    applied = lake.open().apply(marking("m1", (1, at(5), None), (21, None, 20), (99, at(5), None)))

    assert (2, 1) == (applied.deleted, applied.merged)
    assert 1 == len(before & parts(lake))
    assert [1] == [row["id"] for row in lake.rows("people") if row["_deleted_at"]]
    assert [(21, 20)] == [(row["id"], row["_merged_into"]) for row in lake.rows("people") if row["_merged_into"]]


def test_removal_that_is_asked_for_later_reaches_every_part(lake: ParquetFolder) -> None:
    """Rows that were only marked go as soon as a window wants them removed, whatever part they are in."""
    lake.open().apply(marking("m1", (1, at(5), None)))

    lake.open().apply(window("w9", (30, at(1), "new"), day=9, read=1, can_be_marked=True, hard_delete=True))

    assert [0, 10, 11, 20, 21, 30] == [row["id"] for row in lake.rows("people")]


def test_a_table_has_few_parts_however_many_windows(tmp_path: Path) -> None:
    """Small parts become one before there are too many of them, and no row is lost on the way."""
    destination, most = Parquet(tmp_path / "lake"), 0
    for number in range(40):
        destination.apply(window(f"w{number}", (number, at(1), "a"), day=number))
        most = max(most, len(tables(tmp_path / "lake")["people"]))

    assert limits.SMALL_PARTS == most
    assert list(range(40)) == [row["id"] for row in ParquetFolder(tmp_path).rows("people")]

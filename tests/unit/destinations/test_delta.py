"""What is Delta's own: the window's id in its table, column names, tables of others, and a log that stays short."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, Field, Schema
from deltalake.schema import PrimitiveType

from syncengine.destinations import Applied, Interval, Standing
from syncengine.destinations.delta import Delta
from syncengine.destinations.delta_log import EPOCH, stored_name
from syncengine.errors import ConfigError
from syncengine.schema import Field as OurField
from syncengine.schema import FieldType
from syncengine.schema import Schema as OurSchema
from tests.conformance.lakes import DeltaFolder
from tests.conformance.windows import ID, PEOPLE, at, batch, window


@pytest.fixture
def place(tmp_path: Path) -> DeltaFolder:
    """Tables with one window of two people."""
    found = DeltaFolder(tmp_path)
    found.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b")))
    return found


def table(place: DeltaFolder, name: str = "people") -> DeltaTable:
    """A table as others see it."""
    return DeltaTable(str(place.path / name))


def test_a_table_says_itself_which_windows_it_holds(place: DeltaFolder) -> None:
    """The window's id and the stream's epoch are application transactions of the commit that brought its rows."""
    before = table(place)

    place.open().apply(window("w2", (3, at(1), "c"), day=1, epoch=5))

    after = table(place)
    assert (1, None) == (before.transaction_version("w1"), before.transaction_version("w2"))
    assert (1, 1, 5) == tuple(after.transaction_version(name) for name in ("w1", "w2", EPOCH))
    assert before.version() + 1 == after.version()


def test_a_window_without_rows_is_a_commit(place: DeltaFolder) -> None:
    """It moves the table's version, and nothing else of it."""
    files = table(place).file_uris()

    place.open().apply(window("w2", day=1))

    assert 1 == table(place).transaction_version("w2")
    assert files == table(place).file_uris()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("email", "email"),
        ("a.b", "a.b"),
        ('quo"ted', 'quo"ted'),
        ("sp ace", "sp_ace_5f899d99"),
        ("a=b", "a_b_7f0030cf"),
    ],
)
def test_names_that_delta_does_not_take_are_spelt_otherwise(tmp_path: Path, name: str, expected: str) -> None:
    """The name in the table is always the same, and the field's metadata has the stream's own."""
    place = DeltaFolder(tmp_path)
    schema = OurSchema((ID, OurField(name, FieldType.TEXT)), ("id",))
    for number in (1, 2):
        place.open().apply(window(f"w{number}", (number, "x"), schema=schema, newer_by=None, day=number))

    fields = {field.name: field.metadata["syncengine.name"] for field in table(place).schema().fields}
    assert expected == stored_name(name)
    assert name == fields[expected]
    assert ["x", "x"] == [row[name] for row in place.rows("people")]


def test_other_engines_compact_and_nothing_is_lost(place: DeltaFolder) -> None:
    """Parts that somebody else has put together, under names of their own, are merged like ours."""
    place.open().apply(window("w2", (3, at(1), "c"), day=1))
    table(place).optimize.compact()

    applied = place.open().apply(window("w3", (1, at(2), "A"), (4, at(1), "d"), day=2, read=1))

    assert Applied(inserted=1, changed=1) == applied
    assert ["A", "b", "c", "d"] == [row["name"] for row in place.rows("people")]


def test_a_table_of_somebody_else_is_left_alone(place: DeltaFolder) -> None:
    """A stream whose table is there already, and not from here, is not written to."""
    DeltaTable.create(str(place.path / "leads"), Schema([Field("id", PrimitiveType("long"))]))

    for operation in (
        lambda: place.open().apply(window("w1", (1, at(1), "a"), stream="leads")),
        lambda: place.open().standing("acme", "leads"),
    ):
        with pytest.raises(ConfigError, match=r"table leads at .* was made by somebody else"):
            operation()

    assert 0 == table(place, "leads").version()


def test_a_window_is_known_although_the_ledger_was_lost(place: DeltaFolder) -> None:
    """The table's word is enough, for whoever asks; the ledger learns of the window again."""
    shutil.rmtree(place.path / "_marketo_sync")

    assert place.open().holds("acme", "people", "w1") is True
    assert Applied(already=True) == place.open().apply(window("w1", batches=iter([])))
    assert Standing((Interval(at(0), at(24)),), 1) == place.open().standing("acme", "people")
    assert place.open().holds("globex", "people", "w1") is False


def test_a_table_that_was_given_features_is_left_alone(place: DeltaFolder) -> None:
    """Where a part may have rows that do not count, as with deletion vectors, nothing is read or written."""
    from deltalake import TableFeatures

    table(place).alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)

    with pytest.raises(ConfigError, match="table people has been given deletionVectors"):
        place.open().apply(window("w2", (3, at(1), "c"), day=1))


def test_a_type_that_no_field_has_is_left_alone(place: DeltaFolder) -> None:
    """A column that somebody else has added with a type of their own is named."""
    table(place).alter.add_columns([Field("theirs", PrimitiveType("binary"))])

    with pytest.raises(ConfigError, match="column theirs of Delta table people has the type binary"):
        place.open().apply(window("w2", (3, at(1), "c"), day=1))


def test_the_log_and_its_parts_do_not_grow_without_end(place: DeltaFolder) -> None:
    """After some dozens of windows checkpoints were made, unneeded parts of an older time are gone, others stay."""
    old = place.path / "people" / "orphan.parquet"
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    for number in range(2, 66):
        place.open().apply(window(f"w{number}", (1, at(number), "x"), day=number, read=number))

    assert not old.exists()
    assert list((place.path / "people" / "_delta_log").glob("*.checkpoint*.parquet"))
    assert [1, 2] == [row["id"] for row in place.rows("people")]


@pytest.mark.parametrize("uri", ["gs://bucket/prefix", "http://host/x", "s3://"])
def test_an_address_that_cannot_be_used_is_named(uri: str) -> None:
    """Before anything is asked of a network."""
    with pytest.raises(ConfigError, match="Delta tables cannot be kept at"):
        Delta(uri)


def test_a_path_may_be_a_url(tmp_path: Path) -> None:
    """file:// names the same folder as the path."""
    Delta(f"file://{tmp_path}/la%20ke").apply(window("w1", (1, at(1), "a")))

    assert Delta(str(tmp_path / "la ke")).holds("acme", "people", "w1")


def test_without_the_package_the_advice_says_how_to_get_it() -> None:
    """The extra is named, and nothing but the destination needs it."""
    script = (
        "import sys; sys.modules['deltalake'] = None\n"
        "from syncengine.destinations.delta import Delta\n"
        "from syncengine.errors import ConfigError\n"
        "try:\n    Delta('x')\nexcept ConfigError as error:\n    print(error.advice)"
    )

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert "pip install 'syncengine[delta]'\n" == told


def test_scratch_space_is_given_back(place: DeltaFolder) -> None:
    """Nothing is left in the work folder, whether a window went in or failed."""

    def torn() -> Iterator[pa.RecordBatch]:
        yield batch(PEOPLE, (1, at(3), "x"))
        raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        place.open().apply(window("w2", batches=torn(), day=1))

    assert [] == list(place.work.iterdir())

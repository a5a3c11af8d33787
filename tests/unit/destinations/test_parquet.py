"""What is the Parquet folder's own: its lock, what readers are told, and folders that are not ours."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pyarrow as pa
import pytest

from syncengine.destinations import Applied, Standing
from syncengine.destinations.parquet import LOCK_POLL_SECONDS, Parquet, tables
from syncengine.errors import ConfigError, DestinationUnavailable
from tests.conformance.lakes import ParquetFolder
from tests.conformance.windows import PEOPLE, at, batch, window
from tests.unit.destinations.two_people import files, folder_of_two, second

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> ParquetFolder:
    """A folder that has one window of two people."""
    return folder_of_two(tmp_path)


def locked(path: Path, words: bytes) -> int:
    """The folder's lock in the hands of somebody else."""
    handle = os.open(path / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.ftruncate(handle, 0)
    os.pwrite(handle, words, 0)
    return handle


def test_a_second_writer_waits_as_long_as_allowed(place: ParquetFolder) -> None:
    """The wait is bounded, the message names who writes, and readers are not kept waiting."""
    waits = list[float]()
    destination = Parquet(place.path, lock_wait_seconds=2, pause=waits.append)
    handle = locked(place.path, b"PID 4711")

    with pytest.raises(DestinationUnavailable, match="is being written by PID 4711"):
        destination.apply(second())

    assert [LOCK_POLL_SECONDS] * 8 == waits
    assert destination.holds("acme", "people", "w1")
    os.close(handle)
    assert Applied(inserted=1, changed=1) == destination.apply(second())


def test_a_lock_that_goes_away_is_forgotten(place: ParquetFolder) -> None:
    """A writer goes on as soon as the other has ended, and sees what that one has committed."""
    handle = locked(place.path, b"PID 4711")

    applied = Parquet(place.path, pause=lambda _: os.close(handle)).apply(second())

    assert Applied(inserted=1, changed=1) == applied


def test_closing_ends_a_wait(place: ParquetFolder) -> None:
    """Who is told to stop does not sit out the rest of the wait."""
    waits = list[float]()

    def pause(seconds: float) -> None:
        waits.append(seconds)
        destination.close()

    destination = Parquet(place.path, pause=pause)
    handle = locked(place.path, b"PID 4711")
    with pytest.raises(DestinationUnavailable):
        destination.check()
    os.close(handle)

    assert 1 == len(waits)


def test_the_manifest_tells_what_there_is(place: ParquetFolder) -> None:
    """Columns with types, the key, rows, and of each part its bounds; bookkeeping is a table like any other."""
    manifest = orjson.loads((place.path / "manifest.json").read_bytes())
    table = manifest["tables"]["people"]

    assert {"people", "_marketo_sync"} == set(manifest["tables"])
    assert (1, 1, {}) == (manifest["format"], manifest["version"], manifest["dropped"])
    assert {"name": "updatedAt", "type": "timestamp"} == table["columns"][1]
    assert ("parts/people", ["id"], 2) == (table["folder"], table["key"], table["rows"])
    part = table["parts"][0]
    assert (2, 1, 2, (place.path / part["path"]).stat().st_size) == (
        part["rows"],
        part["low"],
        part["high"],
        part["bytes"],
    )
    assert [place.path / part["path"]] == tables(place.path)["people"]


def test_a_folder_that_nobody_wrote_to_has_no_tables(tmp_path: Path) -> None:
    """A question makes no folder."""
    assert {} == tables(tmp_path / "lake")
    assert Standing() == Parquet(tmp_path / "lake").standing("acme", "people")
    assert not (tmp_path / "lake").exists()


def newer(manifest: Path) -> None:
    """Written by a version that is to come."""
    manifest.write_bytes(orjson.dumps({"format": 2}))


def torn(manifest: Path) -> None:
    """Half of it."""
    manifest.write_bytes(manifest.read_bytes()[:100])


def empty(manifest: Path) -> None:
    """JSON, but nothing that this program has written."""
    manifest.write_bytes(b'{"format": 1}')


def lost(manifest: Path) -> None:
    """Gone, beside all its parts."""
    manifest.unlink()


@pytest.mark.parametrize(
    ("harm", "expected", "words"),
    [
        (newer, ConfigError, "newer version"),
        (torn, DestinationUnavailable, "is damaged"),
        (empty, DestinationUnavailable, "is damaged"),
        (lost, ConfigError, "has files but no manifest.json"),
    ],
)
def test_a_manifest_that_is_not_ours_is_left_alone(
    place: ParquetFolder, harm: Callable[[Path], None], expected: type[Exception], words: str
) -> None:
    """Neither a question nor a window starts over in a folder that has something in it."""
    harm(place.path / "manifest.json")
    before = files(place)
    for operation in (
        lambda: place.open().standing("acme", "people"),
        lambda: place.open().apply(second()),
        lambda: place.open().check(),
    ):
        with pytest.raises(expected, match=words):
            operation()

    assert before == files(place)


def test_an_error_of_the_rows_own_comes_out_as_it_is(place: ParquetFolder) -> None:
    """What the rows' source raises is never taken for the disk's."""

    def rows() -> Iterator[pa.RecordBatch]:
        yield batch(PEOPLE, (3, at(1), "c"))
        raise OSError(errno.ENOSPC, "the spool's own")

    with pytest.raises(OSError, match="the spool's own"):
        place.open().apply(window("w2", batches=rows(), day=1))

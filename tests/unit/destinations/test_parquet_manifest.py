"""Each step to disk may be the last, and parts go only when nobody can be reading them."""

import errno
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from syncengine.destinations import Applied, Interval, Standing
from syncengine.destinations.parquet import Parquet, tables
from syncengine.destinations.parquet_manifest import KEPT, Disk
from syncengine.errors import DestinationUnavailable, NoSpace
from tests.conformance.lakes import ParquetFolder
from tests.conformance.windows import at, people, window
from tests.unit.destinations.two_people import files, folder_of_two, second

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


class Death(BaseException):
    """The process ends here."""


class Watched(Disk):
    """A disk that writes down its steps, and ends at one of them: before it is done, or half-way through a write."""

    def __init__(self, last: int = 0, error: BaseException | None = None) -> None:
        self.steps: list[tuple[str, str]] = []
        self.last = last
        self.error = error or Death()

    def make_folder(self, path: Path) -> None:
        self._step("make", path)
        super().make_folder(path)

    def write(self, path: Path, content: bytes) -> None:
        try:
            self._step("write", path)
        except BaseException:
            super().write(path, content[: len(content) // 2])
            raise
        super().write(path, content)

    def sync(self, path: Path) -> None:
        self._step("sync", path)
        super().sync(path)

    def rename(self, source: Path, target: Path) -> None:
        self._step("rename", target)
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        self._step("remove", path)
        super().remove(path)

    def _step(self, what: str, path: Path) -> None:
        self.steps.append((what, path.name))
        if len(self.steps) == self.last:
            raise self.error


@pytest.fixture
def place(tmp_path: Path) -> ParquetFolder:
    """A folder that has one window of two people."""
    return folder_of_two(tmp_path)


@pytest.mark.parametrize("error", [Death(), OSError(errno.EIO, "Input/output error")])
def test_an_end_at_any_step_leaves_all_or_nothing(tmp_path: Path, error: BaseException) -> None:
    """Wherever it ends, readers see one window or both, as the ledger says, and the next run goes on from there."""
    before, after = [(1, at(1), "a"), (2, at(1), "b")], [(1, at(1), "a"), (2, at(2), "B"), (3, at(1), "c")]
    seen = []
    for last in itertools.count(1):
        folder = tmp_path / str(last)
        folder.mkdir()
        place, disk = ParquetFolder(folder), Watched(last, error)
        place.open().apply(window("w1", (1, at(1), "a"), (2, at(1), "b")))
        try:
            Parquet(place.path, disk=disk).apply(second())
        except (Death, DestinationUnavailable):
            is_held = place.open().holds("acme", "people", "w2")
            assert (after if is_held else before) == people(place)
            assert is_held is place.open().apply(second()).already
            seen.append(is_held)
        else:
            break
        assert after == people(place)
        assert Standing((Interval(at(0), at(48)),), 1) == place.open().standing("acme", "people")

    # One step after the manifest has its name; parts, folders and the manifest itself before.
    assert [False] * (len(seen) - 1) + [True] == seen
    assert len(seen) > 10


def test_nothing_has_its_name_before_it_is_on_disk(place: ParquetFolder) -> None:
    """Each part is synced before it is renamed, its folder before the manifest is, and that before its own folder."""
    disk = Watched()

    Parquet(place.path, disk=disk).apply(second())

    renamed = [name for what, name in disk.steps if what == "rename"]
    assert 3 == len(renamed)
    assert "manifest.json" == renamed[-1]
    manifest = disk.steps.index(("rename", "manifest.json"))
    assert [("write", ".manifest.new"), ("sync", ".manifest.new")] == disk.steps[manifest - 2 : manifest]
    assert [("sync", "lake")] == disk.steps[manifest + 1 :]
    for table in ("people", "_marketo_sync"):
        synced = disk.steps.index(("sync", table))
        assert synced < manifest
        assert ("rename", "sync") == (disk.steps[synced - 1][0], disk.steps[synced - 2][0])


def test_a_part_has_the_name_of_its_content(place: ParquetFolder) -> None:
    """Whoever copies a part can prove that it is whole."""
    from hashlib import sha256

    for path in place.path.glob("parts/*/*"):
        assert f"{sha256(path.read_bytes()).hexdigest()}.parquet" == path.name


def test_parts_stay_for_those_who_read_the_last_manifests(place: ParquetFolder) -> None:
    """What a manifest drops is removed only after an hour, and only once it has been missing from two of them."""
    first = files(place)
    dropped = {path for path in first if "people" in path}

    def apply(number: int, now: datetime) -> None:
        Parquet(place.path, now=lambda: now).apply(window(f"w{number}", (2, at(number), "x"), day=number, read=number))

    apply(2, NOON)
    assert first < files(place)
    apply(3, NOON + KEPT)
    assert dropped < files(place)
    apply(4, NOON + KEPT + timedelta(seconds=1))
    assert not first & files(place)
    assert 1 == len([path for path in files(place) if "people" in path]) - 2


def test_a_reader_of_an_old_manifest_finds_its_parts(place: ParquetFolder) -> None:
    """Parts that were listed before a window are there after it, whole."""
    listed = tables(place.path)["people"]
    content = [path.read_bytes() for path in listed]

    place.open().apply(second())

    assert content == [path.read_bytes() for path in listed]
    assert not set(listed) & set(tables(place.path)["people"])


def test_what_a_dead_process_left_is_removed_in_time(place: ParquetFolder) -> None:
    """Parts that no manifest ever named go an hour after they are found, scratch files at once."""
    stray = place.path / "parts" / "people" / "stray.parquet"
    stray.write_bytes(b"half a part")
    left = place.path / ".work" / "work-dead"
    left.mkdir()
    (left / "bench.duckdb").write_bytes(b"")

    place.open().apply(second())
    assert not left.exists()
    assert stray.exists()
    later = NOON.replace(year=2100)
    Parquet(place.path, now=lambda: later).apply(window("w3", (4, at(1), "d"), day=2))

    assert not stray.exists()
    assert [1, 2, 3, 4] == [row["id"] for row in place.rows("people")]


def test_the_same_content_again_is_not_removed_as_dropped(place: ParquetFolder) -> None:
    """A part that comes back under its old name counts again."""
    manifest = orjson.loads((place.path / "manifest.json").read_bytes())
    path = manifest["tables"]["people"]["parts"][0]["path"]
    manifest["dropped"] = {path: "2000-01-01T00:00:00+00:00"}
    (place.path / "manifest.json").write_bytes(orjson.dumps(manifest))

    place.open().apply(window("w2", (9, at(1), "z"), day=1))

    assert [1, 2, 9] == [row["id"] for row in place.rows("people")]
    assert path not in orjson.loads((place.path / "manifest.json").read_bytes())["dropped"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_apart(place: ParquetFolder, code: int) -> None:
    """Nothing was applied, and the same window goes in once there is room."""
    with pytest.raises(NoSpace, match=r"the disk is full at .*nothing was applied"):
        Parquet(place.path, disk=Watched(3, OSError(code, "full"))).apply(second())

    assert Applied(inserted=1, changed=1) == place.open().apply(second())

"""The spool: what is appended, where it lies, and a disk that is full."""

from pathlib import Path

import pytest

from syncengine.errors import NoSpace
from syncengine.sources.spool import Spool


def test_what_is_written_lies_where_it_is_said(tmp_path: Path) -> None:
    """It can be read through the path as soon as it was synced."""
    with Spool(tmp_path / "spool.csv") as spool:
        assert [0, 2, 2] == [spool.write(data) for data in (b"a\n", b"", memoryview(b"bc\n"))]
        assert 5 == spool.size
        spool.sync()
        assert b"a\nbc\n" == (tmp_path / "spool.csv").read_bytes()


def test_it_begins_empty(tmp_path: Path) -> None:
    """What an earlier process left is written again."""
    (tmp_path / "spool.csv").write_bytes(b"left")

    with Spool(tmp_path / "spool.csv") as spool:
        assert 0 == spool.write(b"new")

    assert b"new" == (tmp_path / "spool.csv").read_bytes()


def test_a_full_disk_is_told_from_a_bad_file() -> None:
    """The spool says that there is no room."""
    with pytest.raises(NoSpace, match=r"the disk of /dev is full"), Spool(Path("/dev/full")) as spool:
        spool.write(b"x" * 10_000_000)

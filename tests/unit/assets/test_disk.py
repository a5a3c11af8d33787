"""Files replaced as a whole, and what the disk refuses in our own words."""

import errno
import os
from pathlib import Path

import pytest

from syncengine.assets.disk import WORKSHOP, bytes_of, new_part, on_disk, replace, sync, workshop
from syncengine.errors import NoSpace, StateUnusable


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_no_space(tmp_path: Path, number: int) -> None:
    """Said with the folder, and with what to do."""
    with pytest.raises(NoSpace, match="No room on the disk that holds") as refused, on_disk(tmp_path):
        raise OSError(number, os.strerror(number), "x")
    assert str(tmp_path) in str(refused.value)
    assert "again" in refused.value.advice


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EIO, errno.ENAMETOOLONG, errno.ENOENT])
def test_a_disk_that_refuses_is_named_with_its_reason(tmp_path: Path, number: int) -> None:
    """By the file, or by the folder where no file is told."""
    with pytest.raises(StateUnusable, match=f"^the/file cannot be used: {os.strerror(number)}"), on_disk(tmp_path):
        raise OSError(number, os.strerror(number), "the/file")
    with pytest.raises(StateUnusable) as refused, on_disk(tmp_path):
        raise OSError(number, os.strerror(number))
    assert str(refused.value).startswith(f"{tmp_path} cannot be used")
    assert str(tmp_path) in refused.value.advice


def test_other_errors_pass(tmp_path: Path) -> None:
    """They are none of the disk's."""
    with pytest.raises(ValueError, match="mine"), on_disk(tmp_path):
        raise ValueError("mine")


def test_a_file_is_replaced_by_another_one(tmp_path: Path) -> None:
    """Who has the old one open goes on reading it; nothing is left in the workshop."""
    path = tmp_path / "a.json"
    replace(tmp_path, path, b"old")
    with path.open("rb") as file:
        replace(tmp_path, path, b"new")
        assert b"old" == file.read()
    assert b"new" == path.read_bytes()
    assert [".gitignore"] == [each.name for each in (tmp_path / WORKSHOP).iterdir()]


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "replace")])
def test_a_file_that_cannot_be_replaced_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    """With the bytes that it had."""
    path = tmp_path / "a.json"
    replace(tmp_path, path, b"old")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(owner, name, refuse)
    with pytest.raises(NoSpace), on_disk(tmp_path):
        replace(tmp_path, path, b"new")
    assert b"old" == path.read_bytes()


def test_what_is_under_way_lies_where_git_does_not_look(tmp_path: Path) -> None:
    """In a folder that is made when it is needed; no two parts have one name."""
    parts = {new_part(tmp_path) for _ in range(50)}
    assert 50 == len(parts)
    assert {tmp_path / WORKSHOP} == {part.parent for part in parts} == {workshop(tmp_path)}
    assert "*\n" == (tmp_path / WORKSHOP / ".gitignore").read_text()
    assert not any(part.exists() for part in parts)


def test_a_folder_that_is_not_there_has_no_workshop(tmp_path: Path) -> None:
    """It is refused in words rather than made."""
    with pytest.raises(StateUnusable), on_disk(tmp_path / "nowhere"):
        workshop(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_bytes_that_are_not_there_are_none(tmp_path: Path) -> None:
    """Also where a file stands in the place of a folder; what cannot be read is no such thing."""
    (tmp_path / "file").write_bytes(b"")
    assert (b"", None, None) == tuple(bytes_of(tmp_path / name) for name in ("file", "none", "file/none"))
    with pytest.raises(StateUnusable), on_disk(tmp_path):
        bytes_of(tmp_path)


def test_files_and_folders_are_made_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a descriptor that is closed, also when that fails."""
    closed: list[int] = []
    synced: list[int] = []
    close = os.close

    def closing(descriptor: int) -> None:
        closed.append(descriptor)
        close(descriptor)

    def syncing(descriptor: int) -> None:
        synced.append(descriptor)
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "close", closing)
    sync(tmp_path)
    assert 1 == len(closed)
    monkeypatch.setattr(os, "fsync", syncing)
    with pytest.raises(OSError, match="broken"):
        sync(tmp_path)
    assert synced == closed[1:]

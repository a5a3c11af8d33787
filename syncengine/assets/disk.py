"""The disk under a folder of assets: files replaced as a whole, and what it refuses told in our own errors."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from syncengine.errors import NoSpace, StateUnusable

WORKSHOP = ".syncengine-tmp"
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def on_disk(root: Path) -> Iterator[None]:
    """Turn what the system refuses below `root` into NoSpace or StateUnusable, which say where."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise NoSpace(
                f"No room on the disk that holds {root}.",
                advice="Free some room and run the same command again: it goes on where this one stopped.",
            ) from error
        raise StateUnusable(
            f"{error.filename or root} cannot be used: {error.strerror}.",
            advice=f"Mend what lies there, or its permissions, or name another folder than {root}.",
        ) from error


def workshop(root: Path) -> Path:
    """A folder on the same disk for what is not whole yet."""
    folder = root / WORKSHOP
    if not folder.exists():
        folder.mkdir(exist_ok=True)
        (folder / ".gitignore").write_text("*\n")  # what a pull that died has left is not for Git
    return folder


def new_part(root: Path) -> Path:
    """A name in the workshop that nothing has."""
    return workshop(root) / f"{token_hex(8)}.part"


def replace(root: Path, path: Path, body: bytes) -> None:
    """Give a file these bytes: they are on disk before it has its name."""
    part = new_part(root)
    with part.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def bytes_of(path: Path) -> bytes | None:
    """What a file holds; None where there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def sync(path: Path) -> None:
    """Make a file's bytes, or a folder's names, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

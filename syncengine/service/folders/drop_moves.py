"""Drops on the disk: found, taken into `working`, put back, carried to `done` or `failed`. All of it blocks.

What moves is written as generators, one effect a step, since a process may die between any two. Whatever it leaves is
told apart by what lies there: a folder in `working` without its drop was never quite taken, and is put back; one with
its drop is to be imported, or was. Each end is one rename of a whole folder.
"""

import errno
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from syncengine.errors import NoSpace, StateUnusable
from syncengine.service.folders.drop_report import ACCOUNT
from syncengine.service.folders.drops import (
    OURS,
    SHARED,
    Drop,
    Entry,
    Places,
    What,
    drop_in,
    file_beside,
    is_passed_over,
    settings_in,
)

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What a network's file system says that keeps no names of its own to be synced.
NOT_ITS_WORK: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})


@dataclass(frozen=True, slots=True)
class Taken:
    """A drop in its folder in `working`; `settings` names the file of its settings beside it, "" for none."""

    folder: str
    name: str
    settings: str


@dataclass(frozen=True, slots=True)
class Working:
    """What lies in `working`: drops in the order in which they were taken, folders that were never quite taken, and
    names that are none of ours.
    """

    taken: tuple[Taken, ...] = ()
    half: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()


@contextmanager
def on_disk(root: Path) -> Iterator[None]:
    """Turn what the system refuses in a watched folder into NoSpace or StateUnusable, which say where."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise NoSpace(f"the disk that holds {root} is full", advice="Free some room there.") from error
        raise StateUnusable(
            f"the watched folder {root} cannot be used: {error.strerror or type(error).__name__}",
            advice="Look at its permissions, and at who owns it.",
        ) from error


def entries(places: Places) -> list[Entry]:
    """What lies in the folder, which is made with ours in it where they are not there. Raises OSError."""
    try:
        found = _entries(places.root)
    except FileNotFoundError:
        places.root.mkdir(mode=0o700, parents=True)
        found = []
    there = {entry.name for entry in found if entry.what is What.FOLDER}
    for name in OURS:
        if name not in there:
            _mode_of(places.root, places.root / name)
    return found


def _entries(folder: Path) -> list[Entry]:
    found = []
    with os.scandir(folder) as listing:
        for each in listing:
            try:
                found.append(Entry.of(each.name, each.stat(follow_symlinks=False)))
            except FileNotFoundError:
                continue  # it went away meanwhile
    return found


def _mode_of(root: Path, folder: Path) -> None:
    """Make a folder that whoever may use the watched one may use too."""
    folder.mkdir(mode=root.stat().st_mode & 0o777)


def working(places: Places) -> Working:
    """What lies in `working`. Raises OSError."""
    taken, half, strange = list[Taken](), list[str](), list[str]()
    for entry in sorted(_entries(places.working), key=lambda entry: entry.name):
        if entry.what is not What.FOLDER:
            if not is_passed_over(entry.name):
                strange.append(entry.name)
            continue
        inside = [each.name for each in _entries(places.working / entry.name) if each.what is What.FILE]
        if name := drop_in(entry.name, inside):
            taken.append(Taken(entry.name, name, settings_in(name, inside)))
        elif any(not is_passed_over(name) and not name.endswith(".toml") for name in inside):
            strange.append(entry.name)  # somebody's own
        else:
            half.append(entry.name)
    return Working(tuple(taken), tuple(half), tuple(strange))


def names_in_use(places: Places) -> list[str]:
    """The names of all folders that drops were given and that are still there."""
    return [path.name for folder in OURS for path in (places.root / folder).iterdir()]


def take(places: Places, drop: Drop, folder: str) -> Iterator[str]:
    """Move a drop with its settings into a folder of its own; an effect a step.

    The drop comes last. When it is no longer what was seen, it is put back: whoever looks next sees it as it is now.
    """
    own = places.working / folder
    _mode_of(places.root, own)
    _sync(places.working)
    yield "made"
    try:
        if drop.settings == SHARED:
            _write(own / SHARED, (places.root / SHARED).read_bytes())
            yield "settings copied"
        elif drop.settings:
            (places.root / drop.settings).rename(own / drop.settings)
            yield "settings moved"
        (places.root / drop.name).rename(own / drop.name)
        is_gone = False
    except FileNotFoundError:
        is_gone = True  # whoever brought it has thought better of it
    _sync(own)
    _sync(places.root)
    yield "taken"
    if is_gone or _sight(own, drop.name) != drop.sight[0]:
        yield from put_back(places, folder)


def _sight(folder: Path, name: str) -> tuple[int, int, int]:
    return Entry.of(name, (folder / name).lstat()).sight


def put_back(places: Places, folder: str) -> Iterator[str]:
    """Give back what a folder in `working` holds, the drop first; what has no place any more stays there."""
    own = places.working / folder
    entries = _entries(own)
    for entry in sorted(entries, key=lambda entry: entry.name.endswith(".toml")):
        if entry.name == SHARED or is_passed_over(entry.name):
            (own / entry.name).unlink()  # a copy of ours
        elif not os.path.lexists(places.root / entry.name):
            (own / entry.name).rename(places.root / entry.name)
        else:
            _superseded(places, own, entry.name)
        yield entry.name
    own.rmdir()
    yield folder


def _superseded(places: Places, own: Path, name: str) -> None:
    """Another file has come under the name of one that is to be put back: that one goes first, and this one is kept."""
    kept = places.end(is_done=False) / own.name
    if not kept.exists():
        _mode_of(places.root, kept)
    (own / name).rename(kept / name)


def end(
    places: Places, taken: Taken, account: Mapping[str, bytes], copies: Sequence[Path], *, is_done: bool
) -> Iterator[str]:
    """Write the account beside a drop, copy files of it there, then move all of it to its end with one rename."""
    own = places.working / taken.folder
    for name in ACCOUNT:
        stale = own / file_beside(taken.name, name)
        if name not in account and stale.exists():
            stale.unlink()  # of an earlier end, when somebody moved the folder back
            yield name
    for path in copies:
        into = own / file_beside(taken.name, path.name)
        try:
            shutil.copyfile(path, _part(into))
        except FileNotFoundError:
            continue  # somebody has tidied up the accounts
        _settle(into)
        yield into.name
    for name, content in account.items():
        _write(own / file_beside(taken.name, name), content)
        yield name
    own.rename(places.end(is_done=is_done) / taken.folder)
    _sync(places.end(is_done=is_done))
    _sync(places.working)
    yield "ended"


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _write(path: Path, content: bytes) -> None:
    _part(path).write_bytes(content)
    _settle(path)


def _settle(path: Path) -> None:
    """Give a whole file its name, once its bytes are on the disk."""
    _sync(_part(path))
    _part(path).replace(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NOT_ITS_WORK:
            raise
    finally:
        os.close(descriptor)

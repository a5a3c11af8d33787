"""What lies in a watched folder: which files are drops, which of them are complete, what folder each gets.

Plain values and decisions, apart from whoever moves files. The folder has three of ours in it:

- `working/STAMP-NAME/` holds a drop that was taken, with its settings. The name is given once and never again, so an
  import run of the journal that reads a file there is known by it, after whatever crash.
- `done/` and `failed/` hold such folders as they are when all is over, with the account in them.

A file is complete when it and its settings look the same at two looks, some time apart. One that is renamed into the
folder is complete from the start, but nothing shows that.
"""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import takewhile
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import Final

WORKING: Final = "working"
DONE: Final = "done"
FAILED: Final = "failed"
OURS: Final = (WORKING, DONE, FAILED)
SIDECAR: Final = ".toml"
SHARED: Final = "inbox.toml"
TEMPORARY: Final = (".part", ".tmp", ".crdownload", ".filepart", ".swp", "~")
STAMP: Final = "%Y%m%d-%H%M%S-%f"
STAMP_CHARACTERS: Final = len("20261125-081500-000000")
# A name may have 255 bytes; the stamp before it, and whoever copies the folder under a longer name, need room.
NAME_BYTES_MAX: Final = 180
MICROSECOND: Final = timedelta(microseconds=1)

# Size, time of the last change (ns), inode: what tells that a file was not touched.
Sight = tuple[int, int, int]


class What(Enum):
    """What an entry of a folder is; only files are ever taken."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "no file"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder."""

    name: str
    what: What
    sight: Sight

    @classmethod
    def of(cls, name: str, found: os.stat_result) -> "Entry":
        """What `lstat` found under a name."""
        mode = found.st_mode
        what = What.FILE if S_ISREG(mode) else What.FOLDER if S_ISDIR(mode) else What.LINK if S_ISLNK(mode) else None
        return cls(name, what or What.OTHER, (found.st_size, found.st_mtime_ns, found.st_ino))


@dataclass(frozen=True, slots=True)
class Drop:
    """A file that waits. `settings` names the file that says how it is imported, its own or the folder's, "" for none.

    `sight` is of both.
    """

    name: str
    settings: str
    sight: tuple[Sight, ...]

    @property
    def arrived(self) -> tuple[int, str]:
        """What brings drops into the order in which they are imported."""
        return self.sight[0][1], self.name


@dataclass(frozen=True, slots=True)
class Lying:
    """What lies in the folder: drops, files that wait for settings of their own, and what is left alone, in words."""

    drops: tuple[Drop, ...] = ()
    without_settings: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()


def is_passed_over(name: str) -> bool:
    """Whether a name is hidden, or one under which programs keep what is not whole yet."""
    return name.startswith(".") or name.lower().endswith(TEMPORARY)


def is_kind(name: str) -> bool:
    """Whether a file of this name is one that can be imported."""
    from syncengine.sources.opening import format_of  # it needs Arrow, which a folder without files does not

    return format_of(name) is not None


def sorted_out(entries: Iterable[Entry], *, needs_sidecar: bool) -> Lying:
    """Tell drops from all else in a folder."""
    found = {entry.name: entry for entry in entries if not is_passed_over(entry.name) and entry.name not in OURS}
    shared = None if needs_sidecar else found.get(SHARED)
    drops, without, left = list[Drop](), list[str](), list[str]()
    for entry in found.values():
        is_sidecar = entry.name.lower().endswith(SIDECAR)
        own = found.get(entry.name + SIDECAR)
        if is_sidecar and (entry.what is What.FILE or entry.name == SHARED):
            continue
        if entry.what is not What.FILE:
            left.append(f"{shown(entry.name)} ({entry.what.value})")
        elif own and own.what is not What.FILE:
            continue  # its settings are told as left alone, and without them nobody knows what it is
        elif settings := own or shared:
            drops.append(Drop(entry.name, settings.name, (entry.sight, settings.sight)))
        elif needs_sidecar and is_kind(entry.name):
            without.append(shown(entry.name))
        else:
            drops.append(Drop(entry.name, "", (entry.sight,)))
    return Lying(tuple(sorted(drops, key=lambda drop: drop.arrived)), tuple(without), tuple(left))


class Settling:
    """Remembers since when each drop has looked as it does; `seconds` of it make one complete.

    A drop that is complete waits for those that arrived before it: none overtakes another. One that grows arrives anew.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[str, tuple[tuple[Sight, ...], float]] = {}

    def complete(self, drops: Sequence[Drop], at: float) -> tuple[Drop, ...]:
        """The drops, in their order, that are complete at a monotonic time.

        Never at the first look, for one look compares nothing.
        """
        before, self._since = self._since, {}
        is_complete = []
        for drop in drops:
            sight, since = before.get(drop.name, ((), at))
            is_same = sight == drop.sight
            is_complete.append(is_same and at - since >= self._seconds)
            self._since[drop.name] = (drop.sight, since if is_same else at)
        return tuple(drop for drop, _ in takewhile(lambda each: each[1], zip(drops, is_complete, strict=True)))


def folder_name(name: str, at: datetime, taken: Iterable[str]) -> str:
    """The name of the folder that a drop gets, other than all that are `taken`."""
    others = {each[:STAMP_CHARACTERS] for each in taken}
    while (stamp := f"{at:{STAMP}}") in others:
        at += MICROSECOND
    return f"{stamp}-{legal(name)}"


def legal(name: str) -> str:
    """A name without what confuses a terminal or a file system, cut where it is too long."""
    plain = unicodedata.normalize("NFC", shown(name)).encode()[:NAME_BYTES_MAX]
    return plain.decode("utf-8", "ignore")


def shown(name: str) -> str:
    """A file's name as it can be told: bytes that are no text, and characters that cannot be seen, as _."""
    return "".join("_" if unicodedata.category(each)[0] == "C" or each in "\u2028\u2029" else each for each in name)


def is_text(name: str) -> bool:
    """Whether a name is UTF-8, as whatever is written down has to be."""
    return not any("\ud800" <= each <= "\udfff" for each in name)


def drop_in(folder: str, names: Iterable[str]) -> str | None:
    """Which of the names in a folder of ours is the drop's: the one that the folder is called after."""
    wanted = unicodedata.normalize("NFC", folder[STAMP_CHARACTERS + 1 :])
    return next((name for name in names if not name.lower().endswith(SIDECAR) and legal(name) == wanted), None)


def settings_in(drop: str, names: Iterable[str]) -> str:
    """Which of the names beside a drop is that of its settings, "" for none."""
    there = set(names)
    return next((name for name in (drop + SIDECAR, SHARED) if name in there), "")


def file_beside(drop: str, name: str) -> str:
    """The name that a file of ours has beside a drop, which may be called the same."""
    return f"account-{name}" if drop.casefold() == name.casefold() else name


@dataclass(frozen=True, slots=True)
class Places:
    """A watched folder and the three in it."""

    root: Path

    @property
    def working(self) -> Path:
        """Where drops are that were taken."""
        return self.root / WORKING

    def end(self, *, is_done: bool) -> Path:
        """Where drops are at their end."""
        return self.root / (DONE if is_done else FAILED)

"""A name of Marketo's as a name that every file system takes, and several of them in one folder without a clash.

Theory of operation. Marketo's names hold anything: slashes, dots, devices of Windows, 300 characters. What a file
system, Git or a shell could trip over is written as `%XX`, byte by byte of UTF-8, and so is `%` itself: two different
names stay different. `~` is written so too, which keeps it free for us: a name that is too long ends with `~` and a
hash, and of several that a file system could take for the same (it may ignore case and the way in which accents are
composed) all but the oldest end with `~` and their id. What a name becomes depends on the assets of its folder alone,
never on what was on disk before: two pulls of one instance are alike.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

K = TypeVar("K", bound="tuple[int | str, ...]")

# Of one path component; file systems take 255 bytes, and we append an id, the kind, the version and an ending.
BASE_BYTES_MAX = 120
HASH_DIGITS = 8
# What Windows, shells or we ourselves give a meaning to.
SPECIAL = frozenset('<>:"/\\|?*%~')
# Without an ending or with one, in any case. https://learn.microsoft.com/windows/win32/fileio/naming-a-file
DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in (*"0123456789", "\u00b9", "\u00b2", "\u00b3")]
)
EMPTY = "%"  # no other name becomes this: what begins an escape has two digits
JOINER = "\u200d"  # holds the parts of an emoji together


def safe(name: str, *, dots: bool = True) -> str:
    """`name` as one component of a path: at most BASE_BYTES_MAX bytes, and not the name of anything else.

    Without `dots` none is left as it is: a folder's name then never looks like the name of one of our files.

    Names that differ in more than the composition of accents become different texts; `apart` sees to the others, and
    to those that differ only in case.
    """
    composed = unicodedata.normalize("NFC", name)
    unsafe = "" if dots else "."
    letters = [escaped(each) if is_unsafe(each) or each in unsafe else each for each in composed]
    for place in (0, -1):
        if letters and composed[place] in " .":
            letters[place] = escaped(composed[place])
    if composed.partition(".")[0].rstrip(" ").casefold() in DEVICES:
        letters[0] = escaped(composed[0])
    return cut(letters, composed) if letters else EMPTY


def escaped(letter: str) -> str:
    """A letter as its UTF-8 bytes, each as `%XX`."""
    return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogatepass"))


def is_unsafe(letter: str) -> bool:
    """Whether a letter cannot stand in a file's name as it is: special, unseen, or of no script yet."""
    return letter in SPECIAL or (letter != JOINER and unicodedata.category(letter) in UNSEEN)


# Controls, formats (of which some turn the reading direction), surrogates, private and unassigned, line ends.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def cut(letters: Sequence[str], name: str) -> str:
    """The letters, or as many of them as fit with a hash of the `name` that they stand for."""
    text = "".join(letters)
    if len(text.encode()) <= BASE_BYTES_MAX:
        return text
    ends = accumulate(len(letter.encode()) for letter in letters)
    kept = sum(end <= BASE_BYTES_MAX - HASH_DIGITS - 1 for end in ends)
    return f"{''.join(letters[:kept])}~{digest(name)}"


def digest(text: str) -> str:
    """A few digits that stand for a text of any length."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]


def alike(text: str) -> str:
    """What a file system that minds neither case nor composition makes of a name: equal for those it takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def apart(named: Mapping[K, str], *, besides: Iterable[str] = ()) -> dict[K, str]:
    """Tell safe names of one folder apart: by their key, which orders them by age, the name that each gets.

    Of those that are alike the first keeps its own, and the others get the last part of their key besides, or a hash of
    it where it is a text of Marketo's. None gets one that is among `besides`.
    """
    taken = {alike(text) for text in besides}
    found: dict[K, str] = {}
    for key in sorted(named, key=order):
        text = named[key]
        while alike(text) in taken:
            text = f"{text}~{mark(key[-1])}"
        taken.add(alike(text))
        found[key] = text
    return found


def mark(identity: int | str) -> str:
    """An id as a part of a name: as it is when that is short and plain, else a hash of it."""
    stated = str(identity)
    return stated if re.fullmatch(r"[a-z0-9]{1,20}", stated, re.ASCII) else digest(stated)


def order(key: Iterable[int | str]) -> tuple[tuple[int, int | str], ...]:
    """A key to sort by, whether ids are numbers or texts."""
    return tuple((0, each) if isinstance(each, int) else (1, each) for each in key)

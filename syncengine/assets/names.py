"""A name of Marketo's as a name that every file system takes, and several of them in one folder without a clash.

Theory of operation. Marketo's names hold anything: slashes, dots, devices of Windows, 300 characters. What a file
system, Git or a shell could trip over is written as `%XX`, byte by byte of UTF-8, and so is `%` itself: two different
names stay different. `~` is written so too, which keeps it free for us: a name that is too long ends with `~` and a
hash, and of several that a file system could take for the same (it may ignore case and the way in which accents are
composed) all but the oldest end with `~` and their id. What a name becomes depends on the assets of its folder alone,
never on what was on disk before: two pulls of one instance are alike.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
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
    letters = [escaped(letter) if is_unsafe(letter) or letter in unsafe else letter for letter in composed]
    for place in (0, -1):
        if letters and composed[place] in " .":
            letters[place] = escaped(composed[place])
    if composed.partition(".")[0].rstrip(" ").casefold() in DEVICES:
        letters[0] = escaped(composed[0])
    return cut("".join(letters), composed) if letters else EMPTY


def escaped(letter: str) -> str:
    """A letter as its UTF-8 bytes, each as `%XX`."""
    return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogatepass"))


def is_unsafe(letter: str) -> bool:
    """Whether a letter cannot stand in a file's name as it is: special, unseen, or of no script yet."""
    return letter in SPECIAL or (letter != JOINER and unicodedata.category(letter) in UNSEEN)


# Controls, formats (of which some turn the reading direction), surrogates, private and unassigned, line ends.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def cut(text: str, name: str) -> str:
    """`text`, or as much of it as fits with a hash of the `name` that it stands for; nothing is cut in two."""
    if len(text.encode()) <= BASE_BYTES_MAX:
        return text
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]
    room = BASE_BYTES_MAX - HASH_DIGITS - 1
    head = text.encode()[:room].decode(errors="ignore")
    if "%" in head[-2:]:
        head = head[: head.rindex("%")]
    return f"{head}~{digest}"


def alike(text: str) -> str:
    """What a file system that minds neither case nor composition makes of a name: equal for those it takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def apart(named: Mapping[K, str], *, besides: Iterable[str] = ()) -> dict[K, str]:
    """Tell safe names of one folder apart: by their key, which orders them by age, the name that each gets.

    Of those that are alike the first keeps its own, and the others get the last part of their key besides. None gets
    one that is among `besides`.
    """
    taken = {alike(text) for text in besides}
    found: dict[K, str] = {}
    for key in sorted(named, key=order):
        text = named[key]
        while alike(text) in taken:
            text = f"{text}~{key[-1]}"
        taken.add(alike(text))
        found[key] = text
    return found


def order(key: Iterable[int | str]) -> tuple[tuple[int, int | str], ...]:
    """A key to sort by, whether ids are numbers or texts."""
    return tuple((0, each) if isinstance(each, int) else (1, each) for each in key)

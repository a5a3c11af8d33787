"""Versions of assets as the lists and the folder have them, and names that are out to break something."""

import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from hypothesis import strategies as st

from syncengine.assets.documents import Document, FileBody, Key, Listed, Place, listed
from syncengine.assets.entry import Entry, entry_of
from syncengine.assets.kind import Version
from syncengine.assets.kinds import KINDS
from syncengine.assets.marker import claim
from syncengine.assets.tree import Tree

ADDRESS = "https://123-abc-456.mktorest.example"
SAVED = "2026-02-01T08:00:00Z+0000"
HOME = Place("Folder", 5)
LETTERS = (
    "ab.~% /\\:*?\"<>|'AB\u00df\u0131\u0130\u017f\ufb01e\u0301\u00e9\u0345\u212a\U0001f600\u200d\u202e\ud800\x00\n"
)
PIECES = (
    *LETTERS,
    *("..", "../", "CON", "con.", "nul", "LPT1", "com\u00b9", "conin$", "%41", ".email.", ".EMAIL.json", ".form"),
    *(".draft", "_instance", "_unfiled", ".git", ".syncengine-tmp", "~1", "a" * 60, "\u00e9" * 31, "\U0001f600" * 15),
)
# Texts of anything, and texts that are likely to meet each other or a rule.
HOSTILE = st.text(st.characters(exclude_categories=()), max_size=40) | st.lists(
    st.sampled_from(PIECES), max_size=5
).map("".join)


def same_for_a_disk(text: str) -> str:
    """What names have in common that a file system may take for one: the caseless match that Unicode defines."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())


def seen(
    kind: str = "email",
    identity: int | str = 1,
    version: Version | None = None,
    *,
    name: str = "Welcome",
    home: Place | None = HOME,
    **more: Any,
) -> Listed:
    """A version as its list says it; `more` are members of its row."""
    known = KINDS[kind]
    row: dict[str, Any] = {known.id: identity, "updatedAt": SAVED}
    row.setdefault(known.shown, name)
    if home is not None:
        row["parent" if kind == "folder" else "folder"] = {"type": home.type, "id": home.id, "folderName": "Its name"}
    return listed(known, known.statuses[0] if version is None else version, row | more)


def document(
    kind: str = "email",
    identity: int | str = 1,
    version: Version | None = None,
    *,
    html: str | None = None,
    parts: Mapping[str, Any] | None = None,
    unavailable: Mapping[str, str] | None = None,
    body: FileBody | None = None,
    **more: Any,
) -> Document:
    """A version with what was asked of it; `more` goes to its list."""
    return Document(seen(kind, identity, version, **more), parts or {}, html, unavailable or {}, body)


def entry(of: Document, path: str = "Here/Welcome.email") -> Entry:
    """A version as it lies at a path."""
    return entry_of(of, PurePosixPath(path))


def ours(root: Path) -> Tree:
    """A folder of assets."""
    claim(root, "acme", ADDRESS)
    return Tree(root)


def by_key(*entries: Entry) -> dict[Key, Entry]:
    """A state of a folder."""
    return {each.key: each for each in entries}


def laid(tree: Tree, *what: tuple[str, Document]) -> dict[Key, Entry]:
    """Documents written to their paths, and the state of the folder that they make."""
    for path, each in what:
        tree.write(PurePosixPath(path), each)
    return by_key(*(entry(each, path) for path, each in what))


def files_of(tree: Tree, but: Callable[[str], bool] = lambda _: False) -> dict[str, bytes]:
    """Everything in a folder, by path."""
    found = {path.relative_to(tree.root).as_posix(): path for path in tree.root.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in sorted(found.items()) if not but(name)}

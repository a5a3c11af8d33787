"""A change in words: which members of an asset differ, and which lines of its files.

The lines are those of a unified diff, of the JSON without what the change says already (its name, where it lies, when
it was saved), then of the HTML.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from syncengine.asset_reports import AssetChange
from syncengine.assets.changes import ADDED, REMOVED, Change
from syncengine.assets.documents import Document, ordered
from syncengine.assets.entry import Entry
from syncengine.assets.tree import Tree

CONTEXT_LINES = 3
# Of two texts that have little in common a line by line comparison takes for ever, and nobody reads it.
LINES_MAX = 20_000
# Said by the change itself, or following from it.
SAID = frozenset({"updatedAt", "folder", "parent"})


def in_words(change: Change) -> AssetChange:
    """A change without its lines."""
    before, after = change.before, change.after
    versions = dict.fromkeys(entry.key.version for entry in (*before, *after) if entry.key.version)
    return AssetChange(
        kind=change.asset.kind,
        id=change.asset.id,
        name=change.name,
        what=change.what,
        path=str(change.is_now.path) if change.is_now else "",
        path_before=str(change.was.path) if change.was else "",
        versions=tuple(versions),
    )


def with_lines(change: Change, before: Tree, after: Tree) -> AssetChange:
    """A change with the members and lines that differ; it blocks. Raises StateUnusable for files that changed."""
    told = in_words(change)
    if change.what in ((ADDED,), (REMOVED,)):
        return told
    fields: dict[str, None] = {}
    lines: list[str] = []
    for version in told.versions or ("",):
        old, new = _of(change.before, version), _of(change.after, version)
        was = before.read(old) if old else None
        is_now = after.read(new) if new else None
        for name in _fields(was, is_now, version):
            fields.setdefault(name)
        lines += _lines(was, is_now, old, new)
    return AssetChange(
        told.kind,
        told.id,
        told.name,
        told.what,
        told.path,
        told.path_before,
        told.versions,
        tuple(fields),
        tuple(lines),
    )


def _of(entries: Sequence[Entry], version: str) -> Entry | None:
    return next((entry for entry in entries if entry.key.version == version), None)


def _fields(was: Document | None, is_now: Document | None, version: str) -> Iterator[str]:
    """Members that differ, by name; a version that came or went as a whole."""
    if was is None or is_now is None:
        yield f"{version} version {'removed' if is_now is None else 'added'}"
        return
    for name in sorted({*was.listed.row, *is_now.listed.row} - SAID):
        if was.listed.row.get(name) != is_now.listed.row.get(name):
            yield name
    for name in sorted({*was.parts, *is_now.parts}):
        if was.parts.get(name) != is_now.parts.get(name):
            yield name
    if was.html != is_now.html:
        yield "html"


def _lines(was: Document | None, is_now: Document | None, old: Entry | None, new: Entry | None) -> Iterator[str]:
    names = [f"a/{old.path}" if old else "/dev/null", f"b/{new.path}" if new else "/dev/null"]
    yield from _unified(_text(was), _text(is_now), [f"{name}.json" if "/dev" not in name else name for name in names])
    htmls = [document.html or "" if document else "" for document in (was, is_now)]
    yield from _unified(htmls[0], htmls[1], [f"{name}.html" if "/dev" not in name else name for name in names])


def _unified(before: str, after: str, names: Sequence[str]) -> Iterator[str]:
    old, new = before.splitlines(), after.splitlines()
    if old == new:
        return
    if len(old) + len(new) > LINES_MAX:
        yield f"{names[0]} and {names[1]} differ: too long to be shown"
        return
    yield from difflib.unified_diff(old, new, names[0], names[1], n=CONTEXT_LINES, lineterm="")


def _text(document: Document | None) -> str:
    if document is None:
        return ""
    row: Mapping[str, Any] = {name: value for name, value in document.listed.row.items() if name not in SAID}
    whole = {"asset": ordered(row), "content": ordered(document.parts)}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode()

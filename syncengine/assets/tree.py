"""The folder on disk: what lies in it, and how it changes so that no crash leaves a half-written file.

Theory of operation. Each file says itself which version of which asset it is, so that nothing is lost when it lies in
the wrong place: a scan finds it wherever it is, and the pull moves it. Bytes come to their place by a rename, after
they are on disk: the HTML of an asset and the bytes of a file first, then the JSON that names their hashes. A JSON that
was cut short, or changed by hand, is not what its own hash says, and is fetched again.

In a folder that is ours, names of the form `*.KIND.json` and `*.KIND.html` are, and `*.file.*`. Whatever else lies
there is never touched, nor are folders whose name begins with a dot and those that have a marker of their own.

Everything here blocks, and is called in a thread.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from secrets import token_hex
from typing import Any

import orjson

from syncengine.assets import disk
from syncengine.assets.disk import WORKSHOP, bytes_of, on_disk
from syncengine.assets.documents import Document, FileBody, Key, as_html, as_json, from_json, is_ending
from syncengine.assets.entry import Entry, entry_of
from syncengine.assets.kinds import FILE, KINDS
from syncengine.assets.marker import MARKER
from syncengine.errors import StateUnusable

OURS = re.compile(
    rf".*\.(?:({'|'.join(map(re.escape, KINDS))})(?:\.draft)?\.(?:json|html)|({FILE})\.[a-z0-9]{{1,5}})", re.DOTALL
)
JSON, HTML = ".json", ".html"


class Tree:
    """One folder of assets."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._left: set[Path] = set()  # folders that something was taken out of: they may be empty now

    def scan(self, spoilt: list[PurePosixPath] | None = None) -> dict[Key, Entry]:
        """All versions that lie in the folder, whole ones only; of two copies, the one first found by path.

        Files that are not what they say are added to `spoilt`. Raises StateUnusable for a link in the folder's place.
        """
        found: dict[Key, Entry] = {}
        with on_disk(self.root):
            for path in self._files():
                if path.suffix != JSON:
                    continue
                stem = self._stem(path)
                try:
                    entry = entry_of(self._read(stem), stem)
                except ValueError:
                    if spoilt is not None:
                        spoilt.append(PurePosixPath(*path.relative_to(self.root).parts))
                    continue
                found.setdefault(entry.key, entry)
        return found

    def read(self, entry: Entry) -> Document:
        """The version that lies at an entry; raises StateUnusable when it is not there any more as it was."""
        with on_disk(self.root):
            try:
                return self._read(entry.path)
            except ValueError as error:
                raise StateUnusable(
                    f"{self._file(entry.path, JSON)} was changed by somebody while it was being worked with.",
                    advice="Run the command again.",
                ) from error

    def write(self, path: PurePosixPath, document: Document, part: Path | None = None) -> bool:
        """Put a version to its place, with its file's bytes from `part`; False when exactly it lay there already.

        What lay there is left alone then, down to the time of its last change.
        """
        body, html = as_json(document), None if document.html is None else as_html(document.html)
        json_file, html_file = self._file(path, JSON), self._file(path, HTML)
        with on_disk(self.root):
            if part is None and bytes_of(json_file) == body and bytes_of(html_file) == html:
                return False
            json_file.parent.mkdir(parents=True, exist_ok=True)
            ending = document.bytes.ending if document.bytes else ""
            for other in set(self._announced(path)) - {JSON, HTML, ending}:
                self._file(path, other).unlink(missing_ok=True)
            if part is not None:
                disk.sync(part)
                part.replace(self._file(path, ending))
            if html is None:
                html_file.unlink(missing_ok=True)  # first: a JSON that has lost its HTML is fetched again
            else:
                disk.replace(self.root, html_file, html)
            disk.replace(self.root, json_file, body)
            return True

    def move(self, moves: Mapping[PurePosixPath, PurePosixPath]) -> None:
        """Move versions from their paths to others, all at once: paths may be exchanged among them."""
        with on_disk(self.root):
            taken = set(moves)
            aside: dict[PurePosixPath, PurePosixPath] = {}
            for before, after in moves.items():
                if after in taken:
                    staged = PurePosixPath(WORKSHOP, f"{token_hex(4)}-{before.name}")
                    disk.workshop(self.root)
                    self._rename(before, staged)
                    aside[staged] = after
                else:
                    self._rename(before, after)
            for staged, after in aside.items():
                self._rename(staged, after)

    def remove(self, path: PurePosixPath) -> None:
        """Remove a version: its JSON first, for what lies beside it is nothing without it."""
        with on_disk(self.root):
            for ending in self._announced(path):
                self._file(path, ending).unlink(missing_ok=True)
            self._left.add(self._file(path, JSON).parent)

    def tidy(self, kept: Mapping[Key, PurePosixPath], kinds: Collection[str] = KINDS) -> None:
        """Remove what belongs to no version of these kinds that is kept, and folders that became empty.

        What was written is durable after it.
        """
        stems = set(kept.values())
        with on_disk(self.root):
            for path in self._files():
                if kind_of(path) not in kinds:
                    continue
                stem = self._stem(path)
                if stem not in stems or (path.suffix != JSON and path.suffix not in self._announced(stem)):
                    path.unlink(missing_ok=True)
                    self._left.add(path.parent)
            if (workshop := self.root / WORKSHOP).exists():
                for left in workshop.iterdir():
                    left.unlink()
                workshop.rmdir()
            for folder in sorted(self._left, key=lambda each: len(each.parts), reverse=True):
                self._clear(folder)
            for folder in {self._file(stem, JSON).parent for stem in stems} | {self.root}:
                if folder.exists():
                    disk.sync(folder)

    def copy_to(self, root: Path) -> None:
        """Make a copy of what is ours, by links where the disk allows it: files are only ever replaced as a whole."""
        with on_disk(self.root), on_disk(root):
            for path in [self.root / MARKER, *self._files()]:
                target = root / path.relative_to(self.root)
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(path, target)
                except OSError:
                    target.write_bytes(path.read_bytes())

    def file(self, path: PurePosixPath, ending: str) -> Path:
        """The file of a version that has this ending."""
        return self._file(path, ending)

    def _read(self, stem: PurePosixPath) -> Document:
        document = from_json(self._file(stem, JSON).read_bytes(), bytes_of(self._file(stem, HTML)))
        if document.bytes is not None and not self._lies_there(stem, document.bytes):
            return replace(document, bytes=None)
        return document

    def _lies_there(self, stem: PurePosixPath, body: FileBody) -> bool:
        try:
            return self._file(stem, body.ending).stat().st_size == body.size
        except FileNotFoundError:
            return False

    def _files(self) -> Iterator[Path]:
        for folder, inside, names in os.walk(self.root):
            here = Path(folder)
            if here != self.root and MARKER in names:
                inside[:] = []  # of another instance
                continue
            inside[:] = sorted(name for name in inside if not name.startswith(".") or name == WORKSHOP)
            for name in inside:
                if (here / name).is_symlink():
                    raise StateUnusable(
                        f"{here / name} is a link: what is pulled would lie elsewhere.",
                        advice="Put a folder in its place, or give it a name that begins with a dot.",
                    )
            yield from (here / name for name in sorted(names) if OURS.fullmatch(name))

    def _stem(self, path: Path) -> PurePosixPath:
        return PurePosixPath(*path.relative_to(self.root).with_suffix("").parts)

    def _file(self, stem: PurePosixPath, ending: str) -> Path:
        return self.root.joinpath(*stem.parent.parts, stem.name + ending)

    def _rename(self, before: PurePosixPath, after: PurePosixPath) -> None:
        self._file(after, JSON).parent.mkdir(parents=True, exist_ok=True)
        own = self._announced(before)
        for ending in set(self._announced(after)) - set(own):
            self._file(after, ending).unlink(missing_ok=True)  # of whatever lay there before
        for ending in reversed(own):
            with suppress(FileNotFoundError):
                self._file(before, ending).replace(self._file(after, ending))
        self._left.add(self._file(before, JSON).parent)

    def _announced(self, stem: PurePosixPath) -> tuple[str, ...]:
        """The endings of the files that a version has, that of the JSON first; what cannot be read may have HTML."""
        try:
            stated: Any = orjson.loads(bytes_of(self._file(stem, JSON)) or b"")
        except ValueError:
            return (JSON, HTML)
        if not isinstance(stated, dict):
            return (JSON, HTML)
        body = stated.get("bytes")
        ending = body.get("ending") if isinstance(body, dict) else None
        return (JSON, *([HTML] if "html" in stated else []), *([str(ending)] if is_ending(ending) else []))

    def _clear(self, folder: Path) -> None:
        """Remove a folder that is empty, and those above it that are then."""
        while folder != self.root and self.root in folder.parents:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def kind_of(path: Path) -> str:
    """The kind in the name of one of our files; empty for others."""
    found = OURS.fullmatch(path.name)
    return "" if found is None else found[1] or found[2]


def bytes_ending(name: str) -> str:
    """The ending under which the bytes of a file lie: its own, if it has a common one."""
    ending = PurePosixPath(name).suffix.lower()
    return ending if is_ending(ending) and ending not in {JSON, HTML} else ".bin"

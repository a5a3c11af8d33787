"""The folder on disk: what lies in it, and how it changes so that no crash leaves a half-written file.

Theory of operation. A marker file says that the folder is ours and whose assets it holds; a folder with anything else
in it and no marker is refused. Each file says itself which version of which asset it is, so that nothing is lost when
it lies in the wrong place: a scan finds it wherever it is, and the pull moves it. Bytes come to their place by a
rename, after they are on disk; the HTML of an asset first, then the JSON that names its hash. In a folder that is ours,
all names of the form `*.KIND.json` (or .html and so on) are; whatever else lies there is never touched.

Everything here blocks, and is called in a thread.
"""

import errno
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path, PurePosixPath
from secrets import token_hex

import orjson

from syncengine.assets.documents import FORMAT, Document, Key, Place, as_html, as_json, core_sha256, from_json
from syncengine.assets.kinds import FILE, KINDS
from syncengine.errors import ConfigError, NoSpace, StateUnusable

MARKER = ".syncengine-assets.json"
WORKSHOP = ".syncengine-tmp"
OURS = re.compile(rf".*\.({'|'.join(map(re.escape, KINDS))})(\.draft)?\.[a-z0-9]{{1,5}}", re.DOTALL)
TEXTS = (".html", ".json")
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Entry:
    """One version as it lies on disk, or as it is about to; `path` has no ending.

    `sha256` is the JSON file's, which names the HTML's. `core` is a hash of what the version is, whatever it is called
    and wherever it lies. `size` is that of a file's bytes, where they lie beside it.
    """

    key: Key
    path: PurePosixPath
    name: str
    home: Place | None
    updated: str
    row_sha256: str
    core_sha256: str
    sha256: str
    size: int | None = None


def entry_of(document: Document, path: PurePosixPath, size: int | None = None) -> Entry:
    """What an entry says of a document."""
    listed = document.listed
    return Entry(
        key=listed.key,
        path=path,
        name=listed.name,
        home=listed.home,
        updated=listed.updated,
        row_sha256=listed.sha256,
        core_sha256=core_sha256(document),
        sha256=hashlib.sha256(as_json(document)).hexdigest(),
        size=size,
    )


class Tree:
    """One folder of assets."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def claim(self, instance: str, origin: str, *, write: bool = True) -> None:
        """Make sure that the folder is this instance's; one that is empty or not there becomes it, if `write`.

        Raises ConfigError for a folder that is somebody else's, or is no folder.
        """
        mine = {"format": FORMAT, "instance": instance, "origin": origin}
        with self._disk():
            if self.root.exists() and not self.root.is_dir():
                raise ConfigError(f"{self.root} is a file", advice="Name a folder for the assets.")
            marker = self.root / MARKER
            if marker.is_file():
                self._check(marker, mine)
                return
            # A repository of Git that has just been made is as good as empty, and so is what a crash left right here.
            others = [path.name for path in self.root.iterdir()] if self.root.exists() else []
            if foreign := sorted(name for name in others if not name.startswith(".git") and name != WORKSHOP):
                raise ConfigError(
                    f"{self.root} holds {foreign[0]} and is no folder of assets: it has no {MARKER}",
                    advice="Name an empty folder, or one that does not exist yet.",
                )
            if not write:
                raise ConfigError(
                    f"{self.root} is no folder of assets: it has no {MARKER}",
                    advice=f"Make one: syncengine assets pull {self.root}",
                )
            self.root.mkdir(parents=True, exist_ok=True)
            self._replace(marker, orjson.dumps(mine, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
            self._sync(self.root)

    def owner(self) -> Mapping[str, object]:
        """What the marker says; raises ConfigError where there is none."""
        marker = self.root / MARKER
        with self._disk():
            if not marker.is_file():
                raise ConfigError(
                    f"{self.root} is no folder of assets: it has no {MARKER}",
                    advice=f"Make one: syncengine assets pull {self.root}",
                )
            return self._read_marker(marker)

    def scan(self) -> dict[Key, Entry]:
        """All versions that lie in the folder, whole ones only; of two copies, the one first found by path."""
        found: dict[Key, Entry] = {}
        with self._disk():
            for path in self._files():
                if path.suffix != ".json":
                    continue
                stem = self._stem(path)
                try:
                    entry = entry_of(self._read(stem), stem, self._size(stem))
                except ValueError:
                    continue  # cut short, or changed by hand: it is fetched again
                found.setdefault(entry.key, entry)
        return found

    def read(self, entry: Entry) -> Document:
        """The version that lies at an entry; raises StateUnusable when it is not there any more as it was."""
        with self._disk():
            try:
                return self._read(entry.path)
            except ValueError as error:
                raise StateUnusable(
                    f"{self._file(entry.path, '.json')} was changed by somebody while it was being worked with.",
                    advice="Run the command again.",
                ) from error

    def write(self, path: PurePosixPath, document: Document) -> bool:
        """Put a version to its place; False when exactly these bytes lay there, which are left alone."""
        body, html = as_json(document), None if document.html is None else as_html(document.html)
        json_file, html_file = self._file(path, ".json"), self._file(path, ".html")
        with self._disk():
            if _bytes_of(json_file) == body and _bytes_of(html_file) == html:
                return False
            json_file.parent.mkdir(parents=True, exist_ok=True)
            if html is None:
                html_file.unlink(missing_ok=True)  # first: a JSON that has lost its HTML is fetched again
            else:
                self._replace(html_file, html)
            self._replace(json_file, body)
            return True

    def adopt(self, part: Path, path: PurePosixPath, name: str) -> None:
        """Take the bytes of a file in `part` to their place beside the version; `name` gives them their ending."""
        with self._disk():
            ending = bytes_ending(name)
            self._file(path, ending).parent.mkdir(parents=True, exist_ok=True)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(self._file(path, ending))
            for other in self._endings(path):
                if other not in (ending, *TEXTS):
                    self._file(path, other).unlink(missing_ok=True)

    def move(self, moves: Mapping[PurePosixPath, PurePosixPath]) -> None:
        """Move versions from their paths to others, all at once: paths may be exchanged among them."""
        with self._disk():
            taken = set(moves)
            aside: dict[PurePosixPath, PurePosixPath] = {}
            for before, after in moves.items():
                if after in taken:
                    staged = PurePosixPath(WORKSHOP, f"{token_hex(4)}-{before.name}")
                    self._rename(before, staged)
                    aside[staged] = after
                else:
                    self._rename(before, after)
            for staged, after in aside.items():
                self._rename(staged, after)

    def remove(self, path: PurePosixPath) -> None:
        """Remove a version: its JSON first, for what lies beside it is nothing without it."""
        with self._disk():
            for ending in reversed(self._endings(path)):
                self._file(path, ending).unlink(missing_ok=True)

    def tidy(self, kept: Mapping[Key, PurePosixPath]) -> None:
        """Remove what is ours and belongs to no version that is kept, and empty folders; make the rest durable."""
        stems = set(kept.values())
        with self._disk():
            for path in self._files():
                stem = self._stem(path)
                if stem not in stems or (path.suffix == ".html" and not self._has_html(stem)):
                    path.unlink(missing_ok=True)
            for folder, _, _ in os.walk(self.root, topdown=False):
                path = Path(folder)
                if path == self.root or ".git" in path.relative_to(self.root).parts:
                    continue
                if path.name == WORKSHOP:
                    for left in path.iterdir():
                        left.unlink()
                with suppress(OSError):
                    path.rmdir()  # refused unless it is empty
                    continue
                self._sync(path)
            self._sync(self.root)

    def file(self, path: PurePosixPath, ending: str) -> Path:
        """The file of a version that has this ending."""
        return self._file(path, ending)

    def workshop(self) -> Path:
        """A folder on the same disk for what is not whole yet."""
        folder = self.root / WORKSHOP
        with self._disk():
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                (folder / ".gitignore").write_text("*\n")  # what a pull that died has left is not for Git
        return folder

    def _read(self, stem: PurePosixPath) -> Document:
        return from_json(self._file(stem, ".json").read_bytes(), _bytes_of(self._file(stem, ".html")))

    def _files(self) -> Iterator[Path]:
        for folder, inside, names in os.walk(self.root):
            inside[:] = sorted(name for name in inside if name != ".git")
            yield from (Path(folder, name) for name in sorted(names) if OURS.fullmatch(name))

    def _stem(self, path: Path) -> PurePosixPath:
        return PurePosixPath(*path.relative_to(self.root).with_suffix("").parts)

    def _file(self, stem: PurePosixPath, ending: str) -> Path:
        return self.root.joinpath(*stem.parent.parts, stem.name + ending)

    def _rename(self, before: PurePosixPath, after: PurePosixPath) -> None:
        self._file(after, ".json").parent.mkdir(parents=True, exist_ok=True)
        for ending in dict.fromkeys((*self._endings(after), *self._endings(before))):
            if (source := self._file(before, ending)).exists():
                source.replace(self._file(after, ending))
            else:
                self._file(after, ending).unlink(missing_ok=True)  # of whatever lay there before

    def _has_html(self, stem: PurePosixPath) -> bool:
        stated = orjson.loads(_bytes_of(self._file(stem, ".json")) or b"{}")
        return isinstance(stated, dict) and "html" in stated

    def _endings(self, stem: PurePosixPath) -> tuple[str, ...]:
        """The endings that a version's files may have, that of the JSON last."""
        if not stem.name.endswith(f".{FILE}"):
            return TEXTS
        folder = self._file(stem, "").parent
        found = [path.suffix for path in folder.glob(f"{escape(stem.name)}.*") if path.stem == stem.name]
        return (*(ending for ending in found if ending not in TEXTS), *TEXTS)

    def _size(self, stem: PurePosixPath) -> int | None:
        return next((self._file(stem, each).stat().st_size for each in self._endings(stem) if each not in TEXTS), None)

    def _replace(self, path: Path, body: bytes) -> None:
        part = self.workshop() / f"{token_hex(8)}.part"
        with part.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    def _sync(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _check(self, marker: Path, mine: Mapping[str, object]) -> None:
        stated = self._read_marker(marker)
        if stated.get("format") != FORMAT:
            raise ConfigError(
                f"{self.root} was written by another version of syncengine (format {stated.get('format')})",
                advice="Pull into a new folder, or update syncengine.",
            )
        if stated != mine:
            raise ConfigError(
                f"{self.root} holds the assets of {stated.get('instance')!r} at {stated.get('origin')}",
                advice="Name another folder for this instance.",
            )

    def _read_marker(self, marker: Path) -> Mapping[str, object]:
        try:
            stated = orjson.loads(marker.read_bytes())
        except ValueError:
            stated = None
        if not isinstance(stated, dict):
            raise ConfigError(
                f"{marker} cannot be read", advice="Restore it, from Git perhaps, or pull into a new folder."
            )
        return stated

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in NO_ROOM:
                raise NoSpace(
                    f"No room on the disk that holds {self.root}.",
                    advice="Free some room and run the same command again: it goes on where this one stopped.",
                ) from error
            is_too_long = error.errno == errno.ENAMETOOLONG
            raise StateUnusable(
                f"{error.filename or self.root} cannot be used: {error.strerror}.",
                advice="Pull into a folder with a shorter path."
                if is_too_long
                else f"Mend the permissions of {self.root}, or name another folder.",
            ) from error


def bytes_ending(name: str) -> str:
    """The ending under which the bytes of a file lie: its own, if it has a common one."""
    ending = PurePosixPath(name).suffix.lower()
    return ending if re.fullmatch(r"\.[a-z0-9]{1,5}", ending) and ending not in TEXTS else ".bin"


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None

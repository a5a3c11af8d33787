"""Where each asset lies: Marketo's folders and programs as folders on disk, and a name in them for every version.

A pure function of what the lists say. A folder's own file lies beside the folder, not in it; so does a program's.
What belongs to no folder (channels, tags, redirect rules) lies in INSTANCE, what lies in a folder that we cannot see in
UNFILED. Folders that contain each other, which Marketo cannot have, are unfiled too.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from syncengine.assets.documents import Asset, Key, Listed, Place
from syncengine.assets.kinds import KINDS
from syncengine.assets.names import alike, apart, safe

INSTANCE = "_instance"
UNFILED = "_unfiled"


@dataclass(frozen=True, slots=True)
class Node:
    """A folder or program of the tree."""

    name: str
    parent: Place | None


class Places:
    """The folders on disk, by what they stand for."""

    def __init__(self, nodes: Mapping[Place, Node]) -> None:
        self._folders: dict[Place, PurePosixPath] = {}
        children: dict[Place | None, dict[tuple[str, int], Node]] = defaultdict(dict)
        for place, node in nodes.items():
            parent = node.parent if node.parent in nodes else None
            is_lost = node.parent is not None and parent is None
            children[LOST if is_lost else parent][place.type, place.id] = node
        waiting = [(None, PurePosixPath()), (LOST, PurePosixPath(UNFILED))]
        while waiting:
            parent, path = waiting.pop()
            inside = children.pop(parent, {})
            besides = (INSTANCE, UNFILED) if parent is None else ()
            named = apart({key: folder_name(node.name) for key, node in inside.items()}, besides=besides)
            for (kind, number), name in named.items():
                place = Place("Program" if kind == "Program" else "Folder", number)
                self._folders[place] = path / name
                waiting.append((place, path / name))
        self._known = frozenset(nodes)

    def folder(self, home: Place | None) -> PurePosixPath:
        """The folder on disk of what lies in `home`."""
        if home is None:
            return PurePosixPath(INSTANCE)
        other = Place("Folder" if home.type == "Program" else "Program", home.id)
        # Segmentations say that their folder is a program.
        found = self._folders.get(home) or (self._folders.get(other) if home not in self._known else None)
        return found or PurePosixPath(UNFILED)

    def beside(self, home: Place | None) -> PurePosixPath:
        """The folder on disk of a folder's or program's own file: its parent's, the top for a root."""
        return PurePosixPath() if home is None else self.folder(home)

    def paths(self, listed: Iterable[Listed]) -> dict[Key, PurePosixPath]:
        """A path without ending for every version; those of one asset differ only in the version."""
        inside: dict[tuple[PurePosixPath, str], dict[tuple[int | str], str]] = defaultdict(dict)
        by_asset: dict[Asset, list[Listed]] = defaultdict(list)
        for each in listed:
            by_asset[each.key.asset].append(each)
        for asset, versions in by_asset.items():
            # What visitors see names the asset, and is where it lies.
            live = min(versions, key=lambda each: each.key.version == "draft")
            home = self.beside(live.home) if asset.kind == "folder" else self.folder(live.home)
            inside[home, asset.kind][asset.id,] = safe(live.name)
        return {
            each.key: folder / f"{name}.{kind}{'.draft' if each.key.version == 'draft' else ''}"
            for (folder, kind), named in inside.items()
            for (number,), name in apart(named).items()
            for each in by_asset[Asset(kind, number)]
        }


LOST = Place("Folder", -1)


def folder_name(name: str) -> str:
    """A folder's name, which must not be taken for the name of one of our files."""
    text = safe(name)
    looks_like_ours = any(f".{kind}." in f"{alike(text)}." for kind in KINDS)
    return safe(name, dots=False) if looks_like_ours else text

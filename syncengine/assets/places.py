"""Where each asset lies: Marketo's folders and programs as folders on disk, and a name in them for every version.

A pure function of what the lists say. A folder's own file lies beside the folder and has its name, and so does a
program's. Far down, where paths become too long for some systems, folders lie side by side and are called by their id.
What belongs to no folder (channels, tags, redirect rules) lies in INSTANCE, what lies in a folder that we cannot see in
UNFILED. Folders that contain each other, which Marketo cannot have, are unfiled too.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from syncengine.assets.documents import Asset, Key, Listed, Place, place_of
from syncengine.assets.kinds import KINDS
from syncengine.assets.names import alike, apart, safe

INSTANCE = "_instance"
UNFILED = "_unfiled"
# Some systems take 1,024 bytes for a whole path: this leaves room for where the folder lies, and for a file's name.
PATH_BYTES_MAX = 500


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
            children[parent_of(place, nodes)][place.type, place.id] = node
        waiting = [(None, PurePosixPath()), (LOST, PurePosixPath(UNFILED))]
        while waiting:
            parent, path = waiting.pop()
            inside = children.pop(parent, {})
            besides = (INSTANCE, UNFILED) if parent is None else ()
            named = apart({key: folder_name(node.name) for key, node in inside.items()}, besides=besides)
            for (kind, number), name in named.items():
                place = Place("Program" if kind == "Program" else "Folder", number)
                here = path / name
                if len(str(here).encode()) > PATH_BYTES_MAX:
                    # Side by side under the last that has its name: however deep they lie, paths grow no longer.
                    top = path.parent if path.name.startswith(DEEP) else path
                    here = top / f"{DEEP}{kind.lower()}-{number}"
                self._folders[place] = here
                waiting.append((place, here))
        self._known = frozenset(nodes)

    def folder(self, home: Place | None) -> PurePosixPath:
        """The folder on disk of what lies in `home`."""
        if home is None:
            return PurePosixPath(INSTANCE)
        other = Place("Folder" if home.type == "Program" else "Program", home.id)
        # Segmentations say that their folder is a program.
        found = self._folders.get(home) or (self._folders.get(other) if home not in self._known else None)
        return found or PurePosixPath(UNFILED)

    def paths(self, listed: Iterable[Listed]) -> dict[Key, PurePosixPath]:
        """A path without ending for every version; those of one asset differ only in the version."""
        inside: dict[tuple[PurePosixPath, str], dict[tuple[int | str], str]] = defaultdict(dict)
        by_asset: dict[Asset, list[Listed]] = defaultdict(list)
        bases: dict[Asset, PurePosixPath] = {}
        for each in listed:
            by_asset[each.key.asset].append(each)
        for asset, versions in by_asset.items():
            # What visitors see names the asset, and is where it lies.
            live = min(versions, key=lambda each: each.key.version == "draft")
            own = place_of(asset)
            if own is not None and own in self._folders:
                bases[asset] = self._folders[own]
            else:
                inside[self.folder(live.home), asset.kind][asset.id,] = safe(live.name)
        for (folder, kind), named in inside.items():
            bases |= {Asset(kind, number): folder / name for (number,), name in apart(named).items()}
        return {
            each.key: base.with_name(f"{base.name}.{asset.kind}{'.draft' if each.key.version == 'draft' else ''}")
            for asset, base in bases.items()
            for each in by_asset[asset]
        }


LOST = Place("Folder", -1)
DEEP = "~"  # no name begins so


def parent_of(place: Place, nodes: Mapping[Place, Node]) -> Place | None:
    """What a folder lies in: None for a root, LOST where that cannot be seen, or where folders contain each other."""
    parent = nodes[place].parent
    if parent is not None and parent not in nodes:
        return LOST
    seen, above = {place}, parent
    while above is not None and above in nodes and above not in seen:
        seen.add(above)
        above = nodes[above].parent
    return LOST if above in seen else parent


def folder_name(name: str) -> str:
    """A folder's name, which must not be taken for the name of one of our files."""
    text = safe(name)
    looks_like_ours = any(f".{kind}." in f"{alike(text)}." for kind in KINDS)
    return safe(name, dots=False) if looks_like_ours else text

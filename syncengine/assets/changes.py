"""What became of each asset between two states of a folder: added, removed, moved, renamed, changed.

Assets are told by kind and id, so that one that has another name, or lies elsewhere, is the same one. Each asset counts
once, whatever became of its versions.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from syncengine.assets.documents import Asset, Key
from syncengine.assets.entry import Entry

ADDED: Final = "added"
REMOVED: Final = "removed"
MOVED: Final = "moved"
RENAMED: Final = "renamed"
CHANGED: Final = "changed"
WHAT: Final = (ADDED, REMOVED, MOVED, RENAMED, CHANGED)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one asset: one of ADDED and REMOVED alone, or some of the others.

    `before` and `after` are its versions that differ; all of them where it is new or gone. `was` and `is_now` are what
    visitors saw of it and see, None where it was not there.
    """

    asset: Asset
    what: tuple[str, ...]
    before: tuple[Entry, ...]
    after: tuple[Entry, ...]
    was: Entry | None
    is_now: Entry | None

    @property
    def name(self) -> str:
        """What it is called now, or was."""
        return next(each.name for each in (self.is_now, self.was) if each is not None)

    @property
    def order(self) -> tuple[str, str]:
        """By kind, then by path."""
        return self.asset.kind, next(str(each.path) for each in (self.is_now, self.was) if each is not None)


def changes(before: Mapping[Key, Entry], after: Mapping[Key, Entry]) -> list[Change]:
    """All assets that differ, by kind, then by the path where they lie."""
    was, is_now = by_asset(before), by_asset(after)
    found = []
    for asset in {**was, **is_now}:
        old, new = was.get(asset, {}), is_now.get(asset, {})
        if what := became(old, new):
            same = {each for each in old if each in new and old[each] == new[each]}
            gone, come = (tuple(side[each] for each in sorted(side) if each not in same) for side in (old, new))
            found.append(Change(asset, what, gone, come, shown(tuple(old.values())), shown(tuple(new.values()))))
    return sorted(found, key=lambda each: each.order)


def became(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> tuple[str, ...]:
    """What became of the versions of one asset, in the order of WHAT; nothing when all is as it was."""
    if not old or not new:
        return (ADDED,) if new else (REMOVED,) if old else ()
    was, is_now = shown(tuple(old.values())), shown(tuple(new.values()))
    assert was is not None
    assert is_now is not None
    what = []
    if was.home != is_now.home:
        what.append(MOVED)
    if was.name != is_now.name:
        what.append(RENAMED)
    if {each: old[each].core_sha256 for each in old} != {each: new[each].core_sha256 for each in new}:
        what.append(CHANGED)
    if not what and {each: old[each].sha256 for each in old} != {each: new[each].sha256 for each in new}:
        what.append(CHANGED)  # saved again as it was
    return tuple(what)


def shown(versions: tuple[Entry, ...]) -> Entry | None:
    """Of an asset's versions the one that tells its name and place: what visitors see, else the draft."""
    return min(versions, key=lambda each: each.key.version == "draft", default=None)


def by_asset(entries: Mapping[Key, Entry]) -> dict[Asset, dict[str, Entry]]:
    """Versions by asset, then by version."""
    found: dict[Asset, dict[str, Entry]] = defaultdict(dict)
    for key, entry in entries.items():
        found[key.asset][key.version] = entry
    return dict(found)

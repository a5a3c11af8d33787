"""What the engine answers about marketing assets: what a pull did, would spend, and what is different.

Apart from the other reports, which are about rows; a sync that brings assets too has one of these in its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["done", "partial", "paused"]


@dataclass(frozen=True, slots=True)
class AssetKindReport:
    """One kind of asset in a pull: versions that are listed, and assets by what became of them.

    `fetched` versions were written with what Marketo gave; `unchanged` assets are the same as before.
    """

    kind: str
    versions: int
    fetched: int
    added: int
    changed: int
    moved: int
    renamed: int
    removed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class AssetChange:
    """What became of one asset: `what` holds "added" or "removed", or some of "moved", "renamed" and "changed".

    `path` is where it lies in the folder, `path_before` where it lay; without ending. `fields` are the members that
    differ, `diff` the lines of a unified diff of its files; only a comparison has them.
    """

    kind: str
    id: int | str
    name: str
    what: tuple[str, ...]
    path: str
    path_before: str
    versions: tuple[str, ...]
    fields: tuple[str, ...] = ()
    diff: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetsReport:
    """What a pull did. `partial`: the problems say what is missing; everything else is in the folder.

    `notes` are parts that Marketo does not give, which is no error. `files_bytes` are bytes of files, beside the calls.
    """

    folder: str
    outcome: Outcome
    calls: int
    calls_by_name: Mapping[str, int]
    seconds: float
    kinds: tuple[AssetKindReport, ...]
    changes: tuple[AssetChange, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    files_bytes: int = 0


@dataclass(frozen=True, slots=True)
class AssetKindPlan:
    """What a pull would do with one kind: versions listed, those to be fetched, and the calls for these."""

    kind: str
    versions: int
    due: int
    content_calls: int


@dataclass(frozen=True, slots=True)
class AssetsPlan:
    """What a pull would spend. To find out, `spent` calls were made: the lists, which the pull reads again.

    Dynamic content takes more calls, of which only the content tells. `seconds` at the rate that Marketo allows.
    """

    folder: str
    kinds: tuple[AssetKindPlan, ...]
    spent: int
    calls: int
    calls_left_today: int
    seconds: float
    problems: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetsDiff:
    """What is different between two states of an instance's assets, the older one first."""

    before: str
    after: str
    changes: tuple[AssetChange, ...]
    calls: int = 0
    problems: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything is different."""
        return bool(self.changes)

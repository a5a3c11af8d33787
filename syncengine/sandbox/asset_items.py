"""An asset and its versions as values; separate so that what makes, changes and shows them need not know each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from syncengine.sandbox.values import utc_formatter

CONTAINERS = ("folder", "program")
# Their approved and their draft version are read apart, the draft replaces the approved one when it is approved.
VERSIONED = ("email", "email-template", "landing-page", "landing-page-template", "form", "snippet")
V2_KINDS = ("email-v2", "email-template-v2", "fragment")
# The same things as rows of the tables that the lead database shows.
TABLE_KINDS = ("program", "smart-campaign", "static-list")
SEEDED_KINDS = (
    "email",
    "email-template",
    "landing-page",
    "landing-page-template",
    "redirect-rule",
    "form",
    "snippet",
    "file",
    "smart-list",
    "segmentation",
    *V2_KINDS,
)
# What the instance has of these follows from its set-up; nothing of them can be changed.
FIXED_KINDS = ("channel", "tag-type", "landing-page-domain")
KINDS = (*CONTAINERS, *FIXED_KINDS, *SEEDED_KINDS, "smart-campaign", "static-list")

_utc_text = utc_formatter()


class Place(NamedTuple):
    """A folder or a program, as parent of something."""

    kind: str
    id: int

    @property
    def type(self) -> str:
        """What the API calls the kind."""
        return self.kind.capitalize()

    def reference(self) -> dict[str, Any]:
        """The place as folders, campaigns and lists name it."""
        return {"id": self.id, "type": self.type}


def place_of(given: Mapping[str, Any]) -> Place:
    """The place that `{"type": ..., "id": ...}` names; raises ValueError for what is none."""
    kind = str(given["type"])
    if kind not in {"Folder", "Program"}:
        raise ValueError(f"a place is a Folder or a Program, not {kind!r}")
    return Place(kind.lower(), int(given["id"]))


@dataclass(slots=True)
class Version:
    """One state of an asset: all that it holds follows from `edits` and `text`, besides its asset."""

    updated: int
    text: str
    edits: int = 0

    def copied(self) -> "Version":
        """The same state, to be changed apart."""
        return Version(self.updated, self.text, self.edits)


@dataclass(slots=True)
class Asset:
    """One asset; `facts` are what its kind has beside, `versions` is {"": ...} for kinds without versions."""

    kind: str
    id: int
    name: str
    place: Place | None
    created: int
    versions: dict[str, Version]
    facts: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def shown(self) -> str:
        """The version that is shown when none is asked for: the approved one, if there is one."""
        return next(iter(sorted(self.versions)))

    @property
    def first_name(self) -> str:
        """What it was called when it was made, which addresses and kinds of files go by."""
        return str(self.facts.get("first_name", self.name))

    @property
    def as_place(self) -> Place:
        """A folder or program as parent of others."""
        return Place(self.kind, self.id)

    def rng(self, seed: int, about: str, version: str = "") -> Random:
        """Repeatable chance for one part of the asset; with a version it changes when that is edited."""
        edits = f"{version} {self.versions[version].edits}" if version in self.versions else ""
        return Random(f"{seed} {self.kind} {self.id} {about} {edits}")  # noqa: S311  # repeatable, not secret


def stamp(seconds: int) -> str:
    """Unix seconds as the Asset API writes them: 2016-02-25T18:36:58Z+0000."""
    return f"{_utc_text(seconds)}+0000"


def serial(index: int) -> int:
    """The id of a kind's asset: from 14 and from 4001 on by turns, so that ids of all kinds overlap, programs' too."""
    half, is_odd = divmod(index, 2)
    return 100_000 + index if half > 3_000 else 4_001 + half if is_odd else 14 + half

"""The seeded assets below folders and programs: how many of each kind, where, in which versions, of what they are made.

What one asset takes from another (its template, a form, a segmentation) is decided here and never looked up later: an
asset changes by its own changes alone.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from syncengine.sandbox.asset_items import SEEDED_KINDS, V2_KINDS, VERSIONED, Asset, Place, Version, serial
from syncengine.sandbox.asset_names import grouped_names
from syncengine.sandbox.asset_tree import IN_PROGRAMS, Ages
from syncengine.sandbox.hostile import HOSTILE_TEXTS
from syncengine.sandbox.options import SandboxOptions

# Parts of a thousand; what is left over are emails.
SHARES = {
    "email-template": 50,
    "landing-page": 140,
    "landing-page-template": 40,
    "redirect-rule": 40,
    "form": 120,
    "snippet": 80,
    "file": 140,
    "smart-list": 70,
    "segmentation": 15,
    "email-v2": 40,
    "email-template-v2": 20,
    "fragment": 25,
}
STATES = (("approved",), ("approved", "draft"), ("draft",))
HOSTNAMES = ("pages.example.com", "go.example.com", "info.example.org")
DOMAINS = tuple((name, "domain-alias" if place else "domain") for place, name in enumerate(HOSTNAMES))
SEGMENT_NAMES = ("North", "South, East", "West \u00d6", "Manufacturing", "Health care")
# Sizes of files in bytes: most are small, few are large or empty.
SIZES = (1, 70, 512, 4_096, 13_987)
# In every kind that programs hold, an asset from this number on has the name of the first program and lies in it.
NAMESAKE = 4
LARGE_EVERY, LARGE_BYTES = 97, 2_000_000


def counts_of(options: SandboxOptions) -> dict[str, int]:
    """How many assets of each seeded kind there are."""
    counts = {kind: options.assets * share // 1_000 for kind, share in SHARES.items()}
    if not options.assets_v2:
        counts |= dict.fromkeys(V2_KINDS, 0)
    return {"email": options.assets - sum(counts.values())} | counts


class Seeds:
    """Makes the assets; `programs` and `folders` are the places that they may lie in."""

    def __init__(self, options: SandboxOptions, folders: Sequence[Asset], programs: Sequence[Asset]) -> None:
        self._counts = counts_of(options)
        self._folders, self._programs = folders, programs
        self._options = options

    def assets(self) -> Iterator[Asset]:
        """All of them, kind by kind."""
        for number, kind in enumerate(SEEDED_KINDS):
            rng = Random(f"{self._options.seed} assets {kind}")  # noqa: S311  # repeatable, not secret
            yield from self._of_kind(kind, 3 * number, rng)

    def _of_kind(self, kind: str, first_group: int, rng: Random) -> Iterator[Asset]:
        ages = Ages(self._options, rng)
        homes = [folder.as_place for folder in self._folders if kind in folder.facts["takes"]]
        namesake = self._programs[0] if self._programs and kind in IN_PROGRAMS else None
        index = 0
        for group in grouped_names(kind, self._counts[kind], first_group):
            names = group
            place = None if kind == "redirect-rule" else self._home(kind, names, homes, rng)
            if namesake is not None and index >= NAMESAKE and len(names) == 1:
                names, place, namesake = (namesake.name,), namesake.as_place, None
            for name in names:
                born = ages.born()
                versions = self._versions(kind, index, ages, born)
                asset = Asset(kind, serial(index), name, place, born, versions)
                asset.facts = self.facts(asset, index, rng)
                yield asset
                index += 1

    def _home(self, kind: str, names: Sequence[str], homes: Sequence[Place], rng: Random) -> Place:
        if names[0] == "Foo" and kind == "email":
            # Beside the folder that has the name of this email's file.
            for folder in self._folders:
                if folder.name == "Foo.email.json" and folder.place is not None:
                    return folder.place
        if self._programs and kind in IN_PROGRAMS and rng.random() < 0.6:
            return rng.choice(self._programs).as_place
        return rng.choice(homes)

    def _versions(self, kind: str, index: int, ages: Ages, born: int) -> dict[str, Version]:
        touched = ages.touched(born)
        text = f"Text {index}: {HOSTILE_TEXTS[index % len(HOSTILE_TEXTS)]}"
        if kind not in VERSIONED:
            return {"": Version(touched, text)}
        versions = {}
        for state in STATES[index % len(STATES)]:
            versions[state] = Version(touched, text)
            touched, text = ages.touched(touched), f"Text {index}, drafted"
        return versions

    def facts(self, asset: Asset, index: int, rng: Random) -> dict[str, Any]:
        """What a kind's asset has beside; `index` is its number within the kind."""
        if asset.kind == "email":
            return {
                "version": rng.choice((1, 2, 2)),
                "template": None if index % 11 == 10 else self._id("email-template", rng),
                "segmentation": self._id("segmentation", rng) if index % 3 == 1 else None,
                "isPredictive": index % 23 == 22,
                "snippet": self._id("snippet", rng),
            }
        if asset.kind == "landing-page":
            templates = self._counts["landing-page-template"]
            template = rng.randrange(templates) if templates else index
            return {
                "isGuided": is_guided(template),
                "template": serial(template) if templates else None,
                "segmentation": self._id("segmentation", rng) if index % 4 == 1 else None,
                "isSocial": index % 17 == 16,
                "form": self._id("form", rng),
                "snippet": self._id("snippet", rng),
            }
        makers: dict[str, Callable[[], dict[str, Any]]] = {
            "landing-page-template": lambda: {"templateType": "guided" if is_guided(index) else "freeForm"},
            "email-template": lambda: {"version": rng.choice((1, 2))},
            "snippet": lambda: {"segmentation": self._id("segmentation", rng) if index % 4 == 3 else None},
            "redirect-rule": lambda: self._rule(index, rng),
            "form": lambda: {"page": self._id("landing-page", rng)},
            "file": lambda: {"size": self._size(index, rng)},
            "smart-list": lambda: {"values": self._names(rng)},
            "segmentation": lambda: {"status": rng.choice(("approved", "approved", "draft"))},
            "email-v2": lambda: {"template": self._id("email-template-v2", rng)},
        }
        states = {"status": rng.choice(("approved", "draft"))} if asset.kind in V2_KINDS else {}
        return states | (makers[asset.kind]() if asset.kind in makers else {})

    def _id(self, kind: str, rng: Random) -> int | None:
        """The id of some asset of a kind."""
        count = self._counts[kind]
        return serial(rng.randrange(count)) if count else None

    def _rule(self, index: int, rng: Random) -> dict[str, Any]:
        source, target = self._id("landing-page", rng), self._id("landing-page", rng)
        host = HOSTNAMES[index % len(HOSTNAMES)]
        by_page = source is not None and index % 3 < 2
        origin = {"type": "landingPageId", "value": source} if by_page else {"type": "path", "value": f"/old/{index}"}
        goal: dict[str, Any] = {"type": "url", "value": f"www.example.net/{index}?a=1&b=%20"}
        if target is not None and index % 3 != 1:
            goal = {"type": "landingPageId", "value": target}
        return {"hostname": host, "from": origin, "to": goal}

    def _size(self, index: int, rng: Random) -> int:
        if index % LARGE_EVERY == 5:
            return LARGE_BYTES - index
        return 0 if index % LARGE_EVERY == 2 else rng.choice(SIZES) + index % 50

    def _names(self, rng: Random) -> dict[str, str]:
        """What the rules of a smart list name."""
        program = rng.choice(self._programs).name if self._programs else "Program"
        return {"program": program, "list": f"List {rng.randrange(20)}", "form": f"{program}.Form {rng.randrange(20)}"}


def is_guided(template: int) -> bool:
    """Whether a landing page template, by its number, and with it its pages are guided."""
    return template % 2 == 0


def segments_of(segmentation: int) -> list[tuple[int, str]]:
    """Ids and names of the segments of a segmentation, `Default` last as in Adobe's examples."""
    names = (*SEGMENT_NAMES[: 1 + segmentation % len(SEGMENT_NAMES)], "Default")
    return [(10 * segmentation + place, name) for place, name in enumerate(names)]

"""The seeded tree of folders and programs, as an instance has it before anything changes; separate from what it holds.

Three roots, below each a system folder a workspace, below these what users made. Which kinds a folder takes is decided
when it is made: that of Marketing Activities takes programs, one of Design Studio the kind that its type names.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/folders
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from syncengine.sandbox.asset_items import Asset, Place, Version, serial
from syncengine.sandbox.asset_names import folder_groups
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.people import SECONDS_A_YEAR
from syncengine.sandbox.programs import workspace_names

ROOTS = ("Marketing Activities", "Design Studio", "Lead Database")
# Ids of workspaces are those of access zones; the first one has 1, as in Adobe's examples.
FIRST_ZONE, FURTHER_ZONES = 1, 1_001
IN_PROGRAMS = ("email", "email-v2", "landing-page", "form", "smart-campaign", "smart-list", "static-list", "folder")
# Folders of Design Studio and Lead Database: name, type and what lies there besides folders.
STUDIO: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Emails", "Email", ("email", "email-v2")),
    ("Templates", "Email Template", ("email-template", "email-template-v2")),
    ("Landing Pages", "Landing Page", ("landing-page",)),
    ("Page Templates", "Landing Page Template", ("landing-page-template",)),
    ("Forms", "Landing Page Form", ("form",)),
    ("Snippets", "Snippet", ("snippet", "fragment")),
    ("Images and Files", "Image", ("file",)),
)
LISTS = ("Group Lists", "Marketing Folder", ("smart-list", "static-list"))
SEGMENTATIONS = ("Segmentations", "Marketing Folder", ("segmentation",))
MARKETING = ("program", "smart-campaign")
DEPTH = 7
PROGRAM_FOLDER_TYPES = {
    "Default": "Marketing Program",
    "Event": "Marketing Event",
    "Event with Webinar": "Marketing Event",
    "Engagement": "Nurture Program",
    "Email": "Email Batch Program",
}


def zone_of(workspace: int) -> int:
    """The id of a workspace by its number."""
    return FURTHER_ZONES + workspace - 1 if workspace else FIRST_ZONE


class Ages:
    """When things were made and last changed, drawn from the instance's years."""

    def __init__(self, options: SandboxOptions, rng: Random) -> None:
        self._start = int(options.start_seconds)
        self._span = max(1, int(options.years * SECONDS_A_YEAR))
        self._rng = rng

    @property
    def oldest(self) -> int:
        """When the instance was set up."""
        return self._start - self._span - 30 * 86_400

    def born(self) -> int:
        """Any instant of the years."""
        return self._start - 200 - self._rng.randrange(self._span)

    def touched(self, born: int) -> int:
        """An instant after that, more often soon than late."""
        return born + int((self._start - 120 - born) * self._rng.random() ** 3)


class Tree:
    """Makes the folders, and finds a place for each program; `folders` and `places` are the outcome."""

    def __init__(self, options: SandboxOptions, programs: Sequence[dict[str, Any]]) -> None:
        self.folders: list[Asset] = []
        self.places: dict[int, Place] = {}
        self._zones: dict[int, int] = {}  # the numbers of the workspaces that folders are in
        self._rng = Random(f"{options.seed} tree")  # noqa: S311  # repeatable, not secret
        self._ages = Ages(options, self._rng)
        self._workspaces = workspace_names(options.workspaces)
        for root in ROOTS:
            self._area(root)
        self._deepen()
        count = options.assets // 12
        for group in folder_groups(count):
            self._siblings(group)
        self._place_programs(programs)

    def _area(self, root: str) -> None:
        top = self._add(root, None, "Zone", (), zone=0, is_system=True)
        for number, workspace in enumerate(self._workspaces):
            takes = MARKETING if root == ROOTS[0] else ()
            home = self._add(workspace, top.as_place, "Zone", takes, zone=number, is_system=True)
            below = {ROOTS[1]: STUDIO, ROOTS[2]: (LISTS, SEGMENTATIONS)}.get(root, ())
            for name, folder_type, kinds in below:
                self._add(name, home.as_place, folder_type, kinds, is_system=True)

    def _deepen(self) -> None:
        """A chain of folders in every area, deeper than careless readers look."""
        for parent in [folder for folder in self.folders if folder.facts["takes"]][:: len(STUDIO)]:
            last = parent
            for level in range(1, DEPTH + 1):
                last = self._child(f"Level {level}", last)

    def _siblings(self, names: Sequence[str]) -> None:
        grown = [folder for folder in self.folders if folder.facts["takes"]]
        # Every second time among what was made last, so that the tree grows in depth, too.
        parent = self._rng.choice(grown[-12:] if self._rng.random() < 0.5 else grown)
        if names[0] == "Foo.email.json":
            parent = next(folder for folder in grown if "email" in folder.facts["takes"])
        for name in names:
            self._child(name, parent)

    def _child(self, name: str, parent: Asset) -> Asset:
        folder_type = parent.facts["folderType"] if parent.kind == "folder" else "Marketing Folder"
        folder_type = "Marketing Folder" if folder_type == "Zone" else folder_type
        child = self._add(name, parent.as_place, folder_type, parent.facts["takes"])
        child.facts["isArchive"] = len(self.folders) % 15 == 0
        return child

    def _place_programs(self, programs: Sequence[dict[str, Any]]) -> None:
        grown = [one for one in self.folders if "program" in one.facts["takes"]]
        for number, program in enumerate(programs):
            workspace = program["workspace"]
            homes = [one for one in grown if self._workspaces[self._zones[one.id]] == workspace]
            nurturing = [
                other["id"]
                for other in programs
                if (other["type"], other["workspace"]) == ("Engagement", workspace) and program["type"] != "Engagement"
            ]
            inside = number % 3 == 1 and bool(nurturing)
            place = Place("program", self._rng.choice(nurturing)) if inside else self._rng.choice(homes).as_place
            self.places[program["id"]] = place
            if number == 0:
                # A folder that has the name of the program beside it.
                self._child(program["name"], next(one for one in homes if one.as_place == place))
        for program in programs[::4]:
            place = Place("program", program["id"])
            local = self._add("Assets", place, "Marketing Folder", IN_PROGRAMS)
            self._child("Old", local)

    def _add(
        self,
        name: str,
        place: Place | None,
        folder_type: str,
        takes: Sequence[str],
        *,
        zone: int | None = None,
        is_system: bool = False,
    ) -> Asset:
        born = self._ages.oldest if is_system else self._ages.born()
        facts: dict[str, Any] = {"folderType": folder_type, "takes": tuple(takes), "tokens": self._tokens()}
        facts |= {"isArchive": False, "isSystem": is_system} | ({} if zone is None else {"zone": zone})
        text = self._rng.choice(("", "Made by hand", "First line\nsecond line"))
        version = Version(born if is_system else self._ages.touched(born), text)
        folder = Asset("folder", serial(len(self.folders)), name, place, born, {"": version}, facts)
        self.folders.append(folder)
        inherited = self._zones[place.id] if place is not None and place.kind == "folder" else 0
        self._zones[folder.id] = inherited if zone is None else zone
        return folder

    def _tokens(self) -> list[dict[str, Any]]:
        return [] if self._rng.random() < 0.8 else tokens(self._rng)


TOKENS = (
    ("Event Date", "date", "2026-04-01"),
    ("Venue, room", "text", "Hall 3\n\u00d6stra gatan"),
    ("Score", "score", "+5"),
    ("Seats", "number", "42.5"),
    ("Intro", "rich text", "<p>Hello {{lead.First Name}}</p>"),
)


def tokens(rng: Random) -> list[dict[str, Any]]:
    """My Tokens of one folder or program, name, type and value.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/tokens
    """
    chosen = rng.sample(TOKENS, rng.randrange(1, len(TOKENS)))
    return [{"name": name, "type": kind, "value": value} for name, kind, value in chosen]


# Types of tags with the values that they allow; one of them has a name that no call can ask for.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/tags
TAG_TYPES: tuple[tuple[str, bool, tuple[str, ...]], ...] = (
    ("Business Unit", True, ("R&D", "Sales \u00d6", "Consulting")),
    ("Presenter", False, ("Dennis", 'The "Host"')),
    ("Region, country", False, ("Nordics", "Iberia")),
    ("Language", False, ("English", "\u65e5\u672c\u8a9e")),
)


def program_facts(rng: Random) -> dict[str, Any]:
    """What a program has beside its row: tags, costs, My Tokens."""
    tags = [
        {"tagType": name, "tagValue": rng.choice(values)}
        for name, is_required, values in TAG_TYPES
        if is_required or rng.random() < 0.4
    ]
    costs = [
        {"startDate": f"2025-{month:02}-01", "cost": rng.randrange(5_000), "note": "Booth, travel"}
        for month in range(1, rng.randrange(1, 4))
    ]
    return {"tags": tags, "costs": costs, "tokens": tokens(rng) if rng.random() < 0.4 else []}

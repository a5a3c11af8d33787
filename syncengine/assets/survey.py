"""What a kind's lists say, against what lies on disk: which versions are there, and what of them is to be fetched.

Deciding is apart from doing: a dry run counts what a pull would spend, and a comparison with the live instance fetches
the same without writing.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, partial
from typing import Any

from syncengine.assets import folders
from syncengine.assets.crew import together
from syncengine.assets.documents import Key, Listed, Place, listed, place_of
from syncengine.assets.entry import Entry
from syncengine.assets.folders import Folders
from syncengine.assets.kind import Kind, Subject, Version
from syncengine.assets.kinds import FOLDER, FREE_FORM, PROGRAM
from syncengine.assets.lists import Whole, believed, changed, joined, pages_for, whole
from syncengine.assets.places import Node, Places
from syncengine.errors import CallRejected
from syncengine.marketo.endpoints import assets
from syncengine.marketo.reply import Malformed
from syncengine.marketo.rows import instant_or_none, text
from syncengine.transport.client import Client

TEMPLATES = "landing_page_template"
# What has to be listed before anything is put to its place, and before pages are asked for their variables.
FIRST = frozenset({FOLDER, PROGRAM, TEMPLATES})


@dataclass(frozen=True, slots=True)
class Surveyed:
    """All versions of one kind; where it is not `is_steady`, others may be there too.

    What is known of the `staying` versions and not listed is there as it was.
    """

    kind: Kind
    listed: Mapping[Key, Listed] = field(repr=False)
    is_steady: bool
    staying: frozenset[Version] = frozenset()

    def keeps(self, key: Key) -> bool:
        """Whether a version that is known is still there, or may be."""
        return key in self.listed or not self.is_steady or key.version in self.staying


class Due(Enum):
    """What a version on disk lacks."""

    NOTHING = "nothing"
    ROW = "row"  # the list says something new and no later date: the content stands
    CONTENT = "content"


class Survey:
    """The lists of one pull. `known` lies on disk; `areas` are the folder roots that are known, and are added to.

    With `quick`, long lists that can be are asked only for what has a later date than all that is known.
    """

    def __init__(
        self, client: Client, known: Mapping[Key, Entry], areas: dict[str, int], *, quick: bool = False
    ) -> None:
        self._client = client
        self._known = known
        self._quick = quick
        self._areas = areas
        self._folders: Folders | None = None
        self.found: dict[str, Surveyed] = {}
        self.failed: dict[str, Exception] = {}

    def is_listed(self, kinds: Iterable[str]) -> bool:
        """Whether all these have been listed, or could not be."""
        return all(name in self.found or name in self.failed for name in kinds)

    @cached_property
    def places(self) -> Places:
        """Where everything lies; asked for when folders and programs have been listed."""
        nodes = dict(self._folders.nodes) if self._folders else {}
        for program in self.found[PROGRAM].listed.values() if PROGRAM in self.found else ():
            nodes.setdefault(Place("Program", int(program.key.asset.id)), Node(program.name, program.home))
        if self._folders and not self._folders.is_steady:
            # A folder that slipped through is where it was.
            for key, entry in self._known.items():
                if (home := place_of(key.asset)) is not None:
                    nodes.setdefault(home, Node(entry.name, entry.home))
        return Places(nodes)

    @cached_property
    def free_form(self) -> frozenset[int]:
        """The ids of free-form landing page templates, as far as they are known; asked for when these are listed."""
        found = self.found.get(TEMPLATES)
        rows = found.listed.values() if found is not None else ()
        return frozenset(int(each.key.asset.id) for each in rows if text(each.row.get("templateType")) == FREE_FORM)

    async def look(self, kind: Kind) -> Surveyed:
        """Read a kind's lists; raises what the client raises, and CallRejected for rows that nothing identifies."""
        try:
            self.found[kind.name] = await self._read(kind)
        except Malformed as error:
            raise CallRejected(f"{kind.call}: {error}", call=kind.call) from error
        return self.found[kind.name]

    async def _read(self, kind: Kind) -> Surveyed:
        lists: list[tuple[Version, Whole]]
        if kind.name == FOLDER:
            lists = [("", await self._read_folders())]
        elif kind.design is not None:
            lists = [("", await self._designs(kind))]
        else:
            read = await together([partial(self._list, kind, version) for version in kind.statuses])
            lists = list(zip(kind.statuses, read, strict=True))
        every = [listed(kind, version, row) for version, each in lists for row in each.rows]
        return Surveyed(
            kind=kind,
            listed={each.key: each for each in every},
            is_steady=all(each.is_steady for _, each in lists),
            staying=frozenset(version for version, each in lists if each.rest_stays),
        )

    def subject(self, version: Listed) -> Subject:
        """A version as what else is to be asked of it."""
        key = version.key
        live = Key(key.asset, "approved")
        has_live = live in self.found[key.asset.kind].listed or (
            live in self._known and self.found[key.asset.kind].keeps(live)
        )
        return Subject(
            version.row, key.version, is_live=key.version != "draft" or not has_live, free_form=self.free_form
        )

    async def _list(self, kind: Kind, version: Version) -> Whole:
        ask = partial(assets.page, kind.call, kind.path, status=version)
        known = [entry for key, entry in self._known.items() if (key.asset.kind, key.version) == (kind.name, version)]

        def identity(row: Mapping[str, Any]) -> Hashable:
            return listed(kind, version, row).key.asset.id

        ids = [each.key.asset.id for each in known]
        if not kind.is_paged:
            return await believed(partial(self._everything, kind, version), ids)
        latest = max((moment for each in known if (moment := instant_or_none(each.updated))), default=None)
        # Two calls at the least: for a list of two pages there is nothing to be saved.
        is_long = kind.has_since and latest is not None and pages_for(len(known)) > 2
        new = None
        if self._quick and is_long:
            new = await changed(self._client, ask, partial(ask, since=latest), identity, ids)
        if new is not None:
            return new
        return await believed(partial(whole, self._client, ask, identity, len(known)), ids)

    async def _everything(self, kind: Kind, version: Version) -> Whole:
        page = await self._client.send(assets.everything(kind.call, kind.path, status=version))
        return Whole({by_id(row): row for row in page.rows}, is_steady=True, is_one_page=bool(page.rows))

    async def _read_folders(self) -> Whole:
        known = [where for key in self._known if (where := place_of(key.asset)) is not None]
        roots = {each.name for each in self._known.values() if each.key.asset.kind == FOLDER and each.home is None}
        self._folders = await folders.read(self._client, self._areas, known, roots)
        rows: dict[Hashable, Mapping[str, Any]] = {folders.where(row): row for row in self._folders.rows}
        return Whole(rows, self._folders.is_steady)

    async def _designs(self, kind: Kind) -> Whole:
        """The new designer lists by workspace, whose ids the folders tell."""
        assert kind.design is not None
        workspaces = self._folders.workspaces if self._folders else ()
        asks = [partial(assets.designs, kind.design, workspace) for workspace in workspaces]

        async def read() -> Whole:
            lists = await together([partial(whole, self._client, ask, by_id, step=1) for ask in asks])
            return joined(lists)

        return await believed(read, [key.asset.id for key in self._known if key.asset.kind == kind.name])


def by_id(row: Mapping[str, Any]) -> Hashable:
    """What tells the rows of most lists apart."""
    return row.get("id")


def due(version: Listed, entry: Entry | None) -> Due:
    """What is to be fetched of a version that is listed."""
    if entry is None:
        return Due.CONTENT
    if version.sha256 == entry.row_sha256:
        return Due.NOTHING
    # A row without a date says by any difference that its content may differ.
    return Due.ROW if version.updated and version.updated == entry.updated else Due.CONTENT


def needs(kind: Kind) -> frozenset[str]:
    """What has to be listed before this kind can be."""
    return frozenset({FOLDER}) if kind.design is not None else frozenset()

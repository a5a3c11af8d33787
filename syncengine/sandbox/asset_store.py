"""All marketing assets of one instance and where they lie; separate from the calls that show them.

Programs, smart campaigns and static lists are rows of the tables that the lead database shows, too: their names, dates
and descriptions are read from there, before anything is answered, so that both APIs agree.
"""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from syncengine.sandbox.asset_items import CONTAINERS, KINDS, TABLE_KINDS, Asset, Place, Version
from syncengine.sandbox.asset_seeds import Seeds
from syncengine.sandbox.asset_tree import IN_PROGRAMS, ROOTS, Tree, program_facts, zone_of
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.programs import workspace_names
from syncengine.sandbox.records import Records


class Tables(Protocol):
    """The tables whose rows are assets, too."""

    options: SandboxOptions
    programs: Records
    campaigns: Records

    def table(self, stream: str) -> Records | None:
        """The table of a stream."""
        ...


STREAMS = {"program": "programs", "smart-campaign": "campaigns", "static-list": "lists"}


class AssetStore:
    """The assets by kind and id."""

    def __init__(self, tables: Tables) -> None:
        self.options = tables.options
        self.seed = tables.options.seed
        self.workspaces = workspace_names(self.options.workspaces)
        self.tables = {kind: table for kind, name in STREAMS.items() if (table := tables.table(name)) is not None}
        self._assets: dict[str, dict[int, Asset]] = {kind: {} for kind in KINDS}
        self._seen: dict[str, int] = {}
        programs = self._table_rows("program")
        tree = Tree(self.options, programs)
        for folder in tree.folders:
            self.add(folder)
        self._places = tree.places
        self._read_table("program")
        seeds = Seeds(self.options, tree.folders, list(self._assets["program"].values()))
        for asset in seeds.assets():
            self.add(asset)
        self.facts_of = seeds.facts
        self.refresh()

    def refresh(self) -> None:
        """Take over what has changed in the tables."""
        for kind in TABLE_KINDS:
            if self._seen.get(kind) != self.tables[kind].changes:
                self._read_table(kind)

    def of(self, kind: str) -> list[Asset]:
        """All assets of a kind, by name without regard to case and then by id, as lists show them."""
        self.refresh()
        return sorted(self._assets[kind].values(), key=lambda asset: (asset.name.lower(), asset.id))

    def find(self, kind: str, asset_id: int) -> Asset | None:
        """One asset."""
        self.refresh()
        return self._assets[kind].get(asset_id)

    def at(self, place: Place) -> Asset | None:
        """The folder or program of a place."""
        return self._assets[place.kind].get(place.id) if place.kind in CONTAINERS else None

    def add(self, asset: Asset) -> None:
        """One more asset."""
        self._assets[asset.kind][asset.id] = asset

    def discard(self, asset: Asset) -> None:
        """The asset is gone."""
        self._assets[asset.kind].pop(asset.id, None)

    def next_id(self, kind: str) -> int:
        """An id that no asset of the kind has."""
        return max(self._assets[kind], default=13) + 1

    def children(self, place: Place) -> list[Asset]:
        """What lies immediately in a folder or program, kind by kind."""
        return [asset for kind in KINDS for asset in self.of(kind) if asset.place == place]

    def containers(self, place: Place | None) -> list[Asset]:
        """Folders and programs immediately in a place, None for the roots."""
        return [asset for kind in CONTAINERS for asset in self._assets[kind].values() if asset.place == place]

    def ancestors(self, asset: Asset) -> Iterator[Asset]:
        """The folders and programs above an asset, the nearest first."""
        place = asset.place
        while place is not None and (above := self.at(place)) is not None:
            yield above
            place = above.place

    def path(self, asset: Asset) -> str:
        """Where a folder or program lies, itself included: /Marketing Activities/Default/..."""
        names = [asset.name, *(above.name for above in self.ancestors(asset))]
        return "".join(f"/{name}" for name in reversed(names))

    def workspace(self, asset: Asset) -> int:
        """The number of the workspace that the asset is in."""
        for above in (asset, *self.ancestors(asset)):
            if "zone" in above.facts:
                return int(above.facts["zone"])
        return 0

    def zone(self, asset: Asset) -> dict[str, Any]:
        """The workspace as folders show it."""
        number = self.workspace(asset)
        return {"accessZoneId": zone_of(number), "workspace": self.workspaces[number]}

    def workspace_name(self, asset: Asset) -> str:
        """The name of the asset's workspace."""
        return self.workspaces[self.workspace(asset)]

    def is_archived(self, asset: Asset) -> bool:
        """The asset lies in a folder that is archived, at whatever depth."""
        return any(above.facts.get("isArchive", False) for above in self.ancestors(asset))

    def takes(self, container: Asset, kind: str) -> bool:
        """Assets of the kind lie in such a folder or program."""
        if container.kind == "folder":
            takes: tuple[str, ...] = container.facts["takes"]
            is_mine = not container.facts["isSystem"] or bool(takes)
            return kind in takes or (kind == "folder" and is_mine)
        return kind in IN_PROGRAMS or (kind == "program" and container.facts["row"]["type"] == "Engagement")

    def folder(self, asset: Asset) -> dict[str, Any]:
        """Where an asset lies, as most kinds show it."""
        place = asset.place
        above = None if place is None else self.at(place)
        if place is None or above is None:
            return {"type": "Folder", "value": 0, "folderName": ""}
        return {"type": place.type, "value": place.id, "folderName": above.name}

    def program_folder(self, program_id: int) -> dict[str, Any]:
        """Where a program lies, as lists of programs show it."""
        program = self.find("program", program_id)
        return {} if program is None else self.folder(program)

    def program_detail(self, program_id: int) -> dict[str, Any]:
        """Tags and costs of a program, which no list shows.

        https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/programs
        """
        program = self.find("program", program_id)
        return {} if program is None else {name: program.facts[name] for name in ("tags", "costs")}

    def below(self, place: Place, is_deep: Callable[[int], bool] = lambda _depth: True) -> Iterator[Asset]:
        """The folders and programs below a place, level by level, as far as `is_deep` allows the level."""
        level, depth = [place], 1
        while level and is_deep(depth):
            wanted = set(level)
            found = [asset for kind in CONTAINERS for asset in self._assets[kind].values() if asset.place in wanted]
            yield from found
            level, depth = [asset.as_place for asset in found], depth + 1

    def _table_rows(self, kind: str) -> list[dict[str, Any]]:
        table = self.tables[kind]
        return table.json_rows(list(table.fields), table.rows())

    def _read_table(self, kind: str) -> None:
        table, known = self.tables[kind], self._assets[kind]
        self._seen[kind] = table.changes
        numbers = table.rows()
        stamps = zip(*table.columns(["createdAt", "updatedAt", "programId"], numbers), strict=True)
        present = set()
        for number, row, (born, updated, program) in zip(numbers, self._table_rows(kind), stamps, strict=True):
            present.add(row["id"])
            asset = known.get(row["id"])
            if asset is None:
                place = self._first_place(kind, row, program)
                asset = Asset(kind, row["id"], "", place, int(born or 0), {"": Version(0, "")})
                if kind == "program":
                    asset.facts |= program_facts(asset.rng(self.seed, "facts"))
                self.add(asset)
            asset.name, asset.facts["row"], asset.facts["number"] = str(row["name"] or ""), row, number
            asset.versions[""].updated = int(updated or 0)
        for gone in set(known) - present:
            self._abandon(known.pop(gone))

    def _abandon(self, asset: Asset) -> None:
        """What lay in a program whose row was removed is gone with it, but for rows of tables, which stay somewhere."""
        if asset.kind not in CONTAINERS:
            return
        for kind, assets in self._assets.items():
            for child in [one for one in assets.values() if one.place == asset.as_place]:
                if kind in TABLE_KINDS:
                    child.place = self._homes(kind, ROOTS[2] if kind == "static-list" else ROOTS[0], "")[0]
                else:
                    self.discard(child)
                    self._abandon(child)

    def _first_place(self, kind: str, row: dict[str, Any], program: Any) -> Place:
        seeded = self._places.get(row["id"]) if kind == "program" else None
        if seeded is not None:
            return seeded
        if kind != "program" and program in self._assets["program"]:
            return Place("program", int(program))
        workspace = row["workspace" if kind == "program" else "workspaceName"]
        homes = self._homes(kind, ROOTS[2] if kind == "static-list" else ROOTS[0], workspace)
        return homes[int(row["id"]) % len(homes)]

    def _homes(self, kind: str, area: str, workspace: Any) -> list[Place]:
        """Folders of an area and a workspace that take a kind; those of the first workspace for one that is unknown."""
        tops = [top for root in self.containers(None) if root.name == area for top in self.containers(root.as_place)]
        top = next((one for one in tops if one.name == workspace), tops[0])
        within = (top, *self.below(top.as_place))
        return [one.as_place for one in within if one.kind == "folder" and kind in one.facts["takes"]]

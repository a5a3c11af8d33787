"""Changes of assets on purpose; separate from the other changes, for what a change means differs from kind to kind.

Edits, renames, approvals and new tokens move updatedAt; a move leaves it as it is. An edit of an asset that is approved
makes or changes its draft. What lies in a folder that is renamed shows the new name and is not updated by it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from syncengine.sandbox.asset_items import (
    CONTAINERS,
    FIXED_KINDS,
    KINDS,
    SEEDED_KINDS,
    TABLE_KINDS,
    V2_KINDS,
    VERSIONED,
    Asset,
    Place,
    Version,
    place_of,
)
from syncengine.sandbox.asset_store import AssetStore

Done = list[dict[str, Any]]
UNNAMED = "redirect-rule"  # neither renamed nor moved
WORKSPACE_FIELDS = {"program": "workspace", "smart-campaign": "workspaceName", "static-list": "workspaceName"}


@dataclass(slots=True)
class AssetChanges:
    """Carries out what the control path asks for, at one instant."""

    store: AssetStore
    now: int

    def apply(self, asked: Mapping[str, Any]) -> Done:
        """One change, and what was done; raises ValueError for what cannot be done."""
        verbs: dict[str, Callable[[Mapping[str, Any]], Done]] = {
            "edit": self._edit,
            "rename": self._rename,
            "move": self._move,
            "delete": self._delete,
            "create": self._create,
            "approve": self._approve,
            "token": self._token,
        }
        if asked["do"] not in verbs:
            raise ValueError(f"assets know {', '.join(verbs)}, not {asked['do']!r}")
        if asked["kind"] not in KINDS or asked["kind"] in FIXED_KINDS:
            raise ValueError(f"there is no kind of asset {asked['kind']!r} that changes")
        return verbs[asked["do"]](asked)

    def _edit(self, asked: Mapping[str, Any]) -> Done:
        asset = self._asset(asked)
        name = self._edited_version(asset, asked.get("version", ""))
        version = asset.versions[name]
        version.edits += 1
        version.text = asked.get("text", f"Edit {version.edits} of {asset.kind} {asset.id} at {self.now}")
        if asset.kind == UNNAMED:
            asset.facts["to"] = {"type": "url", "value": version.text}
        if asset.kind == "file":
            asset.facts["size"] += 1
        self._touch(asset, name, {"description": version.text})
        return [_done("edit", asset)]

    def _edited_version(self, asset: Asset, wanted: str) -> str:
        """Which version an edit changes; a draft is made where there is none."""
        if asset.kind not in VERSIONED:
            return ""
        wanted = wanted or "draft"
        if wanted not in asset.versions:
            if wanted != "draft":
                raise ValueError(f"{asset.kind} {asset.id} has no version {wanted!r}")
            asset.versions["draft"] = asset.versions["approved"].copied()
        return wanted

    def _rename(self, asked: Mapping[str, Any]) -> Done:
        asset = self._asset(asked)
        if asset.kind == UNNAMED:
            raise ValueError("a redirect rule has no name")
        asset.facts.setdefault("first_name", asset.name)
        asset.name = str(asked["name"])
        for version in asset.versions:
            self._touch(asset, version, {"name": asset.name})
        self._settle_below(asset)
        return [_done("rename", asset)]

    def _move(self, asked: Mapping[str, Any]) -> Done:
        asset, place = self._asset(asked), self._place(asked["to"])
        if asset.place is None:
            raise ValueError(f"{asset.kind} {asset.id} lies nowhere")
        if asset.kind in CONTAINERS:
            target = self.store.at(place)
            if target is not None and asset in (target, *self.store.ancestors(target)):
                raise ValueError(f"{asset.kind} {asset.id} cannot be moved into itself")
        asset.place = place
        self._settle_below(asset)
        return [_done("move", asset)]

    def _delete(self, asked: Mapping[str, Any]) -> Done:
        asset = self._asset(asked)
        inside: Done = []
        if asset.kind in CONTAINERS:
            for child in self.store.children(asset.as_place):
                inside += self._delete({"kind": child.kind, "id": child.id})
        done = _done("delete", asset)
        if asset.kind in TABLE_KINDS:
            self.store.tables[asset.kind].remove(asset.facts["number"])
        self.store.discard(asset)
        return [*inside, done]

    def _create(self, asked: Mapping[str, Any]) -> Done:
        store, kind, name = self.store, asked["kind"], str(asked.get("name", "New"))
        place = self._place(asked["to"]) if "to" in asked else None
        if kind in TABLE_KINDS:
            table = store.tables[kind]
            number = table.add({"name": name, "description": asked.get("text", "")}, self.now)
            asset = next(one for one in store.of(kind) if one.facts["number"] == number)
            asset.place = place or asset.place
            self._settle_below(asset)
            return [_done("create", asset)]
        if place is None and kind != UNNAMED:
            place = next(one.as_place for one in store.of("folder") if store.takes(one, kind))
        state = asked.get("version", "draft") if kind in VERSIONED else ""
        if kind in VERSIONED and state not in {"approved", "draft"}:
            raise ValueError(f"there is no version {state!r}")
        version = Version(self.now, str(asked.get("text", f"New at {self.now}")))
        asset = Asset(kind, store.next_id(kind), name, place, self.now, {state: version})
        asset.facts = self._new_folder(place) if kind == "folder" else self._new_facts(asset)
        store.add(asset)
        return [_done("create", asset)]

    def _new_folder(self, place: Place | None) -> dict[str, Any]:
        above = None if place is None else self.store.at(place)
        facts = {"folderType": "Marketing Folder", "takes": (), "isArchive": False, "isSystem": False, "tokens": []}
        if above is not None and above.kind == "folder":
            known = above.facts["folderType"]
            facts |= {"takes": above.facts["takes"]} | ({} if known == "Zone" else {"folderType": known})
        return facts

    def _new_facts(self, asset: Asset) -> dict[str, Any]:
        rng = asset.rng(self.store.seed, "facts")
        return self.store.facts_of(asset, asset.id, rng) | ({"status": "draft"} if asset.kind in V2_KINDS else {})

    def _approve(self, asked: Mapping[str, Any]) -> Done:
        asset = self._asset(asked)
        if asset.kind in VERSIONED and "draft" in asset.versions:
            asset.versions = {"approved": asset.versions["draft"]}
            self._touch(asset, "approved", {})
        elif asset.facts.get("status") == "draft":
            asset.facts["status"] = "approved"
            self._touch(asset, "", {})
        else:
            raise ValueError(f"{asset.kind} {asset.id} has no draft")
        return [_done("approve", asset)]

    def _token(self, asked: Mapping[str, Any]) -> Done:
        asset = self._asset(asked)
        if asset.kind not in CONTAINERS:
            raise ValueError("only folders and programs have tokens")
        name = str(asked.get("name", "New"))
        kept = [token for token in asset.facts["tokens"] if token["name"] != name]
        value = str(asked.get("text", f"Token at {self.now}"))
        asset.facts["tokens"] = [*kept, {"name": name, "type": "text", "value": value}]
        self._touch(asset, "", {})
        return [_done("token", asset)]

    def _asset(self, asked: Mapping[str, Any]) -> Asset:
        asset = self.store.find(asked["kind"], int(asked["id"]))
        if asset is None:
            raise ValueError(f"there is no {asked['kind']} {asked['id']}")
        if asset.facts.get("isSystem"):
            raise ValueError(f"folder {asset.id} is one of the system")
        return asset

    def _place(self, given: Mapping[str, Any]) -> Place:
        place = place_of(given)
        if self.store.at(place) is None:
            raise ValueError(f"there is no {place.kind} {place.id}")
        return place

    def _touch(self, asset: Asset, version: str, values: Mapping[str, Any]) -> None:
        """The version is updated now; the values are set where the asset is a row of a table."""
        asset.versions[version].updated = self.now
        if asset.kind in TABLE_KINDS:
            self.store.tables[asset.kind].write(asset.facts["number"], values, self.now)

    def _settle_below(self, asset: Asset) -> None:
        """Tell the tables where the asset and what lies below it are by now."""
        self.store.refresh()
        containers = (asset, *self.store.below(asset.as_place)) if asset.kind in CONTAINERS else ()
        places = {one.as_place for one in containers}
        for kind, field in WORKSPACE_FIELDS.items():
            for one in self.store.of(kind):
                if one is asset or one.place in places:
                    self._settle(one, field)

    def _settle(self, asset: Asset, workspace_field: str) -> None:
        program = next((above for above in self.store.ancestors(asset) if above.kind == "program"), None)
        values: dict[str, Any] = {workspace_field: self.store.workspace_name(asset)}
        if asset.kind != "program":
            named = {"programId": None, "programName": None}
            values |= named if program is None else {"programId": program.id, "programName": program.name}
        self.store.tables[asset.kind].put(asset.facts["number"], values)


def churn(store: AssetStore, asked: Mapping[str, Any], rng: Random, now: int) -> Done:
    """So many edits, renames, moves and deletions of as many different assets, of as many kinds as there are."""
    unknown = sorted(set(asked) - {"edit", "rename", "move", "delete"})
    if unknown:
        raise ValueError(f"assets churn by edit, rename, move and delete, not by {', '.join(unknown)}")
    changes, taken = AssetChanges(store, now), set[tuple[str, int]]()
    chosen: list[tuple[str, Asset]] = []
    # All of them are chosen before the first is changed, moves first: these find the fewest.
    for verb in ("move", "rename", "edit", "delete"):
        chosen += [(verb, asset) for asset in _picked(store, verb, int(asked.get(verb, 0)), rng, taken)]
    done: Done = []
    for number, (verb, asset) in enumerate(chosen):
        change: dict[str, Any] = {"do": verb, "kind": asset.kind, "id": asset.id}
        if verb == "rename":
            change["name"] = f"{asset.name} renamed {number}"
        elif verb == "move":
            change["to"] = rng.choice(_targets(store, asset)).reference()
        done += changes.apply(change)
    return done


def _picked(store: AssetStore, verb: str, count: int, rng: Random, taken: set[tuple[str, int]]) -> list[Asset]:
    """Assets that a verb can do something with, a kind after the other; marks them as taken."""
    # A deletion takes nothing else along, and nothing that the lead database shows.
    kinds = [kind for kind in (SEEDED_KINDS if verb == "delete" else KINDS) if kind not in FIXED_KINDS]
    if verb in {"rename", "move"}:
        kinds.remove(UNNAMED)
    queues = [rng.sample(found, len(found)) for kind in kinds if (found := store.of(kind))]
    rng.shuffle(queues)
    picked: list[Asset] = []
    while len(picked) < count and any(queues):
        for queue in queues:
            while queue and len(picked) < count:
                asset = queue.pop()
                key = (asset.kind, asset.id)
                if key in taken or asset.facts.get("isSystem") or (verb == "move" and not _targets(store, asset)):
                    continue
                taken.add(key)
                picked.append(asset)
                break
    if len(picked) < count:
        raise ValueError(f"there are not enough assets to {verb} {count}")
    return picked


def _targets(store: AssetStore, asset: Asset) -> list[Place]:
    """Where an asset can be moved to in its workspace and area."""
    below = (
        {asset.as_place, *(one.as_place for one in store.below(asset.as_place))} if asset.kind in CONTAINERS else set()
    )
    area, workspace = _area(store, asset), store.workspace(asset)
    return [
        one.as_place
        for kind in CONTAINERS
        for one in store.of(kind)
        if one.as_place not in below | {asset.place}
        and _suits(store, asset, one)
        and (_area(store, one), store.workspace(one)) == (area, workspace)
    ]


def _suits(store: AssetStore, asset: Asset, container: Asset) -> bool:
    if asset.kind == "folder":
        return container.kind == "folder" and container.facts["takes"] == asset.facts["takes"]
    if asset.kind == "program" and container.kind == "program":
        return asset.facts["row"]["type"] != "Engagement" and store.takes(container, "program")
    return store.takes(container, asset.kind)


def _area(store: AssetStore, asset: Asset) -> str:
    """The name of the root that something lies below."""
    return next(iter([above.name for above in store.ancestors(asset)][-1:]), asset.name)


def _done(verb: str, asset: Asset) -> dict[str, Any]:
    number = str(asset.id) if asset.kind in V2_KINDS else asset.id
    known = {"kind": asset.kind, "id": number, "name": asset.name, "versions": sorted(asset.versions)}
    return {"do": verb} | known

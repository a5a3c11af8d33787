"""The folder tree: browsed from a root, a folder by name or id, what lies in one, and its My Tokens.

Ids are unique within a kind alone, so a folder is named by type and id.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/folders
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/tokens
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from syncengine.sandbox.asset_items import Asset, Place
from syncengine.sandbox.asset_listings import asked_place, paged
from syncengine.sandbox.asset_rows import APP, folder_row
from syncengine.sandbox.asset_store import AssetStore
from syncengine.sandbox.page import Endpoint, Page, assets_page
from syncengine.sandbox.parameters import required, whole
from syncengine.sandbox.replies import invalid
from syncengine.sandbox.routes import Call

DEPTH_DEFAULT = 2
# What folder/{id}/content.json calls the kinds: a guess, for no page of Adobe's shows an answer.
CONTENT_TYPES = {
    "folder": "Folder",
    "program": "Program",
    "email": "Email",
    "email-template": "Email Template",
    "landing-page": "Landing Page",
    "landing-page-template": "Landing Page Template",
    "form": "Landing Page Form",
    "snippet": "Snippet",
    "file": "Image",
    "smart-campaign": "Smart Campaign",
    "smart-list": "Smart List",
    "static-list": "List",
    "segmentation": "Segmentation",
}


class AssetFolders:
    """Answers calls about folders; the store is asked for when the first call comes."""

    def __init__(self, store: Callable[[], AssetStore]) -> None:
        self._store = store

    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints by name."""
        return {
            "folders.list": self._list,
            "folders.by_name": self._by_name,
            "folders.get": self._get,
            "folders.content": self._content,
            "folders.tokens": self._tokens,
        }

    def _list(self, call: Call, _now: float) -> Page:
        store, query = self._store(), call.query
        store.refresh()
        depth = whole(query.get("maxDepth") or str(DEPTH_DEFAULT))
        if depth < 0:
            raise invalid("maxDepth is 0 or more")
        root = asked_place(query, "root")
        tops = store.containers(None) if root is None else [store.at(root)]
        chosen = [one for top in tops if top for one in (top, *store.below(top.as_place, lambda level: level <= depth))]
        return paged(self._shown(chosen, query), call)

    def _by_name(self, call: Call, _now: float) -> Page:
        store, query = self._store(), call.query
        store.refresh()
        kinds = (place_type(query["type"]),) if query.get("type") else ("folder", "program")
        root = self._root(query)
        within: Iterable[Asset] = (
            [one for kind in kinds for one in store.of(kind)] if root is None else store.below(root)
        )
        chosen = [one for one in within if one.name == query["name"] and one.kind in kinds]
        return assets_page(self._shown(chosen, query))

    def _root(self, query: Mapping[str, str]) -> Place | None:
        """The root of a search by name: an id and the type beside it, or both as JSON."""
        text = query.get("root", "")
        if text.isdecimal():
            return Place(place_type(required(query, "type")), int(text))
        return asked_place(query, "root")

    def _shown(self, chosen: Iterable[Asset], query: Mapping[str, str]) -> list[dict[str, Any]]:
        store, workspace = self._store(), query.get("workSpace", "")
        ordered = sorted(chosen, key=lambda one: (one.name.lower(), one.id, one.kind))
        return [folder_row(store, one) for one in ordered if workspace in {"", store.workspace_name(one)}]

    def _get(self, call: Call, _now: float) -> Page:
        store = self._store()
        asset = store.find(place_type(call.query["type"]), whole(call.path["id"]))
        return assets_page([] if asset is None else [folder_row(store, asset)])

    def _content(self, call: Call, _now: float) -> Page:
        store = self._store()
        place = Place(place_type(call.query["type"]), whole(call.path["id"]))
        inside = [one for one in store.children(place) if one.kind in CONTENT_TYPES]
        return paged([{"id": one.id, "type": CONTENT_TYPES[one.kind]} for one in inside], call)

    def _tokens(self, call: Call, _now: float) -> Page:
        asset = self._store().find(place_type(call.query.get("folderType") or "Folder"), whole(call.path["id"]))
        return assets_page([] if asset is None else folder_tokens(asset))


def place_type(text: str) -> str:
    """The kind that a type of folder means; 1003 for others."""
    if text not in {"Folder", "Program"}:
        raise invalid("the type of a folder is Folder or Program")
    return text.lower()


def folder_tokens(asset: Asset) -> list[dict[str, Any]]:
    """The My Tokens that a folder or program has itself; nothing when it has none."""
    letters = "PG" if asset.kind == "program" else "MF"
    tokens = [token | {"computedUrl": f"{APP}/#{letters}{asset.id}C3"} for token in asset.facts["tokens"]]
    place = {"type": asset.as_place.type, "value": asset.id}
    return [{"folder": place, "tokens": tokens}] if tokens else []

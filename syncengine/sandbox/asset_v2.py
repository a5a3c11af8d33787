"""Emails, templates and fragments of the new designer: filtered in one workspace, by id, and twenty at once.

Their ids are texts, each has one version, and the result of a filter is an object.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/emails-new
"""

from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any

import orjson

from syncengine.sandbox.asset_items import Asset, stamp
from syncengine.sandbox.asset_paths import V2_FAMILIES
from syncengine.sandbox.asset_store import AssetStore
from syncengine.sandbox.asset_texts import document, markup, words
from syncengine.sandbox.asset_tree import zone_of
from syncengine.sandbox.page import Endpoint, Page, assets_page
from syncengine.sandbox.parameters import flag, parts, update_range, whole
from syncengine.sandbox.replies import invalid, refusal
from syncengine.sandbox.routes import Call

FAMILY_KINDS = dict(zip(V2_FAMILIES.values(), ("email-v2", "email-template-v2", "fragment"), strict=True))
ITEMS_MAX, ITEMS_DEFAULT, IDS_MAX = 50, 20, 20
APP_TYPE = "marketo"
SORT_KEYS: dict[str, Callable[[Asset], Any]] = {
    "name": lambda asset: asset.name.lower(),
    "id": lambda asset: asset.id,
    "createdAt": lambda asset: asset.created,
    "modifiedAt": lambda asset: asset.versions[""].updated,
}


class AssetsV2:
    """Answers calls of the new designer; the store is asked for when the first call comes."""

    def __init__(self, store: Callable[[], AssetStore], *, is_known: bool) -> None:
        self._store = store
        self._is_known = is_known
        self._answers = 0

    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints by name."""
        return {
            f"{family}.{verb}": partial(self._answer, answer, kind)
            for family, kind in FAMILY_KINDS.items()
            for verb, answer in (("filter", self._filter), ("get", self._get), ("bulk_get", self._bulk))
        }

    def _answer(self, answer: Callable[[str, Call], Page], kind: str, call: Call, _now: float) -> Page:
        if not self._is_known:
            raise refusal("610")
        if not call.headers.get("x-app-type"):
            raise refusal("1002", "x-app-type")
        if call.headers["x-app-type"] != APP_TYPE:
            raise invalid(f"x-app-type is {APP_TYPE}")
        self._answers += 1
        return answer(kind, call)

    def _filter(self, kind: str, call: Call) -> Page:
        store, query = self._store(), call.query
        size, index = whole(query.get("pageSize") or str(ITEMS_DEFAULT)), whole(query.get("pageIndex") or "0")
        if not 1 <= size <= ITEMS_MAX or index < 0:
            raise invalid(f"pageSize is 1 to {ITEMS_MAX}, pageIndex 0 or more")
        key, order = query.get("sortKey") or "name", (query.get("sortOrder") or "ASC").upper()
        if key not in SORT_KEYS or order not in {"ASC", "DESC"}:
            raise invalid(f"sortKey is one of {', '.join(SORT_KEYS)}, sortOrder ASC or DESC")
        chosen = [asset for asset in store.of(kind) if _suits(store, asset, query)]
        chosen.sort(key=SORT_KEYS[key], reverse=order == "DESC")
        items = [v2_row(store, asset, self._answers) for asset in chosen[index * size : (index + 1) * size]]
        return Page({"items": items, "totalItems": len(chosen), "pageSize": size, "currentPage": index})

    def _get(self, kind: str, call: Call) -> Page:
        asset = self._store().find(kind, whole(call.path["id"]))
        return self._details([] if asset is None else [asset])

    def _bulk(self, kind: str, call: Call) -> Page:
        try:
            asked = orjson.loads(call.request.body)["assetIds"]
        except (ValueError, TypeError, KeyError):
            raise refusal("609") from None
        if not isinstance(asked, list) or not 1 <= len(asked) <= IDS_MAX:
            raise invalid(f"assetIds are 1 to {IDS_MAX} ids")
        store = self._store()
        found = [store.find(kind, whole(str(one))) for one in dict.fromkeys(asked)]
        return self._details([asset for asset in found if asset is not None])

    def _details(self, assets: list[Asset]) -> Page:
        store = self._store()
        return assets_page([v2_detail(store, asset, self._answers) for asset in assets])


def v2_row(store: AssetStore, asset: Asset, answers: int) -> dict[str, Any]:
    """An asset as a filter shows it; the thumbnail of a fragment has another signature in every answer."""
    state, facts = asset.versions[""], asset.facts
    known = {
        "id": str(asset.id),
        "name": asset.name,
        "description": f"Designed {asset.id}" if asset.id % 2 else "",
        "appType": APP_TYPE,
        "metadata": {
            "createdBy": "designer@example.com",
            "createdAt": stamp(asset.created),
            "modifiedBy": "designer@example.com",
            "modifiedAt": stamp(state.updated),
        },
        "status": facts["status"],
        "state": facts["status"],
        "virtualId": f"{asset.kind}-{asset.id}",
        "associatedStates": [{"contentId": str(asset.id), "state": facts["status"]}],
        "appData": _app_data(store, asset),
        "scriptEngine": "velocity",
    }
    if asset.kind == "email-v2":
        known["headers"] = {"subject": state.text, "fromName": "Marketing", "fromEmail": "from@example.com"}
        known["settings"] = {"isOperational": False, "isWebPageView": True, "isTextOnly": False}
        if facts["template"] is not None:
            known["templateId"] = str(facts["template"])
    elif asset.kind == "fragment":
        sign = sha256(f"{answers} {asset.id}".encode()).hexdigest()
        known["settings"] = {"fragmentType": "email", "supportedChannels": ["email"]}
        known["thumbnail"] = {"url": f"https://thumbnails.example/{asset.id}.png?expires={answers}&signature={sign}"}
    else:
        known["version"] = 1 + state.edits
    return known


def v2_detail(store: AssetStore, asset: Asset, answers: int) -> dict[str, Any]:
    """An asset with its content, as it is shown by id."""
    rng, text = asset.rng(store.seed, "data", ""), asset.versions[""].text
    html = document(text, markup(rng, text))
    body = {"html": {"body": html}, "text": {"body": f"{text}\n{words(rng, 9)}", "syncFromHtml": True}}
    return v2_row(store, asset, answers) | {"data": body}


def _app_data(store: AssetStore, asset: Asset) -> dict[str, str]:
    place = asset.place
    shown = {"editorType": "visual", "workspaceId": str(zone_of(store.workspace(asset)))}
    if place is None:
        return shown
    if place.kind == "folder":
        return shown | {"folderId": str(place.id)}
    program = store.at(place)
    named = {} if program is None else {"programName": program.name, "programType": program.facts["row"]["type"]}
    return shown | {"programId": str(place.id)} | named


def _suits(store: AssetStore, asset: Asset, query: Mapping[str, str]) -> bool:
    """The asset is in the workspace and matches the filters of a call."""
    statuses = {status.lower() for status in parts(query, "status")}
    if str(zone_of(store.workspace(asset))) != query["workspaceId"].strip():
        return False
    if statuses and asset.facts["status"] not in statuses:
        return False
    if query.get("name") and query["name"].lower() not in asset.name.lower():
        return False
    if query.get("folderId"):
        place = asset.place
        if place is None or (str(place.id), place.type) != (query["folderId"], query.get("folderType") or "Folder"):
            return False
    if not flag(query.get("includeArchived") or "false") and store.is_archived(asset):
        return False
    dates = (("createdAt", asset.created), ("modifiedAt", asset.versions[""].updated))
    return all(_lies_in(query, name, seconds) for name, seconds in dates)


def _lies_in(query: Mapping[str, str], name: str, seconds: int) -> bool:
    written = {"earliestUpdatedAt": query.get(f"{name}Start", ""), "latestUpdatedAt": query.get(f"{name}End", "")}
    earliest, latest = update_range(written)
    return earliest <= seconds <= latest

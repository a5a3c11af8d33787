"""Lists of assets, one asset by its id, and what uses it; what assets contain is answered elsewhere.

Lists are in the order of names, so that a rename shifts what the pages show. Of an asset with versions a list shows the
approved one, or its draft where it has nothing else, unless a status is asked for.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/assets
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from syncengine.sandbox.asset_items import VERSIONED, Asset, Place, place_of
from syncengine.sandbox.asset_rows import row_of
from syncengine.sandbox.asset_seeds import DOMAINS, segments_of
from syncengine.sandbox.asset_store import AssetStore
from syncengine.sandbox.asset_tree import TAG_TYPES
from syncengine.sandbox.page import Endpoint, Page, assets_page
from syncengine.sandbox.parameters import flag, offset_page, required, update_range, whole
from syncengine.sandbox.programs import channel_names, channels
from syncengine.sandbox.replies import invalid
from syncengine.sandbox.routes import Call

# The endpoints' own names of the kinds.
FAMILIES = {
    "emails": "email",
    "email_templates": "email-template",
    "landing_pages": "landing-page",
    "landing_page_templates": "landing-page-template",
    "redirect_rules": "redirect-rule",
    "forms": "form",
    "snippets": "snippet",
    "files": "file",
    "smart_campaigns": "smart-campaign",
    "smart_lists": "smart-list",
    "static_lists": "static-list",
}
STATUSES = ("approved", "draft")
ALL_TYPES = "[program,email_batch,nurture,event,webinar]"


class AssetListings:
    """Answers lists; the store is asked for when the first call comes."""

    def __init__(self, store: Callable[[], AssetStore]) -> None:
        self._store = store

    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints by name."""
        lists = {f"{family}.list": partial(self._list, kind) for family, kind in FAMILIES.items()}
        # A smart list by its id may be asked for with its rules.
        gets = {f"{family}.get": partial(self._get, kind) for family, kind in FAMILIES.items() if kind != "smart-list"}
        return {
            **lists,
            **gets,
            "segmentations.list": self._segmentations,
            "segmentations.segments": self._segments,
            "landing_page_domains.list": lambda call, _now: paged(domains(), call),
            "channels.list": lambda call, _now: paged(all_channels(self._store()), call),
            "tag_types.list": lambda call, _now: paged([tag_type(name) for name in tag_names()], call),
            "tag_types.by_name": self._tag_type,
            "email_templates.used_by": partial(self._used_by, "email", "template", "Email"),
            "forms.used_by": partial(self._used_by, "landing-page", "form", "Landing Page"),
        }

    def _list(self, kind: str, call: Call, _now: float) -> Page:
        store, status, part = self._store(), asked_status(call.query), offset_page(call.query)
        earliest, latest = update_range(call.query)
        place = asked_place(call.query, "folder")
        only_active = flag(call.query.get("isActive") or "false")
        chosen = [
            (asset, version)
            for asset in store.of(kind)
            if (version := version_of(asset, status)) is not None
            and earliest <= asset.versions[version].updated <= latest
            and place in {None, asset.place}
            and not (only_active and not (asset.facts["row"]["active"] and asset.facts["row"]["type"] == "trigger"))
        ]
        return assets_page([row_of(store, asset, version, host_of(call)) for asset, version in chosen[part]])

    def _get(self, kind: str, call: Call, _now: float) -> Page:
        store = self._store()
        asset, version = found(store, kind, call)
        return assets_page([] if asset is None else [row_of(store, asset, version, host_of(call))])

    def _segmentations(self, call: Call, _now: float) -> Page:
        store, status = self._store(), asked_status(call.query)
        chosen = [asset for asset in store.of("segmentation") if status in {"", asset.facts["status"]}]
        return assets_page([row_of(store, asset, "", "") for asset in chosen])

    def _segments(self, call: Call, _now: float) -> Page:
        store, status = self._store(), asked_status(call.query)
        asset = store.find("segmentation", whole(call.path["id"]))
        has_any = asset is not None and status in {"", asset.facts["status"]}
        return paged(segments(store, asset) if asset is not None and has_any else [], call)

    def _tag_type(self, call: Call, _now: float) -> Page:
        name = required(call.query, "name")
        # A comma parts names, so that a name that has one is found by none of its parts.
        is_known = name in tag_names() and "," not in name
        return assets_page([tag_type(name, with_values=True)] if is_known else [])

    def _used_by(self, kind: str, fact: str, shown_type: str, call: Call, _now: float) -> Page:
        store, asset_id = self._store(), whole(call.path["id"])
        users = [asset for asset in store.of(kind) if asset.facts[fact] == asset_id]
        rows = [row_of(store, asset, asset.shown, "") for asset in users]
        shown = [{name: row[name] for name in ("id", "name", "status", "updatedAt")} for row in rows]
        return paged([row | {"type": shown_type} for row in shown], call)


def host_of(call: Call) -> str:
    """The host that a call was sent to, which addresses of files name."""
    return call.headers.get("host", "localhost")


def paged(shown: Sequence[Any], call: Call) -> Page:
    """The page of a list that the call asks for."""
    return assets_page(list(shown)[offset_page(call.query)])


def asked_status(query: Mapping[str, str]) -> str:
    """The version that a call asks for, empty when it does not say; 1003 for one that there is not."""
    status = query.get("status", "").lower()
    if status and status not in STATUSES:
        raise invalid(f"status is one of {', '.join(STATUSES)}")
    return status


def asked_place(query: Mapping[str, str], name: str) -> Place | None:
    """The folder that a call names as JSON; 1003 when it cannot be read."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        return place_of(orjson.loads(text))
    except (ValueError, TypeError, KeyError):
        raise invalid(f'{name} is a JSON object: {{"id": 1, "type": "Folder"}}') from None


def version_of(asset: Asset, status: str) -> str | None:
    """Which version answers; None when the asset has not the one that was asked for."""
    if not status or asset.kind not in VERSIONED:
        return asset.shown
    return status if status in asset.versions else None


def found(store: AssetStore, kind: str, call: Call) -> tuple[Asset | None, str]:
    """The asset and the version that a call asks for by id and status; None when there is none."""
    asset = store.find(kind, whole(call.path["id"]))
    version = None if asset is None else version_of(asset, asked_status(call.query))
    return (None, "") if version is None else (asset, version)


def segments(store: AssetStore, asset: Asset) -> list[dict[str, Any]]:
    """The segments of a segmentation.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/dynamic-content
    """
    shown = row_of(store, asset, "", "")
    known = {name: shown[name] for name in ("createdAt", "updatedAt", "status")} | {"segmentationId": asset.id}
    return [
        {"id": number, "name": name, "description": "", "url": f"{shown['url']}SG{number}"} | known
        for number, name in segments_of(asset.id)
    ]


def domains() -> list[dict[str, Any]]:
    """The domains of landing pages."""
    return [{"hostname": name, "type": kind} for name, kind in sorted(DOMAINS)]


def all_channels(store: AssetStore) -> list[dict[str, Any]]:
    """All channels, by name."""
    return [channel for name in sorted(channel_names(), key=str.lower) for channel in channels(name, store.options)]


def tag_names() -> list[str]:
    """The names of the types of tags, in order."""
    return sorted((name for name, _, _ in TAG_TYPES), key=str.lower)


def tag_type(name: str, *, with_values: bool = False) -> dict[str, Any]:
    """A type of tag; only by its name it is shown with the values that it allows.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/tags
    """
    is_required, values = next((is_required, values) for known, is_required, values in TAG_TYPES if known == name)
    shown: dict[str, Any] = {"tagType": name, "applicableProgramTypes": ALL_TYPES, "required": is_required}
    return shown | ({"allowableValues": f"[{', '.join(values)}]"} if with_values else {})

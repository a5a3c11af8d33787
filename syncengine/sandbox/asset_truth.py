"""The truth of all assets, each with all its parts just as the calls give them; separate because no call gives it."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import orjson

from syncengine.sandbox import asset_parts
from syncengine.sandbox.asset_files import content_of
from syncengine.sandbox.asset_folders import folder_tokens
from syncengine.sandbox.asset_items import CONTAINERS, KINDS, V2_KINDS, Asset
from syncengine.sandbox.asset_listings import all_channels, domains, segments, tag_names, tag_type
from syncengine.sandbox.asset_rows import program_row, row_of
from syncengine.sandbox.asset_rules import smart_list
from syncengine.sandbox.asset_store import AssetStore
from syncengine.sandbox.asset_v2 import v2_detail, v2_row
from syncengine.sandbox.replies import Refusal

WITH_CONTENT = ("email", "email-template", "landing-page", "landing-page-template", "snippet")


def assets_truth(store: AssetStore, host: str) -> Iterator[bytes]:
    """A JSON line for each asset, kind by kind; addresses of files name `host`."""
    for entry in _fixed(store):
        yield _line(entry)
    for kind in KINDS:
        for asset in store.of(kind):
            yield _line(entry_of(store, asset, host))


def entry_of(store: AssetStore, asset: Asset, host: str) -> dict[str, Any]:
    """One asset with its versions."""
    versions = [_version(store, asset, version, host) for version in sorted(asset.versions)]
    return {
        "kind": asset.kind,
        "id": versions[0]["row"]["id"],
        "name": asset.name,
        "folder": None if asset.place is None else {"type": asset.place.type, "id": asset.place.id},
        "versions": versions,
    }


def _version(store: AssetStore, asset: Asset, version: str, host: str) -> dict[str, Any]:
    row = v2_row(store, asset, 0) if asset.kind in V2_KINDS else row_of(store, asset, version, host)
    shown: dict[str, Any] = {"version": version, "row": row, "content": _parts(store, asset, version), "html": None}
    if asset.kind == "email" or (asset.kind == "landing-page" and version == asset.shown):
        shown["html"] = asset_parts.full_content(store, asset, version)[0]["content"]
    if asset.kind == "file":
        shown["sha256"] = sha256(content_of(asset, store.seed)).hexdigest()
    return shown


def _parts(store: AssetStore, asset: Asset, version: str) -> dict[str, Any]:
    """The parts that can be read of this version; null for one that is refused with 709."""
    found: dict[str, Any] = {}
    is_shown = version == asset.shown
    if asset.kind in WITH_CONTENT:
        try:
            found["content"] = asset_parts.content(store, asset, version)
        except Refusal:
            found["content"] = None
    if asset.kind == "landing-page" or (asset.kind == "email" and is_shown):
        found["variables"] = asset_parts.variables(store, asset, version)
    if asset.kind == "email" or (asset.kind == "landing-page" and is_shown):
        found["dynamicContent"] = asset_parts.dynamic(store, asset, version)
    if asset.kind == "snippet":
        found["dynamicContent"] = asset_parts.one_dynamic(store, asset, version)
    if asset.kind == "form":
        found["fields"] = asset_parts.fields(store, asset, version)
    if asset.kind in {"smart-list", "smart-campaign", "program"}:
        found["rules"] = smart_list(store, asset, with_rules=True)
    if asset.kind in CONTAINERS:
        found["tokens"] = folder_tokens(asset)
    if asset.kind == "segmentation":
        found["segments"] = segments(store, asset)
    if asset.kind == "program":
        found["detail"] = [{"status": "", **program_row(store, asset), **store.program_detail(asset.id)}]
    if asset.kind in V2_KINDS:
        found["detail"] = [v2_detail(store, asset, 0)]
    # What is refused for what it holds stays, as null; what there cannot be is left out.
    return {name: part for name, part in found.items() if part or name == "content"}


def _fixed(store: AssetStore) -> Iterator[dict[str, Any]]:
    """What the instance has by its set-up."""
    for channel in all_channels(store):
        yield _entry("channel", channel["id"], channel["name"], channel, {})
    for name in tag_names():
        has_values = "," not in name
        detail = {"detail": [tag_type(name, with_values=True)]} if has_values else {}
        yield _entry("tag-type", name, name, tag_type(name), detail)
    for domain in domains():
        yield _entry("landing-page-domain", domain["hostname"], domain["hostname"], domain, {})


def _entry(kind: str, key: object, name: str, row: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    version = {"version": "", "row": row, "content": content, "html": None}
    return {"kind": kind, "id": key, "name": name, "folder": None, "versions": [version]}


def _line(entry: dict[str, Any]) -> bytes:
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)

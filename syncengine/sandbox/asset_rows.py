"""One asset as its list shows it, a function for each kind; separate because it is Adobe's shapes and nothing else.

The shapes are those of the examples of Adobe's guides; where an asset lies is written in three ways, as there.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/assets
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from syncengine.sandbox.asset_files import mime_type
from syncengine.sandbox.asset_items import Asset, Version, stamp
from syncengine.sandbox.asset_mail import CC_FIELDS, email_header
from syncengine.sandbox.asset_pages import page_header, thank_you_list
from syncengine.sandbox.asset_store import AssetStore
from syncengine.sandbox.asset_tree import PROGRAM_FOLDER_TYPES

APP = "https://app-sandbox.example"
PAGES = "https://pages.example.com"
Row = dict[str, Any]
# The letters that the application's addresses of a kind begin with.
LETTERS = {
    "email": "EM",
    "email-template": "ET",
    "landing-page": "LP",
    "landing-page-template": "LT",
    "form": "FO",
    "snippet": "SN",
    "smart-campaign": "SC",
    "smart-list": "SL",
    "static-list": "ST",
    "segmentation": "SG",
    "folder": "MF",
}


def row_of(store: AssetStore, asset: Asset, version: str, host: str) -> Row:
    """The row of an asset in one version; `host` is the one that the call was sent to."""
    if asset.kind == "program":
        return program_row(store, asset)
    if asset.kind == "file":
        return _file(store, asset, host)
    return ROWS[asset.kind](store, asset, version)


def folder_row(store: AssetStore, asset: Asset) -> Row:
    """A folder, or a program as a folder of what it contains."""
    facts = asset.facts
    is_program = asset.kind == "program"
    folder_type = PROGRAM_FOLDER_TYPES[facts["row"]["type"]] if is_program else facts["folderType"]
    is_system = facts.get("isSystem", False)
    letters = "PG" if is_program else "MF"
    return {
        "id": asset.id,
        "name": asset.name,
        "description": (facts["row"]["description"] if is_program else asset.versions[""].text),
        **_dates(asset, asset.versions[""]),
        "url": None if is_system else f"{APP}/#{letters}{asset.id}A1",
        "folderId": asset.as_place.reference(),
        "folderType": folder_type,
        "parent": None if asset.place is None else asset.place.reference(),
        "path": store.path(asset),
        "isArchive": facts.get("isArchive", False),
        "isSystem": is_system,
        **store.zone(asset),
    }


def program_row(store: AssetStore, asset: Asset) -> Row:
    """A program as the list of programs shows it."""
    shown = {name: value for name, value in asset.facts["row"].items() if value is not None}
    return shown | _dates(asset, asset.versions[""]) | {"folder": store.folder(asset)}


def _dates(asset: Asset, version: Version) -> Row:
    return {"createdAt": stamp(asset.created), "updatedAt": stamp(version.updated)}


def _head(asset: Asset, version: str, *, address: str = "url", described: bool = True) -> Row:
    shown: Row = {"id": asset.id, "name": asset.name}
    if described:
        shown["description"] = f"About {asset.kind} {asset.id}" if asset.id % 3 else ""
    return shown | _dates(asset, asset.versions[version]) | {address: f"{APP}/#{LETTERS[asset.kind]}{asset.id}A1"}


def _email(store: AssetStore, asset: Asset, version: str) -> Row:
    return {
        **_head(asset, version),
        **email_header(asset, version, store.seed),
        "folder": store.folder(asset),
        "textOnly": False,
        "publishToMSI": asset.id % 7 == 0,
        "status": version,
        "template": asset.facts["template"],
        "workspace": store.workspace_name(asset),
        "isOpenTrackingDisabled": False,
        "version": asset.facts["version"],
        "autoCopyToText": asset.id % 2 == 0,
        "ccFields": [CC_FIELDS[0]] if asset.id % 5 == 0 else [],
    }


def _email_template(store: AssetStore, asset: Asset, version: str) -> Row:
    facts = {"version": asset.facts["version"], "workspace": store.workspace_name(asset)}
    return {**_head(asset, version), "folder": store.folder(asset), "status": version.capitalize(), **facts}


def _page(store: AssetStore, asset: Asset, version: str) -> Row:
    return {
        **_head(asset, version, address="computedUrl"),
        "folder": store.folder(asset),
        "workspace": store.workspace_name(asset),
        "status": version,
        "template": asset.facts["template"],
        **page_header(asset, version, store.seed),
        # A page keeps the address that it was made with, whatever it is called later.
        "URL": f"{PAGES}/lp/{store.options.name}/{quote(asset.first_name, safe='')}.html",
    }


def _page_template(store: AssetStore, asset: Asset, version: str) -> Row:
    return {
        **_head(asset, version),
        "folder": store.folder(asset),
        "status": version.capitalize(),
        "templateType": asset.facts["templateType"],
        "enableMunchkin": asset.id % 2 == 0,
        "workspace": store.workspace_name(asset),
    }


def rule_row(_store: AssetStore, asset: Asset, _version: str) -> Row:
    """A redirect rule, which lies nowhere and has no name.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/landing-page-redirect-rules
    """
    facts = asset.facts
    origin, goal, host = facts["from"], facts["to"], facts["hostname"]
    path = origin["value"] if origin["type"] == "path" else f"/page-{origin['value']}.html"
    target = goal["value"] if goal["type"] == "url" else f"https://{host}/page-{goal['value']}.html"
    return {
        "id": asset.id,
        "redirectFromUrl": f"https://{host}{path}",
        "hostname": host,
        "redirectFrom": origin,
        "redirectTo": goal,
        "redirectToUrl": target,
        **_dates(asset, asset.versions[""]),
    }


def _form(store: AssetStore, asset: Asset, version: str) -> Row:
    rng = asset.rng(store.seed, "form", version)
    language = rng.choice((("English", "en_US", "Submit"), ("French", "fr_FR", "Envoyer")))
    return {
        **_head(asset, version),
        "status": version,
        "theme": "simple",
        "language": language[0],
        "locale": language[1],
        "progressiveProfiling": asset.id % 4 == 0,
        "labelPosition": "left",
        "fontFamily": "Helvetica",
        "fontSize": "13px",
        "folder": store.folder(asset),
        "knownVisitor": {"type": "form", "template": None},
        "thankYouList": thank_you_list(asset, version, store.seed),
        "buttonLocation": 120,
        "buttonLabel": language[2],
        "waitingLabel": asset.versions[version].text[:40],
    }


def _snippet(store: AssetStore, asset: Asset, version: str) -> Row:
    where = {"folder": store.folder(asset), "workspace": store.workspace_name(asset)}
    return {**_head(asset, version), "status": version, **where}


def _file(store: AssetStore, asset: Asset, host: str) -> Row:
    place = asset.place
    above = None if place is None else store.at(place)
    folder = {"type": "Image", "id": place.id if place else 0, "name": above.name if above else ""}
    return {
        "id": asset.id,
        "name": asset.name,
        "description": asset.versions[""].text if asset.id % 2 else None,
        **_dates(asset, asset.versions[""]),
        "size": asset.facts["size"],
        "mimeType": mime_type(asset.first_name),
        "url": f"http://{host}/rs/{store.options.name}/images/{asset.id}_{quote(asset.name, safe='')}",
        "folder": folder,
    }


def _campaign(store: AssetStore, asset: Asset, _version: str) -> Row:
    row, place = asset.facts["row"], asset.place
    is_trigger, is_active = row["type"] == "trigger", bool(row["active"])
    shown: Row = {
        "id": asset.id,
        "name": asset.name,
        "description": row["description"] or "",
        **_dates(asset, asset.versions[""]),
        "status": ("Active" if is_active else "Inactive") if is_trigger else "Never Run",
        "type": row["type"],
        "isSystem": False,
        "isActive": is_active and is_trigger,
        "isRequestable": is_trigger and asset.id % 5 == 0,
        "isCommunicationLimitEnabled": False,
        "recurrence": {"weekdayOnly": False},
        "qualificationRuleType": "once",
        "workspace": store.workspace_name(asset),
        "smartListId": campaign_list_id(asset),
        "flowId": 20_000 + asset.id,
        "computedUrl": f"{APP}/#SC{asset.id}A1",
    }
    if place is not None:
        shown["folder"] = place.reference()
        if place.kind == "program":
            shown["parentProgramId"] = place.id
    return shown


def campaign_list_id(asset: Asset) -> int:
    """The id of the smart list of a campaign or an email program; it is in no list of smart lists."""
    return (30_000 if asset.kind == "program" else 10_000) + asset.id


def _list(store: AssetStore, asset: Asset, version: str) -> Row:
    row = asset.facts.get("row")
    description = row["description"] if row else asset.versions[""].text
    where = {"folder": asset.place.reference() if asset.place else None, "workspace": store.workspace_name(asset)}
    # Static lists have this address under both names.
    address = {"computedUrl": f"{APP}/#ST{asset.id}A1"} if row else {}
    return {**_head(asset, version, described=False), "description": description or "", **where, **address}


def _segmentation(store: AssetStore, asset: Asset, version: str) -> Row:
    where = {"folder": store.folder(asset), "workspace": store.workspace_name(asset)}
    about = {"description": asset.versions[""].text}
    return {**_head(asset, version), **about, **where, "status": asset.facts["status"]}


ROWS: dict[str, Callable[[AssetStore, Asset, str], Row]] = {
    "folder": lambda store, asset, _version: folder_row(store, asset),
    "email": _email,
    "email-template": _email_template,
    "landing-page": _page,
    "landing-page-template": _page_template,
    "redirect-rule": rule_row,
    "form": _form,
    "snippet": _snippet,
    "smart-campaign": _campaign,
    "smart-list": _list,
    "static-list": _list,
    "segmentation": _segmentation,
}

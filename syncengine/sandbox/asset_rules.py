"""Smart lists of their own, of smart campaigns and of email programs, with their rules.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/smart-lists
"""

from typing import Any

from syncengine.sandbox.asset_items import Asset, stamp
from syncengine.sandbox.asset_rows import APP, campaign_list_id, row_of
from syncengine.sandbox.asset_store import AssetStore


def smart_list(store: AssetStore, asset: Asset, *, with_rules: bool) -> list[dict[str, Any]] | None:
    """The smart list of an asset; None for a program that is not one of email, which has none."""
    if asset.kind == "smart-list":
        row = row_of(store, asset, "", "")
    elif asset.kind == "program" and asset.facts["row"]["type"] != "Email":
        return None
    else:
        row = _inner_row(store, asset)
    return [row | ({"rules": rules_of(store, asset)} if with_rules else {})]


def rules_of(store: AssetStore, asset: Asset) -> dict[str, Any]:
    """The rules of a smart list; they name lists, programs and forms as these were called when it was made."""
    rng, text = asset.rng(store.seed, "rules"), asset.versions[""].text
    edits = asset.versions[""].edits
    names = asset.facts.get("values") or {"program": "Program", "list": "List 1", "form": "Program.Form 1"}
    member = [_condition(-10, "Program", [names["program"], "b, c"], is_primary=True)]
    filled = [_condition(1, "Form Name", [names["form"]], is_primary=True)]
    filled.append(_condition(-101, "Date of Activity", [f"{rng.randrange(1, 90)} days"], operator="in past"))
    filters = [
        _filter(100 + edits, "Member of Program", "Filter", member),
        _filter(200, "Filled Out Form", "Activity", filled),
        _filter(300, "Member of List", "Filter", [_condition(-11, "List", [names["list"]], is_primary=True)]),
        _filter(400, "Company Name", "Attribute", [_condition(-12, "Company", [text], is_primary=True)]),
    ]
    is_trigger = asset.kind == "smart-campaign" and asset.facts["row"]["type"] == "trigger"
    triggers = [_filter(500, "Fills Out Form", "Activity", filled)] if is_trigger else []
    match = rng.choice(("all", "any"))
    return {"filterMatchType": match, "triggers": triggers, "filters": filters[: 1 + rng.randrange(len(filters))]}


def _inner_row(store: AssetStore, asset: Asset) -> dict[str, Any]:
    """The smart list inside a campaign or an email program, which bears its name."""
    number = campaign_list_id(asset)
    place = asset.as_place if asset.kind == "program" else asset.place
    return {
        "id": number,
        "name": asset.name,
        "description": "",
        "createdAt": stamp(asset.created),
        "updatedAt": stamp(asset.versions[""].updated),
        "url": f"{APP}/#SL{number}A1",
        "folder": None if place is None else place.reference(),
        "workspace": store.workspace_name(asset),
    }


def _filter(number: int, name: str, kind: str, conditions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "ruleTypeId": number // 100,
        "ruleType": kind,
        "operator": "occurs" if kind == "Activity" else "is",
        "conditions": conditions,
    }


def _condition(
    number: int, name: str, values: list[str], *, operator: str = "is", is_primary: bool = False
) -> dict[str, Any]:
    return {
        "activityAttributeId": number,
        "activityAttributeName": name,
        "operator": operator,
        "values": values,
        "isPrimary": is_primary,
    }

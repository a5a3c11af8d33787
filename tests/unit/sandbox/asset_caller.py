"""What tests of marketing assets share: whole lists page by page, a truth by kind and id, what nothing looks like."""

from typing import Any

from tests.unit.sandbox.caller import Caller, value_of

V1, V2 = "/rest/asset/v1", "/rest/asset/v2"
NOTHING = ["No assets found for the given search criteria."]
V2_HEADERS = {"x-app-type": "marketo"}
# The list of every kind, and the path of one asset.
LISTS = {
    "program": ("programs", "program/{}"),
    "email": ("emails", "email/{}"),
    "email-template": ("emailTemplates", "emailTemplate/{}"),
    "landing-page": ("landingPages", "landingPage/{}"),
    "landing-page-template": ("landingPageTemplates", "landingPageTemplate/{}"),
    "redirect-rule": ("redirectRules", "redirectRule/{}"),
    "form": ("forms", "form/{}"),
    "snippet": ("snippets", "snippet/{}"),
    "file": ("files", "file/{}"),
    "smart-campaign": ("smartCampaigns", "smartCampaign/{}"),
    "smart-list": ("smartLists", "smartList/{}"),
    "static-list": ("staticLists", "staticList/{}"),
}
DESIGNS = {"email-v2": "email", "email-template-v2": "emailtemplate", "fragment": "fragment"}
VERSIONED = ("email", "email-template", "landing-page", "landing-page-template", "form", "snippet")

Known = dict[tuple[str, Any], dict[str, Any]]


def asked(caller: Caller, path: str, **query: object) -> Any:
    """The JSON of a call of the first version of the API."""
    return caller.get(f"{V1}/{path}.json", **query)


def everything(caller: Caller, path: str, *, size: int = 200, **query: Any) -> list[dict[str, Any]]:
    """A whole list, page by page until the warning."""
    found: list[dict[str, Any]] = []
    while True:
        page = asked(caller, path, **query, maxReturn=size, offset=len(found))
        assert page["success"], page
        if "result" not in page:
            assert page["warnings"] == NOTHING
            return found
        found += page["result"]


def designed(caller: Caller, kind: str, **query: object) -> Any:
    """The answer of a filter of the new designer."""
    texts = {name: str(value) for name, value in query.items()}
    return value_of(caller.call("GET", f"{V2}/{DESIGNS[kind]}/filter", query=texts, headers=V2_HEADERS))


def known(caller: Caller) -> Known:
    """The truth by kind and id."""
    return {(line["kind"], line["id"]): line for line in caller.truth("assets")}


def of_kind(assets: Known, kind: str) -> list[dict[str, Any]]:
    """The truth of one kind."""
    return [line for (one, _), line in assets.items() if one == kind]


def rows(line: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of an asset by version."""
    return {version["version"]: version["row"] for version in line["versions"]}


def done(caller: Caller, verb: str, kind: str, asset_id: object, **more: object) -> list[dict[str, Any]]:
    """Change one asset and return what was done."""
    changes = caller.change(assets=[{"do": verb, "kind": kind, "id": asset_id, **more}])
    assert "error" not in changes, changes
    found: list[dict[str, Any]] = changes["assets"]
    return found

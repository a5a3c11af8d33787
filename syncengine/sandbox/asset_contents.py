"""What assets contain: sections, variables, dynamic content, fields, rules and whole documents, each by the asset's id.

An asset that there is not, and a version that it has not, is an answer without a result; a part that an asset of its
sort cannot have is 702.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/assets
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from syncengine.sandbox import asset_parts
from syncengine.sandbox.asset_items import Asset
from syncengine.sandbox.asset_listings import FAMILIES, found
from syncengine.sandbox.asset_mail import CC_FIELDS
from syncengine.sandbox.asset_rules import smart_list
from syncengine.sandbox.asset_store import AssetStore
from syncengine.sandbox.page import Endpoint, Page, assets_page
from syncengine.sandbox.parameters import flag, whole
from syncengine.sandbox.replies import invalid, refusal
from syncengine.sandbox.routes import Call

Part = Callable[[AssetStore, Asset, str], list[dict[str, Any]] | None]
PARTS: dict[str, Part] = {
    "emails.content": asset_parts.content,
    "emails.variables": asset_parts.variables,
    "email_templates.content": asset_parts.content,
    "landing_pages.content": asset_parts.content,
    "landing_pages.variables": asset_parts.variables,
    "landing_pages.full_content": asset_parts.full_content,
    "landing_page_templates.content": asset_parts.content,
    "forms.fields": asset_parts.fields,
    "forms.thank_you_page": asset_parts.thank_you_page,
    "snippets.content": asset_parts.content,
    "snippets.dynamic_content": asset_parts.one_dynamic,
}
# These take no status: they show the approved version, or the draft where there is nothing else.
WITHOUT_STATUS = frozenset({"emails.variables", "landing_pages.full_content", "landing_pages.dynamic_content"})


class AssetContents:
    """Answers calls about one asset's parts; the store is asked for when the first call comes."""

    def __init__(self, store: Callable[[], AssetStore]) -> None:
        self._store = store

    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints by name."""
        return {
            **{endpoint: partial(self._part, part) for endpoint, part in PARTS.items()},
            "emails.dynamic_content": self._dynamic,
            "landing_pages.dynamic_content": self._dynamic,
            "emails.full_content": self._email,
            "emails.cc_fields": lambda _call, _now: assets_page(CC_FIELDS),
            "smart_lists.get": partial(self._rules, "smart-list", "id"),
            "smart_campaigns.smart_list": partial(self._rules, "smart-campaign", "id"),
            "programs.smart_list": partial(self._rules, "program", "programId"),
        }

    def _part(self, part: Part, call: Call, _now: float) -> Page:
        asset, version = self._found(call)
        if asset is None:
            return assets_page([])
        return _page(part(self._store(), asset, version))

    def _dynamic(self, call: Call, _now: float) -> Page:
        asset, version = self._found(call)
        if asset is None:
            return assets_page([])
        return _page(asset_parts.dynamic(self._store(), asset, version).get(call.path["contentId"]))

    def _email(self, call: Call, _now: float) -> Page:
        kind = call.query.get("type") or "HTML"
        if kind not in {"HTML", "Text"}:
            raise invalid("type is HTML or Text")
        asset, version = self._found(call)
        if asset is None:
            return assets_page([])
        return _page(asset_parts.full_content(self._store(), asset, version, as_text=kind == "Text"))

    def _rules(self, kind: str, name: str, call: Call, _now: float) -> Page:
        with_rules = flag(call.query.get("includeRules") or "false")
        asset = self._store().find(kind, whole(call.path[name]))
        if asset is None:
            return assets_page([])
        return _page(smart_list(self._store(), asset, with_rules=with_rules))

    def _found(self, call: Call) -> tuple[Asset | None, str]:
        """The asset and the version that is meant."""
        store, kind = self._store(), FAMILIES[call.endpoint.partition(".")[0]]
        asset, version = found(store, kind, call)
        if asset is not None and call.endpoint in WITHOUT_STATUS:
            return asset, asset.shown
        return asset, version


def _page(shown: list[dict[str, Any]] | None) -> Page:
    if shown is None:
        raise refusal("702")
    return assets_page(shown)

"""The parts of an asset beyond its row, whichever its kind; the calls and the truth both take them from here."""

from collections.abc import Callable
from typing import Any

from syncengine.sandbox.asset_items import Asset
from syncengine.sandbox.asset_mail import (
    email_dynamic,
    email_html,
    email_sections,
    email_text,
    email_variables,
    snippet_dynamic,
    snippet_sections,
    template_html,
)
from syncengine.sandbox.asset_pages import (
    form_fields,
    page_dynamic,
    page_html,
    page_sections,
    page_variables,
    thank_you_list,
)
from syncengine.sandbox.asset_store import AssetStore
from syncengine.sandbox.replies import refusal

Result = list[dict[str, Any]]
SECTIONS: dict[str, Callable[[Asset, str, int], Result]] = {
    "email": email_sections,
    "landing-page": page_sections,
    "snippet": snippet_sections,
}


def content(store: AssetStore, asset: Asset, version: str) -> Result:
    """The sections of an asset, or the document of a template; 709 for what Marketo does not show.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/emails
    """
    if asset.facts.get("isPredictive"):
        raise refusal("709", "Email", asset.id, "predictive content")
    if asset.facts.get("isSocial"):
        raise refusal("709", "Landing Page", asset.id, "a social button")
    if asset.kind in SECTIONS:
        return SECTIONS[asset.kind](asset, version, store.seed)
    shown: dict[str, Any] = {"id": asset.id, "status": version, "content": template_html(asset, version, store.seed)}
    if asset.kind == "landing-page-template":
        shown |= {"templateType": asset.facts["templateType"], "enableMunchkin": asset.id % 2 == 0}
    return [shown]


def variables(store: AssetStore, asset: Asset, version: str) -> Result | None:
    """The variables of an email or a page; None where it cannot have any."""
    make = email_variables if asset.kind == "email" else page_variables
    return make(asset, version, store.seed)


def dynamic(store: AssetStore, asset: Asset, version: str) -> dict[str, Result]:
    """The dynamic parts of an email or a page by their ids."""
    make = email_dynamic if asset.kind == "email" else page_dynamic
    return make(asset, version, store.seed)


def one_dynamic(store: AssetStore, asset: Asset, version: str) -> Result | None:
    """The dynamic section of a snippet; None when it has none."""
    return snippet_dynamic(asset, version, store.seed)


def fields(store: AssetStore, asset: Asset, version: str) -> Result:
    """The fields of a form."""
    return form_fields(asset, version, store.seed)


def thank_you_page(store: AssetStore, asset: Asset, version: str) -> Result:
    """Where a form leads."""
    return [{"id": asset.id, "thankYouList": thank_you_list(asset, version, store.seed)}]


def full_content(store: AssetStore, asset: Asset, version: str, *, as_text: bool = False) -> Result:
    """The whole of an email or a page, as a browser would show it."""
    if asset.kind == "email":
        make = email_text if as_text else email_html
        return [{"id": asset.id, "status": version, "content": make(asset, version, store.seed)}]
    return [{"id": asset.id, "content": page_html(asset, version, store.seed)}]

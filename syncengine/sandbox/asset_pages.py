"""Parts of landing pages and forms; separate from emails, whose sections have other shapes.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/landing-pages
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/forms
"""

from html import escape
from random import Random
from typing import Any

from syncengine.sandbox.asset_items import Asset, stamp
from syncengine.sandbox.asset_seeds import segments_of
from syncengine.sandbox.asset_texts import content_id, markup, template_document, words

APP = "https://app-sandbox.example"
SHOWN = {"ruleType": "alwaysShow"}
FURTHER_FIELDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Company", "text", {"maxLength": 255, "hintText": 'e.g. "Acme, Inc."'}),
    ("Phone", "phone", {}),
    ("Country", "select", {"fieldMetaData": {"values": [{"label": "Norge \u00c5", "value": "NO"}], "visibleLines": 1}}),
    ("Comments", "textArea", {"maxLength": 2_000, "fieldMetaData": {"visibleLines": 4}}),
    ("OptIn", "checkbox", {"fieldMetaData": {"labelToRight": True}}),
)


def page_header(asset: Asset, version: str, seed: int) -> dict[str, Any]:
    """Title, keywords and the like of a landing page."""
    rng = asset.rng(seed, "header", version)
    return {
        "title": asset.versions[version].text,
        "keywords": words(rng, 2),
        "robots": rng.choice(("index, nofollow", "noindex")),
        "formPrefill": rng.random() < 0.5,
        "mobileEnabled": rng.random() < 0.3,
        "customHeadHTML": rng.choice(("", "<script>var a = '\u2028';</script>")),
        "facebookOgTags": rng.choice(("", '<meta property="og:title" content="x">')),
    }


def page_sections(asset: Asset, version: str, seed: int) -> list[dict[str, Any]]:
    """The sections of a landing page; those of a free-form page have numbers for ids and places on the page."""
    rng = asset.rng(seed, "sections", version)
    facts = asset.facts
    filled: list[tuple[str, Any]] = [
        ("RichText", markup(rng, asset.versions[version].text)),
        ("HTML", f"<script>/* {words(rng, 3)} */</script>"),
        ("Image", _linked("Image", f"https://img.example/{rng.randrange(99)}.png", f"{APP}/#IM{asset.id}")),
        ("Rectangle", ""),
    ]
    if facts["form"] is not None and rng.random() < 0.7:
        filled.append(("Form", _linked("Form", str(facts["form"]), f"{APP}/#FO{facts['form']}A1ZN1LA1")))
    if facts["snippet"] is not None and rng.random() < 0.3:
        filled.append(("Snippet", _linked("Snippet", str(facts["snippet"]), f"{APP}/#SN{facts['snippet']}A1")))
    if facts["segmentation"] is not None:
        filled.append(("DynamicContent", {"content": content_id("LP", asset.id), "contentType": "DynamicContent"}))
    return [_section(asset, place, kind, content, rng) for place, (kind, content) in enumerate(filled, 1)]


def page_variables(asset: Asset, version: str, seed: int) -> list[dict[str, Any]] | None:
    """The variables of a guided page; None for a free-form one."""
    if not asset.facts["isGuided"]:
        return None
    rng = asset.rng(seed, "variables", version)
    return [
        {"id": "stringVar", "value": asset.versions[version].text, "type": "string"},
        {"id": "colorVar", "value": f"#{rng.randrange(1 << 24):06X}", "type": "color"},
        {"id": "boolVar", "value": rng.choice(("true", "false")), "type": "boolean"},
    ]


def page_dynamic(asset: Asset, version: str, seed: int) -> dict[str, list[dict[str, Any]]]:
    """The dynamic section of a page by its id."""
    segmentation = asset.facts["segmentation"]
    if segmentation is None:
        return {}
    state, rng = asset.versions[version], asset.rng(seed, "dynamic", version)
    segments = [
        {
            "segmentId": segment,
            "segmentName": label,
            "type": "RichText",
            "content": markup(rng, f"{state.text} {label}"),
        }
        for segment, label in segments_of(segmentation)
    ]
    # Days alone, as in Adobe's example.
    dates = {"createdAt": stamp(asset.created)[:10], "updatedAt": stamp(state.updated)[:10]}
    return {content_id("LP", asset.id): [dates | {"segmentation": segmentation, "segments": segments}]}


def page_html(asset: Asset, version: str, seed: int) -> str:
    """The whole page: what it has kept of its template with all sections in it."""
    body = []
    for section in page_sections(asset, version, seed):
        match section["type"]:
            case "RichText" | "HTML":
                body.append(section["content"])
            case "DynamicContent":
                (dynamic,) = page_dynamic(asset, version, seed).values()
                body.append(dynamic[0]["segments"][-1]["content"])
            case other:
                body.append(f"<!-- {other} {escape(str(section['id']))} -->")
    return template_document("page", asset.facts["template"]).replace("{body}", "\n".join(body))


def form_fields(asset: Asset, version: str, seed: int) -> list[dict[str, Any]]:
    """The fields of a form, some of them shown only after certain answers."""
    rng = asset.rng(seed, "fields", version)
    text = asset.versions[version].text
    shown = [
        _form_field("FirstName", "text", 0, {"label": "First Name:", "maxLength": 255}),
        _form_field("LastName", "text", 1, {"label": text, "maxLength": 255}),
        _form_field("Email", "email", 2, {"label": "Email Address:", "required": True}),
    ]
    for name, kind, more in rng.sample(FURTHER_FIELDS, rng.randrange(len(FURTHER_FIELDS))):
        rules = [{"subjectField": "Email", "operator": "is", "values": ["a@example.com", "b, c"], "altLabel": name}]
        rule = {"ruleType": "show", "rules": rules} if rng.random() < 0.5 else SHOWN
        shown.append(_form_field(name, kind, len(shown), more | {"visibilityRules": rule}))
    html = {"id": f"HtmlText_{asset.id}", "dataType": "htmltext", "text": markup(rng, text)}
    shown.append(html | {"rowNumber": len(shown), "columnNumber": 0, "visibilityRules": SHOWN})
    if asset.id % 4 == 0:
        shown.append({"id": "Profiling", "dataType": "profiling", "rowNumber": len(shown), "columnNumber": 0})
    return shown


def thank_you_list(asset: Asset, version: str, seed: int) -> list[dict[str, Any]]:
    """Where a form leads: the last entry is for all whom no other suits."""
    rng = asset.rng(seed, "thanks", version)
    default: dict[str, Any] = {"followupType": "none", "followupValue": None, "default": True}
    if rng.random() < 0.3:
        return [default]
    url = {"followupType": "url", "followupValue": f"https://www.example.com/{asset.id}", "default": False}
    chosen: list[dict[str, Any]] = [
        url | {"operator": "contains", "subjectField": "Country", "values": ["NO", "Korea, Republic of"]}
    ]
    if asset.facts["page"] is not None:
        default = {"followupType": "lp", "followupValue": asset.facts["page"], "default": True}
    return [*chosen, default]


def _linked(kind: str, value: str, url: str) -> dict[str, str]:
    return {"content": value, "contentType": kind, "contentUrl": url}


def _section(asset: Asset, place: int, kind: str, content: Any, rng: Random) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": f"{kind.lower()}{place}" if asset.facts["isGuided"] else f"{asset.id}{place}"}
    shown |= {"type": kind, "index": place, "content": content}
    if kind == "Form":
        shown |= {"followupType": "formDefined", "followupValue": ""}
    if not asset.facts["isGuided"]:
        shown["formattingOptions"] = {"zIndex": 15, "left": f"{rng.randrange(400)}px", "top": f"{rng.randrange(900)}px"}
    return shown


def _form_field(name: str, kind: str, row: int, more: dict[str, Any]) -> dict[str, Any]:
    message = "Must be valid email. <span class='mktoErrorDetail'>example@yourdomain.com</span>"
    known = {"id": name, "label": f"{name}:", "dataType": kind, "rowNumber": row, "columnNumber": 0}
    known |= {"validationMessage": message if kind == "email" else "This field is required.", "required": False}
    return known | {"formPrefill": True, "visibilityRules": SHOWN} | more

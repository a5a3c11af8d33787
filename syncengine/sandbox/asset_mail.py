"""Parts of emails, email templates and snippets; separate from pages and forms, which are built in another way.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/emails
"""

from html import escape
from random import Random
from typing import Any

from syncengine.sandbox.asset_items import Asset, stamp
from syncengine.sandbox.asset_seeds import segments_of
from syncengine.sandbox.asset_texts import content_id, document, markup, plain, template_document, words

MODULES = ("header", "free-text", "two-articles", "footer")
VARIABLES = ("bodyColor", "linkText", "spacer", "borderSize")
CC_FIELDS = (
    {
        "attributeId": "157",
        "objectName": "lead",
        "displayName": "Lead Owner Email Address",
        "apiName": "leadOwnerEmailAddress",
    },
    {
        "attributeId": "396",
        "objectName": "company",
        "displayName": "Account Owner Email Address",
        "apiName": "accountOwnerEmailAddress",
    },
)


def email_header(asset: Asset, version: str, seed: int) -> dict[str, Any]:
    """Subject, sender and the like; the subject of some emails and the sender of fewer are dynamic."""
    rng = asset.rng(seed, "header", version)
    text = asset.versions[version].text
    host = f"news{asset.id % 5}.example.com"
    fields = {
        "subject": _field(f"{text} {words(rng, 3)}"),
        "fromName": _field(rng.choice(("Marketing", 'The "Best" Team', "\u00d6zil, Mesut"))),
        "fromEmail": _field(f"from@{host}"),
        "replyEmail": _field(f"reply@{host}"),
    }
    for name in _dynamic_fields(asset):
        fields[name] = {"type": "DynamicContent", "value": content_id(f"E-{name}", asset.id)}
    return fields | {"preHeader": words(rng, 4), "operational": rng.random() < 0.2, "webView": rng.random() < 0.5}


def email_sections(asset: Asset, version: str, seed: int) -> list[dict[str, Any]]:
    """The sections of an email; one that was made with modules has these among them."""
    rng = asset.rng(seed, "sections", version)
    text = asset.versions[version].text
    first = {"htmlId": "edit_text_1", "contentType": "Text", "value": _texts(text, rng)}
    if asset.facts["version"] == 1:
        return [first, *_further(asset, rng)]
    shown: list[dict[str, Any]] = []
    for index, module in enumerate(MODULES):
        frame = {"htmlId": module, "contentType": "Module", "index": index}
        shown.append(frame | {"parentHtmlId": "template-wrapper", "isLocked": False})
        inside = [first] if index == 0 else _further(asset, rng) if index == 1 else _filling(module, rng)
        shown += [section | {"parentHtmlId": module, "isLocked": rng.random() < 0.1} for section in inside]
    return shown


def email_variables(asset: Asset, version: str, seed: int) -> list[dict[str, Any]] | None:
    """The variables of an email; None for one that cannot have any."""
    if asset.facts["version"] == 1:
        return None
    rng = asset.rng(seed, "variables", version)
    whole = [{"name": name, "value": str(rng.randrange(100)), "moduleScope": False} for name in VARIABLES]
    # A module's own variable can have the name of another module's.
    local = [
        {"name": "backgroundColor", "value": f"#{rng.randrange(1 << 24):06x}", "moduleScope": True, "moduleId": module}
        for module in MODULES[:2]
    ]
    return whole + local


def email_dynamic(asset: Asset, version: str, seed: int) -> dict[str, list[dict[str, Any]]]:
    """The dynamic parts of an email by their ids: sections, and fields of the header."""
    segmentation = asset.facts["segmentation"]
    if segmentation is None:
        return {}
    state = asset.versions[version]
    shown = {}
    for name in ("section", *_dynamic_fields(asset)):
        rng = asset.rng(seed, f"dynamic {name}", version)
        content = [
            {"id": content_id("S", segment), "segmentId": str(segment), "segmentName": label} | piece
            for segment, label in segments_of(segmentation)
            for piece in _pieces(f"{state.text} for {label}", rng, is_header=name != "section")
        ]
        head = {"id": asset.id, "segmentation": segmentation}
        dates = {"createdAt": stamp(asset.created), "updatedAt": stamp(state.updated)}
        shown[content_id(f"E-{name}", asset.id)] = [dates | head | {"content": content}]
    return shown


def email_html(asset: Asset, version: str, seed: int) -> str:
    """The whole email: what it has kept of its template with all sections in it."""
    body = []
    for section in email_sections(asset, version, seed):
        match section["contentType"]:
            case "Text":
                body.append(section["value"][0]["value"])
            case "DynamicContent":
                body.append(email_dynamic(asset, version, seed)[section["value"]][0]["content"][-1]["content"])
            case other:
                body.append(f"<!-- {other} {escape(str(section['htmlId']))} -->")
    return template_document("email", asset.facts["template"]).replace("{body}", "\n".join(body))


def email_text(asset: Asset, version: str, seed: int) -> str:
    """The whole email as text."""
    texts = [one["value"] for one in email_sections(asset, version, seed) if one["contentType"] == "Text"]
    return "\n\n".join(value[1]["value"] for value in texts)


def template_html(asset: Asset, version: str, seed: int) -> str:
    """The document of an email template."""
    rng = asset.rng(seed, "html", version)
    text = asset.versions[version].text
    section = f'<div class="mktEditable" id="edit_text_1">{markup(rng, text)}</div>'
    return document(asset.kind, section * rng.randrange(1, 4), head="\n  <style>\n   body { color: #333 }\n  </style>")


def snippet_sections(asset: Asset, version: str, seed: int) -> list[dict[str, Any]]:
    """The sections of a snippet: HTML and text, or one that is dynamic."""
    if asset.facts["segmentation"] is not None:
        return [{"type": "DynamicContent", "content": content_id("SN", asset.id)}]
    rng = asset.rng(seed, "sections", version)
    text = asset.versions[version].text
    return [{"type": "HTML", "content": markup(rng, text)}, {"type": "Text", "content": plain(text, rng)}]


def snippet_dynamic(asset: Asset, version: str, seed: int) -> list[dict[str, Any]] | None:
    """The dynamic section of a snippet; None for one that has none."""
    segmentation = asset.facts["segmentation"]
    if segmentation is None:
        return None
    state, rng = asset.versions[version], asset.rng(seed, "dynamic", version)
    content = [
        {"id": content_id("SN", asset.id), "segmentId": segment, "segmentName": label} | piece
        for segment, label in segments_of(segmentation)
        for piece in _pieces(f"{state.text} for {label}", rng, is_header=False)
    ]
    dates = {"createdAt": stamp(asset.created), "updatedAt": stamp(state.updated)}
    return [dates | {"id": asset.id, "segmentation": segmentation, "content": content}]


def _field(value: str) -> dict[str, str]:
    return {"type": "Text", "value": value}


def _dynamic_fields(asset: Asset) -> tuple[str, ...]:
    if asset.facts["segmentation"] is None:
        return ()
    return ("subject", "fromName")[: asset.id % 3]


def _texts(text: str, rng: Random) -> list[dict[str, str]]:
    return [{"type": "HTML", "value": markup(rng, text)}, {"type": "Text", "value": plain(text, rng)}]


def _pieces(text: str, rng: Random, *, is_header: bool) -> list[dict[str, str]]:
    if is_header:
        return [{"type": "Text", "content": text}]
    return [{"type": "HTML", "content": markup(rng, text)}, {"type": "Text", "content": plain(text, rng)}]


def _further(asset: Asset, rng: Random) -> list[dict[str, Any]]:
    """Sections of an email besides its first."""
    shown: list[dict[str, Any]] = [
        {"htmlId": "edit_text_2", "contentType": "Text", "value": _texts(words(rng, 2), rng)},
        {
            "htmlId": "hero-image",
            "contentType": "Image",
            "value": {"width": "600", "altText": "", "style": "display: block", "src": "https://img.example/1.png"},
        },
    ]
    if asset.facts["segmentation"] is not None:
        dynamic = {"contentType": "DynamicContent", "value": content_id("E-section", asset.id)}
        shown.append({"htmlId": "edit_dynamic"} | dynamic)
    if asset.facts["snippet"] is not None and rng.random() < 0.4:
        shown.append({"htmlId": "edit_snippet", "contentType": "Snippet", "value": asset.facts["snippet"]})
    return shown


def _filling(module: str, rng: Random) -> list[dict[str, Any]]:
    """What stands in a module that has no other sections."""
    if module == "two-articles":
        return [{"htmlId": "video2", "contentType": "Video", "value": {}}]
    return [{"htmlId": f"{module}-text", "contentType": "Text", "value": _texts(words(rng, 2), rng)}]

"""Who uses what: the references in an asset's row and parts, without a call of their own.

By id where Marketo names one, else by what it shows: smart lists name lists, forms and programs by their names, emails
and pages their images by the address.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from syncengine.assets.documents import Document
from syncengine.marketo.rows import listed, text, whole

# Fields of rows that hold the id of another asset, by what they point to.
POINTERS: Mapping[tuple[str, str], str] = {
    ("email", "template"): "email_template",
    ("landing_page", "template"): "landing_page_template",
    ("email_v2", "templateId"): "email_template_v2",
    ("smart_campaign", "parentProgramId"): "program",
    ("program", "channel"): "channel",
}
# Sections of content that embed another asset, by their type.
EMBEDDED: Mapping[str, str] = {"Form": "form", "Snippet": "snippet", "Image": "file"}
# What a smart list's filter names by its values, by a pattern in the filter's own name. Values of others are people's.
NAMED: Mapping[str, str] = {
    r"\bSmart List$": "smart_list",
    r"\bList$": "static_list",
    r"\bForm$": "form",
    r"\bProgram$": "program",
    r"\b(Sent|Delivered|Opened|Link in|from) Email$": "email",
    r"^Email Bounce": "email",
    r"\bWeb Page$": "landing_page",
}
# Fields that hold a name, and no id.
BY_NAME = frozenset({("program", "channel")})


@dataclass(frozen=True, slots=True)
class Use:
    """One asset uses another: by its id, or by its name where Marketo gives no id."""

    kind: str
    id: str
    name: str
    how: str


def uses(document: Document) -> list[Use]:
    """What a version uses, each once."""
    return list(dict.fromkeys(_all(document)))


def _all(document: Document) -> Iterator[Use]:
    kind, row, parts = document.key.asset.kind, document.listed.row, document.parts
    for (owner, name), target in POINTERS.items():
        if owner == kind and (value := row.get(name)) not in (None, ""):
            by_name = (owner, name) in BY_NAME
            yield Use(target, "" if by_name else str(value), str(value) if by_name else "", name)
    for section in listed(parts.get("content")):
        yield from _embedded(section)
    for section in _dynamic(parts):
        if (segmentation := whole(section.get("segmentation"))) is not None:
            yield Use("segmentation", str(segmentation), "", "dynamic content")
    for name in ("redirectFrom", "redirectTo"):
        stated = row.get(name)
        if kind == "redirect_rule" and isinstance(stated, dict) and stated.get("type") == "landingPageId":
            yield Use("landing_page", text(str(stated.get("value"))), "", name)
    for page in listed(row.get("thankYouList")):
        if kind == "form" and page.get("followupType") == "lp" and page.get("followupValue") is not None:
            yield Use("landing_page", str(page["followupValue"]), "", "thank-you page")
    for tag in listed((parts.get("detail") or {}).get("tags") if kind == "program" else None):
        yield Use("tag_type", text(tag.get("tagType")), text(tag.get("tagType")), "tag")
    yield from _ruled(parts.get("smartList"))


def _embedded(section: Mapping[str, Any]) -> Iterator[Use]:
    target = EMBEDDED.get(text(section.get("type") or section.get("contentType")))
    if target is None:
        return
    value = section.get("content", section.get("value"))
    while isinstance(value, dict):
        value = next((value[name] for name in ("content", "value", "src", "contentUrl", "id") if name in value), None)
    if (number := whole(value)) is not None:
        yield Use(target, str(number), "", "content")
    elif target == "file" and text(value):
        yield Use(target, "", text(value), "content")  # by its address


def _dynamic(parts: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for rows in (parts.get("dynamicContent") or {}).values():
        yield from (row for row in listed(rows) if isinstance(row, dict))


def _ruled(smart_list: Any) -> Iterator[Use]:
    rules = smart_list.get("rules") if isinstance(smart_list, dict) else None
    for rule in listed(rules.get("filters") if isinstance(rules, dict) else None):
        target = next(
            (kind for pattern, kind in NAMED.items() if re.search(pattern, text(rule.get("name")), re.IGNORECASE)), None
        )
        for condition in listed(rule.get("conditions")):
            if target is None or not condition.get("isPrimary"):
                continue
            for value in listed(condition.get("values")):
                yield Use(target, "", text(value), f"filter {text(rule.get('name'))!r}")

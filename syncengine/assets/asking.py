"""When a part of an asset is asked for, and what of its answer is kept: one plain function each.

What a call would answer with nothing is not asked: variables of an email of the first editor, a program's smart list
where it has none.
"""

from typing import Any, Final

from syncengine.assets.kind import Rows, Subject
from syncengine.marketo.rows import listed, text, whole

EMAIL_PROGRAMS: Final = frozenset({"email", "email_batch"})  # both words are Adobe's


def first(rows: Rows) -> Any:
    """The one row of the answer."""
    return dict(rows[0]) if rows else None


def tokens(rows: Rows) -> Any:
    """The tokens of an answer, which wraps them in the folder that they belong to."""
    return [token for row in rows for token in listed(row.get("tokens"))]


def content(rows: Rows) -> Any:
    """The text of the one row's `content`."""
    return text(rows[0].get("content")) if rows else None


def rules(rows: Rows) -> Any:
    """A smart list's id and rules; its name and dates follow those of what it belongs to."""
    return {name: rows[0].get(name) for name in ("id", "rules")} if rows else None


def tags_and_costs(rows: Rows) -> Any:
    """What the list of programs leaves out."""
    return {name: listed(rows[0].get(name)) for name in ("tags", "costs")} if rows else None


def has_variables(subject: Subject) -> bool:
    """Emails of the second editor have variables, and only those of the version that is sent can be asked for."""
    return subject.is_live and subject.row.get("version") != 1


def is_live(subject: Subject) -> bool:
    """A preview of a page shows the version that visitors see, and takes no status."""
    return subject.is_live


def may_have_variables(subject: Subject) -> bool:
    """Free-form pages have no variables; whether a page is one stands in its template, if that is still there."""
    return whole(subject.row.get("template")) not in subject.free_form


def is_email_program(subject: Subject) -> bool:
    """Of programs only those that send an email have a smart list."""
    return text(subject.row.get("type")).casefold() in EMAIL_PROGRAMS


def has_no_comma(subject: Subject) -> bool:
    """Tags are asked for by name, and the asset API finds no name with a comma in it."""
    return "," not in text(subject.row.get("tagType"))


def html_section(parts: dict[str, Any]) -> str | None:
    """The HTML of a snippet, which is one of its sections; a dynamic one is none."""
    sections = listed(parts.get("content"))
    htmls = [section for section in sections if section.get("type") == "HTML"]
    if len(htmls) != 1:
        return None
    parts["content"] = [section for section in sections if section is not htmls[0]]
    return text(htmls[0].get("content"))


def html_body(parts: dict[str, Any]) -> str | None:
    """The HTML of a design, which is a member of its data."""
    data = parts.get("data")
    if not isinstance(data, dict) or not isinstance(html := data.get("html"), dict) or "body" not in html:
        return None
    parts["data"] = {**data, "html": {name: value for name, value in html.items() if name != "body"}}
    return text(html["body"])

"""What a version costs and holds beyond its row."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from syncengine.assets.contents import calls_for, composed, designs_fetched, dynamic_sections, fetched
from syncengine.assets.documents import Document
from syncengine.assets.kind import Subject, Version
from syncengine.assets.kinds import KINDS
from syncengine.errors import CallRejected, NotFound
from syncengine.marketo.call import Call
from tests.unit.assets.made import seen
from tests.unit.assets.played import Played, Rows
from tests.virtual import virtual

REFUSED = CallRejected("Operation cannot be performed", code="709")


def ends(call: Call[Any]) -> str:
    """The last part of a path, without the ending."""
    return call.path.rpartition("/")[2].removesuffix(".json")


def said(answers: Mapping[str, Rows | Exception]) -> Played:
    """A client that is answered by the last part of the path."""
    return Played(lambda call: answers.get(ends(call), ()))


async def of(
    client: Played,
    kind: str,
    version: Version | None = None,
    *,
    is_live: bool = True,
    free_form: frozenset[int] = frozenset(),
    editor: int | None = None,
    **row: Any,
) -> Document:
    """One version with its content."""
    known = KINDS[kind]
    version = known.statuses[0] if version is None else version
    listed = seen(kind, "Region" if known.has_text_ids else 7, version, **row)
    if editor is not None:
        listed = replace(listed, row={**listed.row, "version": editor})
    return await fetched(client, listed, Subject(listed.row, version, is_live=is_live, free_form=free_form))


def asked(client: Played) -> list[tuple[str, dict[str, str]]]:
    """The calls, in the order of their paths."""
    return sorted((call.path.removeprefix("/rest/asset/v1/"), dict(call.query)) for call in client.sent)


LIVE, DRAFT = {"status": "approved"}, {"status": "draft"}


@pytest.mark.parametrize(
    ("kind", "version", "more", "calls"),
    [
        ("email", "approved", {"editor": 2}, {"content": LIVE, "fullContent": LIVE, "variables": {}}),
        ("email", "approved", {"editor": 1}, {"content": LIVE, "fullContent": LIVE}),
        ("email", "draft", {"editor": 2, "is_live": False}, {"content": DRAFT, "fullContent": DRAFT}),
        ("email", "draft", {"editor": 2}, {"content": DRAFT, "fullContent": DRAFT, "variables": {}}),
        ("landing_page", "approved", {"template": 3}, {"content": LIVE, "fullContent": {}, "variables": LIVE}),
        (
            "landing_page",
            "approved",
            {"template": 3, "free_form": frozenset([3])},
            {"content": LIVE, "fullContent": {}},
        ),
        ("landing_page", "draft", {"template": 3, "is_live": False}, {"content": DRAFT, "variables": DRAFT}),
        ("landing_page_template", "draft", {}, {"content": DRAFT}),
        ("form", "draft", {}, {"fields": DRAFT}),
        ("snippet", "approved", {}, {"content": LIVE}),
        ("smart_campaign", "", {}, {"smartList": {"includeRules": "true"}}),
        ("folder", "", {}, {"tokens": {"folderType": "Folder"}}),
        ("program", "", {"type": "Event"}, {"7": {}, "tokens": {"folderType": "Program"}}),
        ("tag_type", "", {"home": None}, {"byName": {"name": "Region"}}),
        ("tag_type", "", {"home": None, "tagType": "a,b"}, {}),
        ("file", "", {}, {}),
        ("static_list", "", {}, {}),
        ("channel", "", {}, {}),
        ("segmentation", "draft", {}, {"segments": {"offset": "0", "maxReturn": "200"} | DRAFT}),
    ],
)
@virtual
async def test_each_kind_is_asked_for_its_parts(
    kind: str, version: Version, more: dict[str, Any], calls: dict[str, dict[str, str]]
) -> None:
    """Of the version that is meant, where that can be said; and the number of calls is known before."""
    client = said({})
    document = await of(client, kind, version, **more)
    assert calls == {ends(call): dict(call.query) for call in client.sent}
    assert len(calls) == len(client.sent)
    subject = Subject(
        document.listed.row, version, is_live=more.get("is_live", True), free_form=more.get("free_form", frozenset())
    )
    assert len(calls) == calls_for(KINDS[kind], [subject])
    assert all(call.name.startswith(f"{kind}.") for call in client.sent)


@virtual
async def test_parts_come_under_their_names_and_html_apart() -> None:
    """As they were answered, without their wraps."""
    sections = [{"htmlId": "a", "contentType": "Text", "value": [{"type": "HTML", "value": "<p>"}]}]
    client = said(
        {"content": sections, "variables": [{"name": "x", "value": "1"}], "fullContent": [{"id": 7, "content": "<p>"}]}
    )
    document = await of(client, "email")
    assert {"content": sections, "variables": [{"name": "x", "value": "1"}]} == document.parts
    assert ("<p>", {}) == (document.html, document.unavailable)


@virtual
async def test_what_there_is_none_of_is_left_out() -> None:
    """Whether it was asked for at all may depend on others: the bytes of the file do not."""
    document = await of(said({}), "email")
    assert ({}, None, {}) == (document.parts, document.html, document.unavailable)
    none = await of(said({"tokens": [{"folder": {}, "tokens": []}]}), "folder")
    assert {} == none.parts
    campaign = await of(said({"smartList": []}), "smart_campaign")
    assert {} == campaign.parts
    empty = await of(said({"fullContent": [{"content": ""}]}), "email")
    assert "" == empty.html


@pytest.mark.parametrize("part", ["variables", "content", "fullContent"])
@virtual
async def test_a_part_that_marketo_refuses_is_noted(part: str) -> None:
    """With its reason, and the others are kept."""
    answers: dict[str, Rows | Exception] = {
        "content": [{"htmlId": "a"}],
        "variables": [{"name": "x"}],
        "fullContent": [{"content": "<p>"}],
    }
    document = await of(said(answers | {part: REFUSED}), "email")
    name = {"fullContent": "html"}.get(part, part)
    assert {name: "709"} == document.unavailable
    assert {"content", "variables"} - {part} == set(document.parts)
    assert (None if name == "html" else "<p>") == document.html


@pytest.mark.parametrize("error", [CallRejected("no", code="701"), NotFound("gone", code="702")])
@virtual
async def test_any_other_refusal_is_raised(error: Exception) -> None:
    """It is of the asset, or of more."""
    with pytest.raises(type(error)):
        await of(said({"content": error}), "email")


EMAIL_SECTIONS = [
    {"htmlId": "a", "contentType": "DynamicContent", "value": "RVMtYQ=="},
    {"htmlId": "b", "contentType": "Text", "value": "x"},
    {"htmlId": "c", "contentType": "DynamicContent", "value": "RVMtYQ=="},
    {"htmlId": "d", "contentType": "DynamicContent", "value": ""},
]
SUBJECT = {"type": "DynamicContent", "value": "RVMtc3ViamVjdA=="}


@virtual
async def test_every_dynamic_section_is_asked_for_once() -> None:
    """That of the subject too; what is said of each is kept by its id."""
    client = Played(
        lambda call: (
            EMAIL_SECTIONS if ends(call) == "content" else [{"of": ends(call)}] if "dynamic" in call.path else ()
        )
    )
    document = await of(client, "email", "draft", subject=SUBJECT, fromName={"type": "Text", "value": "Ann"})
    ids = ["RVMtYQ==", "RVMtc3ViamVjdA=="]
    assert [(f"email/7/dynamicContent/{each}.json", DRAFT) for each in ids] == [
        each for each in asked(client) if "dynamicContent" in each[0]
    ]
    assert {each: [{"of": each}] for each in ids} == document.parts["dynamicContent"]


@virtual
async def test_a_dynamic_section_that_is_refused_is_noted() -> None:
    """By its id; the others are kept."""
    client = Played(
        lambda call: (
            EMAIL_SECTIONS
            if ends(call) == "content"
            else REFUSED
            if ends(call) == "RVMtYQ=="
            else [{"a": 1}]
            if "dynamic" in call.path
            else ()
        )
    )
    document = await of(client, "email", subject=SUBJECT)
    assert {"dynamicContent RVMtYQ==": "709"} == document.unavailable
    assert {"RVMtc3ViamVjdA==": [{"a": 1}]} == document.parts["dynamicContent"]


@virtual
async def test_the_dynamic_content_of_a_snippet_comes_at_once() -> None:
    """Whichever of its sections are dynamic; a snippet without one is not asked."""
    client = said({"content": [{"type": "DynamicContent", "content": 5}] * 2, "dynamicContent": [{"segment": "a"}]})
    document = await of(client, "snippet")
    assert ["snippet/7/content.json", "snippet/7/dynamicContent.json"] == [path for path, _ in asked(client)]
    assert {"": [{"segment": "a"}]} == document.parts["dynamicContent"]
    client = said({"content": [{"type": "HTML", "content": "<p>"}]})
    document = await of(client, "snippet")
    assert (1, "<p>") == (len(client.sent), document.html)
    client = said({"content": [{"type": "DynamicContent", "content": 5}], "dynamicContent": REFUSED})
    assert {"dynamicContent": "709"} == (await of(client, "snippet")).unavailable


@pytest.mark.parametrize(
    ("kind", "row", "content", "sections"),
    [
        ("landing_page", {}, [{"type": "DynamicContent", "content": {"content": "9"}}], ["9"]),
        ("landing_page", {}, [{"type": "DynamicContent", "content": "9"}, {"type": "HTML", "content": "8"}], ["9"]),
        ("landing_page", {}, [{"type": "DynamicContent", "content": None}], []),
        ("email", {"fromName": SUBJECT, "replyEmail": SUBJECT}, [], ["RVMtc3ViamVjdA=="]),
        ("email", {"subject": "DynamicContent"}, None, []),
        ("email", {"subject": SUBJECT}, None, ["RVMtc3ViamVjdA=="]),
        ("form", {"subject": SUBJECT}, [{"type": "DynamicContent", "content": "9"}], []),
        ("snippet", {}, None, []),
    ],
)
def test_dynamic_sections_are_told_by_the_content(
    kind: str, row: dict[str, Any], content: Any, sections: Sequence[str]
) -> None:
    """However Marketo wraps their ids; kinds that cannot have any have none."""
    assert sections == list(dynamic_sections(KINDS[kind], row, content))


@virtual
async def test_segments_are_read_page_by_page() -> None:
    """They are a list like any other."""

    def answer(call: Call[Any]) -> Rows:
        offset = int(call.query["offset"])
        return [{"id": each} for each in range(offset, min(250, offset + 200))]

    client = Played(answer)
    document = await of(client, "segmentation")
    assert list(range(250)) == [each["id"] for each in document.parts["segments"]]
    assert 2 == len(client.sent)


@virtual
async def test_designs_are_fetched_together() -> None:
    """By their ids, in one call; one that has gone meanwhile is not among them."""
    versions = [seen("email_v2", each, home=None, status="draft") for each in "abc"]
    client = Played(lambda _: [{"id": each, "data": {"html": {"body": f"<{each}>"}, "x": 1}} for each in "ca"])
    found = await designs_fetched(client, versions)
    (call,) = client.sent
    assert {"assetIds": ["a", "b", "c"]} == call.json
    assert [("a", "<a>"), ("c", "<c>")] == [(each.key.asset.id, each.html) for each in found]
    assert {"data": {"html": {}, "x": 1}} == found[0].parts


@pytest.mark.parametrize(("versions", "calls"), [(0, 0), (1, 1), (20, 1), (21, 2), (60, 3)])
def test_designs_cost_a_call_for_twenty(versions: int, calls: int) -> None:
    """However many workspaces they are in."""
    subjects = [Subject({}, "draft", is_live=True)] * versions
    assert calls == calls_for(KINDS["fragment"], subjects)
    assert 0 == calls_for(KINDS["static_list"], subjects)


def test_a_version_is_composed_without_changing_what_was_given() -> None:
    """Its HTML is taken out of a copy."""
    parts = {"html": "<p>", "content": [1]}
    made = composed(KINDS["email"], seen(), parts, {"variables": "709"})
    assert ("<p>", {"content": [1]}, {"variables": "709"}) == (made.html, made.parts, made.unavailable)
    assert {"html": "<p>", "content": [1]} == parts

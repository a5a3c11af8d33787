"""Who uses what."""

from typing import Any

import pytest

from syncengine.assets.kinds import KINDS
from syncengine.assets.usage import EMBEDDED, NAMED, POINTERS, Use, uses
from tests.unit.assets.made import document


def of(kind: str, **more: Any) -> list[Use]:
    """What an asset uses."""
    return uses(document(kind, "a" if KINDS[kind].has_text_ids else 1, **more))


@pytest.mark.parametrize(
    ("kind", "row", "use"),
    [
        ("email", {"template": 7}, Use("email_template", "7", "", "template")),
        ("landing_page", {"template": "7"}, Use("landing_page_template", "7", "", "template")),
        ("email_v2", {"templateId": "9f-1"}, Use("email_template_v2", "9f-1", "", "templateId")),
        ("smart_campaign", {"parentProgramId": 7}, Use("program", "7", "", "parentProgramId")),
        ("program", {"channel": "Webinar"}, Use("channel", "", "Webinar", "channel")),
        (
            "redirect_rule",
            {"redirectFrom": {"type": "landingPageId", "value": 5}},
            Use("landing_page", "5", "", "redirectFrom"),
        ),
        (
            "redirect_rule",
            {"redirectTo": {"type": "landingPageId", "value": "5"}},
            Use("landing_page", "5", "", "redirectTo"),
        ),
        (
            "form",
            {"thankYouList": [{"followupType": "lp", "followupValue": 5}]},
            Use("landing_page", "5", "", "thank-you page"),
        ),
    ],
)
def test_a_row_points_to_other_assets(kind: str, row: dict[str, Any], use: Use) -> None:
    """By their ids, but for channels, which are named."""
    assert [use] == of(kind, **row)


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("email", {"template": None}),
        ("email", {"template": ""}),
        ("form", {"template": 7}),
        ("smart_campaign", {"smartListId": 7}),
        ("program", {"channel": ""}),
        ("redirect_rule", {"redirectTo": {"type": "url", "value": "https://x.example"}}),
        ("redirect_rule", {"redirectFrom": "landingPageId"}),
        ("landing_page", {"redirectTo": {"type": "landingPageId", "value": 5}}),
        ("form", {"thankYouList": [{"followupType": "url", "followupValue": "https://x.example"}]}),
        ("form", {"thankYouList": [{"followupType": "lp", "followupValue": None}]}),
        ("form", {"thankYouList": None}),
    ],
)
def test_what_points_nowhere_is_no_use(kind: str, row: dict[str, Any]) -> None:
    """Nor is what means something else in another kind."""
    assert [] == of(kind, **row)


def test_content_embeds_other_assets() -> None:
    """Forms, snippets and images, however deep their ids are wrapped; each counts once."""
    sections: list[dict[str, Any]] = [
        {"type": "Form", "content": 5},
        {"contentType": "Form", "value": "5"},
        {"type": "Snippet", "content": {"contentType": "Snippet", "content": "6"}},
        {"type": "Image", "content": {"value": {"id": 7}}},
        {"type": "Snippet", "content": None},
        {"type": "Form", "content": {"contentUrl": "x"}},
        {"type": "HTML", "content": "8"},
        {"type": "Text", "content": 9},
    ]
    expected = [Use(kind, number, "", "content") for kind, number in (("form", "5"), ("snippet", "6"), ("file", "7"))]
    assert expected == of("landing_page", parts={"content": sections})


@pytest.mark.parametrize(
    "content",
    [
        "https://x.example/rs/1/images/logo.png",
        {"type": "Image", "content": "https://x.example/rs/1/images/logo.png"},
        {"value": {"src": "https://x.example/rs/1/images/logo.png", "id": "img"}},
        {"contentUrl": "https://x.example/rs/1/images/logo.png", "id": 7},
    ],
)
def test_an_image_without_an_id_is_used_by_its_address(content: object) -> None:
    """It stands in the place of a name, and can be joined with the addresses of files."""
    expected = Use("file", "", "https://x.example/rs/1/images/logo.png", "content")
    assert [expected] == of("landing_page", parts={"content": [{"type": "Image", "content": content}]})
    assert [expected] == of("email", parts={"content": [{"contentType": "Image", "value": content}]})


def test_only_images_are_used_by_address() -> None:
    """What stands in the place of another asset's id is no name of it."""
    sections = [{"type": kind, "content": "https://x.example/1"} for kind in ("Form", "Snippet")]
    assert [] == of("landing_page", parts={"content": [*sections, {"type": "Image", "content": ""}]})


def test_dynamic_content_uses_its_segmentation() -> None:
    """Whichever section it is in, and whatever else is said there."""
    rows = {"headline": [{"segmentation": 1001}, "x"], "footer": [{"segmentation": "1001"}, {"id": 5}], "": None}
    assert [Use("segmentation", "1001", "", "dynamic content")] == of("email", parts={"dynamicContent": rows})
    assert [] == of("email", parts={"dynamicContent": None})


def test_programs_use_their_tags() -> None:
    """By the name of the tag, which is its id too."""
    parts = {"detail": {"tags": [{"tagType": "Region", "tagValue": "EMEA"}], "costs": []}}
    assert [Use("tag_type", "Region", "Region", "tag")] == of("program", parts=parts)
    assert [] == of("program", parts={"detail": None})
    assert [] == of("tag_type", parts=parts)


def filtered(name: str, *values: str, is_primary: bool = True) -> dict[str, Any]:
    """The parts of an asset whose smart list has one filter."""
    rule = {"name": name, "conditions": [{"isPrimary": is_primary, "values": list(values)}]}
    return {"smartList": {"id": 3, "rules": {"filters": [rule]}}}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Member of List", "static_list"),
        ("Added to List", "static_list"),
        ("Filled Out Form", "form"),
        ("Member of Program", "program"),
        ("Not Member of Program", "program"),
        ("Visited Web Page", "landing_page"),
        ("Clicked Link on Web Page", "landing_page"),
        ("Clicked Link in Email", "email"),
        ("Email Bounced", "email"),
        ("Email Bounced Soft", "email"),
        ("Was Delivered Email", "email"),
        ("Unsubscribed from Email", "email"),
        ("opened email", "email"),
        ("Opened Email", "email"),
        ("Was Sent Email", "email"),
    ],
)
def test_smart_lists_name_what_they_ask_for(name: str, kind: str) -> None:
    """By name, for Marketo gives no ids there; only in the condition that tells the asset."""
    how = f"filter {name!r}"
    expected = [Use(kind, "", "A", how), Use(kind, "", "B", how)]
    assert expected == of("smart_list", parts=filtered(name, "A", "B"))
    assert expected == of("smart_campaign", parts=filtered(name, "A", "B"))
    assert [] == of("smart_list", parts=filtered(name, "A", is_primary=False))


def test_a_filter_by_smart_list_names_a_smart_list() -> None:
    """Which is no static one."""
    assert ["smart_list"] == [use.kind for use in of("smart_list", parts=filtered("Member of Smart List", "Customers"))]


def test_a_filter_by_address_uses_no_email() -> None:
    """Its values are people's addresses, which have no place in a table of assets."""
    for name in ("Email Address", "Person Source", "Company Name", "Email Invalid", "Has Email", "Program Name"):
        assert [] == of("smart_list", parts=filtered(name, "ann@example.com"))


@pytest.mark.parametrize("stated", [None, "x", {}, {"rules": None}, {"rules": {"filters": None}}, {"rules": []}])
def test_a_smart_list_without_rules_uses_nothing(stated: object) -> None:
    """Whatever stands there instead."""
    assert [] == of("smart_list", parts={"smartList": stated})


def test_what_is_used_is_of_a_kind_that_there_is() -> None:
    """So that its table can be joined."""
    targets = {*POINTERS.values(), *EMBEDDED.values(), *NAMED.values()}
    assert targets <= set(KINDS)
    assert {owner for owner, _ in POINTERS} <= set(KINDS)

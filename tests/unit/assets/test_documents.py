"""One version of an asset as bytes."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.assets.documents import (
    Asset,
    Document,
    FileBody,
    Key,
    Listed,
    Place,
    as_html,
    as_json,
    core_sha256,
    from_json,
    home_of,
    listed,
    place_of,
    sha256_of,
    steady,
)
from syncengine.assets.kinds import KINDS
from syncengine.marketo.reply import Malformed
from tests.unit.assets.made import document, seen

TEXTS = st.text(max_size=8)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
OBJECTS = st.dictionaries(TEXTS, SCALARS, max_size=3)
JSON = SCALARS | OBJECTS | st.lists(SCALARS | OBJECTS, max_size=2)
HTML = st.none() | st.text(st.characters(exclude_categories=()), max_size=30)
REFERENCES = st.none() | st.fixed_dictionaries(
    {"type": st.sampled_from(["Folder", "Program"]), "id": st.integers(1, 9)}
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Versions of any kind, with rows, parts and HTML of any content."""
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    row: dict[str, Any] = draw(st.dictionaries(TEXTS, JSON, max_size=4))
    row |= {kind.id: draw(st.text(min_size=1, max_size=8) if kind.has_text_ids else st.integers(1, 2**53))}
    row |= {"folder": draw(REFERENCES), "parent": draw(REFERENCES), "updatedAt": draw(TEXTS)}
    row.setdefault(kind.shown, draw(TEXTS))
    return Document(
        listed(kind, draw(st.sampled_from(kind.statuses)), row),
        draw(st.dictionaries(TEXTS, JSON, max_size=3)),
        draw(HTML),
        draw(st.dictionaries(TEXTS, TEXTS, max_size=2)),
        draw(
            st.none()
            | st.builds(FileBody, st.from_regex(r"\.[a-z0-9]{1,5}", fullmatch=True), st.integers(0, 2**53), TEXTS)
        ),
    )


@settings(max_examples=60)
@given(documents())
def test_a_document_is_read_back_as_it_was_written(written: Document) -> None:
    """All of it, whatever it holds; and written again it has the same bytes."""
    html = None if written.html is None else as_html(written.html)
    read = from_json(as_json(written), html)
    assert written == read
    assert as_json(written) == as_json(read)


@settings(max_examples=60)
@given(documents())
def test_bytes_do_not_depend_on_the_order_of_members(written: Document) -> None:
    """Marketo may tell the members of an object in any order."""
    turned = Document(
        Listed(written.key, written.listed.name, written.listed.home, backwards(written.listed.row)),
        backwards(written.parts),
        written.html,
        backwards(written.unavailable),
        written.bytes,
    )
    assert as_json(written) == as_json(turned)
    assert (written.listed.sha256, core_sha256(written)) == (turned.listed.sha256, core_sha256(turned))
    assert sha256_of(written) == sha256_of(turned)


def backwards(value: Any) -> Any:
    """A JSON value with the members of all its objects in the opposite order; lists stay as they are."""
    if isinstance(value, dict):
        return {name: backwards(value[name]) for name in reversed(value)}
    return [backwards(each) for each in value] if isinstance(value, list) else value


def test_a_file_begins_with_what_the_asset_is() -> None:
    """Then comes its row, then its parts; lines end as Git wants them."""
    body = as_json(document(html="<p>", parts={"z": [1], "content": []}, unavailable={"variables": "709"}))
    expected = ["format", "kind", "id", "name", "version", "asset", "content", "unavailable", "html", "sha256"]
    assert expected == list(orjson.loads(body))
    of_a_file = orjson.loads(as_json(document("file", body=FileBody(".png", 3, "9f"))))
    assert ["bytes", "sha256"] == list(of_a_file)[-2:]
    assert {"ending": ".png", "size": 3, "sha256": "9f"} == of_a_file["bytes"]
    assert ["content", "z"] == list(orjson.loads(body)["content"])
    assert body.startswith(b'{\n  "format": 1,\n  "kind": "email",\n  "id": 1,\n')
    assert body.endswith(b"\n}\n")
    assert b"\r" not in body
    assert not {"html", "unavailable", "bytes"} & set(orjson.loads(as_json(document())))


@pytest.mark.parametrize("html", [None, b"", b"<p>old</p>", b"<p>new</p"])
def test_html_that_does_not_belong_to_its_json_is_refused(html: bytes | None) -> None:
    """A pair of which one half is missing, older or cut short is no document."""
    body = as_json(document(html="<p>new</p>"))
    with pytest.raises(ValueError, match="HTML"):
        from_json(body, html)
    assert from_json(body, b"<p>new</p>").html == "<p>new</p>"


@settings(max_examples=60)
@given(documents(), documents())
def test_the_last_member_is_a_hash_of_all_the_others(one: Document, other: Document) -> None:
    """Two files with one hash are one file."""
    body = as_json(one)
    assert sha256_of(one) == orjson.loads(body)["sha256"]
    assert body.endswith(f'"sha256": "{sha256_of(one)}"\n}}\n'.encode())
    assert (as_json(one) == as_json(other)) == (sha256_of(one) == sha256_of(other))


@settings(max_examples=60)
@given(documents(), st.data())
def test_what_was_changed_by_hand_is_refused(written: Document, data: st.DataObject) -> None:
    """Whichever member it was, and whatever it says now; nothing can be added or taken away either."""
    html = None if written.html is None else as_html(written.html)
    read = orjson.loads(as_json(written))
    member = data.draw(st.sampled_from(sorted(read)))
    value = data.draw(JSON | st.just({**read["asset"], "views": 1}) | st.just({**read["content"], "new": []}))
    if orjson.dumps(value) == orjson.dumps(read[member]) or (value is None and member == "unavailable"):
        return
    with pytest.raises(ValueError, match=r"."):
        from_json(orjson.dumps({**read, member: value}), html)
    with pytest.raises(ValueError, match=r"."):
        from_json(orjson.dumps({name: each for name, each in read.items() if name != member}), html)


def test_members_of_another_order_or_indent_are_the_same_file() -> None:
    """A formatter may have been at it: what is said is what counts."""
    written = document(html="<p>", parts={"b": [{"y": 1, "x": "\u00e9"}], "a": 1.5}, unavailable={"variables": "709"})
    read = backwards(orjson.loads(as_json(written)))
    for body in (orjson.dumps(read), json.dumps(read, indent=7).encode()):
        assert written == from_json(body, b"<p>")


def test_two_members_of_a_list_that_are_exchanged_are_another_file() -> None:
    """Their order is Marketo's."""
    body = as_json(document(parts={"content": ["a", "b"]}))
    with pytest.raises(ValueError, match="not what was written"):
        from_json(body.replace(b'"a",', b'"b",', 1), None)
    read = orjson.loads(body)
    read["content"]["content"].reverse()
    with pytest.raises(ValueError, match="not what was written"):
        from_json(orjson.dumps(read), None)


def test_html_that_no_json_announces_is_not_taken() -> None:
    """It is what was left when the version lost its HTML; an empty one is not none."""
    assert from_json(as_json(document()), b"<p>left</p>").html is None
    assert from_json(as_json(document(html="")), b"").html == ""


def test_html_keeps_its_bytes() -> None:
    """Line ends are as Marketo gave them."""
    assert b"<p>\r\n\n\xc3\xa9</p>" == as_html("<p>\r\n\n\u00e9</p>")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"format":2,"kind":"email"}',
        b'{"format":1,"kind":"mail"}',
        b'{"format":1,"kind":["email"]}',
        b'{"format":1,"kind":{}}',
        as_json(document()).replace(b'  "id": 1,\n', b"", 1),
        as_json(document()).replace(b'"id": 1,', b'"id": true,', 1),
        as_json(document()).replace(b'"id": 1,', b'"id": "1",', 1),
    ],
)
def test_what_is_no_file_of_ours_is_refused(body: bytes) -> None:
    """Cut short, of another format, of an unknown kind, or something else altogether."""
    with pytest.raises(ValueError, match=r"."):
        from_json(body, None)


@settings(max_examples=30)
@given(documents(), st.data())
def test_no_beginning_of_a_file_is_taken_for_a_file(written: Document, data: st.DataObject) -> None:
    """Wherever the writing was cut short."""
    body = as_json(written).rstrip()
    with pytest.raises(ValueError, match=r"."):
        from_json(body[: data.draw(st.integers(0, len(body) - 1))], as_html(written.html or ""))


def test_what_changes_by_itself_is_left_out() -> None:
    """Counts of visitors and ids of answers; the name of a folder is the folder's to say."""
    row = {
        "id": 1,
        "views": 7,
        "requestId": "a",
        "path": "/x",
        "folder": {"type": "Folder", "id": 5, "folderName": "News"},
        "parent": {"id": 5, "type": "Folder", "name": "News"},
    }
    kept = {"id": 1, "folder": {"type": "Folder", "id": 5}, "parent": {"id": 5, "type": "Folder"}}
    assert kept | {"path": "/x"} == steady(row)
    assert kept == steady(row, frozenset({"path"}))
    assert {"folder": "Folder 5"} == steady({"folder": "Folder 5"})
    context = {"programId": 7, "programName": "May", "programType": "Event", "scriptEngine": "v"}
    assert {"appData": {"programId": 7, "scriptEngine": "v"}} == steady({"appData": context})


def test_a_folder_that_is_renamed_changes_nothing_of_what_lies_in_it() -> None:
    """Not a byte of its assets."""
    rows = [{"id": 1, "name": "Hi", "folder": {"id": 5, "type": "Folder", "folderName": name}} for name in "ab"]
    one, other = (Document(listed(KINDS["email"], "draft", row)) for row in rows)
    assert as_json(one) == as_json(other)
    assert one.listed.sha256 == other.listed.sha256


@pytest.mark.parametrize(
    ("stated", "home"),
    [
        ({"type": "Folder", "id": 5}, Place("Folder", 5)),
        ({"type": "Folder", "value": 5, "folderName": "x"}, Place("Folder", 5)),
        ({"type": "program", "id": "5"}, Place("Program", 5)),
        ({"type": "PROGRAM", "value": 5}, Place("Program", 5)),
        ({"id": 5}, Place("Folder", 5)),
        ({"type": "Folder"}, None),
        ({"type": "Folder", "id": "five"}, None),
        ("Folder", None),
        (5, None),
        (None, None),
    ],
)
def test_a_home_is_written_in_several_ways(stated: object, home: Place | None) -> None:
    """By `id` or `value`, in any case; what cannot be read is none."""
    assert home == home_of(KINDS["email"], {"folder": stated})
    assert home == home_of(KINDS["folder"], {"parent": stated, "folder": {"id": 1}})
    assert home == seen("folder", 1, home=None, parent=stated).home


@pytest.mark.parametrize(
    ("stated", "home"),
    [
        ({"programId": 7, "folderId": 5}, Place("Program", 7)),
        ({"programId": "7"}, Place("Program", 7)),
        ({"programId": 0, "folderId": 5}, Place("Folder", 5)),
        ({"programId": None, "folderId": "5"}, Place("Folder", 5)),
        ({}, None),
        ("x", None),
        (None, None),
    ],
)
def test_a_design_tells_its_home_in_its_own_way(stated: object, home: Place | None) -> None:
    """A program before a folder; `folder` means nothing there."""
    assert home == home_of(KINDS["email_v2"], {"appData": stated, "folder": {"type": "Folder", "id": 1}})


def test_folders_and_programs_are_the_homes_of_others() -> None:
    """Nothing else is."""
    assert Place("Program", 3) == place_of(Asset("program", 3))
    assert Place("Folder", 3) == place_of(Asset("folder", 3))
    assert place_of(Asset("email", 3)) is None


@pytest.mark.parametrize("number", [None, "", "x", 1.5, True, [1]])
def test_an_asset_without_an_id_is_malformed(number: object) -> None:
    """Nothing could be said of it a second time."""
    with pytest.raises(Malformed, match="email has no id"):
        listed(KINDS["email"], "draft", {"id": number, "name": "Hi"})


def test_some_assets_are_told_apart_by_a_text() -> None:
    """Tags and domains by their names, designs by an id that is no number."""
    assert Asset("tag_type", "Region") == listed(KINDS["tag_type"], "", {"tagType": "Region"}).key.asset
    assert Asset("landing_page_domain", "go.example") == seen("landing_page_domain", "go.example").key.asset
    assert Asset("fragment", "b1-c2") == seen("fragment", "b1-c2").key.asset
    with pytest.raises(Malformed, match="tag_type has no tagType"):
        listed(KINDS["tag_type"], "", {"tagType": 5})
    assert Asset("email", 5) == seen("email", "5").key.asset


def test_a_design_says_itself_which_version_it_is() -> None:
    """By its status, or its state; all that is no draft is seen."""
    assert "draft" == seen("email_v2", "a", status="Draft").key.version
    assert "draft" == seen("email_v2", "a", state="DRAFT").key.version
    assert "approved" == seen("email_v2", "a", status="approved").key.version


def test_when_a_version_was_saved_is_taken_as_it_is_written() -> None:
    """Designs say it among their metadata."""
    assert "2026-02-01T08:00:00Z+0000" == seen().updated
    assert "2026-03-01" == seen("fragment", "a", updatedAt=None, metadata={"modifiedAt": "2026-03-01"}).updated
    assert ("", "") == (seen(updatedAt=None).updated, seen("fragment", "a", updatedAt=None, metadata="x").updated)


SAME = document(html="<p>", parts={"content": [1]}, subject="Hi")


@pytest.mark.parametrize(
    "other",
    [
        document(html="<p>", parts={"content": [1]}, subject="Hi", name="Another"),
        document(html="<p>", parts={"content": [1]}, subject="Hi", home=Place("Program", 9)),
        document(html="<p>", parts={"content": [1]}, subject="Hi", home=None),
        document(html="<p>", parts={"content": [1]}, subject="Hi", updatedAt="2027-01-01"),
    ],
)
def test_the_core_of_a_version_is_the_same_under_another_name(other: Document) -> None:
    """And in another place, and saved again as it was; the bytes of its file are not."""
    assert core_sha256(SAME) == core_sha256(other)
    assert as_json(SAME) != as_json(other)


@pytest.mark.parametrize(
    "other",
    [
        document(html="<b>", parts={"content": [1]}, subject="Hi"),
        document(html=None, parts={"content": [1]}, subject="Hi"),
        document(html="<p>", parts={"content": [2]}, subject="Hi"),
        document(html="<p>", parts={}, subject="Hi"),
        document(html="<p>", parts={"content": [1]}, subject="Ho"),
        document(html="<p>", parts={"content": [1]}, subject="Hi", template=7),
        document(html="<p>", parts={"content": [1]}, subject="Hi", unavailable={"variables": "709"}),
    ],
)
def test_the_core_of_a_version_is_all_the_rest(other: Document) -> None:
    """Of its row, its parts, its HTML, and what Marketo refuses."""
    assert core_sha256(SAME) != core_sha256(other)


def test_the_core_of_a_design_does_not_tell_who_saved_it_where() -> None:
    """But what else its metadata say."""

    def design(metadata: dict[str, Any], context: dict[str, Any]) -> str:
        return core_sha256(document("email_v2", "a", home=None, metadata=metadata, appData=context))

    one = design({"modifiedAt": "1", "modifiedBy": "x", "createdBy": "y"}, {"folderId": 1, "scriptEngine": "v"})
    assert one == design(
        {"modifiedAt": "2", "modifiedBy": "z", "createdBy": "y"}, {"programId": 2, "scriptEngine": "v"}
    )
    assert one != design({"createdBy": "z"}, {"scriptEngine": "v"})
    assert one != design({"createdBy": "y"}, {"scriptEngine": "w"})


@pytest.mark.parametrize(
    ("kind", "member", "is_entailed"),
    [
        ("file", "url", True),
        ("landing_page", "URL", False),
        ("form", "url", False),
        ("smart_campaign", "parentProgramId", True),
        ("smart_list", "parentProgramId", False),
    ],
)
def test_what_follows_from_a_name_or_place_is_not_part_of_the_core(
    kind: str, member: str, *, is_entailed: bool
) -> None:
    """The address of a file has its name in it, and a campaign repeats its program; the bytes of the file differ."""
    rows: list[dict[str, Any]] = [{member: value} for value in (1, 2)]
    one, other = (document(kind, **row) for row in rows)
    assert is_entailed == (core_sha256(one) == core_sha256(other))
    assert as_json(one) != as_json(other)


def test_dates_that_parts_repeat_are_not_part_of_the_core() -> None:
    """However deep they stand; all else of the parts is."""

    def core(date: str, name: str = "EMEA", made: str = "1") -> str:
        segment = {"id": 1, "name": name, "updatedAt": date, "createdAt": made, "rules": [{"updatedAt": date}]}
        return core_sha256(document(parts={"segments": [segment], "detail": {"a": {"updatedAt": date}}}))

    assert core("1") == core("2")
    assert 3 == len({core("1"), core("1", "APAC"), core("1", made="2")})


def test_the_core_of_a_file_is_without_its_bytes() -> None:
    """They may be fetched or not: the asset is the same."""
    none, some = document("file"), document("file", body=FileBody(".png", 3, "9f"))
    assert core_sha256(none) == core_sha256(some)
    assert sha256_of(none) != sha256_of(some)


def test_a_name_that_is_the_id_is_part_of_the_core() -> None:
    """A tag has nothing else that tells it apart."""
    one, other = (document("tag_type", name, home=None) for name in ("Region", "Country"))
    assert core_sha256(one) != core_sha256(other)
    assert Key(Asset("tag_type", "Region"), "") == one.key

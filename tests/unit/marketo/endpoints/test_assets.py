"""Marketing assets: lists, folders, parts of one of them, and designs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from syncengine.marketo.call import Call, Repeat
from syncengine.marketo.endpoints import assets
from syncengine.marketo.endpoints.assets import Design, ListPage
from syncengine.marketo.reply import Malformed, Reply

NOTHING = Reply(warnings=("No assets found for the given search criteria.",))
EMAILS = "/rest/asset/v1/emails.json"


def rows(count: int) -> tuple[dict[str, Any], ...]:
    """So many rows."""
    return tuple({"id": each} for each in range(count))


CALLS: tuple[Call[Any], ...] = (
    assets.page("email.list", EMAILS),
    assets.everything("segmentation.list", "/rest/asset/v1/segmentation.json"),
    assets.area("Design Studio"),
    assets.folders(5),
    assets.part("email.content", "/rest/asset/v1/email/{id}/content.json", id=1),
    assets.designs("email", 1),
    assets.designs_in_full("email", ["a"]),
)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_every_call_only_reads(call: Call[Any]) -> None:
    """It can be repeated, and needs the permission to read and no other."""
    assert ("Read-Only Assets", Repeat.SAFE) == (call.permission, call.repeat)
    assert "access_token" not in call.query


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_row_that_is_no_object_is_malformed(call: Call[Any]) -> None:
    """It is no row to go on with."""
    with pytest.raises(Malformed):
        call.decode(Reply(result=("email",)))


def test_a_list_is_asked_for_page_by_page() -> None:
    """The largest page, from wherever the last one ended."""
    call = assets.page("email.list", EMAILS)
    assert ("email.list", "GET", EMAILS) == (call.name, call.method, call.path)
    assert {"offset": "0", "maxReturn": "200"} == call.query
    assert {"offset": "199", "maxReturn": "200"} == assets.page("email.list", EMAILS, 199).query


def test_a_list_is_asked_for_one_version_and_for_what_is_new() -> None:
    """Whatever else the call asks is asked, too; moments are cut so that none is left out."""
    since = datetime(2026, 5, 1, 14, 0, 0, 999_999, timezone(timedelta(hours=2)))
    call = assets.page("email.list", EMAILS, 5, status="draft", since=since, query={"folder": "x"})
    assert {
        "folder": "x",
        "status": "draft",
        "earliestUpdatedAt": "2026-05-01T12:00:00Z",
        "offset": "5",
        "maxReturn": "200",
    } == call.query
    with pytest.raises(ValueError, match="zone"):
        assets.page("email.list", EMAILS, since=datetime(2026, 5, 1))  # noqa: DTZ001  # what must be refused


def test_a_full_page_may_be_followed_by_another() -> None:
    """One of 199 ends the list, and so does one that says there is nothing."""
    decode = assets.page("email.list", EMAILS).decode
    assert ListPage(rows(200), is_full=True) == decode(Reply(result=rows(200)))
    assert ListPage(rows(199), is_full=False) == decode(Reply(result=rows(199)))
    assert ListPage((), is_full=False) == decode(NOTHING)


def test_a_list_without_pages_is_whole() -> None:
    """However long it is."""
    call = assets.everything("segmentation.list", "/rest/asset/v1/segmentation.json", status="approved")
    assert ("GET", "/rest/asset/v1/segmentation.json") == (call.method, call.path)
    assert {"status": "approved"} == call.query
    assert {} == assets.everything("segmentation.list", "/rest/asset/v1/segmentation.json").query
    assert ListPage(rows(500), is_full=False) == call.decode(Reply(result=rows(500)))
    assert ListPage((), is_full=False) == call.decode(NOTHING)


def test_an_area_is_the_folder_of_its_name_that_lies_in_none() -> None:
    """Others may have the name as well; where there is none, it is no error."""
    call = assets.area("Design Studio")
    assert ("GET", "/rest/asset/v1/folder/byName.json") == (call.method, call.path)
    assert {"name": "Design Studio", "type": "Folder"} == call.query
    inner = {"id": 7, "name": "Design Studio", "parent": {"id": 5, "type": "Folder"}}
    root = {"id": 5, "name": "Design Studio", "parent": None}
    assert 5 == call.decode(Reply(result=(inner, root)))
    assert 5 == call.decode(Reply(result=({"id": "5", "name": "Design Studio"},)))
    assert call.decode(Reply(result=(inner, {"id": 6, "name": "Another"}))) is None
    assert call.decode(NOTHING) is None


@pytest.mark.parametrize("number", [None, "x", -1])
def test_an_area_without_an_id_is_malformed(number: object) -> None:
    """Nothing could be found below it."""
    with pytest.raises(Malformed, match="no id"):
        assets.area("Design Studio").decode(Reply(result=({"id": number, "name": "Design Studio"},)))


def test_folders_are_asked_for_with_all_that_lies_below() -> None:
    """Left out, the depth is 2, and most of them would be missing."""
    call = assets.folders(5, 199)
    assert ("folders.list", "GET", "/rest/asset/v1/folders.json") == (call.name, call.method, call.path)
    assert {"id": 5, "type": "Folder"} == orjson.loads(call.query["root"])
    assert {"maxDepth": "100", "offset": "199", "maxReturn": "200"} == {
        name: value for name, value in call.query.items() if name != "root"
    }
    assert call.decode(Reply(result=rows(200))).is_full


def test_a_part_is_asked_for_by_its_path() -> None:
    """With what its asset puts into it, and its query."""
    call = assets.part("email.content", "/rest/asset/v1/email/{id}/content.json", {"status": "draft"}, id=1056)
    assert ("email.content", "GET", "/rest/asset/v1/email/1056/content.json") == (call.name, call.method, call.path)
    assert {"status": "draft"} == call.query
    assert rows(3) == call.decode(Reply(result=rows(3)))
    assert () == call.decode(NOTHING)


@pytest.mark.parametrize(
    ("section", "filled"),
    [
        ("RVMtaGVhZGxpbmU=", "RVMtaGVhZGxpbmU="),
        ("a/../b", "a%2F..%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("a b%41", "a%20b%2541"),
        ("\u00e9{id}", "%C3%A9%7Bid%7D"),
    ],
)
def test_what_stands_in_a_path_cannot_leave_it(section: str, filled: str) -> None:
    """Ids of sections are texts, and come from somewhere else."""
    call = assets.part("x", "/email/{id}/dynamicContent/{section}.json", id=1, section=section)
    assert f"/email/1/dynamicContent/{filled}.json" == call.path


@pytest.mark.parametrize("design", ["email", "emailtemplate", "fragment"])
def test_designs_are_asked_for_by_workspace(design: Design) -> None:
    """Archived ones too, by the number of the page."""
    call = assets.designs(design, 3, 2)
    assert (f"{design}_v2.list", "GET", f"/rest/asset/v2/{design}/filter") == (call.name, call.method, call.path)
    expected = {"workspaceId": "3", "includeArchived": "true", "pageIndex": "2", "pageSize": "50"}
    assert expected == {name: call.query[name] for name in expected}
    assert {"x-app-type": "marketo"} == call.headers


ITEMS: tuple[Callable[[tuple[dict[str, Any], ...]], tuple[Any, ...]], ...] = (
    lambda items: items,
    lambda items: ({"items": list(items), "totalItems": 70},),
)


@pytest.mark.parametrize("wrap", ITEMS)
@pytest.mark.parametrize("count", [0, 1, 49, 50])
def test_designs_come_as_a_list_or_in_an_object(wrap: Callable[..., tuple[Any, ...]], count: int) -> None:
    """A page of 50 is full; only the object tells how many there are."""
    found = assets.designs("email", 1).decode(Reply(result=wrap(rows(count))))
    assert (rows(count), count == 50) == (found.rows, found.is_full)
    assert (70 if wrap is ITEMS[1] else None) == found.total


def test_designs_that_are_not_there_are_no_error() -> None:
    """In whatever way that is said."""
    decode = assets.designs("email", 1).decode
    assert ListPage((), is_full=False) == decode(NOTHING)
    assert ListPage((), is_full=False, total=0) == decode(Reply(result=({"items": None, "totalItems": "0"},)))
    assert ListPage((), is_full=False) == decode(Reply(result=({"items": []},)))


def test_an_item_that_is_no_object_is_malformed() -> None:
    """In an object as in a list."""
    with pytest.raises(Malformed):
        assets.designs("email", 1).decode(Reply(result=({"items": ["a"]},)))


def test_designs_are_fetched_some_at_a_time() -> None:
    """With their content, by their ids."""
    call = assets.designs_in_full("fragment", ["a", "b"])
    assert ("fragment_v2.get", "POST", "/rest/asset/v2/fragment/bulk/get") == (call.name, call.method, call.path)
    assert ({"assetIds": ["a", "b"]}, {"x-app-type": "marketo"}) == (call.json, call.headers)
    assert rows(2) == call.decode(Reply(result=rows(2)))
    assert 20 == len(assets.designs_in_full("fragment", ["a"] * 20).json["assetIds"])


@pytest.mark.parametrize("count", [0, 21])
def test_too_many_designs_are_refused_before_the_call(count: int) -> None:
    """And none at all, too."""
    with pytest.raises(ValueError, match="1 to 20"):
        assets.designs_in_full("fragment", ["a"] * count)


def test_what_people_wrote_stays_out_of_logs() -> None:
    """Rows are not shown where a page is."""
    assert "secret" not in repr(ListPage(({"name": "secret"},), is_full=False))


def test_now_is_a_moment_like_any_other() -> None:
    """A moment in UTC is taken as it is."""
    query = assets.page("email.list", EMAILS, since=datetime(2026, 5, 1, tzinfo=UTC)).query
    assert "2026-05-01T00:00:00Z" == query["earliestUpdatedAt"]

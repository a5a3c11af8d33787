"""What is to be fetched of what is listed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from syncengine.assets.documents import Key, Listed, Place
from syncengine.assets.entry import Entry
from syncengine.assets.kinds import KINDS
from syncengine.assets.survey import Due, Survey, Surveyed, due, needs
from syncengine.errors import CallRejected
from syncengine.marketo.call import Call
from tests.unit.assets.made import by_key, document, entry, seen
from tests.unit.assets.played import Played, Rows
from tests.virtual import virtual

KNOWN = entry(document(subject="Hi"))
EMAILS = KINDS["email"]


@pytest.mark.parametrize(
    ("now", "what"),
    [
        ({"subject": "Hi"}, Due.NOTHING),
        ({"subject": "Ho"}, Due.ROW),
        ({"subject": "Hi", "home": Place("Folder", 9)}, Due.ROW),
        ({"subject": "Hi", "name": "Another"}, Due.ROW),
        ({"subject": "Hi", "updatedAt": "2027-01-01"}, Due.CONTENT),
        ({"subject": "Hi", "updatedAt": "2025-01-01"}, Due.CONTENT),
        ({"subject": "Hi", "updatedAt": None}, Due.CONTENT),
        ({"subject": "Ho", "updatedAt": "2027-01-01"}, Due.CONTENT),
    ],
)
def test_what_is_due_is_told_by_the_row_and_its_date(now: dict[str, Any], what: Due) -> None:
    """A row that is new under the same date leaves the content as it is."""
    assert what is due(seen(**now), KNOWN)


def test_what_is_not_on_disk_is_due() -> None:
    """Whatever its row says."""
    assert Due.CONTENT is due(seen(), None)


def test_a_row_without_a_date_says_by_any_difference_that_it_changed() -> None:
    """There is nothing else to tell it by."""
    undated = entry(document("channel", 1, updatedAt=None, home=None))
    assert "" == undated.updated
    assert Due.NOTHING is due(seen("channel", 1, updatedAt=None, home=None), undated)
    assert Due.CONTENT is due(seen("channel", 1, updatedAt=None, home=None, icon="x"), undated)


def test_what_visitors_do_is_no_change() -> None:
    """Their number is in the row, and not in what is kept of it."""
    assert Due.NOTHING is due(seen(subject="Hi", views=9, requestId="b"), KNOWN)


def test_a_version_that_is_not_listed_may_be_there() -> None:
    """Where the list never held still, or was read only for what is new in that version."""
    live, draft = Key(KNOWN.key.asset, "approved"), Key(KNOWN.key.asset, "draft")
    listed: dict[Key, Listed] = {live: seen()}
    steady = Surveyed(EMAILS, listed, is_steady=True)
    assert (True, False) == (steady.keeps(live), steady.keeps(draft))
    assert replace(steady, is_steady=False).keeps(draft)
    assert replace(steady, staying=frozenset(["draft"])).keeps(draft)
    assert not replace(steady, staying=frozenset(["approved"])).keeps(draft)


def test_only_designs_wait_for_the_folders() -> None:
    """Which tell their workspaces."""
    assert {"email_v2", "email_template_v2", "fragment"} == {each.name for each in KINDS.values() if needs(each)}
    assert {"folder"} == needs(KINDS["fragment"])


def looking(rows: Mapping[str, Rows], *known: Entry, quick: bool = False) -> tuple[Survey, Played]:
    """A survey, and who asks for it: rows by the status that is asked for."""

    def answer(call: Call[Any]) -> Rows:
        offset = int(call.query.get("offset", "0"))
        found = [] if "earliestUpdatedAt" in call.query else rows.get(call.query.get("status", ""), [])
        return found[offset : offset + 200]

    client = Played(answer)
    return Survey(client, by_key(*known), {}, quick=quick), client


@virtual
async def test_approved_and_draft_versions_are_listed_apart() -> None:
    """And a draft knows whether its asset is live."""
    rows = {"approved": [{"id": 1, "name": "A"}], "draft": [{"id": 1, "name": "A"}, {"id": 2, "name": "B"}]}
    survey, client = looking(rows)
    found = await survey.look(EMAILS)
    assert ["approved", "draft"] == [call.query["status"] for call in client.sent]
    expected = [(1, "approved", True), (1, "draft", False), (2, "draft", True)]
    assert expected == [(key.asset.id, key.version, survey.subject(each).is_live) for key, each in found.listed.items()]


@virtual
async def test_a_list_without_pages_that_is_empty_keeps_nothing_from_being_removed() -> None:
    """It comes in one call."""
    survey, client = looking({"approved": [{"id": 5, "name": "Region"}]})
    found = await survey.look(KINDS["segmentation"])
    assert ([5], True, 2) == ([key.asset.id for key in found.listed], found.is_steady, len(client.sent))


@virtual
async def test_rows_that_nothing_identifies_spoil_their_kind() -> None:
    """As a refusal of its list does."""
    survey, _ = looking({"": [{"name": "A"}]})
    with pytest.raises(CallRejected, match=r"static_list\.list: an asset of kind static_list has no id"):
        await survey.look(KINDS["static_list"])


@pytest.mark.parametrize(("known", "calls"), [(300, 2), (900, 2)])
@virtual
async def test_a_quick_look_saves_the_pages_of_long_lists(known: int, calls: int) -> None:
    """Of lists of two pages it saves none; what is not new is there as it was."""
    rows = [{"id": each, "name": "A", "updatedAt": "2026-02-01T08:00:00Z+0000"} for each in range(1, known + 1)]
    there = [entry(document("static_list", each, home=None)) for each in range(1, known + 1)]
    survey, client = looking({"": rows}, *there, quick=True)
    found = await survey.look(KINDS["static_list"])
    assert calls == len(client.sent)
    assert (found.staying == frozenset([""])) == (known == 900)
    assert all(found.keeps(each.key) for each in there)
    survey, client = looking({"": rows[1:]}, *there, quick=True)
    found = await survey.look(KINDS["static_list"])
    assert [1] == [each.key.asset.id for each in there if not found.keeps(each.key)]

"""What became of each asset between two states."""

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.assets.changes import ADDED, CHANGED, MOVED, REMOVED, RENAMED, WHAT, became, by_asset, changes, shown
from syncengine.assets.documents import Asset, FileBody, Key, Place
from syncengine.assets.entry import Entry
from tests.unit.assets.made import by_key, document, entry

LIVE = entry(document(subject="Hi"))
DRAFT = entry(document(version="draft", subject="Ho"), "Here/Welcome.email.draft")
NEWER = entry(document(subject="New"))
ELSEWHERE = Place("Folder", 9)


def became_of(*entries: Entry, now: tuple[Entry, ...]) -> tuple[str, ...]:
    """What became of one asset."""
    found = changes(by_key(*entries), by_key(*now))
    assert len(found) < 2
    return found[0].what if found else ()


@pytest.mark.parametrize(
    ("now", "what"),
    [
        ({"subject": "Hi"}, ()),
        ({"subject": "Ho"}, (CHANGED,)),
        ({"subject": "Hi", "html": "<p>"}, (CHANGED,)),
        ({"subject": "Hi", "parts": {"content": [1]}}, (CHANGED,)),
        ({"subject": "Hi", "name": "Bye"}, (RENAMED,)),
        ({"subject": "Hi", "home": ELSEWHERE}, (MOVED,)),
        ({"subject": "Hi", "home": None}, (MOVED,)),
        ({"subject": "Hi", "name": "Bye", "home": ELSEWHERE}, (MOVED, RENAMED)),
        ({"subject": "Ho", "name": "Bye", "home": ELSEWHERE}, (MOVED, RENAMED, CHANGED)),
        ({"subject": "Ho", "name": "Bye"}, (RENAMED, CHANGED)),
        ({"subject": "Hi", "updatedAt": "2027-01-01"}, (CHANGED,)),
        ({"subject": "Hi", "updatedAt": "2027-01-01", "name": "Bye"}, (RENAMED,)),
        ({"subject": "Hi", "updatedAt": "2027-01-01", "home": ELSEWHERE}, (MOVED,)),
    ],
)
def test_it_is_told_exactly_what_became_of_an_asset(now: dict[str, Any], what: tuple[str, ...]) -> None:
    """One that was renamed or moved is saved again by that, which is no change of its own."""
    assert what == became_of(LIVE, now=(entry(document(**now)),))


def test_assets_come_and_go() -> None:
    """Ids are unique only within a kind: another kind's asset of that id is another one."""
    form = entry(document("form", 1), "Here/Welcome.form")
    assert (ADDED,) == became_of(now=(LIVE,))
    assert (REMOVED,) == became_of(LIVE, DRAFT, now=())
    found = changes(by_key(LIVE), by_key(form))
    assert [(Asset("email", 1), (REMOVED,)), (Asset("form", 1), (ADDED,))] == [
        (each.asset, each.what) for each in found
    ]
    assert () == became({}, {})


def test_a_version_that_comes_or_goes_changes_its_asset() -> None:
    """Each asset counts once, whatever became of its versions."""
    assert (CHANGED,) == became_of(LIVE, now=(LIVE, DRAFT))
    assert (CHANGED,) == became_of(LIVE, DRAFT, now=(LIVE,))
    assert (CHANGED,) == became_of(DRAFT, now=(LIVE,))
    assert (CHANGED,) == became_of(LIVE, DRAFT, now=(NEWER, DRAFT))


def test_only_versions_that_differ_are_told() -> None:
    """All of them where the asset is new or gone."""
    (change,) = changes(by_key(LIVE, DRAFT), by_key(NEWER, DRAFT))
    assert ((LIVE,), (NEWER,)) == (change.before, change.after)
    (new,) = changes({}, by_key(DRAFT, LIVE))
    assert ((), (LIVE, DRAFT)) == (new.before, new.after)
    (gone,) = changes(by_key(DRAFT, LIVE), {})
    assert ((LIVE, DRAFT), ()) == (gone.before, gone.after)


def test_what_visitors_see_tells_the_name() -> None:
    """Of a draft with another name nobody knows yet; what is gone has the name that it had."""
    other = entry(document(version="draft", name="Another", home=ELSEWHERE))
    assert LIVE == shown((other, LIVE)) == shown((LIVE, other))
    assert other == shown((other,))
    assert (CHANGED,) == became_of(LIVE, DRAFT, now=(LIVE, other))
    (gone,) = changes(by_key(LIVE, DRAFT), {})
    assert "Welcome" == gone.name


def test_a_change_tells_what_visitors_saw_and_see() -> None:
    """Whichever versions differ; nothing where the asset was not there, or is not any more."""
    newer_draft = entry(document(version="draft", subject="New"), "Here/Welcome.email.draft")
    (change,) = changes(by_key(LIVE, DRAFT), by_key(LIVE, newer_draft))
    assert ((DRAFT,), (newer_draft,)) == (change.before, change.after)
    assert (LIVE, LIVE) == (change.was, change.is_now)
    (new,) = changes({}, by_key(LIVE, DRAFT))
    assert (None, LIVE) == (new.was, new.is_now)
    (gone,) = changes(by_key(DRAFT), {})
    assert (DRAFT, None) == (gone.was, gone.is_now)
    (approved,) = changes(by_key(DRAFT), by_key(LIVE))
    assert (DRAFT, LIVE) == (approved.was, approved.is_now)
    assert shown(()) is None


def test_a_file_that_has_other_bytes_has_changed() -> None:
    """Also if they are as many, and nothing else was saved; and one that has got its bytes is another file on disk."""
    none, some, other = (
        entry(document("file", 1, body=body), "a/x.file")
        for body in (None, FileBody(".png", 3, "aa"), FileBody(".png", 3, "bb"))
    )
    assert (CHANGED,) == became_of(some, now=(other,)) == became_of(none, now=(some,))
    assert () == became_of(some, now=(some,))


@pytest.mark.parametrize(
    ("kind", "entailed"), [("file", {"url": "https://x.example/Bye.png"}), ("smart_campaign", {"parentProgramId": 9})]
)
def test_what_follows_from_a_name_or_place_is_no_change_of_its_own(kind: str, entailed: dict[str, Any]) -> None:
    """A file that is renamed has another address, a campaign that is moved another program."""
    one = entry(document(kind, 1))
    assert (RENAMED,) == became_of(one, now=(entry(document(kind, 1, name="Bye", **entailed)),))
    assert (MOVED,) == became_of(one, now=(entry(document(kind, 1, home=ELSEWHERE, **entailed)),))


def test_an_asset_that_lies_elsewhere_because_of_others_is_the_same() -> None:
    """A folder above it was renamed: nothing became of the asset."""
    assert () == became_of(LIVE, now=(replace(LIVE, path=PurePosixPath("There/Welcome.email")),))


def test_changes_are_in_the_order_of_the_folder() -> None:
    """By kind, then by the path where they lie, or lay."""
    b, a = (entry(document("form", number), f"{path}/F.form") for number, path in ((1, "b"), (2, "a")))
    c = entry(document("form", 3), "aa/F.form")
    found = changes(by_key(b, c), by_key(b, a, LIVE)) + changes(by_key(b), {})
    assert [("email", 1), ("form", 2), ("form", 3), ("form", 1)] == [(each.asset.kind, each.asset.id) for each in found]


VERSIONS = st.builds(
    lambda number, version, name, home, subject: entry(
        document("email", number, version, name=name, home=Place("Folder", home), subject=subject)
    ),
    st.integers(1, 3),
    st.sampled_from(["approved", "draft"]),
    st.sampled_from("ab"),
    st.integers(1, 2),
    st.sampled_from("xy"),
)
STATES = st.lists(VERSIONS, max_size=5).map(lambda entries: by_key(*entries))


@given(STATES, STATES)
def test_the_way_back_is_the_opposite(before: dict[Key, Entry], after: dict[Key, Entry]) -> None:
    """What was added is removed then, all else is the same; and of equal states nothing is told."""
    turned = {ADDED: REMOVED, REMOVED: ADDED}
    there = {(each.asset, each.what, each.before, each.after) for each in changes(before, after)}
    back = {
        (each.asset, tuple(turned.get(what, what) for what in each.what), each.after, each.before)
        for each in changes(after, before)
    }
    assert there == back
    assert [] == changes(after, after)
    assert {asset for asset, *_ in there} == {
        key.asset for key in before.keys() | after.keys() if before.get(key) != after.get(key)
    }


@given(STATES, STATES)
def test_an_asset_is_added_or_removed_or_something_else(before: dict[Key, Entry], after: dict[Key, Entry]) -> None:
    """Added and removed stand alone, the others in one order."""
    was, is_now = by_asset(before), by_asset(after)
    for each in changes(before, after):
        assert (each.what == (ADDED,)) == (each.asset not in was)
        assert (each.what == (REMOVED,)) == (each.asset not in is_now)
        assert tuple(what for what in WHAT if what in each.what) == each.what
        assert len(each.what) == 1 or not {ADDED, REMOVED} & set(each.what)

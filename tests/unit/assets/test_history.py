"""The history of assets."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncengine.assets.documents import Asset, Key
from syncengine.assets.entry import Entry
from syncengine.assets.history import ENTRY, GONE, SCHEMA, History
from tests.unit.assets.made import by_key, document, entry

NOW = datetime(2026, 3, 1, tzinfo=UTC)
A, B = (entry(document(subject=subject)) for subject in "AB")
Row = dict[str, Any]


def pulled(rows: list[Row], there: dict[Key, Entry], kind: str = "email") -> list[Row]:
    """What a pull adds to the rows of the pulls before it."""
    return list(History(row[ENTRY] for row in rows).rows(kind, there, NOW))


def after(*states: dict[Key, Entry], kind: str = "email") -> list[Row]:
    """The rows of pulls that saw these states, one after the other."""
    rows: list[Row] = []
    for there in states:
        rows += pulled(rows, there, kind)
    return rows


def test_a_state_is_told_when_it_is_first_seen() -> None:
    """With all that the table has a column for."""
    (row,) = after(by_key(A))
    assert set(SCHEMA.names) == set(row)
    assert f"email/1/approved/000000/{A.sha256}" == row[ENTRY]
    assert ("email", "1", "approved", A.sha256, "Welcome") == tuple(
        row[name] for name in ("kind", "id", "version", "sha256", "name")
    )
    assert ("Here/Welcome.email", False, NOW) == (row["path"], row[GONE], row["seenAt"])
    assert datetime(2026, 2, 1, 8, tzinfo=UTC) == row["updatedAt"]


def test_a_state_that_comes_again_is_another_one() -> None:
    """A, B and A again are three; and seen twice, each is one."""
    rows = after(by_key(A), by_key(A), by_key(B), by_key(B), by_key(A))
    assert [A.sha256, B.sha256, A.sha256] == [row["sha256"] for row in rows]
    assert 3 == len({row[ENTRY] for row in rows})


def test_what_is_gone_is_told_once_and_may_come_back() -> None:
    """As it was, which is a state of its own."""
    rows = after(by_key(A), {}, {}, by_key(A), {})
    assert [A.sha256, None, A.sha256, None] == [row["sha256"] for row in rows]
    assert [False, True, False, True] == [row[GONE] for row in rows]
    assert ["email/1/approved/000001/gone", "email/1/approved/000003/gone"] == [row[ENTRY] for row in rows[1::2]]


def test_a_kind_tells_nothing_of_another() -> None:
    """Not even of one whose name begins with its own."""
    design = entry(document("email_v2", "1", status="approved"))
    rows = after(by_key(design), kind="email_v2")
    assert [] == pulled(rows, {})
    assert 1 == len(pulled(rows, {}, "email_v2"))


def test_of_what_was_not_all_seen_nothing_is_gone() -> None:
    """A list that never held still, or a version that could not be fetched: what is missing there may be there."""
    draft = entry(document(version="draft"))
    rows = after(by_key(A, draft))
    known = [row[ENTRY] for row in rows]
    (new,) = History(known).rows("email", by_key(B), NOW, is_whole=False)
    assert (B.sha256, False) == (new["sha256"], new[GONE])
    assert [] == list(History(known).rows("email", {}, NOW, is_whole=False))
    assert ["approved", "draft"] == [row["version"] for row in History(known).rows("email", {}, NOW)]


def test_each_version_has_a_history_of_its_own() -> None:
    """A draft that is gone is not the asset."""
    draft = entry(document(version="draft"))
    rows = after(by_key(A, draft), by_key(A))
    assert ["approved", "draft", "draft"] == [row["version"] for row in rows]
    assert [False, False, True] == [row[GONE] for row in rows]


def test_another_path_is_no_other_state() -> None:
    """A folder above it may have another name: the asset has not changed."""
    assert 1 == len(after(by_key(A), by_key(replace(A, path=A.path / "x"))))


def test_the_order_of_the_rows_says_nothing() -> None:
    """The destination gives its keys in any."""
    states = [by_key(A), by_key(B)] * 6
    rows = after(*states)
    assert 12 == len(rows)
    assert [] == list(History(row[ENTRY] for row in reversed(rows)).rows("email", states[-1], NOW))


IDS = st.text(st.sampled_from("a/0."), min_size=1, max_size=4)
KEYS = st.builds(lambda name, version: Key(Asset("tag_type", name), version), IDS, st.sampled_from(["", "draft"]))
SAMPLE = entry(document("tag_type", "a", home=None))
STATES = st.lists(st.dictionaries(KEYS, st.sampled_from(["aa", "bb"]), max_size=3), max_size=6)


@given(STATES)
def test_the_rows_are_all_that_a_pull_has_to_know(seen: list[dict[Key, str]]) -> None:
    """Whatever came and went: fed back they give nothing new, and their last is what is there; ids may hold slashes."""
    rows: list[Row] = []
    known: dict[Key, str] = {}
    for state in seen:
        there = {key: replace(SAMPLE, key=key, sha256=sha256) for key, sha256 in state.items()}
        new = pulled(rows, there, "tag_type")
        assert {key for key in known.keys() | state.keys() if known.get(key) != state.get(key)} == {
            Key(Asset(row["kind"], row["id"]), row["version"]) for row in new
        }
        rows += new
        assert [] == pulled(rows, there, "tag_type")
        known = state
    assert len({row[ENTRY] for row in rows}) == len(rows)
    last = {(row["id"], row["version"]): row["sha256"] for row in rows if not row[GONE]}
    for row in rows:
        last[row["id"], row["version"]] = row["sha256"]
    assert {(key.asset.id, key.version): sha256 for key, sha256 in known.items()} == {
        key: sha256 for key, sha256 in last.items() if sha256 is not None
    }

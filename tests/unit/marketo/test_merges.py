"""Which leads lost a merge."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.marketo.merges import merged_ids


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (123, (123,)),
        ("123", (123,)),
        ("123,456", (123, 456)),
        ("[123, 456]", (123, 456)),
        ('["123"; "456"]', (123, 456)),
        ("123 456\n789", (123, 456, 789)),
        ([123, "456", ["789"]], (123, 456, 789)),
        (123.0, (123,)),
        ("123,123,7", (123, 7)),
        ("", ()),
        (None, ()),
        (True, ()),
        ("12.5", ()),
        ("-4,0", ()),
        ("7 of Acme", (7,)),
        ({"id": 7}, ()),
    ],
)
def test_losers_are_found_in_any_form(value: Any, expected: tuple[int, ...]) -> None:
    """A number, a text of several, a list: in a bulk file's object and in an answer's list of names and values."""
    bulk = {"Merge IDs": value, "Master Updated": False, "Merge Source": "99"}
    listed = [{"name": "Merge Source", "value": "99"}, {"name": "Merge IDs", "value": value}, None]
    forms = (bulk, orjson.dumps(bulk).decode(), listed, orjson.dumps(listed).decode())
    assert [expected] * 4 == [merged_ids(form) for form in forms]


@pytest.mark.parametrize("name", ["Merge IDs", "merge ids", "Merge_IDs", "mergeIds"])
def test_the_name_is_read_in_any_spelling(name: str) -> None:
    """Case and separators of an attribute's name say nothing."""
    assert (5,) == merged_ids({name: "5"})


def test_the_winner_never_loses() -> None:
    """An id that is also the activity's own lead is left out, as its row has to stay."""
    assert (5, 7) == merged_ids({"Merge IDs": "5,6,7"}, winner=6)


@pytest.mark.parametrize("attributes", ["", "null", "{", "3", "[]", {}, {"Lead ID": 3}])
def test_nobody_is_named_where_nobody_lost(attributes: Any) -> None:
    """Unreadable or other attributes name no loser."""
    assert () == merged_ids(attributes)


@settings(deadline=None)
@given(ids=st.lists(st.integers(1, 2**63 - 1), unique=True, max_size=25))
def test_all_losers_are_found_in_order(ids: list[int]) -> None:
    """A merge has up to 25 losers."""
    assert tuple(ids) == merged_ids({"Merge IDs": ",".join(map(str, ids))}) == merged_ids({"Merge IDs": str(ids)})


@settings(deadline=None)
@given(anything=st.text(max_size=60))
def test_no_text_makes_the_search_fail(anything: str) -> None:
    """Whatever stands in an attribute, ids are positive or absent."""
    assert all(each > 0 for each in merged_ids(anything) + merged_ids({"Merge IDs": anything}))

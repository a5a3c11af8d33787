"""Tests of paging tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.sandbox.paging import PagingTokens
from syncengine.sandbox.replies import Refusal
from tests.unit.sandbox.caller import small_options

OPTIONS = small_options(paging_token_seconds=100)
NOW = OPTIONS.start_seconds


@given(st.lists(st.integers(0, 1 << 60), max_size=4))
def test_a_token_comes_back_as_its_place(place: list[int]) -> None:
    """Any place survives, and every token needs encoding in a URL."""
    tokens = PagingTokens(OPTIONS)
    text = tokens.issue("a", tuple(place), NOW)
    assert tokens.read("a", text, NOW + 99) == tuple(place)
    assert text.endswith("=")


@pytest.mark.parametrize(
    ("scope", "change", "wait"),
    [("b", str, 0), ("a", str.lower, 0), ("a", lambda text: text[:-8], 0), ("a", lambda _: "NONE", 0), ("a", str, 100)],
)
def test_a_bad_token_is_refused(scope: str, change: object, wait: float) -> None:
    """Another question, a text that was tampered with or invented, and one that is too old are 1003."""
    tokens = PagingTokens(OPTIONS)
    text = tokens.issue("a", (1, 2), NOW)
    assert callable(change)
    with pytest.raises(Refusal, match="nextPageToken") as refused:
        tokens.read(scope, change(text), NOW + wait)
    assert refused.value.code == "1003"


def test_another_instances_tokens_are_strange() -> None:
    """The seed seals them."""
    text = PagingTokens(OPTIONS).issue("a", (1,), NOW)
    with pytest.raises(Refusal):
        PagingTokens(small_options(seed=8)).read("a", text, NOW)

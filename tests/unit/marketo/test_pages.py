"""Pages of a listing end in the way of their family, and never by accident."""

from collections.abc import Callable
from typing import Any

import pytest

from syncengine.marketo.pages import (
    Page,
    comma_separated,
    offset_of,
    page_query,
    while_full,
    while_more,
    while_token,
    whole,
)
from syncengine.marketo.reply import Malformed, Reply, read

ROWS = ({"id": 1}, {"id": 2})


def test_activities_go_on_while_more_is_said_to_follow() -> None:
    """A short or even an empty page is not the end, and a token alone is no next page."""
    assert Page(ROWS, "T") == while_more(Reply(result=ROWS, next_page_token="T", more_result=True))
    assert Page((), "T") == while_more(Reply(next_page_token="T", more_result=True))
    assert Page(ROWS, None) == while_more(Reply(result=ROWS, next_page_token="T", more_result=False))


@pytest.mark.parametrize("more", [None, True])
def test_an_end_that_is_not_stated_is_no_end(more: bool | None) -> None:
    """Activities without `moreResult`, or with more to come and no way there, are asked for again."""
    token = "T" if more is None else None
    with pytest.raises(Malformed):
        while_more(Reply(result=ROWS, next_page_token=token, more_result=more))


@pytest.mark.parametrize("more", [None, True, False])
def test_lists_go_on_while_a_token_comes(more: bool | None) -> None:
    """These endpoints may not send `moreResult` at all: waiting for it would end at the first 300."""
    assert Page(ROWS, "T") == while_token(Reply(result=ROWS, next_page_token="T", more_result=more))


@pytest.mark.parametrize("more", [None, False])
def test_lists_end_without_a_token(more: bool | None) -> None:
    """The last page names none; nothing found is an empty page."""
    assert Page(ROWS, None) == while_token(Reply(result=ROWS, more_result=more))
    assert Page((), None) == while_token(Reply(more_result=more))


def test_a_list_that_says_more_without_a_token_is_a_fault() -> None:
    """To stop there would lose rows in silence."""
    with pytest.raises(Malformed):
        while_token(Reply(result=ROWS, more_result=True))


@pytest.mark.parametrize(
    ("offset", "rows", "following"), [(0, 2, "2"), (200, 2, "202"), (0, 1, None), (200, 0, None), (0, 3, "2")]
)
def test_assets_go_on_after_a_full_page(offset: int, rows: int, following: str | None) -> None:
    """The next page begins where a full one of two ended."""
    result = tuple({"id": each} for each in range(rows))
    assert Page(result, following) == while_full(offset, 2)(Reply(result=result))


def test_the_warning_that_no_assets_are_found_is_the_end() -> None:
    """Marketo says so in an answer without a result."""
    body = b'{"success":true,"requestId":"1#2","warnings":["No assets found for the given search criteria."]}'
    reply = read(200, "application/json", body)
    assert isinstance(reply, Reply)
    assert Page((), None) == while_full(200, 200)(reply)


def test_a_whole_answer_has_nothing_after_it() -> None:
    """An endpoint that begins to page is noticed."""
    assert Page(ROWS, None) == whole(Reply(result=ROWS))
    with pytest.raises(Malformed):
        whole(Reply(result=ROWS, next_page_token="T"))


@pytest.mark.parametrize("decode", [while_more, while_token, whole, while_full(0, 200)])
@pytest.mark.parametrize("row", [None, 1, "x", [{}]])
def test_a_row_that_is_none_is_a_fault(decode: Callable[[Reply], Page], row: Any) -> None:
    """A row is never passed over."""
    with pytest.raises(Malformed):
        decode(Reply(result=({"id": 1}, row), more_result=False))


def test_rows_and_tokens_stay_out_of_what_is_printed() -> None:
    """Pages hold people's data."""
    assert "secret" not in repr(Page(({"email": "secret"},), "secret"))


def test_a_page_is_asked_for_by_token() -> None:
    """The first page has none; all have the largest batch."""
    assert {"batchSize": "300"} == page_query("")
    assert {"batchSize": "300", "nextPageToken": "A=="} == page_query("A==")


def test_an_offset_is_a_number() -> None:
    """What no page of assets gave is not sent."""
    assert (0, 400) == (offset_of(""), offset_of("400"))
    for wrong in ("A==", "-1", "1.5", "\u0663"):
        with pytest.raises(ValueError, match="offset"):
            offset_of(wrong)


def test_values_are_sent_in_one_parameter() -> None:
    """Numbers and texts alike, as many as the call takes."""
    assert "1,b,3" == comma_separated([1, "b", 3], "values", at_most=3)
    assert "x" == comma_separated(["x"], "values")


@pytest.mark.parametrize("values", [[], [1, 2, 3, 4], [1, ""], [" "], ["Acme, Inc."]])
def test_values_that_marketo_would_read_otherwise_are_not_sent(values: list[object]) -> None:
    """A comma cannot be escaped, and an empty value is another question."""
    with pytest.raises(ValueError, match="things"):
        comma_separated(values, "things", at_most=3)

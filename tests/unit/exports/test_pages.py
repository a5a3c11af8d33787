"""Paging: every row up to the true end, whatever comes in between, and no loop without an end."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.errors import CallRejected, NotFound, QuotaExhausted, Unavailable
from syncengine.exports.asked import keys_of
from syncengine.exports.pages import (
    EMPTY_REPEATS_MAX,
    KEYED_CALLS_IN_FLIGHT,
    PagingStuck,
    by_keys,
    chunks,
    every,
)
from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import activities, lists, objects, programs
from syncengine.marketo.pages import Page
from syncengine.transport.wire import WireRequest
from tests.scripted import Answer, refused, rows
from tests.unit.exports.taken import Taken, told
from tests.virtual import virtual


def more(*ids: int, token: str, goes_on: bool = True) -> Answer:
    """A page of the activity family."""
    return rows(*({"id": each} for each in ids), nextPageToken=token, moreResult=goes_on)


# What an error in the middle of a listing must never be: its end. Codes that pass, and that end the reading.


@pytest.mark.parametrize("code", ["606", "602", "611", "601", "615", "604"])
@virtual
async def test_an_error_that_passes_is_not_the_end_of_the_data(code: str) -> None:
    """A refusal inside a 200, on page 3 of 4: the page is asked for again, and all rows come once."""
    script = told(
        more(1, token="b"), more(2, token="c"), refused(code), more(3, token="d"), more(4, token="e", goes_on=False)
    )
    taken = Taken()
    await every(script.client, activities.deleted_leads, taken, "a")
    assert [1, 2, 3, 4] == taken.ids


@pytest.mark.parametrize(
    ("code", "error"),
    [("607", QuotaExhausted), ("611", Unavailable), ("1003", CallRejected), ("610", NotFound)],
)
@pytest.mark.parametrize("pages", [activities.deleted_leads, lists.lists])
@virtual
async def test_an_error_that_stays_ends_in_an_error(code: str, error: type[Exception], pages: Any) -> None:
    """Half of a listing is never taken for all of it."""
    script, taken = told(more(1, token="b"), refused(code)), Taken()
    with pytest.raises(error):
        await every(script.client, pages, taken, "a")
    assert [1] == taken.ids


@virtual
async def test_a_body_that_is_no_page_is_not_the_end_of_the_data() -> None:
    """Success without a word on what follows is asked for again."""
    script, taken = told(more(1, token="b"), rows(), more(2, token="c", goes_on=False)), Taken()
    await every(script.client, activities.deleted_leads, taken, "a")
    assert [1, 2] == taken.ids


@virtual
async def test_no_data_is_the_end_of_a_look_up_and_never_of_activities() -> None:
    """702 is Marketo's word for an empty result; the activity family says by `moreResult` that nothing follows."""
    assert 1 == await every(told(refused("702")).client, lists.lists, Taken())
    with pytest.raises(CallRejected):
        await every(told(more(1, token="b"), refused("702")).client, activities.deleted_leads, Taken(), "a")


# Where listings end.


@virtual
async def test_short_and_empty_pages_are_gone_on_from() -> None:
    """However many of them: only `moreResult` says that nothing follows."""
    empty = [more(token=f"t{number}") for number in range(40)]
    script, taken = told(more(1, token="b"), *empty, more(2, token="z", goes_on=False)), Taken()
    assert 42 == await every(script.client, activities.deleted_leads, taken, "a")
    assert [1, 2] == taken.ids
    assert script.client.clock.monotonic() < 1_000.0 + 60.0


@virtual
async def test_a_list_goes_on_while_a_token_comes() -> None:
    """There is no `moreResult` here, and an empty page with a token is not the end either."""
    script = told(rows({"id": 1}, nextPageToken="b"), rows(nextPageToken="c"), rows({"id": 2}))
    taken = Taken()
    assert 3 == await every(script.client, lists.lists, taken)
    assert [1, 2] == taken.ids


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (199, 1), (200, 2), (201, 2), (400, 3)])
@virtual
async def test_assets_end_with_a_page_that_is_not_full(count: int, calls: int) -> None:
    """A full page may be the last: one more call tells."""

    def page(request: WireRequest) -> Answer:
        offset = int(parse_qs(urlsplit(request.target).query)["offset"][0])
        return rows(*({"id": each} for each in range(offset, min(offset + 200, count))))

    script, taken = told(page), Taken()
    assert calls == await every(script.client, programs.programs, taken)
    assert list(range(count)) == taken.ids


# Tokens that lead nowhere.


@pytest.mark.parametrize("repeats", range(1, EMPTY_REPEATS_MAX + 1))
@virtual
async def test_a_repeated_token_with_nothing_new_is_asked_again_ever_later(repeats: int) -> None:
    """Marketo catches up: each wait is twice the one before, and then the rows come."""
    same = [more(token="b") for _ in range(repeats)]
    script, taken = told(more(1, token="b"), *same, more(2, token="c", goes_on=False)), Taken()
    await script.client.tokens.current()
    await every(script.client, activities.deleted_leads, taken, "a")
    gaps = [later - earlier for earlier, later in pairwise(script.wire.sent_at)][1:]
    assert [1, 2] == taken.ids
    assert [2.0 * 2**number for number in range(repeats)] == [pytest.approx(gap, abs=0.5) for gap in gaps]


@virtual
async def test_a_token_that_stays_the_same_is_given_up() -> None:
    """After the fifth repeat: in about a minute, with an error that names the listing."""
    script, taken = told(more(1, token="b"), more(token="b")), Taken()
    with pytest.raises(PagingStuck) as caught:
        await every(script.client, activities.deleted_leads, taken, "a")
    assert (2 + EMPTY_REPEATS_MAX, "activities.deletedleads") == (len(script.wire.requests), caught.value.call)


@virtual
async def test_rows_make_a_listing_patient_again() -> None:
    """Repeats that ended well do not count against later ones."""
    steps = [
        step
        for token in "bcde"
        for step in (more(ord(token), token=token), *(more(token=token) for _ in range(EMPTY_REPEATS_MAX)))
    ]
    script, taken = told(*steps, more(1, token="z", goes_on=False)), Taken()
    await every(script.client, activities.deleted_leads, taken, "a")
    assert [*map(ord, "bcde"), 1] == taken.ids


@pytest.mark.parametrize("circle", [["b", "b"], ["b", "c", "b"], ["b", "c", "a"]])
@virtual
async def test_a_circle_of_tokens_with_rows_is_stuck(circle: Sequence[str]) -> None:
    """A token that was seen before leads to rows that were read before, for ever."""
    script = told(*(more(number, token=token) for number, token in enumerate(circle)))
    taken = Taken()
    with pytest.raises(PagingStuck):
        await every(script.client, activities.deleted_leads, taken, "a")
    assert (len(circle), list(range(len(circle)))) == (len(script.wire.requests), taken.ids)


@virtual
async def test_a_circle_of_empty_pages_is_stuck() -> None:
    """No rows, and a token other than the last but known."""
    script = told(more(token="b"), more(token="c"), more(token="b"))
    with pytest.raises(PagingStuck):
        await every(script.client, activities.deleted_leads, Taken(), "a")
    assert 3 == len(script.wire.requests)


# Records by their keys.


def companies(values: Sequence[str], following: str) -> Call[Page]:
    return objects.by_key(objects.COMPANIES, "externalCompanyId", values, (), following)


def asked(request: WireRequest) -> list[str]:
    """The keys of one call, which travels as a form when its address would be too long."""
    text = request.body.decode() if request.body else urlsplit(request.target).query
    return parse_qs(text)["filterValues"][0].split(",")


def each_key(request: WireRequest) -> Answer:
    return rows(*({"id": int(key)} for key in asked(request)))


@pytest.mark.parametrize("count", [0, 1, 299, 300, 301, 900, 1_501])
@virtual
async def test_keys_are_asked_for_by_three_hundred(count: int) -> None:
    """Each key once, in as few calls as Marketo takes, and the number given is that of the calls."""
    script, taken = told(each_key), Taken()
    calls = await by_keys(script.client, companies, taken, keys_of(range(count)))
    assert (ceil(count / 300), list(range(count))) == (calls, sorted(taken.ids))
    assert calls == len(script.wire.requests)
    assert script.wire.most_open <= KEYED_CALLS_IN_FLIGHT


@virtual
async def test_several_pages_for_some_keys_are_all_read() -> None:
    """A token after a look-up is gone on with, each for its own keys."""

    def paged(request: WireRequest) -> Answer:
        first = asked(request)[0]
        if b"nextPageToken" in (request.body or request.target.encode()):
            return rows({"id": int(first) + 1})
        return rows({"id": int(first)}, nextPageToken=f"after {first}")

    script, taken = told(paged), Taken()
    assert 6 == await by_keys(script.client, companies, taken, keys_of(range(900)))
    assert [0, 1, 300, 301, 600, 601] == sorted(taken.ids)


@virtual
async def test_a_failure_cancels_the_other_calls() -> None:
    """It comes out as it was raised, in no group, and what has not been asked for stays so."""

    def fails(request: WireRequest) -> Answer:
        if asked(request)[0] == "300":
            return refused("1003")
        return Answer(body=rows().body, header_seconds=30.0)

    script = told(fails)
    with pytest.raises(CallRejected) as caught:
        await by_keys(script.client, companies, Taken(), keys_of(range(9_000)))
    assert ("1003", KEYED_CALLS_IN_FLIGHT, 0) == (caught.value.code, len(script.wire.requests), script.wire.open)


@given(count=st.integers(0, 50), size=st.integers(1, 9))
def test_chunks_are_the_keys_in_order(count: int, size: int) -> None:
    """Nothing is left out or doubled, and all but the last are full."""
    keys = keys_of(range(count))
    found = list(chunks(keys, size))
    assert keys.to_pylist() == [key for chunk in found for key in chunk]
    assert ceil(count / size) == len(found)

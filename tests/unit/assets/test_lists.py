"""Lists that shift while they are read: what was there all the time is found, or it is said that it may not be."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.assets.lists import READINGS_MAX, Whole, believed, changed, pages_for, whole
from syncengine.errors import NotFound
from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import assets
from syncengine.marketo.endpoints.assets import ListPage
from tests.unit.assets.played import Played
from tests.virtual import virtual

LISTS = "/rest/asset/v1/staticLists.json"
Row = Mapping[str, Any]
Change = Callable[[list[Hashable]], object]


def page(offset: int) -> Call[ListPage]:
    """A page of a list."""
    return assets.page("static_list.list", LISTS, offset)


def page_since(offset: int) -> Call[ListPage]:
    """A page of what is new in it."""
    return assets.page("static_list.list", LISTS, offset, query={"since": "x"})


def identity(row: Row) -> Hashable:
    """What tells rows apart."""
    found: Hashable = row["id"]
    return found


class Listing:
    """A list at Marketo that somebody changes: after the call of a number, counted from 1, its changes are made."""

    def __init__(self, ids: Sequence[Hashable], changes: Mapping[int, Sequence[Change]] | None = None) -> None:
        self.ids = list(ids)
        self.always = set(ids)
        self.new: list[Hashable] = []
        self.changes = changes or {}
        self.calls = 0

    def answer(self, call: Call[Any]) -> list[Row]:
        """What a call is answered now."""
        self.calls += 1
        offset, rows = int(call.query["offset"]), self.new if "since" in call.query else self.ids
        found: list[Row] = [{"id": each} for each in rows[offset : offset + int(call.query["maxReturn"])]]
        for change in self.changes.get(self.calls, ()):
            change(self.ids)
            self.always &= set(self.ids)
        return found

    def client(self, waits: Sequence[int] = ()) -> Played:
        """Who asks."""
        return Played(self.answer, chain(waits, repeat(0)))


def delete(place: int) -> Change:
    """Delete the row at a place, counted from the end if it is below 0."""
    return lambda ids: ids.pop(place) if -len(ids) <= place < len(ids) else None


def insert(place: int, name: str) -> Change:
    """Make a row at a place."""
    return lambda ids: ids.insert(place, name)


def move(before: int, after: int) -> Change:
    """Give the row at a place a name by which it is listed at another."""
    return lambda ids: ids.insert(after, ids.pop(before)) if -len(ids) <= before < len(ids) else None


async def read(listing: Listing, expected: int = 0) -> Whole:
    """The list in one go."""
    return await whole(listing.client(), page, identity, expected)


@pytest.mark.parametrize(
    ("rows", "pages"), [(0, 1), (1, 1), (199, 1), (200, 2), (398, 2), (399, 3), (597, 3), (598, 4), (1990, 10)]
)
def test_the_last_page_of_a_list_is_not_full(rows: int, pages: int) -> None:
    """So it takes one more where all would fit exactly."""
    assert pages == pages_for(rows)


@pytest.mark.parametrize("expected", [0, 1, 199, 200, 405, 1_000])
@pytest.mark.parametrize("rows", [0, 1, 199, 200, 201, 398, 399, 405])
@virtual
async def test_a_list_that_holds_still_is_read_once(rows: int, expected: int) -> None:
    """All of it, in its order, each row once, however many were expected; with no more calls than pages."""
    listing = Listing(range(rows))
    found = await read(listing, expected)
    assert list(range(rows)) == [row["id"] for row in found.rows] == list(found.by_identity)
    assert found.is_steady
    assert not found.rest_stays
    assert max(pages_for(rows), pages_for(expected)) == listing.calls
    assert found.is_one_page == (0 < rows < 200 and expected < 200)


@virtual
async def test_pages_that_are_expected_are_asked_for_at_once() -> None:
    """And read in whatever order they come."""
    listing = Listing(range(900))
    client = listing.client([9, 3, 7, 0, 5])
    found = await whole(client, page, identity, 900)
    assert ["0", "199", "398", "597", "796"] == [call.query["offset"] for call in client.sent]
    assert (900, True) == (len(found.rows), found.is_steady)


@pytest.mark.parametrize("change", [delete(0), insert(0, "new"), move(0, 999), move(-1, 0), move(100, 420)])
@pytest.mark.parametrize("number", [1, 2])
@virtual
async def test_a_list_that_shifts_once_is_read_again(change: Change, number: int) -> None:
    """The rows that went over the end of a page are missed by nobody; the second reading is believed."""
    listing = Listing(range(450), {number: [change]})
    found = await read(listing)
    assert found.is_steady
    assert listing.ids == list(found.by_identity)
    assert 6 == listing.calls


@virtual
async def test_a_change_behind_what_was_read_is_no_shift() -> None:
    """Pages that were read already are as they were."""
    listing = Listing(range(450), {1: [delete(400)]})
    found = await read(listing)
    assert (449, True, 3) == (len(found.rows), found.is_steady, listing.calls)


@virtual
async def test_a_list_that_never_holds_still_is_all_that_was_seen_in_it() -> None:
    """And says so: what is missing there may be there."""
    listing = Listing(range(450), {number: [delete(0)] for number in range(1, 99)})
    found = await read(listing)
    assert not found.is_steady
    assert not found.is_one_page
    assert listing.always <= set(found.by_identity)
    assert READINGS_MAX * 3 == listing.calls


@virtual
async def test_a_list_that_ends_with_a_full_page_and_grows_is_read_on() -> None:
    """Until a page is not full."""
    listing = Listing(range(200), {1: [lambda ids: ids.extend(range(200, 400))]})
    found = await read(listing)
    assert (400, True) == (len(found.rows), found.is_steady)


@virtual
async def test_pages_by_number_must_agree_on_how_many_there_are() -> None:
    """They do not overlap; each tells the number of all rows."""
    totals = iter([70, 71, 71, 71, 71, 71])

    def answer(call: Call[Any]) -> list[Row]:
        start = int(call.query["pageIndex"]) * 50
        items = [{"id": str(each)} for each in range(start, min(71, start + 50))]
        return [{"items": items, "totalItems": next(totals)}]

    client = Played(answer)
    found = await whole(client, partial(assets.designs, "email", 1), identity, 71, step=1)
    assert (71, True) == (len(found.rows), found.is_steady)
    assert ["0", "1", "0", "1"] == [call.query["pageIndex"] for call in client.sent]


@virtual
async def test_what_marketo_refuses_is_raised() -> None:
    """Out of any page, as it is."""
    error = NotFound("gone", code="702")
    client = Played(lambda call: error if call.query["offset"] == "398" else [{"id": each} for each in range(200)])
    with pytest.raises(NotFound, match="gone"):
        await whole(client, page, identity, 900)


async def believing(listing: Listing, known: Sequence[Hashable], waits: Sequence[int] = ()) -> Whole:
    """The list as a pull reads it that knows some of it already."""
    return await believed(partial(whole, listing.client(waits), page, identity, len(known)), known)


@virtual
async def test_a_list_in_which_nothing_is_missing_is_read_once() -> None:
    """Whatever is new in it."""
    listing = Listing(range(405))
    assert (await believing(listing, range(300))).is_steady
    assert 3 == listing.calls


@virtual
async def test_what_is_missing_twice_is_gone() -> None:
    """From a list of several pages."""
    listing = Listing(range(1, 405))
    found = await believing(listing, range(405))
    assert (True, 404, 6) == (found.is_steady, len(found.rows), listing.calls)


@virtual
async def test_what_is_missing_on_a_single_page_is_gone() -> None:
    """All of it came at one instant: nothing can have slipped."""
    listing = Listing(range(1, 100))
    found = await believing(listing, range(100))
    assert (True, 99, 1) == (found.is_steady, len(found.rows), listing.calls)


@virtual
async def test_two_changes_that_make_up_for_each_other_are_found_out() -> None:
    """A row went to a page that was read already, and another one went from there: all pages agree where they meet."""
    listing = Listing(range(405), {1: [move(300, 0), delete(100)]})
    once = await read(Listing(range(405), listing.changes))
    assert (True, False) == (once.is_steady, 300 in once.by_identity)
    found = await believing(listing, range(405))
    assert (False, 6) == (found.is_steady, listing.calls)  # something else is missing the second time
    assert set(range(405)) == set(found.by_identity)
    later = await believing(Listing(listing.ids), range(405))
    assert (True, set(range(405)) - {99}) == (later.is_steady, set(later.by_identity))


@virtual
async def test_a_list_that_is_empty_once_and_full_again_is_full() -> None:
    """Marketo hiccups; one that is empty twice is empty."""
    for times, rows in ((1, 300), (2, 0)):
        answers: Iterator[list[Row]] = iter([[]] * times * 2 + [[{"id": each} for each in range(300)]] * 9)

        def answer(call: Call[Any], answers: Any = answers) -> list[Row]:
            offset = int(call.query["offset"])
            return list(next(answers))[offset : offset + 200]

        found = await believed(partial(whole, Played(answer), page, identity, 300), range(300))
        assert (rows, True) == (len(found.rows), found.is_steady)


@virtual
async def test_one_that_is_short_and_empty_once_is_read_again() -> None:
    """That nothing came is no page on which something could be missing."""
    answers = iter([[], [{"id": 1}, {"id": 2}]])
    found = await believed(partial(whole, Played(lambda _: next(answers)), page, identity, 2), [1, 2, 3])
    assert ([1, 2], True) == (list(found.by_identity), found.is_steady)
    still_empty = await believed(partial(whole, Played(lambda _: []), page, identity, 2), [1, 2])
    assert ([], True) == (list(still_empty.by_identity), still_empty.is_steady)


@pytest.mark.parametrize(
    "first",
    [
        Whole({1: {}}, is_steady=False),
        Whole({1: {}}, is_steady=True, is_one_page=True),
        Whole({1: {}}, is_steady=True, rest_stays=True),
        Whole({1: {}, 2: {}}, is_steady=True),
    ],
)
@virtual
async def test_a_list_that_says_enough_is_not_read_twice(first: Whole) -> None:
    """It misses nothing, cannot have missed anything, or says already that it may."""
    readings = iter([first])

    async def next_one() -> Whole:
        return next(readings)

    assert first == await believed(next_one, [1, 2])


@pytest.mark.parametrize(
    ("second", "is_steady", "ids"),
    [
        (Whole({1: {}, 3: {}}, is_steady=True), True, {1, 3}),
        (Whole({1: {}, 2: {}, 3: {}}, is_steady=True), True, {1, 2, 3}),
        (Whole({2: {}, 3: {}}, is_steady=True), False, {1, 2, 3}),
        (Whole({1: {}, 2: {}, 3: {}}, is_steady=False), False, {1, 2, 3}),
        (Whole({}, is_steady=True), False, {1, 3}),
    ],
)
@virtual
async def test_only_what_is_missing_in_both_readings_is_gone(second: Whole, ids: set[int], *, is_steady: bool) -> None:
    """When the second misses something else, or never held still, nothing is: all that was seen is given."""
    readings = iter([Whole({1: {}, 3: {}}, is_steady=True), second])

    async def next_one() -> Whole:
        return next(readings)

    found = await believed(next_one, [1, 2, 3])
    assert (is_steady, ids) == (found.is_steady, set(found.by_identity))


PLACES = st.integers(0, 420)
CHANGES = st.one_of(
    st.builds(delete, PLACES),
    st.builds(insert, PLACES, st.uuids().map(str)),
    st.builds(move, PLACES, PLACES),
)
# To make one row slip twice unseen takes five changes: to one page, and something for it; back; and the same again.
TIMES = st.dictionaries(st.integers(1, 9), st.lists(CHANGES, min_size=1, max_size=2), max_size=2)


@settings(max_examples=60)
@given(st.integers(150, 420), TIMES, st.lists(st.integers(0, 4), max_size=8), st.booleans())
@virtual
async def test_whatever_was_there_all_the_time_is_found(
    rows: int, changes: dict[int, list[Change]], waits: list[int], is_known: bool
) -> None:
    """Or the list says that it is not steady; wherever and between whichever pages it was changed."""
    listing = Listing(range(rows), changes)
    found = await believing(listing, range(rows) if is_known else [], waits)
    if is_known:
        assert not found.is_steady or listing.always <= set(found.by_identity)
    elif not changes:
        assert found.is_steady


async def quick(listing: Listing, known: Sequence[Hashable]) -> Whole | None:
    """What is new, if nothing is gone."""
    return await changed(listing.client(), page, page_since, identity, known)


@virtual
async def test_what_is_new_costs_two_calls() -> None:
    """However long the list is; the rest stays as it was."""
    listing = Listing(range(5_003))
    listing.new = [7, 5_000, 5_001, 5_002]
    found = await quick(listing, range(5_000))
    assert found is not None
    assert ([7, 5_000, 5_001, 5_002], True, True, 2) == (
        list(found.by_identity),
        found.is_steady,
        found.rest_stays,
        listing.calls,
    )


@virtual
async def test_a_list_in_which_nothing_is_new_is_the_same() -> None:
    """So says the number of its rows."""
    listing = Listing(range(600))
    found = await quick(listing, range(600))
    assert found is not None
    assert (0, True, 2) == (len(found.rows), found.rest_stays, listing.calls)


@pytest.mark.parametrize(
    ("ids", "new"),
    [
        (range(1, 600), []),
        ([], []),
        ([*range(1, 600), 600], [600]),  # one gone, one new
        ([*range(600), 600], []),  # one that nobody has told of
    ],
)
@virtual
async def test_when_the_number_of_rows_is_another_the_list_has_to_be_read(
    ids: Sequence[int], new: Sequence[int]
) -> None:
    """One is gone, or has come without a date of its own."""
    listing = Listing(ids)
    listing.new = list(new)
    assert await quick(listing, range(600)) is None
    assert 2 == listing.calls


@virtual
async def test_news_that_never_hold_still_are_no_news() -> None:
    """The list has to be read."""
    listing = Listing(range(900))
    listing.new = list(range(450))

    def shifting(call: Call[Any]) -> list[Row]:
        found = listing.answer(call)
        listing.new.pop(0)
        return found

    assert await changed(Played(shifting), page, page_since, identity, range(900)) is None

"""Paging by time: every row from a start to an end, whatever becomes of the tokens on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.errors import CallRejected, FileDamaged, NotFound
from syncengine.exports.pages import RESTARTS_MAX, Rows, since
from syncengine.marketo.endpoints import activities
from syncengine.transport.wire import WireRequest
from tests.scripted import Answer, Told, refused, rows
from tests.unit.exports.taken import Taken, told
from tests.virtual import ORIGIN, virtual

SECOND = timedelta(seconds=1)
END = ORIGIN + timedelta(days=1)


@dataclass
class Log:
    """The activity family: rows by date, and what becomes of the next pages; when these are used up, all goes well.

    A token for a moment leads to what lies after it, the harsher reading of Adobe's page. Of the `fates`, a number is
    the size of a page, `gone` refuses the token, `same` is an empty page with the token that was sent, and `circle` one
    with rows and that token.
    """

    dates: Sequence[datetime]
    fates: list[Any] = field(default_factory=list)
    is_inclusive: bool = False
    tokens: int = 0

    def __call__(self, request: WireRequest) -> Answer:
        target = urlsplit(request.target)
        query = parse_qs(target.query)
        if target.path.endswith("pagingtoken.json"):
            self.tokens += 1
            moment = datetime.fromisoformat(query["sinceDatetime"][0])
            first = sum(date < moment if self.is_inclusive else date <= moment for date in self.dates)
            return rows(nextPageToken=f"{self.tokens} {first} 0")
        token = query["nextPageToken"][0]
        issue, first, number = map(int, token.split())
        fate = self.fates.pop(0) if self.fates else 300
        if fate == "gone":
            return refused("1003", "nextPageToken is expired")
        if fate == "same":
            return rows(nextPageToken=token, moreResult=True)
        size = 2 if fate == "circle" else fate
        found = [
            {"id": place, "activityDate": date.strftime("%Y-%m-%dT%H:%M:%SZ")}
            for place, date in list(enumerate(self.dates))[first : first + size]
        ]
        goes_on = first + size < len(self.dates)
        if fate == "circle" and goes_on:
            return rows(*found, nextPageToken=token, moreResult=True)
        return rows(*found, nextPageToken=f"{issue} {first + len(found)} {number + 1}", moreResult=goes_on)


def read(script: Told, taken: Any, start: datetime = ORIGIN, end: datetime = END) -> Any:
    return since(script.client, activities.deleted_leads, taken, start, end)


def each_second(count: int, a_second: int = 1) -> list[datetime]:
    return [ORIGIN + SECOND * (number // a_second) for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 299, 300, 301, 900, 901])
@virtual
async def test_a_reading_by_time_costs_its_pages_and_a_token(count: int) -> None:
    """300 rows a call and one call to begin with: so a budget can be made before it is spent."""
    script, taken = told(Log(each_second(count))), Taken()
    calls = await read(script, taken)
    assert (max(1, ceil(count / 300)) + 1, list(range(count))) == (calls, taken.ids)
    assert calls == len(script.wire.requests)


@pytest.mark.parametrize("is_inclusive", [False, True])
@virtual
async def test_a_stretch_is_closed_at_its_start_and_open_at_its_end(is_inclusive: bool) -> None:
    """Two readings that touch have each second once, whichever way Marketo reads the moment of a token."""
    dates = each_second(20)
    middle, end = dates[7], dates[15]
    found = []
    for start, until in ((dates[2], middle), (middle, end)):
        taken = Taken()
        await read(told(Log(dates, is_inclusive=is_inclusive)), taken, start, until)
        found.append(taken.ids)
    assert [list(range(2, 7)), list(range(7, 15))] == found


@virtual
async def test_a_row_without_a_date_is_kept() -> None:
    """What cannot be placed in time is not left out for that."""
    page = rows({"id": 1, "activityDate": "soon"}, {"id": 2}, nextPageToken="b", moreResult=False)
    taken = Taken()
    await read(told(rows(nextPageToken="a"), page), taken)
    assert [1, 2] == taken.ids


@given(
    gaps=st.lists(st.sampled_from([0, 0, 0, 1, 5]), max_size=25),
    fates=st.lists(st.one_of(st.integers(0, 4), st.sampled_from(["gone", "same", "circle"])), max_size=25),
    is_inclusive=st.booleans(),
)
@settings(max_examples=150, deadline=None)
@virtual
async def test_no_row_is_lost_on_the_way(gaps: list[int], fates: list[Any], is_inclusive: bool) -> None:
    """Through short and empty pages, dead tokens, circles and many rows of one second: all rows, or an error."""
    date, dates = ORIGIN, list[datetime]()
    for gap in gaps:
        date += SECOND * gap
        dates.append(date)
    log, taken = Log(dates, list(fates), is_inclusive), Taken()
    script = told(log)
    try:
        calls = await read(script, taken)
    except CallRejected:
        held = {row["activityDate"] for row in taken.rows}
        got_nowhere = not held or held == {ORIGIN.strftime("%Y-%m-%dT%H:%M:%SZ")}
        # Each restart but the last few got further.
        assert got_nowhere or log.tokens > RESTARTS_MAX
    else:
        assert set(range(len(dates))) == set(taken.ids)
        assert calls == len(script.wire.requests)
    assert len(script.wire.requests) < 300


@pytest.mark.parametrize("refusal", [refused("1003", "expired"), refused("610"), Answer(status=404)])
@virtual
async def test_a_dead_token_is_replaced_at_the_last_date_that_was_seen(refusal: Answer) -> None:
    """Whatever Marketo says about it: the rows of that second come again, those before do not."""
    log = Log(each_second(30, a_second=3), [10])
    steps: list[Any] = [log, log, refusal, log]
    script, taken = told(*steps), Taken()
    assert 5 == await read(script, taken)
    assert [*range(10), *range(9, 30)] == taken.ids


@virtual
async def test_restarts_that_bring_nothing_end() -> None:
    """A listing that always breaks at the same place is the listing's fault, and told."""
    log = Log(each_second(30), [10, *["gone", 1] * 50])
    script, taken = told(log), Taken()
    with pytest.raises(CallRejected):
        await read(script, taken)
    assert 1 + RESTARTS_MAX >= log.tokens


@virtual
async def test_a_listing_that_refuses_its_first_page_is_not_asked_again() -> None:
    """Nothing was seen, so that no other token would help."""
    script = told(Log(each_second(30), ["gone"] * 50))
    with pytest.raises(CallRejected):
        await read(script, Taken())
    assert 2 == len(script.wire.requests)


@virtual
async def test_a_date_in_the_future_does_not_move_a_restart_behind_rows() -> None:
    """One row dated in a hundred years, and then a dead token: those between now and then still come."""
    far = ORIGIN + timedelta(days=36_500)
    log = Log([ORIGIN, ORIGIN + SECOND, far, *each_second(20)[2:]], [3, "gone"])
    taken = Taken()
    await read(told(log), taken)
    assert 20 == len({row["activityDate"] for row in taken.rows})


@pytest.mark.parametrize("error", [CallRejected("refused"), NotFound("gone"), FileDamaged("no key")])
@virtual
async def test_what_becomes_of_the_rows_is_no_fault_of_the_token(error: Exception) -> None:
    """A refusal met while rows are taken comes out as it is: a restart behind these rows would lose them."""
    script = told(Log(each_second(30), [10, 10]))
    seen = list[int]()

    async def take(found: Rows) -> None:
        if seen:
            raise error
        seen.append(len(found))

    with pytest.raises(type(error)) as caught:
        await read(script, take)
    assert caught.value is error
    assert 3 == len(script.wire.requests)

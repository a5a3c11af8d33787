"""Reading a listing page by page to its true end: no page is skipped, and no loop goes on for ever.

Apart from what is listed: here is only how. Each endpoint's `Call` says in its `Page` what follows, so the two ways of
ending never meet here: an empty or a short page with a following one is not the end, and an answer that is an error is
no page at all; the client raises it.

A paging token that comes back is the one fault that no answer tells. The same token with nothing new is Marketo
catching up: it is asked again, ever later, a few times. A token that was seen before with rows in between is a circle.
Both end the reading with `PagingStuck`; a reading that goes by time begins again at the last date that it saw, as it
does when Marketo no longer takes its token.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from syncengine.errors import CallRejected, NotFound
from syncengine.marketo.call import Call
from syncengine.marketo.endpoints import activities
from syncengine.marketo.limits import FILTER_VALUES_MAX
from syncengine.marketo.pages import Page
from syncengine.marketo.rows import instant_or_none
from syncengine.transport.client import Client

if TYPE_CHECKING:
    from syncengine.exports.asked import Keys

Rows = Sequence[Mapping[str, Any]]
Take = Callable[[Rows], Awaitable[None]]
Pages = Callable[[str], Call[Page]]

EMPTY_REPEATS_MAX = 5
EMPTY_REPEAT_SECONDS = 2.0
RESTARTS_MAX = 3
# A token leads to what lies behind its second, or begins with it: the pages of Adobe can be read either way.
TOKEN_MARGIN = timedelta(seconds=1)
# As many calls by key at once as leave some of the ten in flight to the rest of the run.
KEYED_CALLS_IN_FLIGHT = 4


class PagingStuck(CallRejected):
    """A listing gives tokens that lead nowhere."""


async def every(client: Client, pages: Pages, take: Take, following: str = "") -> int:
    """Read a listing from `following` on to its end, and give the number of pages; `take` is given each one's rows.

    Raises PagingStuck, and what the client raises; the listing is incomplete then.
    """
    seen: set[str] = {following}
    empties = count = 0
    while True:
        call = pages(following)
        page = await client.send(call)
        count += 1
        if page.rows:
            empties = 0
            await take(page.rows)
        if page.following is None:
            return count
        if page.following in seen:
            if page.rows or page.following != following or empties >= EMPTY_REPEATS_MAX:
                raise PagingStuck(f"{call.name} repeats a paging token.", call=call.name)
            await client.clock.sleep(EMPTY_REPEAT_SECONDS * 2**empties)
            empties += 1
        seen.add(page.following)
        following = page.following


async def since(client: Client, pages: Pages, take: Take, start: datetime, end: datetime) -> int:
    """Read what the activity family has from `start` up to, not including, `end`, by each row's `activityDate`.

    Gives the number of calls that brought pages or tokens.

    A token that leads nowhere or is not taken any more is replaced by one for the last date that was seen; rows of that
    second come again then. Raises what `every` raises when that brings nothing new, and whatever `take` raises.
    """
    reached = _Reached(start)

    def counted(following: str) -> Call[Page]:
        reached.calls += 1
        return pages(following)

    async def within(rows: Rows) -> None:
        dated = [(row, instant_or_none(row.get("activityDate"))) for row in rows]
        reached.is_taking = True
        await take([row for row, date in dated if date is None or start <= date < end])
        reached.is_taking = False
        # A date after the end, right or wrong, leads behind rows that are still to come.
        reached.at = max([reached.at, *(date for _, date in dated if date is not None and date < end)])

    restarts = 0
    while True:
        began = reached.at
        reached.calls += 1
        token = await client.send(activities.paging_token(began - TOKEN_MARGIN))
        try:
            await every(client, counted, within, token)
        except (CallRejected, NotFound):
            restarts = 0 if reached.at > began else restarts + 1
            # A restart that got nowhere is a fault of the listing and not of its token; what became of rows is neither.
            if reached.is_taking or restarts >= RESTARTS_MAX or reached.at == start:
                raise
        else:
            return reached.calls


@dataclass(slots=True)
class _Reached:
    """How far a reading has come, what it has cost, and whether its rows are being taken at the moment."""

    at: datetime
    calls: int = 0
    is_taking: bool = False


async def by_keys(client: Client, call: Callable[[Sequence[str], str], Call[Page]], take: Take, keys: "Keys") -> int:
    """Ask for the records of these keys, as many a call as Marketo takes, some calls at once; gives their number.

    Raises what `every` raises; other calls are cancelled then.
    """
    waiting = chunks(keys, FILTER_VALUES_MAX)
    failed: list[Exception] = []
    calls = 0

    async def work() -> None:
        nonlocal calls
        for chunk in waiting:
            try:
                pages = await every(client, partial(call, chunk), take)
            except Exception as error:  # noqa: BLE001  # raised below, where no group wraps it
                failed.append(error)
                group.cancel_scope.cancel()
                return
            calls += pages

    async with anyio.create_task_group() as group:
        for _ in range(KEYED_CALLS_IN_FLIGHT):
            group.start_soon(work)
    for error in failed:
        raise error
    return calls


def chunks(keys: "Keys", size: int) -> Iterator[list[str]]:
    """The keys in order, `size` at a time."""
    for start in range(0, len(keys), size):
        found: list[Any] = keys.slice(start, size).to_pylist()
        yield found

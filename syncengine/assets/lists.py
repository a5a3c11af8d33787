"""All pages of one list, and whether they are one: nothing may slip through while somebody works in Marketo.

Theory of operation. Lists of assets are cut by offset. When an asset is deleted, made or renamed while a list is read,
all rows behind it shift, and one may slip from a page that is still to be read to one that was read already. Nobody
would miss it until a pull takes it for deleted. Two things are done about it:

- Each page begins with the last row of the one before, and as long as they agree, as many rows went before it as came.
  That costs one row in 200, and lets all pages that are expected go in flight together, in whatever order they are
  read. A list that has shifted is read again.
- Two changes can make up for each other. So a list of several pages in which something is missing that was known, and
  one that is empty all at once, is read twice: only what is missing in both is gone.

A list that never holds still is given as the union of all that was seen, and says so: what is missing in it is not
gone.
"""

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

from syncengine.assets.crew import together
from syncengine.marketo.call import Call
from syncengine.marketo.endpoints.assets import ListPage
from syncengine.marketo.limits import ASSET_PAGE_ROWS_MAX
from syncengine.transport.client import Client

Identity = Callable[[Mapping[str, Any]], Hashable]

STEP = ASSET_PAGE_ROWS_MAX - 1
READINGS_MAX = 3


@dataclass(frozen=True, slots=True)
class Whole:
    """The rows of a list by what identifies them. Where it is not `is_steady`, there may be more.

    `is_one_page` tells that all of it came at one instant. Where `rest_stays`, rows that were known before and are not
    here are there as they were.
    """

    by_identity: Mapping[Hashable, Mapping[str, Any]] = field(repr=False)
    is_steady: bool
    is_one_page: bool = False
    rest_stays: bool = False

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """The rows, each once."""
        return tuple(self.by_identity.values())


async def whole(
    client: Client, page: Callable[[int], Call[ListPage]], identity: Identity, expected: int = 0, *, step: int = STEP
) -> Whole:
    """Read a list to its end; `page` is given the offset, `identity` tells rows apart.

    About `expected` rows are asked for at once. With a `step` of 1 what `page` is given is the number of the page, and
    pages do not overlap: there the number of all rows, which each page tells, has to stay the same.
    Raises what the client raises.
    """
    rows: dict[Hashable, Mapping[str, Any]] = {}
    for _ in range(READINGS_MAX):
        pages = await _read(client, page, expected if step > 1 else 0, step)
        seen = {identity(row): row for each in pages for row in each.rows}
        rows |= seen
        if _is_one(pages, identity, overlaps=step > 1):
            return Whole(seen, is_steady=True, is_one_page=len(pages) == 1 and bool(seen))
        expected = len(rows)
    return Whole(rows, is_steady=False)


def joined(lists: Sequence[Whole]) -> Whole:
    """Several lists as one."""
    return Whole(
        {identity: row for each in lists for identity, row in each.by_identity.items()},
        is_steady=all(each.is_steady for each in lists),
        is_one_page=all(each.is_one_page for each in lists),
    )


async def believed(read: Callable[[], Awaitable[Whole]], known: Collection[Hashable]) -> Whole:
    """A list as `read` gives it, read once more when something `known` is missing in it that may have slipped through.

    Raises what `read` raises.
    """
    found = await read()
    missing = set(known).difference(found.by_identity)
    if not missing or not found.is_steady or found.is_one_page or found.rest_stays:
        return found
    again = await read()
    if again.is_steady and missing.issuperset(set(known).difference(again.by_identity)):
        return again
    return Whole({**found.by_identity, **again.by_identity}, is_steady=False)


async def changed(
    client: Client,
    page: Callable[[int], Call[ListPage]],
    page_since: Callable[[int], Call[ListPage]],
    identity: Identity,
    known: Collection[Hashable],
) -> Whole | None:
    """What is new in a list of which all rows but those of `page_since` are `known`; None if some of these are gone.

    That nothing is gone shows in the number of rows: the last one is where it has to be, and none follows. So a list
    of any length costs two calls. A row that changed without a new date, by a move say, is not among the new ones.
    """
    new = await whole(client, page_since, identity)
    if not new.is_steady:
        return None
    total = len({*known, *new.by_identity})
    last = await client.send(page(max(0, total - 1)))
    return Whole(new.by_identity, is_steady=True, rest_stays=True) if len(last.rows) == 1 else None


def pages_for(rows: int) -> int:
    """How many pages a list of so many rows has: the last one is not full."""
    return 1 if rows <= STEP else 1 + -(-(rows - STEP) // STEP)


async def _read(client: Client, page: Callable[[int], Call[ListPage]], expected: int, step: int) -> list[ListPage]:
    """The pages up to one that is not full: those that are expected all at once, then one by one."""
    pages = await together([partial(client.send, page(number * step)) for number in range(pages_for(expected))])
    while all(each.is_full for each in pages):
        pages.append(await client.send(page(len(pages) * step)))
    return pages


def _is_one(pages: Sequence[ListPage], identity: Identity, *, overlaps: bool) -> bool:
    if not overlaps:
        return len({each.total for each in pages}) == 1
    for before, after in pairwise(pages):
        if not before.is_full and after.rows:
            return False
        if before.is_full and (not after.rows or identity(after.rows[0]) != identity(before.rows[-1])):
            return False
    return True

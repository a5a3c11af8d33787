"""All pages of one list, and whether they are one: nothing may slip through while somebody works in Marketo.

Theory of operation. Lists of assets are cut by offset. When an asset is deleted, made or renamed while a list is read,
all rows behind it shift, and one may slip from a page that is still to be read to one that was read already. Nobody
would miss it until a pull takes it for deleted. So each page begins with the last row of the one before: as long as
they agree, nothing has shifted between the two, in whatever order they were read. That costs one row in 200 and lets
all pages that are expected go in flight together. A list that has shifted is read again; one that never holds still is
given as the union of all that was seen, and says so: what is missing in it is not gone.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

from syncengine.assets.crew import together
from syncengine.marketo.call import Call
from syncengine.marketo.endpoints.assets import Listed
from syncengine.marketo.limits import ASSET_PAGE_ROWS_MAX
from syncengine.transport.client import Client

Identity = Callable[[Mapping[str, Any]], Hashable]

STEP = ASSET_PAGE_ROWS_MAX - 1
READINGS_MAX = 3


@dataclass(frozen=True, slots=True)
class Whole:
    """The rows of a list, each once. Where it is not `is_steady`, there may be more."""

    rows: Sequence[Mapping[str, Any]] = field(repr=False)
    is_steady: bool


async def whole(
    client: Client, page: Callable[[int], Call[Listed]], identity: Identity, expected: int = 0, *, step: int = STEP
) -> Whole:
    """Read a list to its end; `page` is given the offset, `identity` tells rows apart.

    About `expected` rows are asked for at once. With a `step` of 1 what `page` is given is the number of the page, and
    pages do not overlap: there the number of all rows, which each page tells, has to stay the same.
    Raises what the client raises.
    """
    rows: dict[Hashable, Mapping[str, Any]] = {}
    for _ in range(READINGS_MAX):
        pages = await _read(client, page, expected if step > 1 else 0, step)
        rows |= {identity(row): row for each in pages for row in each.rows}
        if _is_one(pages, identity, overlaps=step > 1):
            return Whole([row for each in pages for row in _fresh(each, pages, overlaps=step > 1)], is_steady=True)
        expected = len(rows)
    return Whole(list(rows.values()), is_steady=False)


def pages_for(rows: int) -> int:
    """How many pages a list of so many rows has: the last one is not full."""
    return 1 if rows <= STEP else 1 + -(-(rows - STEP) // STEP)


async def _read(client: Client, page: Callable[[int], Call[Listed]], expected: int, step: int) -> list[Listed]:
    """The pages up to one that is not full: those that are expected all at once, then one by one."""
    pages = await together([partial(client.send, page(number * step)) for number in range(pages_for(expected))])
    while all(each.is_full for each in pages):
        pages.append(await client.send(page(len(pages) * step)))
    return pages


def _is_one(pages: Sequence[Listed], identity: Identity, *, overlaps: bool) -> bool:
    if not overlaps:
        return len({each.total for each in pages}) == 1
    for before, after in pairwise(pages):
        if not before.is_full and after.rows:
            return False
        if before.is_full and (not after.rows or identity(after.rows[0]) != identity(before.rows[-1])):
            return False
    return True


def _fresh(page: Listed, pages: Sequence[Listed], *, overlaps: bool) -> Sequence[Mapping[str, Any]]:
    return page.rows[1:] if overlaps and page is not pages[0] else page.rows

"""Pages of a listing, and the three ways in which Marketo's listings end.

Apart from the endpoints, since each of them belongs to one of three families and a client that mistakes the family
loses rows without an error:

- *Activities*, lead changes and deleted leads always give a token, on the last page too. They go on while `moreResult`
  is true, even after a short or an empty page (`while_more`).
- *Lists* and everything that is found by the values of a field go on while a token comes; some of these endpoints have
  no `moreResult` at all, so that it is not asked (`while_token`).
- *Assets* know no token: the next page begins where a full one ended (`while_full`).

What some endpoints give in one answer is a page that nothing follows (`whole`). An error inside a 200 never gets here:
`reply.read` has refused it.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/paging-tokens
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from syncengine.marketo.limits import PAGE_ROWS_MAX
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import mapping


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as Marketo sent them, and what goes into the next call of the same listing: None at its end.

    `following` is a token or an offset; whoever keeps it need not know which. Both stay out of `repr`.
    """

    rows: tuple[Mapping[str, Any], ...] = field(repr=False)
    following: str | None = field(repr=False)


def while_more(reply: Reply) -> Page:
    """A page of the activity family.

    Malformed when the answer does not say whether more follows, or says so without a token: taking that for the end
    would lose rows in silence, and a repeated call finds out.
    """
    if reply.more_result is None:
        raise Malformed("a page does not say whether more follows")
    if reply.more_result and reply.next_page_token is None:
        raise Malformed("more is said to follow, but no token leads there")
    return Page(rows_of(reply), reply.next_page_token if reply.more_result else None)


def while_token(reply: Reply) -> Page:
    """A page of the lists family; Malformed when it says that more follows and has no token."""
    if reply.more_result and reply.next_page_token is None:
        raise Malformed("more is said to follow, but no token leads there")
    return Page(rows_of(reply), reply.next_page_token)


def while_full(offset: int, size: int) -> Callable[[Reply], Page]:
    """How to read the page of assets that began at `offset` and was asked for as at most `size` rows.

    No result, with or without the warning "No assets found for the given search criteria.", is the end.
    """

    def decode(reply: Reply) -> Page:
        rows = rows_of(reply)
        return Page(rows, str(offset + size) if len(rows) >= size else None)

    return decode


def whole(reply: Reply) -> Page:
    """All rows of an endpoint that does not page; Malformed when a token says that these are not all."""
    if reply.next_page_token is not None:
        raise Malformed("an answer that should be whole is a page")
    return Page(rows_of(reply), None)


def rows_of(reply: Reply) -> tuple[Mapping[str, Any], ...]:
    """The rows of an answer; Malformed when one is no JSON object."""
    return tuple(mapping(row) for row in reply.result)


def page_query(following: str) -> dict[str, str]:
    """The part of a query that asks for one page by token: the first one without."""
    return {"batchSize": str(PAGE_ROWS_MAX)} | ({"nextPageToken": following} if following else {})


def offset_of(following: str) -> int:
    """The offset that a page of assets begins at; ValueError for what no page of assets has given."""
    if not following:
        return 0
    if not (following.isascii() and following.isdecimal()):
        raise ValueError("a page of assets follows by its offset")
    return int(following)


def comma_separated(values: Iterable[object], what: str, *, at_most: int | None = None) -> str:
    """Values in one parameter, where Marketo knows no way to escape a comma.

    ValueError for none, for more than `at_most`, and for an empty value or one with a comma, which would be read as
    other values than were meant.
    """
    texts = [str(value) for value in values]
    if not texts or (at_most is not None and len(texts) > at_most):
        raise ValueError(f"one call takes {f'1 to {at_most}' if at_most else 'at least 1'} {what}, not {len(texts)}")
    if any(not text.strip() or "," in text for text in texts):
        raise ValueError(f"{what} cannot be asked for when one is empty or holds a comma")
    return ",".join(texts)

"""Who lost a merge: the leads that an activity of type 32 ("Merge Leads") says are no more.

Apart from `rows`, because Adobe documents neither the form of the attribute nor that it is one form: a bulk file has
attributes as one JSON object, the activities endpoint as a list of names and values, and the ids come as a number, as
text with separators, or as a list. Losing leads are in no list of deleted leads.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/leads
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from syncengine.marketo.rows import text, whole

MERGE_LEADS: Final = 32
MERGE_IDS: Final = "mergeids"  # "Merge IDs" without case and separators
SEPARATORS: Final = re.compile(r"[\s,;|\[\](){}\"']+")


def merged_ids(attributes: str | Mapping[str, Any] | Sequence[Any], *, winner: int | None = None) -> tuple[int, ...]:
    """The ids of the losing leads, in the order given, each once, never the winner's; empty when none are named.

    What is no positive whole number is passed over: to miss a loser keeps a stale row, to invent one deletes a person.
    """
    found = dict.fromkeys(
        number
        for name, value in named_values(parsed(attributes))
        if re.sub(r"[\s_-]", "", name).casefold() == MERGE_IDS
        for number in numbers(value)
    )
    return tuple(each for each in found if each != winner)


def named_values(attributes: Any) -> Iterator[tuple[str, Any]]:
    """Attributes as names and values, whether they came as an object or as a list."""
    if isinstance(attributes, Mapping):
        yield from ((text(name), value) for name, value in attributes.items())
    elif isinstance(attributes, Sequence) and not isinstance(attributes, str):
        yield from ((text(each.get("name")), each.get("value")) for each in attributes if isinstance(each, Mapping))


def numbers(value: Any) -> Iterator[int]:
    """The positive whole numbers in a value: one, several in a text, or a list of either."""
    if isinstance(value, str):
        pieces: Sequence[Any] = SEPARATORS.split(value)
    elif isinstance(value, Sequence):
        for each in value:
            yield from numbers(each)
        return
    else:
        pieces = [value]
    yield from (number for piece in pieces if (number := whole(piece)) is not None and number > 0)


def parsed(attributes: Any) -> Any:
    """JSON text as what it says, None when it says nothing that can be read."""
    if not isinstance(attributes, str):
        return attributes
    try:
        return orjson.loads(attributes)
    except orjson.JSONDecodeError:
        return None

"""Keys to ask for, in columns: the millions that an instance has take their bytes and no more.

Apart from the readers, which say whose keys they are.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    Keys = pa.Array[Any]


def keys_of(values: Iterable[object]) -> "Keys":
    """Some values as keys, in their order."""
    import pyarrow as pa

    return pa.array([str(each) for each in values], pa.string())


def united(parts: Sequence["Keys"]) -> "Keys":
    """The distinct values of all parts, sorted; parts without values may be of any type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = [part for part in parts if len(part)] or list(parts[:1])
    if len({part.type for part in filled}) > 1:
        # Two objects may describe one key differently; what a call carries is text anyway.
        filled = [part.cast(pa.string()) for part in filled]
    values = pa.concat_arrays(filled)
    values = values.take(pc.array_sort_indices(values))
    # Neighbours are compared: a table of all values, as for `unique`, would take ten times their bytes.
    is_new = pc.not_equal(values.slice(1), values.slice(0, max(0, len(values) - 1)))
    found: Keys = values.filter(pa.concat_arrays([pa.array([True] * min(1, len(values)), pa.bool_()), is_new]))
    return found


def askable(keys: "Keys") -> tuple["Keys", tuple[str, ...]]:
    """The keys as text, without those that no call can carry, and a line about the latter.

    A comma has no escape. Blanks are no key: nothing is left out with them.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = keys.cast(pa.string())
    texts = texts.filter(pc.not_equal(pc.utf8_trim_whitespace(texts), pa.scalar("")))
    good = texts.filter(pc.invert(pc.match_substring(texts, ",")))
    lost = len(texts) - len(good)
    return good, (f"{lost} of the keys hold a comma and cannot be asked for",) if lost else ()

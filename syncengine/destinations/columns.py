"""Which column a field goes to, and which type holds both old and new values: decisions that every database shares.

Apart from the destinations, so that a table keeps its meaning whatever writes it.
"""

import zlib
from collections.abc import Callable, Iterable

from syncengine.destinations import CHANGED_AT, DELETED_AT, MERGED_INTO, READ_AT, WINDOW
from syncengine.schema import FieldType

# No field has a column of these names: our own columns, and those that DuckDB and Postgres have in every table. The
# same everywhere, so that a field's column has one name in all destinations.
RESERVED = (
    *(READ_AT, WINDOW, CHANGED_AT, DELETED_AT, MERGED_INTO),
    "rowid",
    *("ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"),
)


def assign(
    fields: Iterable[str],
    existing: Iterable[str],
    reserved: Iterable[str] = (),
    fit: Callable[[str], str] = str,
) -> dict[str, str]:
    """Field -> column, for a database that does not tell upper from lower case.

    A field has the column of its own name unless another field or a reserved name, equal but for case, has it: then
    a suffix made from the exact name sets it apart. Whoever got a column first keeps it, in every later order.
    `fit` makes a name as short as the database needs it, and never the same for two names.
    """
    names, present = tuple(fields), frozenset(existing)
    taken = {name.lower() for name in (*present, *reserved)}
    columns: dict[str, str] = {}
    for name in names:
        own, apart = fit(name), fit(f"{name}_{mark_of(name)}")
        if apart in present:
            columns[name] = apart
        elif own in present and own not in reserved:
            columns[name] = own
        elif own.lower() in taken:
            columns[name] = apart
        else:
            columns[name] = own
        taken.add(columns[name].lower())
    return columns


def mark_of(name: str) -> str:
    """Eight hexadecimal digits made from a name: what sets it apart from one that is equal but for case or length."""
    return f"{zlib.crc32(name.encode()):08x}"


def widened(have: FieldType, want: FieldType) -> FieldType:
    """The narrowest type that holds the values of both."""
    if have is want:
        return have
    if {have, want} == {FieldType.INTEGER, FieldType.FLOAT}:
        return FieldType.FLOAT
    return FieldType.TEXT

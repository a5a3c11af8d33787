"""Whose keys are asked: the values of one field of a lake's table, reading no more columns than it takes.

Apart from the merge, because nothing is written here and no window is at hand.
"""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from syncengine.destinations import CHANGED_AT, DELETED_AT
from syncengine.destinations.columns import RESERVED, assign
from syncengine.destinations.duckdb_views import keys
from syncengine.destinations.lake_bench import SCHEMA, Bench, files_of
from syncengine.destinations.lake_merge import Lake

if TYPE_CHECKING:
    from syncengine.destinations.duckdb_views import Keys


def keys_in(
    bench: Bench,
    lake: Lake,
    stream: str,
    field: str,
    *,
    changed_after: datetime | None,
    only: tuple[str, Collection[int]] | None,
) -> "Keys":
    """As the protocol's `keys`; the bench has the tables of the same lake."""
    sheet = lake.sheet(stream)
    existing = [column.name for column in sheet.columns]
    asked = [field, *([only[0]] if only is not None else [])]
    needed = {*(assign([name], existing, RESERVED)[name] for name in asked), CHANGED_AT, DELETED_AT}
    files = files_of(lake.parts, stream, sheet.parts, sheet.stored(needed))
    bench.fill(stream, sheet, files, needed)
    return keys(bench.db, (SCHEMA, stream), field, changed_after, only)

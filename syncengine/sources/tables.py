"""Rows that were never text: columns of cells from wherever, written to the spool.

Apart from the sources that have such columns, which differ only in how they come by them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from syncengine.sources import PIECE_BYTES, THE_SPOOL, Rows, Unreadable
from syncengine.sources.pieces import spooled
from syncengine.sources.spool import Spool
from syncengine.sources.values import text_of

NUL_REASON = "the row has a NUL character"
A = TypeVar("A", bound="pa.Array[Any]")


def rows_of(
    cells: tuple[pa.StringArray, ...],
    lines: pa.Int64Array,
    spool: Spool,
    unreadable: tuple[Unreadable, ...] = (),
) -> Rows:
    """The rows of these columns, each a record in the spool; one with a NUL character is unreadable."""
    compute: Any = pc
    bodies, offsets, lengths = spooled(cells, spool)
    with_nul: Any = None
    for column in cells:
        found = compute.fill_null(compute.match_substring(column, "\0"), False)
        with_nul = found if with_nul is None else compute.or_(with_nul, found)
    if not compute.any(with_nul).as_py():
        return Rows(cells, lines, bodies, offsets, lengths, unreadable)
    places: list[Any] = [column.filter(with_nul).to_pylist() for column in (lines, offsets, lengths)]
    refused = [
        Unreadable(line, NUL_REASON, THE_SPOOL, offset, length) for line, offset, length in zip(*places, strict=True)
    ]
    kept = compute.invert(with_nul)
    return Rows(
        tuple(_kept(column, kept) for column in cells),
        _kept(lines, kept),
        _kept(bodies, kept),
        _kept(offsets, kept),
        _kept(lengths, kept),
        tuple(sorted((*unreadable, *refused), key=lambda each: each.line)),
    )


def _kept(column: A, mask: Any) -> A:
    return column.filter(mask)


def rows_of_batches(
    batches: Iterable[pa.RecordBatch], names: Sequence[str], places: Sequence[int] | None, spool: Spool, *, of: str
) -> Iterator[Rows]:
    """The rows of record batches, numbered from 1, in the columns `names`, found by these or by their `places`.

    Raises SourceUnusable when a column has no text; `of` is the source's name.
    """
    number = 1
    for batch in batches:
        step = max(1, batch.num_rows * PIECE_BYTES // max(1, batch.nbytes))
        for start in range(0, batch.num_rows, step):
            piece = batch.slice(start, step)
            columns = [piece.column(place) for place in (names if places is None else places)]
            cells = tuple(text_of(column, name, of) for column, name in zip(columns, names, strict=True))
            lines: Any = pa.array(range(number, number + piece.num_rows), pa.int64())
            number += piece.num_rows
            yield rows_of(cells, lines, spool)

"""What became of each row of a chunk, from the files in which Marketo lists those that failed or were warned about.

Rows are found again by their key. Marketo gives back the cells of a row and a reason, but neither the row's number nor,
always, all its columns: a lookup column that stands last and is empty is missing from the file, so that a cell's place
proves nothing. A listed row whose key is not in the chunk is sought by all the cells that the list has; one that is not
found then either is a stranger, and makes the run say that its account is not whole.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-lead-import
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from syncengine.imports.body import Rows, cells_of
from syncengine.imports.checks import key_texts
from syncengine.imports.endings import BATCH_ROWS, Ended, Tally, write
from syncengine.imports.header import Column
from syncengine.imports.manifest import Place, pieces, places, values
from syncengine.imports.outcome import Outcome

NO_REASON = "Marketo gives no reason"


@dataclass(frozen=True, slots=True)
class _Listed:
    """One row of such a file; `known` are its cells with the places of their columns, as far as the file has them."""

    key: str
    known: tuple[tuple[int, str], ...]
    reason: str


def join(
    rows: Rows,
    columns: Sequence[Column],
    failures: Path | None,
    warnings: Path | None,
    into: Path,
    *,
    verify: Callable[[], None],
) -> Tally:
    """Write down the rows that failed or were warned about, with their reasons; one that failed is not warned.

    `verify` is called before cells of rows are read, and raises when they are no longer those that were sent.
    """
    lists = ((warnings, Outcome.WARNED), (failures, Outcome.FAILED))
    by_key: dict[str, Ended] = {}
    for path, outcome in lists:
        for each in _listed(path, columns):
            by_key[each.key] = (outcome, each.reason)
    lost = set(by_key)
    for batch in pieces(rows.manifest):
        lost.difference_update(values(batch, "key"))
    if lost:
        verify()
    by_cells: dict[tuple[tuple[int, str], ...], Ended] = {}
    for path, outcome in lists if lost else ():
        by_cells |= {each.known: (outcome, each.reason) for each in _listed(path, columns) if each.key in lost}
    return write(_ended(rows, by_key, by_cells), into, listed=len(by_key) - len(lost) + len(by_cells))


def _ended(
    rows: Rows, by_key: dict[str, Ended], by_cells: dict[tuple[tuple[int, str], ...], Ended]
) -> Iterator[tuple[Place, Ended]]:
    if not by_cells:
        for place, more in places(rows.manifest):
            if ended := by_key.get(more["key"]):
                yield place, ended
        return
    shapes = {tuple(place for place, _ in known) for known in by_cells}
    for place, more, record in rows.records():
        cells = [cell.strip() for cell in cells_of(record)]
        alike = (by_cells.get(tuple((each, cells[each]) for each in shape)) for shape in shapes)
        if ended := by_key.get(more["key"]) or next(filter(None, alike), None):
            yield place, ended


def _listed(path: Path | None, columns: Sequence[Column]) -> Iterator[_Listed]:
    """The rows of a failures or warnings file."""
    if path is None:
        return
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        # The reason stands behind the columns, whatever it is called.
        at = {name: place for place, name in enumerate(header[:-1])}
        there = [number for number, column in enumerate(columns) if column.name in at]
        while found := [row for row in islice(reader, BATCH_ROWS) if row]:
            cells = [[_cell(row, at.get(column.name)) for row in found] for column in columns]
            keys: list[Any] = key_texts(columns, [pa.array(column, pa.string()) for column in cells]).to_pylist()
            for number, (key, row) in enumerate(zip(keys, found, strict=True)):
                known = ((place, cells[place][number].strip()) for place in there)
                # A key that is not told is none to compare by.
                told = tuple((place, cell) for place, cell in known if cell or not columns[place].is_key)
                yield _Listed(key, told, row[-1].strip() or NO_REASON)


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place] if place is not None and place < len(row) - 1 else ""

"""Looking among the people: was a chunk whose answer was lost ever applied?

Theory of operation
-------------------
Absence proves nothing while the chunk may still stand in Marketo's queue, so nobody looks before the drain bound has
passed: the time in which a full queue is certain to have been worked off. Then each row is sought by its key and its
cells are compared.

- A row that is as it was sent, and was changed since the sending, shows that the chunk was applied: a job applies whole
  files. Rows that are not as sent then failed, or somebody else has changed them since; which of the two no read can
  tell, so they end as unresolved.
- A row that is as it was sent and has not been changed since says nothing: it may always have been so. When all are,
  nothing is left to be done, sent or not; unless they were to join a list, of which no field tells.
- Where no row shows it, the chunk was never applied and may be sent again. Not so one that Marketo had accepted: it has
  run, and its rows are told one by one.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/leads (updatedAt)
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from syncengine.imports.body import Rows, cells_of
from syncengine.imports.checks import BLANKS, key_texts
from syncengine.imports.endings import Ended, Tally, write
from syncengine.imports.header import Column
from syncengine.imports.lookup import STATUS, UPDATED_AT, Key, Lookup
from syncengine.imports.manifest import Place
from syncengine.imports.outcome import Outcome
from syncengine.imports.target import Target
from syncengine.imports.values import is_same
from syncengine.marketo.limits import FILTER_VALUES_MAX
from syncengine.marketo.rows import instant_or_none
from syncengine.threads import run_blocking
from syncengine.transport.client import Client

# `updatedAt` is told to the second, and our view of Marketo's clock is as coarse.
CLOCK_SLACK = timedelta(seconds=2)


class Seen(Enum):
    """What is found of one row."""

    APPLIED = "as sent, and changed since"
    SAME = "as sent, unchanged since"
    CHANGED = "not as sent, and changed since"
    OTHER = "not as sent, unchanged since"
    ABSENT = "not there"
    UNASKED = "its key cannot be asked for"


THERE = frozenset({Seen.APPLIED, Seen.SAME})
# Such a row is certainly not in effect: it may be sent without undoing anybody's work.
NOT_APPLIED = frozenset({Seen.OTHER, Seen.ABSENT})


class Verdict(Enum):
    """What a look at all rows says of a chunk."""

    CONFIRMED = "confirmed"
    ABSENT = "absent"
    UNCLEAR = "unclear"


@dataclass(slots=True)
class Looked:
    """What was found, row by row, in the order of the rows.

    `was_accepted` tells of a chunk that Marketo has taken for certain. Not all is in fields (`is_all_in_fields`) when
    rows were to join a list too: a row that was as sent before says nothing then.
    """

    was_accepted: bool = False
    is_all_in_fields: bool = True
    seen: list[tuple[Place, Seen]] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """What it says of the chunk."""
        counts = Counter(seen for _, seen in self.seen)
        missing = sum(counts[each] for each in self._not_applied)
        if self.was_accepted or not missing:
            return Verdict.CONFIRMED if counts[Seen.APPLIED] or set(counts) <= {Seen.SAME} else Verdict.UNCLEAR
        # A job applies whole files: where more rows show it than lack, the others failed. One row may be anybody's.
        return Verdict.CONFIRMED if counts[Seen.APPLIED] > missing else Verdict.ABSENT

    @property
    def to_send(self) -> frozenset[int]:
        """The numbers of the rows that may be sent again, of a chunk that was never applied."""
        return frozenset(place.row for place, seen in self.seen if seen in self._not_applied)

    @property
    def _not_applied(self) -> frozenset[Seen]:
        return NOT_APPLIED if self.is_all_in_fields else NOT_APPLIED | {Seen.SAME}

    def settle(self, into: Path, *, left_out: frozenset[int] = frozenset(), failed_for: str = "") -> Tally:
        """Write down how each row ended that is not shown to be there; not of `left_out`, which is sent again.

        With `failed_for` they failed for this reason of Marketo's.
        """
        return write(self._ended(left_out, failed_for), into)

    def _ended(self, left_out: frozenset[int], failed_for: str) -> Iterator[tuple[Place, Ended]]:
        for place, seen in self.seen:
            if seen in THERE or place.row in left_out:
                continue
            if failed_for:
                yield place, (Outcome.FAILED, failed_for)
            else:
                yield place, (Outcome.UNRESOLVED, f"the answer was lost; looked for by its key: {seen.value}")


class ReadBack:
    """Looks for the rows of a chunk; `since` is when it was sent, by Marketo's clock."""

    def __init__(self, client: Client, target: Target, columns: Sequence[Column]) -> None:
        self._lookup = Lookup(client, target, columns)
        self._status = target.status or None
        self._columns = columns

    async def look(self, rows: Rows, since: datetime, looked: Looked) -> Looked:
        """Seek every row and add what is found to `looked`; a call for each 300. Raises what the client raises."""
        records = rows.records()
        while batch := await run_blocking(lambda: list(islice(records, FILTER_VALUES_MAX))):
            wanted = [(place, more["key"], cells_of(record)) for place, more, record in batch]
            answer = await self._lookup.records([self._asked_by(cells) for _, _, cells in wanted])
            found: dict[str, list[Mapping[str, Any]]] = {}
            for key, row in zip(self._keys_of(answer.records), answer.records, strict=True):
                found.setdefault(key, []).append(row)
            for place, key, cells in wanted:
                is_asked = self._asked_by(cells) not in answer.unasked
                seen = self._compared(cells, found.get(key, ()), since) if is_asked else Seen.UNASKED
                looked.seen.append((place, seen))
        return looked

    def _asked_by(self, cells: Sequence[str]) -> Key:
        """The key of a row, as the lookup takes it."""
        return tuple(cell.strip(BLANKS) for column, cell in zip(self._columns, cells, strict=True) if column.is_key)

    def _keys_of(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        keys = [column for column in self._columns if column.is_key]
        texts = [["" if (value := row.get(key.name)) is None else str(value) for row in rows] for key in keys]
        found: list[Any] = key_texts(keys, [pa.array(column, pa.string()) for column in texts]).to_pylist()
        return found

    def _compared(self, cells: Sequence[str], rows: Sequence[Mapping[str, Any]], since: datetime) -> Seen:
        if not rows:
            return Seen.ABSENT
        for row in rows:
            pairs = zip(self._columns, cells, strict=True)
            is_as_sent = all(is_same(column.data_type, cell, row.get(column.name)) for column, cell in pairs)
            if is_as_sent and (self._status is None or row.get(STATUS) == self._status):
                return Seen.APPLIED if _is_changed(row, since) else Seen.SAME
        return Seen.CHANGED if any(_is_changed(row, since) for row in rows) else Seen.OTHER


def _is_changed(row: Mapping[str, Any], since: datetime) -> bool:
    changed_at = instant_or_none(row.get(UPDATED_AT))
    return changed_at is not None and changed_at >= since - CLOCK_SLACK

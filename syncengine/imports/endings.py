"""How rows of a chunk ended, written down: one file a chunk of those that did not simply go in.

Apart from the ways in which an end becomes known: by Marketo's lists, by a direct answer, by looking for the people.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from syncengine.imports.manifest import PLACED, SETTLED, Place, Writing, places
from syncengine.imports.outcome import Outcome

BATCH_ROWS = 1_000

Ended = tuple[Outcome, str]


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows of a chunk that did not simply go in; `strangers` are listed by Marketo and not among the chunk's rows."""

    failed: int = 0
    warned: int = 0
    unresolved: int = 0
    strangers: int = 0

    @property
    def found(self) -> dict[str, int]:
        """Rows by what became of them, as the journal keeps it."""
        return {"failed": self.failed, "warned": self.warned, "unresolved": self.unresolved}


def write(ended: Iterable[tuple[Place, Ended]], into: Path, *, listed: int = 0) -> Tally:
    """Write down how rows ended, in order; `listed` is how many there should be."""
    found = dict.fromkeys((Outcome.FAILED, Outcome.WARNED, Outcome.UNRESOLVED), 0)
    following = iter(ended)
    with Writing(into, SETTLED) as writing:
        while batch := list(islice(following, BATCH_ROWS)):
            for _, (outcome, _) in batch:
                found[outcome] += 1
            writing.add(_batch(batch))
    failed, warned, unresolved = found.values()
    return Tally(failed, warned, unresolved, max(0, listed - failed - warned))


def write_all(manifest: Path, outcome: Outcome, reason: str, into: Path) -> Tally:
    """Write down that all rows of a chunk ended alike."""
    return write(((place, (outcome, reason)) for place, _ in places(manifest)), into)


def _batch(ended: Sequence[tuple[Place, Ended]]) -> pa.RecordBatch:
    columns = [[getattr(place, name) for place, _ in ended] for name in PLACED.names]
    outcomes = [outcome.value for _, (outcome, _) in ended]
    reasons = [reason for _, (_, reason) in ended]
    arrays = [pa.array(column, kind.type) for column, kind in zip([*columns, outcomes, reasons], SETTLED, strict=True)]
    return pa.record_batch(arrays, schema=SETTLED)

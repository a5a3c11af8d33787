"""From all rows to chunks: what is wrong or superseded is laid aside, the rest fills one chunk after another."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from syncengine.imports.chunk import Filling, Room
from syncengine.imports.findings import EXAMPLES_MAX
from syncengine.imports.manifest import ASIDE, PLACED, SENT, Writing, pieces, values
from syncengine.imports.outcome import Outcome

compute: Any = pc  # takes more forms than its stubs know
concatenated: Any = pa.concat_batches  # type: ignore[attr-defined]  # the stubs lack it

# The bytes that each row of a piece adds to a call.
Weigh = Callable[[pa.RecordBatch], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Dealt:
    """One chunk: the name of its manifest, its rows, and the bytes that they add to a call."""

    manifest: str
    rows: int
    bytes: int


def by_length(batch: pa.RecordBatch) -> Sequence[int]:
    """Rows travel as they stand."""
    return values(batch, "length")


class Dealing:
    """Deals the rows of a run into manifests in `work`; a step is one piece of rows."""

    def __init__(self, work: Path, room: Room, weigh: Weigh) -> None:
        self._work = work
        self._filling = Filling(room)
        self._weigh = weigh
        self._writing: Writing | None = None
        self._number = -1
        self._bytes = 0
        self.chunks: list[Dealt] = []
        self.quarantined = self.superseded = 0
        self.first_superseded: list[tuple[int, int]] = []  # source and line

    def steps(self, rows: Path, superseded: Iterator[tuple[int, int]]) -> Iterator[int]:
        """Deal out the rows of a file; gives the number of chunks begun so far, after each piece."""
        following = _Following(superseded)
        with Writing(aside_file(self._work), ASIDE) as aside:
            try:
                for batch in pieces(rows):
                    self._piece(batch, aside, following)
                    yield self._number + 1
                self._close()
            finally:
                if self._writing is not None:
                    self._writing.__exit__(GeneratorExit, None, None)

    def _piece(self, batch: pa.RecordBatch, aside: Writing, following: "_Following") -> None:
        winners = following.within(batch)
        is_wrong = compute.is_valid(batch.column("problem"))
        is_superseded = compute.is_valid(winners)
        self.quarantined += (wrong := batch.filter(is_wrong)).num_rows
        self.superseded += (loose := batch.filter(is_superseded)).num_rows
        if len(self.first_superseded) < EXAMPLES_MAX:
            self.first_superseded += zip(values(loose, "source"), values(loose, "line"), strict=True)
            del self.first_superseded[EXAMPLES_MAX:]
        reasons = compute.binary_join_element_wise("row ", winners.filter(is_superseded).cast(pa.string()), "")
        out = concatenated(
            [
                _aside(wrong, Outcome.QUARANTINED, wrong.column("problem")),
                _aside(loose, Outcome.SUPERSEDED, reasons),
            ]
        )
        aside.add(out.sort_by("row"))
        self._deal(batch.filter(compute.and_not(compute.is_null(batch.column("problem")), is_superseded)))

    def _deal(self, batch: pa.RecordBatch) -> None:
        sizes = self._weigh(batch)
        numbers = self._filling.take(sizes)
        start = 0
        while start < len(numbers):
            end = start
            while end < len(numbers) and numbers[end] == numbers[start]:
                end += 1
            if numbers[start] != self._number:
                self._open(numbers[start])
            assert self._writing is not None
            self._writing.add(batch.slice(start, end - start).select(SENT.names))
            self._bytes += sum(sizes[start:end])
            start = end

    def _open(self, number: int) -> None:
        self._close()
        self._number, self._bytes = number, 0
        self._writing = Writing(self._work / f"{number + 1:06}.arrow", SENT)

    def _close(self) -> None:
        if self._writing is not None:
            # It is closed once, also where the disk is full at its last byte.
            writing, self._writing = self._writing, None
            writing.__exit__(None, None, None)
            self.chunks.append(Dealt(writing.path.name, writing.rows, self._bytes))


class _Following:
    """Superseded rows, taken as the pieces in which they stand come by."""

    def __init__(self, superseded: Iterator[tuple[int, int]]) -> None:
        self._superseded = superseded
        self._next = next(superseded, None)

    def within(self, batch: pa.RecordBatch) -> pa.Int64Array:
        """For each row of a piece the row that takes its place, or null."""
        first = values(batch.slice(0, 1), "row")[0]
        winners: list[int | None] = [None] * batch.num_rows
        while self._next is not None and self._next[0] < first + batch.num_rows:
            winners[self._next[0] - first] = self._next[1]
            self._next = next(self._superseded, None)
        return pa.array(winners, pa.int64())


def _aside(batch: pa.RecordBatch, outcome: Outcome, reasons: Any) -> pa.RecordBatch:
    columns = [batch.column(name) for name in PLACED.names]
    return pa.record_batch([*columns, pa.array([outcome.value] * batch.num_rows, pa.string()), reasons], schema=ASIDE)


def aside_file(work: Path) -> Path:
    """Where the rows that are not sent are written down."""
    return work / "aside.arrow"

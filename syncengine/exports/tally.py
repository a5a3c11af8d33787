"""What a run has done to one stream so far, and how its report says so."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from syncengine.destinations import Applied
from syncengine.reports import StreamReport


@dataclass(slots=True)
class ParseProblems:
    """What the report says about a file: how many cells of each field did not fit its type."""

    unparsed: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """The windows that were applied, their files, and the cells of them that did not fit."""

    windows: int = 0
    bytes: int = 0
    unverified: int = 0  # files that came without a checksum or a count of records
    applied: list[Applied] = field(default_factory=list)
    unparsed: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    asked_again: Counter[str] = field(default_factory=Counter)  # export jobs that came to nothing, by how they ended

    def add(self, applied: Applied, unparsed: Mapping[str, int], *, file_bytes: int, is_unverified: bool) -> None:
        """One more window."""
        self.windows += 1
        self.bytes += file_bytes
        self.unverified += is_unverified
        self.applied.append(applied)
        self.unparsed.update(unparsed)

    def say(self, note: str) -> None:
        """One more line for the report, unless it is there already."""
        if note not in self.notes:
            self.notes.append(note)

    def report(self, stream: str, notes: Sequence[str] = ()) -> StreamReport:
        """The stream's part of the report."""
        counts = {name: sum(getattr(each, name) for each in self.applied) for name in COUNTS}
        return StreamReport(
            stream=stream,
            windows=self.windows,
            bytes=self.bytes,
            unparsed=sum(self.unparsed.values()),
            problems=tuple(dict.fromkeys((*notes, *self.notes, *self._lines(counts)))),
            **counts,
        )

    def _lines(self, counts: Mapping[str, int]) -> list[str]:
        lines = [
            f"{len(names)} columns were {done}: {', '.join(names)}"
            for done, names in (
                ("added", self._columns(lambda each: each.columns_added)),
                ("widened", self._columns(lambda each: each.columns_widened)),
            )
            if names
        ]
        if self.unverified:
            lines.append(
                f"{self.unverified} files came without a SHA-256 or a record count: checked by what was announced"
            )
        lines += [
            f"{count:,} export {'job' if count == 1 else 'jobs'} {how}: asked for again"
            for how, count in self.asked_again.items()
        ]
        lines += [
            f"{count} cells of {name} do not fit its type: see _unparsed" for name, count in self.unparsed.items()
        ]
        lines += [f"{counts[name]:,} {text}" for name, text in LINES.items() if counts[name]]
        return lines

    def _columns(self, names: Callable[[Applied], tuple[str, ...]]) -> list[str]:
        return list(dict.fromkeys(name for each in self.applied for name in names(each)))

    def total(self, count: Callable[[Applied], int]) -> int:
        """The sum of one of the destination's counts."""
        return sum(count(each) for each in self.applied)


COUNTS = ("rows", "inserted", "changed", "unchanged", "outdated", "rejected", "late", "deleted", "merged")
LINES = {
    "late": "rows appeared late: after their date had been read already",
    "deleted": "rows were deleted: see _deleted_at",
    "merged": "rows were merged into others: see _merged_into",
    "rejected": "rows cannot be held by the destination: see _rejected",
}

"""What a run has done to one stream so far, and how its report says so."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from syncengine.destinations import Applied
from syncengine.exports.streams import Shape
from syncengine.reports import StreamReport


@dataclass(slots=True)
class Tally:
    """The windows that were applied, their files, and the cells of them that did not fit."""

    windows: int = 0
    bytes: int = 0
    unverified: int = 0  # files that came without a checksum or a count of records
    applied: list[Applied] = field(default_factory=list)
    unparsed: Counter[str] = field(default_factory=Counter)

    def add(self, applied: Applied, unparsed: Mapping[str, int], *, file_bytes: int, is_unverified: bool) -> None:
        """One more window."""
        self.windows += 1
        self.bytes += file_bytes
        self.unverified += is_unverified
        self.applied.append(applied)
        self.unparsed.update(unparsed)

    def report(self, shape: Shape) -> StreamReport:
        """The stream's part of the report."""
        notes = [*shape.notes]
        if self.unverified:
            notes.append(
                f"{self.unverified} files came without a SHA-256 or a record count: checked by what was announced"
            )
        notes += [
            f"{count} cells of {name} do not fit its type: see _unparsed" for name, count in self.unparsed.items()
        ]
        return StreamReport(
            stream=shape.stream.name,
            windows=self.windows,
            rows=self.total(lambda each: each.rows),
            inserted=self.total(lambda each: each.inserted),
            changed=self.total(lambda each: each.changed),
            unchanged=self.total(lambda each: each.unchanged),
            outdated=self.total(lambda each: each.outdated),
            bytes=self.bytes,
            unparsed=sum(self.unparsed.values()),
            problems=tuple(notes),
        )

    def total(self, count: Callable[[Applied], int]) -> int:
        """The sum of one of the destination's counts."""
        return sum(count(each) for each in self.applied)

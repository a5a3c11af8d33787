"""The six ends that a row of a source can come to; it comes to exactly one of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum


class Outcome(Enum):
    """What became of a row."""

    IMPORTED = "imported"
    WARNED = "imported with warning"
    FAILED = "failed"  # by Marketo, with its reason
    QUARANTINED = "quarantined"  # by us before it was sent, with our reason
    SUPERSEDED = "superseded"  # by a later row with the same key
    UNRESOLVED = "unresolved"  # neither shown to be there nor shown never to have been applied


@dataclass(slots=True)
class Counts:
    """Rows by outcome. `waiting` are those of a run that has not come to its end."""

    imported: int = 0
    warned: int = 0
    failed: int = 0
    quarantined: int = 0
    superseded: int = 0
    unresolved: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        """All rows that are accounted for."""
        return sum(value for _, value in self.named())

    def add(self, outcome: Outcome, rows: int = 1) -> None:
        """Count rows."""
        name = outcome.name.lower()
        setattr(self, name, getattr(self, name) + rows)

    def named(self) -> Iterator[tuple[str, int]]:
        """Each count with its name."""
        for each in fields(self):
            yield each.name, getattr(self, each.name)

    @classmethod
    def of(cls, facts: Mapping[str, int]) -> "Counts":
        """As the journal gives them back."""
        return cls(**facts)

"""What a preflight finds: one line for each kind of trouble with a column, however many rows have it.

Values of rows are never in a finding: it is printed and may be logged. Where they stand is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

EXAMPLES_MAX = 3


class Effect(Enum):
    """What a finding does to the import."""

    STOPS = "stops the import"
    SETS_ASIDE = "set aside"
    TELLS = "for information"


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is wrong with `column`, in `rows` rows, of which `examples` are the first places."""

    effect: Effect
    what: str
    column: str
    advice: str = ""
    rows: int | None = None
    examples: tuple[str, ...] = ()

    @classmethod
    def stop(cls, what: str, column: str, advice: str = "") -> "Finding":
        """A finding about the source as a whole."""
        return cls(Effect.STOPS, what, column, advice)


@dataclass(slots=True)
class _Counted:
    rows: int = 0
    examples: list[str] = field(default_factory=list)


class Findings:
    """Counts what is found in rows, piece by piece."""

    def __init__(self) -> None:
        self._counted: dict[Finding, _Counted] = {}

    def set_aside(self, what: str, column: str, rows: int, places: Iterable[str]) -> None:
        """`rows` more rows that are set aside for this; the first places are kept."""
        self.count(Finding(Effect.SETS_ASIDE, what, column), rows, places)

    def count(self, finding: Finding, rows: int, places: Iterable[str]) -> None:
        """`rows` more rows in which this was found; the first places are kept. `finding` itself names none."""
        if not rows:
            return
        counted = self._counted.setdefault(finding, _Counted())
        counted.rows += rows
        for place in places:
            if len(counted.examples) >= EXAMPLES_MAX:
                break
            counted.examples.append(place)

    def all(self) -> tuple[Finding, ...]:
        """What stops first, then what sets most rows aside."""
        return ordered(
            [
                replace(finding, rows=counted.rows, examples=tuple(counted.examples))
                for finding, counted in self._counted.items()
            ]
        )


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings in the order of what they do, the most frequent first."""
    effects = list(Effect)
    return tuple(sorted(findings, key=lambda each: (effects.index(each.effect), -(each.rows or 0))))

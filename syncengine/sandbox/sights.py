"""What a write sees of the rows that others make at the same time; separate because leads and objects share it.

Theory: Marketo's upsert is not atomic. A job or a call looks its keys up when it begins and writes later, so two that
overlap in time and share a new key both create it (https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads,
"Concurrent or closely timed upsert requests can create duplicate records"). Here each write looks up while it writes,
but sees only the rows that there were when it began, those of writes that had ended by then, and its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Sight:
    """One write that is under way: rows from `born_before` on are not seen, `unseen` and `own` are exceptions."""

    born_before: int
    unseen: tuple[set[int], ...] = ()
    own: set[int] = field(default_factory=set[int])

    def sees(self, row: int) -> bool:
        """The write finds this row."""
        if row in self.own:
            return True
        return row < self.born_before and not any(row in rows for rows in self.unseen)

    def seen(self, rows: Iterable[int]) -> list[int]:
        """Those of the rows that the write finds."""
        return [row for row in rows if self.sees(row)]


class Sights:
    """The writes of one table that are under way."""

    def __init__(self) -> None:
        self._open: list[Sight] = []

    def begin(self, row_count: int) -> Sight:
        """A write begins, when the table has so many rows."""
        sight = Sight(row_count, tuple(other.own for other in self._open))
        self._open.append(sight)
        return sight

    def end(self, sight: Sight) -> None:
        """The write is done: those that begin from now on see its rows."""
        if sight in self._open:
            self._open.remove(sight)

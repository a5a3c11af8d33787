"""A client over answers that a test writes, and what takes the rows that paging finds."""

from dataclasses import dataclass, field
from typing import Any

from syncengine.exports.pages import Rows
from tests.scripted import Told, client_over
from tests.virtual import virtual_clock


@dataclass
class Taken:
    """Rows in the order in which they were taken."""

    rows: list[Any] = field(default_factory=list)

    async def __call__(self, rows: Rows) -> None:
        self.rows += rows

    @property
    def ids(self) -> list[int]:
        return [row["id"] for row in self.rows]


def told(*steps: Any) -> Told:
    """A client over these answers."""
    return client_over(virtual_clock(), *steps)

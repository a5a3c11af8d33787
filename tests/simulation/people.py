"""A file of people to import, and what has to become of each of its rows, known without asking the engine.

Keys are new, or those of people whom Marketo has; some come twice, in another case. Cells are hostile where a field
takes any text. Every good row changes something, so that whoever looks for it can tell that it was applied.
"""

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from syncengine.imports.outcome import Outcome
from syncengine.sandbox.hostile import HOSTILE_TEXTS

COLUMNS = ("email", "firstName", "lastName", "leadScore", "isVip", "contractDate", "notes")
# More than an integer field holds: no pattern of ours forbids it, and Marketo does not take it.
TOO_MUCH = "9999999999"
TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# What is on its own in a cell and stays as it is; blanks at the ends are kept by Marketo, too.
TEXTS = [text for text in HOSTILE_TEXTS if text]


@dataclass(frozen=True, slots=True)
class Row:
    """One row as text, and what must become of it; `number` counts from 1."""

    number: int
    cells: tuple[str, ...]
    end: Outcome

    @property
    def key(self) -> str:
        """What tells people apart."""
        return self.cells[0].strip().lower()

    def lead(self) -> dict[str, Any]:
        """The row as Marketo shows it when it has taken it."""
        email, first, last, score, vip, day, notes = self.cells
        texts = {"email": email, "firstName": first, "lastName": last, "contractDate": day, "notes": notes}
        return {name: text or None for name, text in texts.items()} | {
            "leadScore": int(score) if score else None,
            "isVip": TRUTHS[vip] if vip else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many of the rows are of which kind, as shares."""

    known: float = 0.2  # people whom Marketo has
    repeated: float = 0.05  # keys that come once more
    failed: float = 0.03
    warned: float = 0.03
    quarantined: float = 0.03
    empty: float = 0.05  # cells that clear a field


class People:
    """So many rows of a seed. `known` are addresses that Marketo has; another `edition` is other values."""

    def __init__(
        self, seed: int, count: int, known: Sequence[str] = (), *, shares: Shares | None = None, edition: int = 1
    ) -> None:
        self._rng = random.Random(f"people {seed}")
        self._shares = shares or Shares()
        self._known = list(known)
        self._seed = seed
        self._edition = edition
        self.rows: list[Row] = []
        for number in range(1, count + 1):
            self._add(number)

    def written(self, path: Path) -> Path:
        """The file at `path`, as a CSV with every cell quoted that needs it."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerows([COLUMNS, *(row.cells for row in self.rows)])
        path.write_bytes(text.getvalue().encode())
        return path

    @property
    def sent(self) -> list[Row]:
        """The rows that go to Marketo, in their order."""
        return [row for row in self.rows if row.end not in {Outcome.QUARANTINED, Outcome.SUPERSEDED}]

    def _add(self, number: int) -> None:
        rng, shares = self._rng, self._shares
        earlier = [row for row in self.rows if row.end is Outcome.IMPORTED]
        drawn = rng.random()
        end, email = Outcome.IMPORTED, f"person.{self._seed}.{number}@import.example"
        score = str(self._edition * 10_000 + number)
        if self._known and drawn < shares.known:
            email = self._known.pop()
        elif earlier and drawn > 1 - shares.repeated:
            before = rng.choice(earlier)
            email = before.cells[0].swapcase()
            self.rows[before.number - 1] = Row(before.number, before.cells, Outcome.SUPERSEDED)
        elif (drawn := rng.random()) < shares.failed:
            end, score = Outcome.FAILED, TOO_MUCH
        elif drawn < shares.failed + shares.warned:
            end, email = Outcome.WARNED, f"person {self._seed} {number}"
        elif drawn < shares.failed + shares.warned + shares.quarantined:
            end, email = Outcome.QUARANTINED, f"pers\u00f6n.{number}@import.example"
        day = date(2026, 1, 1) + timedelta(days=rng.randrange(300))
        cells = [rng.choice(TEXTS), rng.choice(TEXTS), score, rng.choice(list(TRUTHS)), str(day), rng.choice(TEXTS)]
        if rng.random() < shares.empty:
            cells[rng.choice([0, 1, 3, 4, 5])] = ""
        self.rows.append(Row(number, (email, *cells), end))

"""What Delta tables say before a window is merged: whose they are, and which rows of the ledger came true.

Apart from the destination, which decides and commits: here nothing is written but to the bench.
"""

# ruff: noqa: S608  # statements are put together from our own text, values are parameters

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from syncengine.destinations.bookkeeping import LEDGER
from syncengine.destinations.delta_log import Table, read_table
from syncengine.destinations.delta_storage import Storage
from syncengine.destinations.duckdb_ledger import Ledger, number
from syncengine.destinations.lake_bench import SCHEMA, Bench, path_of
from syncengine.destinations.lake_merge import Lake, lay_out_books
from syncengine.destinations.lake_parts import Part
from syncengine.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Reading:
    """Some tables, each at the version that was read, and the ledger on the bench with all that it says."""

    bench: Bench
    tables: Mapping[str, Table]
    lake: Lake
    ledger: Ledger

    def claim(self, instance: str, stream: str) -> None:
        """Raise ConfigError when the stream's table is another instance's, ours, or made by somebody else."""
        self.ledger.claim(self.bench.db, instance, stream)
        if self.tables[stream].delta is not None and not self.tables[stream].sheet.key:
            raise ConfigError(
                f"table {stream} at {self.ledger.place} was made by somebody else",
                advice="give each instance a [destination] path of its own",
            )

    def is_owned(self, instance: str, stream: str) -> bool:
        """Whether no other instance has written to the stream."""
        others = f"SELECT count(*) FROM {path_of(LEDGER)} WHERE stream = ? AND instance <> ?"
        return not number(self.bench.db, others, [stream, instance])

    def settle(self, stream: str, now: datetime) -> None:
        """Of the stream's intents, confirm those that its table has and drop the others, on the bench."""
        intents = f"FROM {path_of(LEDGER)} WHERE stream = ? AND committed_at IS NULL"
        for (window_id,) in self.bench.db.execute(f"SELECT window_id {intents}", [stream]).fetchall():
            if self.tables[stream].holds(window_id):
                confirmed = f"UPDATE {path_of(LEDGER)} SET committed_at = ? WHERE stream = ? AND window_id = ?"
                self.bench.db.execute(confirmed, [now, stream, window_id])
        self.bench.db.execute(f"DELETE {intents}", [stream])


def read_lake(storage: Storage, bench: Bench, names: Iterable[str]) -> Reading:
    """The ledger and these tables as they are now, on a bench that is cleared first."""
    tables = {name: read_table(storage, name) for name in (LEDGER, *names)}
    lake = Lake({name: table.sheet for name, table in tables.items()}, _Parts(storage, bench.folder))
    ledger = Ledger(SCHEMA, storage.place)
    bench.clear()
    lay_out_books(bench, lake, ledger)
    return Reading(bench, tables, lake, ledger)


@dataclass(frozen=True, slots=True)
class _Parts:
    storage: Storage
    folder: Path

    def local(self, table: str, part: Part, stored: tuple[str, ...] | None = None) -> Path:
        return self.storage.fetch(table, part, stored, self.folder)

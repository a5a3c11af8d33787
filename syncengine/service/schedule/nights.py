"""What a night is, and the account of it: one due time of one group on one instance, over all attempts at it.

A night is written into the journal as a run of kind `night GROUP`, and beside it as JSON and as text for people. It
belongs to the evening on which it began: what runs from noon to noon is one night, whatever the clock did in between.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from syncengine.jobs.job import Run

KIND = "night "
HALF_A_DAY = timedelta(hours=12)
# How a night can end. The first three are as a sync's; `stopped` was over its time, `skipped` was never begun.
OUTCOMES = ("done", "partial", "paused", "failed", "stopped", "skipped", "interrupted")


@dataclass(frozen=True, slots=True)
class StreamNight:
    """What a night moved of one stream, summed over its attempts; `bytes` is the size of the files."""

    rows: int = 0
    inserted: int = 0
    changed: int = 0
    rejected: int = 0
    deleted: int = 0
    bytes: int = 0

    def plus(self, other: "StreamNight") -> "StreamNight":
        """Both together."""
        return StreamNight(
            self.rows + other.rows,
            self.inserted + other.inserted,
            self.changed + other.changed,
            self.rejected + other.rejected,
            self.deleted + other.deleted,
            self.bytes + other.bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NightReport:
    """The account of one night. `runs` are the numbers of the syncs and pulls that it took, in the journal.

    `assets` counts those that were fetched, `files` the files of watched folders by how they ended. `ended_at` is None
    while it runs. `problems` and `advice` are those of the last attempt, in plain words.
    """

    instance: str
    group: str
    due: datetime
    began_at: datetime
    ended_at: datetime | None = None
    outcome: str = ""
    attempts: int = 0
    runs: tuple[int, ...] = ()
    streams: Mapping[str, StreamNight] = field(default_factory=dict)
    assets: int = 0
    files: Mapping[str, int] = field(default_factory=dict)
    calls: int = 0
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows that were read."""
        return sum(each.rows for each in self.streams.values())

    @property
    def moved(self) -> int:
        """Rows whose content is new in the destination."""
        return sum(each.inserted + each.changed for each in self.streams.values())

    @property
    def export_bytes(self) -> int:
        """The size of all files that were fetched."""
        return sum(each.bytes for each in self.streams.values())

    @property
    def is_whole(self) -> bool:
        """Whether everything that was due is in the destination."""
        return self.outcome == "done"

    def facts(self) -> dict[str, Any]:
        """As the journal keeps it, with the sums that programs want."""
        sums = {"rows": self.rows, "moved": self.moved, "export_bytes": self.export_bytes}
        found: dict[str, Any] = orjson.loads(orjson.dumps(asdict(self) | sums, option=orjson.OPT_UTC_Z))
        return found


def night_of(run: Run) -> NightReport | None:
    """The account that a run of the journal holds; None for a run that is no night. One that died has none of its sums.

    `interrupted` is the outcome of one whose process never came to say another.
    """
    if not run.kind.startswith(KIND):
        return None
    facts = {**run.detail, **run.report}
    return NightReport(
        instance=run.instance,
        group=run.kind.removeprefix(KIND),
        due=datetime.fromisoformat(facts["due"]),
        began_at=run.started_at,
        ended_at=run.ended_at,
        outcome=run.outcome or "",
        attempts=facts.get("attempts", 0),
        runs=tuple(facts.get("runs", ())),
        streams={name: StreamNight(**counts) for name, counts in facts.get("streams", {}).items()},
        assets=facts.get("assets", 0),
        files=facts.get("files", {}),
        calls=facts.get("calls", 0),
        problems=tuple(facts.get("problems", ())),
        advice=tuple(facts.get("advice", ())),
    )


def evening_of(instant: datetime, zone: str) -> date:
    """The day on whose evening the night of an instant began, by the clock of a zone."""
    local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return (local - HALF_A_DAY).date()

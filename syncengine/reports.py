"""What the engine answers when it is asked: frozen values that the command line prints and programs read as JSON.

Apart from the engine, on the lowest floor, so that a printer of reports never imports what makes them. Instants are
aware UTC, sizes are bytes, durations are seconds of the instance's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from syncengine.asset_reports import AssetsReport, Outcome


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One thing that was tried; when it is not `ok`, `advice` says what to do and `error` names the error's class."""

    name: str
    ok: bool
    detail: str
    advice: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Everything that a sync needs, tried one by one; nothing of it stops at the first fault."""

    items: tuple[CheckItem, ...]

    @property
    def ok(self) -> bool:
        """Whether a sync can be started."""
        return all(item.ok for item in self.items)


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What a sync of one stream would fetch.

    `windows` includes the `resumed` ones, which an earlier run left unfinished, and the `waiting` ones, for which the
    day has no export megabytes left. The estimates are None where nothing is known yet: the first run of a stream has
    no history to go by.
    """

    stream: str
    windows: int
    resumed: int
    start: datetime
    end: datetime
    calls: int
    waiting: int = 0
    bytes_estimate: int | None = None
    seconds_estimate: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What a sync would spend, before anything is spent, and what the day has left to spend."""

    streams: tuple[StreamPlan, ...]
    calls: int
    calls_left_today: int
    export_bytes_left_today: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What a sync did to one stream.

    `rows` were read; they are the sum of `inserted`, `changed`, `unchanged`, `outdated` and `rejected`. Rejected ones
    the destination could not hold. `late` are inserted rows that appeared after their date had been read already.
    `deleted` and `merged` count rows, of whatever stream, that were marked so. `unparsed` counts cells whose text did
    not fit their column's type and was kept beside the row. `bytes` is the size of the files.
    """

    stream: str
    windows: int
    rows: int
    inserted: int
    changed: int
    unchanged: int
    outdated: int
    bytes: int
    unparsed: int = 0
    rejected: int = 0
    late: int = 0
    deleted: int = 0
    merged: int = 0
    problems: tuple[str, ...] = ()

    @property
    def moved(self) -> int:
        """Rows whose content is new in the destination; rows read again by the lookback are not."""
        return self.inserted + self.changed


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one run did. `partial`: the problems say what is missing, everything else is in the destination.

    `paused`: the rest waits for the day's quota, until `resume_at`. `errors` are the classes of what went wrong,
    `advice` what the user may do about it. `assets` is what became of these, where they are brought too.
    """

    run_id: str
    outcome: Outcome
    started_at: datetime
    ended_at: datetime
    seconds: float
    calls: int
    streams: tuple[StreamReport, ...]
    calls_by_name: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    resume_at: datetime | None = None
    assets: AssetsReport | None = None

    def with_assets(self, assets: AssetsReport) -> "SyncReport":
        """The report of a run that brought assets too: whatever is missing of them is missing of the run."""
        outcomes = (self.outcome, assets.outcome)
        return replace(
            self,
            outcome=next((each for each in ("partial", "paused") if each in outcomes), "done"),
            errors=tuple(dict.fromkeys((*self.errors, *assets.errors))),
            advice=tuple(dict.fromkeys((*self.advice, *assets.advice))),
            assets=assets,
        )


@dataclass(frozen=True, slots=True)
class FindingReport:
    """One thing that a preflight found with a column. `effect` is in words; `examples` are the first places."""

    effect: str
    column: str
    what: str
    advice: str = ""
    rows: int | None = None
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would send, before anything is sent. `stops` tells that something has to be mended first.

    `rows` are those of the sources, `sent` those that would go. `fullness` is how full the chunks but the last are.
    """

    target: str
    sources: tuple[str, ...]
    route: str
    rows: int
    sent: int
    quarantined: int
    superseded: int
    chunks: int
    bytes: int
    calls: int
    seconds: float
    fullness: float | None
    columns: tuple[str, ...]
    findings: tuple[FindingReport, ...]
    stops: bool


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The account of an import. `counts` are rows by outcome and add up to `rows`, or `problems` says why not.

    `partial`: some rows did not go in. `waiting`: the time was over. `stopped`: too many rows failed. `paused`: today's
    calls are used up. `files` lie in `folder`.
    """

    run_id: str
    target: str
    route: str
    outcome: str
    rows: int
    counts: Mapping[str, int]
    chunks: int
    batches: tuple[int, ...]
    calls: int
    seconds: float
    sources: tuple[str, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    folder: str = ""


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """One import as the journal remembers it; `counts` include the rows of chunks that have not ended as `waiting`."""

    run_id: str
    target: str
    route: str
    state: str
    began_at: datetime
    sources: tuple[str, ...]
    rows: int
    counts: Mapping[str, int]
    chunks: Mapping[str, int]
    folder: str


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run as the journal remembers it; `ended_at` is None while it runs, or when its process died."""

    run_id: str
    kind: str
    outcome: str
    started_at: datetime
    ended_at: datetime | None = None
    rows: int | None = None
    moved: int | None = None
    calls: int | None = None


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """How far one stream has come. `cursor` is None before its first window; `lag_seconds` is now minus cursor."""

    stream: str
    cursor: datetime | None
    lag_seconds: float | None
    windows_unfinished: int


@dataclass(frozen=True, slots=True)
class WindowStatus:
    """A window that an earlier or a running sync has not finished."""

    stream: str
    start: datetime
    end: datetime
    state: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SlotHolder:
    """A process that makes calls to the instance now, and how many are in flight."""

    holder: str
    in_flight: int


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Where things stand, read from the journal and the destination without any network.

    `destination_problem` is not empty when the destination could not be read; the cursors are unknown then.
    """

    instance: str
    runs: tuple[RunSummary, ...]
    streams: tuple[StreamStatus, ...]
    windows_unfinished: tuple[WindowStatus, ...]
    calls_today: int
    calls_per_day: int
    export_bytes_today: int
    export_bytes_per_day: int
    window_slots_used: int
    in_flight: int
    holders: tuple[SlotHolder, ...]
    imports_unfinished: tuple[str, ...] = ()
    destination_problem: str = ""

"""What the engine tells while it works: one frozen dataclass an event; logs, progress bars and metrics subscribe.

Events carry counts, ids and codes, never a token, a secret or a row's value. Sizes are bytes, durations seconds of the
instance's clock, instants aware UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CallSent:
    """A call has left for Marketo; `name` is the endpoint's."""

    name: str


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Its answer's last byte is here, or its reader has had enough; `seconds` since it was sent."""

    name: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A call was refused or failed and is tried again after `wait_seconds`."""

    code: str
    name: str
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class TokenRefreshed:
    """Identity has answered; `life_seconds` is what it says the token still lives."""

    life_seconds: int


@dataclass(frozen=True, slots=True)
class JobMoved:
    """A job of `stream` has come to `state`."""

    job_id: str
    stream: str
    event: str
    state: str


@dataclass(frozen=True, slots=True)
class StreamPlanned:
    """A stream's run begins with this many windows, `resumed` of them left by an earlier run."""

    stream: str
    windows: int
    resumed: int


@dataclass(frozen=True, slots=True)
class SchemaChanged:
    """A stream's fields are not those of its last run; `changes` are sentences that name fields, and no value."""

    stream: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """A file has come as far as `done_bytes` of `total_bytes`."""

    job_id: str
    stream: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class WindowApplied:
    """A window's rows are in the destination; the four counts add up to the rows of its file."""

    stream: str
    window_id: str
    inserted: int
    changed: int
    unchanged: int
    outdated: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RowsRead:
    """A source of an import has been read as far as `rows` rows, over all sources."""

    rows: int


@dataclass(frozen=True, slots=True)
class ImportPlanned:
    """An import's work begins with this many chunks and rows, of which an earlier process has settled so many."""

    run_id: str
    chunks: int
    settled: int
    rows: int
    rows_settled: int = 0


@dataclass(frozen=True, slots=True)
class ChunkMoved:
    """A chunk of an import, of `rows` rows, has come to `state`."""

    run_id: str
    chunk_id: str
    event: str
    state: str
    rows: int


@dataclass(frozen=True, slots=True)
class ChunkProgress:
    """Marketo has worked on so many rows of a chunk."""

    run_id: str
    chunk_id: str
    processed: int


@dataclass(frozen=True, slots=True)
class AssetsListed:
    """The lists of one kind of asset have been read: so many versions, of which so many are to be fetched."""

    kind: str
    versions: int
    due: int


@dataclass(frozen=True, slots=True)
class AssetFetched:
    """One of those has been fetched and lies in the folder, or could not be."""

    kind: str


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing more can be done before `until`."""

    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class DaemonStarted:
    """The daemon is under way for these; `url` is where it can be looked at, if anywhere."""

    instances: tuple[str, ...]
    groups: tuple[str, ...]
    folders: tuple[str, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class ConfigRead:
    """The configuration was read again; when it was not `accepted`, the one before stays."""

    accepted: bool
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something went wrong that a person may want to know; `subject` is what it went wrong with."""

    instance: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run has begun."""

    run_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run has come to its outcome."""

    run_id: str
    kind: str
    outcome: str
    seconds: float


Event = (
    CallSent
    | CallAnswered
    | Refused
    | TokenRefreshed
    | JobMoved
    | StreamPlanned
    | SchemaChanged
    | DownloadProgress
    | WindowApplied
    | RowsRead
    | ImportPlanned
    | ChunkMoved
    | ChunkProgress
    | AssetsListed
    | AssetFetched
    | Paused
    | DaemonStarted
    | ConfigRead
    | Trouble
    | RunStarted
    | RunEnded
)

Observer = Callable[[Event], None]

"""The keys of the configuration: one frozen class a table, with defaults, units in the names, and bounds.

These values are what the rest of the program sees; `configs/reference.toml` documents them and a test holds the two
equal. All time is in seconds of Marketo's clock, also where `time_scale` makes a sandbox's run faster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from syncengine.config.rules import (
    Rule,
    Secret,
    base_url,
    between,
    fields_to_fetch,
    file_path,
    filled,
    identifier,
    ingestion_address,
    instance_name,
    instant,
    is_loopback,
    list_ids,
    listed,
    listed_ids,
    one_of,
    stream_name,
)
from syncengine.config.service import GroupSettings, InboxSettings, NotifySettings, ServiceSettings
from syncengine.config.streams import ASSET_KINDS, DEFAULT_STREAMS

# What each kind of destination can promise, and the promises from the strongest on.
DESTINATIONS = {"duckdb": "transactional", "postgres": "transactional", "delta": "transactional", "parquet": "manifest"}
GUARANTEES = ("transactional", "manifest", "append")
DEFAULT_WAREHOUSE = Path("warehouse.duckdb")
FULL_READS = {"never": None, "weekly": timedelta(days=7), "monthly": timedelta(days=30)}
_CLOSED: Mapping[str, Any] = {"extra": "forbid"}
StreamName = Annotated[str, Rule(stream_name)]
KindName = Annotated[str, one_of((*ASSET_KINDS, "*"), "kind of asset")]
_Path = Annotated[Path, Rule(before=file_path)]
_Names = Annotated[tuple[str, ...], Rule(before=listed)]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSettings:
    """One subscription of Marketo, or a sandbox. `name` is the key of everything durable: it should never change."""

    __pydantic_config__ = _CLOSED
    name: Annotated[str, Rule(instance_name)]
    base_url: Annotated[str, Rule(base_url)]
    client_id: Annotated[str, Rule(filled)]
    client_secret: Secret
    time_scale: Annotated[float, between(0.001, 100_000)] = 1.0

    def __post_init__(self) -> None:
        if self.time_scale != 1.0 and not is_loopback(self.base_url):
            raise ValueError("time_scale is for a sandbox on loopback: leave it out, Marketo's clock runs at 1.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """What the instance allows; `share` of the rate and of the calls in flight is ours, `reserve_calls` a day are not.

    Defaults: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api
    """

    __pydantic_config__ = _CLOSED
    calls_per_window: Annotated[int, between(1, 10_000)] = 100
    window_seconds: Annotated[float, between(1, 3_600)] = 20.0
    in_flight: Annotated[int, between(1, 1_000)] = 10
    calls_per_day: Annotated[int, between(1, 1_000_000_000)] = 50_000
    export_bytes_per_day: Annotated[int, between(1, 10**15)] = 500_000_000
    share: Annotated[float, between(0.01, 1)] = 1.0
    reserve_calls: Annotated[int, between(0, 1_000_000_000)] = 0

    def __post_init__(self) -> None:
        if self.reserve_calls >= self.calls_per_day:
            raise ValueError("reserve_calls leaves nothing of calls_per_day")


@dataclass(frozen=True, slots=True, kw_only=True)
class PollingSettings:
    """How often the state of bulk jobs is asked for; Marketo renews it once a minute."""

    __pydantic_config__ = _CLOSED
    export_seconds: Annotated[float, between(1, 3_600)] = 60.0
    import_seconds: Annotated[float, between(1, 3_600)] = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSettings:
    """Where the journal, the limiter's slots and half-fetched files live: a folder of ours alone."""

    __pydantic_config__ = _CLOSED
    path: _Path = Path("state")


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """Where rows go. `schema` holds the tables of this instance alone; `memory_limit_mb` is in decimal megabytes.

    `url` is a connection of Postgres, or an s3:// place of Delta tables, whose `storage_options` it takes. `guarantee`
    is what the destination must at least be able to promise. Which kind takes which keys stands in `places`.
    """

    __pydantic_config__ = _CLOSED
    type: Annotated[str, one_of(tuple(DESTINATIONS), "kind of destination")] = "duckdb"
    path: _Path = DEFAULT_WAREHOUSE
    url: Secret | None = None
    storage_options: Mapping[str, Secret] = field(default_factory=dict)
    schema: Annotated[str, Rule(identifier)] = "marketo"
    guarantee: Annotated[str, one_of(GUARANTEES, "guarantee")] = "append"
    memory_limit_mb: Annotated[int, between(160, 1_000_000)] = 512
    threads: Annotated[int, between(1, 256)] = 2
    lock_wait_seconds: Annotated[float, between(0, 86_400)] = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """What a sync brings and from when on; `start` is aware UTC."""

    __pydantic_config__ = _CLOSED
    start: Annotated[datetime, Rule(before=instant)]
    streams: Annotated[tuple[StreamName, ...], Rule(before=listed)] = DEFAULT_STREAMS
    settle_minutes: Annotated[float, between(0, 10_080)] = 15.0
    lookback_hours: Annotated[float, between(0, 8_760)] = 24.0

    def __post_init__(self) -> None:
        if not self.streams:
            raise ValueError("streams is empty: there is nothing to sync")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """What is special about one stream; `lookback_hours` falls back to the one of [sync].

    `full` is how often everything is read again. `lists` are the static lists of list_members, `names` those of named
    accounts.
    """

    __pydantic_config__ = _CLOSED
    fields: Annotated[tuple[str, ...], Rule(fields_to_fetch, listed)] = ("*",)
    exclude: _Names = ()
    hash: _Names = ()
    lookback_hours: Annotated[float, between(0, 8_760)] | None = None
    full: Annotated[str, one_of(tuple(FULL_READS), "interval")] = "never"
    hard_delete: bool = False
    lists: Annotated[tuple[int, ...], Rule(list_ids, listed_ids)] = ()
    names: _Names = ()

    def __post_init__(self) -> None:
        if both := sorted(set(self.fields) & set(self.exclude)):
            raise ValueError(f"fields and exclude both name {', '.join(both)}")
        if both := sorted(set(self.exclude) & set(self.hash)):
            raise ValueError(f"exclude and hash both name {', '.join(both)}: what is left out is not hashed")

    @property
    def full_every(self) -> timedelta | None:
        """After how long everything is read again; None for never."""
        return FULL_READS[self.full]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """What personal values are hashed with, wherever a stream says `hash`: the same key for all, or nothing joins."""

    __pydantic_config__ = _CLOSED
    hash_key: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSettings:
    """How imports go in. `path` is where their accounts are written; `file_bytes` is the largest file of one chunk.

    `drain_minutes` is the least time after which a chunk that was sent and not answered is certain to have run.
    `ingestion` says that the subscription has the Data Ingestion API, which answers at `ingestion_url`.
    """

    __pydantic_config__ = _CLOSED
    path: _Path = Path("imports")
    file_bytes: Annotated[int, between(100_000, 10_000_000)] = 10_000_000
    drain_minutes: Annotated[float, between(1, 1_440)] = 60.0
    ingestion: bool = False
    ingestion_url: Annotated[str, Rule(ingestion_address)] = "https://mkto-ingestion-api.adobe.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetSettings:
    """Marketing assets. With a `path` every sync brings them there too, and `assets pull` needs no folder.

    `kinds` are brought, all of them by "*". `files` brings the bytes of images and documents too. `full` is how often a
    sync fetches all contents anew.
    """

    __pydantic_config__ = _CLOSED
    path: _Path | None = None
    kinds: Annotated[tuple[KindName, ...], Rule(before=listed)] = ("*",)
    files: bool = False
    full: Annotated[str, one_of(tuple(FULL_READS), "interval")] = "never"

    @property
    def full_every(self) -> timedelta | None:
        """After how long all contents are fetched again; None for never."""
        return FULL_READS[self.full]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How Marketo is reached. `ca_file` adds certificates to trust; checks of certificates are never off."""

    __pydantic_config__ = _CLOSED
    ca_file: _Path | None = None
    connect_seconds: Annotated[float, between(1, 600)] = 10.0
    read_seconds: Annotated[float, between(5, 3_600)] = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration of one instance; `source` is the file it came from. Paths are absolute.

    `streams` has an entry for every stream that is synced. The tables from `service` on are the same for all instances
    of a file; `import_` is the table [import].
    """

    instance: InstanceSettings
    sync: SyncSettings
    limits: LimitSettings = field(default_factory=LimitSettings)
    polling: PollingSettings = field(default_factory=PollingSettings)
    state: StateSettings = field(default_factory=StateSettings)
    destination: DestinationSettings = field(default_factory=DestinationSettings)
    streams: Mapping[str, StreamSettings] = field(default_factory=dict)
    imports: ImportSettings = field(default_factory=ImportSettings)
    assets: AssetSettings = field(default_factory=AssetSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    service: ServiceSettings = field(default_factory=ServiceSettings)
    schedule: Mapping[str, GroupSettings] = field(default_factory=dict)
    import_: Mapping[str, InboxSettings] = field(default_factory=dict)
    notify: NotifySettings = field(default_factory=NotifySettings)
    source: Path = Path("syncengine.toml")

    def lookback_hours(self, stream: str) -> float:
        """How far before its cursor a stream is read again."""
        own = self.streams[stream].lookback_hours if stream in self.streams else None
        return self.sync.lookback_hours if own is None else own

"""TOML and the environment, made into frozen settings; every problem is found before any network is touched.

Read by the command line, the service and the engine only: the rooms below take plain arguments. In reading order:
`settings` (the keys, their defaults and bounds), `rules` (what a value may be), `lines` (where a key stands in the
text), `problems` (faults as sentences), `streams`, `places` and `across` (what depends on what), `instances` (several
in one file), `open_secrets`, `reading`. The daemon's own tables are in `service`, their rules in `service_rules`.
"""

from syncengine.config.reading import find, load, load_all, parse, parse_all
from syncengine.config.rules import Secret
from syncengine.config.service import GroupSettings, InboxSettings, NotifySettings, ServiceSettings
from syncengine.config.settings import (
    AssetSettings,
    DestinationSettings,
    ImportSettings,
    InstanceSettings,
    LimitSettings,
    NetworkSettings,
    PollingSettings,
    PrivacySettings,
    Settings,
    StateSettings,
    StreamSettings,
    SyncSettings,
)
from syncengine.config.streams import STREAMS

__all__ = [
    "STREAMS",
    "AssetSettings",
    "DestinationSettings",
    "GroupSettings",
    "ImportSettings",
    "InboxSettings",
    "InstanceSettings",
    "LimitSettings",
    "NetworkSettings",
    "NotifySettings",
    "PollingSettings",
    "PrivacySettings",
    "Secret",
    "ServiceSettings",
    "Settings",
    "StateSettings",
    "StreamSettings",
    "SyncSettings",
    "find",
    "load",
    "load_all",
    "parse",
    "parse_all",
]

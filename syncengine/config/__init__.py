"""TOML and the environment, made into frozen settings; every problem is found before any network is touched.

Read by the command line, the service and the engine only: the rooms below take plain arguments. In reading order:
`settings` (the keys, their defaults and bounds), `rules` (what a value may be), `lines` (where a key stands in the
text), `problems` (faults as sentences), `streams`, `places` and `across` (what depends on what), `open_secrets`,
`reading`.
"""

from syncengine.config.reading import find, load, parse
from syncengine.config.rules import Secret
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
    "ImportSettings",
    "InstanceSettings",
    "LimitSettings",
    "NetworkSettings",
    "PollingSettings",
    "PrivacySettings",
    "Secret",
    "Settings",
    "StateSettings",
    "StreamSettings",
    "SyncSettings",
    "find",
    "load",
    "parse",
]

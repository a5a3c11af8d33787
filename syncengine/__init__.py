"""An asyncio bulk data-sync engine for Adobe Marketo Engage.

The tree, from the top floor down; each floor imports only from floors below.

`cli` is the command line, one module a verb. It prints and exits, and decides nothing else.

`service` is the daemon: when what is due, watched folders, signals, and what its operator sees and is told.

`engine` opens everything in order and answers what the verbs ask. Start reading here. `choices` picks the concrete
classes; `wanted` makes of settings what a sync is asked for; `checks` tries what a sync needs; `status` looks at what
runs have left, without any network.

`state_verify`, `state_backup` and `state_prune` keep the state folder whole, safe and small, and agree by
`state_folder` on what in it is nobody's. `doctor` collects what a report of a bug needs.

`config` makes frozen settings of TOML and the environment. Only the floors above read it; the others take arguments.

`exports` brings Marketo's streams to the destination, by bulk files and by pages. Its `__init__` lists the stages in
reading order: they never call each other; the flows `run` and `readings` do, and `sync` is one run of all streams.

`imports` puts files of people into Marketo and accounts for every row. `desk` is its door; its `__init__` lists the
rest in reading order.

`assets` brings marketing assets into a folder that Git can diff, and into tables. `desk` is its door too.

`transport` is how a call travels: gate, token, wire, answer, retry. `client` performs any call; read it first.

`jobs` is what is to be done, durably: the journal, leases, and the scheduler. It never heard of Marketo.

`destinations` are where rows go, in one transaction a window; nor did they.

`sources` give the rows of files and queries that are to be imported, nor did those: text cells, and the place of each
row's bytes.

`marketo` is what Marketo says, as plain values and functions: calls, replies, error codes, limits. No I/O, no clock.

`schema`, `reports`, `asset_reports`, `state_reports`, `observe`, `threads` and `clock` are the ground floor: the shape
of rows, what the engine answers, events and their listeners, the door to threads, and the only place that asks what
time it is.

`errors` lies below all of it: the class of an error says what the engine does next.

`sandbox` stands apart: a Marketo instance on this machine. It shares no code with the engine, so that a
misunderstanding of Marketo cannot hide on both sides.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncengine.asset_reports import AssetsDiff, AssetsPlan, AssetsReport
    from syncengine.config import Settings, load
    from syncengine.engine import Engine, open_engine
    from syncengine.errors import SyncEngineError
    from syncengine.reports import CheckReport, ImportPlan, ImportReport, StatusReport, SyncPlan, SyncReport
    from syncengine.status import read_status

__all__ = [
    "AssetsDiff",
    "AssetsPlan",
    "AssetsReport",
    "CheckReport",
    "Engine",
    "ImportPlan",
    "ImportReport",
    "Settings",
    "StatusReport",
    "SyncEngineError",
    "SyncPlan",
    "SyncReport",
    "load",
    "open_engine",
    "read_status",
]


def __getattr__(name: str) -> Any:
    # Public names load when they are first asked for: importing the package costs nothing, and the floors hold.
    from importlib import import_module

    homes = {
        "syncengine.asset_reports": ("AssetsDiff", "AssetsPlan", "AssetsReport"),
        "syncengine.config": ("Settings", "load"),
        "syncengine.engine": ("Engine", "open_engine"),
        "syncengine.errors": ("SyncEngineError",),
        "syncengine.reports": ("CheckReport", "ImportPlan", "ImportReport", "StatusReport", "SyncPlan", "SyncReport"),
        "syncengine.status": ("read_status",),
    }
    for home, names in homes.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""What the engines of one daemon share of the outside: one turn at each DuckDB file.

DuckDB refuses a file that another thread of the same process opens while it is being closed, so all that work on one
file take turns, whatever instance they belong to.
"""

import threading
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from syncengine.choices import Outside, open_destination
from syncengine.config import Settings
from syncengine.destinations import Destination


def shared(outside: Outside) -> Outside:
    """The same outside for many engines of one process; one with destinations of its own sees to that itself."""
    if outside.destination is not open_destination:
        return outside
    turns: dict[Path, AbstractContextManager[object]] = {}

    def destination(settings: Settings) -> Destination:
        chosen = settings.destination
        if chosen.type != "duckdb":
            return open_destination(settings)
        return open_destination(settings, turns.setdefault(chosen.path.resolve(), threading.RLock()))

    return replace(outside, destination=destination)

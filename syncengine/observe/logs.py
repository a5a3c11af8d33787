"""Events as JSON lines, for programs that watch: one object an event, with its name, instant, counts and ids.

Single calls and download progress are of level debug; a normal night at level info is one line a job's move.
"""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from syncengine.errors import ConfigError
from syncengine.observe.events import (
    AssetFetched,
    CallAnswered,
    CallSent,
    ChunkProgress,
    DownloadProgress,
    Event,
    Observer,
    Paused,
    Refused,
    RowsRead,
    Trouble,
)

WORD = re.compile(r"(?<!^)(?=[A-Z])")


class EventLog:
    """Writes each event to a binary stream as it comes."""

    def __init__(self, stream: BinaryIO, now: Callable[[], datetime], *, debug: bool = False) -> None:
        import orjson
        import structlog

        self._debug = debug
        self._now = now
        self._logger: Any = structlog.wrap_logger(
            structlog.BytesLogger(stream),
            processors=[
                structlog.processors.add_log_level,
                self._stamp,
                structlog.processors.JSONRenderer(
                    serializer=lambda value, **_: orjson.dumps(value, option=orjson.OPT_UTC_Z)
                ),
            ],
            cache_logger_on_first_use=True,
        )

    def __call__(self, event: Event) -> None:
        self.write(event)

    def write(self, event: Event, **bound: str) -> None:
        """Write an event, and with it what else is known of its circumstances."""
        level = _level(event)
        if level == "debug" and not self._debug:
            return
        # An event may have a field named `event`, which structlog keeps for the event's own name.
        facts = {
            ("move" if field.name == "event" else field.name): getattr(event, field.name) for field in fields(event)
        }
        getattr(self._logger, level)(event_name(event), **(bound | facts))

    def _stamp(self, _logger: object, _method: str, entry: Any) -> Any:
        return {"at": self._now(), **entry}


def event_name(event: Event) -> str:
    """The event's class in snake case: WindowApplied is window_applied."""
    return WORD.sub("_", type(event).__name__).lower()


@contextmanager
def open_log(path: Path | None, now: Callable[[], datetime], *, debug: bool = False) -> Iterator[Observer]:
    """An observer that appends to a file (`-`: standard error), or that does nothing. Raises ConfigError."""
    if path is None:
        yield lambda _: None
    elif str(path) == "-":
        yield EventLog(sys.stderr.buffer, now, debug=debug)
    else:
        try:
            # Unbuffered: the last lines before a kill are the ones that matter.
            stream = path.open("ab", buffering=0)
        except OSError as error:
            reason = f"the log {path} cannot be written: {error.strerror}"
            raise ConfigError(reason, advice="Name another file with --log.") from None
        with stream:
            yield EventLog(stream, now, debug=debug)


def _level(event: Event) -> str:
    match event:
        case CallSent() | CallAnswered() | DownloadProgress() | RowsRead() | ChunkProgress() | AssetFetched():
            return "debug"
        case Refused() | Paused() | Trouble():
            return "warning"
        case _:
            return "info"

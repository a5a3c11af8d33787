"""What a pull works with, and what it is asked for."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from syncengine.assets.kinds import FOLDER, KINDS
from syncengine.destinations import Destination
from syncengine.errors import ConfigError
from syncengine.jobs.store import JobStore
from syncengine.observe.events import Event
from syncengine.transport.client import Client
from syncengine.transport.wire import Wire

FULL_PULL = "asset contents"  # in the journal: when the last pull began that fetched all of them


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pull works with, opened by the engine. `origin` is the instance's address.

    `destination` is asked for only when tables are written; `wire_to` opens a way to the host that files lie on.
    """

    instance: str
    origin: str
    client: Client
    store: JobStore
    destination: Callable[[], Destination]
    wire_to: Callable[[str], AbstractAsyncContextManager[Wire]]
    observe: Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a pull is asked for. `kinds` are brought and the others left alone; `full` fetches all contents anew.

    `quick` asks long lists only for what has a later date.
    """

    folder: Path
    kinds: tuple[str, ...] = tuple(KINDS)
    full: bool = False
    quick: bool = False
    with_files: bool = False
    with_tables: bool = True


def chosen_kinds(only: tuple[str, ...], but: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The kinds named in `only`, all if none is, without those in `but`; raises ConfigError for unknown ones.

    Folders are always among them: they are the tree that the others lie in.
    """
    if unknown := sorted({*only, *but} - set(KINDS)):
        raise ConfigError(
            f"{unknown[0]!r} is no kind of asset",
            advice=f"There are {', '.join(KINDS)}.",
        )
    return tuple(name for name in KINDS if name == FOLDER or ((not only or name in only) and name not in but))


async def full_is_due(store: JobStore, instance: str, every: timedelta | None, now: datetime) -> bool:
    """Whether the last pull that fetched all contents lies so far back; never is, where that is None."""
    last = await store.recall(instance, FULL_PULL)
    return every is not None and (last is None or now - datetime.fromisoformat(last) >= every)

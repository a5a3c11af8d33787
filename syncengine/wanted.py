"""What a sync is asked for: from settings and names to the exports' own values.

Apart from the engine, which opens things: these are decisions on settings, and one question to the catalog.
"""

from collections.abc import Collection
from datetime import timedelta

from syncengine.config import Settings, StreamSettings
from syncengine.config.streams import CUSTOM_OBJECTS, EVERYTHING
from syncengine.errors import ConfigError
from syncengine.exports.catalog import Catalog
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice
from syncengine.exports.slice import Reach
from syncengine.exports.streams import CUSTOM_OBJECT


async def wanted_streams(
    settings: Settings, catalog: Catalog, *, full: Collection[str] = (), only: Collection[str] | None = None
) -> list[Wanted]:
    """The streams of the configuration, or `only` some of them; those in `full` from their start on.

    Raises ConfigError for one that is not configured.
    """
    synced = settings.sync.streams
    names = [name for name in synced if name != CUSTOM_OBJECTS]
    if CUSTOM_OBJECTS in synced:
        names += [name for name in await catalog.custom_objects() if name not in names]
    if only is not None and EVERYTHING not in only:
        _refuse_unknown(only, names)
        names = [name for name in names if name in only or (CUSTOM_OBJECTS in only and name.startswith(CUSTOM_OBJECT))]
    _refuse_unknown(full, names)
    return [_wanted(settings, name, full=name in full) for name in names]


def choice_of(settings: Settings, stream: str) -> Choice:
    """Which fields of a stream are brought."""
    chosen = settings.streams.get(stream, StreamSettings())
    return Choice(chosen.fields, chosen.exclude, chosen.hash)


def hard_deleted(settings: Settings) -> frozenset[str]:
    """The streams whose deleted rows are removed, by whatever stream brings the news."""
    return frozenset(name for name, chosen in settings.streams.items() if chosen.hard_delete)


def _refuse_unknown(asked: Collection[str], names: Collection[str]) -> None:
    if unknown := sorted(set(asked) - {*names, CUSTOM_OBJECTS}):
        raise ConfigError(
            f"{unknown[0]!r} is not a stream of this configuration", advice=f"It syncs {', '.join(names)}."
        )


def _wanted(settings: Settings, name: str, *, full: bool) -> Wanted:
    chosen = settings.streams.get(name, StreamSettings())
    return Wanted(
        name=name,
        choice=choice_of(settings, name),
        reach=Reach(
            start=settings.sync.start,
            lookback=timedelta(hours=settings.lookback_hours(name)),
            settle=timedelta(minutes=settings.sync.settle_minutes),
        ),
        full=full,
        full_every=chosen.full_every,
        hard_delete=chosen.hard_delete,
        lists=chosen.lists,
        names=chosen.names,
    )

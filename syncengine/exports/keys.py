"""Whether the keys that streams take from each other are still there once the configuration has chosen fields.

Apart from the choice of fields, which looks at one stream: a key that is left out or hashed in one empties another.
"""

from collections.abc import Sequence

from syncengine.errors import ConfigError
from syncengine.exports.due import Wanted
from syncengine.exports.fields import Choice, matching, needed_by
from syncengine.exports.streams import ByKey, stream_of


def refuse_lost_keys(wanted: Sequence[Wanted]) -> None:
    """Raise ConfigError when there are `lost_keys`."""
    if problems := lost_keys(wanted):
        raise ConfigError("Keys that a stream needs are not there.", problems=problems)


def lost_keys(wanted: Sequence[Wanted]) -> tuple[str, ...]:
    """A sentence for each key that is left out or hashed, in the stream that has it or in the one asked for by it."""
    choices = {each.name: each.choice for each in wanted}
    problems = []
    for each in wanted:
        way = stream_of(each.name).way
        if not isinstance(way, ByKey):
            continue
        for owner, field in ((way.stream, way.field), (each.name, way.filter_type)):
            if owner in choices and (how := _lost(owner, field, choices[owner])):
                problems.append(f"streams.{owner}.{how}: {field!r} is the key by which {each.name} is asked for.")
    return tuple(dict.fromkeys(problems))


def _lost(owner: str, field: str, choice: Choice) -> str:
    """The key of the configuration that takes the field away; empty if none does."""
    if matching(choice.hash, [field]) and field not in needed_by(stream_of(owner)):
        return "hash"
    if field in needed_by(stream_of(owner)):
        return ""
    if matching(choice.exclude, [field]):
        return "exclude"
    return "" if matching(choice.fields, [field]) else "fields"

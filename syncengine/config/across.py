"""What one table of the configuration means for another: streams that need streams, choices, a key to hash with.

Apart from the rules, which look at one value, and from the settings, which look at one table.
"""

from syncengine.config.problems import Problems
from syncengine.config.rules import HASH_KEY_CHARACTERS_MIN
from syncengine.config.settings import Settings, StreamSettings
from syncengine.config.streams import CHOSEN_BY, CUSTOM_OBJECTS, EVERYTHING, STREAMS


def expanded(settings: Settings) -> tuple[str, ...]:
    """The streams, with * as all there are: of those that need a choice, the ones for which it was made."""
    names = settings.sync.streams
    if EVERYTHING not in names:
        return names
    chosen = [name for name in STREAMS if not _lacks_choice(settings, name)]
    left_out = {name for name in STREAMS if any(need not in chosen for need in STREAMS[name])}
    others = [name for name in names if name not in {EVERYTHING, CUSTOM_OBJECTS, *STREAMS}]
    return (*(name for name in chosen if name not in left_out), *others, CUSTOM_OBJECTS)


def tell_across(settings: Settings, problems: Problems) -> None:
    """Note what does not fit together."""
    streams = settings.sync.streams
    for name in streams:
        if missing := [need for need in STREAMS.get(name, ()) if need not in streams]:
            problems.add(
                ("sync", "streams"),
                f"has {name}, which takes its keys from {missing[0]}: add {missing[0]}, or leave {name} out",
            )
        if _lacks_choice(settings, name):
            chosen = CHOSEN_BY[name]
            problems.add(("streams", name, chosen), f"is missing: {name} brings the {chosen} that are named there")
    for name, chosen in CHOSEN_BY.items():
        for other, stream in settings.streams.items():
            if other != name and getattr(stream, chosen):
                problems.add(("streams", other, chosen), f"belongs to [streams.{name}] alone")
    hashing = [name for name, stream in settings.streams.items() if stream.hash]
    key = settings.privacy.hash_key
    if hashing and key is None:
        problems.add(
            ("privacy", "hash_key"),
            f'is missing: [streams.{hashing[0]}] hashes fields. Add hash_key = "${{SYNCENGINE_HASH_KEY}}" to [privacy]',
        )
    if key is not None and len(key.reveal()) < HASH_KEY_CHARACTERS_MIN:
        problems.add(("privacy", "hash_key"), f"takes a secret of at least {HASH_KEY_CHARACTERS_MIN} characters")


def _lacks_choice(settings: Settings, name: str) -> bool:
    key = CHOSEN_BY.get(name)
    return key is not None and not getattr(settings.streams.get(name, StreamSettings()), key)

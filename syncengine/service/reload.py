"""Which changes of a configuration a running daemon can make: all but those on which its files and its port hang."""

from collections.abc import Sequence
from dataclasses import replace

from syncengine.config import Settings
from syncengine.errors import ConfigError

RESTART = "Restart the daemon to change it."


def taken(before: Sequence[Settings], after: Sequence[Settings]) -> tuple[tuple[Settings, ...], tuple[str, ...]]:
    """The configuration as it can be used now, and a sentence for each part of it that waits for a restart.

    Raises ConfigError for one that says of an instance or of the state folder that it is another.
    """
    was, now = before[0], after[0]
    reasons = [] if was.state.path == now.state.path else ["[state] path is another: its journal is in use"]
    known = {each.instance.name: each.instance for each in before}
    for each in after:
        old = known.get(each.instance.name, each.instance)
        if (old.base_url, old.time_scale) != (each.instance.base_url, each.instance.time_scale):
            reasons.append(f"base_url or time_scale of {each.instance.name} is another: its clock is in use")
    if reasons:
        raise ConfigError(f"{now.source} changes what cannot be changed now", problems=tuple(reasons), advice=RESTART)
    waiting = {
        "[service] listen": was.service.listen != now.service.listen,
        "[service] token": was.service.token != now.service.token,
        "[notify]": was.notify != now.notify,
    }
    service = replace(now.service, listen=was.service.listen, token=was.service.token)
    found = tuple(replace(each, service=service, notify=was.notify) for each in after)
    return found, tuple(f"{key} is read at the start alone. {RESTART}" for key, is_other in waiting.items() if is_other)

"""Which changes of a configuration a running daemon can make: all but those on which its files and its port hang."""

from collections.abc import Sequence

from syncengine.config import Settings
from syncengine.errors import ConfigError

RESTART = "Restart the daemon to change it."


def fits(before: Sequence[Settings], after: Sequence[Settings]) -> None:
    """Raise ConfigError for a configuration that only a new process can take; every reason at once."""
    was, now = before[0], after[0]
    reasons = []
    for key, old, new in (
        ("[state] path", was.state.path, now.state.path),
        ("[service] listen", was.service.listen, now.service.listen),
        ("[service] token", was.service.token, now.service.token),
        ("[notify]", was.notify, now.notify),
    ):
        if old != new:
            reasons.append(f"{key} is read at the start alone")
    known = {each.instance.name: each.instance for each in before}
    for each in after:
        name = each.instance.name
        if name in known:
            old_one = known[name]
            if (old_one.base_url, old_one.time_scale) != (each.instance.base_url, each.instance.time_scale):
                reasons.append(f"base_url and time_scale of {name} are read at the start alone")
    if reasons:
        raise ConfigError(f"{now.source} changes what cannot be changed now", problems=tuple(reasons), advice=RESTART)

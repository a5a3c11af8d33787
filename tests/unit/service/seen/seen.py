"""Snapshots made by hand: what is shown, without any file."""

from typing import Any

from syncengine.config import GroupSettings, LimitSettings
from syncengine.service.seen.snapshot import InstanceSnapshot, Snapshot, live_of
from syncengine.service.standing import GroupStanding
from tests.unit.service.seen.written import NOW


def seen(name: str = "acme", **changes: Any) -> InstanceSnapshot:
    """An instance with one group that waits for its time, at NOW."""
    given: dict[str, Any] = {
        "name": name,
        "at": NOW,
        "schedule": {"nightly": GroupSettings(cron="30 2 * * *")},
        "groups": (GroupStanding(instance=name, group="nightly"),),
        "inboxes": (),
        "problems": (),
        "live": live_of(None, LimitSettings(), NOW),
        "nights": (),
        "runs": (),
        "streams": (),
        "unfinished": (),
        "jobs": (),
        "journal_read_at": NOW,
        "cursors_read_at": NOW,
    }
    return InstanceSnapshot(**(given | changes))


def all_seen(*instances: InstanceSnapshot, **changes: Any) -> Snapshot:
    """A snapshot of these instances."""
    given: dict[str, Any] = {"at": NOW, "started_at": NOW, "instances": instances or (seen(),)}
    return Snapshot(**(given | changes))

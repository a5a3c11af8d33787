"""Where the daemon stands, as values: what its groups and watched folders do now, and what went wrong lately.

The daemon's tasks write them, the status page and the metrics read them; neither knows the other.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from syncengine.service.schedule.nights import NightReport

PROBLEMS_KEPT = 50

# `waiting` for its time, `running`, `backing off` after trouble, `parked` until somebody does something or the quota
# is back; `off` when nothing more is to come.
State = Literal["waiting", "running", "backing off", "parked", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStanding:
    """One group on one instance. `due` is that of the night under way, `next_at` when something happens next.

    `reason` says in plain words why it is backing off or parked; with `needs_somebody` it is parked until a person does
    something, such as new credentials. `last` is the account of the last night that ended.
    """

    instance: str
    group: str
    state: State = "waiting"
    due: datetime | None = None
    next_at: datetime | None = None
    next_due: datetime | None = None
    reason: str = ""
    needs_somebody: bool = False
    attempts: int = 0
    last: NightReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxStanding:
    """One watched folder. `waiting` files lie in it, `working` names the one that is being imported."""

    name: str
    instance: str
    path: str
    state: State = "waiting"
    waiting: int = 0
    working: str = ""
    done: int = 0  # files since the daemon's start
    failed: int = 0
    reason: str = ""
    looked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong, in plain words. `subject` is the group, the folder or the part of the daemon."""

    at: datetime
    instance: str
    subject: str
    text: str


@dataclass(slots=True)
class Standings:
    """The present state of everything; each part is replaced as a whole by the task that it belongs to."""

    started_at: datetime
    groups: dict[tuple[str, str], GroupStanding] = field(default_factory=dict)
    inboxes: dict[str, InboxStanding] = field(default_factory=dict)
    problems: deque[Problem] = field(default_factory=lambda: deque(maxlen=PROBLEMS_KEPT))
    taken_over: dict[str, str] = field(default_factory=dict)  # instances that another daemon has, and a sentence
    reloaded_at: datetime | None = None
    is_stopping: bool = False

    def forget(self, instance: str) -> None:
        """An instance is no longer kept."""
        self.groups = {key: each for key, each in self.groups.items() if each.instance != instance}
        self.inboxes = {key: each for key, each in self.inboxes.items() if each.instance != instance}

    def of_instance(self, instance: str) -> Iterator[GroupStanding]:
        """The groups of one instance."""
        return (each for each in self.groups.values() if each.instance == instance)

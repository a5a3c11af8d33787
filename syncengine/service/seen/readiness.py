"""Whether last night came in time, as a plain function: what /readyz answers, and why.

Apart from the page, which shows more than anybody who waits for a yes or a no needs to know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncengine.config import GroupSettings
from syncengine.service.schedule.nights import NightReport
from syncengine.service.seen.snapshot import Snapshot
from syncengine.service.standing import GroupStanding


@dataclass(frozen=True, slots=True)
class Reason:
    """Why we are not ready. `subject` is safe to tell anybody, `text` goes to those who may look."""

    subject: str
    text: str


def unready(snapshot: Snapshot) -> list[Reason]:
    """Everything that keeps the daemon from being ready; empty when last night is within its objective."""
    reasons = []
    for instance in snapshot.instances:
        if instance.journal_problem:
            reasons.append(Reason(instance.name, f"the journal cannot be read: {instance.journal_problem}"))
            continue
        if instance.taken_over:
            reasons.append(Reason(instance.name, f"another daemon has it: {instance.taken_over}"))
            continue
        found = late(instance.schedule, instance.groups, instance.nights, instance.at)
        reasons += [Reason(f"{instance.name}/{each.subject}", each.text) for each in found]
    return reasons


def late(
    schedule: Mapping[str, GroupSettings],
    groups: Sequence[GroupStanding],
    nights: Sequence[NightReport],
    now: datetime,
) -> list[Reason]:
    """The groups of one instance that wait for somebody, or whose newest night is not whole though its time is over.

    A night that should have begun and stands nowhere is missing too; one that a later whole night has made up for is
    not. Before a group's first night there is no reason.
    """
    standings = {each.group: each for each in groups}
    reasons = []
    for group, settings in schedule.items():
        standing = standings.get(group, GroupStanding(instance="", group=group))
        allowed = timedelta(hours=settings.done_within_hours)
        if standing.state == "parked" and standing.needs_somebody:
            reasons.append(Reason(group, f"it waits for somebody: {standing.reason or 'its credentials are refused'}"))
        elif standing.next_due and standing.next_due + allowed <= now and standing.state == "waiting":
            reasons.append(Reason(group, f"the night that was due at {_instant(standing.next_due)} has not begun"))
        elif reason := _unfinished([each for each in nights if each.group == group], allowed, now):
            reasons.append(Reason(group, reason))
    return reasons


def _unfinished(nights: Sequence[NightReport], allowed: timedelta, now: datetime) -> str:
    over = [night for night in nights if night.due + allowed <= now]
    newest = max(over, key=lambda night: (night.due, night.began_at), default=None)
    if newest is None or any(night.is_whole and night.due >= newest.due for night in nights):
        return ""
    problem = f": {newest.problems[0]}" if newest.problems else ""
    return f"the night that was due at {_instant(newest.due)} is {newest.outcome or 'still running'}{problem}"


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%MZ}"

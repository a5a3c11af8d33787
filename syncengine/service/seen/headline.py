"""How an instance is, in a few plain words: what somebody with five seconds at eight in the morning wants to know.

Apart from the page, which prints it: deciding what is worth a word is a plain function of a snapshot.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from syncengine.service.schedule.nights import NightReport, evening_of
from syncengine.service.seen.figures import day
from syncengine.service.seen.snapshot import Evening, InstanceSnapshot, evenings
from syncengine.service.standing import GroupStanding

Mood = Literal["good", "bad", "new"]

# How a night ended, for people.
OUTCOMES = {
    "done": "whole",
    "": "running",
    "partial": "not whole",
    "paused": "waits for the quota",
    "failed": "failed",
    "stopped": "stopped, over its time",
    "skipped": "skipped",
    "interrupted": "interrupted",
}


@dataclass(frozen=True, slots=True)
class Headline:
    """The words at the top. `lines` say what is missing and why, `cost` is what the last evening has spent."""

    mood: Mood
    text: str
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cost: Evening | None = None


TROUBLED = ("backing off", "parked")


def headline(instance: InstanceSnapshot) -> Headline:
    """How an instance is."""
    notes = tuple(note for group in instance.groups if (note := _note(group)))
    if instance.journal_problem:
        text = "Nothing is known of its nights"
        return Headline("bad", text, (f"The journal cannot be read: {instance.journal_problem}",), notes)
    if instance.taken_over:
        return Headline("bad", "Another daemon has this instance", (instance.taken_over,), notes)
    last = [night for group in instance.groups if (night := instance.last_night(group.group))]
    ended = [each for each in evenings(instance) if any(night.outcome for night in each.nights)]
    cost = ended[0] if ended else None
    broken = [night for night in last if not night.is_whole]
    waiting = [group for group in instance.groups if group.needs_somebody]
    # A night that is under way and in trouble is the newest, whatever the one before it was.
    late = [each for each in instance.groups if each.due and each.state in TROUBLED and not each.needs_somebody]
    if broken or waiting or late:
        names = dict.fromkeys([*(night.group for night in broken), *(group.group for group in (*waiting, *late))])
        lines = [f"{group.group}, not in yet: {group.reason or 'no reason is given'}" for group in late]
        lines += [_line(night) for night in broken]
        lines += [f"{group.group} waits for somebody: {group.reason or 'no reason is given'}" for group in waiting]
        what = "Something is missing" if broken else "Somebody is needed" if waiting else "Tonight is not in yet"
        text = f"{what}: {', '.join(names)}"
        return Headline("bad", text, tuple(lines), notes, cost)
    if not last:
        text = "No night has ended yet" if instance.groups else "Nothing is scheduled here"
        return Headline("new", text, (), notes, cost)
    return Headline("good", _good(instance, last), (), notes, cost)


def _good(instance: InstanceSnapshot, last: list[NightReport]) -> str:
    newest = max(last, key=lambda night: night.due)
    evening = instance.evening(newest)
    # The evening that is now, or the one before it: whoever looks at noon still means the same night.
    today = evening_of(instance.at, instance.zone(newest.group))
    if today - evening <= timedelta(days=1):
        return "Last night was good"
    return f"The last night, of {day(evening)}, was good"


def _line(night: NightReport) -> str:
    words = OUTCOMES.get(night.outcome, night.outcome)
    reason = night.problems[0] if night.problems else "no reason is given"
    more = f" (and {len(night.problems) - 1} more)" if len(night.problems) > 1 else ""
    return f"{night.group}, {words}: {reason}{more}"


def _note(group: GroupStanding) -> str:
    """What a group does that is neither waiting for its time nor wrong."""
    match group.state:
        case "running":
            return f"{group.group} is running now."
        case "backing off" if not group.due:
            return f"{group.group} tries again soon: {group.reason or 'no reason is given'}"
        case "parked" if not (group.needs_somebody or group.due):
            return f"{group.group} is parked: {group.reason or 'no reason is given'}"
        case _:
            return ""

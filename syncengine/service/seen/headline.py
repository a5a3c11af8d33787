"""How an instance is, in a few plain words: what somebody with five seconds at eight in the morning wants to know.

Apart from the page, which prints it: deciding what is worth a word is a plain function of a snapshot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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

# How a group stands whose night does not go on.
TROUBLED = ("backing off", "parked")


@dataclass(frozen=True, slots=True)
class Headline:
    """The words at the top. `lines` say what is missing and why.

    `cost` is what the last evening has spent, or the last whole one while a later night is in trouble.
    """

    mood: Mood
    text: str
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cost: Evening | None = None


def headline(instance: InstanceSnapshot) -> Headline:
    """How an instance is."""
    notes = tuple(note for group in instance.groups if (note := _note(group, instance.at)))
    if instance.journal_problem:
        text = "Nothing is known of its nights"
        return Headline("bad", text, (f"The journal cannot be read: {instance.journal_problem}",), notes)
    if instance.taken_over:
        return Headline("bad", "Another daemon has this instance", (instance.taken_over,), notes)
    last = [night for group in instance.groups if (night := instance.last_night(group.group))]
    late = [group for group in instance.groups if _is_troubled(group, instance.at)]
    broken = [night for night in last if not night.is_whole]
    waiting = [group for group in instance.groups if group.needs_somebody]
    cost = _cost(instance, late)
    if late or broken or waiting:
        if late and cost:
            notes = (*notes, f"The figures are those of the night of {day(cost.day)}, the last that is whole.")
        names = {group.group for group in late}
        lines = [f"{group.group}, not in yet: {_reason(group)}" for group in late if not group.needs_somebody]
        lines += [_line(night, instance.evening(night) if night.group in names else None) for night in broken]
        lines += [f"{group.group} waits for somebody: {_reason(group)}" for group in waiting]
        return Headline("bad", _bad(instance, late, broken, waiting), tuple(lines), notes, cost)
    if not last:
        text = "No night has ended yet" if instance.groups else "Nothing is scheduled here"
        return Headline("new", text, (), notes, cost)
    return Headline("good", _good(instance, last), (), notes, cost)


def _is_troubled(group: GroupStanding, now: datetime) -> bool:
    """Whether a night is under way and in trouble, or could not even begin: it is the newest, whatever was before."""
    return group.state in TROUBLED and _open_due(group, now) is not None


def _cost(instance: InstanceSnapshot, late: Sequence[GroupStanding]) -> Evening | None:
    """The newest evening with figures; while a night is in trouble, the newest whole one that it is no part of."""
    if not late:
        return next((each for each in evenings(instance) if any(night.outcome for night in each.nights)), None)
    troubled = {evening_of(_open_due(group, instance.at) or instance.at, instance.zone(group.group)) for group in late}
    others = (each for each in evenings(instance) if each.day not in troubled)
    return next((each for each in others if all(night.is_whole for night in each.last_words)), None)


def _bad(
    instance: InstanceSnapshot,
    late: Sequence[GroupStanding],
    broken: Sequence[NightReport],
    waiting: Sequence[GroupStanding],
) -> str:
    """The newest nights first, each group once."""
    found: dict[str, list[str]] = {}
    for group in late:
        due = _open_due(group, instance.at) or instance.at
        found.setdefault(f"{_night_words(instance, group.group, due)} is not in yet", []).append(group.group)
    named = {group.group for group in late}
    missing = [*(night.group for night in broken), *(group.group for group in waiting)]
    others = dict.fromkeys(name for name in missing if name not in named)
    if others:
        what = "Something is missing" if any(night.group in others for night in broken) else "Somebody is needed"
        found[what] = list(others)
    texts = [f"{what}: {', '.join(names)}" for what, names in found.items()]
    return "; ".join([texts[0], *(text[0].lower() + text[1:] for text in texts[1:])])


def _night_words(instance: InstanceSnapshot, group: str, due: datetime) -> str:
    zone = instance.zone(group)
    evening = evening_of(due, zone)
    match (evening_of(instance.at, zone) - evening).days:
        case 0:
            return "Tonight"
        case 1:
            return "Last night"
        case _:
            return f"The night of {day(evening)}"


def _good(instance: InstanceSnapshot, last: Sequence[NightReport]) -> str:
    newest = max(last, key=lambda night: night.due)
    evening = instance.evening(newest)
    # "Last night" is the newest that was due: while that one has not ended, nothing is said of it.
    dues = [(group.group, due) for group in instance.groups if (due := _open_due(group, instance.at))]
    newest_due = max((evening_of(due, instance.zone(group)) for group, due in dues), default=None)
    if newest_due is not None and newest_due >= evening:
        return f"The night of {day(evening)} {'was good' if newest_due > evening else 'is good so far'}"
    # The evening that is now, or the one before it: whoever looks at noon still means the same night.
    today = evening_of(instance.at, instance.zone(newest.group))
    if today - evening <= timedelta(days=1):
        return "Last night was good"
    return f"The last night, of {day(evening)}, was good"


def _open_due(group: GroupStanding, now: datetime) -> datetime | None:
    """When the night was due that a group is at work on, or ought to be."""
    return group.due or (group.next_due if group.next_due and group.next_due < now else None)


def _reason(group: GroupStanding) -> str:
    return group.reason or "no reason is given"


def _line(night: NightReport, evening: date | None) -> str:
    """What is missing of a night; `evening` tells it from a newer one of its group."""
    of = f", the night of {day(evening)}" if evening else ""
    words = OUTCOMES.get(night.outcome, night.outcome)
    reason = night.problems[0] if night.problems else "no reason is given"
    more = f" (and {len(night.problems) - 1} more)" if len(night.problems) > 1 else ""
    return f"{night.group}{of}, {words}: {reason}{more}"


def _note(group: GroupStanding, now: datetime) -> str:
    """What a group does that is neither waiting for its time nor wrong."""
    match group.state:
        case "running":
            return f"{group.group} is running now."
        case _ if _is_troubled(group, now) or group.needs_somebody:
            return ""
        case "backing off":
            return f"{group.group} tries again soon: {_reason(group)}"
        case "parked":
            return f"{group.group} is parked: {_reason(group)}"
        case _:
            return ""

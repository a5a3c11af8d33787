"""What the operator is told, and when it is told again: values and a plain function, without a clock or a channel.

A failure is told when it begins, again when it has lasted for `repeat_hours` more, and its end is told once if it was.
A quota is told once a day of the quota, a change of a schema once. All else is counted, and told with the next one.

What has been told is kept by fingerprint, so that nothing of a notice stands in the journal for longer than it waits.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Literal

from syncengine.config.service import NotifySettings

Kind = Literal["failure", "recovery", "quota", "schema"]
# Slack shows so many; a mail of that length is read too.
TEXT_MAX = 2_500
LINE_MAX = 500
# More troubles at once, or notices told once, are not remembered: the oldest of them would be told again.
KEPT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to be told of. `subject` is what it is about: a group, a watched folder, a budget, a stream.

    `text` is a sentence or two; `details` are further lines: problems, advice. `key` makes a quota's notice another
    one: the instant at which it is reset. `at` is aware UTC. An `instance` of "" is the daemon itself.
    """

    kind: Kind
    instance: str
    subject: str
    text: str
    details: tuple[str, ...] = ()
    at: datetime
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A notice as it is sent; the first line of `text` is the title."""

    at: datetime
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failure that has been told and has not ended; `times` is how often it has happened since it was last told."""

    began_at: datetime
    told_at: datetime
    times: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What has been told: troubles by fingerprint, and the fingerprints of what is told but once."""

    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    once: tuple[str, ...] = ()

    @classmethod
    def of(cls, facts: Any) -> "Known":
        """From the JSON value that was kept; raises KeyError, TypeError or ValueError for another one."""
        troubles = {
            name: Trouble(
                datetime.fromisoformat(each["began_at"]), datetime.fromisoformat(each["told_at"]), int(each["times"])
            )
            for name, each in facts["troubles"].items()
        }
        return cls(troubles, tuple(facts["once"]))


def judge(known: Known, notice: Notice, settings: NotifySettings) -> tuple[Known, Message | None]:
    """What is known after a notice, and the message if it is to be told.

    A failure that nobody wants to hear of leaves no trouble; a recovery ends one even when it is not told itself.
    """
    is_wanted = notice.kind in settings.on
    if notice.kind == "recovery":
        return _recovery(known, notice, is_wanted=is_wanted)
    if not is_wanted:
        return known, None
    if notice.kind == "failure":
        return _failure(known, notice, timedelta(hours=settings.repeat_hours))
    what = (notice.key or f"{notice.at:%Y-%m-%d}",) if notice.kind == "quota" else (notice.text, *notice.details)
    mark = _fingerprint(notice.kind, notice.instance, notice.subject, *what)
    if mark in known.once:
        return known, None
    return replace(known, once=(*known.once, mark)[-KEPT:]), message_of(notice)


def _failure(known: Known, notice: Notice, repeat: timedelta) -> tuple[Known, Message | None]:
    name = _fingerprint(notice.instance, notice.subject)
    trouble = known.troubles.get(name)
    if trouble is None:
        begun = Trouble(notice.at, notice.at)
        return _with_trouble(known, name, begun), message_of(notice)
    trouble = replace(trouble, times=trouble.times + 1)
    # A clock that was set back must not silence what goes on.
    if abs(notice.at - trouble.told_at) < repeat:
        return _with_trouble(known, name, trouble), None
    remark = (
        f"Since it was last told it has happened {_times(trouble.times)}; it began at {_instant(trouble.began_at)}."
    )
    return _with_trouble(known, name, replace(trouble, told_at=notice.at, times=0)), message_of(notice, remark=remark)


def _recovery(known: Known, notice: Notice, *, is_wanted: bool) -> tuple[Known, Message | None]:
    troubles = dict(known.troubles)
    trouble = troubles.pop(_fingerprint(notice.instance, notice.subject), None)
    if trouble is None:
        return known, None
    more = f", and has happened {_times(trouble.times)} more since it was last told" if trouble.times else ""
    remark = f"The failure began at {_instant(trouble.began_at)}{more}."
    return replace(known, troubles=troubles), message_of(notice, remark=remark) if is_wanted else None


def _with_trouble(known: Known, name: str, trouble: Trouble) -> Known:
    troubles = {**known.troubles, name: trouble}
    return replace(known, troubles=dict(islice(troubles.items(), max(0, len(troubles) - KEPT), None)))


def _fingerprint(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(errors="replace"), digest_size=12).hexdigest()


def discreet(notice: Notice, line: Callable[[str], str]) -> Notice:
    """The notice with each of its texts made into a line that may leave the house."""
    return replace(
        notice,
        instance=line(notice.instance),
        subject=line(notice.subject),
        text=line(notice.text),
        details=tuple(filter(None, map(line, notice.details))),
    )


def message_of(notice: Notice, *, remark: str = "") -> Message:
    """A notice in words: its title, its text, as many of its details as fit, and when it was."""
    title = _cut(_title(notice), 150)
    lines = [title, _cut(notice.text, 2 * LINE_MAX)] + ([remark] if remark else [])
    last = f"({_instant(notice.at)})"
    room = TEXT_MAX - sum(len(each) + 1 for each in (*lines, last, "and 1,000,000 more"))
    details = [f"- {_cut(each, LINE_MAX)}" for each in notice.details]
    fit = 0
    while fit < len(details) and (room := room - len(details[fit]) - 1) >= 0:
        fit += 1
    left = [f"and {len(details) - fit:,} more"] if fit < len(details) else []
    return Message(at=notice.at, title=title, text="\n".join([*lines, *details[:fit], *left, last]))


def _title(notice: Notice) -> str:
    of = f"{notice.instance}: " if notice.instance else ""
    match notice.kind:
        case "failure":
            return f"{of}{notice.subject} failed"
        case "recovery":
            return f"{of}{notice.subject} works again"
        case "quota":
            return f"{of}{notice.subject} of the day are running out"
        case "schema":
            return f"{of}the schema of {notice.subject} has changed"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _times(times: int) -> str:
    return "once" if times == 1 else f"{times:,} times"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%MZ}"

"""What one channel has still to send: so many messages in any hour, and one that sums up all others.

A message that has no room in the hour is counted, and with it whatever comes before the sum is sent: so no later one
overtakes it, and what waits is bounded. Pure, so that the bound is tested over every order of things.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from syncengine.service.told.notices import Message

HOUR = timedelta(hours=1)
# So many titles are named in a sum; the rest is a number.
TITLES_MAX = 20
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Outbox:
    """`waiting` messages are sent in their order; `over` counts those without room by title, from `over_since` on.

    `sent` are the instants of the last hour at which one was settled: delivered, or given up.
    """

    waiting: tuple[Message, ...] = ()
    over: Mapping[str, int] = field(default_factory=dict)
    over_since: datetime | None = None
    sent: tuple[datetime, ...] = ()

    @classmethod
    def of(cls, facts: Any) -> "Outbox":
        """From the JSON value that was kept; raises KeyError, TypeError or ValueError for another one."""
        since = facts["over_since"]
        return cls(
            tuple(
                Message(at=datetime.fromisoformat(each["at"]), title=str(each["title"]), text=str(each["text"]))
                for each in facts["waiting"]
            ),
            {str(title): int(count) for title, count in facts["over"].items()},
            datetime.fromisoformat(since) if since else None,
            tuple(map(datetime.fromisoformat, facts["sent"])),
        )

    @property
    def notices(self) -> int:
        """How many have not been sent."""
        return len(self.waiting) + sum(self.over.values())


def put(outbox: Outbox, message: Message, *, now: datetime, most: int) -> Outbox:
    """The outbox with one message more."""
    outbox = _within_hour(outbox, now)
    if not outbox.over and len(outbox.sent) + len(outbox.waiting) < most:
        return replace(outbox, waiting=(*outbox.waiting, message))
    title = message.title if message.title in outbox.over or len(outbox.over) < TITLES_MAX else OTHERS
    over = {**outbox.over, title: outbox.over.get(title, 0) + 1}
    return replace(outbox, over=over, over_since=outbox.over_since or message.at)


def summed(outbox: Outbox, *, now: datetime, most: int) -> Outbox:
    """The outbox with its sum waiting, if there is one and it has room."""
    outbox = _within_hour(outbox, now)
    if not outbox.over or outbox.waiting or len(outbox.sent) >= most:
        return outbox
    count = sum(outbox.over.values())
    title = f"{count:,} more {'notice' if count == 1 else 'notices'}"
    since = (outbox.over_since or now).astimezone(UTC)
    lines = [f"{title} since {since:%Y-%m-%d %H:%MZ}, for which there was no room in the hour:"]
    lines += [f"- {each} ({times:,} times)" if times > 1 else f"- {each}" for each, times in outbox.over.items()]
    message = Message(at=now, title=title, text="\n".join(lines))
    return replace(outbox, waiting=(message,), over={}, over_since=None)


def settled(outbox: Outbox, *, now: datetime) -> Outbox:
    """The outbox without its first message, which counts for an hour from now on.

    One that was given up counts too: a server that is slow to answer may have taken it.
    """
    return _within_hour(replace(outbox, waiting=outbox.waiting[1:], sent=(*outbox.sent, now)), now)


def room_in(outbox: Outbox, *, now: datetime, most: int) -> timedelta | None:
    """After how long the sum has room; None when there is nothing to sum up."""
    if not outbox.over:
        return None
    sent = sorted(_within_hour(outbox, now).sent)
    return timedelta() if len(sent) < most else sent[len(sent) - most] + HOUR - now


def _within_hour(outbox: Outbox, now: datetime) -> Outbox:
    return replace(outbox, sent=tuple(_recent(outbox.sent, now)))


def _recent(instants: Iterable[datetime], now: datetime) -> Iterable[datetime]:
    # After a clock was set back, an instant to come would count for longer than an hour.
    return (min(at, now) for at in instants if at > now - HOUR)

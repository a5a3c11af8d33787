"""When a group is due: cron in a zone, spread by jitter, with a rule for what was missed. Plain functions on instants.

A night is named by its due time, an instant. The clock of a zone may show that time twice or not at all; cronsim gives
it once: at its first showing, or right after the gap. Jitter only delays the beginning. It is drawn from the names of
instance and group and from the due time, so that it is the same after a restart, and shown beforehand.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

# A night that begins so much after its time was missed: the daemon was down, and did not merely wake up late.
MISSED_AFTER = timedelta(minutes=5)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The due times of one group on one instance. `name` tells it from others; the jitter hangs on it."""

    cron: str
    zone: str
    name: str = ""
    jitter: timedelta = timedelta()
    skips_missed: bool = False

    @property
    def times(self) -> str:
        """What tells two schedules apart: one with other times has missed nothing of the former one's."""
        return f"{self.cron} {self.zone}"

    def after(self, instant: datetime) -> Iterator[datetime]:
        """The due times after an instant, in UTC."""
        times = CronSim(self.cron, instant.astimezone(ZoneInfo(self.zone)))
        # Within the hour that a clock shows twice, cronsim counts from its first showing: what lies before is left out.
        return (due for time in times if (due := time.astimezone(UTC)) > instant)

    def next_after(self, instant: datetime) -> datetime:
        """The first due time after an instant."""
        return next(self.after(instant))

    def last_within(self, after: datetime, until: datetime) -> datetime | None:
        """The latest due time after one instant and up to another; None when there is none between them."""
        # From behind, and in few steps: a schedule of every minute may have been down for months.
        step = _DAY
        while True:
            begin = max(after, until - step)
            found = None
            for due in self.after(begin):
                if due > until:
                    break
                found = due
            if found is not None or begin == after:
                return found
            step *= 4

    def delay(self, due: datetime) -> timedelta:
        """How much later than due a night begins."""
        if not self.jitter:
            return timedelta()
        drawn = hashlib.sha256(f"{self.name} {due.isoformat()}".encode()).digest()
        return self.jitter * (int.from_bytes(drawn[:8], "big") / 2**64)


@dataclass(frozen=True, slots=True)
class Begin:
    """The night of `due` is to begin now."""

    due: datetime


@dataclass(frozen=True, slots=True)
class Skip:
    """The night of `due`, and those before it, were missed and are not made up for."""

    due: datetime


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing is due before `at`, when the night of `due` begins."""

    due: datetime
    at: datetime


def decide(schedule: Schedule, settled: datetime, now: datetime) -> Begin | Skip | WaitUntil:
    """What to do now, when every night up to `settled` has ended. Of several that are due only the last one is made.

    A delay is shorter than what lies between two due times, which the configuration sees to: nothing is due in vain.
    """
    due = schedule.last_within(settled, now)
    if due is None:
        due = schedule.next_after(max(settled, now))
        return WaitUntil(due, due + schedule.delay(due))
    at = due + schedule.delay(due)
    if now < at:
        return WaitUntil(due, at)
    if schedule.skips_missed and now - at > MISSED_AFTER:
        return Skip(due)
    return Begin(due)

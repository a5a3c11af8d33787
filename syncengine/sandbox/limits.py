"""The instance's limits, each judged by the server's own stamps: the rate window, calls in flight, the two day quotas.

Theory: Marketo refuses a call with 606 when a hundred calls arrived in the past 20 s, with 615 when ten are under way,
with 607 when the day's calls are used up (https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api).
The window is half open: a call at t counts for arrivals before t + 20 s. A refused call counts like any other, so a
client that hammers a full window keeps it full. Days begin at midnight in the zone that `reset` chooses.
"""

from collections import deque
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from syncengine.sandbox.options import ResetReading, SandboxOptions
from syncengine.sandbox.replies import Refusal, refusal

# Unix seconds as floats resolve 0.24 microseconds: two stamps exactly one window apart may differ by a little less.
CLOCK_RESOLUTION_SECONDS = 1e-6


class ArrivalWindow:
    """Arrivals of the past `seconds`, and the most that ever lay in one such window."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.largest = 0
        self._stamps: deque[float] = deque()

    def count(self, now: float) -> int:
        """Arrivals after `now - seconds`."""
        horizon = now - self.seconds + CLOCK_RESOLUTION_SECONDS
        stamps = self._stamps
        while stamps and stamps[0] <= horizon:
            stamps.popleft()
        return len(stamps)

    def add(self, now: float) -> None:
        """Record an arrival; stamps never go back."""
        before = self.count(now)
        self._stamps.append(now)
        self.largest = max(self.largest, before + 1)


def reset_zone(reading: ResetReading) -> tzinfo:
    """The zone whose midnight begins a day."""
    return timezone(timedelta(hours=-6), "CST") if reading == "CST fixed" else ZoneInfo("America/Chicago")


class DayLedger:
    """Amounts by day."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._amounts: dict[str, int] = {}

    def day(self, now: float) -> str:
        """The day of an instant, as YYYY-MM-DD."""
        return datetime.fromtimestamp(now, UTC).astimezone(self._zone).date().isoformat()

    def add(self, now: float, amount: int) -> None:
        day = self.day(now)
        self._amounts[day] = self._amounts.get(day, 0) + amount

    def used(self, now: float) -> int:
        return self._amounts.get(self.day(now), 0)

    def recent(self, now: float, days: int) -> list[tuple[str, int]]:
        """The last `days` days that have amounts, newest first."""
        first = self.day(now - (days - 1) * 86_400)
        return sorted(((day, amount) for day, amount in self._amounts.items() if day >= first), reverse=True)


class Limits:
    """Says no at the right moment."""

    def __init__(self, options: SandboxOptions) -> None:
        zone = reset_zone(options.reset)
        self.window = ArrivalWindow(options.window_seconds)
        self.calls = DayLedger(zone)
        self.exported = DayLedger(zone)
        self.in_flight = 0
        self._options = options

    def refuse(self, now: float, *, is_identity: bool) -> Refusal | None:
        """Why a call that arrives now is not carried out; None if it may be."""
        options = self._options
        if self.window.count(now) >= options.calls_per_window:
            return refusal("606", options.calls_per_window, f"{options.window_seconds:g}")
        if self.in_flight >= options.in_flight:
            return refusal("615", options.in_flight)
        if not is_identity and self.calls.used(now) >= options.calls_per_day:
            return refusal("607", options.calls_per_day)
        return None

    def count(self, now: float, *, is_identity: bool) -> None:
        """Count a call that arrived now."""
        self.window.add(now)
        if not is_identity:
            self.calls.add(now, 1)

    def refuse_export(self, now: float) -> Refusal | None:
        """Creating and enqueuing stop when the day's bytes are used up; running jobs are not stopped.

        https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract
        """
        if self.exported.used(now) >= self._options.export_bytes_per_day:
            return Refusal("1029", f"Export daily quota {self._options.export_bytes_per_day // 1_000_000}MB exceeded")
        return None

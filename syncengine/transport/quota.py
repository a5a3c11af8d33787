"""The day's budget: calls and exported bytes, and the hour at which they come back.

Adobe's pages state the reset in two ways: "12:00AM CST", which is 06:00 UTC all year, and midnight Central Time, which
is 05:00 UTC in summer (https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api and
.../bulk-extract/bulk-extract). Both are whole UTC hours, so spending is booked by hour, counted under both readings,
and the stricter one rules.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from syncengine.transport.book import Spent

FIXED_RESET_HOUR_UTC = 6
HOURS_KEPT = 50


@cache
def _central() -> ZoneInfo:
    return ZoneInfo("America/Chicago")


def hour_of(now: datetime) -> str:
    """The key under which spending at `now` is booked."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H")


def last_resets(now: datetime) -> tuple[datetime, datetime]:
    """The latest reset at or before `now`: read as fixed CST, and as midnight in Chicago."""
    now = now.astimezone(UTC)
    fixed = now.replace(hour=FIXED_RESET_HOUR_UTC, minute=0, second=0, microsecond=0)
    if fixed > now:
        fixed -= timedelta(days=1)
    midnight = now.astimezone(_central()).replace(hour=0, minute=0, second=0, microsecond=0)
    return fixed, midnight.astimezone(UTC)


def next_reset(now: datetime) -> datetime:
    """The earliest moment after `now` at which one of the readings has the budget back: worth one probing call."""
    now = now.astimezone(UTC)
    fixed, midnight = last_resets(now)
    tomorrow = midnight.astimezone(_central()).replace(tzinfo=None) + timedelta(days=1)
    return min(fixed + timedelta(days=1), tomorrow.replace(tzinfo=_central()).astimezone(UTC))


def spent_today(spent: Mapping[str, Spent], now: datetime) -> Spent:
    """What was spent since the last reset, under the stricter reading for each of the two budgets."""
    totals = []
    for reset in last_resets(now):
        first = hour_of(reset)
        totals.append(sum((row for hour, row in spent.items() if hour >= first), Spent()))
    return Spent(max(total.calls for total in totals), max(total.export_bytes for total in totals))


def counted_at(now: datetime) -> datetime:
    """When calls were made that Marketo counts at `now`, as late as is certain.

    Between the two readings of the reset its count may still be yesterday's: it is booked before the earlier one.
    """
    fixed, midnight = last_resets(now)
    return midnight - timedelta(hours=1) if fixed < midnight else now


def book_spending(spent: dict[str, Spent], now: datetime, *, calls: int = 0, export_bytes: int = 0) -> None:
    """Add to the hour of `now`, and forget hours that no reading of today reaches."""
    hour = hour_of(now)
    before = spent.get(hour, Spent())
    spent[hour] = Spent(max(0, before.calls + calls), before.export_bytes + export_bytes)
    oldest = hour_of(now - timedelta(hours=HOURS_KEPT))
    for old in [key for key in spent if key < oldest]:
        del spent[old]

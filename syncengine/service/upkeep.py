"""What an instance does beside its nights: it watches how much of the day is left, and clears away what is old."""

from datetime import timedelta
from functools import partial

from syncengine.service.place import Place
from syncengine.service.schedule.accounts import clear_accounts
from syncengine.service.schedule.reactions import attempt_failed
from syncengine.state_prune import prune
from syncengine.status import read_limits
from syncengine.threads import run_blocking
from syncengine.transport.book import Spent
from syncengine.transport.quota import next_reset

BUDGET_SECONDS = 900.0
HOUSE_SECONDS = 86_400.0
# Old things are cleared away at the quietest time after a start: nothing is in a hurry.
FIRST_HOUSE_SECONDS = 3_600.0
HOUSEKEEPING = "housekeeping"


async def watch_budget(place: Place) -> None:
    """Tell when more of a day's budget is used than [notify] says, whoever used it; until cancelled."""
    while True:
        try:
            use = await read_limits(place.settings, place.clock)
        except Exception as error:  # noqa: BLE001  # what only watches must not end what works
            place.tell_problem("budget", attempt_failed(error).problems[0])
        else:
            for subject, text in warnings(place, use.spent_today) if use else ():
                key = next_reset(place.clock.now()).isoformat()
                place.tell("quota", subject, text, key=key)
        await place.clock.sleep(BUDGET_SECONDS)


def warnings(place: Place, spent: Spent) -> list[tuple[str, str]]:
    """A sentence for each budget of which too much is used."""
    limits, percent = place.settings.limits, place.settings.notify.quota_percent
    mine = limits.calls_per_day - limits.reserve_calls
    found = []
    for subject, used, limit, shown in (
        ("calls", spent.calls, mine, f"{spent.calls:,} of {mine:,} calls"),
        (
            "export megabytes",
            spent.export_bytes,
            limits.export_bytes_per_day,
            f"{spent.export_bytes / 1e6:,.0f} of {limits.export_bytes_per_day / 1e6:,.0f} MB of bulk export",
        ),
    ):
        if used * 100 >= limit * percent:
            reset = next_reset(place.clock.now())
            found.append((subject, f"{shown} of today are used; they come back at {reset:%Y-%m-%dT%H:%MZ}."))
    return found


async def keep_house(place: Place) -> None:
    """Once a day remove what is older than [service] keep_days: from journal, spool and accounts; until cancelled."""
    await place.clock.sleep(FIRST_HOUSE_SECONDS)
    while True:
        try:
            service = place.settings.service
            await prune(place.settings, timedelta(days=service.keep_days), now=place.clock.now())
            await run_blocking(partial(clear_accounts, service.reports / place.name, timedelta(days=service.keep_days)))
        except Exception as error:  # noqa: BLE001  # what is old may lie there for another day
            place.tell_problem(HOUSEKEEPING, attempt_failed(error).problems[0])
        await place.clock.sleep(HOUSE_SECONDS)

"""A month of nights, with whatever a month brings: what is in the warehouse each morning is what Marketo has."""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from syncengine.config import GroupSettings, Secret
from syncengine.service.schedule.cron import Schedule
from tests.simulation.months import NIGHTLY, Month
from tests.simulation.seeded import Life, seeded
from tests.simulation.small import quick_folder

# Berlin's clock goes back on 25 October, Chicago's, by which Marketo counts its days, on 1 November.
START = datetime(2026, 10, 17, 12, 0, tzinfo=UTC)
DAYS = 31
FILES = GroupSettings(cron="0 20 * * *", imports=("inbox",))
IN_AMERICA = GroupSettings(cron="0 4 * * *", zone="America/New_York")
# Effects of a process, after which it dies: in a night's first steps, among its windows, and near its end.
DEATHS = {5: 45, 6: 62, 7: 80}


class Diary:
    """What the days of the month bring, from noon on; and what was seen the mornings after."""

    def __init__(self, month: Month, inbox: Path, tasks: TaskGroup) -> None:
        self.month = month
        self.inbox = inbox
        self.tasks = tasks
        self.streams = ["leads"]
        self.dropped: list[str] = []
        self.wrong: list[str] = []
        self.footprints: list[tuple[int, int, int]] = []

    def at(self, day: int, hour: int = 12, minute: int = 0) -> datetime:
        """An instant of the month, in UTC."""
        return START.replace(hour=0) + timedelta(days=day, hours=hour, minutes=minute)

    async def live(self, day: int) -> None:
        """One day, from noon to half past eleven."""
        month = self.month
        await month.until(self.at(day))
        month.change(update_leads=2, add_leads=1, add_activities=3, seed=day)
        if day % 3 == 0:
            self._drop(day)
        if day in DEATHS:
            await self._killed(day)
        await self._happens(day)
        await self._is_configured(day)
        await month.until(self.at(day + 1, 11, 30))
        if day not in {11, 12}:  # the machine is off
            self.wrong += [f"day {day}: {line}" for line in month.differences(self.streams)]
            self.footprints.append(footprint())

    def _drop(self, day: int) -> None:
        rows = [f"day{day}.{number}@example.com" for number in range(5)]
        self.dropped += rows
        (self.inbox / f"day{day}.csv").write_text("email,firstName\n" + "".join(f"{row},Ada\n" for row in rows))

    async def _killed(self, day: int) -> None:
        """In the middle of the night the process dies between two of its effects, and is started again."""
        month = self.month
        await month.until(self.at(day, 23))
        await month.stop()
        await month.until(self.at(day + 1, 2))
        await month.start(self.tasks, Life(DEATHS[day]))
        await month.mourn()
        await month.start(self.tasks)

    async def _happens(self, day: int) -> None:
        """What the machine, Marketo and the warehouse do."""
        month = self.month
        match day:
            case 2:  # an orderly restart in the afternoon
                await month.until(self.at(day, 14))
                await month.stop()
                await month.start(self.tasks)
            case 4:  # Marketo is away from before the night until the small hours
                month.out_of_order(self.at(day, 23), self.at(day + 1, 4))
            case 9:  # others have used up the day's calls, before the night
                await month.until(self.at(day, 23, 30))
                month.use_up_calls()
            case 11:  # the machine is off for two nights
                await month.until(self.at(day, 15))
                await month.stop()
            case 13:
                await month.start(self.tasks)
            case 20:  # the warehouse is away for some hours
                await month.until(self.at(day, 23))
                month.destination_is_down = True
                await month.until(self.at(day + 1, 4))
                month.destination_is_down = False
            case 22:  # stopped in the middle of the night, and started again
                await month.until_running()
                await month.clock.sleep(60.0)
                await month.stop()
                await month.clock.sleep(600.0)
                await month.start(self.tasks)
            case 24:  # the day's calls are used up in the middle of the night
                await month.until_running()
                await month.clock.sleep(60.0)
                month.use_up_calls()
            case _:
                pass

    async def _is_configured(self, day: int) -> None:
        """What people do to the configuration."""
        month, settings = self.month, self.month.settings
        match day:
            case 15:  # another stream, with the daemon running
                month.configure(sync=replace(settings.sync, streams=("leads", "activities")))
                await month.reload()
                self.streams.append("activities")
            case 16:  # a mistake in the configuration is told, and the night is brought by the one before
                month.config_is_bad = True
                await month.reload()
                month.config_is_bad = False
            case 17:  # in the middle of a night the configuration is read again
                await month.until_running()
                month.configure(limits=replace(settings.limits, share=0.5))
                await month.reload()
            case 19:  # the secret is replaced in Marketo first, and in the configuration when somebody has got up
                month.rotate_secret("a new one")
                await month.until(self.at(day + 1, 5))
                month.configure(instance=replace(settings.instance, client_secret=Secret("a new one")))
            case 26:  # the nights are at another time from now on
                month.configure(schedule={"nightly": IN_AMERICA, "files": FILES})
                await month.reload()
            case _:
                pass


def footprint() -> tuple[int, int, int]:
    """Open files, tasks, and objects of the engine (not the sandbox's, whose data grow)."""
    gc.collect()
    homes = (str(getattr(type(each), "__module__", "")) for each in gc.get_objects())
    mine = sum(home.startswith("syncengine.") and ".sandbox." not in home for home in homes)
    return len(list(Path("/proc/self/fd").iterdir())), len(asyncio.all_tasks()), mine


def expected() -> list[datetime]:
    """When nights were due: of the two while the machine was off the last one is made up for."""
    change, end = datetime(2026, 11, 12, 12, 0, tzinfo=UTC), START + timedelta(days=DAYS)
    found = []
    for group, begin, until in ((NIGHTLY, START, change), (IN_AMERICA, change, end)):
        for due in Schedule(group.cron, group.zone).after(begin):
            if due >= until:
                break
            found.append(due)
    found.remove(datetime(2026, 10, 29, 1, 30, tzinfo=UTC))
    return found


def flat(footprints: Sequence[tuple[int, int, int]]) -> bool:
    """Whether the last ten days hold no more than the ten before them, but for a little that comes and goes."""
    before, after = (
        [max(each) for each in zip(*part, strict=True)] for part in (footprints[-20:-10], footprints[-10:])
    )
    return all(late <= early * 1.1 + 2 for early, late in zip(before, after, strict=True))


@seeded
async def test_every_night_of_a_month_is_whole(tmp_path: Path) -> None:
    """Restarts, kills, changes of the clock, outages, used-up quotas, a revoked secret, reloads: no night is lost.

    None is brought twice either, every row of the dropped files is in Marketo once, no limit is broken, and the process
    holds as many files, tasks and objects at the end as in its middle age.
    """
    with quick_folder(tmp_path) as folder:
        month = Month(folder, 1, start=START, calls_per_day=400)
        inbox = month.watch(files=FILES)
        inbox.mkdir()
        async with anyio.create_task_group() as tasks:
            diary = Diary(month, inbox, tasks)
            await month.start(tasks)
            for day in range(DAYS):
                await diary.live(day)
            nights = await month.nights()
            await month.stop()
        assert [] == diary.wrong
        assert [] == month.broken_limits()
        assert expected() == [night.due for night in nights if night.is_whole]
        # The three that were killed, and the one that was stopped, went on as the same night.
        assert 4 == sum(night.outcome == "interrupted" for night in nights)
        assert sorted(diary.dropped) == sorted(month.addresses(prefix="day"))
        assert [] == [path.name for path in (inbox / "failed").iterdir()]
        assert flat(diary.footprints), diary.footprints

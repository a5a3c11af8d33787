"""`syncengine daemon`: the nights, watched folders and the status page, until it is stopped."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from syncengine.cli.options import Common
from syncengine.cli.screen import Screen, instant

if TYPE_CHECKING:
    from anyio.abc import TaskStatus

    from syncengine.config import Settings
    from syncengine.observe.events import Event
    from syncengine.service.daemon import Daemon

STOPPING = (signal.SIGTERM, signal.SIGINT)
TIMES_SHOWN = 3


def daemon(
    *,
    when: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    log: Annotated[Path, Parameter(allow_leading_hyphen=True)] = Path("-"),
    common: Common | None = None,
) -> int:
    """Bring everything at its times, for months.

    What is due when stands in [schedule.NAME] of the configuration, watched
    folders in [import.NAME], the status page in [service], whom to tell in
    [notify]; configs/reference.toml explains each key. SIGTERM ends it within
    [service] grace_seconds and loses nothing, a second one ends it at once.
    SIGHUP reads the configuration again; a bad one is told and not taken.
    Other commands work beside it: they share the limits of the instance.

    For example:

      syncengine daemon -c nightly.toml
      syncengine daemon -c nightly.toml --when
      syncengine daemon -c nightly.toml --log /var/log/syncengine.jsonl
      kill -HUP $(pidof -x syncengine)

    Parameters
    ----------
    when
        Show when each group is next due, and end.
    log
        Append events to this file as JSON lines; - is standard error.
    """
    common = common or Common()
    if not when and threading.current_thread() is threading.main_thread():
        # Until there is somebody to hear it, a word to read the configuration again must not end the process.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    found = common.all_settings()
    if when:
        return show_times(common.screen(), found, common.instance)
    import anyio

    return anyio.run(_until_stopped, common, found, log)


def show_times(screen: Screen, found: "tuple[Settings, ...]", instance: str | None = None) -> int:
    """The next times of every group, or of those of one instance, by its own clock and in UTC."""
    from datetime import timedelta
    from itertools import islice
    from zoneinfo import ZoneInfo

    from syncengine.clock import SystemClock
    from syncengine.service.schedule.cron import Schedule

    rows, facts = [], []
    for name, group in found[0].schedule.items():
        if instance and group.instances and instance not in group.instances:
            continue
        schedule = Schedule(group.cron, group.zone, jitter=timedelta(minutes=group.jitter_minutes))
        for due in islice(schedule.after(SystemClock().now()), TIMES_SHOWN):
            local = due.astimezone(ZoneInfo(group.zone))
            rows.append(
                [name, f"{local:%a %Y-%m-%d %H:%M} {group.zone}", instant(due), f"{group.jitter_minutes:g} min"]
            )
            facts.append({"group": name, "due": due, "zone": group.zone, "jitter_minutes": group.jitter_minutes})
    screen.table(("group", "due", "UTC", "later by at most"), rows, title="Next times")
    for name, folder in found[0].import_.items():
        screen.say(f"Watched folder {name}: {folder.path}")
    if not rows and not found[0].import_:
        screen.say('Nothing is scheduled: add [schedule.nightly] with cron = "30 2 * * *".')
    screen.result(facts)
    return 0


async def _until_stopped(common: Common, found: "tuple[Settings, ...]", log: Path) -> int:
    import anyio

    from syncengine.clock import SystemClock
    from syncengine.observe.logs import EventLog, open_log
    from syncengine.service.daemon import Daemon

    clock = SystemClock()
    with open_log(log, clock.now) as write:

        def observe(instance: str, event: "Event") -> None:
            if isinstance(write, EventLog):
                write.write(event, **({"instance": instance} if instance else {}))

        daemon = Daemon(common.all_settings, clock=clock, observe=observe)
        failed: list[Exception] = []
        async with anyio.create_task_group() as group:
            await group.start(_listen, daemon, found[0].service.grace_seconds)
            try:
                await daemon.run()
            except Exception as error:  # noqa: BLE001  # raised again below, where no group wraps it
                failed.append(error)
            group.cancel_scope.cancel()
        for reason in failed:
            raise reason
    return 0


async def _listen(daemon: "Daemon", grace_seconds: float, *, task_status: "TaskStatus[None]") -> None:
    """Carry out what signals say."""
    import anyio

    async with anyio.create_task_group() as group:
        with anyio.open_signal_receiver(*STOPPING, signal.SIGHUP) as signals:
            task_status.started()
            async for number in signals:
                if number == signal.SIGHUP:
                    group.start_soon(daemon.reload)
                elif daemon.standings.is_stopping:
                    signal.signal(number, signal.SIG_DFL)
                    os.kill(os.getpid(), number)
                else:
                    daemon.stop()
                    group.start_soon(_end_after, grace_seconds)


async def _end_after(seconds: float) -> None:
    """End the process when its stop takes too long: the journal bears that, as it bears a power cut."""
    import anyio

    await anyio.sleep(seconds)
    sys.stderr.write(
        f"syncengine: the stop took longer than {seconds:g} s ([service] grace_seconds), so it was cut short. "
        "What was under way is found out at the next start.\n"
    )
    sys.stderr.flush()
    os._exit(1)

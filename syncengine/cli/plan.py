"""`syncengine plan`: what a sync would fetch and cost, before anything is spent."""

from syncengine.cli.options import Common, Full
from syncengine.cli.running import run
from syncengine.cli.screen import Screen, instant, megabytes, span
from syncengine.reports import SyncPlan


def plan(*, full: Full = (), common: Common | None = None) -> int:
    """Show the windows, calls, megabytes and time that a sync would cost now.

    Spends a few calls to look, asks for no export and moves no row.

    For example:

      syncengine plan
      syncengine plan --full leads
      syncengine plan --json | jq .calls

    Parameters
    ----------
    full
        A stream to read again from its start on; may be given more than once.
    """
    common = common or Common()
    settings = common.settings()
    screen = common.screen()

    async def work() -> SyncPlan:
        from syncengine.engine import open_engine
        from syncengine.marketo.call import Priority

        async with open_engine(settings, priority=Priority.INTERACTIVE) as engine:
            return await engine.plan(full=full)

    planned = run(work)
    show_plan(screen, planned)
    screen.result(planned)
    return 0


def show_plan(screen: Screen, planned: SyncPlan) -> None:
    """A row a stream, then the sum beside what the day has left."""
    rows = [
        [
            each.stream,
            f"{each.windows:,}",
            f"{each.resumed:,}",
            instant(each.start),
            instant(each.end),
            f"{each.calls:,}",
            megabytes(each.bytes_estimate),
            span(each.seconds_estimate),
        ]
        for each in planned.streams
    ]
    screen.table(("stream", "windows", "resumed", "from", "to", "calls", "size", "time"), rows)
    for each in planned.streams:
        for note in each.notes:
            screen.say(note)
        if each.waiting:
            wait = "1 window waits" if each.waiting == 1 else f"{each.waiting:,} windows wait"
            screen.say(f"{each.stream}: {wait} for tomorrow's megabytes.")
    time = f", about {span(planned.seconds)}" if planned.seconds else ""
    screen.say(f"About {planned.calls:,} calls of the {planned.calls_left_today:,} that today has left{time}.")
    sizes = [each.bytes_estimate for each in planned.streams if each.bytes_estimate is not None]
    size = f"About {megabytes(sum(sizes))}" if sizes else "Megabytes that are not known before the first run,"
    screen.say(f"{size} of the {megabytes(planned.export_bytes_left_today)} of bulk export that today has left.")
    if planned.calls > planned.calls_left_today or sum(sizes) > planned.export_bytes_left_today:
        screen.say("That is more than today allows: the sync will pause (exit 4) and the next one goes on from there.")

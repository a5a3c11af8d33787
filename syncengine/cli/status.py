"""`syncengine status`: where things stand, from the journal and the destination alone."""

from syncengine.cli.options import Common
from syncengine.cli.running import run
from syncengine.cli.screen import Screen, instant, megabytes, span
from syncengine.reports import RunSummary, StatusReport

# Of a run, so many streams are named.
NAMED_MAX = 4


def status(*, common: Common | None = None) -> int:
    """Show the last runs, how far each stream has come, what is unfinished and what today has used.

    Makes no call and changes nothing, so it works beside a running sync.

    For example:

      syncengine status
      syncengine status --json | jq '.streams[] | {stream, lag_seconds}'
    """
    common = common or Common()
    settings = common.settings()
    screen = common.screen()

    async def work() -> StatusReport:
        from syncengine.status import read_status

        return await read_status(settings)

    report = run(work)
    show_status(screen, report)
    screen.result(report)
    return 0


def show_status(screen: Screen, report: StatusReport) -> None:
    """Streams, unfinished windows, runs, then the use of the day's budget."""
    streams = [
        [
            each.stream,
            instant(each.cursor),
            span(each.lag_seconds) if each.cursor else "-",
            f"{each.windows_unfinished:,}",
        ]
        for each in report.streams
    ]
    screen.table(
        ("stream", "complete up to", "behind", "windows unfinished"), streams, title=f"Instance {report.instance}"
    )
    if report.destination_problem:
        screen.say(f"The destination cannot be read: {report.destination_problem}")
    windows = [
        [each.stream, instant(each.start), instant(each.end), each.state, each.problem]
        for each in report.windows_unfinished
    ]
    screen.table(("stream", "from", "to", "state", "last problem"), windows, title="Unfinished windows")
    screen.table(
        ("run", "kind", "began", "took", "outcome", "rows", "moved", "calls"), _runs(report.runs), title="Runs"
    )
    for run_id in report.imports_unfinished:
        screen.say(f"Import {run_id} is unfinished: syncengine imports resume {run_id}")
    if not report.runs:
        screen.say("Nothing has run yet: syncengine sync")
    screen.say(f"Calls today: {report.calls_today:,} of {report.calls_per_day:,}.")
    exported, limit = megabytes(report.export_bytes_today), megabytes(report.export_bytes_per_day)
    screen.say(f"Bulk export today: {exported} of {limit}.")
    holders = ", ".join(f"{each.holder} ({each.in_flight})" for each in report.holders) or "nobody"
    screen.say(f"Now: {report.window_slots_used} calls in the window, {report.in_flight} in flight, by {holders}.")


def _runs(runs: tuple[RunSummary, ...]) -> list[list[str]]:
    return [
        [
            each.run_id,
            _kind(each.kind),
            instant(each.started_at),
            span((each.ended_at - each.started_at).total_seconds()) if each.ended_at else "-",
            each.outcome,
            _count(each.rows),
            _count(each.moved),
            _count(each.calls),
        ]
        for each in runs
    ]


def _kind(kind: str) -> str:
    """What a run worked on, in a few words: a table has no room for the names of twenty streams."""
    verb, _, names = kind.partition(" ")
    count = names.count("+") + 1
    return kind if count <= NAMED_MAX else f"{verb} {count} streams"


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"

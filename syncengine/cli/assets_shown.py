"""How reports about assets look: what became of them, kind by kind and one by one."""

from syncengine.asset_reports import AssetChange, AssetsDiff, AssetsPlan, AssetsReport
from syncengine.cli.screen import Screen, megabytes, span

# More than this scrolls away; --json has all of it.
CHANGES_SHOWN = 50
NOTES_SHOWN = 5
SIGNS = {"added": "+", "removed": "-"}


def show_pull(screen: Screen, report: AssetsReport, *, time_scale: float = 1.0) -> None:
    """A pull in words."""
    show_assets(screen, report)
    for advice in report.advice:
        screen.say(advice)
    here = f" of the sandbox's clock, {span(report.seconds / time_scale)} here" if time_scale != 1.0 else ""
    ending = "Done" if report.outcome == "done" else "Done in part; run the same command again for the rest"
    size = f", {megabytes(report.files_bytes)} of files" if report.files_bytes else ""
    screen.say(f"{ending}: {report.folder} after {report.calls:,} calls in {span(report.seconds)}{here}{size}.")


def show_assets(screen: Screen, report: AssetsReport) -> None:
    """A row a kind, then what changed, then what is missing or not given."""
    rows = [
        [
            each.kind,
            *(f"{n:,}" for n in (each.versions, each.added, each.changed, each.moved, each.renamed, each.removed)),
            f"{each.unchanged:,}",
        ]
        for each in report.kinds
    ]
    screen.table(("assets", "versions", "added", "changed", "moved", "renamed", "removed", "as before"), rows)
    has_only_new = all(each.what == ("added",) for each in report.changes)
    if not has_only_new or any(each.unchanged for each in report.kinds):
        show_changes(screen, report.changes)
    if len(report.notes) > NOTES_SHOWN:
        screen.say(f"Marketo gives no content of {len(report.notes):,} versions; their files and --json name them all")
    else:
        for note in report.notes:
            screen.say(note)
    if report.absent:
        screen.say(f"Not on this instance: {', '.join(report.absent)}")
    for problem in report.problems:
        screen.say(f"Missing: {problem}")


def show_plan(screen: Screen, plan: AssetsPlan) -> None:
    """What a pull would spend."""
    rows = [[each.kind, f"{each.versions:,}", f"{each.due:,}", f"{each.content_calls:,}"] for each in plan.kinds]
    screen.table(("assets", "versions", "to fetch", "calls for them"), rows)
    for problem in plan.problems:
        screen.say(f"Missing: {problem}")
    contents = plan.calls - plan.spent
    dynamic = ", and one for each section of dynamic content that shows then" if contents else ""
    screen.say(
        f"A pull into {plan.folder} makes {plan.calls:,} calls: {plan.spent:,} for the lists and "
        f"{contents:,} for contents{dynamic}. That takes {span(plan.seconds)} or more; "
        f"{plan.calls_left_today:,} calls are left today."
    )
    screen.say(f"{plan.spent:,} calls were spent to find out. Nothing was written.")


def show_diff(screen: Screen, found: AssetsDiff, *, with_text: bool) -> None:
    """What is different, one asset after the other, with the lines that differ."""
    show_changes(screen, found.changes, with_text=with_text, at_most=None)
    for problem in found.problems:
        screen.say(f"Not compared: {problem}")
    count = len(found.changes)
    nothing = "Nothing of what could be compared differs" if found.problems else "Nothing differs"
    words = f"{count:,} {'asset differs' if count == 1 else 'assets differ'}" if count else nothing
    calls = f", after {found.calls:,} calls" if found.calls else ""
    screen.say(f"{words} between {found.before} and {found.after}{calls}.")


def show_changes(
    screen: Screen, changes: tuple[AssetChange, ...], *, with_text: bool = False, at_most: int | None = CHANGES_SHOWN
) -> None:
    """A line an asset: a sign, what became of it, where it lies and where it lay."""
    if screen.as_json:
        return
    for change in changes[:at_most]:
        screen.say(line_of(change))
        if with_text:
            for line in change.diff:
                screen.say(f"    {line}")
    if at_most is not None and len(changes) > at_most:
        screen.say(f"and {len(changes) - at_most:,} more; --json names them all")


def line_of(change: AssetChange) -> str:
    """What became of one asset."""
    sign = SIGNS.get(change.what[0], "~")
    where = change.path or change.path_before
    came = f" (was {change.path_before})" if change.path and change.path_before not in {"", change.path} else ""
    fields = f": {', '.join(change.fields)}" if change.fields else ""
    return f"{sign} {' and '.join(change.what)}: {change.kind} {change.id} {where}{came}{fields}"

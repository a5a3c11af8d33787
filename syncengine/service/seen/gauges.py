"""Gauges, read off one snapshot when somebody scrapes: where things stand, not what this process has done.

Apart from the counters: nothing here has a memory, so that a restart, another process or a month without a scrape
changes none of these figures.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, get_args

from syncengine.exports.window import HOLDS_A_PLACE
from syncengine.imports.states import AT_MARKETO
from syncengine.service.seen.bulk import EXPORT, IMPORT
from syncengine.service.seen.readiness import unready
from syncengine.service.seen.snapshot import InstanceSnapshot, Snapshot, took
from syncengine.service.standing import GroupStanding, InboxStanding, State

if TYPE_CHECKING:
    from prometheus_client import Metric

# Name, labels, and what it says. Those that end in _total are counters since the daemon's start.
GAUGES: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {
        "syncengine_build_info": (("version", "python"), "Always 1; its labels say what runs."),
        "syncengine_start_timestamp_seconds": ((), "When the daemon began."),
        "syncengine_reload_timestamp_seconds": ((), "When the configuration was last taken over; 0 for never."),
        "syncengine_ready": ((), "1 when /readyz says yes."),
        "syncengine_journal_readable": (
            ("marketo_instance",),
            "1 while the journal can be read; it is where nights stand.",
        ),
        "syncengine_destination_readable": (
            ("marketo_instance",),
            "1 while the destination can be asked for its cursors.",
        ),
        "syncengine_calls_today": (
            ("marketo_instance",),
            "Calls since the day's reset, of all processes, stricter reading.",
        ),
        "syncengine_calls_limit": (("marketo_instance",), "Calls that the instance may make in a day."),
        "syncengine_calls_reserve": (("marketo_instance",), "Calls of these that are left to other integrations."),
        "syncengine_export_today_bytes": (
            ("marketo_instance",),
            "Bulk export since the day's reset, stricter reading.",
        ),
        "syncengine_export_limit_bytes": (("marketo_instance",), "Bulk export that the instance may make in a day."),
        "syncengine_budget_reset_timestamp_seconds": (
            ("marketo_instance",),
            "When the day's budgets are back, by the earlier reading.",
        ),
        "syncengine_budget_paused_until_timestamp_seconds": (
            ("marketo_instance", "budget"),
            "Until when Marketo has said that calls or export are used up; 0 while they are not.",
        ),
        "syncengine_window_calls": (("marketo_instance",), "Places of the rate limit's window that are taken."),
        "syncengine_window_limit_calls": (("marketo_instance",), "Places that the window has."),
        "syncengine_in_flight_calls": (
            ("marketo_instance",),
            "Calls under way, of all processes on this state folder.",
        ),
        "syncengine_in_flight_limit_calls": (("marketo_instance",), "Calls that may be under way at once."),
        "syncengine_waiting_processes": (("marketo_instance",), "Processes whose next call waits for its turn."),
        "syncengine_stream_cursor_timestamp_seconds": (
            ("marketo_instance", "stream"),
            "Up to where the destination holds a stream without a gap; 0 before its first window.",
        ),
        "syncengine_stream_lag_seconds": (
            ("marketo_instance", "stream"),
            "How far that lies behind Marketo; absent before.",
        ),
        "syncengine_stream_unfinished_windows": (
            ("marketo_instance", "stream"),
            "Windows that are not in the destination.",
        ),
        "syncengine_bulk_jobs": (("marketo_instance", "queue", "state"), "Our jobs in Marketo's queues for bulk work."),
        "syncengine_group_state": (
            ("marketo_instance", "group", "state"),
            "1 for the state that a group is in, 0 for others.",
        ),
        "syncengine_group_next_run_timestamp_seconds": (
            ("marketo_instance", "group"),
            "When a group is due next; 0 if never.",
        ),
        "syncengine_group_last_success_timestamp_seconds": (
            ("marketo_instance", "group"),
            "When a group's last whole night ended; 0 when the last thirty days have none.",
        ),
        "syncengine_night_whole": (("marketo_instance", "group"), "1 when a group's last night brought everything."),
        "syncengine_night_duration_seconds": (("marketo_instance", "group"), "How long a group's last night took."),
        "syncengine_night_rows": (("marketo_instance", "group"), "Rows that a group's last night has read."),
        "syncengine_night_moved_rows": (("marketo_instance", "group"), "Rows of these that are new or changed."),
        "syncengine_night_calls": (("marketo_instance", "group"), "Calls that a group's last night has spent."),
        "syncengine_night_export_bytes": (
            ("marketo_instance", "group"),
            "Size of the files that a group's last night took.",
        ),
        "syncengine_inbox_files": (
            ("marketo_instance", "inbox", "state"),
            "Files in a watched folder: waiting or working.",
        ),
        "syncengine_inbox_processed_files_total": (
            ("marketo_instance", "inbox", "outcome"),
            "Files of a watched folder that are through: done or failed.",
        ),
    }
)
STATES = get_args(State)
Sample = tuple[str, tuple[str, ...], float]


def families(snapshot: Snapshot, versions: tuple[str, str]) -> "Iterator[Metric]":
    """Every gauge with its samples, those without any included; `versions` are ours and Python's."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    made = {
        name: (CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily)(name, text, labels=labels)
        for name, (labels, text) in GAUGES.items()
    }
    for name, labels, value in samples(snapshot, versions):
        made[f"syncengine_{name}"].add_metric(labels, value)
    yield from made.values()


def samples(snapshot: Snapshot, versions: tuple[str, str]) -> Iterator[Sample]:
    """Every figure of a snapshot; names are without their prefix, labels as declared."""
    yield "build_info", versions, 1
    yield "start_timestamp_seconds", (), seconds(snapshot.started_at)
    yield "reload_timestamp_seconds", (), seconds(snapshot.reloaded_at)
    yield "ready", (), not unready(snapshot)
    for instance in snapshot.instances:
        yield from _limits(instance)
        yield from _streams(instance)
        for group in instance.groups:
            yield from _group(instance, group)
        for inbox in instance.inboxes:
            yield from _inbox(inbox)


def seconds(at: datetime | None) -> float:
    """An instant as Prometheus has them; 0 for none."""
    return at.timestamp() if at else 0.0


def _limits(instance: InstanceSnapshot) -> Iterator[Sample]:
    name, live = (instance.name,), instance.live
    yield "journal_readable", name, not instance.journal_problem
    yield "destination_readable", name, not instance.destination_problem
    yield "calls_limit", name, live.calls.limit
    yield "calls_reserve", name, live.calls.reserve
    yield "export_limit_bytes", name, live.export.limit
    yield "window_limit_calls", name, live.window_limit
    yield "in_flight_limit_calls", name, live.flight_limit
    if live.problem:
        return  # a figure that is not known is not there, rather than zero
    yield "calls_today", name, live.calls.used
    yield "export_today_bytes", name, live.export.used
    yield "budget_reset_timestamp_seconds", name, seconds(live.back_at)
    yield "budget_paused_until_timestamp_seconds", (*name, "calls"), seconds(live.calls.paused_until)
    yield "budget_paused_until_timestamp_seconds", (*name, "export"), seconds(live.export.paused_until)
    yield "window_calls", name, live.window
    yield "in_flight_calls", name, live.in_flight
    yield "waiting_processes", name, len(live.waiting)


def _streams(instance: InstanceSnapshot) -> Iterator[Sample]:
    if not instance.destination_problem:
        for each in instance.streams:
            labels = (instance.name, each.stream)
            yield "stream_cursor_timestamp_seconds", labels, seconds(each.cursor)
            if each.lag_seconds is not None:
                yield "stream_lag_seconds", labels, each.lag_seconds
    if instance.journal_problem:
        return
    for each in instance.streams:
        yield "stream_unfinished_windows", (instance.name, each.stream), each.windows_unfinished
    for queue, states in ((EXPORT, HOLDS_A_PLACE), (IMPORT, AT_MARKETO)):
        for state in sorted(states):
            count = sum((job.queue, job.state) == (queue, state) for job in instance.jobs)
            yield "bulk_jobs", (instance.name, queue, state), count


def _group(instance: InstanceSnapshot, group: GroupStanding) -> Iterator[Sample]:
    labels = (instance.name, group.group)
    for state in STATES:
        yield "group_state", (*labels, state), state == group.state
    yield "group_next_run_timestamp_seconds", labels, seconds(group.next_due)
    if instance.journal_problem:
        return
    whole = [night.ended_at for night in instance.nights if night.group == group.group and night.is_whole]
    yield "group_last_success_timestamp_seconds", labels, max(map(seconds, whole), default=0.0)
    if night := instance.last_night(group.group):
        yield "night_whole", labels, night.is_whole
        yield "night_duration_seconds", labels, took(night) or 0.0
        yield "night_rows", labels, night.rows
        yield "night_moved_rows", labels, night.moved
        yield "night_calls", labels, night.calls
        yield "night_export_bytes", labels, night.export_bytes


def _inbox(inbox: InboxStanding) -> Iterator[Sample]:
    labels = (inbox.instance, inbox.name)
    yield "inbox_files", (*labels, "waiting"), inbox.waiting
    yield "inbox_files", (*labels, "working"), bool(inbox.working)
    yield "inbox_processed_files_total", (*labels, "done"), inbox.done
    yield "inbox_processed_files_total", (*labels, "failed"), inbox.failed

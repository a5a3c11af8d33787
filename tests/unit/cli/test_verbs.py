"""What check, plan, sync and status show of their reports."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncengine.asset_reports import Outcome
from syncengine.cli.app import main
from syncengine.cli.check import check_code, show_check
from syncengine.cli.failures import PARTIAL
from syncengine.cli.plan import show_plan
from syncengine.cli.screen import Screen
from syncengine.cli.status import show_status
from syncengine.cli.sync import show_sync, sync_code, sync_facts
from syncengine.reports import (
    CheckItem,
    CheckReport,
    RunSummary,
    SlotHolder,
    StatusReport,
    StreamPlan,
    StreamReport,
    StreamStatus,
    SyncPlan,
    SyncReport,
    WindowStatus,
)

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LEADS = StreamReport("leads", 2, 20, 10, 5, 3, 2, 2_000_000, unparsed=1, problems=("left out x: a formula",))


def shown(show: Callable[..., None], value: object, **options: object) -> list[str]:
    out = io.StringIO()
    show(Screen(out=out), value, **options)
    return out.getvalue().splitlines()


def report(outcome: Outcome = "done", problems: tuple[str, ...] = ()) -> SyncReport:
    return SyncReport("7", outcome, AT, AT + timedelta(seconds=90), 90.0, 12, (LEADS,), problems=problems)


def test_a_check_shows_each_item_and_the_advice() -> None:
    """What failed is told with what to do about it."""
    items = (CheckItem("destination", True, "DuckDB"), CheckItem("credentials", False, "refused", "Look them up.", "X"))
    assert [
        "check                detail",
        "destination  ok      DuckDB",
        "credentials  FAILED  refused",
        "credentials: Look them up.",
    ] == shown(show_check, CheckReport(items))


@pytest.mark.parametrize(
    ("errors", "code"),
    [((), 0), (("Unavailable",), 6), (("PermissionDenied", "Unavailable"), 3), (("",), 1)],
)
def test_a_check_ends_with_the_code_of_its_first_fault(errors: tuple[str, ...], code: int) -> None:
    """An unreachable host is not told as a wrong secret."""
    items = (CheckItem("fine", True, ""), *(CheckItem("bad", False, "", "", error) for error in errors))
    assert code == check_code(CheckReport(items))


def test_a_plan_warns_when_today_is_not_enough() -> None:
    """Cost stands beside what is left, and more than that is said in words."""
    stream = StreamPlan(
        "leads", 3, 1, AT - timedelta(days=90), AT, 14, bytes_estimate=600_000_000, seconds_estimate=300.0
    )
    lines = shown(show_plan, SyncPlan((stream,), 14, 49_000, 500_000_000, 300.0))
    assert "leads         3        1  2025-12-02 08:00Z  2026-03-02 08:00Z     14  600.0 MB  5 min" == lines[1]
    assert "About 14 calls of the 49,000 that today has left, about 5 min." == lines[2]
    assert lines[-1].startswith("That is more than today allows")


def test_a_plan_says_when_the_size_is_unknown() -> None:
    """Before the first run there is no history to go by."""
    stream = StreamPlan("leads", 3, 0, AT, AT, 14)
    lines = shown(show_plan, SyncPlan((stream,), 14, 49_000, 500_000_000))
    assert (
        "Megabytes that are not known before the first run, of the 500.0 MB of bulk export that today has left."
        == (lines[-1])
    )


@pytest.mark.parametrize(("waiting", "told"), [(0, None), (1, "1 window waits"), (1_200, "1,200 windows wait")])
def test_a_plan_says_what_waits_for_tomorrow(waiting: int, told: str | None) -> None:
    """Windows that the day's megabytes are not enough for stand by their stream; where none wait, nothing is said."""
    stream = StreamPlan("leads", 2_000, 0, AT, AT, 14, waiting=waiting)
    lines = shown(show_plan, SyncPlan((stream,), 14, 49_000, 500_000_000))
    assert ([f"leads: {told} for tomorrow's megabytes."] if told else []) == [line for line in lines if "wait" in line]


def test_a_plan_shows_the_notes_of_its_streams() -> None:
    """What has to be known of a stream before it is synced stands between the table and the sums."""
    streams = [StreamPlan(name, 1, 0, AT, AT, 7, notes=(f"{name} is odd", "and even")) for name in ("leads", "more")]
    lines = shown(show_plan, SyncPlan(tuple(streams), 14, 49_000, 500_000_000))
    assert ["leads is odd", "and even", "more is odd", "and even"] == lines[3:-2]


def test_a_sync_shows_rows_and_notes() -> None:
    """Rows that were read again as before are counted apart from those that moved."""
    assert [
        "stream  windows  rows read  inserted  changed  as before    size",
        "leads         2         20        10        5          5  2.0 MB",
        "leads: left out x: a formula",
        "Done: 12 calls in 90 s.",
    ] == shown(show_sync, report())


def test_a_partial_sync_says_what_is_missing() -> None:
    """Nobody has to search for the hole."""
    lines = shown(show_sync, report("partial", ("leads from a to b: refused",)), time_scale=60.0)
    assert "Missing: leads from a to b: refused" == lines[-2]
    assert lines[-1].startswith(
        "Done in part; run `syncengine sync` again for the rest: 12 calls in 90 s of the sandbox"
    )


def test_a_paused_sync_says_when_to_go_on() -> None:
    """The table of what was done, what is missing, and from when on the same command brings it."""
    paused = replace(report("paused", ("leads from a to b: used up",)), resume_at=AT + timedelta(hours=22))
    lines = shown(show_sync, paused)
    assert lines[1].startswith("leads  ")
    assert [
        "Missing: leads from a to b: used up",
        "Paused until 2026-03-03 06:00Z; run `syncengine sync` again then for the rest: 12 calls in 90 s.",
    ] == lines[-2:]


def test_a_sync_shows_what_the_user_may_do() -> None:
    """The advice stands below what is missing, each piece on a line of its own."""
    partial = replace(report("partial", ("leads: refused",)), advice=("Ask an admin.", "Free some room."))
    assert ["Missing: leads: refused", "Ask an admin.", "Free some room."] == shown(show_sync, partial)[-4:-1]


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ((), PARTIAL),
        (("Unavailable",), PARTIAL),
        (("PermissionDenied",), 3),
        (("Unavailable", "PermissionDenied", "FileDamaged"), 3),
    ],
)
def test_a_partial_sync_ends_with_the_code_of_what_running_again_does_not_mend(
    errors: tuple[str, ...], code: int
) -> None:
    """A missing permission has to be given by somebody, whatever else is missing; the rest is a matter of time."""
    assert code == sync_code(replace(report("partial", ("leads: refused",)), errors=errors))
    assert 0 == sync_code(report())


def test_a_paused_sync_ends_with_the_code_of_a_spent_quota() -> None:
    """A scheduler tells it from what is missing for another reason: it has only to wait."""
    assert 4 == sync_code(replace(report("paused", ("leads: used up",)), errors=("QuotaExhausted",)))
    assert PARTIAL == sync_code(
        replace(report("partial", ("leads: used up",)), errors=("FileDamaged", "QuotaExhausted"))
    )


def test_sync_for_programs_has_the_sum() -> None:
    """`moved` stands in the JSON of each stream."""
    facts: Any = sync_facts(report())
    assert [15] == [each["moved"] for each in facts["streams"]]


STATUS = StatusReport(
    instance="acme",
    runs=(RunSummary("7", "sync", "done", AT, AT + timedelta(minutes=5), 20, 15, 12),),
    streams=(StreamStatus("leads", AT, 3_600.0, 1), StreamStatus("activities", None, None, 0)),
    windows_unfinished=(WindowStatus("leads", AT, AT, "QUEUED", "slow"),),
    calls_today=12,
    calls_per_day=50_000,
    export_bytes_today=2_000_000,
    export_bytes_per_day=500_000_000,
    window_slots_used=3,
    in_flight=2,
    holders=(SlotHolder("process 1 on here", 2),),
)


def test_status_shows_how_far_each_stream_is() -> None:
    """Cursor, lag, unfinished windows, runs and who is calling."""
    assert [
        "Instance acme",
        "stream      complete up to     behind  windows unfinished",
        "leads       2026-03-02 08:00Z  60 min                   1",
        "activities  -                       -                   0",
        "Unfinished windows",
        "stream  from               to                 state   last problem",
        "leads   2026-03-02 08:00Z  2026-03-02 08:00Z  QUEUED  slow",
        "Runs",
        "run  kind  began               took  outcome  rows  moved  calls",
        "  7  sync  2026-03-02 08:00Z  5 min  done       20     15     12",
        "Calls today: 12 of 50,000.",
        "Bulk export today: 2.0 MB of 500.0 MB.",
        "Now: 3 calls in the window, 2 in flight, by process 1 on here (2).",
    ] == shown(show_status, STATUS)


def test_status_has_room_for_a_run_of_every_stream() -> None:
    """Beyond a few names, their number; programs get all of them as JSON."""
    many, few = (replace(STATUS.runs[0], kind=f"sync {names}") for names in ("a+b+c+d+e", "a+b+c+d"))
    lines = shown(show_status, replace(STATUS, runs=(many, few)))
    assert (1, 1) == tuple(sum(text in line for line in lines) for text in ("sync 5 streams", "sync a+b+c+d "))


def test_status_before_the_first_run() -> None:
    """Nothing has happened, and that is said; a destination that cannot be read is no error."""
    report = replace(STATUS, runs=(), windows_unfinished=(), holders=(), destination_problem="locked")
    lines = shown(show_status, report)
    assert "The destination cannot be read: locked" in lines
    assert "Nothing has run yet: syncengine sync" in lines
    assert lines[-1].endswith("by nobody.")


@pytest.mark.parametrize("verb", ["check", "plan", "sync", "status"])
def test_a_bad_config_ends_before_any_network(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every verb reads the same file in the same way, and ends with 2."""
    path = tmp_path / "a.toml"
    path.write_text("[instanc]")
    assert 2 == main([verb, "-c", str(path)])
    assert 'instanc is not a table of the configuration (did you mean "instance"?)' in capsys.readouterr().err


CONFIG = """\
[instance]
name = "acme"
base_url = "http://127.0.0.1:9"
client_id = "id"
client_secret = "secret"

[sync]
start = 2026-01-01
"""


@pytest.mark.parametrize("verb", ["plan", "sync"])
def test_a_stream_that_is_read_in_full_has_to_be_one(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `--full` names reaches the engine, which knows the configured streams, before any call is made."""
    path = tmp_path / "syncengine.toml"
    path.write_text(f"{CONFIG}\n[state]\npath = '{tmp_path / 'state'}'\n")
    path.chmod(0o600)
    assert 2 == main([verb, "-c", str(path), "--full", "leads", "--full", "leeds"])
    assert "'leeds' is not a stream of this configuration" in capsys.readouterr().err

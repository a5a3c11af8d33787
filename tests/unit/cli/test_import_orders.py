"""What the commands of imports have in common: their options, and how plans and accounts are told."""

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncengine.cli.import_orders import (
    Going,
    Order,
    import_code,
    show_import,
    show_plan,
)
from syncengine.cli.screen import Screen
from syncengine.errors import ConfigError
from syncengine.imports.ambiguity import Policy
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.reports import FindingReport, ImportPlan, ImportReport

LEADS = Target(kind=Kind.LEADS, keys=("email",))
COUNTS = {"imported": 5, "warned": 0, "failed": 0, "quarantined": 0, "superseded": 0, "unresolved": 0, "waiting": 0}
REPORT = ImportReport(
    run_id="r-1",
    target="leads",
    route="bulk",
    outcome="done",
    rows=5,
    counts=COUNTS,
    chunks=1,
    batches=(7,),
    calls=4,
    seconds=90.0,
    sources=("people.csv",),
    files=("summary.json",),
    folder="imports/r-1",
)
PLAN = ImportPlan(
    target="leads",
    sources=("people.csv",),
    route="bulk",
    rows=1_000,
    sent=990,
    quarantined=8,
    superseded=2,
    chunks=3,
    bytes=25_000_000,
    calls=17,
    seconds=240.0,
    fullness=0.9987,
    columns=("email",),
    findings=(
        FindingReport("set aside", "email", "is empty", "", 8, ("people.csv line 3", "people.csv line 9")),
        FindingReport("for information", "the line", "is blank and holds no row", "", 1),
    ),
    stops=False,
)


def test_an_order_is_what_the_options_say(tmp_path: Path) -> None:
    """All of them."""
    path = tmp_path / "map.toml"
    path.write_bytes(b"[columns]\na = 'email'\n")
    order = Order(map=path, encoding="cp1252", allow_clear=True, route="rest", new_run=True)
    going = Going(on_ambiguous="hold", max_failures="5%", max_wait="2h")
    found = order.asked(LEADS, ("a.csv", "b.csv"), going)
    assert (("a.csv", "b.csv"), {"a": "email"}, "cp1252", True, Route.REST, True) == (
        found.files,
        found.mapping,
        found.encoding,
        found.allow_clear,
        found.route,
        found.is_new,
    )
    assert (Policy.HOLD, 0.05, timedelta(hours=2)) == (found.policy, found.failures_max, found.wait_max)


def test_what_is_not_said_is_the_careful_choice() -> None:
    """Nothing is cleared, nothing sent twice, and a fifth may fail."""
    found = Order().asked(LEADS, ("a.csv",), Going())
    assert (False, False, Policy.VERIFY, 0.2, timedelta(hours=12), Route.AUTO, {}, None) == (
        found.allow_clear,
        found.is_new,
        found.policy,
        found.failures_max,
        found.wait_max,
        found.route,
        found.mapping,
        found.encoding,
    )


@pytest.mark.parametrize(
    ("order", "files", "message"),
    [
        ({}, (), "no file was named"),
        ({"database": "duckdb:///x", "query": "SELECT 1"}, ("a.csv",), "rows come from files or from a query"),
        ({"query": "SELECT 1"}, (), "--from and --query go together"),
        ({"database": "duckdb:///x"}, (), "--from and --query go together"),
        ({}, ("-", "-"), "standard input (-) is read alone"),
        ({}, ("-", "a.csv"), "standard input (-) is read alone"),
    ],
)
def test_where_rows_come_from_is_said_once(order: Mapping[str, Any], files: tuple[str, ...], message: str) -> None:
    """Files or a query, and standard input alone."""
    with pytest.raises(ConfigError) as raised:
        Order(**order).asked(LEADS, files, Going())
    assert raised.value.message.startswith(message)


def shown(show: Any, value: object) -> list[str]:
    out = io.StringIO()
    show(Screen(out=out), value)
    return out.getvalue().splitlines()


def test_a_plan_is_told_with_its_findings() -> None:
    """What was found, then what would be sent."""
    lines = shown(show_plan, PLAN)
    assert "Findings" == lines[0]
    assert ["people.csv line 3; people.csv line 9" in line for line in lines[:4]] == [False, False, True, False]
    assert (
        "990 of 1,000 rows go into leads by bulk: 3 chunks, 99.9% full but for the last, 25.0 MB, about 17 calls "
        "and 4 min."
    ) == lines[-1]


def test_a_plan_that_is_stopped_tells_of_no_sending() -> None:
    """There is none."""
    assert 4 == len(shown(show_plan, replace(PLAN, stops=True)))
    single = replace(PLAN, findings=(), chunks=1, fullness=None, calls=1)
    assert ["990 of 1,000 rows go into leads by bulk: 1 chunk, 25.0 MB, about 1 call and 4 min."] == shown(
        show_plan, single
    )


def test_an_account_is_told_row_by_outcome() -> None:
    """With the files that there are, and how the run ended."""
    assert [
        "Import r-1 into leads",
        "outcome   rows  file",
        "imported     5",
        "The account is in imports/r-1.",
        "Done: 5 rows, 4 calls in 90 s.",
    ] == [line.rstrip() for line in shown(show_import, REPORT)]


@pytest.mark.parametrize(
    ("outcome", "counts", "lines"),
    [
        ("partial", {"failed": 2}, ["To send the failed rows again: syncengine imports retry-failed r-1"]),
        ("waiting", {"waiting": 2, "failed": 1}, ["To go on: syncengine imports resume r-1"]),
        (
            "stopped",
            {"waiting": 2, "failed": 3},
            ["Nothing more was sent. To go on: syncengine imports resume r-1 --max-failures 100%"],
        ),
        ("partial", {"quarantined": 1}, []),
    ],
)
def test_an_account_says_how_to_go_on(outcome: str, counts: dict[str, int], lines: list[str]) -> None:
    """One command for each case."""
    told = shown(show_import, replace(REPORT, outcome=outcome, counts=COUNTS | counts))
    assert lines == [line for line in told if "syncengine imports" in line]


def test_problems_and_notes_are_sentences() -> None:
    """Each on its line."""
    told = shown(show_import, replace(REPORT, outcome="partial", problems=("rows are missing",), notes=("A note.",)))
    assert ["Rows are missing.", "A note."] == told[3:5]
    assert told[-1].startswith("Done in part: ")


def test_files_are_named_beside_their_counts() -> None:
    """Only those that there are."""
    counts = COUNTS | {"failed": 2, "quarantined": 1}
    told = shown(show_import, replace(REPORT, outcome="partial", counts=counts, files=("failed.csv",)))
    assert [True, False] == ["failed.csv" in told[3], "quarantine.csv" in told[4]]


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("done", 0), ("partial", 1), ("stopped", 1), ("paused", 1), ("failed", 1), ("waiting", 9)],
)
def test_the_exit_code_tells_how_it_ended(outcome: str, code: int) -> None:
    """0 only when every row went in, 9 when the time was over."""
    assert code == import_code(replace(REPORT, outcome=outcome))

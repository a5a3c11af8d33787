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
    mapping_in,
    share_of,
    show_import,
    show_plan,
    span_of,
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


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("20%", 0.2),
        (" 20 % ", 0.2),
        ("0.2", 0.2),
        ("1%", 0.01),
        ("0.5%", 0.005),
        ("0", 0.0),
        ("100%", 1.0),
    ],
)
def test_a_share_is_written_in_several_ways(text: str, share: float) -> None:
    """In percent or as a number."""
    assert share == pytest.approx(share_of(text))


@pytest.mark.parametrize(
    "text", ["", "%", "many", "-1%", "101%", "1", "1.0", "20", "100", "250", "nan", "inf", "1e400", "20%%", "0x2"]
)
def test_what_is_no_share_is_told(text: str) -> None:
    """With how to write one; whether a bare 1 is a percent or all nobody can tell."""
    with pytest.raises(ConfigError) as raised:
        share_of(text)
    assert (f"--max-failures {text!r} is no share", "Write it as 20%, or as 0.2; 100% never stops.") == (
        raised.value.message,
        raised.value.advice,
    )


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1_800), ("2h", 7_200), ("1d", 86_400), (" 1.5 h ", 5_400)]
)
def test_a_length_of_time_has_a_unit(text: str, seconds: float) -> None:
    """Seconds, minutes, hours or days."""
    assert timedelta(seconds=seconds) == span_of(text)


@pytest.mark.parametrize(
    "text", ["", "2", "h", "-2h", "0s", "0.0h", "2 weeks", "2h30m", "1e3s", "9" * 400 + "s", "9" * 11 + "d"]
)
def test_what_is_no_length_of_time_is_told(text: str) -> None:
    """One that is longer than any calendar, too."""
    with pytest.raises(ConfigError) as raised:
        span_of(text)
    assert (f"--max-wait {text!r} is no length of time", "Write it as 90s, 30m, 2h or 1d.") == (
        raised.value.message,
        raised.value.advice,
    )


def written(folder: Path, content: bytes) -> Path:
    path = folder / "map.toml"
    path.write_bytes(content)
    return path


def test_a_map_names_fields(tmp_path: Path) -> None:
    """An empty one leaves a column out; headings are taken as they are."""
    path = written(tmp_path, b'[columns]\n"E-Mail" = "email"\n"" = ""\n" x" = "firstName"\n')
    assert {"E-Mail": "email", "": "", " x": "firstName"} == mapping_in(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[columns\n", "is no TOML: "),
        (b"[columns]\na = '\xff'\n", "is no TOML: "),
        (b"", "has to hold the table [columns] and nothing else"),
        (b"columns = 3\n", "has to hold the table [columns] and nothing else"),
        (b"[columns]\n[more]\n", "has to hold the table [columns] and nothing else"),
        (b"[columns]\na = 'email'\nb = 3\n", "gives 'b' something else than the name of a field"),
    ],
)
def test_a_map_that_is_none_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    """With its path and what is wrong."""
    path = written(tmp_path, content)
    with pytest.raises(ConfigError) as raised:
        mapping_in(path)
    assert raised.value.message.startswith(f"the map {path} {message}")


def test_a_map_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """One that is not there, a folder."""
    for path, why in ((tmp_path / "no.toml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError, match=f"cannot be read: {why}"):
            mapping_in(path)


def test_an_order_is_what_the_options_say(tmp_path: Path) -> None:
    """All of them."""
    path = written(tmp_path, b"[columns]\na = 'email'\n")
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

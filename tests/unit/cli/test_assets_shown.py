"""Reports about assets for people, and for programs."""

import io
from dataclasses import replace

import orjson
import pytest

from syncengine.asset_reports import AssetChange, AssetKindPlan, AssetKindReport, AssetsDiff, AssetsPlan, AssetsReport
from syncengine.cli.assets_shown import (
    CHANGES_SHOWN,
    NOTES_SHOWN,
    line_of,
    show_changes,
    show_diff,
    show_plan,
    show_pull,
)
from syncengine.cli.screen import Screen

CHANGED = AssetChange("email", 1056, "Hi", ("changed",), "News/Hi.email", "News/Hi.email", ("approved",), ("subject",))
EMAILS = AssetKindReport(
    kind="email",
    versions=1_234,
    fetched=5,
    added=1,
    changed=2,
    moved=3,
    renamed=4,
    removed=5,
    unchanged=1_000,
)
REPORT = AssetsReport(
    folder="assets", outcome="done", calls=1_234, calls_by_name={}, seconds=61.0, kinds=(EMAILS,), changes=(CHANGED,)
)
PLAN = AssetsPlan(
    folder="assets",
    kinds=(AssetKindPlan("email", 1_234, 5, 15),),
    spent=9,
    calls=24,
    calls_left_today=49_000,
    seconds=3.0,
)


def pulled(report: AssetsReport, *, time_scale: float = 1.0) -> list[str]:
    """The lines about a pull."""
    out = io.StringIO()
    show_pull(Screen(out=out), report, time_scale=time_scale)
    return out.getvalue().splitlines()


def compared(found: AssetsDiff, *, with_text: bool = False) -> list[str]:
    """The lines about a comparison."""
    out = io.StringIO()
    show_diff(Screen(out=out), found, with_text=with_text)
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("what", "path", "before", "fields", "line"),
    [
        (("added",), "a/X.form", "", (), "+ added: form 7 a/X.form"),
        (("removed",), "", "a/X.form", (), "- removed: form 7 a/X.form"),
        (("moved",), "b/X.form", "a/X.form", (), "~ moved: form 7 b/X.form (was a/X.form)"),
        (
            ("moved", "renamed", "changed"),
            "b/Y.form",
            "a/X.form",
            ("name", "fields"),
            "~ moved and renamed and changed: form 7 b/Y.form (was a/X.form): name, fields",
        ),
        (("changed",), "a/X.form", "a/X.form", ("fields",), "~ changed: form 7 a/X.form: fields"),
        (("changed",), "", "a/X.form.draft", (), "~ changed: form 7 a/X.form.draft"),
    ],
)
def test_a_line_says_what_became_of_an_asset(
    what: tuple[str, ...], path: str, before: str, fields: tuple[str, ...], line: str
) -> None:
    """With a sign to look for, where it lies, and where it lay if that is elsewhere."""
    assert line == line_of(AssetChange("form", 7, "X", what, path, before, (), fields))


def test_a_pull_is_told_kind_by_kind() -> None:
    """Then what changed, then its sum."""
    heading, row, change, end = pulled(REPORT)
    assert ["assets", "versions", "added", "changed", "moved", "renamed", "removed", "as", "before"] == heading.split()
    assert ["email", "1,234", "1", "2", "3", "4", "5", "1,000"] == row.split()
    assert "~ changed: email 1056 News/Hi.email: subject" == change
    assert "Done: assets after 1,234 calls in 61 s." == end


def test_the_first_pull_does_not_name_everything() -> None:
    """All of it is new."""
    new = tuple(replace(each, what=("added",)) for each in REPORT.changes)
    first = replace(REPORT, kinds=(replace(EMAILS, unchanged=0),), changes=new)
    assert not [line for line in pulled(first) if line.startswith(("+", "~", "-"))]


def test_a_pull_says_what_is_missing_and_what_to_do() -> None:
    """What Marketo does not give, or does not have, is no fault."""
    report = replace(
        REPORT,
        outcome="partial",
        changes=(),
        notes=("email 1 'Hi': Marketo gives no html (709)",),
        absent=("email_v2", "fragment"),
        problems=("form: refused",),
        advice=("Ask for the permission.",),
        files_bytes=2_500_000,
    )
    assert [
        "email 1 'Hi': Marketo gives no html (709)",
        "Not on this instance: email_v2, fragment",
        "Missing: form: refused",
        "Ask for the permission.",
        "Done in part; run the same command again for the rest: assets after 1,234 calls in 61 s, 2.5 MB of files.",
    ] == pulled(report)[2:]


def test_a_sandbox_in_a_hurry_tells_both_times() -> None:
    """Its own clock's, and how long one waited."""
    assert (
        "Done: assets after 1,234 calls in 61 s of the sandbox's clock, 1 s here." == pulled(REPORT, time_scale=60)[-1]
    )


@pytest.mark.parametrize("more", [0, 1, 1_000])
def test_long_lists_of_changes_are_cut(more: int) -> None:
    """At a number that can be read; how many there are is said, and where to find them."""
    found = pulled(replace(REPORT, changes=(CHANGED,) * (CHANGES_SHOWN + more)))
    assert CHANGES_SHOWN == sum(line.startswith("~") for line in found)
    last = [f"and {more:,} more; --json names them all"] if more else []
    assert last == [line for line in found if line.startswith("and ")]


@pytest.mark.parametrize("count", [0, 1, NOTES_SHOWN])
def test_a_few_notes_are_all_said(count: int) -> None:
    """One by one, and nothing is said of their number."""
    found = pulled(replace(REPORT, notes=("a note",) * count))
    assert count == found.count("a note")
    assert not [line for line in found if "gives no content" in line]


@pytest.mark.parametrize(("count", "words"), [(NOTES_SHOWN + 1, str(NOTES_SHOWN + 1)), (2_345, "2,345")])
def test_long_lists_of_what_is_not_given_are_counted(count: int, words: str) -> None:
    """They are the same with each pull: one line says how many, and where they are named."""
    found = pulled(replace(REPORT, notes=("a note",) * count))
    assert 0 == found.count("a note")
    line = f"Marketo gives no content of {words} versions; their files and --json name them all"
    assert 1 == found.count(line)


@pytest.mark.parametrize(
    ("count", "words"), [(0, "Nothing differs"), (1, "1 asset differs"), (2_000, "2,000 assets differ")]
)
def test_a_comparison_counts_assets(count: int, words: str) -> None:
    """And cuts no list: it was asked for."""
    found = compared(AssetsDiff("a", "b", (CHANGED,) * count))
    assert count + 1 == len(found)
    assert f"{words} between a and b." == found[-1]


def test_a_comparison_with_the_instance_says_what_it_cost() -> None:
    """And what could not be compared."""
    assert ["Nothing differs between a and live, after 1,300 calls."] == compared(AssetsDiff("a", "live", (), 1_300))
    assert [
        "Not compared: form: refused",
        "Nothing of what could be compared differs between a and live, after 1 calls.",
    ] == compared(AssetsDiff("a", "live", (), 1, ("form: refused",)))
    some = compared(AssetsDiff("a", "live", (CHANGED,), 0, ("form: refused",)))
    assert ["Not compared: form: refused", "1 asset differs between a and live."] == some[1:]


def test_lines_that_differ_are_shown_when_they_are_asked_for() -> None:
    """Below their asset; what could drive the terminal is shown and not obeyed."""
    change = replace(CHANGED, diff=("-Hi", "+Ho\x1b[2J"))
    assert ["    -Hi", "    +Ho?[2J"] == compared(AssetsDiff("a", "b", (change,)), with_text=True)[1:3]
    assert 2 == len(compared(AssetsDiff("a", "b", (change,))))


def test_a_plan_says_what_it_would_spend() -> None:
    """And what it has spent already."""
    out = io.StringIO()
    show_plan(Screen(out=out), replace(PLAN, problems=("form: refused",)))
    heading, row, problem, words, spent = out.getvalue().splitlines()
    assert ["assets", "versions", "to", "fetch", "calls", "for", "them"] == heading.split()
    assert ["email", "1,234", "5", "15"] == row.split()
    assert "Missing: form: refused" == problem
    assert "24 calls: 9 for the lists and 15 for contents, and one for each section of dynamic content" in words
    assert "3 s or more; 49,000 calls are left today." in words
    assert "9 calls were spent to find out. Nothing was written." == spent


def test_a_plan_without_contents_tells_of_no_sections() -> None:
    """There are none to be found."""
    out = io.StringIO()
    show_plan(Screen(out=out), replace(PLAN, calls=9))
    assert "dynamic" not in out.getvalue()


def test_a_program_gets_the_value_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json no line about an asset is said anywhere: the value has them all."""
    out = io.StringIO()
    screen = Screen(as_json=True, out=out)
    show_pull(screen, REPORT)
    show_changes(screen, (CHANGED,) * 99)
    show_diff(screen, AssetsDiff("a", "b", (CHANGED,)), with_text=True)
    show_plan(screen, PLAN)
    assert "" == out.getvalue()
    assert "1056" not in capsys.readouterr().err
    screen.result(REPORT)
    assert [1056] == [each["id"] for each in orjson.loads(out.getvalue())["changes"]]

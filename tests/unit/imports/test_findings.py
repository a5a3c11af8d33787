"""What a preflight finds, counted."""

from syncengine.imports.findings import EXAMPLES_MAX, Effect, Finding, Findings, ordered


def test_rows_of_one_fault_are_one_finding() -> None:
    """With the first places, however many pieces they come in."""
    findings = Findings()
    findings.set_aside("is empty", "email", 2, ["a.csv line 2", "a.csv line 3"])
    findings.set_aside("is empty", "email", 5, (f"a.csv line {n}" for n in range(9, 14)))
    assert (
        Finding(Effect.SETS_ASIDE, "is empty", "email", "", 7, ("a.csv line 2", "a.csv line 3", "a.csv line 9")),
    ) == findings.all()
    assert 3 == EXAMPLES_MAX


def test_nothing_is_told_of_no_rows() -> None:
    """A piece without the fault leaves no line in the table."""
    findings = Findings()
    findings.set_aside("is empty", "email", 0, [])
    assert () == findings.all()


def test_one_fault_of_two_columns_is_two_findings() -> None:
    """The most frequent first."""
    findings = Findings()
    findings.set_aside("is no date", "a", 1, ["x"])
    findings.set_aside("is no date", "b", 2, ["y"])
    assert ["b", "a"] == [each.column for each in findings.all()]


def test_what_stops_comes_first_and_what_only_tells_last() -> None:
    """Among equals the most frequent, then as they were found."""
    stop, other = Finding.stop("x", "a"), Finding.stop("y", "b")
    aside = [Finding(Effect.SETS_ASIDE, "z", "c", rows=rows) for rows in (1, 9)]
    tells = Finding(Effect.TELLS, "t", "d", rows=100)
    assert (stop, other, aside[1], aside[0], tells) == ordered([tells, aside[0], stop, aside[1], other])

"""`syncengine imports`: what became of earlier imports."""

import itertools

import pytest

from tests.unit.cli.live import Shell

NAMES = itertools.count()


def imported(shell: Shell, *words: str) -> str:
    """The run of a small import."""
    number = next(NAMES)
    file = shell.file("people.csv", "email,firstName", f"i{number}@x.example,A", f"j{number}@x.example,B")
    return str(shell.as_json("import", "leads", file, *words)[1]["report"]["run_id"])


def test_before_the_first_import_there_is_nothing(shell: Shell) -> None:
    """And how to begin is said."""
    assert (0, "Nothing has been imported yet: syncengine import leads people.csv\n") == shell.run("imports")
    assert (0, []) == shell.as_json("imports", "list")


def test_runs_are_listed(shell: Shell) -> None:
    """With and without the word, for people and for programs."""
    first, second = imported(shell), imported(shell, "--route", "bulk", "--max-wait", "1s")
    code, out = shell.run("imports")
    assert 0 == code
    assert out == shell.run("imports", "list")[1]
    heading, *lines = out.splitlines()
    assert ["run", "state", "began", "into", "from", "rows", "imported", "others"] == heading.split()
    assert {first: ("done", "2"), second: ("unfinished", "0")} == {
        line.split()[0]: (line.split()[1], line.split()[-2]) for line in lines
    }
    code, value = shell.as_json("imports")
    assert {first, second} == {each["run_id"] for each in value}


def test_one_run_is_shown(shell: Shell) -> None:
    """Its rows by outcome, its chunks by state, and where the account is."""
    run = imported(shell)
    code, out = shell.run("imports", "show", run)
    lines = out.splitlines()
    assert (0, f"Import {run} into leads, by rest, from people.csv") == (code, lines[0])
    assert lines[1].endswith(", done.")
    assert "DONE         1" in out
    assert f"The account is in {shell.folder / 'imports' / run}." == lines[-1]
    code, value = shell.as_json("imports", "show", run)
    assert (0, 2, {"DONE": 1}) == (code, value["rows"], value["chunks"])


@pytest.mark.parametrize("verb", ["show", "resume", "abandon", "retry-failed"])
def test_a_run_that_is_not_there_is_told(shell: Shell, verb: str) -> None:
    """In a sentence, with 2."""
    code, _ = shell.run("imports", verb, "20200101-000000-abcd")
    assert (2, True) == (code, "there is no import run '20200101-000000-abcd'" in shell.told)


def test_a_run_that_has_ended_is_not_resumed(shell: Shell) -> None:
    """And none of its rows failed."""
    run = imported(shell)
    code, _ = shell.run("imports", "resume", run)
    assert (2, True) == (code, "nothing of it is left to be done" in shell.told)
    code, _ = shell.run("imports", "retry-failed", run)
    assert (2, True) == (code, f"no row of run {run} failed" in shell.told)


def test_a_run_is_given_up(shell: Shell) -> None:
    """Exit 0, with what is not known told as such; there is nothing to be gone on with, and other imports go."""
    run = imported(shell, "--route", "bulk", "--max-wait", "1s")
    code, out = shell.run("imports", "abandon", run)
    assert (0, True, False) == (code, "Given up: 2 rows" in out, "To go on" in out)
    code, value = shell.as_json("imports", "show", run)
    assert ("abandoned", 2) == (value["state"], value["counts"]["unresolved"])
    assert ["summary.json", "unresolved.csv"] == sorted(
        path.name for path in (shell.folder / "imports" / run).iterdir()
    )
    for verb in ("resume", "abandon"):
        code, _ = shell.run("imports", verb, run)
        assert (2, True) == (code, "nothing of it is left to be done" in shell.told)
    imported(shell)


def test_an_unfinished_run_is_gone_on_with(shell: Shell) -> None:
    """By resume, or by the same command; its failed rows are not sent again before."""
    run = imported(shell, "--route", "bulk", "--max-wait", "1s")
    code, _ = shell.run("imports", "retry-failed", run)
    assert (2, True) == (code, f"run {run} is unfinished" in shell.told)
    code, out = shell.run("imports", "resume", run, "--max-wait", "2h")
    assert (0, True) == (code, f"Import {run} into leads" in out)

"""`syncengine state`: what people and programs are told, and with which code it ends."""

import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from syncengine.cli.state import FINDINGS_SHOWN, show_backup, show_prune, show_verify
from syncengine.state_reports import BackupPart, BackupReport, Finding, PruneReport, VerifyReport
from tests.unit.cli.live import Shell
from tests.unit.cli.test_verbs import AT, shown


@pytest.mark.parametrize("verb", ["verify", "backup", "prune"])
def test_each_verb_shows_an_example(shell: Shell, verb: str) -> None:
    """`--help` of a verb ends no conversation: it holds a line to copy."""
    code, out = shell.run("state", verb, "--help")
    assert (0, True) == (code, f"  syncengine state {verb}" in out)


def test_a_state_is_verified_and_ends_with_its_code(shell: Shell) -> None:
    """0 when it is whole, 1 when something is wrong, 2 when it cannot be read."""
    file = shell.file("people.csv", "email,firstName", "a1@x.example,A")
    assert 0 == shell.run("import", "leads", file)[0]
    assert (0, True) == ((told := shell.as_json("state", "verify", "--destination"))[0], told[1]["whole"])
    assert (0, []) == (told[1]["windows"], told[1]["findings"])
    journal = shell.folder / "state" / "journal.db"
    with closing(sqlite3.connect(journal)) as connection, connection:
        connection.execute("UPDATE jobs SET state = 'LOST' WHERE kind = 'import'")
    code, out = shell.run("state", "verify")
    assert (1, True, True) == (code, "WRONG" in out, "things are wrong: looked at 2 jobs" in out)
    journal.write_bytes(b"")
    assert (2, "") == shell.run("state", "verify")
    assert "is damaged: it is empty" in shell.told


def test_an_unfinished_import_goes_on_from_a_backup(shell: Shell) -> None:
    """All of the state is lost, the backup unpacked: the import is finished, and every row is in it once."""
    file = shell.file("people.csv", "email,firstName", "b1@x.example,A", "b2@x.example,B")
    _, value = shell.as_json("import", "leads", file, "--route", "bulk", "--max-wait", "1s")
    run = value["report"]["run_id"]
    code, out = shell.run("state", "backup", "kept.tar.gz")
    assert (0, True, True) == (code, f"imports/acme/{run}" in out, "`tar -xzf kept.tar.gz -C FOLDER`" in out)
    assert 0o600 == (shell.folder / "kept.tar.gz").stat().st_mode & 0o777
    assert 2 == shell.run("state", "backup", "kept.tar.gz")[0]
    assert 0 == shell.run("state", "backup", "kept.tar.gz", "--force")[0]

    shutil.rmtree(shell.folder / "state")
    (shell.folder / "state").mkdir(mode=0o700)
    with tarfile.open(shell.folder / "kept.tar.gz") as archive:
        archive.extractall(shell.folder / "state", filter="data")
    assert 0 == shell.run("state", "verify")[0]
    code, report = shell.as_json("imports", "resume", run, "--max-wait", "9h")
    assert (0, "done", 2) == (code, report["outcome"], report["counts"]["imported"])


def test_a_prune_says_what_went(shell: Shell) -> None:
    """By its dry run, then for good; days that are none are refused."""
    file = shell.file("people.csv", "email,firstName", "c1@x.example,A")
    for _ in range(2):
        assert 0 == shell.run("import", "leads", file)[0]
    # The journal's time is the sandbox's, whose last move is the present.
    code, value = shell.as_json("state", "prune", "--keep-days", "0", "--dry-run")
    assert (0, 2, 1, True) == (code, value["jobs"], value["imports"], value["dry_run"])
    code, out = shell.run("state", "prune", "--keep-days", "0")
    assert 0 == code
    assert ["removed", "number"] == out.splitlines()[0].split()
    assert "gained" in out.splitlines()[-1]
    assert 1 == len(shell.as_json("imports")[1])
    assert 2 == shell.run("state", "prune", "--keep-days", "-1")[0]
    assert 2 == shell.run("state", "prune", "--keep-days", "nan")[0]


def test_what_is_wrong_is_shown_first_and_not_without_end() -> None:
    """A damaged file has thousands of symptoms: the first ones do."""
    findings = (
        Finding("spool", "a file", wrong=False),
        *(Finding(f"job {n}", "it is lost", "Find it.") for n in range(60)),
    )
    lines = shown(show_verify, VerifyReport("state", findings, jobs=60, moves=200, runs=3, windows=5))
    assert ["job 0", "WRONG", "it is lost", "Find it."] == [
        part.strip() for part in lines[1].split("  ") if part.strip()
    ]
    assert len(lines) == FINDINGS_SHOWN + 3
    assert "And 11 more, of one cause perhaps: --json has them all." == lines[-2]
    assert (
        "60 things are wrong: looked at 60 jobs, 200 moves and 3 runs in state, 5 windows in the destination's ledger."
        == lines[-1]
    )


def test_a_backup_shows_how_it_is_restored() -> None:
    """And warns of what must not be done with an old one."""
    report = BackupReport("b.tar.gz", 5_000_000, AT, (BackupPart("journal.db", 20_000_000),), ("One is gone.",))
    lines = shown(show_backup, report)
    assert ["journal.db     20.0 MB", "One is gone."] == lines[1:3]
    assert "b.tar.gz is written: 5.0 MB, as of 2026-03-02 08:00Z." == lines[3]
    assert "must not be resumed" in lines[-1]


def test_a_dry_run_says_that_nothing_was_changed(tmp_path: Path) -> None:
    """So that nobody waits for room."""
    report = PruneReport(str(tmp_path), AT, True, jobs=1_200, moves=9, imports=2, runs=3, files=4, notes=("Later.",))
    assert [
        "would go         number",
        "jobs              1,200",
        "their moves           9",
        "of them imports       2",
        "runs                  3",
        "files of nobody       4",
        "Later.",
        "Nothing was changed; that is what ended before 2026-03-02 08:00Z.",
    ] == shown(show_prune, report)

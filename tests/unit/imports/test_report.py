"""The account of a run as files."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.imports.body import Rows, header_line
from syncengine.imports.endings import Ended, write
from syncengine.imports.manifest import ASIDE, Place, Writing, places
from syncengine.imports.outcome import Outcome
from syncengine.imports.report import ACTIVE, SHOWN_CHARACTERS_MAX, Account, harmless, write_report
from tests.unit.imports.table import batch, chunk, chunk_of, record

NAMES = ("email", "firstName", "leadScore")
HEADER = ["file", "line", "row", "reason", *NAMES]
PEOPLE = [("a@x", '=cmd|"/c calc"!A1', "1"), ("b@x", "two\r\nlines", "-2"), ("c@x", "", "3"), ("d@x", "+49 30", "4")]


def account(folder: Path, rows: Rows, *ends: Ended | None, name: str = "1") -> Account:
    """An account of one chunk whose rows ended so."""
    made = [(place, end) for (place, _), end in zip(places(rows.manifest), ends, strict=True) if end]
    write(made, folder / f"{name}.settled")
    return Account([folder / f"{name}.settled"], rows.bodies, NAMES, ["people.csv"])


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_each_outcome_has_its_file(tmp_path: Path) -> None:
    """With file, line, row and reason before the cells; and what would be empty is not there."""
    rows = chunk(tmp_path, *PEOPLE)
    failed, warned = (Outcome.FAILED, "no"), (Outcome.WARNED, "odd")
    made = account(tmp_path, rows, failed, None, warned, failed)
    report = tmp_path / "report"
    report.mkdir()
    files = write_report(report, made, {"rows": 4})
    assert ("summary.json", "failed.csv", "warnings.csv", "replay.csv") == files
    assert set(files) == {path.name for path in report.iterdir()}
    assert [
        HEADER,
        ["people.csv", "2", "1", "no", "a@x", "'" + PEOPLE[0][1], "1"],
        ["people.csv", "5", "4", "no", "d@x", "'+49 30", "4"],
    ] == read(report / "failed.csv")
    assert [HEADER, ["people.csv", "4", "3", "odd", "c@x", "", "3"]] == read(report / "warnings.csv")
    summary = orjson.loads((report / "summary.json").read_bytes())
    assert {"rows": 4, "files": ["failed.csv", "warnings.csv", "replay.csv"]} == summary


def test_replay_holds_the_very_bytes_that_were_sent(tmp_path: Path) -> None:
    """Of the rows that failed, and of no other; nothing is made harmless there."""
    made = account(tmp_path, chunk(tmp_path, *PEOPLE), (Outcome.FAILED, "no"), (Outcome.FAILED, "x"), None, None)
    write_report(tmp_path, made, {})
    assert header_line(NAMES) + record(PEOPLE[0]) + record(PEOPLE[1]) == (tmp_path / "replay.csv").read_bytes()


def test_what_was_set_aside_is_told_with_its_own_words(tmp_path: Path) -> None:
    """A record that is no row shows its beginning; a superseded one the row that took its place."""
    records = [b"a@x,Ann,1\n", b'no, "row\xff\n', b"z" * 50_000 + b"\n", b"b@x,Bob,2\n"]
    rows = chunk_of(tmp_path, records, ["a", "b", "c", "d"])
    given = [
        (1, 0, 2, 0, 0, len(records[0]), Outcome.SUPERSEDED.value, "row 4"),
        (2, 0, 3, 0, len(records[0]), len(records[1]), Outcome.QUARANTINED.value, "has 2 cells where 3 are"),
        (3, 0, 4, 0, len(records[0] + records[1]), len(records[2]), Outcome.QUARANTINED.value, "is too large"),
    ]
    with Writing(tmp_path / "aside.arrow", ASIDE) as writing:
        writing.add(batch(ASIDE, given))
    files = write_report(tmp_path, Account([tmp_path / "aside.arrow"], rows.bodies, NAMES, ["p.csv"]), {})
    assert ("summary.json", "quarantine.csv", "superseded.csv") == files
    assert [HEADER, ["p.csv", "2", "1", "row 4", "a@x", "Ann", "1"]] == read(tmp_path / "superseded.csv")
    assert [
        ["p.csv", "3", "2", "has 2 cells where 3 are", 'no, "row\ufffd\n'],
        ["p.csv", "4", "3", "is too large", "z" * SHOWN_CHARACTERS_MAX],
    ] == read(tmp_path / "quarantine.csv")[1:]


def test_rows_come_in_the_order_of_chunks(tmp_path: Path) -> None:
    """From whichever of their bodies."""
    first = chunk(tmp_path, ("a@x", "A", "1"), name="1")
    second = chunk(tmp_path, ("b@x", "B", "2"), name="2")
    accounts = [
        account(tmp_path, rows, (Outcome.UNRESOLVED, "lost"), name=name)
        for name, rows in (("1", first), ("2", Rows(second.manifest, second.bodies)))
    ]
    for each in accounts:
        write_report(tmp_path, each, {})
        assert ["lost"] == [row[3] for row in read(tmp_path / "unresolved.csv")[1:]]


def test_a_report_is_written_anew(tmp_path: Path) -> None:
    """A later account of the run replaces the earlier one, and a file that would be empty now is gone."""
    rows = chunk(tmp_path, *PEOPLE)
    write_report(tmp_path, account(tmp_path, rows, (Outcome.FAILED, "no"), None, None, None), {})
    files = write_report(tmp_path, account(tmp_path, rows, None, (Outcome.WARNED, "odd"), None, None), {})
    assert ("summary.json", "warnings.csv") == files
    assert not (tmp_path / "failed.csv").exists()
    assert not (tmp_path / "replay.csv").exists()
    assert [] == list(tmp_path.glob("*.part"))


def test_a_report_that_breaks_off_leaves_the_old_one(tmp_path: Path) -> None:
    """A file has its name only when it is whole."""
    rows = chunk(tmp_path, *PEOPLE)
    write_report(tmp_path, account(tmp_path, rows, (Outcome.FAILED, "no"), None, None, None), {"try": 1})
    before = {name: (tmp_path / name).read_bytes() for name in ("failed.csv", "replay.csv", "summary.json")}
    broken = account(tmp_path, rows, None, None, None, (Outcome.FAILED, "no"))
    rows.bodies[0].write_bytes(b"shorter")
    with pytest.raises(Exception, match="has changed"):
        write_report(tmp_path, broken, {"try": 2})
    assert before == {name: (tmp_path / name).read_bytes() for name in before}
    assert [] == list(tmp_path.glob("*.part"))


HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.builds(
    str.__add__, st.sampled_from(["=", "+", "-", "@", "\t", "\r", "\0", "\n=", '"=', "'="]), st.text(max_size=3)
)


@given(HOSTILE)
def test_no_cell_is_a_formula(cell: str) -> None:
    """And nothing of it is lost but NUL, which no spreadsheet can show."""
    shown = harmless(cell)
    assert not shown.startswith(ACTIVE)
    assert "\0" not in shown
    assert cell.replace("\0", "\ufffd") == (shown[1:] if cell.startswith(ACTIVE) else shown)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), min_size=1, max_size=4), HOSTILE, HOSTILE)
def test_files_for_people_are_harmless(rows: Sequence[tuple[str, str, str]], reason: str, source: str) -> None:
    """Whatever cells, reasons and file names hold: each cell is quoted and none begins a formula; replay is exact."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        made = chunk(folder, *rows)
        ends: list[Any] = [(Outcome.FAILED, reason)] * len(rows)
        given_account = account(folder, made, *ends)
        write_report(folder, Account(given_account.settled, made.bodies, NAMES, [source]), {})
        with (folder / "failed.csv").open(encoding="utf-8", newline="") as file:
            text = file.read()
        replay = (folder / "replay.csv").read_bytes()
    cells = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert not [cell for row in cells for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [[harmless(cell) for cell in row] for row in rows] == [row[4:] for row in cells[1:]]
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in cells]
    assert "".join(f"{row}\n" for row in quoted) == text
    assert header_line(NAMES) + b"".join(record(row) for row in rows) == replay


def test_nothing_that_failed_leaves_only_a_summary(tmp_path: Path) -> None:
    """Everything went in."""
    made = account(tmp_path, chunk(tmp_path, *PEOPLE), None, None, None, None)
    assert ("summary.json",) == write_report(tmp_path, made, {})


def test_a_place_knows_its_source(tmp_path: Path) -> None:
    """Of several files each row tells which one it is from."""
    rows = chunk(tmp_path, ("a@x", "A", "1"), ("b@x", "B", "2"))
    found = [place for place, _ in places(rows.manifest)]
    moved = Place(2, 1, 9, 0, found[1].offset, found[1].length)
    write([(found[0], (Outcome.WARNED, "x")), (moved, (Outcome.WARNED, "y"))], tmp_path / "1.settled")
    write_report(tmp_path, Account([tmp_path / "1.settled"], rows.bodies, NAMES, ["one.csv", "two.csv"]), {})
    assert [["one.csv", "2"], ["two.csv", "9"]] == [row[:2] for row in read(tmp_path / "warnings.csv")[1:]]

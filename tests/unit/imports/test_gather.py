"""Reading every source once: rows numbered, checked and written down with the place of their bytes."""

from pathlib import Path
from typing import Any

import pytest

from syncengine.imports.checks import Checks
from syncengine.imports.gather import Gathering, rows_file
from syncengine.imports.keys import Keys
from syncengine.imports.manifest import SCANNED, Writing, pieces
from syncengine.sources.opening import open_source
from syncengine.sources.spool import Spool
from tests.unit.imports.table import COLUMNS

HEADER = b"email,firstName,leadScore\n"


def gathered(
    folder: Path, *sources: bytes, row_bytes_max: int = 10_000
) -> tuple[Gathering, list[dict[str, Any]], list[tuple[int, int]]]:
    """The gathering, all rows as they were written down, and what is superseded."""
    with (
        Keys(folder / "keys") as keys,
        Spool(folder / "spool.csv") as spool,
        Writing(rows_file(folder), SCANNED) as writing,
    ):
        names = [f"{number}.csv" for number in range(len(sources))]
        gathering = Gathering(Checks(COLUMNS), writing, keys, row_bytes_max, names)
        for number, content in enumerate(sources):
            (folder / names[number]).write_bytes(content)
            source = open_source(str(folder / names[number]), work=folder / "work")
            for _ in gathering.source(number, source, COLUMNS, spool):
                pass
        spool.sync()
        superseded = list(keys.superseded())
    rows = [row for batch in pieces(rows_file(folder)) for row in batch.to_pylist()]
    return gathering, rows, superseded


def test_rows_are_numbered_through_all_sources(tmp_path: Path) -> None:
    """From 1; each knows its file, its line there, and where its bytes lie."""
    one = HEADER + b"a@x,A,1\n\nb@x,B,2\n"
    two = HEADER + b'c@x,"C\nC",3\nd@x,D,4\n'
    gathering, rows, _ = gathered(tmp_path, one, two)
    assert [(1, 0, 2), (2, 0, 4), (3, 1, 2), (4, 1, 4)] == [(row["row"], row["source"], row["line"]) for row in rows]
    contents = [b"", one, two]
    assert [b"a@x,A,1\n", b"b@x,B,2\n", b'c@x,"C\nC",3\n', b"d@x,D,4\n"] == [
        contents[row["body"]][row["offset"] : row["offset"] + row["length"]] for row in rows
    ]
    assert (["a@x", "b@x", "c@x", "d@x"], {None}) == (
        [row["key"] for row in rows],
        {row["problem"] for row in rows},
    )
    assert (4, 4, 12) == (gathering.rows, gathering.good, gathering.largest)


def test_rows_that_are_not_strict_csv_lie_in_the_spool(tmp_path: Path) -> None:
    """The spool is the first of the bodies."""
    content = b"email;firstName;leadScore\na@x;A,B;1\n"
    _, rows, _ = gathered(tmp_path, content)
    assert [(0, b'a@x,"A,B",1\n')] == [
        (row["body"], (tmp_path / "spool.csv").read_bytes()[row["offset"] :][: row["length"]]) for row in rows
    ]


def test_unreadable_records_stand_where_they_are_in_the_source(tmp_path: Path) -> None:
    """In the order of lines, with their reason; they are rows like any other, and nothing looks for their key."""
    content = HEADER + b"a@x,A,1\nragged\nb@x,B,2\nc@x,C,3,4\nd@x,D,4\n"
    gathering, rows, _ = gathered(tmp_path, content)
    assert [2, 3, 4, 5, 6] == [row["line"] for row in rows]
    assert [1, 2, 3, 4, 5] == [row["row"] for row in rows]
    assert [False, True, False, True, False] == [row["problem"] is not None for row in rows]
    assert (5, 3) == (gathering.rows, gathering.good)
    places = {place for each in gathering.checks.findings.all() for place in each.examples}
    assert {"0.csv line 3", "0.csv line 5"} == places


def test_bad_rows_have_their_problem_and_no_claim_to_a_key(tmp_path: Path) -> None:
    """A row that is set aside takes no place of a good one with its key."""
    _, rows, superseded = gathered(tmp_path, HEADER + b"a@x,A,1\na@x,A,x\n,B,2\n")
    assert [None, "leadScore is no whole number", "email is empty"] == [row["problem"] for row in rows]
    assert [] == superseded


def test_keys_are_compared_across_sources(tmp_path: Path) -> None:
    """The last one wins, whatever file it stands in and however its address is written."""
    _, _, superseded = gathered(tmp_path, HEADER + b"a@x,A,1\nb@x,B,2\n", HEADER + b" A@X ,A,3\n")
    assert [(1, 3)] == superseded


@pytest.mark.parametrize("most", [8, 9, 10])
def test_a_row_that_no_call_takes_is_set_aside(tmp_path: Path, most: int) -> None:
    """By its bytes, with the place where it stands; what has another problem keeps that one."""
    gathering, rows, _ = gathered(tmp_path, HEADER + b"a@x,A,1\nb@x,BB,2\nc@x,CCC,x\n", row_bytes_max=most)
    large = f"is larger than the {most} bytes that one call takes"
    expected = [None, f"the row {large}" if most < 9 else None, "leadScore is no whole number"]
    assert expected == [row["problem"] for row in rows]
    told = [(each.column, each.what, each.examples) for each in gathering.checks.findings.all()]
    assert (("the row", large, ("0.csv line 3",)) in told) == (most < 9)
    assert (2 if most >= 9 else 1, 9 if most >= 9 else 8) == (gathering.good, gathering.largest)


def test_places_name_the_file_and_its_line(tmp_path: Path) -> None:
    """Of the first rows, whichever source they are in."""
    gathering, _, _ = gathered(tmp_path, HEADER + b"a@x,A,x\n", HEADER + b"b@x,B,2\nc@x,C,x\n")
    (finding,) = gathering.checks.findings.all()
    assert ("0.csv line 2", "1.csv line 3") == finding.examples


def test_a_source_without_rows_has_none(tmp_path: Path) -> None:
    """A header alone."""
    gathering, rows, superseded = gathered(tmp_path, HEADER)
    assert (0, 0, [], []) == (gathering.rows, gathering.largest, rows, superseded)


def test_many_pieces_are_numbered_without_a_gap(tmp_path: Path) -> None:
    """A file of some megabytes comes in several."""
    count = 120_000
    content = HEADER + b"".join(b"p%d@x.example,%s,%d\n" % (n, b"N" * 20, n) for n in range(count))
    gathering, rows, _ = gathered(tmp_path, content)
    assert count == gathering.rows
    assert list(range(1, count + 1)) == [row["row"] for row in rows]
    assert [n + 1 for n in range(1, count + 1)] == [row["line"] for row in rows]

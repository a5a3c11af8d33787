"""What became of each row, from the files in which Marketo lists those that did not simply go in."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from syncengine.errors import SourceUnusable
from syncengine.imports.body import Rows, changed
from syncengine.imports.endings import Tally
from syncengine.imports.header import Column
from syncengine.imports.settle import NO_REASON, join
from tests.unit.imports.table import COLUMNS, EMAIL, NAME, SCORE, chunk, ended, is_settled_file, record

PEOPLE = [
    ("a@x.example", "Ann", "1"),
    ("Bob@X.example", "Bob", "2"),
    ("c@x.example", 'Cy "C", the\r\nfirst', ""),
    ("d@x.example", "Dee", "4"),
]
REASON = "Import Failure Reason"
HEADER = ("email", "firstName", "leadScore", REASON)


def listed(folder: Path, name: str, *rows: Sequence[str], header: Sequence[str] = HEADER, mark: bytes = b"") -> Path:
    """A file as Marketo gives it."""
    path = folder / f"{name}.csv"
    path.write_bytes(mark + b"".join(record(row) for row in (header, *rows)))
    return path


def joined(
    rows: Rows,
    failures: Path | None = None,
    warnings: Path | None = None,
    *,
    columns: Sequence[Column] = COLUMNS,
    verify: Callable[[], None] = lambda: None,
) -> tuple[Tally, list[tuple[int, str, str]]]:
    into = rows.manifest.with_suffix(".settled")
    tally = join(rows, columns, failures, warnings, into, verify=verify)
    assert is_settled_file(into)
    return tally, ended(into)


def test_rows_are_found_by_their_keys(tmp_path: Path) -> None:
    """In the order of the chunk, however the list is ordered and an address is written."""
    failures = listed(tmp_path, "f", ("d@x.example", "Dee", "4", "no"), (" BOB@x.example ", "Bob", "2", "bad name"))
    warnings = listed(tmp_path, "w", ("c@x.example", PEOPLE[2][1], "", "odd"))
    tally, found = joined(chunk(tmp_path, *PEOPLE), failures, warnings)
    assert [(2, "failed", "bad name"), (3, "imported with warning", "odd"), (4, "failed", "no")] == found
    assert Tally(failed=2, warned=1) == tally


def test_where_nothing_is_listed_everything_went_in(tmp_path: Path) -> None:
    """No file, or one with a header alone."""
    rows = chunk(tmp_path, *PEOPLE)
    assert (Tally(), []) == joined(rows)
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    assert (Tally(), []) == joined(rows, listed(tmp_path, "f"), empty)


def test_columns_may_stand_in_another_order(tmp_path: Path) -> None:
    """With a byte order mark before them and lines that hold nothing."""
    header = ("leadScore", "email", "firstName", REASON)
    failures = listed(tmp_path, "f", ("4", "d@x.example", "Dee", "no"), header=header, mark=b"\xef\xbb\xbf")
    failures.write_bytes(failures.read_bytes() + b"\n\n")
    assert [(4, "failed", "no")] == joined(chunk(tmp_path, *PEOPLE), failures)[1]


def test_a_quoted_line_end_is_part_of_its_cell(tmp_path: Path) -> None:
    """In a cell as in a reason."""
    failures = listed(tmp_path, "f", ("c@x.example", PEOPLE[2][1], "", "two\nlines"), ("d@x.example", "Dee", "4", "no"))
    assert [(3, "failed", "two\nlines"), (4, "failed", "no")] == joined(chunk(tmp_path, *PEOPLE), failures)[1]


def test_what_failed_is_not_warned(tmp_path: Path) -> None:
    """A row comes to one end, the worse of the two."""
    failures = listed(tmp_path, "f", ("a@x.example", "Ann", "1", "no"))
    warnings = listed(tmp_path, "w", ("a@x.example", "Ann", "1", "odd"))
    assert (Tally(failed=1), [(1, "failed", "no")]) == joined(chunk(tmp_path, *PEOPLE), failures, warnings)


def test_a_stranger_is_counted(tmp_path: Path) -> None:
    """Somebody in the list whom we did not send: the account is not whole, and says so."""
    failures = listed(tmp_path, "f", ("z@x.example", "Zed", "9", "no"), ("a@x.example", "Ann", "1", "no"))
    assert (Tally(failed=1, strangers=1), [(1, "failed", "no")]) == joined(chunk(tmp_path, *PEOPLE), failures)


def test_no_reason_is_told_as_such(tmp_path: Path) -> None:
    """An empty one, too."""
    failures = listed(tmp_path, "f", ("a@x.example", "Ann", "1", " "))
    assert [(1, "failed", NO_REASON)] == joined(chunk(tmp_path, *PEOPLE), failures)[1]


VIN = Column("vin", "string", 36, 0, is_key=True)
PLATE = Column("plate", "string", 36, 2, is_key=True)
CARS = (VIN, NAME, PLATE)


def test_a_last_lookup_column_that_is_missing_shifts_nothing(tmp_path: Path) -> None:
    """Marketo leaves it out where it is empty: cells are found by the header, never by their place from the end."""
    columns = (NAME, SCORE, EMAIL)
    people = [("Ann", "1", "a@x.example"), ("Bob", "2", "b@x.example")]
    header = ("firstName", "leadScore", "email", REASON)
    short = listed(tmp_path, "f", ("Bob", "2", "b@x.example", "no"), header=header)
    assert [(2, "failed", "no")] == joined(chunk(tmp_path, *people, columns=columns), short, columns=columns)[1]
    cars = [("V1", "Ann", "P1"), ("V2", "Bob", ""), ("V3", "Cy", "P3")]
    missing = listed(tmp_path, "g", ("V2", "Bob", "no plate"), header=("vin", "firstName", REASON))
    found = joined(chunk(tmp_path, *cars, columns=CARS, name="2"), missing, columns=CARS)
    assert (Tally(failed=1), [(2, "failed", "no plate")]) == found


def test_a_row_without_its_key_is_found_by_all_its_cells(tmp_path: Path) -> None:
    """The list has the row's other cells, and they are those of one of ours."""
    rows = chunk(tmp_path, *PEOPLE)
    failures = listed(tmp_path, "f", ("Bob", "2", "no"), header=("firstName", "leadScore", REASON))
    assert (Tally(failed=1), [(2, "failed", "no")]) == joined(rows, failures)


def test_several_rows_without_their_keys_are_all_found(tmp_path: Path) -> None:
    """Each by its own cells, with its own reason; and a stranger among them is still one."""
    rows = chunk(tmp_path, *PEOPLE)
    header = ("firstName", "leadScore", REASON)
    failures = listed(tmp_path, "f", ("Dee", "4", "no"), ("Ann", "1", "never"), ("Zed", "9", "odd"), header=header)
    assert (Tally(failed=2, strangers=1), [(1, "failed", "never"), (4, "failed", "no")]) == joined(rows, failures)


def test_a_row_whose_key_was_changed_is_found_by_the_rest(tmp_path: Path) -> None:
    """Marketo may give back a key in another form than it was sent."""
    columns = (Column("code", "string", 36, 0, is_key=True), NAME)
    people = [("Ab-1", "Ann"), ("Ab-2", "Bob")]
    failures = listed(tmp_path, "f", ("Ab-2 ", "Bob", "no"), header=("code", "firstName", REASON))
    assert [(2, "failed", "no")] == joined(chunk(tmp_path, *people, columns=columns), failures, columns=columns)[1]


@pytest.mark.parametrize("count", [2_500])
def test_long_lists_are_read_in_pieces(tmp_path: Path, count: int) -> None:
    """Nothing is lost between two of them."""
    people = [(f"p{n}@x.example", "A", str(n)) for n in range(count)]
    failures = listed(tmp_path, "f", *[(*row, f"no {row[2]}") for row in people[::2]])
    warnings = listed(tmp_path, "w", *[(*row, "odd") for row in people[1::2]])
    tally, found = joined(chunk(tmp_path, *people), failures, warnings)
    assert Tally(failed=count // 2, warned=count // 2) == tally
    assert list(range(1, count + 1)) == [row for row, _, _ in found]
    assert {"no 0", "no 2"} == {reason for row, _, reason in found if row in {1, 3}}


def test_cells_are_compared_with_those_that_were_sent_or_not_at_all(tmp_path: Path) -> None:
    """A key that is not in the chunk is sought in the source, which may have changed since; others need none of it."""
    rows = chunk(tmp_path, *PEOPLE)

    def refuse() -> None:
        raise changed(rows.bodies[0])

    by_key = listed(tmp_path, "f", ("d@x.example", "Dee", "4", "no"))
    assert [(4, "failed", "no")] == joined(rows, by_key, verify=refuse)[1]
    rows.bodies[0].write_bytes(b"\n" * rows.bodies[0].stat().st_size)
    by_cells = listed(tmp_path, "g", ("Dee", "4", "no"), header=("firstName", "leadScore", REASON))
    with pytest.raises(SourceUnusable, match="has changed since this import was planned"):
        joined(rows, by_cells, verify=refuse)

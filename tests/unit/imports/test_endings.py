"""How rows of a chunk ended, written down."""

from pathlib import Path

import pytest

from syncengine.imports.endings import BATCH_ROWS, Ended, Tally, write, write_all
from syncengine.imports.manifest import Place
from syncengine.imports.outcome import Outcome
from tests.unit.imports.table import chunk, ended, is_settled_file


def row(number: int) -> Place:
    return Place(number, 0, number + 1, 1, 10 * number, 10)


def test_ends_are_written_in_order_and_counted(tmp_path: Path) -> None:
    """By outcome, however many they are."""
    kinds = [Outcome.FAILED, Outcome.WARNED, Outcome.FAILED, Outcome.UNRESOLVED]
    count = BATCH_ROWS + 4
    given: list[tuple[Place, Ended]] = [(row(n), (kinds[n % 4], f"reason {n}")) for n in range(count)]
    tally = write(given, tmp_path / "1.settled")
    assert Tally(failed=count // 2, warned=count // 4, unresolved=count // 4) == tally
    assert [(n, kinds[n % 4].value, f"reason {n}") for n in range(count)] == ended(tmp_path / "1.settled")
    assert is_settled_file(tmp_path / "1.settled")


@pytest.mark.parametrize(("listed", "strangers"), [(0, 0), (2, 0), (3, 1), (7, 5)])
def test_what_is_listed_and_not_ours_is_a_stranger(tmp_path: Path, listed: int, strangers: int) -> None:
    """Rows of ours that nobody listed are none; an unresolved one was listed by nobody."""
    ends: list[tuple[Place, Ended]] = [
        (row(1), (Outcome.FAILED, "a")),
        (row(2), (Outcome.WARNED, "b")),
        (row(3), (Outcome.UNRESOLVED, "c")),
    ]
    assert Tally(1, 1, 1, strangers) == write(ends, tmp_path / "1.settled", listed=listed)


def test_all_rows_of_a_chunk_can_end_alike(tmp_path: Path) -> None:
    """Marketo gave the whole batch up."""
    rows = chunk(tmp_path, ("a@x", "A", "1"), ("b@x", "B", "2"))
    assert Tally(failed=2) == write_all(rows.manifest, Outcome.FAILED, "gone", tmp_path / "1.settled")
    assert [(1, "failed", "gone"), (2, "failed", "gone")] == ended(tmp_path / "1.settled")


def test_no_end_is_a_file_without_rows(tmp_path: Path) -> None:
    """Everything went in: that stands there, too."""
    assert Tally() == write([], tmp_path / "1.settled")
    assert ([], True) == (ended(tmp_path / "1.settled"), is_settled_file(tmp_path / "1.settled"))

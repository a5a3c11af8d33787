"""Files of rows on disk."""

from pathlib import Path

import pytest

from syncengine.errors import NoSpace
from syncengine.imports.manifest import ASIDE, PIECE_ROWS, SENT, Place, Writing, pieces, places, written
from tests.unit.imports.table import batch


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    """Whoever finds a manifest finds all of it; what broke off leaves nothing."""
    path = tmp_path / "1.arrow"
    with Writing(path, SENT) as writing:
        writing.add(batch(SENT, [(1, 0, 2, 0, 0, 5, "a")]))
        assert not path.exists()
    assert ([path], 1) == (list(tmp_path.iterdir()), writing.rows)
    with pytest.raises(RuntimeError), Writing(tmp_path / "2.arrow", SENT):
        raise RuntimeError
    assert [path] == list(tmp_path.iterdir())


def test_rows_are_read_back_in_order_and_in_pieces(tmp_path: Path) -> None:
    """A piece has so many rows at most, however they were written."""
    rows = [(n, 0, n + 1, 0, n * 5, 5, f"k{n}") for n in range(PIECE_ROWS + 10)]
    with Writing(tmp_path / "1.arrow", SENT) as writing:
        writing.add(batch(SENT, rows))
        writing.add(batch(SENT, []))
        writing.add(batch(SENT, [(99, 0, 1, 0, 0, 1, "z")]))
    assert [PIECE_ROWS, 10, 1] == [each.num_rows for each in pieces(tmp_path / "1.arrow")]
    found = list(places(tmp_path / "1.arrow"))
    assert [*range(PIECE_ROWS + 10), 99] == [place.row for place, _ in found]
    assert (Place(99, 0, 1, 0, 0, 1), {"key": "z"}) == found[-1]


def test_rows_of_one_outcome_are_read_alone(tmp_path: Path) -> None:
    """With their reasons."""
    given = [(n, 0, n, 0, 0, 1, outcome, f"r{n}") for n, outcome in enumerate(["failed", "superseded", "failed"])]
    with Writing(tmp_path / "1.arrow", ASIDE) as writing:
        writing.add(batch(ASIDE, given))
    found = list(places(tmp_path / "1.arrow", "failed"))
    assert [(0, "r0"), (2, "r2")] == [(place.row, more["reason"]) for place, more in found]


def test_any_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """One that was there before stays as it was when the new one breaks off."""
    path = tmp_path / "a.csv"
    with written(path) as part:
        part.write_bytes(b"old")
    with pytest.raises(TypeError), written(path) as part:
        part.write_bytes("new")  # type: ignore[arg-type]
    assert ([path], b"old") == (list(tmp_path.iterdir()), path.read_bytes())


@pytest.mark.parametrize("rows", [0, 1, 100_000])
def test_a_full_disk_is_told_as_such(tmp_path: Path, rows: int) -> None:
    """Also where it is met only when the file is closed; nothing lies about then."""
    path = tmp_path / "1.arrow"
    path.with_name("1.arrow.part").symlink_to("/dev/full")
    with pytest.raises(NoSpace, match="is full"), Writing(path, SENT) as writing:
        writing.add(batch(SENT, [(n, 0, n, 0, 0, 1, "k") for n in range(rows)]))
    assert [] == list(tmp_path.iterdir())

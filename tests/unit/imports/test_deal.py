"""From all rows to chunks: what is set aside, and what goes where."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.errors import NoSpace
from syncengine.imports.chunk import Room
from syncengine.imports.deal import Dealing, Dealt, aside_file, by_length
from syncengine.imports.manifest import SENT, pieces, places
from tests.unit.imports.table import ended, scanned

RowsGiven = list[tuple[int, str, str | None]]
ROWS = st.lists(st.tuples(st.integers(1, 50), st.sampled_from("abcdef"), st.none() | st.just("is wrong")), max_size=40)


def winners(rows: RowsGiven) -> list[tuple[int, int]]:
    """Good rows that a later one takes the place of."""
    good = [(number, key) for number, (_, key, problem) in enumerate(rows, 1) if problem is None]
    last = {key: number for number, key in good}
    return [(number, last[key]) for number, key in good if last[key] != number]


def dealt(folder: Path, rows: RowsGiven, room: Room, *, piece: int = 7) -> Dealing:
    scanned(folder / "rows.arrow", rows, piece=piece)
    dealing = Dealing(folder, room, by_length)
    list(dealing.steps(folder / "rows.arrow", iter(winners(rows))))
    return dealing


def sent(folder: Path, chunks: Sequence[Dealt]) -> list[list[int]]:
    return [[place.row for place, _ in places(folder / each.manifest)] for each in chunks]


@settings(deadline=None, max_examples=60)
@given(ROWS, st.integers(1, 9))
def test_each_row_is_in_one_chunk_or_aside(rows: RowsGiven, piece: int) -> None:
    """The chunks hold the good rows that nothing takes the place of, in order; the rest lies aside with its reason."""
    later = dict(winners(rows))
    with TemporaryDirectory() as folder:
        dealing = dealt(Path(folder), rows, Room(100, 5), piece=piece)
        numbers = sent(Path(folder), dealing.chunks)
        aside = ended(aside_file(Path(folder)))
        sizes = [[place.length for place, _ in places(Path(folder) / each.manifest)] for each in dealing.chunks]
        names = {path.name for path in Path(folder).iterdir()}
    wrong = [(n, "quarantined", "is wrong") for n, (_, _, problem) in enumerate(rows, 1) if problem]
    loose = [(n, "superseded", f"row {later[n]}") for n in later]
    assert sorted(wrong + loose) == aside
    assert [n for n in range(1, len(rows) + 1) if n not in {each[0] for each in aside}] == list(chain(*numbers))
    assert (len(wrong), len(loose)) == (dealing.quarantined, dealing.superseded)
    assert [(len(each), sum(each)) for each in sizes] == [(each.rows, each.bytes) for each in dealing.chunks]
    assert all(sum(each) <= 100 and len(each) <= 5 for each in sizes)
    assert {"rows.arrow", "aside.arrow", *(each.manifest for each in dealing.chunks)} == names


def test_manifests_are_numbered_and_know_keys_and_places(tmp_path: Path) -> None:
    """What a chunk is made of stands in its manifest: whoever takes the run up again needs nothing else."""
    dealing = dealt(tmp_path, [(10, "a", None), (20, "b", None), (30, "c", None)], Room(30))
    assert [Dealt("000001.arrow", 2, 30), Dealt("000002.arrow", 1, 30)] == dealing.chunks
    (batch,) = pieces(tmp_path / "000001.arrow")
    assert SENT == batch.schema
    assert [(1, 0, 2, 1, 0, 10, "a"), (2, 0, 3, 1, 10, 20, "b")] == [tuple(row.values()) for row in batch.to_pylist()]


def test_rows_are_weighed_as_they_travel(tmp_path: Path) -> None:
    """JSON is longer than CSV: a chunk is as full as the call that carries it."""

    def weigh(batch: pa.RecordBatch) -> list[int]:
        return [60] * batch.num_rows

    scanned(tmp_path / "rows.arrow", [(1, key, None) for key in "abc"])
    dealing = Dealing(tmp_path, Room(125), weigh)
    assert [2] == list(dealing.steps(tmp_path / "rows.arrow", iter(())))
    assert [Dealt("000001.arrow", 2, 120), Dealt("000002.arrow", 1, 60)] == dealing.chunks


def test_a_dealing_that_breaks_off_leaves_no_half_manifest(tmp_path: Path) -> None:
    """A file has its name only when it is whole."""
    scanned(tmp_path / "rows.arrow", [(60, key, None) for key in "abcd"], piece=3)
    steps = Dealing(tmp_path, Room(100), by_length).steps(tmp_path / "rows.arrow", iter(()))
    assert 3 == next(steps)
    assert {"000001.arrow", "000002.arrow", "000003.arrow.part", "aside.arrow.part", "rows.arrow"} == names(tmp_path)
    with pytest.raises(RuntimeError):
        steps.throw(RuntimeError())  # type: ignore[attr-defined]
    assert {"000001.arrow", "000002.arrow", "rows.arrow"} == names(tmp_path)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_disk_that_is_full_at_a_chunks_last_byte_is_told_as_such(tmp_path: Path) -> None:
    """Not as an error of ours; and no manifest is left."""
    scanned(tmp_path / "rows.arrow", [(10, f"k{n}", None) for n in range(5)])
    (tmp_path / "000001.arrow.part").symlink_to("/dev/full")
    dealing = Dealing(tmp_path, Room(20), by_length)
    with pytest.raises(NoSpace, match="is full"):
        list(dealing.steps(tmp_path / "rows.arrow", iter(())))
    assert ["rows.arrow"] == [path.name for path in tmp_path.iterdir()]

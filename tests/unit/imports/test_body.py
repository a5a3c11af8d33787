"""The bytes of a chunk, straight from the files in which its rows lie."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.errors import SourceUnusable
from syncengine.imports.body import Rows, cells_of, header_line, records_of
from syncengine.imports.manifest import SENT, Writing, pieces
from tests.unit.imports.table import batch, chunk, record

CELLS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), min_size=1, max_size=4)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 300), st.integers(1, 90)), max_size=25))
def test_records_are_read_from_several_bodies_with_holes(spans: list[tuple[int, int, int]]) -> None:
    """In the order of the rows, from wherever each of them lies, neighbours or not."""
    bodies = [bytes((n * 7 + place) % 251 for place in range(400)) for n in range(3)]
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{n}.csv" for n in range(3)]
        for path, body in zip(paths, bodies, strict=True):
            path.write_bytes(body)
        with Writing(Path(folder) / "1.arrow", SENT) as writing:
            writing.add(batch(SENT, [(n, 0, n, *span, "k") for n, span in enumerate(spans, 1)]))
        rows = Rows(Path(folder) / "1.arrow", paths)
        whole, single = b"".join(rows.pieces()), [found for _, _, found in rows.records()]
        again = [found for each in pieces(rows.manifest) for found in records_of(each, paths)]
    records = [bodies[body][offset : offset + length] for body, offset, length in spans]
    assert b"".join(records) == whole
    assert records == single
    assert records == again


def test_neighbours_are_read_as_one_range(tmp_path: Path) -> None:
    """A chunk of a source that is strict CSV is read in a few large pieces, however small its rows are."""
    rows = chunk(tmp_path, *[(f"a{n}@x.example", "A", "1") for n in range(30_000)])
    found = list(rows.pieces())
    assert rows.bodies[0].read_bytes() == b"".join(found)
    assert -(-rows.bodies[0].stat().st_size // (256 * 1024)) == len(found)


def test_a_source_that_became_shorter_is_told(tmp_path: Path) -> None:
    """No chunk is made of what is left of it."""
    rows = chunk(tmp_path, ("a@x.example", "A", "1"), ("b@x.example", "B", "2"))
    rows.bodies[0].write_bytes(rows.bodies[0].read_bytes()[:-1])
    with pytest.raises(SourceUnusable, match=r"000001\.csv has changed since this import was planned"):
        list(rows.pieces())


@given(CELLS)
def test_cells_are_read_back_from_their_record(cells: list[str]) -> None:
    """Quotes, commas and every kind of line end inside."""
    assert [cells, cells] == [cells_of(record(cells)), cells_of(record(cells, "\r\n"))]


def test_cells_may_be_longer_than_the_csv_module_likes() -> None:
    """Its own limit is 131,072 characters."""
    assert ["x" * 1_000_000, "y"] == cells_of(record(["x" * 1_000_000, "y"]))


def test_what_is_no_record_has_no_cells() -> None:
    """Nothing is raised for bytes that are no text."""
    assert [] == cells_of(b"")
    assert ["\ufffd", "b"] == cells_of(b"\xff,b\n")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")), min_size=1, max_size=4))
def test_a_header_is_a_line_of_csv(names: list[str]) -> None:
    """Whatever a field is called."""
    line = header_line(names)
    assert line.endswith(b"\n")
    assert [names] == list(csv.reader(io.StringIO(line.decode(), newline="")))

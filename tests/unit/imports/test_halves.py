"""A chunk that is too large after all, as two of half its rows."""

from pathlib import Path

import pytest

from syncengine.imports import states
from syncengine.imports.body import Rows
from syncengine.imports.halves import halves
from syncengine.imports.manifest import PIECE_ROWS, places
from syncengine.jobs.job import Job
from tests.unit.imports.table import chunk


def job(rows: Rows, count: int) -> Job:
    """A chunk that was refused, as the journal has it."""
    facts = {"run": "r", "manifest": rows.manifest.name, "rows": count, "bytes": rows.bodies[0].stat().st_size}
    return Job(
        id="r-000001",
        instance="acme",
        kind=states.CHUNK,
        state=states.PLANNED,
        group="r",
        place=1,
        epoch=3,
        seq=9,
        attempt=2,
        facts=facts | {"sha256": "0" * 64, "sent_at": "2026-03-02T08:00:00+00:00", "problem": "too large"},
    )


@pytest.mark.parametrize("count", [2, 3, 7, 2 * PIECE_ROWS + 5])
def test_the_halves_hold_the_rows_of_the_whole(tmp_path: Path, count: int) -> None:
    """In order, none lost and none twice, with their bytes counted; and they know nothing of what was sent before."""
    rows = chunk(tmp_path, *[(f"p{n}@x.example", "N" * (n % 7), str(n)) for n in range(count)])
    heirs = halves(job(rows, count), tmp_path)
    assert [("r-000001a", "000001a.arrow"), ("r-000001b", "000001b.arrow")] == [
        (each.id, each.facts["manifest"]) for each in heirs
    ]
    parts = [Rows(tmp_path / each.facts["manifest"], rows.bodies) for each in heirs]
    held = [[(place, more["key"]) for place, more in places(part.manifest)] for part in parts]
    assert list(map(tuple, [*held[0], *held[1]])) == [(place, more["key"]) for place, more in places(rows.manifest)]
    assert [(count // 2, count - count // 2)] == [tuple(len(each) for each in held)]
    assert [(len(each), sum(place.length for place, _ in each)) for each in held] == [
        (each.facts["rows"], each.facts["bytes"]) for each in heirs
    ]
    assert b"".join(rows.pieces()) == b"".join(piece for part in parts for piece in part.pieces())
    assert {(states.PLANNED, 0, 0, 1, 3, ("bytes", "manifest", "rows", "run"))} == {
        (each.state, each.seq, each.attempt, each.place, each.epoch, tuple(sorted(each.facts))) for each in heirs
    }


def test_a_chunk_of_one_row_has_no_halves(tmp_path: Path) -> None:
    """It is refused for good."""
    assert () == halves(job(chunk(tmp_path, ("a@x", "A", "1")), 1), tmp_path)


def test_halves_can_be_halved(tmp_path: Path) -> None:
    """As often as it takes; no two manifests have one name."""
    rows = chunk(tmp_path, *[(f"p{n}@x.example", "N", "1") for n in range(8)])
    left = list(halves(job(rows, 8), tmp_path))
    for _ in range(2):
        left = [heir for each in left for heir in halves(each, tmp_path)]
    assert [f"r-000001{a}{b}{c}" for a in "ab" for b in "ab" for c in "ab"] == [each.id for each in left]
    assert list(range(1, 9)) == [
        place.row for each in left for place, _ in places(tmp_path / str(each.facts["manifest"]))
    ]

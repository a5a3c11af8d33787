"""Chunks in the place of one: two of half its rows where it is too large for Marketo, or one of some of its rows."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from syncengine.imports import states
from syncengine.imports.manifest import SENT, Writing, pieces
from syncengine.jobs.job import Job

compute: Any = pc  # takes more forms than its stubs know


def halves(job: Job, work: Path) -> tuple[Job, ...]:
    """Two chunks with the rows of one, their manifests written; none for a chunk of one row."""
    rows = job.facts["rows"]
    if rows < 2:
        return ()
    name = job.facts["manifest"].removesuffix(".arrow")
    names = [f"{name}{letter}.arrow" for letter in "ab"]
    sizes = [0, 0]
    first = rows // 2
    with Writing(work / names[0], SENT) as one, Writing(work / names[1], SENT) as other:
        for batch in pieces(work / job.facts["manifest"]):
            cut = min(batch.num_rows, max(0, first - one.rows))
            for number, (half, part) in enumerate(((one, batch.slice(0, cut)), (other, batch.slice(cut)))):
                half.add(part)
                sizes[number] += int(compute.sum(part.column("length")).as_py() or 0)
    return tuple(
        _heir(job, letter, manifest, count, size)
        for letter, manifest, count, size in zip("ab", names, (first, rows - first), sizes, strict=True)
    )


def without_others(job: Job, work: Path, kept: Collection[int]) -> tuple[Job]:
    """A chunk of those rows of one that have these numbers, its manifest written."""
    manifest = f"{job.facts['manifest'].removesuffix('.arrow')}r.arrow"
    wanted = pa.array(sorted(kept), pa.int64())
    size = 0
    with Writing(work / manifest, SENT) as writing:
        for batch in pieces(work / job.facts["manifest"]):
            part = batch.filter(compute.is_in(batch.column("row"), value_set=wanted))
            writing.add(part)
            size += int(compute.sum(part.column("length")).as_py() or 0)
    return (_heir(job, "r", manifest, len(kept), size),)


def _heir(job: Job, letter: str, manifest: str, rows: int, size: int) -> Job:
    facts = {"run": job.facts["run"], "manifest": manifest, "rows": rows, "bytes": size}
    return replace(job, id=f"{job.id}{letter}", state=states.PLANNED, facts=facts, attempt=0, seq=0)

"""Applying a verified file to the destination: parse and merge in one thread, one transaction, one window at a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from syncengine.destinations import Applied, Destination, Window
from syncengine.exports.parse import ParseProblems, batches, landed
from syncengine.exports.streams import Shape
from syncengine.threads import run_blocking

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a window brought: the destination's counts, and the cells that did not fit their type, by field."""

    applied: Applied
    unparsed: dict[str, int]


@dataclass(frozen=True, slots=True)
class Identity:
    """What the destination's ledger writes down about a window."""

    instance: str
    window_id: str
    epoch: int
    start: datetime
    end: datetime
    sha256: str
    read_at: datetime
    records: int | None


async def load(destination: Destination, shape: Shape, identity: Identity, path: Path | None) -> Loaded:
    """Merge the file at `path` (None: a window without rows) and give what it did.

    Raises FileDamaged when its rows are not those that Marketo announced, and what the destination raises; nothing is
    applied then.
    """
    problems = ParseProblems()
    rows: Iterable[pa.RecordBatch] = ()
    if path is not None:
        rows = batches(path, shape.schema, header=None, expected_rows=identity.records, problems=problems)
    window = Window(
        instance=identity.instance,
        stream=shape.stream.name,
        id=identity.window_id,
        epoch=identity.epoch,
        start=identity.start,
        end=identity.end,
        sha256=identity.sha256,
        read_at=identity.read_at,
        schema=landed(shape.schema),
        newer_by=shape.stream.newer_by,
        batches=rows,
    )
    applied = await run_blocking(lambda: destination.apply(window))
    return Loaded(applied, dict(problems.unparsed))

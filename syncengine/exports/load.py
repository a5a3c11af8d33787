"""Applying a verified file's rows to the destination: in one thread, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from syncengine.destinations import Applied, Destination, Window
from syncengine.schema import Schema
from syncengine.threads import run_blocking

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Identity:
    """What the destination's ledger writes down about a window."""

    instance: str
    stream: str
    window_id: str
    epoch: int
    start: datetime
    end: datetime
    sha256: str
    read_at: datetime


async def load(
    destination: Destination,
    identity: Identity,
    schema: Schema,
    rows: Iterable["pa.RecordBatch"],
    *,
    newer_by: str | None,
) -> Applied:
    """Merge `rows`, which are read in the destination's own thread and transaction, and give what that did.

    Raises what the destination and the reading of the rows raise; nothing is applied then.
    """
    window = Window(
        instance=identity.instance,
        stream=identity.stream,
        id=identity.window_id,
        epoch=identity.epoch,
        start=identity.start,
        end=identity.end,
        sha256=identity.sha256,
        read_at=identity.read_at,
        schema=schema,
        newer_by=newer_by,
        batches=rows,
    )
    return await run_blocking(lambda: destination.apply(window))

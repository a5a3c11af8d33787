"""A window's rows and identity reach the destination in one call, in one thread, or nothing of them does."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pyarrow as pa
import pytest

from syncengine.destinations import Applied, Interval
from syncengine.destinations.duckdb import DuckDB
from syncengine.errors import DestinationFenced, FileDamaged
from syncengine.exports.load import Identity, load
from syncengine.schema import Field, FieldType, Schema
from tests.unit.exports.world import DAY, MemoryDestination
from tests.virtual import ORIGIN, virtual

SCHEMA = Schema((Field("id", FieldType.INTEGER), Field("updatedAt", FieldType.TIMESTAMP)), ("id",))
READ_AT = ORIGIN + timedelta(hours=1)
IDENTITY = Identity("acme", "leads", "w", 3, ORIGIN - DAY, ORIGIN, "ab" * 32, READ_AT)


def batch(*ids: int, at: datetime = ORIGIN) -> pa.RecordBatch:
    columns = [pa.array(ids, pa.int64()), pa.array([at] * len(ids), pa.timestamp("us", tz="UTC"))]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA.arrow())


@virtual
async def test_the_ledger_is_told_all_of_a_windows_identity() -> None:
    """What identifies the window, its file and its holder arrives as it was given."""
    destination = MemoryDestination()
    await load(destination, IDENTITY, SCHEMA, [batch(1)], newer_by="updatedAt")
    (window,) = destination.ledger.values()

    assert ("acme", "leads", "w", 3, ORIGIN - DAY, ORIGIN, "ab" * 32, READ_AT) == (
        window.instance,
        window.stream,
        window.id,
        window.epoch,
        window.start,
        window.end,
        window.sha256,
        window.read_at,
    )
    assert (SCHEMA, "updatedAt") == (window.schema, window.newer_by)


@virtual
async def test_rows_are_read_while_they_are_applied_and_off_the_loop() -> None:
    """Batches are made in the destination's own thread, one after the other, and the loop stays free meanwhile."""
    read_in, ticks, loop_thread = list[int](), list[int](), threading.get_ident()
    is_ticked = threading.Event()

    def rows() -> Iterator[pa.RecordBatch]:
        for number in range(2):
            assert is_ticked.wait(timeout=60)
            read_in.append(threading.get_ident())
            yield batch(number)

    async def tick() -> None:
        await anyio.lowlevel.checkpoint()
        ticks.append(1)
        is_ticked.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        applied = await load(MemoryDestination(), IDENTITY, SCHEMA, rows(), newer_by=None)
    assert (2, [1]) == (applied.inserted, ticks)
    assert (2, 1, False) == (len(read_in), len(set(read_in)), loop_thread in read_in)


@virtual
async def test_the_counts_are_the_destinations(tmp_path: Path) -> None:
    """What came of the rows is given back, and the window is held once only."""
    destination = DuckDB(tmp_path / "w.duckdb")
    first = await load(destination, IDENTITY, SCHEMA, [batch(1, 2), batch(3)], newer_by="updatedAt")
    again = await load(destination, IDENTITY, SCHEMA, [batch(4)], newer_by="updatedAt")
    assert (Applied(inserted=3), Applied(already=True)) == (first, again)


@virtual
async def test_no_rows_move_the_cursor_all_the_same(tmp_path: Path) -> None:
    """An empty window is a committed window."""
    destination = DuckDB(tmp_path / "w.duckdb")
    applied = await load(destination, IDENTITY, SCHEMA, (), newer_by="updatedAt")
    standing = destination.standing("acme", "leads")
    assert (0, (Interval(ORIGIN - DAY, ORIGIN),), 3) == (applied.rows, standing.intervals, standing.epoch)


@virtual
async def test_rows_that_break_off_leave_nothing(tmp_path: Path) -> None:
    """A damaged file shows while its rows are read: the error comes out as it is, and none of the rows stay."""
    destination, broken = DuckDB(tmp_path / "w.duckdb"), FileDamaged("ragged")

    def rows() -> Iterator[pa.RecordBatch]:
        yield batch(1, 2)
        raise broken

    with pytest.raises(FileDamaged) as caught:
        await load(destination, IDENTITY, SCHEMA, rows(), newer_by="updatedAt")
    assert (True, ()) == (caught.value is broken, destination.standing("acme", "leads").intervals)
    assert Applied(inserted=2) == await load(destination, IDENTITY, SCHEMA, [batch(1, 2)], newer_by="updatedAt")


@virtual
async def test_an_earlier_holder_is_kept_out(tmp_path: Path) -> None:
    """A window of an epoch that has passed is refused, and its rows are not read."""
    destination = DuckDB(tmp_path / "w.duckdb")
    await load(destination, IDENTITY, SCHEMA, [batch(1)], newer_by="updatedAt")
    late = Identity("acme", "leads", "v", 2, ORIGIN, ORIGIN + DAY, "", datetime(2026, 3, 3, tzinfo=UTC))

    def unread(_: int) -> pa.RecordBatch:
        raise AssertionError

    with pytest.raises(DestinationFenced):
        await load(destination, late, SCHEMA, map(unread, range(1)), newer_by="updatedAt")

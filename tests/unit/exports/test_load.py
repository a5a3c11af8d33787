"""A window's rows and identity reach the destination in one call, in one thread, or nothing of them does."""

import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pyarrow as pa
import pytest

from syncengine.destinations import Applied, Destination, Interval, Late, Snapshot
from syncengine.destinations.duckdb import DuckDB
from syncengine.errors import DestinationFenced, FileDamaged
from syncengine.exports.fields import Shape
from syncengine.exports.load import Landing
from syncengine.exports.privacy import digest
from syncengine.exports.streams import STREAMS
from syncengine.exports.tally import ParseProblems
from syncengine.exports.window import KIND, VERIFIED, WHOLE, Part, request_of
from syncengine.jobs.job import Job
from syncengine.marketo.dialect import ACTIVITY_COLUMNS
from syncengine.observe.events import Event, WindowApplied
from syncengine.schema import Field, FieldType, Schema
from tests.unit.exports.memory import MemoryDestination
from tests.unit.exports.world import DAY
from tests.virtual import ORIGIN, virtual, virtual_clock

FIELDS = (Field("id", FieldType.INTEGER), Field("updatedAt", FieldType.TIMESTAMP), Field("email", FieldType.TEXT))
LEADS = Shape(STREAMS["leads"], Schema(FIELDS, ("id",)))
ACTIVITIES = Shape(STREAMS["activities"], Schema(ACTIVITY_COLUMNS, ("marketoGUID",)))
READ_AT = ORIGIN + timedelta(hours=1)
KEY = b"key"


def window(shaped: Shape = LEADS, window_id: str = "w", *, epoch: int = 3, part: Part = WHOLE, **facts: Any) -> Job:
    """A verified window of the day before the world began."""
    known = {
        "window": window_id,
        "start": (ORIGIN - DAY).isoformat(),
        "end": ORIGIN.isoformat(),
        "request": request_of(shaped, "updatedAt", "", part),
        "sha256": "ab" * 32,
        "read_at": READ_AT.isoformat(),
        "file_bytes": 1_000,
    }
    return Job(
        id=f"{window_id}.{epoch}",
        instance="acme",
        kind=KIND,
        state=VERIFIED,
        group=shaped.stream.name,
        epoch=epoch,
        facts=known | facts,
    )


def batch(*ids: int, at: datetime = ORIGIN, email: str | None = "a@acme.example") -> pa.RecordBatch:
    columns: list[pa.Array[Any]] = [
        pa.array(ids, pa.int64()),
        pa.array([at] * len(ids), pa.timestamp("us", tz="UTC")),
        pa.array([email] * len(ids), pa.string()),
        pa.array([None] * len(ids), pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=LEADS.landed.arrow())


def landing(destination: Destination, events: list[Event] | None = None, **changes: Any) -> Landing:
    observe = events.append if events is not None else lambda _: None
    return Landing(virtual_clock(), destination, Path("nowhere"), observe, **changes)


async def landed(destination: Destination, job: Job, batches: Iterable[pa.RecordBatch]) -> Applied:
    return await landing(destination).land(job, batches, ParseProblems())


@virtual
async def test_the_ledger_is_told_all_of_a_windows_identity() -> None:
    """What identifies the window, its file and its holder arrives as the journal has it."""
    destination = MemoryDestination()
    await landed(destination, window(), [batch(1)])
    (held,) = destination.ledger.values()

    assert ("acme", "leads", "w", 3, ORIGIN - DAY, ORIGIN, "ab" * 32, READ_AT) == (
        held.instance,
        held.stream,
        held.id,
        held.epoch,
        held.start,
        held.end,
        held.sha256,
        held.read_at,
    )
    assert (LEADS.landed, "updatedAt") == (held.schema, held.newer_by)


@virtual
async def test_of_windows_that_share_their_time_the_last_one_commits_it() -> None:
    """The others end where they start: when the last one never comes, their time is asked for again."""
    destination = MemoryDestination()
    for number, counted in enumerate((False, True)):
        await landed(destination, window(window_id=f"w{number}", counts=counted), [batch(number)])
    assert [ORIGIN - DAY, ORIGIN] == [held.end for held in destination.ledger.values()]


@virtual
@pytest.mark.parametrize(
    ("shaped", "late"), [(ACTIVITIES, Late("activityDate", ORIGIN - timedelta(hours=1))), (LEADS, None)]
)
async def test_late_rows_are_asked_for_where_rows_have_a_date(shaped: Shape, late: Late | None) -> None:
    """An activity that appears after its date was read is late; a lead that changes has another date, and is not."""
    destination = MemoryDestination()
    moment = (ORIGIN - timedelta(hours=1)).isoformat()
    await landed(destination, window(shaped, late_before=moment), ())
    await landed(destination, window(shaped, "v"), ())
    assert [late, None] == [held.late for held in destination.ledger.values()]


@virtual
@pytest.mark.parametrize(
    ("part", "facts", "snapshot"),
    [
        (Part(list_id=7), {}, Snapshot("listId", 7)),
        (WHOLE, {"whole": True}, Snapshot()),
        (WHOLE, {"whole": False}, None),
        (WHOLE, {}, None),
    ],
)
async def test_whoever_reads_everything_finds_what_is_gone(
    part: Part, facts: dict[str, Any], snapshot: Snapshot | None
) -> None:
    """A list's members of this moment, or a listing that came to its end; no window of time says that."""
    destination = MemoryDestination()
    await landed(destination, window(part=part, **facts), ())
    (held,) = destination.ledger.values()
    assert snapshot == held.snapshot


@virtual
async def test_deleted_leads_are_removed_only_where_that_is_wanted() -> None:
    """The choice is each stream's: activities that name merged leads remove leads when leads are to be removed."""
    destination = MemoryDestination()
    for number, chosen in enumerate((set[str](), {"leads"}, {"activities"})):
        here = landing(destination, hard_delete=chosen)
        await here.land(window(ACTIVITIES, f"a{number}"), (), ParseProblems())
        await here.land(window(window_id=f"l{number}"), (), ParseProblems())
    held = {each.id: each for each in destination.ledger.values()}
    marked = [held[f"a{number}"].marks for number in range(3)]
    assert [False, True, False] == [marks.hard_delete for marks in marked if marks]
    assert [False, True, False] == [held[f"l{number}"].hard_delete for number in range(3)]
    assert (True, False) == (held["l0"].can_be_marked, held["a0"].can_be_marked)


@virtual
async def test_hashed_fields_never_reach_the_destination(tmp_path: Path) -> None:
    """What it gets is the keyed hash: the same value has the same one in each window."""
    destination = MemoryDestination()
    hidden = Shape(LEADS.stream, LEADS.schema, ("email",))
    here = landing(destination, hash_key=KEY)
    for number in range(2):
        await here.land(window(hidden, f"w{number}"), [batch(number)], ParseProblems())
    assert {digest("a@acme.example", KEY)} == {row["email"] for row in destination.rows["leads"].values()}
    with pytest.raises(ValueError, match="key"):
        await landed(destination, window(hidden, "v"), [batch(3)])


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
        applied = await landed(MemoryDestination(), window(), rows())
    assert (2, [1]) == (applied.inserted, ticks)
    assert (2, 1, False) == (len(read_in), len(set(read_in)), loop_thread in read_in)


@virtual
async def test_what_was_applied_is_counted_and_told(tmp_path: Path) -> None:
    """Rows are the destination's count, bytes the file's, misfits the parser's; a window is applied once only."""
    events, problems = list[Event](), ParseProblems()
    here = landing(DuckDB(tmp_path / "w.duckdb"), events)
    problems.unparsed["email"] = 2
    first = await here.land(window(unverified=True), [batch(1, 2), batch(3)], problems)
    again = await here.land(window(), [batch(4)], ParseProblems())
    tally = here.tally(window())

    assert (Applied(inserted=3), Applied(already=True)) == (first, again)
    assert (2, 2_000, 1, {"email": 2}) == (tally.windows, tally.bytes, tally.unverified, tally.unparsed)
    assert ["leads"] == list(here.tallies)
    told = [event for event in events if isinstance(event, WindowApplied)]
    assert [("w", 3, 1_000), ("w", 0, 1_000)] == [(each.window_id, each.inserted, each.bytes) for each in told]


@virtual
async def test_no_rows_move_the_cursor_all_the_same(tmp_path: Path) -> None:
    """An empty window is a committed window."""
    destination = DuckDB(tmp_path / "w.duckdb")
    applied = await landed(destination, window(), ())
    standing = destination.standing("acme", "leads")
    assert (0, (Interval(ORIGIN - DAY, ORIGIN),), 3) == (applied.rows, standing.intervals, standing.epoch)


@virtual
async def test_rows_that_break_off_leave_nothing(tmp_path: Path) -> None:
    """A damaged file shows while its rows are read: the error comes out as it is, and none of the rows stay."""
    destination, broken = DuckDB(tmp_path / "w.duckdb"), FileDamaged("ragged")

    def rows() -> Iterator[pa.RecordBatch]:
        yield batch(1, 2)
        raise broken

    here = landing(destination)
    with pytest.raises(FileDamaged) as caught:
        await here.land(window(), rows(), ParseProblems())
    assert (True, (), {}) == (caught.value is broken, destination.standing("acme", "leads").intervals, here.tallies)
    assert Applied(inserted=2) == await landed(destination, window(), [batch(1, 2)])


@virtual
async def test_an_earlier_holder_is_kept_out(tmp_path: Path) -> None:
    """A window of an epoch that has passed is refused, and its rows are not read."""
    destination = DuckDB(tmp_path / "w.duckdb")
    await landed(destination, window(), [batch(1)])

    def unread(_: int) -> pa.RecordBatch:
        raise AssertionError

    with pytest.raises(DestinationFenced):
        await landed(destination, window(window_id="v", epoch=2), map(unread, range(1)))

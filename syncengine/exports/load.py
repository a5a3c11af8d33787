"""From rows that lie in the spool to rows that are committed, in one thread and one transaction, and their count.

Apart from the two flows that bring rows to the spool, bulk files and pages: what follows is the same for both.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from syncengine.clock import Clock
from syncengine.destinations import Applied, Destination, Late, Marks, Snapshot, Window
from syncengine.exports import privacy
from syncengine.exports.marks import MARKED, Marking
from syncengine.exports.tally import ParseProblems, Tally
from syncengine.exports.window import counts, part_of, shape_of, stretch_of
from syncengine.jobs.job import Job
from syncengine.observe.events import Event, WindowApplied
from syncengine.threads import run_blocking

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Landing:
    """Where spooled rows go. `hash_key` is what personal values are hashed with; `tallies` is filled as rows land."""

    clock: Clock
    destination: Destination
    spool: Path
    observe: Callable[[Event], None]
    hash_key: bytes = field(default=b"", repr=False)
    hard_delete: set[str] = field(default_factory=set)
    tallies: dict[str, Tally] = field(default_factory=dict)

    def tally(self, job: Job) -> Tally:
        """The count of the window's stream."""
        return self.tally_of(job.group)

    def tally_of(self, stream: str) -> Tally:
        """The count of a stream, begun when it is first asked for."""
        return self.tallies.setdefault(stream, Tally())

    async def land(self, job: Job, batches: Iterable["pa.RecordBatch"], problems: ParseProblems) -> Applied:
        """Merge a window's rows, hashed where they are to be, and count what that did.

        Raises what reading the rows raises, and the destination's errors; nothing is applied then.
        """
        shape, (start, end) = shape_of(job), stretch_of(job)
        marking = Marking(shape.stream.marks) if shape.stream.marks else None
        rows = marking.watch(batches) if marking else batches
        rows = privacy.hashed(rows, shape.hashed, self.hash_key) if shape.hashed else rows
        late = job.facts.get("late_before")
        window = Window(
            instance=job.instance,
            stream=job.group,
            id=job.facts["window"],
            epoch=job.epoch,
            start=start,
            # Of windows that share their time, the last one stands for it.
            end=end if counts(job) else start,
            sha256=str(job.facts.get("sha256") or ""),
            read_at=datetime.fromisoformat(job.facts["read_at"]),
            schema=shape.landed,
            newer_by=shape.stream.newer_by,
            batches=rows,
            late=Late(shape.stream.dated_by, datetime.fromisoformat(late)) if late and shape.stream.dated_by else None,
            snapshot=snapshot_of(job),
            marks=Marks(MARKED, marking.batches(), MARKED in self.hard_delete) if marking else None,
            can_be_marked=job.group == MARKED,
            hard_delete=job.group in self.hard_delete,
        )
        began = self.clock.monotonic()
        applied = await run_blocking(lambda: self.destination.apply(window))
        self._count(job, applied, problems, self.clock.monotonic() - began)
        return applied

    def _count(self, job: Job, applied: Applied, problems: ParseProblems, seconds: float) -> None:
        size = job.facts.get("file_bytes") or 0
        self.tally(job).add(
            applied, problems.unparsed, file_bytes=size, is_unverified=bool(job.facts.get("unverified"))
        )
        self.observe(
            WindowApplied(
                stream=job.group,
                window_id=job.facts["window"],
                inserted=applied.inserted,
                changed=applied.changed,
                unchanged=applied.unchanged,
                outdated=applied.outdated,
                bytes=size,
                seconds=seconds,
            )
        )


def snapshot_of(job: Job) -> Snapshot | None:
    """Of what the window has every row there is: of the stream, of one list's part of it, or of nothing."""
    list_id = part_of(job).list_id
    if list_id is not None:
        return Snapshot("listId", list_id)
    return Snapshot() if job.facts.get("whole") else None

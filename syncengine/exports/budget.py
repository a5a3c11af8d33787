"""The day's export megabytes: what a window will cost, how finely to cut it, and whether it still fits today.

Apart from the windows, so that `plan` counts as a sync does. Sizes are known only when Marketo has made a file, so what
earlier windows of a stream have cost for a second of its time is all there is to go by. Before the first file that is
nothing: then one window of the stream goes alone, and the others wait until its size tells how to cut them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import ceil

from syncengine.exports.slice import WINDOW_BYTES, Stretch, pieces
from syncengine.exports.window import columns_of, counts, stretch_of
from syncengine.jobs.job import Job
from syncengine.transport.gate import Gate

# A file this much larger than aimed at is still better than one more job.
TOLERANCE = 1.5
# In more pieces than this, what does not fit into the day waits for the next one.
CUT_TO_FIT_MAX = 8
# Windows of the last nights tell more about the next one than those of years ago.
REMEMBERED = 12


class Megabytes:
    """What the windows of a run have reserved of today's export bytes."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._fetched: dict[str, list[Job]] = defaultdict(list)
        self._reserved: dict[str, tuple[str, int]] = {}  # by window, its stream and its bytes

    def learn(self, jobs: Iterable[Job]) -> None:
        """Take in windows whose files Marketo has made, oldest first; one of unknown size tells nothing."""
        for job in jobs:
            self._fetched[job.group] += [job] if is_measured(job) else []
            self.release(job)

    def has_to_wait(self, job: Job) -> bool:
        """Whether the first file of the window's stream is being made, and may tell how to cut this one."""
        is_known = any(each.facts["file_bytes"] and each.facts.get("records") != 0 for each in self._fetched[job.group])
        is_made = any(stream == job.group for stream, _ in self._reserved.values())
        return not is_known and is_made and len(cut(job, 2)) > 1

    @property
    def is_open(self) -> bool:
        """Whether bytes are set aside for files whose size is not known yet: they may take fewer."""
        return bool(self._reserved)

    def estimate(self, job: Job) -> int | None:
        """About how many bytes the window's file will have."""
        size = expected(self._fetched[job.group], Stretch(*stretch_of(job)), by_date=is_dated(job))
        return None if size is None else round(size)

    def pieces(self, job: Job) -> int:
        """In how many windows this one is better asked for."""
        size = self.estimate(job)
        return 1 if size is None or size <= TOLERANCE * WINDOW_BYTES else ceil(size / WINDOW_BYTES)

    async def reserve(self, job: Job) -> bool:
        """Set the window's bytes aside; False when the day has too few left.

        One that is larger than a whole day goes on a day of which nothing is spent: it would never fit otherwise.
        """
        if (size := self.estimate(job)) is not None:
            spent = await self._spent()
            if spent and spent + size > self._gate.limits.export_bytes_per_day:
                return False
        # Nothing is awaited between what was looked at and this: windows are taken up side by side.
        self.hold(job)
        return True

    async def pieces_that_fit(self, job: Job) -> int:
        """In how many windows this one is cut so that each of them fits into what the day has left; 1 for too many."""
        size, left = self.estimate(job), self._gate.limits.export_bytes_per_day - await self._spent()
        count = ceil(size / left) if size and left > 0 else 1
        return count if count <= CUT_TO_FIT_MAX else 1

    async def _spent(self) -> int:
        return (await self._gate.use()).spent_today.export_bytes + sum(size for _, size in self._reserved.values())

    def hold(self, job: Job) -> None:
        """Set the window's bytes aside whether they fit or not: an earlier run has asked Marketo for its file."""
        self._reserved[job.id] = (job.group, self.estimate(job) or 0)

    def release(self, job: Job) -> None:
        """Give back what was set aside for a window that has its file, or will have none in this run."""
        self._reserved.pop(job.id, None)


def is_measured(job: Job) -> bool:
    """Whether the size of the window's file is known."""
    return job.facts.get("file_bytes") is not None


def seconds_of(job: Job) -> float:
    """How much time the window takes in."""
    start, end = stretch_of(job)
    return (end - start).total_seconds()


def is_dated(job: Job) -> bool:
    """Whether the window is asked for by date; without one, its time says nothing of its size."""
    return job.facts["request"].get("filter") is not None


def expected(jobs: Sequence[Job], stretch: Stretch, *, by_date: bool) -> float | None:
    """About how many bytes a file will have by what earlier ones of the stream had; None before the first of its kind.

    What is asked for by date goes by its time; of what is not, one file is as large as another.
    """
    if by_date:
        rate = density(jobs)
        return None if rate is None else rate * (stretch.end - stretch.start).total_seconds()
    known = _last(job for job in jobs if not is_dated(job))
    return sum(job.facts["file_bytes"] for job in known) / len(known) if known else None


def density(jobs: Iterable[Job]) -> float | None:
    """Bytes of file for a second of a stream, of the last windows asked for by date; None before the first."""
    known = _last(filter(is_dated, jobs))
    seconds = sum(map(seconds_of, known))
    return sum(job.facts["file_bytes"] for job in known) / seconds if seconds else None


def _last(jobs: Iterable[Job]) -> list[Job]:
    """Of windows whose files have a known size, the latest."""
    return sorted(filter(is_measured, jobs), key=lambda job: job.updated_at)[-REMEMBERED:]


def cut(job: Job, count: int) -> tuple[Stretch, ...]:
    """The window's time in so many pieces, or whole where it cannot be cut."""
    whole = Stretch(*stretch_of(job))
    # A part of what is asked for without a date would be all of it.
    can_be_cut = counts(job) and is_dated(job) and (not job.after or _follows_changes(job))
    return pieces(whole, count) if can_be_cut else (whole,)


def _follows_changes(job: Job) -> bool:
    """Whether a window of new leads comes after the reading of changed ones, over all of its time, and nothing else."""
    return job.group == "leads" and job.facts["request"]["filter"] == "createdAt" and columns_of(job) is None

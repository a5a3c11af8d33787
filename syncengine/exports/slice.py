"""Which windows of time to ask for: plain algebra on instants, so that no row falls between two jobs.

In our books a window is closed at its start and open at its end. Marketo's filter includes both ends and knows no
fractions of a second, so a window travels as [start, end - 1 s]: cuts lie on whole seconds, each second belongs to one
window, and windows that touch in our books touch in Marketo.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-lead-extract

The cursor of a stream is the end of the unbroken prefix of what has been committed. A run usually takes
[cursor - lookback, now - settle): the lookback brings rows that became visible after their date, the settle delay
leaves out the seconds in which they still may. Where windows in between are missing, it takes those, and not what has
been committed behind them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import orjson

from syncengine.marketo.limits import EXPORT_WINDOW_DAYS_MAX

# A remainder shorter than this is left to the next run: a job costs the same for a second as for a month.
REMAINDER_SECONDS_MIN = 60.0

# A job of this size is fetched, checked and merged in seconds, repeated at little cost, and a fifth of a day's bytes.
WINDOW_BYTES = 100_000_000
# A window that fails is halved, but a shorter one than this fails for another reason than its size.
WINDOW_SHORTEST = timedelta(hours=1)
# What a first run asks for alone, before it cuts years into windows.
SAMPLE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time from `start` up to, not including, `end`; aware UTC, whole seconds."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a stream's runs go: back to `start` at most, `lookback` behind the cursor, `settle` behind now."""

    start: datetime
    lookback: timedelta
    settle: timedelta


def whole_second(moment: datetime) -> datetime:
    """`moment` in UTC, cut to its second."""
    return moment.astimezone(UTC).replace(microsecond=0)


def prefix_end(stretches: Iterable[Stretch], start: datetime) -> datetime:
    """How far the stretches cover the time from `start` on without a gap; `start` itself if they do not."""
    end = start
    for stretch in sorted(stretches, key=lambda each: (each.start, each.end)):
        if stretch.start > end:
            break
        end = max(end, stretch.end)
    return end


def window_length(bytes_per_second: float | None) -> timedelta:
    """How much time one window may take in, so that its file stays near `WINDOW_BYTES`; between an hour and 31 days."""
    longest = timedelta(days=EXPORT_WINDOW_DAYS_MAX)
    if not bytes_per_second:
        return longest
    seconds = min(WINDOW_BYTES / bytes_per_second, longest.total_seconds())
    return max(WINDOW_SHORTEST, timedelta(seconds=int(seconds)))


def cut(stretch: Stretch, longest: timedelta = timedelta(days=EXPORT_WINDOW_DAYS_MAX)) -> tuple[Stretch, ...]:
    """The stretch in as few windows of at most `longest` as it takes, oldest first, without gap or overlap."""
    windows = []
    start = stretch.start
    while start < stretch.end:
        end = min(start + longest, stretch.end)
        windows.append(Stretch(start, end))
        start = end
    return tuple(windows)


def sampled(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """The same windows with the last day as one of its own, when there are several: how large their files are nobody
    knows yet, and the file of a day shows it at little cost.
    """
    if len(stretches) < 2 or stretches[-1].end - stretches[-1].start <= SAMPLE:
        return tuple(stretches)
    *before, last = stretches
    middle = last.end - SAMPLE
    return (*before, Stretch(last.start, middle), Stretch(middle, last.end))


def pieces(stretch: Stretch, count: int) -> tuple[Stretch, ...]:
    """The stretch in `count` pieces of about the same length, but none shorter than an hour; itself if it is too short.

    Cuts lie on whole seconds. A stretch of less than two hours stays whole.
    """
    length = stretch.end - stretch.start
    count = min(count, int(length / WINDOW_SHORTEST))
    if count < 2:
        return (stretch,)
    step = length.total_seconds() / count
    edges = [stretch.start + timedelta(seconds=int(step * number)) for number in range(count)] + [stretch.end]
    return tuple(Stretch(start, end) for start, end in pairwise(edges))


def gaps(stretches: Iterable[Stretch], within: Stretch) -> tuple[Stretch, ...]:
    """The parts of `within` that no stretch covers, oldest first."""
    found, covered = [], within.start
    for stretch in sorted(stretches, key=lambda each: (each.start, each.end)):
        if stretch.start >= within.end:
            break
        if stretch.start > covered:
            found.append(Stretch(covered, stretch.start))
        covered = max(covered, stretch.end)
    if covered < within.end:
        found.append(Stretch(covered, within.end))
    return tuple(found)


def due(
    committed: Iterable[Stretch],
    unfinished: Iterable[Stretch],
    reach: Reach,
    now: datetime,
    *,
    again: Iterable[Stretch] = (),
    longest: timedelta = timedelta(days=EXPORT_WINDOW_DAYS_MAX),
) -> tuple[Stretch, ...]:
    """The new windows of a run: what neither the destination holds nor an earlier run has planned already.

    That is the time since the last run, with the lookback before it, and whatever lies open behind: a start that was
    moved to an earlier day asks for the days before alone. `again` is asked for although it may be held: windows that
    were to be read once more and were given up. A last remainder of less than a minute is left to the next run.
    """
    begin, until = whole_second(reach.start), whole_second(now.astimezone(UTC) - reach.settle)
    if until <= begin:
        return ()
    *behind, last = gaps((*committed, *unfinished), Stretch(begin, until)) or (Stretch(until, until),)
    if last.end < until:
        behind.append(last)
    elif until - last.start >= timedelta(seconds=REMAINDER_SECONDS_MIN):
        behind.append(Stretch(max(begin, whole_second(last.start - reach.lookback)), until))
    for stretch in again:
        start, end = max(begin, stretch.start), min(until, stretch.end)
        behind += [Stretch(start, end)] if start < end else []
    return tuple(window for stretch in joined(behind) for window in cut(stretch, longest))


def joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The same time in as few stretches as possible, oldest first."""
    whole: list[Stretch] = []
    for stretch in sorted(stretches, key=lambda each: (each.start, each.end)):
        if whole and stretch.start <= whole[-1].end:
            whole[-1] = Stretch(whole[-1].start, max(whole[-1].end, stretch.end))
        else:
            whole.append(stretch)
    return tuple(whole)


def window_id(stream: str, stretch: Stretch, request: Mapping[str, object]) -> str:
    """The name of one window's content: the same request has the same id in every run and on every machine."""
    identity = {
        "stream": stream,
        "start": stretch.start.isoformat(),
        "end": stretch.end.isoformat(),
        "request": dict(request),
    }
    return hashlib.sha256(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]

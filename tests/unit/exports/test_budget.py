"""The day's export megabytes: what windows cost by what earlier ones have cost, and which of them still fit today."""

from datetime import timedelta
from typing import Any

import pytest

from syncengine.exports.budget import REMEMBERED, Megabytes, cut, density, is_measured, seconds_of
from syncengine.exports.slice import WINDOW_BYTES, Stretch
from syncengine.exports.window import KIND, PLANNED, stretch_of
from syncengine.jobs.job import Job
from syncengine.transport.book import MemorySlotStore
from syncengine.transport.gate import Gate
from syncengine.transport.turns import GateLimits
from tests.unit.exports.world import DAY
from tests.virtual import ORIGIN, virtual, virtual_clock

A_DAY = 1_000


def job(number: int = 0, size: float | None = None, *, days: float = 1, stream: str = "leads", **facts: Any) -> Job:
    """A window of so many days; with a size, one whose file Marketo has made, the later the higher its number."""
    known = {
        "start": (ORIGIN - days * DAY).isoformat(),
        "end": ORIGIN.isoformat(),
        "request": {"filter": "updatedAt"},
        "file_bytes": size,
    }
    return Job(
        id=f"{stream} {number}",
        instance="acme",
        kind=KIND,
        state=PLANNED,
        group=stream,
        facts=known | facts,
        updated_at=ORIGIN + number * DAY,
    )


def megabytes(*measured: Job) -> tuple[Megabytes, Gate]:
    """What a day of a thousand bytes knows by these windows, and the gate that keeps its book."""
    gate = Gate(MemorySlotStore(), GateLimits(export_bytes_per_day=A_DAY), virtual_clock(), holder="pid 1")
    known = Megabytes(gate)
    known.learn(measured)
    return known, gate


def test_density_is_bytes_by_time() -> None:
    """Of windows of different lengths, each counts by its length; what has no size yet counts not at all."""
    assert (400 + 100) / (5 * DAY).total_seconds() == density([job(1, 400, days=4), job(2), job(3, 100)])
    assert (None, None) == (density([]), density([job()]))
    assert (DAY.total_seconds(), True, False) == (seconds_of(job()), is_measured(job(1, 0)), is_measured(job()))


def test_the_last_windows_tell_most() -> None:
    """Those of years ago, when the instance was small or large, are forgotten, in whatever order they come."""
    old = [job(number, 1_000_000) for number in range(5)]
    new = [job(5 + number, 10) for number in range(REMEMBERED)]
    assert 10 / DAY.total_seconds() == density([*new, *old])


@virtual
async def test_an_estimate_is_of_the_windows_own_stream() -> None:
    """By its length; a stream of which nothing was fetched yet has none."""
    known, _ = megabytes(job(1, 100, days=2), job(1, 9_999, stream="activities"))
    assert (150, 9_999) == (known.estimate(job(days=3)), known.estimate(job(stream="activities")))
    assert (None, 1) == (known.estimate(job(stream="custom")), known.pieces(job(stream="custom")))


@virtual
async def test_what_has_no_date_costs_what_its_like_have_cost() -> None:
    """Members of a program that was never asked for come at once, however long the time is that they stand for."""
    nightly = [job(number, 1_000, days=1.04) for number in range(1, 4)]
    known, _ = megabytes(*nightly)
    fresh = job(9, days=1_000, request={"filter": None})
    assert (None, 1) == (known.estimate(fresh), known.pieces(fresh))
    known.learn([job(7, 300, days=1_000, request={"filter": None}), job(8, 500, days=2, request={"filter": None})])
    assert (400, 1_000) == (known.estimate(fresh), known.estimate(job(days=1.04)))


@virtual
@pytest.mark.parametrize(("size", "count"), [(0.1, 1), (1.0, 1), (1.5, 1), (1.51, 2), (2.0, 2), (2.01, 3), (30.0, 30)])
async def test_a_window_is_cut_into_files_of_a_good_size(size: float, count: int) -> None:
    """A little more than aimed at stays one window; beyond that, each piece stays below it."""
    known, _ = megabytes(job(1, size * WINDOW_BYTES))
    assert count == known.pieces(job())


@virtual
async def test_what_does_not_fit_into_the_day_is_refused() -> None:
    """Reserved windows count as if they had been exported, each until it has been or never will be."""
    known, gate = megabytes(job(1, 400))
    first, second, third = (job(number) for number in (10, 11, 12))
    assert [True, True, False] == [await known.reserve(each) for each in (first, second, third)]
    known.release(second)
    assert await known.reserve(third)
    await gate.book_export(350)
    known.learn([job(10, 350)])
    assert [True, False] == [await known.reserve(each) for each in (job(13, days=0.5), job(14))]


@virtual
async def test_what_an_earlier_run_has_asked_for_is_set_aside() -> None:
    """Its file will come out of this day's bytes, whether they suffice or not."""
    known, _ = megabytes(job(1, 400))
    known.hold(job(2))
    known.hold(job(3))
    assert [False, True] == [await known.reserve(each) for each in (job(4), job(5, days=0.5))]


@virtual
@pytest.mark.parametrize("size", [300, None])
async def test_the_first_file_of_a_stream_is_waited_for(size: int | None) -> None:
    """One window goes alone until Marketo has made its file, of whatever size; other streams do not care."""
    known, _ = megabytes(job(1, 100, stream="activities"))
    first, second, other = job(2), job(3), job(3, stream="activities")
    assert not known.has_to_wait(first)
    assert await known.reserve(first)
    assert [True, False] == [known.has_to_wait(each) for each in (second, other)]
    known.learn([job(2, size)])
    assert not known.has_to_wait(second)


@virtual
async def test_an_empty_first_file_tells_nothing() -> None:
    """After a day without rows the next window goes alone too."""
    known, _ = megabytes()
    known.learn([job(1, 29, records=0)])
    assert await known.reserve(job(2))
    assert known.has_to_wait(job(3))


@virtual
@pytest.mark.parametrize("facts", [{"request": {"filter": None}}, {"counts": False}])
async def test_what_cannot_be_cut_does_not_wait_for_a_size(facts: dict[str, Any]) -> None:
    """The first file would tell it nothing that it could act on."""
    known, _ = megabytes()
    assert await known.reserve(job(1))
    assert not known.has_to_wait(job(2, **facts))


@virtual
async def test_a_first_file_that_will_not_come_is_not_waited_for() -> None:
    """The next window of the stream goes in its place."""
    known, _ = megabytes()
    assert await known.reserve(job(1))
    known.release(job(1))
    assert not known.has_to_wait(job(2))


@virtual
@pytest.mark.parametrize(("spent", "pieces"), [(1, 3), (500, 5), (700, 7), (720, 8), (740, 1), (1_000, 1), (1_200, 1)])
async def test_what_does_not_fit_is_cut_to_what_the_day_has_left(spent: int, pieces: int) -> None:
    """Unless that takes too many pieces: a job costs the same for an hour as for a month."""
    known, gate = megabytes(job(1, 2_100))
    await gate.book_export(spent)
    assert not await known.reserve(job(2))
    assert pieces == await known.pieces_that_fit(job(2))


@virtual
async def test_the_day_is_filled_to_its_last_byte() -> None:
    """What fits exactly fits."""
    known, gate = megabytes(job(1, 500))
    await gate.book_export(500)
    assert [True, False] == [await known.reserve(each) for each in (job(2), job(3, days=0.01))]


@virtual
async def test_a_window_larger_than_a_day_goes_on_a_day_of_its_own() -> None:
    """It would never fit otherwise; beside anything else it waits."""
    known, gate = megabytes(job(1, 5_000))
    assert await known.reserve(job(2))
    assert not await known.reserve(job(3))
    known.release(job(2))
    await gate.book_export(1)
    assert not await known.reserve(job(3))


@virtual
async def test_what_has_no_known_size_is_let_through() -> None:
    """Marketo alone can say; it costs nothing in our books until its size is known."""
    known, gate = megabytes()
    await gate.book_export(A_DAY)
    assert await known.reserve(job(1))


def test_a_window_is_cut_by_its_own_time() -> None:
    """In pieces that make it up, unless it is too short."""
    found = cut(job(), 3)
    assert (3, stretch_of(job())) == (len(found), (found[0].start, found[-1].end))
    short = job(days=0.05)
    assert (Stretch(*stretch_of(short)),) == cut(short, 3)


@pytest.mark.parametrize("facts", [{"counts": False}, {"request": {"filter": None}}])
def test_what_shares_its_time_or_has_no_date_is_never_cut(facts: dict[str, Any]) -> None:
    """Others wait for it, or each piece would be all of it."""
    assert (Stretch(ORIGIN - timedelta(days=1), ORIGIN),) == cut(job(**facts), 2)

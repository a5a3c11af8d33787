"""Clocks: what `now`, `monotonic`, waits and time-outs mean, in real and in scaled time."""

from collections.abc import Callable
from datetime import UTC, timedelta

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.clock import REAL_TIMEOUT_SECONDS_MIN, Clock, ScaledClock, SystemClock
from syncengine.threads import run_blocking
from tests.virtual import ORIGIN, virtual, virtual_clock

CLOCKS: list[Callable[[], Clock]] = [SystemClock, virtual_clock, lambda: ScaledClock(60.0, ORIGIN)]
KINDS = pytest.mark.parametrize("make", CLOCKS, ids=["system", "virtual", "scaled"])


def passed(clock: Clock, since: float) -> float:
    return clock.monotonic() - since


def test_the_present_is_aware_and_utc() -> None:
    """Real time is the machine's, in UTC whatever its zone, and a skew is added to it."""
    day = timedelta(days=1)
    before, ahead, after = SystemClock().now(), SystemClock(day).now(), SystemClock().now()
    assert (UTC, UTC) == (before.tzinfo, ahead.tzinfo)
    assert before + day <= ahead <= after + day


def test_monotonic_can_be_read_without_a_loop() -> None:
    """Threads and plain functions read the clock that the loop has: it does not step back between them."""

    async def inside() -> float:
        return SystemClock().monotonic()

    readings = [SystemClock().monotonic(), anyio.run(inside), SystemClock().monotonic()]
    assert sorted(readings) == readings


@virtual
async def test_threads_read_the_same_virtual_time() -> None:
    """A clock that was given its reading has it in every thread."""
    clock = virtual_clock()
    await clock.sleep(77.0)
    assert clock.monotonic() == await run_blocking(clock.monotonic)
    assert clock.now() == await run_blocking(clock.now)


@virtual
@KINDS
async def test_a_wait_takes_its_seconds(make: Callable[[], Clock]) -> None:
    """Seconds are the clock's own, whatever it runs at."""
    clock = make()
    began = clock.monotonic()
    await clock.sleep(90.0)
    assert pytest.approx(90.0, abs=1e-3) == passed(clock, began)


@virtual
@KINDS
@pytest.mark.parametrize("seconds", [0.0, -5.0])
async def test_no_wait_lets_others_run(make: Callable[[], Clock], seconds: float) -> None:
    """Zero or less takes no time, and yet another task gets its turn."""
    clock, turns = make(), list[str]()

    async def other() -> None:
        turns.append("other")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        began = clock.monotonic()
        await clock.sleep(seconds)
        turns.append("we")
    assert (["other", "we"], began) == (turns, clock.monotonic())


@virtual
@KINDS
async def test_a_deadline_raises_and_a_limit_leaves(make: Callable[[], Clock]) -> None:
    """`fail_after` and `move_on_after` end a block after their seconds, and not before."""
    clock = make()
    began = clock.monotonic()
    with pytest.raises(TimeoutError), clock.fail_after(30.0):
        await clock.sleep(3_600.0)
    assert pytest.approx(30.0, abs=1e-3) == passed(clock, began)
    with clock.move_on_after(30.0) as scope:
        await clock.sleep(3_600.0)
    assert scope.cancelled_caught
    assert pytest.approx(60.0, abs=1e-3) == passed(clock, began)
    with clock.fail_after(30.0), clock.move_on_after(30.0) as scope:
        await clock.sleep(29.0)
    assert not scope.cancelled_caught


@virtual
@KINDS
async def test_a_pacer_lets_so_many_pass_at_once(make: Callable[[], Clock]) -> None:
    """Four at once in four seconds, then one a second of this clock."""
    clock = make()
    pace, began, at = clock.pacer(4, 4.0), clock.monotonic(), list[float]()
    for _ in range(7):
        await pace.acquire()
        at.append(passed(clock, began))
    assert pytest.approx([0, 0, 0, 0, 1, 2, 3], abs=0.1) == at


@given(scale=st.floats(0.1, 10_000.0), seconds=st.floats(0.0, 100_000.0))
@settings(max_examples=50, deadline=None)
@virtual
async def test_a_scaled_clock_runs_so_many_times_fast(scale: float, seconds: float) -> None:
    """In the loop's seconds / scale, both views of time move by the seconds, from the origin on."""
    clock, plain = ScaledClock(scale, ORIGIN), SystemClock()
    assert clock.now() == ORIGIN
    began, real_began = clock.monotonic(), plain.monotonic()
    await clock.sleep(seconds)
    slack = 1e-6 + 1e-6 * scale + 1e-9 * seconds
    assert pytest.approx(seconds, abs=slack) == passed(clock, began)
    assert pytest.approx(seconds, abs=slack) == (clock.now() - ORIGIN).total_seconds()
    assert pytest.approx(seconds / scale, abs=1e-6 + 1e-9 * seconds) == passed(plain, real_began)


@virtual
async def test_two_clocks_of_one_scale_agree_on_monotonic() -> None:
    """Processes started at different moments compare their seconds, though each has its own origin."""
    first = ScaledClock(60.0, ORIGIN)
    await first.sleep(500.0)
    second = ScaledClock(60.0, ORIGIN)
    assert first.monotonic() == second.monotonic()
    assert second.now() < first.now()


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_a_scale_is_positive(scale: float) -> None:
    """Time neither stands nor runs back."""
    with pytest.raises(ValueError, match="positive"):
        ScaledClock(scale, ORIGIN)


@pytest.mark.parametrize(
    ("clock", "own", "real"),
    [
        (SystemClock(), 60.0, 60.0),
        (ScaledClock(1.0, ORIGIN, lambda: 0.0), 60.0, 60.0),
        (ScaledClock(0.5, ORIGIN, lambda: 0.0), 60.0, 120.0),
        (ScaledClock(4.0, ORIGIN, lambda: 0.0), 60.0, 15.0),
        (ScaledClock(600.0, ORIGIN, lambda: 0.0), 600.0 * REAL_TIMEOUT_SECONDS_MIN, REAL_TIMEOUT_SECONDS_MIN),
    ],
)
def test_a_time_out_on_io_is_never_too_short(clock: Clock, own: float, real: float) -> None:
    """However fast the clock, a peer's machine works at its own pace: told in the clock's seconds and in real ones."""
    assert (own, real) == (clock.io_seconds(60.0), clock.real_seconds(60.0))

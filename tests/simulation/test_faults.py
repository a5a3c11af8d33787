"""Every fault that the sandbox can script, on every kind of call of a night: the night is whole, or the next one is.

Calls, queues and quotas are here; what may happen to a job and its file is in `test_file_faults`.
"""

import random
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from syncengine.sandbox.messages import Request
from syncengine.transport.wire import Wire, WireAnswer, WireRequest
from tests.simulation.faults import ALREADY_QUEUED, CALLS, NO_MEGABYTES, PASSING, QUEUE_FULL, on
from tests.simulation.nights import Night
from tests.simulation.seeded import seeded


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", PASSING)
@seeded
async def test_what_passes_is_outlived_on_every_kind_of_call(tmp_path: Path, fault: str, call: str) -> None:
    """One such fault costs a retry or a wait, never a second export, and the same run ends whole."""
    night = Night(tmp_path, 1, streams=["leads"], faults=(on(call, PASSING[fault]),))
    assert ["done"] == await night.endings(1), night.last_error
    assert [] == await night.problems()
    assert await night.applied_bytes() == night.exported_bytes()


@pytest.mark.parametrize("call", list(CALLS)[1:])
@pytest.mark.parametrize("code", ["601", "602"])
@seeded
async def test_a_living_token_that_is_refused_once_costs_a_second_and_not_the_night(
    tmp_path: Path, code: str, call: str
) -> None:
    """Identity gives out the very token that was refused: the call is repeated with it."""
    night = Night(tmp_path, 1, streams=["leads"], faults=(on(call, {"action": "error", "code": code}),))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    assert await night.applied_bytes() == night.exported_bytes()


@pytest.mark.parametrize("code", ["601", "602"])
@seeded
async def test_identity_may_refuse_in_the_words_of_the_api(tmp_path: Path, code: str) -> None:
    """A token's refusal, where a token is asked for, is a failure like any other: identity is asked again."""
    night = Night(tmp_path, 1, streams=["leads"], faults=(on("identity", {"action": "error", "code": code}),))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()


class Revoking:
    """A wire that lets the instance's token die just before the n-th call of a process leaves."""

    def __init__(self, wire: Wire, night: Night, nth: int) -> None:
        self._wire = wire
        self._night = night
        self._left = nth

    def send(self, request: WireRequest) -> AbstractAsyncContextManager[WireAnswer]:
        self._left -= 1
        tokens = self._night.server.tokens
        if not self._left and tokens._current is not None:
            tokens._current = replace(tokens._current, expires_at=self._night.clock.now().timestamp())
        return self._wire.send(request)

    async def close(self) -> None:
        await self._wire.close()


@pytest.mark.parametrize("nth", range(2, 7))
@seeded
async def test_a_token_that_dies_early_costs_one_refused_call(tmp_path: Path, nth: int) -> None:
    """Whichever call is the first to be refused: the token is renewed, the call repeated, and the run goes on."""
    night = Night(tmp_path, 1, streams=["leads"])
    assert "done" == await night.ending(lambda wire: Revoking(wire, night, nth))
    assert [] == await night.problems()
    assert {"602": 1} == night.server.report()["codes"]


@seeded
async def test_tokens_that_die_every_other_minute_refuse_nothing(tmp_path: Path) -> None:
    """A night of many tokens: each turn is waited for, and no call arrives with a dead one."""
    night = Night(tmp_path, 1, days=60, token_seconds=100.0, job_seconds=(200.0, 300.0))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    report = night.server.report()
    assert {} == report["codes"]
    assert report["tokens_issued"] >= 5


@pytest.mark.parametrize("call", ["create", "enqueue"])
@seeded
async def test_a_full_queue_is_waited_for(tmp_path: Path, call: str) -> None:
    """Four refusals of a full queue in a row: some minutes later the same run ends whole."""
    night = Night(tmp_path, 1, faults=(on(call, QUEUE_FULL, times=4),))
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    assert await night.applied_bytes() == night.exported_bytes()


@seeded
async def test_a_queue_with_one_place_lets_all_windows_through(tmp_path: Path) -> None:
    """The instance takes one job at a time: the others are refused, wait, and come in one by one."""
    night = Night(tmp_path, 1, days=60, jobs_queued=1, jobs_running=1)
    assert ["done"] == await night.endings(1)
    assert [] == await night.problems()
    assert {"1029"} == set(night.server.report()["codes"])


@seeded
async def test_a_job_that_marketo_never_queued_is_made_anew_after_half_a_day(tmp_path: Path) -> None:
    """Marketo's word is believed; when nothing comes of it for twelve hours, the job is cancelled and another made."""
    night = Night(tmp_path, 1, streams=["activities"], faults=(on("enqueue", ALREADY_QUEUED),))
    assert "done" == await night.ending(at_most=13 * 3_600.0)
    assert [] == await night.problems()
    assert {"activities": 2} == night.server.report()["jobs_created"]


@pytest.mark.parametrize("call", ["create", "enqueue"])
@seeded
async def test_no_megabytes_left_pauses_exports_until_the_reset(tmp_path: Path, call: str) -> None:
    """One refusal is enough: no window is asked for again before the reset, and after it the night is whole."""
    night = Night(tmp_path, 1, faults=(on(call, NO_MEGABYTES),))
    assert ["paused", "done"] == await night.endings(2)
    assert [] == await night.problems()
    assert {"1029": 1} == night.server.report()["codes"]


@pytest.mark.parametrize("megabytes", [0.001])
@seeded
async def test_what_was_exported_before_the_megabytes_ended_is_applied(tmp_path: Path, megabytes: float) -> None:
    """Ten windows and room for some: what was metered is in the destination when the run ends, the rest days later."""
    night = Night(tmp_path, 1, days=150, export_bytes_per_day=int(megabytes * 1_000_000), jobs_running=1)
    assert "paused" == await night.ending()
    assert night.exported_bytes() >= megabytes * 1_000_000
    assert await night.applied_bytes() == night.exported_bytes()
    await night.pause()
    assert "done" == (await night.endings(9))[-1]
    assert [] == await night.problems()
    assert await night.applied_bytes() == night.exported_bytes()


@pytest.mark.parametrize(
    ("month", "reset", "left", "refused"),
    [
        *((3, "Central", left, 1) for left in range(5)),
        (7, "Central", 2, 1),
        (7, "CST fixed", 1, 2),
        (7, "CST fixed", 4, 2),
    ],
)
@seeded
async def test_a_day_without_calls_ends_the_run_and_its_reset_brings_the_rest(
    tmp_path: Path, month: int, reset: str, left: int, refused: int
) -> None:
    """Others have spent all but a few calls: one is refused, in summer one more where the reset is an hour later."""
    start = datetime(2026, month, 2, 8, tzinfo=UTC)
    night = Night(tmp_path, 1, streams=["leads"], start=start, reset=reset)
    night.server.limits.calls.add(start.timestamp(), 50_000 - left)
    assert [*["QuotaExhausted"] * refused, "done"] == await night.endings(refused + 1)
    assert [] == await night.problems()
    assert {"607": refused} == night.server.report()["codes"]
    assert await night.applied_bytes() == night.exported_bytes()


@pytest.mark.parametrize("seed", range(3))
@seeded
async def test_a_neighbour_who_fills_the_window_slows_a_night_and_does_not_end_it(tmp_path: Path, seed: int) -> None:
    """Somebody else uses up nearly all calls of every window, in bursts: refusals are waits, and the run is whole."""
    night, rng = Night(tmp_path, seed), random.Random(f"neighbour {seed}")

    async def neighbour() -> None:
        while True:
            now = night.clock.now().timestamp()
            for _ in range(rng.randint(95, 100)):
                night.server.handle(Request("GET", "/rest/v1/stats/usage.json"), now)
            await night.clock.sleep(rng.uniform(20.0, 30.0))

    async with anyio.create_task_group() as background:
        background.start_soon(neighbour)
        ending = await night.ending()
        background.cancel_scope.cancel()
    assert "done" == ending, night.last_error
    # The window is the neighbour's doing; all the rest has to be as ever.
    assert [] == [problem for problem in await night.problems() if not problem.startswith("largest_window")]
    assert night.server.report()["codes"]["606"] > 0

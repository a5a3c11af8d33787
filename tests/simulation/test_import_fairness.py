"""An import that is begun while a nightly sync saturates the instance: it is let in at once, and no limit is passed.

Both are processes of their own that share nothing but the slots in the state folder.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from benchmarks.load import through_engine
from syncengine.imports.route import Route
from syncengine.marketo.call import Priority
from syncengine.transport.wire import Wire, WireAnswer, WireRequest
from tests.simulation.import_checks import problems
from tests.simulation.imports import Intake
from tests.simulation.people import Shares
from tests.simulation.seeded import seeded

ROWS = 200
SATURATED_AFTER_SECONDS = 60.0
WINDOW_SECONDS = 20.0


class Timed:
    """A wire that notes when each call leaves."""

    def __init__(self, wire: Wire, intake: Intake, left: list[tuple[float, str]]) -> None:
        self._wire = wire
        self._intake = intake
        self._left = left

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator[WireAnswer]:
        self._left.append((self._intake.clock.monotonic(), request.target))
        async with self._wire.send(request) as answer:
            yield answer

    async def close(self) -> None:
        await self._wire.close()


class Saturating:
    """A nightly sync that would call thirty times at once, for as long as it is let."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.is_over = False
        self.calls = 0

    async def run(self) -> None:
        async with self._intake.process(priority=Priority.BACKGROUND) as parts:
            await through_engine(parts.client, lambda: self.is_over)
            self.calls = parts.client.calls_sent


@pytest.mark.parametrize("begins_after", [0.0, 7.0, 19.0])
@pytest.mark.parametrize(("latency", "what"), [((0.02, 0.4), "window"), ((3.0, 9.0), "flights")])
@seeded
async def test_an_import_is_let_in_at_once_while_a_sync_saturates_the_instance(
    tmp_path: Path, latency: tuple[float, float], what: str, begins_after: float
) -> None:
    """Its token and its first call leave within a window of being asked for, whichever limit is the narrow one."""
    intake = Intake(tmp_path, 1, latency_seconds=latency, import_seconds=(20.0, 60.0))
    people = intake.people(ROWS)
    load, left = Saturating(intake), list[tuple[float, str]]()
    async with anyio.create_task_group() as both:
        both.start_soon(load.run)
        await intake.clock.sleep(SATURATED_AFTER_SECONDS + begins_after)
        asked_at = intake.clock.monotonic()
        asked = intake.asked(people, route=Route.BULK)
        assert "partial" == await intake.ending(asked, wrap=lambda wire: Timed(wire, intake, left))
        took = intake.clock.monotonic() - asked_at
        load.is_over = True
    assert [] == await problems(intake, people)
    (token_at, token), (first_at, first) = left[:2]
    assert token.startswith("/identity")
    assert first.startswith("/rest")
    assert token_at - asked_at <= WINDOW_SECONDS
    assert first_at - asked_at <= WINDOW_SECONDS
    # When the token is there, the next place that comes free is the import's; behind the load it would be far later.
    assert first_at - token_at <= latency[1] + 2.0
    report = intake.server.report()
    assert report["largest_window" if what == "window" else "most_in_flight"] == (100 if what == "window" else 10)
    assert {} == report["codes"]
    # The sync has what the import leaves: it is slowed down, not stopped.
    assert load.calls > 0.8 * (report["calls_total"] - len(left))
    assert took < 1_500.0


@seeded
async def test_an_import_call_by_call_waits_for_no_window_of_its_own(tmp_path: Path) -> None:
    """Four synchronous calls beside the load: the import is through in a little more than a window's time."""
    intake = Intake(tmp_path, 2, latency_seconds=(0.02, 0.4))
    people = intake.people(1_000, shares=Shares(failed=0.0))
    load = Saturating(intake)
    async with anyio.create_task_group() as both:
        both.start_soon(load.run)
        await intake.clock.sleep(SATURATED_AFTER_SECONDS)
        asked_at = intake.clock.monotonic()
        assert "partial" == await intake.ending(intake.asked(people, route=Route.REST)), intake.last_error
        took = intake.clock.monotonic() - asked_at
        load.is_over = True
    assert [] == await problems(intake, people)
    assert took < 2 * WINDOW_SECONDS
    assert {} == intake.server.report()["codes"]

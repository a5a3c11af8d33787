"""Values that change by the second, and the events by which a page follows them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import orjson

from syncengine.clock import ScaledClock
from syncengine.config import LimitSettings
from syncengine.reports import RunSummary
from syncengine.service.seen.live import EVENT_SECONDS, PING_SECONDS, events, revision, values
from syncengine.service.seen.snapshot import live_of
from syncengine.service.seen.snapshots import Snapshots
from syncengine.service.standing import GroupStanding, Problem
from syncengine.transport.book import Spent
from syncengine.transport.use import GateUse
from tests.unit.service.seen.seen import all_seen, seen
from tests.unit.service.seen.written import NOW, calling, settings_of, standings
from tests.virtual import virtual, virtual_clock

Listening = tuple[Snapshots, list[tuple[float, bytes]], anyio.Event]


@asynccontextmanager
async def listening(
    folder: Path, clock: ScaledClock
) -> AsyncIterator[tuple[Snapshots, list[tuple[float, bytes]], anyio.Event]]:
    """The events of a state folder with the second at which each came, until the event is set."""
    snapshots = Snapshots(settings_of(folder), standings(), {"acme": clock}, clock=clock)
    heard: list[tuple[float, bytes]] = []
    ending, began = anyio.Event(), clock.monotonic()

    async def listen() -> None:
        async for event in events(snapshots, ending):
            heard.append((clock.monotonic() - began, event))  # noqa: PERF401  # read while it grows
        heard.append((clock.monotonic() - began, b"end"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(snapshots.keep_fresh)
        tasks.start_soon(listen)
        yield snapshots, heard, ending
        tasks.cancel_scope.cancel()


def data(event: bytes) -> Any:
    """What an event carries."""
    return orjson.loads(event.partition(b"data: ")[2])


@virtual
async def test_all_values_come_first_and_then_only_what_has_changed(tmp_path: Path) -> None:
    """A call that begins is told within two seconds, with nothing beside it but the time."""
    clock = virtual_clock(NOW)
    async with listening(tmp_path, clock) as (snapshots, heard, _):
        await clock.sleep(1)
        first = data(heard[1][1])
        assert values(await snapshots.latest()).keys() == first.keys()
        assert ("0", "nobody") == (first["acme.in_flight"], first["acme.holders"])
        async with calling(settings_of(tmp_path)[0], clock, holder="pid 7"):
            await clock.sleep(2 * EVENT_SECONDS)
        ((_, second),) = heard[2:]
    assert {
        "at": "2026-03-02 08:00Z",
        "acme.window": "1",
        "acme.in_flight": "1",
        "acme.holders": "pid 7 (1)",
        "acme.calls": "1",
        "acme.calls.percent": "<1 %",
    } == data(second)


@virtual
async def test_while_nothing_changes_there_is_a_ping(tmp_path: Path) -> None:
    """A comment, and the time as an event of its own: a page that hears nothing knows that it is not live."""
    clock = virtual_clock(NOW)
    async with listening(tmp_path, clock) as (_, heard, _):
        await clock.sleep(40)
    pings = [(at, event) for at, event in heard if event.startswith(b": ping")]
    assert 2 == len(pings)
    assert PING_SECONDS <= pings[0][0] <= PING_SECONDS + 2 * EVENT_SECONDS
    assert {"at": "2026-03-02 08:00Z"} == data(pings[0][1])
    assert b"event: still\n" in pings[0][1]


@virtual
async def test_a_daemon_that_stops_ends_the_events(tmp_path: Path) -> None:
    """At once, not with the next event."""
    clock = virtual_clock(NOW)
    async with listening(tmp_path, clock) as (_, heard, ending):
        await clock.sleep(1)
        ending.set()
        await clock.sleep(0.1)
        assert b"end" == heard[-1][1]


def test_values_are_texts_ready_to_be_shown() -> None:
    """With units and thousands, and a dash for what is not known; groups and queues among them."""
    use = GateUse(34, 100, 3, 10, Spent(12_345, 86_300_000), {"pid 2": 1, "pid 1": 2}, None, None, frozenset({"pid 3"}))
    group = GroupStanding(instance="acme", group="nightly", state="running")
    found = values(all_seen(seen(live=live_of(use, LimitSettings(), NOW), groups=(group,))))
    assert {
        "at": "2026-03-02 08:00Z",
        "acme.window": "34",
        "acme.in_flight": "3",
        "acme.holders": "pid 1 (2), pid 2 (1)",
        "acme.waiting": "pid 3",
        "acme.calls": "12,345",
        "acme.calls.percent": "25 %",
        "acme.calls.bar": "24.69",
        "acme.export": "86.3 MB",
        "acme.export.percent": "17 %",
        "acme.export.bar": "17.26",
        "acme.exports": "0",
        "acme.imports": "0",
        "acme.group.nightly.state": "running",
    } == {name: text for name, text in found.items() if name != "revision"}
    unknown = values(all_seen(seen(live=live_of(None, LimitSettings(), NOW, "locked"), journal_problem="gone")))
    assert set(unknown) == {*found}
    assert {"–", "0"} == {  # noqa: RUF001  # the page's dash
        unknown[name] for name in unknown if name not in {"at", "revision", "acme.group.nightly.state"}
    }


def test_more_than_the_whole_budget_is_a_full_bar() -> None:
    """Others may have used more than we knew of."""
    use = GateUse(0, 100, 0, 10, Spent(60_000, 0), {}, None)
    found = values(all_seen(seen(live=live_of(use, LimitSettings(), NOW))))
    assert ("60,000", "100.00") == (found["acme.calls"], found["acme.calls.bar"])


def test_the_revision_changes_with_what_only_a_new_page_shows() -> None:
    """A run, its end, a problem, a group's state or turn; not with calls or time."""
    base = seen()
    run = RunSummary("1", "sync leads", "running", NOW)
    others = [
        replace(base, runs=(run,)),
        replace(base, runs=(replace(run, outcome="done"),)),
        replace(base, problems=(Problem(NOW, "acme", "nightly", "x"),)),
        replace(base, groups=(GroupStanding(instance="acme", group="nightly", state="running"),)),
        replace(base, groups=(GroupStanding(instance="acme", group="nightly", next_due=NOW),)),
        replace(base, journal_problem="gone"),
        replace(base, destination_problem="gone"),
        replace(base, taken_over="process 7 has it"),
    ]
    assert 1 + len(others) == len({revision(all_seen(each)) for each in (base, *others)})
    use = GateUse(1, 100, 1, 10, Spent(1, 1), {"pid 1": 1}, None)
    assert revision(all_seen(base)) == revision(all_seen(replace(base, live=live_of(use, LimitSettings(), NOW))))

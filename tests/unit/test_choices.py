"""How an engine meets the world, and what takes the world's place."""

from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from syncengine.choices import Outside, open_clock, open_destination, wire_to
from syncengine.engine import open_engine
from syncengine.errors import DestinationUnavailable
from syncengine.jobs.lease import LEASE_TTL_SECONDS
from tests.unit.exports.opened import settings_for
from tests.virtual import virtual, virtual_clock


def test_the_outside_is_the_world() -> None:
    """Real clocks, real wires, the destination of the configuration, and a lease that outlasts a stalled process."""
    outside = Outside()
    assert (open_clock, wire_to, open_destination, LEASE_TTL_SECONDS) == (
        outside.clock,
        outside.wire,
        outside.destination,
        outside.lease_ttl_seconds,
    )


@virtual
async def test_a_clock_that_is_open_already_is_used(tmp_path: Path) -> None:
    """All else stays: of a scaled clock no server is asked again for its time."""
    clock, outside = virtual_clock(), Outside(lease_ttl_seconds=7.0)
    own = settings_for(tmp_path)
    scaled = replace(own, instance=replace(own.instance, time_scale=60.0))
    assert clock is await outside.at(clock).clock(scaled)
    assert outside == replace(outside.at(clock), clock=open_clock)


@virtual
async def test_an_engine_meets_the_outside_that_it_is_given(tmp_path: Path) -> None:
    """Its clock, its wire, its destination, and for how long its leases are believed."""
    clock, wires = virtual_clock(), list[str]()

    @asynccontextmanager
    async def wire(origin: str, *_: Any) -> Any:
        wires.append(origin)
        yield None
        wires.append("closed")

    def away(_: Any) -> Any:
        raise DestinationUnavailable("away")

    settings = settings_for(tmp_path)
    outside = replace(Outside(wire=wire, destination=away, lease_ttl_seconds=7.0), clock=Outside().at(clock).clock)
    async with open_engine(settings, outside=outside) as engine:
        assert clock is engine.client.clock
        assert 7.0 == (await engine.journal.acquire_lease("acme", "sync x")).ttl_seconds
        raised = ""
        try:
            engine.destination  # noqa: B018  # it is opened when it is asked for
        except DestinationUnavailable as error:
            raised = error.message
        assert ("away", [settings.instance.base_url]) == (raised, wires)
    assert [settings.instance.base_url, "closed"] == wires

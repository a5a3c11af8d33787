"""What an import works with."""

from pathlib import Path

from syncengine.imports.route import Route
from tests.unit.imports.world import asked, build, people
from tests.virtual import virtual


@virtual
async def test_calls_are_counted_on_whatever_way_they_go(tmp_path: Path) -> None:
    """The service has a host and a client of its own."""
    world = build(tmp_path, has_ingestion=True)
    assert 0 == world.parts.calls_sent
    report = await world.imported(asked(world.file(*people(5)), route=Route.INGESTION))
    assert world.parts.ingestion is not None
    assert (1, 1) == (report.calls, world.parts.ingestion.calls_sent)
    assert world.parts.client.calls_sent + 1 == world.parts.calls_sent

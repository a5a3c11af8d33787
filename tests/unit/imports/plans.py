"""Plans of imports from small files, for the tests of what is found in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from syncengine.imports.asked import Asked
from syncengine.imports.body import Rows
from syncengine.imports.findings import Effect
from syncengine.imports.prepare import Prepared, prepared
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.observe.events import Event, RowsRead
from tests.unit.imports.table import FIELDS

LEADS = Target(kind=Kind.LEADS, keys=("email",))
HEADER = b"email,firstName,leadScore\n"


def asked(*files: str | Path, route: Route = Route.BULK, **more: Any) -> Asked:
    """An import of these files."""
    return Asked(target=LEADS, files=tuple(map(str, files)), route=route, **more)


def written(folder: Path, content: bytes, name: str = "people.csv") -> Path:
    """A file of these bytes."""
    path = folder / name
    path.write_bytes(content)
    return path


@asynccontextmanager
async def planned(
    folder: Path, order: Asked, *, file_bytes: int = 10_000_000, has_ingestion: bool = False
) -> AsyncIterator[Prepared]:
    """A plan in a folder of its own, which is empty again afterwards."""
    work = folder / "ours"
    work.mkdir(exist_ok=True)
    events: list[Event] = []
    reading = prepared(
        order, FIELDS, work, has_ingestion=has_ingestion, file_bytes_max=file_bytes, observe=events.append
    )
    async with reading as plan:
        yield plan
    assert not any_in(work)
    told_of = [event.rows for event in events if isinstance(event, RowsRead)]
    assert plan.rows == max(told_of, default=0)


def any_in(folder: Path) -> list[str]:
    """What lies in a folder."""
    return [path.name for path in folder.iterdir()]


def sent(plan: Prepared) -> list[bytes]:
    """The records of each chunk."""
    bodies = [plan.folder / body.path for body in plan.bodies]
    return [b"".join(Rows(plan.folder / manifest, bodies).pieces()) for manifest, _, _ in plan.chunks]


def told(plan: Prepared) -> list[tuple[Effect, str, str, int | None]]:
    """What was found: effect, column, what, rows."""
    return [(each.effect, each.column, each.what, each.rows) for each in plan.findings]

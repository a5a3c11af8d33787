"""The folders of an instance: three areas, each with everything below it, programs among it.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/folders
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from syncengine.assets.crew import together
from syncengine.assets.documents import Place, place
from syncengine.assets.lists import whole
from syncengine.assets.places import Node
from syncengine.marketo.endpoints import assets
from syncengine.marketo.rows import text
from syncengine.marketo.rows import whole as whole_number
from syncengine.transport.client import Client


@dataclass(frozen=True, slots=True)
class Folders:
    """Rows of folders, and the tree that they make with the programs. `workspaces` are ids."""

    rows: Sequence[Mapping[str, Any]] = field(repr=False)
    nodes: Mapping[Place, Node] = field(repr=False)
    workspaces: tuple[int, ...]
    is_steady: bool


async def read(client: Client, areas: dict[str, int], expected: int) -> Folders:
    """Read all areas. `areas` are the ids of roots that are known, and those that are asked for are added."""
    missing = [name for name in assets.AREAS if name not in areas]
    roots = await together([partial(client.send, assets.area(name)) for name in missing])
    areas |= {name: root for name, root in zip(missing, roots, strict=True) if root is not None}
    found = await together(
        [
            partial(whole, client, partial(assets.folders, root), where, expected // len(areas))
            for root in areas.values()
        ]
    )
    rows = list({where(row): row for each in found for row in each.rows}.values())
    return Folders(
        rows=[row for row in rows if (here := where(row)) and here.type == "Folder"],
        nodes={here: Node(text(row.get("name")), place(row.get("parent"))) for row in rows if (here := where(row))},
        workspaces=tuple(sorted({zone for row in rows if (zone := whole_number(row.get("accessZoneId")))})),
        is_steady=all(each.is_steady for each in found),
    )


def where(row: Mapping[str, Any]) -> Place | None:
    """What a row of the folder list stands for."""
    return place(row.get("folderId"))

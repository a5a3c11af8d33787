"""The folders of an instance: three areas, each with everything below it, programs among it.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/folders
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from syncengine.assets.crew import together
from syncengine.assets.documents import Place, place
from syncengine.assets.lists import Whole, believed, whole
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


async def read(client: Client, areas: dict[str, int], known: Collection[Place]) -> Folders:
    """Read all areas. `areas` are the ids of roots that are known, and those that are asked for are added."""
    missing = [name for name in assets.AREAS if name not in areas]
    roots = await together([partial(client.send, assets.area(name)) for name in missing])
    areas |= {name: root for name, root in zip(missing, roots, strict=True) if root is not None}
    found = await believed(partial(_read, client, areas, len(known)), known)
    return Folders(
        rows=[row for row in found.rows if (here := where(row)) and here.type == "Folder"],
        nodes={
            here: Node(text(row.get("name")), place(row.get("parent"))) for row in found.rows if (here := where(row))
        },
        workspaces=tuple(sorted({zone for row in found.rows if (zone := whole_number(row.get("accessZoneId")))})),
        # An area that cannot be found is not known to be gone with all that lies in it.
        is_steady=found.is_steady and len(areas) == len(assets.AREAS),
    )


async def _read(client: Client, areas: Mapping[str, int], expected: int) -> Whole:
    roots, share = areas.values(), expected // max(1, len(areas))
    lists = await together([partial(whole, client, partial(assets.folders, root), where, share) for root in roots])
    return Whole(
        {identity: row for each in lists for identity, row in each.by_identity.items()},
        is_steady=all(each.is_steady for each in lists),
        is_one_page=all(each.is_one_page for each in lists),
    )


def where(row: Mapping[str, Any]) -> Place | None:
    """What a row of the folder list stands for."""
    return place(row.get("folderId"))

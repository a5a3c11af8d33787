"""The folders of an instance: three areas, each with everything below it, programs among it.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/folders
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from syncengine.assets.crew import together
from syncengine.assets.documents import Place, place
from syncengine.assets.lists import Whole, believed, joined, whole
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


async def read(
    client: Client, areas: dict[str, int], known: Collection[Place], known_roots: Collection[str] = ()
) -> Folders:
    """Read all areas. `areas` are the ids of roots that are known, and those that are asked for are added.

    `known` are folders and programs that were there, `known_roots` the names of areas among them.
    """
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
        # An area that was there and cannot be found is not known to be gone with all that lies in it.
        is_steady=found.is_steady and not set(known_roots).intersection(assets.AREAS).difference(areas),
    )


async def _read(client: Client, areas: Mapping[str, int], expected: int) -> Whole:
    roots, share = areas.values(), expected // max(1, len(areas))
    return joined(
        await together([partial(whole, client, partial(assets.folders, root), where, share) for root in roots])
    )


def where(row: Mapping[str, Any]) -> Place | None:
    """What a row of the folder list stands for."""
    return place(row.get("folderId"))

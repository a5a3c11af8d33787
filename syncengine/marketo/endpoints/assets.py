"""The read side of the Asset API: lists by offset, the folders of an area, parts of one asset, and the v2 designs.

Which list and which parts a kind of asset has is a table of the caller's; here is how each of them is asked for.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal
from urllib.parse import quote

import orjson

from syncengine.marketo.call import Call
from syncengine.marketo.limits import ASSET_PAGE_ROWS_MAX, ASSET_V2_IDS_MAX, ASSET_V2_PAGE_ROWS_MAX
from syncengine.marketo.pages import rows_of
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import count, listed, mapping, wire_time

PERMISSION: Final = "Read-Only Assets"
# The roots of the folder tree; each is found by its name.
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/folders
AREAS: Final = ("Marketing Activities", "Design Studio", "Lead Database")
# How deep a folder is looked into. Adobe names no limit; left out, it is 2.
FOLDER_DEPTH: Final = 100

Rows = tuple[Mapping[str, Any], ...]
Design = Literal["email", "emailtemplate", "fragment"]


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list: its rows, whether it is full, so that another may follow, and how many rows there are.

    `total` is None where the endpoint does not say.
    """

    rows: Rows = field(repr=False)
    is_full: bool
    total: int | None = None


def page(
    name: str,
    path: str,
    offset: int = 0,
    *,
    status: str = "",
    since: datetime | None = None,
    query: Mapping[str, str] | None = None,
) -> Call[ListPage]:
    """Up to 200 assets from `offset` on, as their list shows them; `name` is the call's.

    `status` asks for the "approved" or the "draft" versions where a list knows them, `since` for what was made or
    changed since a moment. ValueError for a moment without a zone.
    """
    return Call(
        name=name,
        method="GET",
        path=path,
        decode=partial(_listed, size=ASSET_PAGE_ROWS_MAX),
        query={
            **(query or {}),
            **({"status": status} if status else {}),
            **({"earliestUpdatedAt": wire_time(since)} if since else {}),
            "offset": str(offset),
            "maxReturn": str(ASSET_PAGE_ROWS_MAX),
        },
        permission=PERMISSION,
    )


def everything(name: str, path: str, *, status: str = "") -> Call[ListPage]:
    """All rows of a list that is not cut into pages."""
    return Call(
        name=name,
        method="GET",
        path=path,
        decode=lambda reply: ListPage(rows_of(reply), is_full=False),
        query={"status": status} if status else {},
        permission=PERMISSION,
    )


def area(name: str) -> Call[int | None]:
    """The id of the root folder of one of AREAS; None where the instance, or the API user, has no such area."""
    return Call(
        name="folders.by_name",
        method="GET",
        path="/rest/asset/v1/folder/byName.json",
        decode=partial(_root, name=name),
        query={"name": name, "type": "Folder"},
        permission=PERMISSION,
    )


def folders(root_id: int, offset: int = 0) -> Call[ListPage]:
    """Up to 200 of the folders and programs below a root, itself included, however deep they lie."""
    root = orjson.dumps({"id": root_id, "type": "Folder"}).decode()
    return page(
        "folders.list",
        "/rest/asset/v1/folders.json",
        offset,
        query={"root": root, "maxDepth": str(FOLDER_DEPTH)},
    )


def part(name: str, path: str, query: Mapping[str, str] | None = None, **places: object) -> Call[Rows]:
    """One part of one asset: its content, say. `places` fill the braces in `path`; nothing there gives no rows."""
    filled = path.format(**{key: quote(str(value), safe="=") for key, value in places.items()})
    return Call(name=name, method="GET", path=filled, decode=rows_of, query=dict(query or {}), permission=PERMISSION)


def designs(design: Design, workspace_id: int, page_index: int = 0) -> Call[ListPage]:
    """Up to 50 of the emails, templates or fragments of the new designer in one workspace.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/emails-new
    """
    return Call(
        name=f"{design}_v2.list",
        method="GET",
        path=f"/rest/asset/v2/{design}/filter",
        decode=partial(_designs, size=ASSET_V2_PAGE_ROWS_MAX),
        query={
            "workspaceId": str(workspace_id),
            "includeArchived": "true",
            "pageIndex": str(page_index),
            "pageSize": str(ASSET_V2_PAGE_ROWS_MAX),
        },
        headers=V2_HEADERS,
        permission=PERMISSION,
    )


def designs_in_full(design: Design, ids: Sequence[str]) -> Call[Rows]:
    """1 to 20 emails, templates or fragments of the new designer with their content; ValueError for other numbers."""
    if not 1 <= len(ids) <= ASSET_V2_IDS_MAX:
        raise ValueError(f"one call takes 1 to {ASSET_V2_IDS_MAX} ids, not {len(ids)}")
    return Call(
        name=f"{design}_v2.get",
        method="POST",
        path=f"/rest/asset/v2/{design}/bulk/get",
        decode=rows_of,
        json={"assetIds": list(ids)},
        headers=V2_HEADERS,
        permission=PERMISSION,
    )


# Adobe's pages put the token into the URL as well, which Marketo has ceased to take: it travels as in every other call.
V2_HEADERS: Final = {"x-app-type": "marketo"}


def _listed(reply: Reply, size: int) -> ListPage:
    rows = rows_of(reply)
    return ListPage(rows, is_full=len(rows) >= size)


def _root(reply: Reply, name: str) -> int | None:
    """The folder that has no parent, of those with the name."""
    for row in rows_of(reply):
        if row.get("name") == name and row.get("parent") is None:
            if (number := count(row.get("id"))) is None:
                raise Malformed("a folder has no id")
            return number
    return None


def _designs(reply: Reply, size: int) -> ListPage:
    """Adobe's definitions show one object with `items`, its pages show the items themselves."""
    rows = rows_of(reply)
    if len(rows) == 1 and "items" in rows[0]:
        items = tuple(mapping(item) for item in listed(rows[0]["items"]))
        return ListPage(items, is_full=len(items) >= size, total=count(rows[0].get("totalItems")))
    return ListPage(rows, is_full=len(rows) >= size)

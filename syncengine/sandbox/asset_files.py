"""Bytes of images and other files, which a web server gives to anyone; separate from the API, which only names them.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/files
"""

from functools import lru_cache
from random import Random

from syncengine.sandbox.asset_items import Asset
from syncengine.sandbox.asset_store import AssetStore
from syncengine.sandbox.messages import Response
from syncengine.sandbox.replies import page

FILES_PREFIX = "/rs/"
MIME_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
    ".pdf": "application/pdf",
    ".css": "text/css",
    ".js": "application/javascript",
    ".txt": "text/plain",
}
UNKNOWN_TYPE = "application/octet-stream"


def mime_type(name: str) -> str:
    """The type that the end of a name tells."""
    return next((known for end, known in MIME_TYPES.items() if name.lower().endswith(end)), UNKNOWN_TYPE)


def content_of(asset: Asset, seed: int) -> bytes:
    """All bytes of a file."""
    return _bytes(f"{seed} file {asset.id} {asset.versions[''].edits}", asset.facts["size"])


def serve(store: AssetStore, path: str) -> Response:
    """The answer to a call of a file's address; its path may have come in decoded."""
    prefix = f"{FILES_PREFIX}{store.options.name}/images/"
    number, has_name, _ = path.removeprefix(prefix).partition("_")
    if not path.startswith(prefix) or not has_name or not number.isdecimal():
        return page(404)
    asset = store.find("file", int(number))
    if asset is None:
        return page(404)
    return Response(200, {"Content-Type": mime_type(asset.first_name)}, content_of(asset, store.seed))


@lru_cache(maxsize=8)
def _bytes(key: str, size: int) -> bytes:
    return Random(key).randbytes(size)  # noqa: S311  # repeatable, not secret

"""The history of assets: a row for each state in which a version was seen, and one when it was gone.

Theory of operation. What the history lacks is told by the destination alone, so that nothing is lost or doubled by a
pull that died between its files and its tables. For that each row's key says which state of its version it is, counted
from 0, and which bytes that state had: `email/1056/approved/0002/9f86...`. The last of a version is the state that is
known; what lies on disk is new when its bytes are others, also when they are those of an earlier state.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from syncengine.assets.documents import Key
from syncengine.assets.entry import Entry
from syncengine.marketo.rows import instant_or_none
from syncengine.schema import Field, FieldType, Schema

HISTORY: Final = "asset_history"
ENTRY: Final = "entry"
GONE: Final = "gone"

SCHEMA: Final = Schema(
    (
        *(Field(name, FieldType.TEXT) for name in (ENTRY, "kind", "id", "version", "sha256", "name", "path")),
        Field(GONE, FieldType.BOOLEAN),
        Field("updatedAt", FieldType.TIMESTAMP),
        Field("seenAt", FieldType.TIMESTAMP),
    ),
    (ENTRY,),
)


class History:
    """What the destination has; `entries` are the keys of all its rows."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._last: dict[str, tuple[int, str]] = {}
        for entry in entries:
            version, number, sha256 = entry.rsplit("/", 2)
            self._last[version] = max(self._last.get(version, (-1, "")), (int(number), sha256))

    def rows(
        self, kind: str, there: Mapping[Key, Entry], seen_at: datetime, *, is_whole: bool = True
    ) -> Iterator[dict[str, Any]]:
        """What is new of a kind of which these versions are `there`; if that `is_whole`, no others are."""
        known = {named(key): entry for key, entry in there.items()}
        for version, entry in known.items():
            number, sha256 = self._last.get(version, (-1, ""))
            if sha256 != entry.sha256:
                yield row(version, number + 1, entry.sha256, seen_at) | {
                    "name": entry.name,
                    "path": str(entry.path),
                    "updatedAt": instant_or_none(entry.updated),
                }
        for version, (number, sha256) in self._last.items() if is_whole else ():
            if version.startswith(f"{kind}/") and version not in known and sha256 != GONE:
                yield row(version, number + 1, GONE, seen_at)


def named(key: Key) -> str:
    """A version in one text; an id may be any text, a slash included."""
    return f"{key.asset.kind}/{key.asset.id}/{key.version}"


def row(version: str, number: int, sha256: str, seen_at: datetime) -> dict[str, Any]:
    """What every row of the history says."""
    kind, rest = version.split("/", 1)
    identity, status = rest.rsplit("/", 1)
    is_gone = sha256 == GONE
    return {
        ENTRY: f"{version}/{number:06}/{sha256}",
        "kind": kind,
        "id": identity,
        "version": status,
        "sha256": None if is_gone else sha256,
        GONE: is_gone,
        "seenAt": seen_at,
    }

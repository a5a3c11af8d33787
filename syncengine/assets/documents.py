"""One version of one asset as a value, and as the bytes of its file: the same content always gives the same bytes.

The file is JSON with a fixed order of members, what is asked of Marketo most often first; HTML lies in a file of its
own beside it, so that Git shows its lines. The JSON names the HTML's size and hash, has a hash of itself, and is
written last: what does not fit together was cut short, or changed by somebody.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import NoneType
from typing import Any, Literal

import orjson

from syncengine.assets.kind import Kind, Version
from syncengine.assets.kinds import FOLDER, KINDS, PROGRAM, VOLATILE
from syncengine.marketo.reply import Malformed
from syncengine.marketo.rows import text, whole

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or a program as the home of others: ids of the two are not apart."""

    type: Literal["Folder", "Program"]
    id: int


@dataclass(frozen=True, slots=True)
class Asset:
    """Which asset: ids are unique only within a kind."""

    kind: str
    id: int | str


@dataclass(frozen=True, slots=True)
class Key:
    """Which version of which asset."""

    asset: Asset
    version: Version


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says of one version: `row` without what is volatile, `updated` as Marketo wrote it, or nothing."""

    key: Key
    name: str
    home: Place | None
    row: Mapping[str, Any] = field(repr=False)

    @property
    def updated(self) -> str:
        """When it was last changed, in whatever form its list has."""
        metadata = self.row.get("metadata")
        return text(self.row.get("updatedAt") or (metadata.get("modifiedAt") if isinstance(metadata, dict) else ""))

    @property
    def sha256(self) -> str:
        """A hash of everything that the list says."""
        return hash_of(orjson.dumps(self.row, option=orjson.OPT_SORT_KEYS))


@dataclass(frozen=True, slots=True)
class FileBody:
    """The bytes of a file, as they lie beside its JSON."""

    ending: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Document:
    """All that is known of one version of an asset. `parts` by name; `unavailable` are those that Marketo refuses.

    `html` lies beside it, and so do the bytes of a file, where they were asked for.
    """

    listed: Listed
    parts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    html: str | None = field(default=None, repr=False)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    bytes: FileBody | None = None

    @property
    def key(self) -> Key:
        """Which version of which asset."""
        return self.listed.key


def listed(kind: Kind, version: Version, row: Mapping[str, Any]) -> Listed:
    """A row of a kind's list as a value; Malformed when nothing identifies it."""
    number = row.get(kind.id)
    identity = text(number) if kind.has_text_ids else whole(number)
    if identity is None or identity == "":
        raise Malformed(f"an asset of kind {kind.name} has no {kind.id}")
    if kind.design is not None:
        version = "draft" if text(row.get("status") or row.get("state")).casefold() == "draft" else "approved"
    return Listed(
        key=Key(Asset(kind.name, identity), version),
        name=text(row.get(kind.shown)),
        home=home_of(kind, row),
        row=steady(row, kind.ignored),
    )


def steady(row: Mapping[str, Any], ignored: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A row without what changes by itself, and without the name of its folder, which is the folder's to say."""
    kept = {name: value for name, value in row.items() if name not in VOLATILE and name not in ignored}
    for name in ("folder", "parent", "appData"):
        if isinstance(stated := kept.get(name), dict):
            kept[name] = {key: value for key, value in stated.items() if key not in OF_THE_HOME}
    return kept


# What rows say of the folder or program that an asset lies in, besides its id.
OF_THE_HOME = frozenset({"folderName", "name", "programName", "programType"})


def home_of(kind: Kind, row: Mapping[str, Any]) -> Place | None:
    """The folder or program that an asset lies in; lists write it in four ways, and some not at all."""
    if kind.design is not None:
        context = row.get("appData")
        context = context if isinstance(context, dict) else {}
        if program := whole(context.get("programId")):
            return Place("Program", program)
        folder = whole(context.get("folderId"))
        return Place("Folder", folder) if folder else None
    return place(row.get("parent" if kind.name == FOLDER else "folder"))


def place(stated: object) -> Place | None:
    """A reference to a folder: `{"type", "id"}` or `{"type", "value"}`, in whatever case its type is written."""
    if not isinstance(stated, dict):
        return None
    number = whole(stated.get("id", stated.get("value")))
    is_program = text(stated.get("type")).casefold() == "program"
    return None if number is None else Place("Program" if is_program else "Folder", number)


def as_json(document: Document) -> bytes:
    """The bytes of a document's JSON file; the last member is a hash of the others."""
    body = {**_body(document), "sha256": sha256_of(document)}
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def sha256_of(document: Document) -> str:
    """A hash of everything that a document's files hold, however they are written."""
    return hash_of(orjson.dumps(_body(document)))


def _body(document: Document) -> dict[str, Any]:
    asset, html = document.key.asset, document.html
    body: dict[str, Any] = {
        "format": FORMAT,
        "kind": asset.kind,
        "id": asset.id,
        "name": document.listed.name,
        "version": document.key.version,
        "asset": ordered(document.listed.row),
        "content": ordered(document.parts),
    }
    if document.unavailable:
        body["unavailable"] = ordered(document.unavailable)
    if html is not None:
        encoded = as_html(html)
        body["html"] = {"bytes": len(encoded), "sha256": hash_of(encoded)}
    if document.bytes is not None:
        body["bytes"] = asdict(document.bytes)
    return body


def as_html(html: str) -> bytes:
    """The bytes of a document's HTML file: exactly what Marketo gave."""
    return html.encode("utf-8", "surrogatepass")


def core_sha256(document: Document) -> str:
    """A hash of what a version is, whatever it is called, wherever it lies and whenever it was last saved."""
    kind, row = KINDS[document.key.asset.kind], dict(document.listed.row)
    for name in (kind.shown, *OF_TIME_AND_PLACE, *kind.entailed):
        if name != kind.id:
            row.pop(name, None)
    for name in ("metadata", "appData"):
        if isinstance(stated := row.get(name), dict):
            row[name] = {key: value for key, value in stated.items() if key not in OF_TIME_AND_PLACE}
    whole_of_it = {
        "row": row,
        "parts": undated(document.parts),
        # Half a character, which JSON cannot hold, stands as its number.
        "html": None if document.html is None else as_html(document.html).decode("utf-8", "backslashreplace"),
        "refused": document.unavailable,
    }
    return hash_of(orjson.dumps(whole_of_it, option=orjson.OPT_SORT_KEYS))


# Who saved an asset last and when, and where it lies.
OF_TIME_AND_PLACE = frozenset(
    [
        "updatedAt",
        "modifiedAt",
        "modifiedBy",
        "modifiedById",
        "modifiedByAepId",
        "folder",
        "parent",
        "folderId",
        "programId",
    ]
)


def undated(value: Any) -> Any:
    """Parts without the dates that they repeat of their owner."""
    if isinstance(value, Mapping):
        return {name: undated(each) for name, each in value.items() if name != "updatedAt"}
    return [undated(each) for each in value] if isinstance(value, list) else value


def from_json(body: bytes, html: bytes | None) -> Document:
    """The document that a pair of files holds; ValueError when it is none, or when the two do not belong together."""
    read = orjson.loads(body)
    name = read.get("kind") if isinstance(read, dict) else None
    if not isinstance(name, str) or name not in KINDS or read.get("format") != FORMAT:
        raise ValueError("not a file of this format")
    kind, announced = KINDS[read["kind"]], read.get("html")
    if any(not isinstance(read.get(name), kinds) for name, kinds in MEMBERS.items()):
        raise ValueError("a member is missing, or is of another kind")
    if read["version"] not in VERSIONS or not isinstance(read.get("id"), str if kind.has_text_ids else int):
        raise ValueError("not a version of an asset")
    if announced is not None and (html is None or hash_of(html) != announced.get("sha256")):
        raise ValueError("its HTML is not the one that was written with it")
    row, beside = read["asset"], read.get("bytes")
    document = Document(
        listed=Listed(Key(Asset(kind.name, read["id"]), read["version"]), read["name"], home_of(kind, row), row),
        parts=read["content"],
        html=html.decode("utf-8", "surrogatepass") if announced is not None and html is not None else None,
        unavailable=read.get("unavailable") or {},
        bytes=None if beside is None else file_body(beside),
    )
    if sha256_of(document) != read["sha256"]:
        raise ValueError("it is not what was written")
    return document


def file_body(stated: Mapping[str, Any]) -> FileBody:
    """What a JSON says of the bytes beside it; ValueError for an ending that is none."""
    ending, size, sha256 = (stated.get(name) for name in ("ending", "size", "sha256"))
    if not is_ending(ending) or not isinstance(size, int) or not isinstance(sha256, str):
        raise ValueError("not what can be said of a file's bytes")
    return FileBody(str(ending), size, sha256)


def is_ending(stated: object) -> bool:
    """Whether the bytes of a file may lie under an ending: it is a part of a path."""
    return isinstance(stated, str) and re.fullmatch(r"\.[a-z0-9]{1,5}", stated, re.ASCII) is not None


# What each member of a file has to be.
MEMBERS: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "version": (str,),
    "asset": (dict,),
    "content": (dict,),
    "html": (dict, NoneType),
    "unavailable": (dict, NoneType),
    "bytes": (dict, NoneType),
    "sha256": (str,),
}
VERSIONS = frozenset(["", "approved", "draft"])


def hash_of(body: bytes) -> str:
    """A hash of bytes, as the file names it."""
    return hashlib.sha256(body).hexdigest()


def ordered(value: Any) -> Any:
    """A JSON value with the members of all its objects in the order of their names."""
    if isinstance(value, Mapping):
        return {name: ordered(value[name]) for name in sorted(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [ordered(each) for each in value]
    return value


def place_of(asset: Asset) -> Place | None:
    """An asset as the home of others, if it can be one."""
    if asset.kind == PROGRAM:
        return Place("Program", int(asset.id))
    return Place("Folder", int(asset.id)) if asset.kind == FOLDER else None

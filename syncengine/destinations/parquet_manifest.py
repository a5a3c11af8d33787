"""The manifest of a folder of Parquet files: which parts make up each table, and the steps that move to the next one.

Apart from the destination, so that each step to disk can fail in a test: they all go through a `Disk`.

Theory of operation. Parts are never changed: a part's name is the SHA-256 of its content. A new part is synced under a
name that no reader looks at, then renamed; then its folder is synced. Only after all of them comes the manifest, in the
same way, so that whatever is on disk after a crash or a power cut is one manifest and all the parts that it names.
What a new manifest no longer names is kept for an hour, for readers that hold the one before, and removed after a
later one; so are parts that a dead process left behind.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from syncengine.destinations.lake_parts import Change, Part, Sheet, SheetColumn, file_name
from syncengine.errors import ConfigError, DestinationUnavailable
from syncengine.schema import FieldType

MANIFEST = "manifest.json"
PARTS = "parts"
FORMAT = 1
KEPT = timedelta(hours=1)

_WRITING = ".manifest.new"


class Disk:
    """The steps to disk that a commit consists of."""

    def make_folder(self, path: Path) -> None:
        """Create a folder and those above it, where they are missing."""
        path.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, content: bytes) -> None:
        """Write a whole file, not synced."""
        path.write_bytes(content)

    def sync(self, path: Path) -> None:
        """Have a file's content, or a folder's entries, survive a power cut."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file its name, in one step, in place of the one that had it."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file; one that is gone already is no error."""
        path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of the folder; `dropped` says since when a part on disk is in no table."""

    version: int = 0
    sheets: Mapping[str, Sheet] = field(default_factory=dict)
    dropped: Mapping[str, datetime] = field(default_factory=dict)

    def named(self) -> set[str]:
        """The paths of all parts of all tables, relative to the folder."""
        return {part.path for sheet in self.sheets.values() for part in sheet.parts}


def read_manifest(root: Path) -> Manifest | None:
    """The manifest of a folder; None when there is none and nothing that could have had one.

    Raises ConfigError for a folder that has other things in it or was written by a newer version,
    DestinationUnavailable for a manifest that cannot be read.
    """
    try:
        content = (root / MANIFEST).read_bytes()
    except FileNotFoundError:
        if root.exists() and any(not entry.name.startswith(".") for entry in root.iterdir()):
            raise ConfigError(
                f"{root} has files but no {MANIFEST}", advice="choose an empty folder, or put the manifest back"
            ) from None
        return None
    try:
        read = orjson.loads(content)
        if read["format"] > FORMAT:
            raise ConfigError(f"{root / MANIFEST} was written by a newer version", advice="upgrade syncengine")
        return Manifest(
            read["version"],
            {name: _sheet(table) for name, table in read["tables"].items()},
            {path: datetime.fromisoformat(at) for path, at in read["dropped"].items()},
        )
    except (ValueError, KeyError, TypeError) as error:
        advice = "restore it from a backup"
        raise DestinationUnavailable(f"{root / MANIFEST} is damaged ({type(error).__name__})", advice=advice) from error


def write_manifest(disk: Disk, root: Path, manifest: Manifest) -> None:
    """Put a manifest in the place of the one before, in one step that survives a power cut."""
    tables = {name: _table(name, sheet) for name, sheet in sorted(manifest.sheets.items())}
    content = {
        "format": FORMAT,
        "version": manifest.version,
        "tables": tables,
        "dropped": {path: at.isoformat() for path, at in sorted(manifest.dropped.items())},
    }
    disk.write(root / _WRITING, orjson.dumps(content, option=orjson.OPT_INDENT_2))
    disk.sync(root / _WRITING)
    disk.rename(root / _WRITING, root / MANIFEST)
    disk.sync(root)


def publish(disk: Disk, root: Path, before: Manifest, changes: Iterable[Change], now: datetime) -> Manifest:
    """Put the new parts of all tables in place, then the manifest that names them; then remove what is long dropped."""
    sheets = dict(before.sheets)
    for change in changes:
        _place(disk, root, change)
        removed = {part.path for part in change.removed}
        kept = [part for part in sheets.get(change.table, Sheet()).parts if part.path not in removed]
        added = [_named(change.table, fresh.part) for fresh in change.fresh]
        sheets[change.table] = Sheet(change.columns, change.key, (*kept, *added))
    after = Manifest(before.version + 1, sheets)
    dropped = {path: at for path, at in before.dropped.items() if (root / path).exists()}
    dropped |= dict.fromkeys(before.named() - after.named(), now)
    after = Manifest(after.version, sheets, {path: at for path, at in dropped.items() if path not in after.named()})
    write_manifest(disk, root, after)
    for path, at in before.dropped.items():
        # Neither this manifest nor the one before has it.
        if path in after.dropped and now - at > KEPT:
            disk.remove(root / path)
    return after


def with_strays(root: Path, manifest: Manifest, now: datetime) -> Manifest:
    """The manifest with parts that a dead process left behind among the dropped ones."""
    found = {path.relative_to(root).as_posix() for path in (root / PARTS).glob("*/*") if path.is_file()}
    strays = found - manifest.named() - manifest.dropped.keys()
    return Manifest(manifest.version, manifest.sheets, {**manifest.dropped, **dict.fromkeys(strays, now)})


def _place(disk: Disk, root: Path, change: Change) -> None:
    folder = root / PARTS / file_name(change.table)
    if not change.fresh:
        return
    disk.make_folder(folder)
    for fresh in change.fresh:
        disk.sync(fresh.file)
        disk.rename(fresh.file, folder / fresh.part.path)
    disk.sync(folder)
    disk.sync(root / PARTS)


def _named(table: str, part: Part) -> Part:
    return Part(f"{PARTS}/{file_name(table)}/{part.path}", part.rows, part.bytes, part.low, part.high)


def _table(name: str, sheet: Sheet) -> dict[str, Any]:
    return {
        "folder": f"{PARTS}/{file_name(name)}",
        "columns": [{"name": column.name, "type": column.type.value} for column in sheet.columns],
        "key": sheet.key,
        "rows": sum(part.rows for part in sheet.parts),
        "parts": [
            {"path": part.path, "rows": part.rows, "bytes": part.bytes, "low": part.low, "high": part.high}
            for part in sheet.parts
        ],
    }


def _sheet(table: dict[str, Any]) -> Sheet:
    return Sheet(
        tuple(SheetColumn(column["name"], FieldType(column["type"]), column["name"]) for column in table["columns"]),
        tuple(table["key"]),
        tuple(Part(part["path"], part["rows"], part["bytes"], part["low"], part["high"]) for part in table["parts"]),
    )

"""Whose folder it is: a marker file says that it is ours, and whose assets it holds.

A folder with anything in it and no marker is refused rather than written to.
"""

from collections.abc import Mapping
from pathlib import Path

import orjson

from syncengine.assets.disk import WORKSHOP, bytes_of, on_disk, replace, sync
from syncengine.assets.documents import FORMAT
from syncengine.errors import ConfigError

MARKER = ".syncengine-assets.json"


def claim(root: Path, instance: str, origin: str, *, write: bool = True) -> None:
    """Make sure that a folder is this instance's; one that is empty or not there becomes it, if `write`.

    Raises ConfigError for a folder that is somebody else's, or is no folder.
    """
    mine = {"format": FORMAT, "instance": instance, "origin": origin}
    with on_disk(root):
        if root.exists() and not root.is_dir():
            raise ConfigError(f"{root} is a file", advice="Name a folder for the assets.")
        if (root / MARKER).is_file():
            _check(root, mine)
            return
        # A repository of Git that has just been made is as good as empty, and so is what a crash left right here.
        others = [path.name for path in root.iterdir()] if root.exists() else []
        if foreign := sorted(name for name in others if not name.startswith(".git") and name != WORKSHOP):
            raise ConfigError(
                f"{root} holds {foreign[0]} and is no folder of assets: it has no {MARKER}",
                advice="Name an empty folder, or one that does not exist yet.",
            )
        if not write:
            raise _unmarked(root)
        root.mkdir(parents=True, exist_ok=True)
        replace(root, root / MARKER, orjson.dumps(mine, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        sync(root)


def owner(root: Path) -> Mapping[str, object]:
    """What the marker of a folder says; raises ConfigError where there is none, or none that can be read."""
    with on_disk(root):
        body = bytes_of(root / MARKER)
    if body is None:
        raise _unmarked(root)
    try:
        stated = orjson.loads(body)
    except ValueError:
        stated = None
    if not isinstance(stated, dict):
        raise ConfigError(
            f"{root / MARKER} cannot be read", advice="Restore it, from Git perhaps, or pull into a new folder."
        )
    return stated


def _unmarked(root: Path) -> ConfigError:
    return ConfigError(
        f"{root} is no folder of assets: it has no {MARKER}", advice=f"Make one: syncengine assets pull {root}"
    )


def _check(root: Path, mine: Mapping[str, object]) -> None:
    stated = owner(root)
    if stated.get("format") != FORMAT:
        raise ConfigError(
            f"{root} was written by another version of syncengine (format {stated.get('format')})",
            advice="Pull into a new folder, or update syncengine.",
        )
    if stated != mine:
        raise ConfigError(
            f"{root} holds the assets of {stated.get('instance')!r} at {stated.get('origin')}",
            advice="Name another folder for this instance.",
        )

"""What runs here and what it has: versions of program and libraries, disk, open files, time zones.

Apart from the doctor, who asks about the engine; this asks about what lies below it, and needs nothing of ours.
"""

import os
import platform
import re
import shutil
import sqlite3
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

# Below these, things fail for want of room or of handles sooner or later.
FREE_BYTES_WARN = 2_000_000_000
OPEN_FILES_WARN = 256
# The one by which the day's quota resets, and one whose summer time begins on another day.
ZONES = ("America/Chicago", "Europe/Berlin")


def versions() -> dict[str, Any]:
    """What runs here: the program, its interpreter and libraries."""
    libraries = {}
    for requirement in metadata.requires("syncengine") or ():
        name, _, marker = requirement.partition(";")
        name = re.split(r"[^\w.-]", name.strip(), maxsplit=1)[0]
        if 'extra == "dev"' not in marker.replace("'", '"'):
            try:
                libraries[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                libraries[name] = "(not installed)"
    return {
        "syncengine": metadata.version("syncengine"),
        "python": sys.version,
        "sqlite": sqlite3.sqlite_version,
        "platform": platform.platform(),
        "libraries": dict(sorted(libraries.items())),
    }


def machine(folder: Path | None) -> tuple[dict[str, Any], list[str]]:
    """What this machine gives us, and what of it is too little; `folder` is where the state lies."""
    import resource
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    problems = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < OPEN_FILES_WARN:
        problems.append(f"only {soft} files may be open at once: raise it to {OPEN_FILES_WARN} or more (ulimit -n)")
    zones = {}
    for name in ZONES:
        try:
            zones[name] = bool(ZoneInfo(name).key)
        except (ZoneInfoNotFoundError, OSError):
            zones[name] = False
            problems.append(f"the time zone {name} is not known here: install the package tzdata")
    facts: dict[str, Any] = {
        "processors": os.cpu_count(),
        "open_files_max": {"soft": soft, "hard": hard},
        "zones": zones,
    }
    # Before the first run, the folder's disk is that of the folder above it.
    place = next((each for each in (folder, *folder.parents) if each.exists()), None) if folder else None
    if place is not None:
        disk = shutil.disk_usage(place)
        facts["disk_of_state"] = {"bytes": disk.total, "bytes_free": disk.free}
        if disk.free < FREE_BYTES_WARN:
            problems.append(f"the disk of the state folder has {disk.free / 1e6:,.0f} MB left")
    return facts, problems

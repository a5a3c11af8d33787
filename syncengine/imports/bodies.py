"""The files in which a run's rows lie: what each was when it was planned, so that no other is taken for it."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Body:
    """A file in which rows lie, and what it was when they were read."""

    path: str
    size: int
    sha256: str

    def facts(self) -> dict[str, Any]:
        """As the journal keeps it."""
        return asdict(self)


def body_of(path: Path, folder: Path) -> Body:
    """A file as it is now; the path of one in our folder is told relative to it, as the folder gets another name."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = path.relative_to(folder) if path.is_relative_to(folder) else path.absolute()
    return Body(str(name), path.stat().st_size, digest)

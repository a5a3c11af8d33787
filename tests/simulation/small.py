"""A small instance for imports, what is to be known of it, and what strangers do to it."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from syncengine.sandbox.exports import Outcome
from syncengine.sandbox.imports import ImportRequest
from syncengine.sandbox.instance import Instance
from syncengine.sandbox.options import SandboxOptions

ONE_OF_EACH = ("activities", "campaigns", "companies", "salespersons", "opportunities", "opportunity_roles")
MORE_OF_EACH = ("named_accounts", "named_account_lists", "custom_object_rows", "program_members")

# More than all that runs at the same time keeps.
ROOM_BYTES = 1_000_000_000

STRANGERS = b"email\na@b.example\n"


def small_instance(seed: int, start: datetime, options: Mapping[str, Any]) -> SandboxOptions:
    """Twenty people and next to nothing else; a job takes up to some minutes."""
    few: dict[str, Any] = dict.fromkeys([*ONE_OF_EACH, *MORE_OF_EACH], 1)
    few |= {"leads": 20, "programs": 3, "years": 1.0, "latency_seconds": (0.02, 0.5), "import_seconds": (20.0, 400.0)}
    who = {"seed": seed, "start": start, "client_id": "id", "client_secret": "secret"}
    return SandboxOptions(**{**few, **options, **who})


def plain_addresses(server: Instance) -> Sequence[str]:
    """The addresses that one person has, and that any import may name."""
    people = server.people
    found = [str(email) for email in people.columns(["email"], people.rows())[0] if email]
    plain = [email for email in found if email.isascii() and "@" in email and "," not in email]
    lowered = [email.strip().lower() for email in found]
    return sorted(email for email in plain if lowered.count(email.strip().lower()) == 1)


class NoRows:
    """Takes the rows of somebody else's import."""

    def write(self, cells: list[str], now: float) -> tuple[str, str]:
        return "", ""

    def close(self) -> None:
        return None


def strangers_job(server: Instance, now: float, seconds: float, list_id: int | None) -> None:
    """Somebody else's import enters the queue, and will take so long."""
    request = ImportRequest("leads", "csv", ("email",), ("email",), NoRows, list_id=list_id)
    server.imports.create(request, STRANGERS, now, Outcome(seconds=seconds))


@contextmanager
def quick_folder(otherwise: Path) -> Iterator[Path]:
    """A folder in memory, where the machine has one: nothing of a simulated run has to outlive a power cut."""
    memory = Path("/dev/shm")
    has_room = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_BYTES
    with TemporaryDirectory(dir=memory if has_room else otherwise) as folder:
        yield Path(folder)

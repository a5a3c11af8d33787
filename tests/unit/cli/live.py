"""A sandbox on loopback in a thread of the test's own process, and a folder in which commands run."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest

from syncengine.cli.app import main
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.server import Ready, serve

SPEED = 300.0
START_SECONDS = 60.0


@contextmanager
def sandbox() -> Iterator[str]:
    """The address of a small instance, which ends with the block."""
    options = SandboxOptions(
        leads=50, activities=5, years=0.5, custom_object_rows=5, speed=SPEED, client_id="id", client_secret="secret"
    )
    addresses: list[str] = []
    is_ready, stop = threading.Event(), threading.Event()

    def announce(ready: Ready) -> None:
        addresses.append(ready.base_url)
        is_ready.set()

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: serve(options, ready=announce))
            await anyio.to_thread.run_sync(stop.wait)
            tasks.cancel_scope.cancel()

    thread = threading.Thread(target=anyio.run, args=(run,), daemon=True)
    thread.start()
    try:
        assert is_ready.wait(START_SECONDS)
        yield addresses[0]
    finally:
        stop.set()
        thread.join(START_SECONDS)


@dataclass
class Shell:
    """A folder with a configuration; `told` is what the last command wrote on standard error."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    told: str = ""

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code and standard output of a command."""
        self.capsys.readouterr()
        code = main(list(words))
        out, self.told = self.capsys.readouterr()
        return code, out

    def as_json(self, *words: str) -> tuple[int, Any]:
        """The same with the one JSON value that it prints for programs."""
        code, out = self.run(*words, "--json")
        return code, orjson.loads(out)

    def file(self, name: str, *lines: str) -> str:
        """A file of these lines in the folder, by its name there."""
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return name

    def accounts(self) -> Sequence[Path]:
        """The folders of accounts."""
        folder = self.folder / "imports"
        return sorted(folder.iterdir()) if folder.exists() else []


def configured(folder: Path, address: str, more: str = "") -> None:
    """Write the configuration that commands find in the folder in which they run."""
    path = folder / "syncengine.toml"
    path.write_text(
        f'[instance]\nname = "acme"\nbase_url = "{address}"\nclient_id = "id"\nclient_secret = "secret"\n'
        f"time_scale = {SPEED if address.startswith('http://127.0.0.1') else 1.0}\n"
        f"[sync]\nstart = 2026-01-01\n{more}"
    )
    path.chmod(0o600)

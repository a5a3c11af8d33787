"""A sandbox as another process, and its control path, for commands that need one for a while.

The process ends with the block that started it whatever happens: by SIGTERM in the normal case, and by the end of its
standard input when this process is killed.
"""

import http.client
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import anyio
import orjson
from anyio.abc import Process

from syncengine.errors import SyncEngineError
from syncengine.threads import run_blocking

START_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 5.0
LOOK_SECONDS = 0.05
CONTROL_SECONDS_MAX = 60.0
LOG_CHARACTERS_SHOWN = 600


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A running sandbox: where it listens, what it accepts, and the key of its control path."""

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    control_key: str = field(repr=False)

    async def control(self, method: str, action: str, **asked: Any) -> Any:
        """Call the control path, for example `control("POST", "change", update_leads=10)`."""
        return await run_blocking(lambda: self._call(method, action, asked))

    def _call(self, method: str, action: str, asked: dict[str, Any]) -> Any:
        address = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=CONTROL_SECONDS_MAX)
        try:
            body = orjson.dumps(asked) if asked else None
            connection.request(method, f"/__sandbox__/{action}", body, {"X-Sandbox-Key": self.control_key})
            answer = connection.getresponse()
            text = answer.read()
        except OSError as error:
            raise SyncEngineError(f"the sandbox does not answer: {error}", advice="Run the command again.") from error
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise SyncEngineError(f"the sandbox refused {action}: {text.decode(errors='replace')}")
        return orjson.loads(text)


@asynccontextmanager
async def rehearsal(arguments: Sequence[str], *, ready_file: Path, log: Path) -> AsyncIterator[Rehearsal]:
    """Start `syncengine sandbox` with these arguments, wait until it listens, and end it with the block."""
    command = [
        sys.executable,
        "-m",
        "syncengine",
        "sandbox",
        "--with-parent",
        "--ready-file",
        str(ready_file),
        *arguments,
    ]
    with _private(log) as output:
        # Its own session: Ctrl-C on the terminal is for us, who then end it in order.
        process = await anyio.open_process(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield await _when_ready(process, ready_file, log)
        finally:
            with anyio.CancelScope(shield=True):
                await _stop(process)


def _private(log: Path) -> BinaryIO:
    # The sandbox says its credentials: they are for its owner, harmless as they are.
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


async def _when_ready(process: Process, ready_file: Path, log: Path) -> Rehearsal:
    with anyio.move_on_after(START_SECONDS_MAX):
        while process.returncode is None:
            if ready := _read_ready(ready_file):
                return ready
            await anyio.sleep(LOOK_SECONDS)
    raise SyncEngineError(f"the sandbox did not start: {_end_of(log)}", advice=f"All that it said is in {log}.")


def _read_ready(path: Path) -> Rehearsal | None:
    if not path.exists():
        return None
    facts = orjson.loads(path.read_bytes())
    return Rehearsal(facts["base_url"], facts["client_id"], facts["client_secret"], facts["control_key"])


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-LOG_CHARACTERS_SHOWN:] or "it said nothing"


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(STOP_SECONDS_MAX):
            await process.wait()
    if process.returncode is None:
        process.kill()
    await process.wait()
    await process.aclose()

"""Real processes for the tests of this folder: a sandbox, syncengine's commands, and what lies in DuckDB afterwards."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

READY_SECONDS = 60.0
COMMAND_SECONDS = 180.0
SECRET = "canary-secret-value"


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox process; `control` speaks with the path that Marketo does not have."""

    base_url: str
    control_key: str
    speed: float
    process: subprocess.Popen[bytes]

    def control(self, path: str, body: object | None = None) -> Any:
        """One call of the control path: GET without a body, POST with one."""
        data = None if body is None else json.dumps(body).encode()
        with self._open(path, data) as answer:
            return json.load(answer)

    def counters(self) -> Any:
        """What the sandbox has counted."""
        return self.control("counters")

    def truth(self, kind: str) -> Iterator[dict[str, Any]]:
        """Every row of `leads` or `activities`, as the sandbox has it now."""
        with self._open(f"truth/{kind}", None) as answer:
            for line in answer:
                yield json.loads(line)

    def _open(self, path: str, data: bytes | None) -> Any:
        request = urllib.request.Request(
            f"{self.base_url}/__sandbox__/{path}", data=data, headers={"X-Sandbox-Key": self.control_key}
        )
        return urllib.request.urlopen(request, timeout=60)


@contextmanager
def sandbox(folder: Path, **options: object) -> Iterator[Sandbox]:
    """A sandbox with these options (`speed`, `leads`, ...), ended at the end of the block."""
    folder = folder / "sandbox"
    folder.mkdir()
    speed = float(str(options.setdefault("speed", 200.0)))
    ready = folder / "ready.json"
    words = [word for name, value in options.items() for word in _option(name, value)]
    command = [sys.executable, "-m", "syncengine", "sandbox", "--with-parent", "--ready-file", str(ready)]
    command += ["--client-id", "client", "--client-secret", SECRET, *words]
    with (folder / "sandbox.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + READY_SECONDS
            while not ready.exists():
                assert process.poll() is None, (folder / "sandbox.log").read_text()
                assert time.monotonic() < deadline, "the sandbox did not start"
                time.sleep(0.05)  # noqa: TID251  # a real process gives no other sign
            facts = json.loads(ready.read_text())
            yield Sandbox(facts["base_url"], facts["control_key"], speed, process)
        finally:
            process.terminate()
            process.communicate()


def _option(name: str, value: object) -> list[str]:
    values = value if isinstance(value, tuple) else (value,)
    return [f"--{name.replace('_', '-')}", *map(str, values)]


def write_config(folder: Path, base_url: str, speed: float = 1.0, *, more: str = "", start: str = "2023-01-01") -> Path:
    """A configuration for a sandbox at `base_url`; the secret comes from the environment. `more` is TOML text."""
    path = folder / "syncengine.toml"
    path.write_text(
        f"""
[instance]
name = "sandbox"
base_url = "{base_url}"
client_id = "client"
client_secret = "${{SANDBOX_SECRET}}"
time_scale = {float(speed)}

[sync]
start = {start}
settle_minutes = 1
{more}
"""
    )
    return path


def days_ago(days: float) -> str:
    """The `start` of a configuration that long before today, where the data of `years` begins: no window is empty."""
    return str((datetime.now(UTC) - timedelta(days=days)).date())  # noqa: TID251  # the sandbox begins at the real now


def command(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `syncengine WORDS` in `folder` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "syncengine", *words],
        cwd=folder,
        env=settings(**environment),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def started(*words: str, folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start `syncengine WORDS` in `folder`, its standard error as a pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", "syncengine", *words],
        cwd=folder,
        env=settings(**environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def settings(**environment: str) -> dict[str, str]:
    """This process's environment with the sandbox's secret in it."""
    return {**os.environ, "SANDBOX_SECRET": SECRET, **environment}


def settle(running: Sandbox, minutes: float = 2.0) -> None:
    """Wait until what was just changed lies before the settle delay of the sandbox's clock."""
    time.sleep(minutes * 60 / running.speed)  # noqa: TID251  # the sandbox's own clock has to pass


def rows(warehouse: Path, table: str) -> Iterator[dict[str, Any]]:
    """The rows of a table, with instants and days as RFC 3339 text."""
    with duckdb.connect(str(warehouse), read_only=True) as database:
        reader = database.sql(f'SELECT * FROM marketo."{table}"').to_arrow_reader(5_000)
        for batch in reader:
            for row in batch.to_pylist():
                yield {name: as_text(value) for name, value in row.items()}


def as_text(value: object) -> object:
    """A value as the sandbox's truth writes it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def differences(running: Sandbox, warehouse: Path, table: str, key: str) -> list[str]:
    """Every row and cell in which a table is not the sandbox's truth; a row that stands twice is one, too."""
    wanted = {row[key]: row for row in running.truth(table)}
    found = []
    for row in rows(warehouse, table):
        truth = wanted.pop(row[key], None)
        if truth is None:
            found.append(f"{table} {row[key]} is too much")
            continue
        found += [f"{table} {row[key]}: {name}" for name, value in truth.items() if row.get(name, "no column") != value]
    return [*found, *(f"{table} {missing} is missing" for missing in wanted)]

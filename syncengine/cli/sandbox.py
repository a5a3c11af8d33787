"""`syncengine sandbox`: a Marketo instance on this machine, to rehearse and to measure against."""

import contextlib
import json
import math
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from syncengine.cli.init import write_private
from syncengine.cli.options import Printing
from syncengine.errors import ConfigError

if TYPE_CHECKING:
    from anyio import CancelScope

    from syncengine.sandbox.options import SandboxOptions
    from syncengine.sandbox.server import Ready

DATA = Group("Data", sort_key=1)
PACE = Group("Pace and limits", sort_key=2)
PORT_MAX = 65_535
SERVING = Group("Serving", sort_key=3)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """The sandbox's options by the names that it has for them; what is not given keeps the sandbox's own default."""

    leads: Annotated[int | None, Parameter(group=DATA)] = None
    """How many people it has (100,000)."""

    activities: Annotated[int | None, Parameter(group=DATA)] = None
    """How many activities they have (300,000)."""

    years: Annotated[float | None, Parameter(group=DATA)] = None
    """How far back the oldest of them lie (3)."""

    programs: Annotated[int | None, Parameter(group=DATA)] = None
    """How many programs it has (60)."""

    program_members: Annotated[int | None, Parameter(group=DATA)] = None
    """How many memberships they have together (6,000)."""

    lists: Annotated[int | None, Parameter(group=DATA)] = None
    """How many static lists (12)."""

    campaigns: Annotated[int | None, Parameter(group=DATA)] = None
    """How many smart campaigns (100)."""

    assets: Annotated[int | None, Parameter(group=DATA)] = None
    """How many emails, pages, forms, files and other marketing assets (2,000)."""

    workspaces: Annotated[int | None, Parameter(group=DATA)] = None
    """How many workspaces these lie in (3)."""

    assets_v2: Annotated[bool | None, Parameter(group=DATA)] = None
    """It has assets of the new designer (yes)."""

    companies: Annotated[int | None, Parameter(group=DATA)] = None
    """How many companies (200)."""

    salespersons: Annotated[int | None, Parameter(group=DATA)] = None
    """How many sales persons (20)."""

    opportunities: Annotated[int | None, Parameter(group=DATA)] = None
    """How many opportunities (400)."""

    opportunity_roles: Annotated[int | None, Parameter(group=DATA)] = None
    """How many roles people have in them (1,000)."""

    named_accounts: Annotated[int | None, Parameter(group=DATA)] = None
    """How many named accounts (150)."""

    named_account_lists: Annotated[int | None, Parameter(group=DATA)] = None
    """How many lists of them (6)."""

    custom_object_rows: Annotated[int | None, Parameter(group=DATA)] = None
    """How many records each custom object has (1,000)."""

    late_activities: Annotated[float | None, Parameter(group=DATA)] = None
    """The share of activities that show only hours after their date (0)."""

    crm: Annotated[bool | None, Parameter(group=DATA, negative="")] = None
    """A CRM owns companies, opportunities and sales persons (no)."""

    updated_at_filter: Annotated[bool | None, Parameter(group=DATA)] = None
    """Exports can be filtered by updatedAt (yes)."""

    seed: Annotated[int | None, Parameter(group=DATA)] = None
    """All data, ids and delays follow from it."""

    leads_from: Annotated[Path | None, Parameter(group=DATA)] = None
    """A CSV or Parquet file with your own people instead."""

    speed: Annotated[float | None, Parameter(group=PACE)] = None
    """Its seconds in one real second (1)."""

    start: Annotated[datetime | None, Parameter(group=PACE)] = None
    """The first instant of its clock, in UTC unless it says otherwise (now)."""

    latency_seconds: Annotated[tuple[float, float] | None, Parameter(name="--latency", negative="", group=PACE)] = None
    """The least and the most wait before an answer, in its seconds (0 0)."""

    bandwidth: Annotated[float | None, Parameter(group=PACE)] = None
    """Bytes of a file in one of its seconds, for each download (no bound)."""

    token_seconds: Annotated[float | None, Parameter(group=PACE)] = None
    """How long an access token lives (3600)."""

    paging_token_seconds: Annotated[float | None, Parameter(group=PACE)] = None
    """How long a paging token lives (30 days)."""

    job_seconds: Annotated[tuple[float, float] | None, Parameter(negative="", group=PACE)] = None
    """How long a small and a very large export takes (30 120)."""

    import_seconds: Annotated[tuple[float, float] | None, Parameter(negative="", group=PACE)] = None
    """The least and the most time that an import takes (20 90)."""

    ingestion_seconds: Annotated[tuple[float, float] | None, Parameter(negative="", group=PACE)] = None
    """The least and the most time until the ingestion API has written what it took (1 5)."""

    calls_per_day: Annotated[int | None, Parameter(group=PACE)] = None
    """The day's quota of calls (50,000)."""

    export_bytes_per_day: Annotated[int | None, Parameter(group=PACE)] = None
    """The day's quota of bulk export (500,000,000)."""

    client_id: Annotated[str | None, Parameter(group=SERVING)] = None
    """Accepted as client id (random)."""

    client_secret: Annotated[str | None, Parameter(group=SERVING)] = field(default=None, repr=False)
    """Accepted as client secret (random)."""

    def options(self) -> "SandboxOptions":
        """What the sandbox takes. Raises ConfigError."""
        from syncengine.sandbox.options import SandboxOptions

        given = {name: value for name, value in asdict(self).items() if value is not None}
        if self.start is not None and self.start.tzinfo is None:
            given["start"] = self.start.replace(tzinfo=UTC)
        try:
            return SandboxOptions(**given)
        except ValueError as error:
            raise ConfigError(
                f"the sandbox cannot be made: {error}", advice="See `syncengine sandbox --help`."
            ) from None


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Where the sandbox listens and whom it tells."""

    host: Annotated[str, Parameter(group=SERVING)] = "127.0.0.1"
    """A loopback address to listen on."""

    port: Annotated[int, Parameter(group=SERVING)] = 0
    """0 is any free one."""

    write_config: Annotated[Path | None, Parameter(group=SERVING)] = None
    """Also write the configuration to this new file."""

    ready_file: Annotated[Path | None, Parameter(group=SERVING)] = None
    """Write address, credentials and control key there as JSON, once it listens."""

    with_parent: Annotated[bool, Parameter(group=SERVING, negative="", show_default=False)] = False
    """End when standard input is closed, as it is when the parent process dies."""


def sandbox(*, knobs: Knobs | None = None, serving: Serving | None = None, printing: Printing | None = None) -> int:
    """Serve a Marketo instance on this machine until Ctrl-C.

    It is as strict as the real one: limits, expiring tokens, queues, quotas.
    Prints its address and credentials, and a configuration that uses them.

    For example:

      syncengine sandbox --speed 60 --write-config sandbox.toml
      syncengine sandbox --leads-from people.csv --port 8765
      syncengine sandbox --latency 0.02 0.4 --token-seconds 120
    """
    options = (knobs or Knobs()).options()
    serving = serving or Serving()
    if not 0 <= serving.port <= PORT_MAX:
        raise ConfigError(
            f"the sandbox cannot be served: {serving.port} is no port", advice=f"0 to {PORT_MAX}; 0: any."
        )
    screen = (printing or Printing()).screen()

    def announce(ready: "Ready") -> None:
        from syncengine.sandbox.server import write_ready

        text = config_text(ready.base_url, ready.client_id, ready.client_secret, options)
        if serving.write_config is not None:
            write_private(serving.write_config, text)
        if serving.ready_file is not None:
            write_ready(serving.ready_file, ready)
        screen.result(asdict(ready))
        screen.say(f"The sandbox listens on {ready.base_url}, at {options.speed:g} times real speed. Ctrl-C ends it.")
        if serving.write_config is not None:
            screen.say(f"{serving.write_config} uses it: syncengine sync -c {serving.write_config}")
        elif not screen.as_json:
            screen.say(f"A configuration that uses it:\n\n{text}")

    _serve(options, serving, announce)
    return 0


def _serve(options: "SandboxOptions", serving: Serving, announce: Callable[["Ready"], None]) -> None:
    import anyio

    from syncengine.sandbox.server import serve

    async def main() -> None:
        async with anyio.create_task_group() as group:
            if serving.with_parent:
                group.start_soon(_until_input_closes, group.cancel_scope)
            await serve(options, host=serving.host, port=serving.port, ready=announce)
            group.cancel_scope.cancel()

    try:
        with contextlib.suppress(KeyboardInterrupt):
            anyio.run(main)
    except* (OSError, ValueError) as errors:
        first = errors.exceptions[0]
        of_address = isinstance(first, OSError) and first.filename is None
        advice = "Choose another --port or a loopback --host." if of_address else "Mend what it names: option or file."
        raise ConfigError(f"the sandbox cannot be served: {first}", advice=advice) from None


async def _until_input_closes(scope: "CancelScope") -> None:
    import anyio

    # Not in a thread: nothing wakes one that reads, and the process would wait for it at its end.
    descriptor = sys.stdin.fileno()
    while True:
        await anyio.wait_readable(descriptor)
        if not os.read(descriptor, 4096):
            break
    scope.cancel()


def config_text(base_url: str, client_id: str, client_secret: str, options: "SandboxOptions") -> str:
    """A configuration that brings all of a sandbox's data."""
    from syncengine.clock import SystemClock

    began = options.start or SystemClock().now()
    # A day more than the oldest row's age, so that none of them lies before the start.
    first_day = (began - timedelta(days=math.ceil(options.years * 366) + 1)).date()
    # A JSON string is a TOML string too, whatever it holds.
    return f"""\
[instance]
name = "sandbox"
base_url = "{base_url}"
client_id = {json.dumps(client_id)}
client_secret = {json.dumps(client_secret)}  # worth something on this machine only
time_scale = {float(options.speed)}

[destination]
path = "warehouse.duckdb"

[sync]
start = {first_day}
settle_minutes = 2
"""

"""Fetching what Marketo lists of a batch: the rows that failed, and those it warns about.

Such a file comes without a size or hash to check it by. What can be checked is: that it came to its end, that it is no
error in a file's clothes, and that it has as many rows as the batch says.
"""

import csv
from pathlib import Path

from syncengine.errors import NotFound, Unavailable
from syncengine.imports.manifest import written
from syncengine.marketo.call import Call
from syncengine.threads import run_blocking
from syncengine.transport.client import Client
from syncengine.transport.wire import WireError

TRIES = 5
# Files can appear later than the status that announces them.
MISSED_MAX = 3
WAIT_SECONDS = 5.0


async def fetch(client: Client, call: Call[object], path: Path, *, rows: int = 0) -> bool:
    """Bring the file to `path`, whole and synced; False when Marketo has none.

    One with fewer than `rows` is asked for again; one that stays so is taken as it is. Raises Unavailable when the
    connection keeps breaking, and what `Client.stream` raises.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with written(path) as part:
                await _stream(client, call, part)
        except NotFound:
            if attempt >= MISSED_MAX:
                return False
            await client.clock.sleep(WAIT_SECONDS * attempt)
        except WireError as error:
            if attempt == TRIES:
                raise Unavailable(
                    f"{call.name} broke {TRIES} times: {error}", code=error.code, call=call.name
                ) from error
            await client.clock.sleep(WAIT_SECONDS * attempt)
        else:
            if attempt == TRIES or not rows or await run_blocking(lambda: rows_in(path)) >= rows:
                return True
            await client.clock.sleep(WAIT_SECONDS * attempt)
    raise AssertionError("the last try returns or raises")


def rows_in(path: Path) -> int:
    """How many rows a list has."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return max(0, sum(1 for row in csv.reader(file) if row) - 1)


async def _stream(client: Client, call: Call[object], part: Path) -> None:
    async with client.stream(call, {}) as (answer, permit):
        with part.open("wb") as file:
            async for piece in answer.pieces():
                await permit.keep()
                await run_blocking(lambda piece=piece: file.write(piece))  # type: ignore[misc]
    with part.open("rb") as file:
        # No field's name begins so: it is an answer of the REST API that is called a file.
        if file.read(1) == b"{":
            raise WireError("an error came where a list was asked for", sent=True)

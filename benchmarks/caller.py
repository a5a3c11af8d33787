"""One process of a load: `python -m benchmarks.caller HOW CONFIG` calls as fast as HOW lets it, until it is ended.

HOW is the engine's own client, or a limiter that is shown beside it.
"""

import sys
from functools import partial
from pathlib import Path

import anyio

from benchmarks.limiters import LeakyBucket, Limiter, SendTimeWindow
from benchmarks.load import through_engine, through_limiter
from syncengine.choices import open_clock
from syncengine.config import Settings, load
from syncengine.engine import open_engine
from syncengine.marketo.endpoints import identity
from syncengine.transport.wire import HttpWire

ENGINE = "engine"
LEAKY_BUCKET = "leaky-bucket"
SEND_TIME_WINDOW = "send-time-window"


def never() -> bool:
    """The load's end is its process's."""
    return False


async def engine(settings: Settings) -> None:
    """Call through everything that the engine has: slots on disk, gate, tokens, retries."""
    async with open_engine(settings) as opened:
        await through_engine(opened.client, never)


async def limited(settings: Settings, how: str) -> None:
    """Call with the same wire behind another limiter."""
    clock = await open_clock(settings)
    scale = settings.instance.time_scale
    limiter: Limiter = LeakyBucket(scale) if how == LEAKY_BUCKET else SendTimeWindow(clock)
    asked = partial(identity.token, settings.instance.client_id, settings.instance.client_secret.reveal())
    async with HttpWire(settings.instance.base_url, clock, user_agent=how) as wire:
        await through_limiter(wire, clock, limiter, asked, never)


def main(how: str, config: str) -> None:
    """Call until killed."""
    settings = load(Path(config))
    anyio.run(engine, settings) if how == ENGINE else anyio.run(limited, settings, how)


if __name__ == "__main__":
    main(*sys.argv[1:])

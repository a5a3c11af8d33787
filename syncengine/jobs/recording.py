"""A run in the journal: opened before any work, closed with its outcome, whatever ended it.

Apart from the flows that are run, since each of them says in the same way how it ended.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from syncengine.clock import Clock
from syncengine.errors import QuotaExhausted
from syncengine.jobs.job import Run
from syncengine.jobs.store import JobStore
from syncengine.observe.events import Event, RunEnded, RunStarted


@dataclass(slots=True)
class Recorded:
    """A run under way. It failed unless somebody says how it ended."""

    run: Run
    outcome: str = "failed"
    report: Mapping[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def recorded(
    store: JobStore,
    clock: Clock,
    observe: Callable[[Event], None],
    *,
    instance: str,
    kind: str,
    detail: Mapping[str, Any],
) -> AsyncIterator[Recorded]:
    """A run for as long as the block lasts; its lease must be the caller's. What the block raises is written down."""
    entry = Recorded(await store.begin_run(instance, kind, detail))
    observe(RunStarted(str(entry.run.id), kind))
    try:
        yield entry
    except QuotaExhausted as error:
        entry.outcome = "paused"
        entry.report = {"problem": error.message, "resume_at": error.resume_at.isoformat()}
        raise
    except Exception as error:
        entry.outcome, entry.report = "failed", {"problem": str(error)}
        raise
    except anyio.get_cancelled_exc_class():
        entry.outcome = "interrupted"
        raise
    finally:
        with anyio.CancelScope(shield=True):
            await store.end_run(entry.run, entry.outcome, entry.report)
        seconds = (clock.now() - entry.run.started_at).total_seconds()
        observe(RunEnded(str(entry.run.id), kind, entry.outcome, seconds))

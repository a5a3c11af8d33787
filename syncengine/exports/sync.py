"""One sync of some streams, from lease to report.

The order is what makes it safe: leases first, then what the destination holds, then the plan into the journal, then
work. Whatever ends the run, its leases are given back and the journal says how it ended.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import anyio
import orjson

from syncengine.errors import QuotaExhausted
from syncengine.exports.bring import Bringing, Parts
from syncengine.exports.catalog import Catalog
from syncengine.exports.due import Wanted
from syncengine.exports.window import lease_name
from syncengine.jobs.lease import holding
from syncengine.jobs.scheduler import Beside
from syncengine.observe.events import RunEnded, RunStarted
from syncengine.reports import SyncReport
from syncengine.threads import run_blocking


async def sync(
    parts: Parts, wanted: Sequence[Wanted], catalog: Catalog | None = None, beside: Beside | None = None
) -> SyncReport:
    """Bring every wanted stream up to now, and report what that moved. Jobs `beside` go through the same queue.

    Raises AlreadyRunning when one of the streams is being synced elsewhere, QuotaExhausted when the day has no call
    left, and whatever else ends a run early. What waits for tomorrow's export megabytes is in the report.
    """
    clock = parts.client.clock
    async with AsyncExitStack() as held:
        epochs = {}
        for each in wanted:
            standing = await run_blocking(partial(parts.destination.standing, parts.instance, each.name))
            lease = holding(parts.store, clock, parts.instance, lease_name(each.name), at_least=standing.epoch)
            epochs[each.name] = (await held.enter_async_context(lease)).epoch
        kind = "sync " + "+".join(sorted(each.name for each in wanted))
        run = await parts.store.begin_run(parts.instance, kind, {"streams": [each.name for each in wanted]})
        parts.observe(RunStarted(str(run.id), kind))
        outcome, detail = "failed", {}
        try:
            bringing = Bringing(parts, epochs, catalog or Catalog(parts.client), beside)
            report = await bringing.bring(wanted, str(run.id), run.started_at)
            outcome, detail = report.outcome, orjson.loads(orjson.dumps(report))
        except QuotaExhausted as error:
            outcome, detail = "paused", {"problem": error.message, "resume_at": error.resume_at.isoformat()}
            raise
        except Exception as error:
            detail = {"problem": str(error)}
            raise
        except anyio.get_cancelled_exc_class():
            outcome = "interrupted"
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await parts.store.end_run(run, outcome, detail)
            parts.observe(RunEnded(str(run.id), kind, outcome, (clock.now() - run.started_at).total_seconds()))
    return report

"""One sync of some streams, from lease to report.

The order is what makes it safe: leases first, then what the destination holds, then the plan into the journal, then
work. Whatever ends the run, its leases are given back and the journal says how it ended.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import orjson

from syncengine.exports.bring import Bringing, Parts
from syncengine.exports.catalog import Catalog
from syncengine.exports.due import Wanted
from syncengine.exports.window import lease_name
from syncengine.jobs.lease import holding
from syncengine.jobs.recording import recorded
from syncengine.jobs.scheduler import Beside
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
        names = [each.name for each in wanted]
        run = recorded(
            parts.store,
            clock,
            parts.observe,
            instance=parts.instance,
            kind="sync " + "+".join(sorted(names)),
            detail={"streams": names},
        )
        async with run as entry:
            bringing = Bringing(parts, epochs, catalog or Catalog(parts.client), beside)
            report = await bringing.bring(wanted, str(entry.run.id), entry.run.started_at)
            entry.outcome, entry.report = report.outcome, orjson.loads(orjson.dumps(report))
    return report

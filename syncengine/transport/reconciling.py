"""The ledger of calls, held against what Marketo has counted: other integrations use the instance and write no book.

Apart from the gate, which makes no calls. https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/usage
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from syncengine.errors import CallRejected, MarketoError, NotFound, PermissionDenied
from syncengine.marketo.endpoints import usage
from syncengine.transport.client import Client

# The count is asked for at the start, and again after so many calls of ours: it costs less than half a percent.
CALLS_BETWEEN = 250
LOOK_SECONDS = 20.0


@asynccontextmanager
async def reconciled(client: Client) -> AsyncIterator[None]:
    """Keep the day's ledger at least as high as Marketo's own count for as long as the block lasts.

    A role that may not read the count, or an instance in trouble, leaves the ledger to what we have sent ourselves.
    """
    failed: list[Exception] = []
    async with anyio.create_task_group() as group:
        group.start_soon(_reconcile, client)
        try:
            yield
        except Exception as error:  # noqa: BLE001  # raised again below, where no group wraps it
            failed.append(error)
        group.cancel_scope.cancel()
    for reason in failed:
        raise reason


async def _reconcile(client: Client) -> None:
    while True:
        sent = client.calls_sent
        try:
            used = await client.send(usage.today())
        except (PermissionDenied, CallRejected, NotFound):
            return
        except MarketoError:
            pass
        else:
            await client.gate.reconcile(used.calls)
        while client.calls_sent - sent < CALLS_BETWEEN:
            await client.clock.sleep(LOOK_SECONDS)

"""The ledger of calls, held against what Marketo has counted: other integrations use the instance and write no book.

Apart from the gate, which makes no calls. https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/usage
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from syncengine.errors import CredentialsRejected, MarketoError, QuotaExhausted, Unavailable
from syncengine.marketo.endpoints import usage
from syncengine.transport.client import Client
from syncengine.transport.retry import Patience

# The count is asked for at the start, and again after so many calls of ours: it costs less than half a percent.
CALLS_BETWEEN = 250
LOOK_SECONDS = 20.0
# The count is of help and no need: a run is not kept waiting for it.
AT_ONCE = Patience(tries=1, wait_seconds=0.0)


@asynccontextmanager
async def reconciled(client: Client) -> AsyncIterator[None]:
    """Keep the day's ledger at least as high as Marketo's own count for as long as the block lasts.

    A role that may not read the count, or an instance in trouble, leaves the ledger to what we have sent ourselves.
    Raises CredentialsRejected and QuotaExhausted: with either nothing else can be asked for.
    """
    # Before all else, and once: whoever begins beside it would meet the same refusal of the credentials.
    may_read = await _reconcile(client)
    failed: list[Exception] = []
    async with anyio.create_task_group() as group:
        if may_read:
            group.start_soon(_keep_reconciled, client)
        try:
            yield
        except Exception as error:  # noqa: BLE001  # raised again below, where no group wraps it
            failed.append(error)
        group.cancel_scope.cancel()
    for reason in failed:
        raise reason


async def _keep_reconciled(client: Client) -> None:
    is_readable = True
    while is_readable:
        sent = client.calls_sent
        while client.calls_sent - sent < CALLS_BETWEEN:
            await client.clock.sleep(LOOK_SECONDS)
        try:
            is_readable = await _reconcile(client)
        except MarketoError:
            continue  # the run that we stand beside meets it too, and tells


async def _reconcile(client: Client) -> bool:
    """Ask once; False when it is of no use to ask again."""
    try:
        used = await client.send(usage.today(), patience=AT_ONCE)
    except (CredentialsRejected, QuotaExhausted):
        raise
    except Unavailable:
        return True
    except MarketoError:
        return False
    await client.gate.reconcile(used.calls)
    return True

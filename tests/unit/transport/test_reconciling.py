"""The ledger of calls, held against what Marketo has counted."""

from datetime import timedelta
from typing import Any

import pytest

from syncengine.errors import (
    CallRejected,
    CredentialsRejected,
    MarketoError,
    NotFound,
    PermissionDenied,
    QuotaExhausted,
    Unavailable,
    Unsupported,
)
from syncengine.marketo.rows import Usage
from syncengine.transport.book import MemorySlotStore
from syncengine.transport.gate import Gate
from syncengine.transport.reconciling import AT_ONCE, CALLS_BETWEEN, LOOK_SECONDS, reconciled
from syncengine.transport.turns import GateLimits
from tests.virtual import ORIGIN, virtual, virtual_clock

USED_UP = QuotaExhausted("used up", resume_at=ORIGIN + timedelta(hours=3))


class Counting:
    """A client whose Marketo says how many calls there were, or refuses to; the last answer comes again."""

    def __init__(self, *answers: int | MarketoError) -> None:
        self.clock = virtual_clock()
        self.gate = Gate(MemorySlotStore(), GateLimits(), self.clock, holder="pid 1")
        self.calls_sent = 0
        self.asked = 0
        self._answers = list(answers)

    async def send(self, call: Any, *, patience: Any) -> Usage:
        assert ("usage.today", AT_ONCE) == (call.name, patience)
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        self.calls_sent += 1
        return Usage(day=None, calls=answer, calls_by_user={})

    async def spent(self) -> int:
        """What the ledger knows of today."""
        return (await self.gate.use()).spent_today.calls

    async def work(self, calls: int) -> None:
        """Send so many calls, and wait until somebody has looked."""
        self.calls_sent += calls
        await self.clock.sleep(LOOK_SECONDS + 1.0)


@virtual
async def test_the_ledger_learns_what_others_have_used() -> None:
    """Before the first call of the work."""
    client: Any = Counting(1_234)
    async with reconciled(client):
        assert 1_234 == await client.spent()


@virtual
async def test_the_count_is_asked_for_again_when_much_was_sent() -> None:
    """After so many calls of ours, not after so much time: a quiet hour costs no call."""
    client: Any = Counting(1_000, 2_000)
    async with reconciled(client):
        await client.work(0)
        await client.clock.sleep(3_600.0)
        await client.work(CALLS_BETWEEN - 1)
        assert (1, 1_000) == (client.asked, await client.spent())
        await client.work(1)
        assert (2, 2_000) == (client.asked, await client.spent())
        await client.clock.sleep(3_600.0)
        assert 2 == client.asked


@pytest.mark.parametrize("error", [PermissionDenied("no"), CallRejected("no"), NotFound("no"), Unsupported("no")])
@virtual
async def test_a_role_that_may_not_read_the_count_is_not_asked_again(error: MarketoError) -> None:
    """The ledger then knows what we have sent ourselves."""
    client: Any = Counting(error)
    async with reconciled(client):
        await client.work(0)
        await client.work(10 * CALLS_BETWEEN)
        await client.clock.sleep(3_600.0)
    assert (1, 0) == (client.asked, await client.spent())


@virtual
async def test_an_instance_in_trouble_is_asked_again_with_the_next_calls() -> None:
    """It is no trouble of the work, and no reason for a hot loop."""
    client: Any = Counting(Unavailable("away"), 700)
    async with reconciled(client):
        await client.clock.sleep(3_600.0)
        assert 1 == client.asked
        await client.work(CALLS_BETWEEN)
        assert 700 == await client.spent()


@pytest.mark.parametrize("error", [CredentialsRejected("refused"), USED_UP])
@virtual
async def test_where_nothing_else_can_be_asked_for_nothing_is_begun(error: MarketoError) -> None:
    """The block is not entered: one refusal is enough."""
    client: Any = Counting(error)
    with pytest.raises(type(error)):
        async with reconciled(client):
            pytest.fail("begun")
    assert 1 == client.asked


@pytest.mark.parametrize("error", [CredentialsRejected("refused"), USED_UP, Unavailable("away")])
@virtual
async def test_later_trouble_is_left_to_the_work(error: MarketoError) -> None:
    """It meets it too, and tells; the count goes on when it is over."""
    client: Any = Counting(10, error, 900)
    async with reconciled(client):
        await client.work(0)
        await client.work(CALLS_BETWEEN)
        assert (2, 10) == (client.asked, await client.spent())
        await client.work(CALLS_BETWEEN)
        assert (3, 900) == (client.asked, await client.spent())


@virtual
async def test_what_the_block_raises_is_not_wrapped() -> None:
    """The caller's own except clauses see it; and nothing goes on in the background."""
    client: Any = Counting(5)
    with pytest.raises(ZeroDivisionError):
        async with reconciled(client):
            raise ZeroDivisionError
    await client.work(CALLS_BETWEEN)
    assert 1 == client.asked

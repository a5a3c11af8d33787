"""The ledger of calls, held against what Marketo has counted."""

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
)
from syncengine.marketo.rows import Usage
from syncengine.transport.book import MemorySlotStore
from syncengine.transport.gate import Gate
from syncengine.transport.reconciling import CALLS_BETWEEN, LOOK_SECONDS, reconciled
from syncengine.transport.turns import GateLimits
from tests.virtual import ORIGIN, virtual, virtual_clock


class Counting:
    """A client whose Marketo says how many calls there were, or refuses to; the last answer comes again."""

    def __init__(self, *answers: int | MarketoError) -> None:
        self.clock = virtual_clock()
        self.gate = Gate(MemorySlotStore(), GateLimits(), self.clock, holder="pid 1")
        self.calls_sent = 0
        self.asked: list[float] = []
        self._began = self.clock.monotonic()
        self._answers = list(answers)

    async def send(self, call: Any, *, patience: Any = None) -> Usage:
        assert ("usage.today", 1) == (call.name, patience.tries)
        self.asked.append(self.clock.monotonic() - self._began)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        self.calls_sent += 1
        return Usage(day=None, calls=answer, calls_by_user={})

    async def spent(self) -> int:
        return (await self.gate.use()).spent_today.calls


@virtual
async def test_the_ledger_learns_what_others_have_used() -> None:
    """At the start, before much is spent."""
    client: Any = Counting(1_234)
    async with reconciled(client):
        await client.clock.sleep(1.0)
        assert 1_234 == await client.spent()


@virtual
async def test_the_count_is_asked_for_again_when_much_was_sent() -> None:
    """After so many calls of ours, not after so much time: a quiet hour costs no call."""
    client: Any = Counting(1_000, 2_000)
    async with reconciled(client):
        await client.clock.sleep(3_600.0)
        assert 1 == len(client.asked)
        client.calls_sent += CALLS_BETWEEN - 1
        await client.clock.sleep(2 * LOOK_SECONDS)
        assert 1 == len(client.asked)
        client.calls_sent += 1
        await client.clock.sleep(LOOK_SECONDS)
        assert (2, 2_000) == (len(client.asked), await client.spent())
        await client.clock.sleep(3_600.0)
        assert 2 == len(client.asked)


@pytest.mark.parametrize("error", [PermissionDenied("no"), CallRejected("no"), NotFound("no")])
@virtual
async def test_a_role_that_may_not_read_the_count_is_not_asked_again(error: MarketoError) -> None:
    """The ledger then knows what we have sent ourselves."""
    client: Any = Counting(error)
    async with reconciled(client):
        client.calls_sent += 10 * CALLS_BETWEEN
        await client.clock.sleep(3_600.0)
    assert (1, 0) == (len(client.asked), await client.spent())


@virtual
async def test_trouble_with_the_count_is_no_trouble_of_the_work() -> None:
    """It is asked for again with the next calls, and in no hot loop."""
    client: Any = Counting(Unavailable("away"), 700)
    async with reconciled(client):
        await client.clock.sleep(3_600.0)
        assert 1 == len(client.asked)
        client.calls_sent += CALLS_BETWEEN
        await client.clock.sleep(LOOK_SECONDS)
        assert 700 == await client.spent()


@pytest.mark.parametrize("error", [CredentialsRejected("refused"), QuotaExhausted("gone", resume_at=ORIGIN)])
@virtual
async def test_without_credentials_or_calls_nothing_else_is_begun(error: MarketoError) -> None:
    """The first call tells, and no second one has to."""
    client: Any = Counting(error)
    with pytest.raises(type(error)):
        async with reconciled(client):
            raise AssertionError
    assert 1 == len(client.asked)


@virtual
async def test_what_the_block_raises_is_not_wrapped() -> None:
    """The caller's own except clauses see it; and nothing goes on in the background."""
    client: Any = Counting(5)
    with pytest.raises(ZeroDivisionError):
        async with reconciled(client):
            raise ZeroDivisionError
    client.calls_sent += CALLS_BETWEEN
    await client.clock.sleep(3_600.0)
    assert len(client.asked) <= 1

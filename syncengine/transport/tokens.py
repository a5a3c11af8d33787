"""One token for all calls of a client id, and the turn at its expiry.

Theory of operation. Asked early, Marketo gives the *same* token with its remaining life; a new one exists only once
the old one has died (https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/authentication). So
nothing can be swapped ahead of time. What can be known is when it dies: an answer asked for at `sent`, received at
`got` and promising e whole seconds means a death between sent + e and got + e + 1, and each further answer narrows
that. The refresher asks shortly before the end (which also shows in time that the secret was changed), again at the
earliest possible death, again at the latest; calls that would arrive with a dying token wait for that moment.

A call refused with 601 or 602 names the token that it carried. If another is in hand already, it is used; otherwise
one request is made for all who wait.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from syncengine.clock import Clock
from syncengine.errors import CredentialsRejected, SyncEngineError
from syncengine.marketo.rows import Token

# How long before the end the refresher looks in, and how short a life it still does that for.
LOOK_IN_SECONDS = 60.0
# A call sent this long before the token's end still arrives in time; slower links widen it.
TRANSIT_SECONDS_MIN = 1.0
TRANSIT_SECONDS_MAX = 15.0
ASK_AGAIN_SECONDS = 1.0
ASKS_AT_TURN = 8
# Whatever the identity endpoint answers, it is never asked in a hot loop: this often at once, then once a second.
ASKS_AT_ONCE = 4
# What a token is taken to live for when Marketo's answers do not say.
LIFE_UNKNOWN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token and the two bounds of its death, in monotonic seconds."""

    value: str
    dies_from: float
    dies_by: float

    def __repr__(self) -> str:
        return f"HeldToken(dies_from={self.dies_from:.1f}, dies_by={self.dies_by:.1f})"


def held(answer: Token, sent: float, got: float, before: HeldToken | None) -> HeldToken:
    """The bounds that one identity answer gives, narrowed by what was known of the same token before.

    A life of 0 means less than a second. Stated again when that second is over, it means that lives are not stated.
    """
    life = float(max(0, answer.expires_in))
    if life == 0.0 and before is not None and sent >= before.dies_by:
        life = LIFE_UNKNOWN_SECONDS
    fresh = HeldToken(answer.access_token, sent + life, got + life + 1.0)
    if before is None or before.value != fresh.value:
        return fresh
    dies_from, dies_by = max(before.dies_from, fresh.dies_from), min(before.dies_by, fresh.dies_by)
    # Bounds that do not meet mean that the server changed its mind: the last word counts.
    return HeldToken(fresh.value, dies_from, dies_by) if dies_from <= dies_by else fresh


class Tokens:
    """Gives calls a token that will still live when they arrive. `fetch` makes one identity call."""

    def __init__(self, fetch: Callable[[], Awaitable[Token]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._held: HeldToken | None = None
        self._lock = anyio.Lock()
        self._pace = clock.pacer(ASKS_AT_ONCE, ASKS_AT_ONCE * ASK_AGAIN_SECONDS)
        self._slowest = 0.0
        self.renewals = 0

    def observe_latency(self, seconds: float) -> None:
        """Learn how long calls take to reach the server and back; old peaks fade."""
        self._slowest = max(seconds, self._slowest * 0.99)

    @property
    def transit_seconds(self) -> float:
        """How long before a token's end calls stop using it."""
        return min(TRANSIT_SECONDS_MAX, max(TRANSIT_SECONDS_MIN, 2 * self._slowest))

    def lives(self, value: str) -> bool:
        """Whether a call that is sent now arrives before this token can have died."""
        held = self._held
        return (
            held is not None and held.value == value and self._clock.monotonic() < held.dies_from - self.transit_seconds
        )

    async def current(self) -> str:
        """A token that lives; waits through the turn. Raises what the identity call raises."""
        if self._held is None or not self.lives(self._held.value):
            async with self._lock:
                if self._held is None or not self.lives(self._held.value):
                    return await self._turn(self._held)
        return self._held.value

    async def replace(self, refused: str) -> None:
        """Get another token than the refused one: once for all callers.

        Where identity gives out the very same, its word stands against one answer's: the call may try it again, a
        second later. How often, the caller bounds.
        """
        async with self._lock:
            if self._held is not None and self._held.value == refused and (await self._ask()).value == refused:
                await self._clock.sleep(ASK_AGAIN_SECONDS)

    async def keep_fresh(self) -> None:
        """The background task: look in shortly before the end, then take the turn. Runs until cancelled."""
        while True:
            held = self._held
            if held is None:
                await self._clock.sleep(ASK_AGAIN_SECONDS)
                continue
            await self._clock.sleep(held.dies_from - LOOK_IN_SECONDS - self._clock.monotonic())
            try:
                async with self._lock:
                    if self._held is held and held.dies_from - self._clock.monotonic() > self.transit_seconds:
                        await self._ask()
                dying = self._held or held
                await self._clock.sleep(dying.dies_from - self.transit_seconds - self._clock.monotonic())
                await self.current()
            except SyncEngineError:
                # Whoever needs the token next meets the same error and reports it; this task only hurries ahead.
                await self._clock.sleep(LOOK_IN_SECONDS)

    async def _turn(self, dying: HeldToken | None) -> str:
        """Get a token that lives, at the first moment at which there can be one. The lock is held."""
        if dying is None:
            dying = await self._ask()
            if self.lives(dying.value):
                return dying.value
        for _ in range(ASKS_AT_TURN):
            known = self._held or dying
            now = self._clock.monotonic()
            moments = (known.dies_from, known.dies_by, now + ASK_AGAIN_SECONDS)
            await self._clock.sleep(next(moment for moment in moments if moment > now) - now)
            token = await self._ask()
            if self.lives(token.value):
                return token.value
        raise CredentialsRejected(
            "Marketo gives no access token that lives after the old one has ended.",
            code="602",
            call="identity.token",
            advice="Try again in a minute; if it stays so, check the service in LaunchPoint.",
        )

    async def _ask(self) -> HeldToken:
        await self._pace.acquire()
        sent = self._clock.monotonic()
        answer = await self._fetch()
        got = self._clock.monotonic()
        before = self._held
        self._held = held(answer, sent, got, before)
        if before is None or before.value != self._held.value:
            self.renewals += 1
        return self._held

"""One token for all, the turn at its expiry, and what happens when identity or Marketo disagree with themselves."""

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.clock import Clock
from syncengine.errors import NoSpace, SyncEngineError, Unavailable
from syncengine.marketo.rows import Token
from syncengine.transport.tokens import ASKS_AT_ONCE, LIFE_UNKNOWN_SECONDS, LOOK_IN_SECONDS, HeldToken, Tokens, held
from tests.virtual import virtual, virtual_clock


class Identity:
    """Marketo's: the same token until it dies, its remaining life rounded down to whole seconds."""

    def __init__(self, clock: Clock, life: float = 3_600.0, seconds: float = 0.2) -> None:
        self.clock, self.life, self.seconds = clock, life, seconds
        self.asked: list[float] = []
        self.issued = 0
        self.dies_at = float("-inf")
        self.errors: list[SyncEngineError] = []

    async def fetch(self) -> Token:
        self.asked.append(self.clock.monotonic())
        await self.clock.sleep(self.seconds / 2)
        if self.errors:
            raise self.errors.pop(0)
        now = self.clock.monotonic()
        if now >= self.dies_at:
            self.issued += 1
            self.dies_at = now + self.life
        answer = Token(f"t{self.issued}", self.stated(self.dies_at - now), "")
        await self.clock.sleep(self.seconds / 2)
        return answer

    def stated(self, remaining: float) -> int:
        return int(remaining)

    def accepts(self, value: str) -> bool:
        return value == f"t{self.issued}" and self.clock.monotonic() < self.dies_at


class Silent(Identity):
    """An identity service that never says how long a token lives."""

    def stated(self, remaining: float) -> int:
        return 0


@virtual
async def test_ten_waiters_cost_one_identity_call() -> None:
    """Whoever needs a token while one is being fetched waits for that one."""
    identity = Identity(virtual_clock())
    tokens = Tokens(identity.fetch, identity.clock)
    got: list[str] = []

    async def need() -> None:
        got.append(await tokens.current())

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(need)

    assert (["t1"] * 10, 1) == (got, len(identity.asked))


@virtual
async def test_ten_refused_calls_cost_one_identity_call() -> None:
    """Ten calls refused with one token wait for one replacement, and a later complaint about it costs nothing."""
    identity = Identity(virtual_clock())
    tokens = Tokens(identity.fetch, identity.clock)
    await tokens.current()
    identity.dies_at = 0.0
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(tokens.replace, "t1")
    await tokens.replace("t1")

    assert ("t2", 2, 2) == (await tokens.current(), len(identity.asked), tokens.renewals)


@virtual
async def test_a_cancelled_fetch_is_taken_over_by_the_next_waiter() -> None:
    """When the one who asks is cancelled, another asks; nobody waits for ever."""
    identity = Identity(virtual_clock())
    tokens = Tokens(identity.fetch, identity.clock)
    got: list[str] = []

    async def need() -> None:
        got.append(await tokens.current())

    async def give_up() -> None:
        with identity.clock.move_on_after(0.15):
            await tokens.current()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(give_up)
        tasks.start_soon(need)

    assert (["t1"], 2) == (got, len(identity.asked))


@given(
    life=st.floats(5.0, 300.0),
    first=st.floats(0.0, 400.0),
    pauses=st.lists(st.floats(0.01, 40.0), min_size=5, max_size=40),
    seconds=st.floats(0.0, 0.45),
    background=st.booleans(),
)
@settings(max_examples=60, deadline=None)
@virtual
async def test_no_call_arrives_with_a_dead_token(
    life: float, first: float, pauses: list[float], seconds: float, background: bool
) -> None:
    """Whenever a call is made, first or late, its token is accepted where it arrives up to half a second later."""
    identity = Identity(virtual_clock(), life, seconds)
    await identity.fetch()
    await identity.clock.sleep(first)
    tokens = Tokens(identity.fetch, identity.clock)
    async with anyio.create_task_group() as tasks:
        if background:
            tasks.start_soon(tokens.keep_fresh)
        for pause in pauses:
            value = await tokens.current()
            assert tokens.lives(value)
            await identity.clock.sleep(0.5)
            assert identity.accepts(value)
            await identity.clock.sleep(pause)
        tasks.cancel_scope.cancel()


@virtual
async def test_the_turn_costs_few_identity_calls() -> None:
    """Over three hourly turns identity is asked at most four times a turn, and calls wait at most three seconds."""
    identity = Identity(virtual_clock())
    tokens, clock = Tokens(identity.fetch, identity.clock), identity.clock
    longest = 0.0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tokens.keep_fresh)
        began = clock.monotonic()
        while clock.monotonic() < began + 3 * 3_600.0 + 60.0:
            asked_at = clock.monotonic()
            await tokens.current()
            longest = max(longest, clock.monotonic() - asked_at)
            await clock.sleep(0.37)
        tasks.cancel_scope.cancel()

    assert (4, 4) == (identity.issued, tokens.renewals)
    assert len(identity.asked) <= 1 + 3 * 4
    assert longest <= 3.0


def test_answers_narrow_the_moment_of_death() -> None:
    """Each answer about the same token takes the later of the early bounds and the earlier of the late ones."""
    first = held(Token("t", 100, ""), 10.0, 11.0, None)
    second = held(Token("t", 50, ""), 60.5, 60.7, first)

    assert HeldToken("t", 110.0, 112.0) == first
    assert HeldToken("t", 110.5, 111.7) == second


def test_a_server_that_changes_its_mind_has_the_last_word() -> None:
    """Bounds that do not meet, and other tokens, replace what was known."""
    first = held(Token("t", 100, ""), 10.0, 11.0, None)

    assert HeldToken("t", 40.0, 42.0) == held(Token("t", 20, ""), 20.0, 21.0, first)
    assert HeldToken("u", 40.0, 42.0) == held(Token("u", 20, ""), 20.0, 21.0, first)


@given(st.integers(1, 3_600), st.floats(0.0, 3_600.0), st.floats(0.0, 5.0), st.floats(0.0, 1.0))
def test_the_bounds_hold_the_true_death(life: int, remaining: float, seconds: float, share: float) -> None:
    """Wherever between asking and answer the server read its clock, the token dies between the two bounds."""
    stamped = 1_000.0 + seconds * share
    answer = Token("t", int(remaining), "")
    known = held(answer, 1_000.0, 1_000.0 + seconds, None)

    assert known.dies_from <= stamped + remaining + 1e-9
    assert stamped + remaining <= known.dies_by + 1e-9


@pytest.mark.parametrize("renewed", [False, True])
@virtual
async def test_lives_that_are_never_stated_cost_a_call_a_minute(renewed: bool) -> None:
    """With `expires_in` 0, missing or nonsense, the token is used on and looked after, never in a hot loop."""
    identity = Silent(virtual_clock(), life=0.0 if renewed else 1e9)
    tokens, clock = Tokens(identity.fetch, identity.clock), identity.clock
    began = clock.monotonic()
    while clock.monotonic() < began + 600.0:
        await tokens.current()
        await clock.sleep(1.0)
    gaps = [later - earlier for earlier, later in zip(identity.asked, identity.asked[1:], strict=False)]

    assert len(identity.asked) <= 2 + 3 * 600 / LIFE_UNKNOWN_SECONDS
    assert min(gaps) >= 0.9


@virtual
async def test_a_token_that_identity_still_gives_out_may_be_tried_again() -> None:
    """One refusal of a living token costs one identity call and a second; the caller bounds how often it tries."""
    identity = Identity(virtual_clock())
    tokens, clock = Tokens(identity.fetch, identity.clock), identity.clock
    refused, began = await tokens.current(), clock.monotonic()
    await tokens.replace(refused)

    assert (refused, 2) == (await tokens.current(), len(identity.asked))
    assert 1.0 <= clock.monotonic() - began <= 2.0


@virtual
async def test_the_background_task_survives_a_failing_look() -> None:
    """Errors of the task that hurries ahead are nobody's; it looks again, and calls meet their own."""
    identity = Identity(virtual_clock(), life=300.0)
    tokens, clock = Tokens(identity.fetch, identity.clock), identity.clock
    await tokens.current()
    identity.errors = [Unavailable("down"), NoSpace("full")]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tokens.keep_fresh)
        await clock.sleep(290.0)
        assert (2, 1) == (len(identity.asked), len(identity.errors))
        await clock.sleep(400.0)
        assert tokens.lives(await tokens.current())
        tasks.cancel_scope.cancel()

    assert [] == identity.errors


@virtual
async def test_the_look_in_comes_a_minute_before_the_end() -> None:
    """A changed secret shows a minute before it would stop the night."""
    identity = Identity(virtual_clock())
    tokens, clock = Tokens(identity.fetch, identity.clock), identity.clock
    await tokens.current()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tokens.keep_fresh)
        await clock.sleep(3_580.0)
        tasks.cancel_scope.cancel()

    assert pytest.approx([0.0, 3_600.0 - LOOK_IN_SECONDS], abs=1.0) == [at - identity.asked[0] for at in identity.asked]


@virtual
async def test_slow_links_stop_using_a_token_earlier() -> None:
    """The margin follows twice the slowest call, between one and fifteen seconds, and fades."""
    tokens = Tokens(Identity(virtual_clock()).fetch, virtual_clock())
    seen = [tokens.transit_seconds]
    for seconds in (0.2, 2.0, 30.0):
        tokens.observe_latency(seconds)
        seen.append(tokens.transit_seconds)
    for _ in range(1_000):
        tokens.observe_latency(0.2)

    assert [1.0, 1.0, 4.0, 15.0] == seen
    assert 1.0 == tokens.transit_seconds


def test_a_held_token_never_shows_itself() -> None:
    """Its repr tells times alone."""
    assert "HeldToken(dies_from=1.0, dies_by=2.0)" == repr(HeldToken("canary", 1.0, 2.0))


@virtual
async def test_tokens_that_are_refused_one_after_the_other_make_no_hot_loop() -> None:
    """Where each new token is refused at once, identity is asked once a second after a few times."""
    clock = virtual_clock()
    identity = Identity(clock, seconds=0.0)
    tokens = Tokens(identity.fetch, clock)
    began = clock.monotonic()
    for _ in range(30):
        refused = await tokens.current()
        identity.dies_at = clock.monotonic()
        await tokens.replace(refused)

    assert 31 == len(identity.asked)
    assert clock.monotonic() - began >= 31 - ASKS_AT_ONCE

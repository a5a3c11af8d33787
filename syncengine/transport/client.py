"""How a call travels: token -> gate -> wire -> reply -> verdict -> again, or not. Read this module first.

`Client.send` performs any Call and gives its decoded result, or raises the error class that says what comes next.
`Client.stream` opens a call whose body is a file; the reader keeps its place in flight until the last byte.
"""

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

import anyio

from syncengine.clock import Clock
from syncengine.errors import MarketoError
from syncengine.marketo.call import Api, Call, Priority
from syncengine.marketo.codes import lookup
from syncengine.marketo.reply import Malformed, Refusal, Reply, read, read_accepted
from syncengine.marketo.rows import Token
from syncengine.observe.events import CallAnswered, CallSent, Event, Refused, TokenRefreshed
from syncengine.transport.beside import beside
from syncengine.transport.failures import error_of
from syncengine.transport.gate import KEEP_SECONDS, Gate, Permit, exhausted
from syncengine.transport.request import as_request, is_unfinished
from syncengine.transport.retry import Patience, Refresh, RetryBudget, Stop, Tries, Wait, decide
from syncengine.transport.texts import WholeAnswer, is_page, is_text
from syncengine.transport.tokens import Tokens
from syncengine.transport.wire import Wire, WireAnswer, WireError, WireRequest

T = TypeVar("T")

# By when headers must be there: Marketo ends long calls itself after about 30 s (604), some after 90.
HEADERS_SECONDS = 120.0
# The same for a call with an upload, whose 10 MB may have to pass through a slow line first.
UPLOAD_SECONDS = 600.0
# No JSON answer comes near this; a longer one is not read into memory.
ANSWER_BYTES_MAX = 64 * 1024 * 1024
# A date that is further off is no clock's.
SKEW_MAX = timedelta(days=366)


@dataclass(slots=True)
class _Trying:
    """A call's way through its tries."""

    call: Call[object]
    started: float
    patience: Patience
    token: str = field(default="", repr=False)
    failed: int = 0
    refreshed: int = 0
    waited: int = 0
    is_unfinished: bool = False  # answered before the whole request can have been seen


class Client:
    """Performs calls against one instance. `observe` is told of each call; `patience` bounds the tries.

    Without `tokens`, the client fetches its own with the call that `identity` gives.
    """

    def __init__(
        self,
        wire: Wire,
        gate: Gate,
        clock: Clock,
        identity: Callable[[], Call[Token]],
        *,
        priority: Priority = Priority.BACKGROUND,
        patience: Patience | None = None,
        observe: Callable[[Event], None] = lambda _: None,
        rng: random.Random | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self._wire = wire
        self.gate = gate
        self.clock = clock
        self.priority = priority
        self._patience = patience or Patience()
        self._observe = observe
        self._rng = rng or random.Random()  # noqa: S311  # jitter, not secrets
        self._budget = RetryBudget()
        self._identity = identity
        self.tokens = tokens or Tokens(self._fetch_token, clock)
        self.calls_sent = 0
        self.calls: Counter[str] = Counter()  # the same by name
        self.skew = timedelta()

    def beside(self, wire: Wire, gate: Gate) -> "Client":
        """A client of another host, with a gate of its own, that carries this one's tokens."""
        return Client(
            wire,
            gate,
            self.clock,
            self._identity,
            priority=self.priority,
            patience=self._patience,
            observe=self._observe,
            rng=self._rng,
            tokens=self.tokens,
        )

    async def send(self, call: Call[T], *, patience: Patience | None = None) -> T:
        """Perform `call`, with as many tries as its verdicts and `patience` allow, and give its result.

        Raises the subclasses of MarketoError that `errors.py` draws; OutcomeUnknown only for a call that is not
        safe to repeat and whose answer was lost. What an upload's source raises passes through.
        """
        trying = _Trying(call, self.clock.monotonic(), patience or self._patience)
        self._budget.first_try(trying.started)
        while True:
            outcome = await self._try(trying)
            if isinstance(outcome, Reply):
                try:
                    return call.decode(outcome)
                except Malformed as error:
                    outcome = _refusal("2XX_NOT_JSON", str(error))
            stopped = await self._after(outcome, trying)
            with suppress(Malformed):
                if stopped is Stop.ALREADY:
                    return call.decode(outcome.as_empty())
            if stopped is not None:
                raise await self._error(stopped, outcome, trying)

    @asynccontextmanager
    async def stream(self, call: Call[object], headers: dict[str, str]) -> AsyncIterator[tuple[WireAnswer, Permit]]:
        """Open one try of a call whose body is a file: the answer, and the permit to keep alive while reading.

        A text that is no JSON object is a file too, whatever its content type says.

        An answer that is no file (an error, or JSON) raises as `send` would after its last try; WireError passes
        through, for the reader knows what it has got so far.
        """
        trying = _Trying(call, self.clock.monotonic(), self._patience)
        self._budget.first_try(trying.started)
        while True:
            async with self._exchange(trying, headers) as (answer, permit):
                if answer.status in {200, 206} and not is_page(answer):
                    yield answer, permit
                    return
                body = await answer.read(ANSWER_BYTES_MAX)
                if answer.status == 200 and is_text(answer, body):
                    yield WholeAnswer(answer.status, answer.headers, body), permit
                    return
                outcome = await self._judge(call, answer, body, permit)
            if isinstance(outcome, Reply):
                outcome = _refusal("2XX_NOT_JSON", "a JSON answer where a file was asked for")
            if (stopped := await self._after(outcome, trying)) is not None:
                raise await self._error(stopped, outcome, trying)

    async def _try(self, trying: _Trying) -> Reply | Refusal:
        try:
            async with self._exchange(trying, {}) as (answer, permit):
                body = await answer.read(ANSWER_BYTES_MAX)
                return await self._judge(trying.call, answer, body, permit)
        except WireError as error:
            # What broke here tells by its code whether the request was whole.
            trying.is_unfinished = False
            return _refusal(error.code, str(error))

    @asynccontextmanager
    async def _exchange(self, trying: _Trying, headers: dict[str, str]) -> AsyncIterator[tuple[WireAnswer, Permit]]:
        """One request under one permit, with a token that still lives when it arrives."""
        call = trying.call
        while True:
            trying.token = token = await self.tokens.current() if call.authorized else ""
            # Before the gate: a call that is too large takes no place.
            request = as_request(call, token, headers)
            # Calls without a token are identity's, for which all others may be waiting: they go first.
            priority = self.priority if call.authorized else Priority.INTERACTIVE
            # An upload says now and then that it lives, so that one that was killed frees its places like any call.
            seconds = self.clock.io_seconds(HEADERS_SECONDS)
            async with self.gate.enter(call.name, priority, seconds=seconds, billed=call.authorized) as permit:
                if permit.is_late() or (call.authorized and not self.tokens.lives(token)):
                    await permit.unsent()
                    continue
                async with self._sent(trying, request, permit) as answer:
                    yield answer, permit
                return

    @asynccontextmanager
    async def _sent(self, trying: _Trying, request: WireRequest, permit: Permit) -> AsyncIterator[WireAnswer]:
        name, sent_at = trying.call.name, self.clock.monotonic()
        self.calls_sent += 1
        self.calls[name] += 1
        self._observe(CallSent(name))
        sending = self._wire.send(request)
        try:
            with self.clock.fail_after(self._seconds_for(trying.call)):
                answer = await self._headers(sending, request, permit)
        except TimeoutError as error:
            raise WireError("no answer within the time allowed", sent=not is_unfinished(request), begun=True) from error
        except WireError as error:
            # A request that was cut off may be counted over there all the same: its places are held as a lost call's.
            if not error.begun:
                await permit.unsent()
            raise
        trying.is_unfinished = is_unfinished(request)
        try:
            await permit.answered()
            if request.upload is None:  # the time that 10 MB take says nothing about the way of a token
                self.tokens.observe_latency(self.clock.monotonic() - sent_at)
            self._compare_clocks(answer)
            yield answer
        finally:
            with anyio.CancelScope(shield=True):
                await sending.__aexit__(None, None, None)
            self._observe(CallAnswered(name, answer.status, self.clock.monotonic() - sent_at))

    async def _headers(
        self, sending: AbstractAsyncContextManager[WireAnswer], request: WireRequest, permit: Permit
    ) -> WireAnswer:
        """Wait for the headers, and keep the places of an upload alive meanwhile."""
        if request.upload is None:
            return await sending.__aenter__()

        async def keep() -> None:
            while True:
                await self.clock.sleep(KEEP_SECONDS)
                await permit.keep()

        return await beside(keep, sending.__aenter__)

    def _seconds_for(self, call: Call[object]) -> float:
        return self.clock.io_seconds(HEADERS_SECONDS if call.upload is None else UPLOAD_SECONDS)

    def server_now(self) -> datetime:
        """The present instant by Marketo's clock, as its last answer showed it to the second; ours before that."""
        return self.clock.now() + self.skew

    def _compare_clocks(self, answer: WireAnswer) -> None:
        try:
            skew = parsedate_to_datetime(answer.headers.get("Date", "")) - self.clock.now()
        except (ValueError, TypeError, OverflowError):
            return
        if abs(skew) <= SKEW_MAX:
            self.skew = self.gate.skew = skew

    async def _judge(self, call: Call[object], answer: WireAnswer, body: bytes, permit: Permit) -> Reply | Refusal:
        """Read an answer, and tell gate and tokens what it means for them."""
        if call.api is Api.INGESTION:
            outcome = read_accepted(answer.status, answer.headers.get("X-Request-Id", ""), body)
        else:
            outcome = read(answer.status, answer.headers.get("Content-Type", ""), body)
        if isinstance(outcome, Refusal):
            if call.authorized and not outcome.entry.billed:
                await permit.free()
            if outcome.code in {"606", "615"}:
                await permit.refused("window" if outcome.code == "606" else "flight")
        return outcome

    async def _after(self, refusal: Refusal, trying: _Trying) -> Stop | None:
        """Do what the decision says: wait or refresh and give None, or give why to stop."""
        call, now = trying.call, self.clock.monotonic()
        trying.failed += 1
        tries = Tries(trying.failed - trying.waited, trying.refreshed, trying.waited, now - trying.started)
        entry = replace(refusal.entry, unsafe_on_create=refusal.entry.unsafe_on_create and not trying.is_unfinished)
        decision = decide(entry, call.repeat, tries, trying.patience, authorized=call.authorized)
        match decision:
            case Wait(shortest, longest, charged):
                if charged and not self._budget.take(now):
                    return Stop.UNAVAILABLE
                trying.waited += not charged
                seconds = self._rng.uniform(shortest, longest)
                self._observe(Refused(refusal.code, call.name, seconds))
                await self.clock.sleep(seconds)
                return None
            case Refresh():
                trying.refreshed += 1
                trying.failed -= 1
                self._observe(Refused(refusal.code, call.name, 0.0))
                await self.tokens.replace(trying.token)
                return None
            case _:
                return decision

    async def _error(self, stopped: Stop, refusal: Refusal, trying: _Trying) -> MarketoError:
        name = trying.call.name
        if stopped in {Stop.QUOTA_CALLS, Stop.QUOTA_EXPORT}:
            what = "calls" if stopped is Stop.QUOTA_CALLS else "export"
            return exhausted(await self.gate.pause(what), name, what)
        return error_of(stopped, refusal, trying.call, tries=trying.failed)

    async def _fetch_token(self) -> Token:
        token = await self.send(self._identity())
        self._observe(TokenRefreshed(token.expires_in))
        return token


def _refusal(code: str, message: str) -> Refusal:
    entry = lookup("http", code)
    return Refusal("http", code, message or entry.message, "", entry)

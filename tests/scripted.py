"""A wire without a network: it plays a script of answers and breaks, and hands out tokens as Marketo does."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from syncengine.clock import Clock
from syncengine.marketo.call import Call, Repeat
from syncengine.marketo.endpoints import identity
from syncengine.marketo.reply import Reply
from syncengine.marketo.rows import Token
from syncengine.observe.events import Event
from syncengine.transport.book import MemorySlotStore
from syncengine.transport.client import Client
from syncengine.transport.gate import Gate
from syncengine.transport.retry import Patience
from syncengine.transport.turns import GateLimits
from syncengine.transport.wire import WireError, WireRequest

SECRET = "canary-secret"
TOKEN = "canary-token"
JSON = {"Content-Type": "application/json;charset=UTF-8"}


@dataclass(frozen=True)
class Answer:
    """What the server says; `breaks_at` cuts the body there, `waits` come before the headers and before each piece."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    header_seconds: float = 0.1
    piece_seconds: float = 0.0
    piece_bytes: int = 65_536
    breaks_at: int | None = None


Step = Answer | WireError | Callable[[WireRequest], Answer | WireError]


def rows(*result: object, **envelope: Any) -> Answer:
    """Success with these rows."""
    return Answer(body=orjson.dumps({"requestId": "r1", "success": True, "result": result, **envelope}))


def refused(code: str, message: str = "", **changes: Any) -> Answer:
    """Marketo's refusal inside a 200."""
    errors = [{"code": code, "message": message or f"said {code}"}]
    return Answer(body=orjson.dumps({"requestId": "r1", "success": False, "errors": errors}), **changes)


class ScriptedAnswer:
    """An answer whose body arrives as its script says."""

    def __init__(self, script: Answer, clock: Clock) -> None:
        self.status = script.status
        self.headers = script.headers
        self._script = script
        self._clock = clock

    async def read(self, limit: int) -> bytes:
        return b"".join([piece async for piece in self.pieces()])

    async def pieces(self) -> AsyncIterator[bytes]:
        script = self._script
        end = len(script.body) if script.breaks_at is None else script.breaks_at
        for start in range(0, end, script.piece_bytes):
            await self._clock.sleep(script.piece_seconds)
            yield script.body[start : min(end, start + script.piece_bytes)]
        if script.breaks_at is not None:
            raise WireError("the answer ended early", sent=True)


class Issuer:
    """Marketo's identity: the same token until it dies, its remaining life in whole seconds, rounded down."""

    def __init__(self, clock: Clock, life: float) -> None:
        self.life = life
        self.asked: list[float] = []
        self.issued = 0
        self.dies_at = float("-inf")
        self._clock = clock

    @property
    def token(self) -> str:
        return f"{TOKEN}-{self.issued}"

    def answer(self) -> Answer:
        """What identity says now."""
        now = self._clock.monotonic()
        self.asked.append(now)
        if now >= self.dies_at:
            self.issued += 1
            self.dies_at = now + self.life
        said = {"access_token": self.token, "expires_in": int(self.dies_at - now), "scope": "api"}
        return Answer(body=orjson.dumps(said))

    def judge(self, request: WireRequest) -> Answer | None:
        """A refusal, if the request's token is not the living one."""
        carried = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if carried != self.token:
            return refused("601", "Access token invalid")
        return refused("602", "Access token expired") if self._clock.monotonic() >= self.dies_at else None


class ScriptedWire:
    """Plays `steps` in order, the last one for ever; identity is answered by the issuer unless scripted too."""

    def __init__(self, clock: Clock, *steps: Step, life: float = 3_600.0, identity: Step | None = None) -> None:
        self.steps = list(steps)
        self.requests: list[WireRequest] = []
        self.sent_at: list[float] = []
        self.issuer = Issuer(clock, life)
        self.open = 0
        self.most_open = 0
        self._identity = identity
        self._clock = clock

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator[ScriptedAnswer]:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            step = self._step(request)
            answer = step(request) if callable(step) else step
            if isinstance(answer, WireError):
                raise WireError(str(answer), sent=answer.sent, begun=answer.begun)
            await self._clock.sleep(answer.header_seconds)
            yield ScriptedAnswer(answer, self._clock)
        finally:
            self.open -= 1

    async def close(self) -> None:
        """Nothing is held open."""

    def _step(self, request: WireRequest) -> Step:
        if request.target.startswith("/identity"):
            return self._identity or self.issuer.answer()
        self.requests.append(request)
        self.sent_at.append(self._clock.monotonic())
        return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


def identity_call() -> Call[Token]:
    return identity.token("client-1", SECRET)


def read_call(**changes: Any) -> Call[tuple[Any, ...]]:
    """A call that is safe to repeat and gives its rows."""
    return replace(Call("leads.read", "GET", "/rest/v1/leads.json", result_of), **changes)


def import_call() -> Call[tuple[Any, ...]]:
    """A call that may double rows when it is repeated."""
    return read_call(name="leads.import", method="POST", repeat=Repeat.UNSAFE, json={"a": 1})


def result_of(reply: Reply) -> tuple[Any, ...]:
    return reply.result


@dataclass
class Told:
    """A client over a scripted wire, with all that it told and the book that it keeps."""

    clock: Clock
    wire: ScriptedWire
    store: MemorySlotStore
    client: Client
    events: list[Event]

    def told(self, kind: type[Event]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def client_over(
    clock: Clock, *steps: Step, patience: Patience | None = None, limits: GateLimits | None = None, **wire: Any
) -> Told:
    """A client of its own for a test, over these steps."""
    scripted = ScriptedWire(clock, *steps, **wire)
    store, events = MemorySlotStore(), list[Event]()
    gate = Gate(store, limits or GateLimits(), clock, holder="pid 1")
    client = Client(scripted, gate, clock, identity_call, patience=patience, observe=events.append)
    return Told(clock, scripted, store, client, events)

"""A request as a value: what is asked, how its answer is read, how it may be repeated. Nothing here performs it.

So a call can be printed by `plan`, costed before it is spent, written to the journal and tested without a loop.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from syncengine.marketo.reply import Reply

T_co = TypeVar("T_co", covariant=True)


class Priority(Enum):
    """Who goes first when calls wait for the instance; ageing keeps either from starving."""

    INTERACTIVE = "interactive"
    BACKGROUND = "background"


class Repeat(Enum):
    """What repeating a call whose answer was lost would do."""

    SAFE = "safe"  # reads, and writes that end in the same state
    CREATES = "creates"  # makes another one: harmless (an export job that nobody enqueues) but never silent
    UNSAFE = "unsafe"  # may double rows: only a proven refusal is repeated


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """One call of Marketo's API.

    `name` is the endpoint in words of the docs ("leads.export.enqueue"); counters, logs and `plan` use it.
    `path` is absolute, without host. `query` values are text. `json` is sent as the JSON body of a POST.
    `decode` turns the good reply into the call's result without I/O; it raises `reply.Malformed` where that is missing.
    `form` stays out of `repr`: identity's holds the client secret. `permission` is the least that the API user needs.
    """

    name: str
    method: str
    path: str
    decode: Callable[[Reply], T_co]
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = field(default=None, repr=False)
    repeat: Repeat = Repeat.SAFE
    authorized: bool = True
    permission: str = ""

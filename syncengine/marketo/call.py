"""A request as a value: what is asked, how its answer is read, how it may be repeated. Nothing here performs it.

So a call can be printed by `plan`, costed before it is spent, written to the journal and tested without a loop.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

from syncengine.marketo.reply import Reply

T_co = TypeVar("T_co", covariant=True)


class Priority(Enum):
    """Who goes first when calls wait for the instance; ageing keeps each from starving."""

    INTERACTIVE = "interactive"
    BACKGROUND = "background"
    PATIENT = "patient"


class Repeat(Enum):
    """What repeating a call whose answer was lost would do."""

    SAFE = "safe"  # reads, and writes that end in the same state
    CREATES = "creates"  # makes another one: harmless (an export job that nobody enqueues) but never silent
    UNSAFE = "unsafe"  # may double rows: only a proven refusal is repeated


class Api(Enum):
    """Whose manners a call has: how it carries the access token, and how its success is told."""

    REST = "rest"  # `Authorization: Bearer`; a JSON envelope that states success, or identity's token
    INGESTION = "ingestion"  # `X-Mkto-User-Token`; status 202 without a body, and a header with the request's id


class Upload(Protocol):
    """A body that is streamed, since it is too large to lie in memory: read anew at each try, and always the same."""

    @property
    def size(self) -> int:
        """The exact number of bytes; it is announced before the first of them."""
        ...

    @property
    def content_type(self) -> str:
        """The media type of the whole body."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """The bytes, opened anew by each call; read in a thread.

        Raises OSError, or an error of ours, when what it reads cannot be read or is not what it was; such an error
        passes through `Client.send` as it is, and the request ends incomplete.
        """
        ...


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """One call of Marketo's API.

    `name` is the endpoint in words of the docs ("leads.export.enqueue"); counters, logs and `plan` use it.
    `path` is absolute, without host. `query` values are text. `json` is sent as the JSON body of a POST, `form` as its
    form, `upload` as a body that is streamed and has a limit of its own; all stay out of `repr`: they hold people's
    data, and identity's form the client secret. `headers` are those that this endpoint demands besides the usual ones.
    `decode` turns the good reply into the call's result without I/O; it raises `reply.Malformed` where that is missing.
    `permission` is the least that the API user needs.
    """

    name: str
    method: str
    path: str
    decode: Callable[[Reply], T_co]
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    upload: Upload | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    repeat: Repeat = Repeat.SAFE
    authorized: bool = True
    permission: str = ""
    api: Api = Api.REST

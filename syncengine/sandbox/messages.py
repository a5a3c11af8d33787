"""What crosses the border of the core: requests, responses, bodies, and damage that a wire inflicts on purpose.

Separate from the instance so that a server and a simulated wire depend on values alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

PIECE_BYTES = 65_536


class Pairs(Protocol):
    """A dict, or a multidict whose keys may repeat."""

    def items(self) -> Iterable[tuple[str, str]]:
        """All pairs, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it arrives; the core reads header names without regard to case."""

    method: str
    path: str
    query: Pairs = field(default_factory=dict[str, str])
    headers: Pairs = field(default_factory=dict[str, str])
    body: bytes = b""


class ReadableFile(Protocol):
    """A finished file that can be read anywhere."""

    def read(self, start: int, end: int) -> bytes:
        """Bytes from `start` up to but not including `end`."""
        ...


@dataclass(frozen=True, slots=True)
class FileBody:
    """Part of an export file, read piece by piece while it is sent."""

    file: ReadableFile
    start: int
    end: int
    export_id: str

    def __len__(self) -> int:
        return self.end - self.start

    def pieces(self, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
        for start in range(self.start, self.end, piece_bytes):
            yield self.file.read(start, min(start + piece_bytes, self.end))


@dataclass(frozen=True, slots=True)
class StreamBody:
    """A body that is made while it is sent; its length is not known before."""

    parts: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; `code` is Marketo's error code, or empty."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | FileBody | StreamBody = b""
    code: str = ""


DamageKind = Literal["drop", "truncate", "reset", "stall", "flip"]


@dataclass(frozen=True, slots=True)
class Damage:
    """What the wire does to an answer on purpose.

    `drop`: close without a byte. `truncate`: end the body cleanly after `at_byte` bytes, without a Content-Length that
    would give it away. `reset`: the connection dies after `at_byte` bytes. `stall`: wait `seconds` after `at_byte`
    bytes, then go on. `flip`: one bit of the body's byte `at_byte` is wrong.
    """

    kind: DamageKind
    at_byte: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Exchange:
    """One call and what becomes of it; `latency_seconds` pass before the headers leave."""

    endpoint: str
    response: Response
    latency_seconds: float = 0.0
    damage: Damage | None = None
    holds_slot: bool = False  # counts against the ten calls in flight until it departs
    is_api_call: bool = True
    has_departed: bool = False
    on_departure: Callable[[], None] | None = None  # what the call leaves to be done when its answer has gone

    @property
    def is_dropped(self) -> bool:
        """The connection closes without an answer."""
        return self.damage is not None and self.damage.kind == "drop"

    @property
    def body_bytes(self) -> int | None:
        """Length of the undamaged body; None when it is made on the way."""
        return None if isinstance(self.response.body, StreamBody) else len(self.response.body)

    def pieces(self, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
        """The body as the wire carries it: cut or flipped by the damage, if any.

        After the last piece of a `reset` the connection dies; a `stall` lies between two pieces.
        """
        damage = self.damage
        sent = 0
        for piece in self._whole(piece_bytes):
            whole = piece
            if damage is not None and sent <= damage.at_byte < sent + len(piece):
                cut = damage.at_byte - sent
                if damage.kind == "flip":
                    whole = piece[:cut] + bytes([piece[cut] ^ 1]) + piece[cut + 1 :]
                elif damage.kind == "stall":
                    yield piece[:cut]
                    whole = piece[cut:]
                else:
                    yield piece[:cut]
                    return
            sent += len(piece)
            yield whole

    def _whole(self, piece_bytes: int) -> Iterator[bytes]:
        body = self.response.body
        if isinstance(body, FileBody):
            yield from body.pieces(piece_bytes)
        elif isinstance(body, StreamBody):
            yield from body.parts
        else:
            for start in range(0, len(body), piece_bytes):
                yield body[start : start + piece_bytes]

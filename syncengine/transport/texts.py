"""Files among answers: told from messages by what they hold, where the content type does not tell."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from syncengine.transport.wire import WireAnswer, WireError


def is_page(answer: WireAnswer) -> bool:
    """Whether an answer is a message of Marketo's, or of a gateway before it, and no file."""
    content_type = answer.headers.get("Content-Type", "")
    return "json" in content_type or "html" in content_type


def is_text(answer: WireAnswer, body: bytes) -> bool:
    """Whether an answer that is called JSON holds a text: Adobe's definitions call every answer so, files included."""
    return "json" in answer.headers.get("Content-Type", "") and bool(body) and body.lstrip()[:1] not in {b"{", b"["}


@dataclass(slots=True)
class WholeAnswer:
    """An answer that has been read already."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    async def read(self, limit: int) -> bytes:
        """The body; raises WireError when it is longer than `limit` bytes."""
        if len(self.body) > limit:
            raise WireError(f"the answer is longer than {limit} bytes", sent=True)
        return self.body

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body in one piece."""
        yield self.body

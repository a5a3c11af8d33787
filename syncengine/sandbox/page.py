"""What an endpoint answers, before it is put into an envelope; separate so that families of endpoints stay apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncengine.sandbox.routes import Call


@dataclass(frozen=True, slots=True)
class Page:
    """The result, None where the key is to be absent, and the keys beside it."""

    result: Sequence[Any] | None
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])


Endpoint = Callable[[Call, float], Page]

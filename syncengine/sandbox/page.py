"""What an endpoint answers, before it is put into an envelope; separate so that families of endpoints stay apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncengine.sandbox.routes import Call


@dataclass(frozen=True, slots=True)
class Page:
    """The result, None where the key is to be absent, and the keys beside it."""

    result: Sequence[Any] | Mapping[str, Any] | None
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])


NOTHING_FOUND = "No assets found for the given search criteria."


def assets_page(shown: Sequence[Any]) -> Page:
    """Assets, or the warning that stands for none."""
    return Page(list(shown) or None, {"errors": [], "warnings": [] if shown else [NOTHING_FOUND]})


Endpoint = Callable[[Call, float], Page]

"""Paging tokens: opaque texts that stand for a date or for a place in a result, and die after a while.

A date-based token is good for every call of the activity family, a position-based one only for the query that gave it.
Adobe names neither their life nor the answer to a bad one.
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/paging-tokens
"""

import base64
import binascii
import hashlib
import json

from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.replies import invalid

SEAL_BYTES = 8


class PagingTokens:
    """Makes tokens and reads them back."""

    def __init__(self, options: SandboxOptions) -> None:
        self._key = hashlib.blake2b(f"paging {options.seed}".encode(), digest_size=32).digest()
        self._life_seconds = options.paging_token_seconds

    def issue(self, scope: str, place: tuple[int, ...], now: float) -> str:
        """A token for a place, good for calls of the same scope."""
        content = json.dumps([int(now), *place], separators=(",", ":")).encode()
        if (len(content) + SEAL_BYTES) % 5 == 0:
            content += b" "  # so that every token ends with =, as Marketo's do, and has to be encoded in a URL
        sealed = self._masked(content) + self._seal(scope, content)
        return base64.b32encode(sealed).decode()

    def read(self, scope: str, text: str, now: float) -> tuple[int, ...]:
        """The place of a token; raises Refusal for one that is not ours, of another scope, or too old."""
        try:
            raw = base64.b32decode(text)
        except (binascii.Error, ValueError):
            raise invalid("Invalid nextPageToken") from None
        content = self._masked(raw[:-SEAL_BYTES])
        if self._seal(scope, content) != raw[-SEAL_BYTES:]:
            raise invalid("Invalid nextPageToken")
        issued, *place = json.loads(content)
        if now >= issued + self._life_seconds:
            raise invalid("nextPageToken is expired")
        return tuple(place)

    def _seal(self, scope: str, content: bytes) -> bytes:
        return hashlib.blake2b(scope.encode() + b"\0" + content, key=self._key, digest_size=SEAL_BYTES).digest()

    def _masked(self, content: bytes) -> bytes:
        mask = hashlib.shake_128(self._key).digest(len(content))
        return bytes(one ^ other for one, other in zip(content, mask, strict=True))

"""Access tokens: one at a time for a client, the same until it expires.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/authentication
"""

import hmac
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from syncengine.sandbox.messages import Response
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.replies import Refusal, json_reply, refusal


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the instant at which it dies."""

    text: str
    expires_at: float


class Tokens:
    """Issues tokens and judges those that calls carry."""

    def __init__(self, options: SandboxOptions) -> None:
        self.issued = 0
        self.user = f"api@{options.name.lower()}.example"
        self._client_id = options.client_id
        self._client_secret = options.client_secret
        self._life_seconds = options.token_seconds
        self._random = random.Random(f"tokens {options.seed}")  # noqa: S311  # repeatable, and guards nothing real
        self._current: Token | None = None
        self._expired: set[str] = set()

    def identify(self, query: Mapping[str, str], form: Mapping[str, str], now: float) -> Response:
        """Answer the identity endpoint; a secret that travelled in the URL is refused."""
        if (form.get("grant_type") or query.get("grant_type")) != "client_credentials":
            return _oauth_error("unsupported_grant_type", "Unsupported grant type", status=400)
        client_id = form.get("client_id") or query.get("client_id") or ""
        if client_id != self._client_id:
            return _oauth_error("invalid_client", f"No client with requested id: {client_id}")
        if "client_secret" in query:
            return _oauth_error("unauthorized", "The client secret belongs in the body of a POST, not in the URL")
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self._client_secret.encode()):
            return _oauth_error("unauthorized", "Bad client credentials")
        token = self._token(now)
        return json_reply(
            {
                "access_token": token.text,
                "token_type": "bearer",
                "expires_in": int(token.expires_at - now),
                "scope": self.user,
            }
        )

    def check(self, authorization: str, now: float) -> Refusal | None:
        """Judge the Authorization header of a call."""
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            return refusal("600")
        token = self._current
        if token is not None and text.strip() == token.text:
            return refusal("602") if now >= token.expires_at else None
        return refusal("602") if text.strip() in self._expired else refusal("601")

    def _token(self, now: float) -> Token:
        token = self._current
        if token is None or now >= token.expires_at:
            if token is not None:
                self._expired.add(token.text)
            text = f"{uuid.UUID(int=self._random.getrandbits(128), version=4)}:sandbox"
            self._current = token = Token(text, now + self._life_seconds)
            self.issued += 1
        return token


def _oauth_error(error: str, description: str, *, status: int = 401) -> Response:
    return json_reply({"error": error, "error_description": description}, status, code=str(status))

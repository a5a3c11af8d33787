"""Who may look, as a plain function of a request's head: the guard in front of everything that the daemon shows.

With a token, whoever asks shows it: as Bearer, or as the password of Basic so that a browser can ask a person for it.
Without one we listen on loopback alone, where every page that a browser has open could ask too: by a name of its own
that it makes lead here. Such a request carries that name as its Host, so only names of this machine are answered.
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import compare_digest
from types import MappingProxyType

from syncengine.config import Secret
from syncengine.config.rules import is_loopback

METHODS = ("GET", "HEAD")
# Whether the daemon lives is no secret, and whoever watches it has no token.
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
_HOST = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer to somebody who may not have what was asked for."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


WRONG_METHOD = Refusal(405, "Only GET and HEAD are answered here.", MappingProxyType({"Allow": ", ".join(METHODS)}))
WITH_BODY = Refusal(413, "A request has no body here.")
STRANGE_HOST = Refusal(403, "This address is answered under a name of this machine only, such as 127.0.0.1.")
NO_TOKEN = Refusal(
    401,
    "Give the token of [service], as a Bearer or as the password of any user.",
    MappingProxyType({"WWW-Authenticate": 'Basic realm="syncengine", charset="UTF-8"'}),
)


def refused(
    token: Secret | None, method: str, path: str, headers: Mapping[str, str], *, has_body: bool = False
) -> Refusal | None:
    """Why a request is not answered, None where it is. `headers` are found by any spelling of their names."""
    if token is None and not is_ours(headers.get("Host", "")):
        return STRANGE_HOST
    if method not in METHODS:
        return WRONG_METHOD
    if has_body:
        return WITH_BODY
    if path not in OPEN_PATHS and not is_known(token, headers):
        return NO_TOKEN
    return None


def is_ours(host: str) -> bool:
    """Whether a Host header names this machine's loopback, by address or as localhost."""
    return bool(_HOST.fullmatch(host)) and is_loopback(f"http://{host}")


def is_known(token: Secret | None, headers: Mapping[str, str]) -> bool:
    """Whether the request shows the token; always, when there is none."""
    if token is None:
        return True
    scheme, _, given = headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            shown = given.strip().encode(errors="surrogateescape")
        case "basic":
            shown = _password(given)
        case _:
            return False
    return compare_digest(shown, token.reveal().encode())


def _password(given: str) -> bytes:
    try:
        return b64decode(given.strip(), validate=True).partition(b":")[2]
    except ValueError:
        return b""

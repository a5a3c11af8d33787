"""Text that may be shown to strangers: known secrets, addresses of people, tokens and credentials taken out of it.

Apart from the events, which never hold any of them: this is for texts that others wrote, and for a report that leaves
the house. It is the last of several precautions, and takes out rather too much.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

HIDDEN = "(hidden)"
# A shorter value stands in too many words by chance.
LENGTH_MIN = 6

RULES: Sequence[tuple[re.Pattern[str], str]] = (
    # A client's, and a user's, place in an address.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@\"']+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (re.compile(r"\bbearer\s+[^\s\"',]+", re.IGNORECASE), f"Bearer {HIDDEN}"),
    (
        re.compile(
            # Looked ahead for once a word, and the word taken whole: a long text must not take time of its own square.
            r"((?:(?<![\w-])(?=[\w-]*?(?:token|secret|password|passwd|credential|signature|client_id))[\w-]++"
            r"|\b(?:sig|authorization))"
            r"[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s&,;}\"']+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # Marketo's tokens are a UUID and where they count; others are three parts of base64.
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}:\w+", re.IGNORECASE), "(token)"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "(token)"),
    (re.compile(r"[^\s@\"'<>()\[\]{},;:=|\\]+@[^\s@\"'<>()\[\]{},;:=|\\/]+\.[\w-]+"), "(e-mail)"),
    # Which subscription it is concerns nobody.
    (re.compile(r"\b(\d{3})-[a-z]{3}-\d{3}\b", re.IGNORECASE), r"\1-***-***"),
)


@dataclass(frozen=True, slots=True)
class Redaction:
    """Takes secrets out of texts: these, in whatever spelling, and what looks like one."""

    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    def text(self, text: str) -> str:
        """The text with nothing in it that is a secret or a person's."""
        for secret in self._spelled():
            text = text.replace(secret, HIDDEN)
        for pattern, instead in RULES:
            text = pattern.sub(instead, text)
        return text

    def value(self, value: Any) -> Any:
        """The same for all texts within a JSON value, names of members included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(item) for name, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        return value

    def _spelled(self) -> list[str]:
        import orjson

        spelled = set()
        for secret in self.secrets:
            if len(secret) >= LENGTH_MIN:
                spelled |= {secret, quote(secret, safe=""), orjson.dumps(secret).decode()[1:-1]}
        return sorted(spelled, key=len, reverse=True)

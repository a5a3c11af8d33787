"""A fault script: rules that break chosen calls on purpose; separate so that the normal path never thinks of faults.

A rule is an object. Which calls: `path` (a shell pattern, default all), `method`, `from` and `until` (Unix seconds of
the sandbox). Which of those: `nth` (1 is the first), `every`, or `probability`; without any, each one. `times` bounds
how often it strikes. The first rule that strikes a call is the only one. What happens, by `action`:

    error        Marketo's envelope with `code` and `message` instead of carrying out the call
    http         HTTP `status` with `body` (default: an HTML page)
    drop_before  the connection closes, the call is not carried out
    drop_after   the connection closes, the call was carried out
    truncate     the body ends cleanly after `bytes`         reset   the connection dies after `bytes` of the body
    stall        `seconds` of silence after `bytes`          flip    one bit of byte `bytes` is wrong
    ignore_range a file request is answered as if it had no Range header
    latency      `seconds` more before the headers
    outcome      a created export ends as `status` (Failed, Canceled, Cancelled) with `message`, after `seconds`;
                 a created import that ends as Failed has imported the rows in the first `bytes` of its file
    forget       a created import is carried out, but its batch id is unknown from then on
    cut          the connection closes when `bytes` of the call's body have come in: Marketo never sees the call
                 (by the HTTP server alone; elsewhere `drop_before` comes to the same)
"""

import fnmatch
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from syncengine.sandbox.messages import Damage

ENVELOPES = frozenset({"error", "http"})
LOSSES = frozenset({"drop_before", "drop_after", "truncate", "reset", "stall", "flip"})
TWISTS = frozenset({"ignore_range", "latency", "outcome", "forget"})
CUT = "cut"
ACTIONS = ENVELOPES | LOSSES | TWISTS | {CUT}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One rule of the script."""

    action: str
    path: str = "*"
    method: str = "*"
    nth: int | None = None
    every: int | None = None
    probability: float | None = None
    times: int | None = None
    from_seconds: float = 0.0
    until_seconds: float = float("inf")
    code: str = "611"
    message: str = ""
    status: Any = None
    body: str = ""
    at_byte: int = 0
    seconds: float | None = None

    def covers(self, method: str, path: str, now: float) -> bool:
        """The rule speaks of this call."""
        return (
            self.from_seconds <= now < self.until_seconds
            and self.method in {"*", method}
            and fnmatch.fnmatchcase(path, self.path)
        )


RENAMED = {"from": "from_seconds", "until": "until_seconds", "bytes": "at_byte"}


def parsed_rule(rule: Mapping[str, Any]) -> FaultRule:
    """A rule from JSON; raises ValueError that names what is wrong."""
    try:
        parsed = FaultRule(**{RENAMED.get(key, key): value for key, value in rule.items()})
    except TypeError as error:
        raise ValueError(f"a fault rule that cannot be read: {error}") from None
    if parsed.action not in ACTIONS:
        raise ValueError(f"unknown fault action {parsed.action!r}; known: {', '.join(sorted(ACTIONS))}")
    return parsed


def damage_of(rule: FaultRule) -> Damage:
    """What the wire does to the answer of a call that was carried out."""
    match rule.action:
        case "truncate" | "reset" | "flip" | "stall":
            return Damage(rule.action, rule.at_byte, rule.seconds or 0.0)
        case _:
            return Damage("drop")


class FaultScript:
    """The rules in force and how often each has been met."""

    def __init__(self, rules: Iterable[Mapping[str, Any]], seed: int) -> None:
        self.rules = [parsed_rule(rule) for rule in rules]
        self._met = [0] * len(self.rules)
        self._struck = [0] * len(self.rules)
        self._random = random.Random(f"faults {seed}")  # noqa: S311  # repeatable, not secret

    def strike(self, method: str, path: str, now: float) -> FaultRule | None:
        """The rule that breaks this call; None for most calls. Every rule counts the calls that it covers."""
        return self._strike(method, path, now, is_cut=False)

    def cut(self, method: str, path: str, now: float) -> int | None:
        """How many bytes of a call's body come in before the connection closes; None for most calls."""
        rule = self._strike(method, path, now, is_cut=True)
        return None if rule is None else rule.at_byte

    def _strike(self, method: str, path: str, now: float, *, is_cut: bool) -> FaultRule | None:
        chosen = None
        for number, rule in enumerate(self.rules):
            if (rule.action == CUT) != is_cut or not rule.covers(method, path, now):
                continue
            self._met[number] += 1
            if chosen is None and self._is_due(number, rule):
                self._struck[number] += 1
                chosen = rule
        return chosen

    def _is_due(self, number: int, rule: FaultRule) -> bool:
        met = self._met[number]
        if rule.times is not None and self._struck[number] >= rule.times:
            return False
        if rule.nth is not None:
            return met == rule.nth
        if rule.every is not None:
            return met % rule.every == 0
        return rule.probability is None or self._random.random() < rule.probability

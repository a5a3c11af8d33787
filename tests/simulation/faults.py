"""The faults of these nights: rules for the sandbox's script, by what they do and on which calls, and at random."""

import random
from typing import Any

Rule = dict[str, Any]

CALLS = {
    "identity": "/identity/*",
    "describe": "*/describe.json",
    "create": "*/create.json",
    "enqueue": "*/enqueue.json",
    "list": "*/export.json",
    "file": "*/file.json",
}

# The three meanings of 1029.
QUEUE_FULL: Rule = {"action": "error", "code": "1029", "message": "Too many jobs (10) in queue"}
NO_MEGABYTES: Rule = {"action": "error", "code": "1029", "message": "Export daily quota 500MB exceeded"}
ALREADY_QUEUED: Rule = {"action": "error", "code": "1029", "message": "Job already queued"}

# What is over after a while: the call is to be sent again, sooner or later.
PASSING: dict[str, Rule] = {
    "window full": {"action": "error", "code": "606"},
    "ten in flight": {"action": "error", "code": "615"},
    "time-out": {"action": "error", "code": "604"},
    "unavailable": {"action": "error", "code": "608"},
    "system error": {"action": "error", "code": "611"},
    "bad gateway in the body": {"action": "error", "code": "502"},
    "bad gateway": {"action": "http", "status": 502},
    "transient error": {"action": "error", "code": "713"},
    "a page of HTML": {"action": "http", "status": 200},
    "cut JSON": {"action": "truncate", "bytes": 20},
    "empty body": {"action": "truncate", "bytes": 0},
    "lost on the way": {"action": "drop_before"},
    "lost on the way back": {"action": "drop_after"},
    "broken answer": {"action": "reset", "bytes": 20},
    "slow": {"action": "latency", "seconds": 90.0},
    "too slow": {"action": "latency", "seconds": 150.0},
}
OF_JOBS_AND_FILES: tuple[Rule, ...] = (
    *({"action": action, "path": CALLS["file"]} for action in ("reset", "truncate", "stall", "flip")),
    {"action": "ignore_range", "path": CALLS["file"]},
    {"action": "http", "status": 404, "path": CALLS["file"]},
    *({"action": "outcome", "status": how, "path": CALLS["create"]} for how in ("Failed", "Canceled", "Cancelled")),
    {"action": "outcome", "status": "Completed", "seconds": 3_000.0, "path": CALLS["create"]},
    *({**QUEUE_FULL, "path": CALLS[call]} for call in ("create", "enqueue")),
)
# These end a run as a rule, so they are rarely drawn: else no other fault would have its turn.
ENDING: tuple[Rule, ...] = (
    *({"action": "error", "code": code} for code in ("601", "602", "607")),
    {**NO_MEGABYTES, "path": CALLS["create"]},
    {**NO_MEGABYTES, "path": CALLS["enqueue"]},
)


def on(call: str, rule: Rule, times: int = 1) -> Rule:
    """A rule that strikes the first calls of one kind."""
    return {**rule, "path": CALLS[call], "times": times}


def drawn(rng: random.Random) -> Rule:
    """One fault at random: what, on which calls, and on how many of them."""
    kinds = (*PASSING.values(), *OF_JOBS_AND_FILES, *OF_JOBS_AND_FILES, *(ENDING if rng.random() < 0.3 else ()))
    rule: Rule = {"path": rng.choice(["*", *CALLS.values()]), **rng.choice(kinds)}
    rule["times"] = rng.choice([1, 1, 1, 2, 3, 6])
    which = rng.choice(["nth", "every", "probability"])
    rule[which] = rng.uniform(0.1, 0.6) if which == "probability" else rng.randint(1, 4)
    if rule["action"] in {"reset", "truncate", "stall", "flip"}:
        rule["bytes"] = rng.choice([0, 1, rng.randrange(1_000), rng.randrange(200_000)])
        rule["seconds"] = rng.choice([5.0, 90.0])
    return rule

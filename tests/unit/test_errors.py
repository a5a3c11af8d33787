"""The tree of errors: each class says what the engine does next, each value what happened."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from syncengine import errors
from syncengine.cli.failures import exit_code_named
from syncengine.errors import (
    AlreadyRunning,
    ConfigError,
    MarketoError,
    QuotaExhausted,
    SyncEngineError,
    Unavailable,
)

CLASSES = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
DRAWN = re.compile(r"^    (?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+)(?P<said>.*)$", re.MULTILINE)
RESUME_AT = datetime(2026, 3, 3, 6, tzinfo=UTC)


def drawn() -> dict[str, str]:
    """Each class that the docstring's tree shows, and the class that it hangs on there."""
    parents, above = {}, list[str]()
    for line in DRAWN.finditer(str(errors.__doc__)):
        depth = len(line["branch"]) // 4
        above[depth:] = [line["name"]]
        parents[line["name"]] = above[depth - 1] if depth else "Exception"
    return parents


def test_the_tree_shows_every_error_where_it_hangs() -> None:
    """The drawing at the module's head is the hierarchy, no class more and none less."""
    assert drawn() == {each.__name__: each.__base__.__name__ for each in CLASSES if each.__base__}


def test_the_tree_tells_the_exit_codes() -> None:
    """The codes that the drawing names are those that the command line ends with."""
    told = {line["name"]: re.search(r"\(exit (\d+)\)", line["said"]) for line in DRAWN.finditer(str(errors.__doc__))}
    codes = {name: int(match[1]) for name, match in told.items() if match}
    assert len(codes) >= 9
    assert codes == {name: exit_code_named(name) for name in codes}


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_says_what_it_means(kind: type[Exception]) -> None:
    """Each class has a sentence of its own."""
    assert kind.__doc__ != (kind.__base__ and kind.__base__.__doc__)
    assert kind.__doc__


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_carries_message_and_advice(kind: type[SyncEngineError]) -> None:
    """The message is what is printed; the advice stands apart and may be empty."""
    needed: dict[type, dict[str, Any]] = {
        QuotaExhausted: {"resume_at": RESUME_AT},
        AlreadyRunning: {"holder": "process 1"},
    }
    more = needed.get(kind, {})
    told, bare = kind("x is y.", advice="Do z.", **more), kind("x is y.", **more)
    assert ("x is y.", "x is y.", "Do z.", "") == (str(told), told.message, told.advice, bare.advice)


def test_marketos_errors_say_where_they_come_from() -> None:
    """Code, request id and call are there for logs and decisions, and out of the message."""
    error = Unavailable("no answer", code="NET_PRE", request_id="r1", call="leads.describe")
    assert ("NET_PRE", "r1", "leads.describe", "no answer") == (error.code, error.request_id, error.call, str(error))
    assert ("", "", "") == (MarketoError("x").code, MarketoError("x").request_id, MarketoError("x").call)


def test_a_spent_budget_knows_its_end() -> None:
    """Whoever catches it can wait for the very instant."""
    error = QuotaExhausted("spent", resume_at=RESUME_AT, code="607", call="leads.describe")
    assert (RESUME_AT, "607", "leads.describe") == (error.resume_at, error.code, error.call)


def test_a_wrong_configuration_lists_all_its_problems() -> None:
    """One sentence each; a fault without a list has none."""
    assert (("a", "b"), ()) == (ConfigError("x", problems=("a", "b")).problems, ConfigError("x").problems)


def test_running_work_names_its_holder() -> None:
    """The process that has the lease can be told and looked for."""
    assert "process 7 on host" == AlreadyRunning("x", holder="process 7 on host").holder


def test_one_clause_catches_all_of_marketos() -> None:
    """What Marketo said is told from what the disk, the destination or another process did."""
    of_marketo = {each.__name__ for each in CLASSES if issubclass(each, MarketoError)}
    assert {name for name, parent in drawn().items() if parent == "MarketoError"} | {"MarketoError"} == of_marketo

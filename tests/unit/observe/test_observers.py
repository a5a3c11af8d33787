"""One observer made of several."""

import logging

import pytest

from syncengine.observe import Observers
from syncengine.observe.events import CallSent, Event, RunStarted


def test_all_are_told_in_order() -> None:
    """Each subscriber hears every event, in the order they were given."""
    heard: list[tuple[str, Event]] = []
    tell = Observers(lambda event: heard.append(("a", event)), lambda event: heard.append(("b", event)))
    tell(CallSent("leads.describe"))
    assert [("a", CallSent("leads.describe")), ("b", CallSent("leads.describe"))] == heard


def test_one_that_fails_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    """A subscriber's exception reaches neither the engine nor the others, and its text is not logged."""
    heard: list[Event] = []
    failures = 0

    def broken(_: Event) -> None:
        nonlocal failures
        failures += 1
        raise OSError("a value of a row")

    tell = Observers(broken, heard.append)
    with caplog.at_level(logging.WARNING):
        tell(RunStarted("1", "sync"))
        tell(RunStarted("2", "sync"))
    assert 1 == failures
    assert [RunStarted("1", "sync"), RunStarted("2", "sync")] == heard
    assert ["an observer failed and is let go: OSError"] == [record.getMessage() for record in caplog.records]

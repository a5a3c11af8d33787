"""Whether Marketo takes chunks at present."""

from datetime import timedelta

import pytest

from syncengine.errors import Unavailable
from syncengine.imports.door import AGAIN, UNREACHABLE_MAX, Door
from syncengine.transport.retry import IMPORT_QUEUE_FULL
from tests.virtual import ORIGIN

FULL = Unavailable("full", code=next(iter(IMPORT_QUEUE_FULL)), call="create")
DEAD = Unavailable("no connection", code="CONNECT", call="create")


def test_an_open_door_is_waited_for_by_nobody() -> None:
    """Nothing is known against it."""
    assert 0.0 == Door().seconds(ORIGIN)


def test_a_closed_door_is_tried_again_after_a_minute() -> None:
    """By whoever comes then; until then nothing is offered."""
    door = Door()
    assert (ORIGIN + AGAIN, "Marketo's queue of imports is full") == door.closed(FULL, ORIGIN)
    waits = [door.seconds(ORIGIN + timedelta(seconds=seconds)) for seconds in (0, 15, 60, 90)]
    assert [60.0, 45.0, 0.0, 0.0] == waits
    door.opened()
    assert 0.0 == door.seconds(ORIGIN)


def test_a_queue_may_be_full_for_any_time() -> None:
    """Others import, too."""
    door = Door()
    for hour in range(100):
        door.closed(FULL, ORIGIN + timedelta(hours=hour))
    assert 60.0 == door.seconds(ORIGIN + timedelta(hours=99))


def test_a_dead_line_is_told_after_a_while() -> None:
    """Counted from its first sign; an answer in between begins the count anew."""
    door = Door()
    assert (ORIGIN + AGAIN, "no connection") == door.closed(DEAD, ORIGIN)
    almost = UNREACHABLE_MAX - timedelta(seconds=1)
    door.closed(DEAD, ORIGIN + almost)
    for answered in (door.opened, lambda: door.closed(FULL, ORIGIN)):
        answered()
        door.closed(DEAD, ORIGIN + UNREACHABLE_MAX)
    with pytest.raises(Unavailable, match="no connection"):
        door.closed(DEAD, ORIGIN + 2 * UNREACHABLE_MAX)

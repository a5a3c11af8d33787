"""From when on the absence of a chunk means anything."""

from datetime import timedelta

import pytest

from syncengine.imports.ambiguity import drained_at
from syncengine.imports.route import Route
from tests.virtual import ORIGIN

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("route", "least", "slowest", "after"),
    [
        (Route.BULK, HOUR, 0.0, HOUR),
        (Route.BULK, HOUR, 1_799.0, HOUR),
        (Route.BULK, HOUR, 1_800.0, HOUR),
        (Route.BULK, HOUR, 3_000.0, timedelta(seconds=6_000)),
        (Route.BULK, timedelta(minutes=1), 45.0, timedelta(seconds=90)),
        (Route.REST, HOUR, 9_999.0, timedelta(seconds=270)),
        (Route.REST, timedelta(0), 0.0, timedelta(seconds=270)),
        (Route.INGESTION, HOUR, 0.0, timedelta(hours=6)),
        (Route.INGESTION, 12 * HOUR, 9_999_999.0, timedelta(hours=6)),
    ],
)
def test_nothing_is_under_way_after_the_bound(route: Route, least: timedelta, slowest: float, after: timedelta) -> None:
    """Twice the slowest job that was seen, never less than the configured time; calls have bounds of their own."""
    assert ORIGIN + after == drained_at(route, ORIGIN, least, slowest)

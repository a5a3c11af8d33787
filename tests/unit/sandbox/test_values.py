"""Tests of typed values and their texts."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.sandbox.values import coerced, parse_instant, truth_converter, utc_formatter, with_offset

INSTANTS = st.integers(0, 4_000_000_000)


@given(INSTANTS)
def test_an_instant_survives_every_way_of_writing_it(instant: int) -> None:
    """UTC and every offset read back as the same second."""
    assert instant == parse_instant(utc_formatter()(instant))
    assert instant == parse_instant(with_offset(instant))
    assert utc_formatter()(instant) == datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_offsets_are_written_in_several_shapes() -> None:
    """Readers have to cope with and without a colon, with Z, and with offsets that are no whole hours."""
    endings = {with_offset(instant)[19:] for instant in range(1_709_287_200, 1_709_287_207)}
    assert endings == {"+0200", "+05:30", "-0800", "Z", "+00:00", "-03:30", "+0000"}


@pytest.mark.parametrize(
    "text", ["2024-03-01T10:00:00", "2024-03-01T10:00:00.000Z", "2024-03-01", "2024-13-01T10:00:00Z", "now", ""]
)
def test_other_dates_are_refused(text: str) -> None:
    """No milliseconds, no missing offset, no bare date."""
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)


@pytest.mark.parametrize(
    ("data_type", "value", "expected"),
    [
        ("string", 12, "12"),
        ("integer", "12", 12),
        ("percent", "12.5", 12.5),
        ("boolean", "Yes", True),
        ("boolean", False, False),
        ("date", "2024-02-29", "2024-02-29"),
        ("datetime", "1970-01-01T00:01:00Z", 60),
        ("score", None, None),
    ],
)
def test_json_values_become_typed(data_type: str, value: Any, expected: Any) -> None:
    """A value takes the type of its field."""
    assert expected == coerced(data_type, value)


@pytest.mark.parametrize(
    ("data_type", "value"), [("integer", "x"), ("boolean", "maybe"), ("date", "2024-02-30"), ("datetime", "soon")]
)
def test_a_value_of_the_wrong_type_is_refused(data_type: str, value: str) -> None:
    """Nothing is guessed."""
    with pytest.raises((ValueError, KeyError)):
        coerced(data_type, value)


def test_truth_writes_datetimes_as_utc_and_leaves_the_rest() -> None:
    """Only datetimes change their shape."""
    assert truth_converter("datetime")([0, None]) == ["1970-01-01T00:00:00Z", None]
    assert truth_converter("integer")([0, None]) == [0, None]

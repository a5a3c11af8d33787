"""Cells as JSON, and whether a value of Marketo's is what a cell said."""

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.imports.values import is_same, json_row, json_value
from tests.unit.imports.table import COLUMNS

TYPES = ["integer", "score", "float", "currency", "boolean", "date", "datetime", "string", "email", "text", "new"]


@pytest.mark.parametrize(
    ("data_type", "cell", "value"),
    [
        ("integer", "17", 17),
        ("integer", " +4 ", 4),
        ("integer", "-3", -3),
        ("integer", "12.0", 12),
        ("integer", "12.5", "12.5"),
        ("integer", "abc", "abc"),
        ("float", "1.5", 1.5),
        ("float", " 2 ", 2.0),
        ("float", "x", "x"),
        ("float", "1e999", "1e999"),
        ("currency", "-.5", -0.5),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("boolean", "maybe", "maybe"),
        ("date", "2026-01-02", "2026-01-02"),
        ("datetime", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("string", "17", "17"),
        ("string", " x ", " x "),
        ("string", " ", " "),
        ("new", "true", "true"),
    ],
)
def test_a_cell_is_a_value_of_its_fields_type(data_type: str, cell: str, value: Any) -> None:
    """What cannot be read by it stays the text that it is, and Marketo says what is wrong."""
    found = json_value(data_type, cell)
    assert (type(value), value) == (type(found), found)


@given(st.sampled_from(TYPES), st.text(max_size=8) | st.floats().map(str) | st.integers().map(str))
def test_only_an_empty_cell_clears_a_field(data_type: str, cell: str) -> None:
    """Null clears: no other cell becomes null, in JSON either, whatever it holds."""
    value = json_value(data_type, cell)
    assert (cell == "") == (value is None)
    assert not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("data_type", TYPES)
def test_an_empty_cell_is_null(data_type: str) -> None:
    """Of whatever type."""
    assert json_value(data_type, "") is None


def test_a_row_is_an_object_in_the_order_of_its_columns() -> None:
    """By the fields' names."""
    row = json_row(COLUMNS, ["a@x", "", "7"])
    assert b'{"email":"a@x","firstName":null,"leadScore":7}' == orjson.dumps(row)


@pytest.mark.parametrize(
    ("data_type", "cell", "value", "same"),
    [
        ("integer", "7", 7, True),
        ("integer", "007", 7, True),
        ("integer", "7.0", 7, True),
        ("integer", "7", "7", True),
        ("integer", "7", 8, False),
        ("integer", "7", "x", False),
        ("float", "1", 1.0, True),
        ("float", "1.0", 1, True),
        ("float", "1.50", "1.5", True),
        ("float", "1.5", 1.25, False),
        ("boolean", "yes", True, True),
        ("boolean", "1", "true", True),
        ("boolean", "F", False, True),
        ("boolean", "false", True, False),
        ("date", "2026-01-02", "2026-01-02", True),
        ("date", " 2026-01-02", "2026-01-02T00:00:00Z", True),
        ("date", "2026-01-02", "2026-01-03", False),
        ("datetime", "2026-01-02T12:00:00+02:00", "2026-01-02T10:00:00Z", True),
        ("datetime", "2026-01-02T10:00:00", "2026-01-02T10:00:00+0000", True),
        ("datetime", "2026-01-02T10:00:00.900Z", "2026-01-02T10:00:00Z", True),
        ("datetime", "2026-01-02", "2026-01-02T00:00:00Z", True),
        ("datetime", "2026-01-02T10:00:00Z", "2026-01-02T10:00:01Z", False),
        ("datetime", "soon", "soon", True),
        ("datetime", "soon", "later", False),
        ("email", "Ann@X.example", "ann@x.EXAMPLE", True),
        ("email", "ann@x.example", "ann@y.example", False),
        ("string", "Ann", "ann", False),
        ("string", " Ann ", "Ann", True),
        ("string", "7", 7, True),
        ("string", "Ann", None, False),
        ("string", "", None, True),
        ("string", "", "", True),
        ("string", "", "x", False),
        ("integer", "", 0, False),
        ("integer", "0", None, False),
    ],
)
def test_a_value_is_what_the_cell_said(data_type: str, cell: str, value: Any, *, same: bool) -> None:
    """However Marketo writes it: numbers by their value, times by their instant, addresses without case."""
    assert same == is_same(data_type, cell, value)


@given(st.sampled_from(TYPES), st.text(max_size=12))
def test_what_was_taken_as_it_is_is_the_same(data_type: str, cell: str) -> None:
    """A cell's own value is never another."""
    assert is_same(data_type, cell, json_value(data_type, cell))


@given(st.sampled_from(TYPES), st.text(max_size=8), st.none() | st.text(max_size=8) | st.integers() | st.booleans())
def test_any_two_can_be_compared(data_type: str, cell: str, value: Any) -> None:
    """Whatever Marketo answers, nothing is raised."""
    assert is_same(data_type, cell, value) in {True, False}

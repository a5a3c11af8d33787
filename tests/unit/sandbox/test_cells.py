"""Tests of what may be written into a field."""

from typing import Any

import pytest

from syncengine.sandbox.cells import BadCell, cell_reader, target
from syncengine.sandbox.values import parse_instant


@pytest.mark.parametrize(
    ("data_type", "given", "expected"),
    [
        ("string", "a", "a"),
        ("string", "", None),
        ("string", 12, "12"),
        ("string", True, "true"),
        ("text", " ", " "),
        ("integer", "-12", -12),
        ("integer", 12.0, 12),
        ("score", "+7", 7),
        ("float", "1e-05", 1e-05),
        ("currency", ".5", 0.5),
        ("percent", 3, 3.0),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("boolean", False, False),
        ("date", "2024-02-29", "2024-02-29"),
        ("datetime", "2024-02-29T10:00:00+02:00", parse_instant("2024-02-29T08:00:00Z")),
        ("datetime", None, None),
    ],
)
def test_values_are_read_by_type(data_type: str, given: Any, expected: Any) -> None:
    """A text or a JSON value becomes the value of the field; nothing is null."""
    assert cell_reader(target("x", "X", data_type))(given) == expected


@pytest.mark.parametrize(
    ("data_type", "given"),
    [
        ("integer", "12.5"),
        ("integer", "2147483648"),
        ("integer", "\u0661a"),
        ("integer", True),
        ("integer", 1.5),
        ("float", "nan"),
        ("float", "1e999"),
        ("float", "1,5"),
        ("boolean", "maybe"),
        ("boolean", 2),
        ("date", "29.02.2024"),
        ("date", "2023-02-29"),
        ("datetime", "2024-02-29 10:00:00"),
        ("datetime", "2024-02-29T10:00:00"),
        ("datetime", 1_700_000_000),
        ("string", ["a"]),
    ],
)
def test_values_of_another_type_are_refused(data_type: str, given: Any) -> None:
    """The reason names the field as people know it."""
    with pytest.raises(BadCell, match=r"^Invalid data type in field Lead Score$"):
        cell_reader(target("leadScore", "Lead Score", data_type))(given)


def test_lengths_and_addresses_are_held_to() -> None:
    """A length is counted in characters; the e-mail address alone is ASCII."""
    read = cell_reader(target("city", "City", "string"))
    assert read("\u00e9" * 255) == "\u00e9" * 255
    with pytest.raises(BadCell, match="Value too long in field City"):
        read("x" * 256)
    assert cell_reader(target("secondEmail", "Second", "email"))("\u00e9@x.de") == "\u00e9@x.de"
    with pytest.raises(BadCell, match="Invalid characters in field Email Address"):
        cell_reader(target("email", "Email Address", "email"))("\u00e9@x.de")
    assert cell_reader(target("code", "Code", "string", 300))("x" * 300) == "x" * 300

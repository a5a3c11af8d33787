"""Keys: one for a value however it is spelled, and never one for two."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syncengine.imports.checks import BLANKS, key_text, key_texts
from syncengine.imports.header import Column


def texts(*cells: str) -> pa.StringArray:
    array: pa.StringArray = pa.array(cells, pa.string())
    return array


def whole_number(value: int) -> list[str]:
    signs = ["-"] if value < 0 else ["", "+"] if value else ["", "+", "-"]
    return [
        f"{sign}{zeros}{abs(value)}{end}"
        for sign in signs
        for zeros in ("", "0", "000")
        for end in ("", ".", ".0", ".00")
    ]


def number(value: float) -> list[str]:
    return [repr(value), f"{value:.17e}", repr(value) if repr(value).startswith("-") else f"+{value!r}"]


def truth(value: bool) -> list[str]:
    return ["true", "YES", "T", "y", "1"] if value else ["False", "no", "f", "N", "0"]


def day(value: date) -> list[str]:
    return [str(value), f"{value}T00:00:00Z"]


def instant(value: datetime) -> list[str]:
    zones = [timezone(timedelta(hours=hours)) for hours in (-12, -1, 0, 14)]
    return [value.astimezone(zone).isoformat() for zone in zones]


TEXTS = st.text("A\u00a0\x1f", max_size=2) | st.text(
    st.characters(exclude_characters=BLANKS, exclude_categories=["Cs"])
)
START = datetime(2000, 1, 2, tzinfo=UTC)
# For a type its values, and how one of them may be spelled.
SPELLINGS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], Sequence[str]]]] = {
    "integer": (st.integers(-2, 2) | st.integers(-(10**9), 10**9), whole_number),
    "float": (st.sampled_from([0.0, -0.0, 0.1, 1.0]) | st.floats(-1e9, 1e9, allow_nan=False), number),
    "boolean": (st.booleans(), truth),
    "date": (st.dates(date(2000, 1, 1), date(2000, 1, 9)), day),
    "datetime": (
        st.integers(0, 99).map(lambda hours: START + timedelta(hours=hours)),
        instant,
    ),
    "email": (st.text("abc@", min_size=1, max_size=2), lambda text: [text, text.upper()]),
    "string": (TEXTS, lambda text: [text]),
}


@pytest.mark.parametrize("data_type", SPELLINGS)
@settings(deadline=None)
@given(st.data())
def test_a_key_is_one_exactly_where_its_value_is(data_type: str, data: Any) -> None:
    """However it is spelled, and with whatever blanks around it; two values are never one key."""
    blanks = st.sampled_from(["", " ", "\t", " \r\n"])
    values, spellings = SPELLINGS[data_type]
    first = data.draw(values)
    second = data.draw(st.just(first) | values)
    spelled = [data.draw(st.sampled_from(spellings(value))) for value in (first, second)]
    cells = [f"{data.draw(blanks)}{text}{data.draw(blanks)}" for text in spelled]
    one, other = key_text(Column("k", data_type, None, 0, is_key=True), texts(*cells)).to_pylist()
    assert (first == second) == (one == other), cells


PAIRS = st.tuples(*[st.text(st.sampled_from("a1: \x1f"), max_size=4).map(str.strip)] * 2)


@settings(deadline=None)
@given(st.lists(PAIRS, min_size=2, max_size=2))
@example([("a", "b\x1fc"), ("a\x1fb", "c")])
@example([("", "1:a"), ("0: 1:a", "")])
def test_keys_of_several_columns_never_meet(pairs: list[tuple[str, str]]) -> None:
    """Whatever their cells hold, no two lists of values make one text."""
    columns = [Column(name, "string", None, 0, is_key=True) for name in ("a", "b")]
    one, other = key_texts(columns, [texts(*column) for column in zip(*pairs, strict=True)]).to_pylist()
    assert (pairs[0] == pairs[1]) == (one == other)

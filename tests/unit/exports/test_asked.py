"""Keys in columns: what is united, what can be asked for, and what is told about the rest."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.exports.asked import askable, keys_of, united

TEXTS = st.text(max_size=4)


@given(parts=st.lists(st.lists(st.integers(0, 9)), min_size=1, max_size=4))
def test_what_several_streams_have_is_asked_for_once(parts: list[list[int]]) -> None:
    """Every value of every part, each once, in order."""
    expected = sorted({value for part in parts for value in part})
    assert expected == united([pa.array(part, pa.int64()) for part in parts]).to_pylist()


@pytest.mark.parametrize("parts", [[["b", "a"], []], [[], ["b", "a"]], [["b"], [], ["a", "b"]]])
def test_a_stream_without_values_has_no_type_either(parts: list[list[str]]) -> None:
    """A destination that lacks the table gives an empty column of numbers, whatever the key's type."""
    columns = [pa.array(part, pa.string()) if part else pa.array([], pa.int64()) for part in parts]
    assert ["a", "b"] == united(columns).to_pylist()
    assert [] == united([pa.array([], pa.int64())]).to_pylist()


def test_one_key_in_two_types_is_one_key() -> None:
    """A number here and a text there: what a call carries is text."""
    parts: list[pa.Array[Any]] = [pa.array([7, 12]), pa.array(["7", "b"]), pa.array(["c"], pa.large_string())]
    assert ["12", "7", "b", "c"] == united(parts).to_pylist()


@given(keys=st.lists(st.one_of(TEXTS, st.sampled_from(["a,b", ",", " ", "", "\u3000", "\t", "x y"]))))
def test_what_no_call_can_carry_is_left_out_and_counted(keys: list[str]) -> None:
    """Those with a comma, which separates keys; blank ones are no keys, and the others stay as they are, in order."""
    good, notes = askable(pa.array(keys, pa.string()))
    expected = [key for key in keys if key.strip() and "," not in key]
    assert expected == good.to_pylist()
    lost = sum("," in key for key in keys)
    assert ((f"{lost} of the keys hold a comma and cannot be asked for",) if lost else ()) == notes


@pytest.mark.parametrize(("values", "texts"), [([3, 12_345_678_901], ["3", "12345678901"]), ([], [])])
def test_numbers_are_asked_for_by_their_digits(values: list[Any], texts: list[str]) -> None:
    """However large: no separators, no exponent."""
    assert (texts, ()) == ((found := askable(pa.array(values, pa.int64())))[0].to_pylist(), found[1])
    assert texts == keys_of(values).to_pylist()

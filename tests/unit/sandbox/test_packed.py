"""Tests of rows that are kept small."""

from syncengine.sandbox.packed import PackedRows


def test_a_row_comes_back_as_it_was_given() -> None:
    """Every kind of value survives, and nothing is added."""
    rows = PackedRows()
    rows.put(7, ("a", "b", "c", "d"), ["\u00e9\x00\u2028", 12, 0.1, None])
    rows.put(9, ("b",), [True])
    assert rows.get(7) == {"a": "\u00e9\x00\u2028", "b": 12, "c": 0.1, "d": None}
    assert rows.get(9) == {"b": True}
    assert (8 in rows, len(rows), rows.rows()) == (False, 2, [7, 9])


def test_values_are_laid_over_a_row() -> None:
    """What an update names is new, the rest stays."""
    rows = PackedRows()
    rows.put(1, ("a", "b"), ["x", "y"])
    rows.update(1, {"b": None, "c": 3})
    assert rows.get(1) == {"a": "x", "b": None, "c": 3}

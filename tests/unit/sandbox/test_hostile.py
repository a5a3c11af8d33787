"""Tests of the hostile texts."""

import pytest

from syncengine.sandbox.hostile import HOSTILE_TEXTS, LONG_TEXT_CHARACTERS, long_text


@pytest.mark.parametrize(
    "part", ["null", ",", '"', "\n", "\r\n", "\r", "\u2028", "\u0085", "\x0b", "\x0c", "\U0001f680", "\u0301", "="]
)
def test_what_breaks_careless_readers_is_there(part: str) -> None:
    """Each trap is in some text."""
    assert any(part in text for text in HOSTILE_TEXTS)


def test_texts_fit_a_string_field_and_can_be_encoded() -> None:
    """At most 255 characters, no NUL, no lone surrogate, no text twice."""
    assert len(set(HOSTILE_TEXTS)) == len(HOSTILE_TEXTS)
    assert all(len(text) <= 255 and "\0" not in text and text.encode() for text in HOSTILE_TEXTS if text)


def test_a_long_text_is_longer_than_the_csv_modules_limit() -> None:
    """Every row's long text exceeds 131,072 characters and differs from the next one's."""
    assert all(len(long_text(index)) >= LONG_TEXT_CHARACTERS for index in (0, 7, 10_000_000))
    assert long_text(1) != long_text(2)

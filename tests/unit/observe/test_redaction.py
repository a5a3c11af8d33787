"""Texts that leave the house: secrets, people and subscriptions taken out, everything else as it was."""

from urllib.parse import quote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.observe.redaction import HIDDEN, LENGTH_MIN, Redaction

TOKEN = "cdf01657-110d-4155-99a7-f986b2ff13a0:int"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://bob:pa55@db.example/x failed", "postgresql://(hidden)@db.example/x failed"),
        ("Authorization: Bearer abc.def-1", "Authorization: (hidden) (hidden)"),
        ("sent bearer abc.def-1 to it", "sent Bearer (hidden) to it"),
        (f"got {TOKEN} back", "got (token) back"),
        ("/identity?client_id=ab&client_secret=cd&x=1", "/identity?client_id=(hidden)&client_secret=(hidden)&x=1"),
        ('{"access_token":"abc","expires_in":1}', '{"access_token":(hidden),"expires_in":1}'),
        ("aws_secret_access_key = 'abc'", "aws_secret_access_key = (hidden)"),
        ("row of ada.l+x@mail.example.org: bad", "row of (e-mail): bad"),
        ("https://123-ABC-456.mktorest.com/rest", "https://123-***-***.mktorest.com/rest"),
        ("eyJhbGciOi.eyJzdWIi.sig", "(token)"),
        ("window 7f3a.4 of leads: 606, 12 rows", "window 7f3a.4 of leads: 606, 12 rows"),
        ("export 6f1b2c3d-0000-4155-99a7-f986b2ff13a0", "export 6f1b2c3d-0000-4155-99a7-f986b2ff13a0"),
        ("2026-11-28T17:36:58Z sync done", "2026-11-28T17:36:58Z sync done"),
    ],
)
def test_what_looks_like_a_secret_or_a_person_is_taken_out(text: str, shown: str) -> None:
    """By its look alone, and nothing else is changed."""
    assert shown == Redaction().text(text)


@given(st.text(alphabet="ABC019 \"\\'@:/%&\n\u00e9", min_size=LENGTH_MIN))
def test_a_known_secret_is_never_shown(secret: str) -> None:
    """Whatever it is made of: as it is, escaped as JSON has it, or quoted as an address has it."""
    redaction = Redaction(frozenset({secret}))
    for spelled in (secret, orjson.dumps(secret).decode()[1:-1], quote(secret, safe="")):
        shown = redaction.text(f"x{spelled}y")
        assert HIDDEN in shown
        assert spelled not in shown


def test_every_text_of_a_value_is_gone_over() -> None:
    """Names of members and lists within lists too; numbers stay."""
    redaction = Redaction(frozenset({"canary-1"}))
    value = {"canary-1": [{"a": ("x canary-1", 7)}, None, True]}
    assert {HIDDEN: [{"a": [f"x {HIDDEN}", 7]}, None, True]} == redaction.value(value)


def test_a_short_secret_spoils_no_text() -> None:
    """It would stand in too many words by chance; whoever shows secrets by name hides it there."""
    assert "idle in the window" == Redaction(frozenset({"id", "in"})).text("idle in the window")


def test_a_redaction_does_not_tell_its_secrets() -> None:
    """Nor does its repr, which may stand in a traceback."""
    assert "canary-1" not in repr(Redaction(frozenset({"canary-1"})))

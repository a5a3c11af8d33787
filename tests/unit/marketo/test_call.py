"""A call as a value."""

from dataclasses import replace

from syncengine.marketo.endpoints.identity import token
from syncengine.marketo.multipart import form_file


def test_a_printed_call_keeps_its_form_to_itself() -> None:
    """A call can be logged whole: the client secret is not in it."""
    call = token("id-canary", "secret-canary")
    assert "canary" not in repr(call)
    assert call.form == {
        "grant_type": "client_credentials",
        "client_id": "id-canary",
        "client_secret": "secret-canary",
    }


def test_a_printed_call_keeps_its_bodies_to_itself() -> None:
    """Neither rows nor a file's name is in it."""
    upload = form_file(6, "0" * 64, lambda: iter([b"canary"]), filename="canary.csv")
    call = replace(token("a", "b"), upload=upload, json={"email": "canary"})
    assert "canary" not in repr(call)

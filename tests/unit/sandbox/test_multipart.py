"""Tests of reading the body of an import call."""

import pytest

from syncengine.sandbox.multipart import file_part
from syncengine.sandbox.replies import Refusal

TYPE = "multipart/form-data; boundary=b1"
HEAD = b'Content-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv'
GOOD = b"--b1\r\n" + HEAD + b"\r\n\r\nx\r\n--b1--"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (TYPE, GOOD),
        (TYPE, GOOD + b"\r\n"),
        ('Multipart/Form-Data; Boundary="b1"', GOOD),
        (TYPE, GOOD.replace(b'"file"', b"file").replace(b"Content-D", b"CONTENT-D")),
    ],
)
def test_a_well_formed_body_is_taken(content_type: str, body: bytes) -> None:
    """The content is between the blank line and the boundary, byte for byte."""
    assert file_part(content_type, body) == b"x"


def test_the_content_is_kept_to_the_byte() -> None:
    """Line ends at its edges and things like boundaries belong to it."""
    content = b"\r\n--b\r\n--b2\r\n--\r\n\x00\xff\r\n"
    assert file_part(TYPE, GOOD.replace(b"\r\nx\r\n", b"\r\n" + content + b"\r\n")) == content
    assert file_part(TYPE, GOOD.replace(b"\r\nx\r\n", b"\r\n\r\n")) == b""


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("text/csv", GOOD, "612"),
        ("", GOOD, "612"),
        ("multipart/form-data", GOOD, "613"),
        ("multipart/form-data; boundary=", GOOD, "613"),
        ("multipart/form-data; boundary=b2", GOOD, "613"),
        ("multipart/form-data; boundary=b1; boundary=b1", GOOD, "613"),
        (TYPE, b"", "613"),
        (TYPE, GOOD[:-2], "613"),
        (TYPE, GOOD[:-8], "613"),
        (TYPE, b"preamble\r\n" + GOOD, "613"),
        (TYPE, GOOD + b"\r\nepilogue", "613"),
        (TYPE, GOOD.replace(b"\r\n", b"\n"), "613"),
        (TYPE, GOOD[:-2] + GOOD[4:], "613"),
        (TYPE, GOOD.replace(b'"file"', b'"data"'), "613"),
        (TYPE, GOOD.replace(b'; filename="a.csv"', b""), "613"),
        (TYPE, GOOD.replace(b"form-data;", b"attachment;"), "613"),
        (TYPE, GOOD.replace(b"Content-Type: text/csv", b"no header"), "613"),
    ],
)
def test_anything_else_is_refused(content_type: str, body: bytes, code: str) -> None:
    """A mistake of the client's is not passed over."""
    with pytest.raises(Refusal) as caught:
        file_part(content_type, body)
    assert caught.value.code == code

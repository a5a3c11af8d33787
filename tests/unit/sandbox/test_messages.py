"""Tests of bodies on a damaged wire."""

from hypothesis import given
from hypothesis import strategies as st

from syncengine.sandbox.files import MemoryFile
from syncengine.sandbox.messages import Damage, DamageKind, Exchange, FileBody, Response, StreamBody


def carried(content: bytes, damage: Damage | None, piece_bytes: int) -> list[bytes]:
    """The pieces of a file body."""
    body = FileBody(MemoryFile(content), 0, len(content), "job")
    return list(Exchange("file", Response(body=body), damage=damage).pieces(piece_bytes))


@given(st.binary(max_size=200), st.integers(1, 50))
def test_an_undamaged_body_arrives_whole(content: bytes, piece_bytes: int) -> None:
    """Pieces join to the content and none is larger than asked."""
    pieces = carried(content, None, piece_bytes)
    assert b"".join(pieces) == content
    assert all(0 < len(piece) <= piece_bytes for piece in pieces)


@given(st.binary(min_size=1, max_size=200), st.integers(0, 250), st.integers(1, 50))
def test_damage_is_done_at_its_byte(content: bytes, at_byte: int, piece_bytes: int) -> None:
    """A cut leaves exactly the bytes before it, a flip changes one bit, a stall changes nothing but the pieces."""
    expected: dict[DamageKind, bytes] = {
        "truncate": content[:at_byte],
        "reset": content[:at_byte],
        "stall": content,
        "flip": content
        if at_byte >= len(content)
        else content[:at_byte] + bytes([content[at_byte] ^ 1]) + content[at_byte + 1 :],
    }
    for kind, whole in expected.items():
        assert whole == b"".join(carried(content, Damage(kind, at_byte), piece_bytes))


def test_a_stall_lies_between_two_pieces() -> None:
    """A server can wait exactly after the byte that the rule names."""
    assert carried(b"abcdefgh", Damage("stall", 6, 1.0), 4) == [b"abcd", b"ef", b"gh"]


def test_only_a_body_that_is_made_on_the_way_has_no_length() -> None:
    """Bytes and files are announced with their length."""
    assert Exchange("a", Response(body=b"abc")).body_bytes == 3
    assert Exchange("a", Response(body=StreamBody([b"a"]))).body_bytes is None

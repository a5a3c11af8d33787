"""A file in a form: two parsers that know nothing of ours read it back to the very bytes."""

import email
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from email.message import Message
from typing import Any

import pytest
from aiohttp import BodyPartReader, web
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syncengine.clock import SystemClock
from syncengine.marketo.call import Upload
from syncengine.marketo.multipart import FormFile, form_file, overhead
from syncengine.transport.upload import Outgoing
from syncengine.transport.wire import HttpWire, WireRequest

HOSTILE = [
    b"",
    b"email\r\na@example.com\r\n",
    b"email\n\xff\xfe\x00\x1a\x85\xe2\x80\xa8",
    b"\r\n--\r\n----\r\n--boundary--\r\n",
    b"\r\n",
    b"--",
    b'Content-Disposition: form-data; name="file"\r\n\r\n',
    bytes(range(256)) * 3_900,
]
NAMES = [
    "people.csv",
    "",
    'a"; name="format',
    "a\r\nX-Evil: 1",
    "na\\me.csv",
    "名前.csv",
    "a%22.csv",
    "x" * 500 + ".csv",
]


def form(file: bytes, filename: str = "people.csv", step: int = 65_536) -> FormFile:
    """A body for these bytes, which come in steps."""

    def content() -> Iterator[bytes]:
        yield from (file[at : at + step] for at in range(0, len(file), step))

    return form_file(len(file), hashlib.sha256(file).hexdigest(), content, filename=filename)


@asynccontextmanager
async def serving(handler: Callable[[web.BaseRequest], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """The address of a server whose handler reads the request's body itself."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def parsed(upload: Upload) -> list[Message]:
    """The parts of a body as the standard library's mail parser sees them."""
    head = f"MIME-Version: 1.0\r\nContent-Type: {upload.content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + b"".join(upload.pieces()))
    assert ("multipart/form-data", True) == (message.get_content_type(), message.is_multipart())
    parts = message.get_payload()
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, Message)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_server_reads_the_very_bytes_back(file: bytes, name: str) -> None:
    """aiohttp's server finds one part `file` with a name of ours, and in it every byte, after a known length."""
    found = []

    async def read(request: web.BaseRequest) -> web.Response:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            found.append((part.name, part.filename, part.headers.get("Content-Type"), bytes(await part.read())))
        return web.Response()

    upload = form(file, name)
    async with serving(read) as base_url, HttpWire(base_url, SystemClock(), user_agent="test") as wire:
        headers = {"Content-Type": upload.content_type}
        request = WireRequest("POST", "/", headers, upload=Outgoing(upload))
        async with wire.send(request) as answer:
            assert 200 == answer.status

    assert [("file", upload.filename, "text/csv", file)] == found


@pytest.mark.parametrize("step", [1, 7, 65_536])
@pytest.mark.parametrize("file", HOSTILE[:-1], ids=range(len(HOSTILE) - 1))
def test_python_multipart_reads_the_very_bytes_back(file: bytes, step: int) -> None:
    """The parser of Starlette and FastAPI finds the same part, however the body is cut on the way."""
    parser = pytest.importorskip("python_multipart")
    upload = form(file)
    found = []

    def take(part: Any) -> None:
        part.file_object.seek(0)
        found.append((part.field_name, part.file_name, part.content_type, part.file_object.read()))

    reading = parser.create_form_parser({"Content-Type": upload.content_type.encode()}, None, take)
    body = b"".join(upload.pieces())
    for at in range(0, len(body), step):
        reading.write(body[at : at + step])
    reading.finalize()

    assert [(b"file", b"people.csv", "text/csv", file)] == found


@pytest.mark.parametrize("name", NAMES)
def test_a_name_cannot_break_out_of_its_quotes(name: str) -> None:
    """Whatever a file is called, the header has one name and one filename, in letters that all parsers read alike."""
    upload = form(b"email\n", name)
    (part,) = parsed(upload)

    assert ("file", upload.filename) == (part.get_param("name", header="content-disposition"), part.get_filename())
    assert ["Content-Disposition", "Content-Type"] == part.keys()
    assert 0 < len(upload.filename) <= 100
    assert upload.filename.isascii()


# The mail parser reads lines and mends some of them: it is asked only about bytes that it leaves alone.
@settings(max_examples=200)
@given(st.text(alphabet='ab,"-\n', max_size=300).map(str.encode))
@example(b"email\n\n")
def test_a_mail_parser_reads_the_very_bytes_back(file: bytes) -> None:
    """One part, and all of the file in it."""
    (part,) = parsed(form(file))

    assert file == part.get_payload(decode=True)


@given(st.binary(max_size=2_000), st.integers(1, 700))
def test_a_body_is_a_function_of_its_file(file: bytes, step: int) -> None:
    """However the file is read and however often, the body is the same, as long as announced, and the file is in it."""
    upload, again = form(file), form(file, step=step)
    body = b"".join(upload.pieces())

    assert [body] * 3 == [b"".join(each.pieces()) for each in (upload, again, again)]
    assert (upload.size, overhead("people.csv") + len(file)) == (len(body), len(body))
    assert upload.head + file + upload.tail == body
    assert 2 == (b"\r\n" + body).count(upload.delimiter)


def test_boundaries_differ_between_files_and_stay_within_the_rules() -> None:
    """At most 70 letters that need no quotes, and another for every file."""
    boundaries = {form(bytes([number])).boundary for number in range(100)}

    assert 100 == len(boundaries)
    assert {(70, True)} == {(len(boundary), boundary.isalnum()) for boundary in boundaries}


@pytest.mark.parametrize("sha256", ["", "0" * 63, "g" * 64, "A" * 64, "0" * 64 + "\n"])
def test_what_is_no_hash_makes_no_boundary(sha256: str) -> None:
    """A boundary that is not the file's own could stand in the file."""
    with pytest.raises(ValueError, match="64 lower-case hex"):
        form_file(1, sha256, lambda: iter([b"x"]), filename="x.csv")


def test_a_printed_body_shows_no_content() -> None:
    """Sizes and names can be logged, people cannot."""
    assert "canary" not in repr(form(b"canary"))
    with pytest.raises(ValueError, match="-1 bytes"):
        form_file(-1, "0" * 64, lambda: iter(()), filename="x.csv")

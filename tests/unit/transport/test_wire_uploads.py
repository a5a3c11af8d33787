"""An upload over real connections that are cut, answered early, or left idle: can the server have seen all of it?"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from syncengine.clock import SystemClock
from syncengine.transport.upload import PIECE_BYTES, Outgoing
from syncengine.transport.wire import READ_SECONDS, HttpWire, WireError, WireRequest
from tests.conftest import LocalhostTls, pass_seconds, real_but_ahead
from tests.unit.transport.test_upload import Source

pytestmark = pytest.mark.usefixtures("no_proxy")

# More than the socket buffers of both sides hold, so that a server that does not read is felt.
BODY = [bytes([number]) * PIECE_BYTES for number in range(64)]
SIZE = sum(map(len, BODY))
REFUSED = b"HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\n\r\nrefused"
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


@dataclass
class Server:
    """What a server got, of the one body that it was sent."""

    base_url: str = ""
    head: bytes = b""
    body: bytearray = field(default_factory=bytearray)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, reader: asyncio.StreamReader, size: int) -> None:
        """Take so many bytes of the body, or what comes of them."""
        while len(self.body) < size and (piece := await reader.read(min(65_536, size - len(self.body)))):
            self.body += piece


Act = Callable[[Server, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(act: Act, tls: LocalhostTls | None = None) -> AsyncIterator[Server]:
    """A server that reads a request's headers and then does as `act` does."""
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        me = asyncio.current_task()
        assert me is not None
        tasks.add(me)
        server.connections += 1
        try:
            with suppress(ConnectionError):
                server.head = await reader.readuntil(b"\r\n\r\n")
                await act(server, reader, writer)
                await writer.drain()
        finally:
            server.left.set()
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls.context if tls else None)
    port = listening.sockets[0].getsockname()[1]
    server.base_url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def exchange(server: Server, source: Source, ca_file: str | None = None) -> tuple[int, bytes]:
    """Send a body over a wire of its own, and give the answer."""
    request = WireRequest("POST", "/bulk/v1/leads.json", {"Content-Type": "text/csv"}, upload=Outgoing(source))
    wire = HttpWire(server.base_url, SystemClock(), user_agent="test", ca_file=ca_file)
    async with wire, wire.send(request) as answer:
        return answer.status, await answer.read(1_000)


async def broken(server: Server, source: Source, ca_file: str | None = None) -> tuple[bool, bool]:
    """Whether the server may have seen all, and whether a part, when an exchange breaks."""
    with pytest.raises(WireError) as caught:
        await exchange(server, source, ca_file)
    assert [] == [word for word in ("127.0.0.1", "leads.json") if word in str(caught.value)]
    return caught.value.sent, caught.value.begun


async def answer_all(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server.read(reader, SIZE)
    writer.write(FINE)


def cut_after(size: int, how: str) -> Act:
    """A server that reads so many bytes and then hangs up, by a reset or in order."""

    async def act(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read(reader, size)
        if how == "reset":
            writer.transport.abort()

    return act


async def test_an_upload_arrives_whole_with_its_length_and_nothing_packed() -> None:
    """The length stands in the headers, nothing is chunked or compressed, and the source is closed."""
    source = Source(list(BODY))
    async with serving(answer_all) as server:
        assert (200, b"fine") == await exchange(server, source)

    assert b"".join(BODY) == server.body
    assert f"content-length: {SIZE}".encode() in server.head.lower()
    assert [] == [
        name for name in (b"transfer-encoding", b"content-encoding", b"expect") if name in server.head.lower()
    ]
    assert (1, 1) == (source.opened, source.closed)


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, SIZE // 2])
async def test_a_body_that_is_cut_is_proven_not_to_be_accepted(size: int, how: str) -> None:
    """The connection breaks while most of the body is still here: the server cannot have seen the whole."""
    source = Source(list(BODY))
    async with serving(cut_after(size, how)) as server:
        assert (False, True) == await broken(server, source)

    assert 1 == server.connections
    assert source.opened == source.closed


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_a_break_after_the_body_leaves_open_what_happened(how: str) -> None:
    """The server has every byte and gives no answer: it may have accepted."""
    async with serving(cut_after(SIZE, how)) as server:
        assert (True, True) == await broken(server, Source(list(BODY)))

    assert (SIZE, 1) == (len(server.body), server.connections)


async def test_a_break_with_the_last_piece_under_way_counts_as_sent() -> None:
    """A small body may have arrived although the server read none of it: the careful answer is the one given."""
    async with serving(cut_after(0, "reset")) as server:
        assert (True, True) == await broken(server, Source([b"email\n", b"a@example.com\n"]))


@pytest.mark.parametrize("parts", [BODY[:-1], [*BODY, b"x"], [*BODY[:-1], BODY[-1][1:]]], ids=["early", "long", "byte"])
async def test_a_body_of_another_length_is_never_seen_whole(parts: list[bytes]) -> None:
    """Ending early or going on too long, the request stays incomplete over there."""
    async with serving(answer_all) as server:
        assert (False, True) == await broken(server, Source(list(parts), announced=SIZE))
        await server.left.wait()

    assert len(server.body) < SIZE


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), ValueError("the file has changed")])
async def test_what_the_source_raises_passes_through(error: Exception) -> None:
    """A file that cannot be read is no fault of the network: its own error comes out, and the request is incomplete."""
    async with serving(answer_all) as server:
        with pytest.raises(type(error)) as caught:
            await exchange(server, Source([*BODY, error], announced=SIZE))
        await server.left.wait()

    assert error is caught.value
    assert len(server.body) < SIZE


@pytest.mark.parametrize("read", [0, PIECE_BYTES])
@pytest.mark.parametrize("ends", ["stays", "closes", "resets"])
async def test_an_answer_that_comes_early_is_read(read: int, ends: str) -> None:
    """Refused while we are still sending: the refusal is what comes out, no broken pipe, and the sending stops."""

    async def refuse(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read(reader, read)
        writer.write(REFUSED)
        await writer.drain()
        if ends == "resets":
            writer.transport.abort()
        elif ends == "stays":
            await server.read(reader, SIZE)

    source = Source(list(BODY))
    async with serving(refuse) as server:
        assert (413, b"refused") == await exchange(server, source)
        await server.left.wait()

    assert len(server.body) < SIZE
    assert (1, 1) == (source.opened, source.closed)


async def test_what_is_known_is_the_same_behind_tls(localhost_tls: LocalhostTls) -> None:
    """Whole, cut, unanswered and refused early: encryption changes no answer to the one question."""

    async def refuse(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(REFUSED)
        await writer.drain()
        await server.read(reader, SIZE)

    ca_file = localhost_tls.ca_file
    async with serving(answer_all, localhost_tls) as server:
        assert (200, b"fine") == await exchange(server, Source(BODY), ca_file)
        assert b"".join(BODY) == server.body
    async with serving(cut_after(PIECE_BYTES, "reset"), localhost_tls) as server:
        assert (False, True) == await broken(server, Source(BODY), ca_file)
    async with serving(cut_after(SIZE, "reset"), localhost_tls) as server:
        assert (True, True) == await broken(server, Source(BODY), ca_file)
    async with serving(refuse, localhost_tls) as server:
        assert (413, b"refused") == await exchange(server, Source(BODY), ca_file)
    assert len(server.body) < SIZE


async def test_a_connection_that_was_answered_early_is_not_used_again() -> None:
    """The rest of a body is never mistaken for the next request."""

    async def refuse(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(REFUSED)
        await server.read(reader, 10 * SIZE)

    async with serving(refuse) as server, HttpWire(server.base_url, SystemClock(), user_agent="test") as wire:
        for _ in range(2):
            async with wire.send(WireRequest("POST", "/", {}, upload=Outgoing(Source(list(BODY))))) as answer:
                assert (413, b"refused") == (answer.status, await answer.read(1_000))

    assert 2 == server.connections


@real_but_ahead
async def test_a_server_that_takes_nothing_more_is_given_up() -> None:
    """A minute in which not one piece is taken ends the sending, and no connection waits to get rid of its bytes."""
    stuck = asyncio.Event()

    async def stop(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read(reader, 1)
        stuck.set()
        await asyncio.Event().wait()

    source = Source(list(BODY))
    async with serving(stop) as server:
        sending = asyncio.create_task(broken(server, source))
        await stuck.wait()
        while not sending.done():
            await asyncio.sleep(0.01)
            pass_seconds(READ_SECONDS + 1.0)
        assert (False, True) == await sending
        assert [] == connections_to(server)


def connections_to(server: Server) -> list[asyncio.Transport]:
    """The running loop's connections to a server that hold a socket."""
    transports = list(getattr(asyncio.get_running_loop(), "_transports").values())  # noqa: B009  # known to no type
    address = ("127.0.0.1", int(server.base_url.rpartition(":")[2]))
    return [each for each in transports if each._sock is not None and each.get_extra_info("peername") == address]


async def test_a_cancelled_upload_hangs_up_and_closes_its_source() -> None:
    """Who is cancelled in the middle leaves neither a connection nor a file behind."""
    begun = asyncio.Event()

    async def slow(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read(reader, 1)
        begun.set()
        while await reader.read(65_536):
            pass

    source = Source(list(BODY) * 20)
    async with serving(slow) as server:
        sending = asyncio.create_task(exchange(server, source))
        await begun.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await asyncio.wait_for(server.left.wait(), 5.0)

    assert (1, 1) == (source.opened, source.closed)


async def test_nobody_listening_means_nothing_was_begun() -> None:
    """Without a connection the source is not even opened."""
    source = Source(list(BODY))
    async with serving(answer_all) as server:
        pass

    assert ((False, False), 0) == (await broken(server, source), source.opened)

"""Delta on S3: a server over loopback that behaves as S3 does, and one between that dies at any request."""

import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from syncengine.destinations import Applied, Destination, Interval, Standing
from syncengine.destinations.delta import Delta
from syncengine.destinations.delta_storage import Bucket, explained
from syncengine.errors import DestinationFenced, DestinationUnavailable, NoSpace
from tests.conformance.rows import Row, from_arrow
from tests.conformance.windows import PEOPLE, at, batch, marking, window

SECRET = "wJalrXUtnFEMI/K7MDENG"  # gitleaks:allow


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server with the bucket `lake`, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        assert running.stderr is not None
        while b"Running on" not in running.stderr.readline():
            assert running.poll() is None
        threading.Thread(target=running.stderr.read, daemon=True).start()
        client = http.client.HTTPConnection("127.0.0.1", port)
        client.request("PUT", "/lake")
        assert 200 == client.getresponse().status
        client.close()
        yield f"http://127.0.0.1:{port}"
        running.kill()


def options(endpoint: str, **more: str) -> dict[str, str]:
    """What a user sets to reach this server."""
    return {
        "aws_endpoint_url": endpoint,
        "aws_allow_http": "true",
        "aws_region": "us-east-1",
        "aws_access_key_id": "AKIA",
        "aws_secret_access_key": SECRET,
        "max_retries": "1",
        "retry_timeout": "1s",
        **more,
    }


@pytest.fixture
def uri(request: pytest.FixtureRequest) -> str:
    """A prefix of the bucket that no other test has."""
    return f"s3://lake/{request.node.name.replace('[', '/').replace(']', '')}"


def rows(uri: str, server: str, table: str = "people") -> list[Row]:
    """A table's rows as deltalake's own engine reads them."""
    return from_arrow(pa.table(DeltaTable(f"{uri}/{table}", storage_options=options(server)).scan()))


def names(uri: str, server: str) -> list[tuple[int, str]]:
    """Id and name of each person."""
    return [(row["id"], row["name"]) for row in rows(uri, server)]


def test_windows_go_to_a_bucket(uri: str, server: str, tmp_path: Path) -> None:
    """Rows, marks and the ledger as in a folder; whole parts come back to be written anew, keys are asked."""

    def opened() -> Destination:
        return Delta(uri, storage_options=options(server), work_folder=tmp_path)

    assert opened().check() == opened().check()
    assert Standing() == opened().standing("acme", "people")
    opened().apply(window("w1", (1, at(1), "a"), (2, at(1), "nul\x00"), can_be_marked=True))
    applied = opened().apply(window("w2", (2, at(2), "B"), (3, at(1), "c"), day=1, read=1, can_be_marked=True))
    marked = opened().apply(marking("m1", (1, at(5), None)))

    assert Applied(inserted=1, changed=1) == applied
    assert 1 == marked.deleted
    assert [(1, "a"), (2, "B"), (3, "c")] == names(uri, server)
    assert Standing((Interval(at(0), at(48)),), 1) == opened().standing("acme", "people")
    assert Applied(already=True) == opened().apply(window("w2"))
    assert [2, 3] == opened().keys("acme", "people", "id").to_pylist()
    assert [] == list(tmp_path.iterdir())


def test_of_two_writers_on_s3_one_begins_again(uri: str, server: str) -> None:
    """A version is put only if it does not exist: no commit is lost, and the older epoch is refused."""

    def opened() -> Destination:
        return Delta(uri, storage_options=options(server))

    def slowly(name: str, epoch: int) -> Iterator[pa.RecordBatch]:
        yield batch(PEOPLE, (1, at(3), "mine"))
        opened().apply(window(name, (9, at(epoch), "theirs"), epoch=epoch, day=epoch, read=1))

    opened().apply(window("w1", (1, at(1), "a")))
    opened().apply(window("w2", batches=slowly("w3", 1), read=1))
    assert [(1, "mine"), (9, "theirs")] == names(uri, server)
    with pytest.raises(DestinationFenced):
        opened().apply(window("w4", batches=slowly("w5", 2), read=2))

    assert ["w1", "w2", "w3", "w5"] == sorted(
        row["window_id"]
        for row in rows(uri, server, "_marketo_sync")
        if opened().holds("acme", "people", row["window_id"])
    )


class Dying:
    """A server between, which stops answering after some requests: before it passes one on, or when it has."""

    def __init__(self, behind: str, last: int, *, deaf: bool) -> None:
        self.behind = behind.removeprefix("http://")
        self.last, self.deaf = last, deaf
        self.requests = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                outer.pass_on(self)

            def log_message(self, *_: object) -> None:
                pass

        for method in ("GET", "PUT", "POST", "HEAD", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.handle_any)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def pass_on(self, request: BaseHTTPRequestHandler) -> None:
        """Forward one request, unless this is the end."""
        body = self._body(request)
        with self._lock:
            self.requests += 1
            number = self.requests
        request.close_connection = True
        if number > self.last + self.deaf:
            return
        connection = http.client.HTTPConnection(self.behind)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "transfer-encoding"}
        connection.request(request.command, request.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if number > self.last:
            return
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "transfer-encoding", "content-length", "date", "server"}:
                request.send_header(name, value)
        length = answer.getheader("Content-Length") if request.command == "HEAD" else str(len(content))
        request.send_header("Content-Length", length or "0")
        request.send_header("Connection", "close")
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)

    @staticmethod
    def _body(request: BaseHTTPRequestHandler) -> bytes:
        if request.headers.get("Transfer-Encoding") != "chunked":
            return request.rfile.read(int(request.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(request.rfile.readline(), 16):
            body += request.rfile.read(size)
            request.rfile.readline()
        request.rfile.readline()
        return bytes(body)


@pytest.mark.parametrize("deaf", [False, True])
def test_a_server_that_dies_at_any_request_leaves_all_or_nothing(uri: str, server: str, *, deaf: bool) -> None:
    """A window is held or not, its rows with it, also when only the answer was lost; then it goes in."""
    with Dying(server, 10_000, deaf=deaf) as between:
        Delta(uri, storage_options=options(between.url)).apply(window("w0", (0, at(1), "first")))
        before = between.requests
        Delta(uri, storage_options=options(between.url)).apply(window("w1", (0, at(2), "again"), (1, at(1), "a")))
        needed = between.requests - before
    assert needed > 20
    present = names(uri, server)
    for number, last in enumerate(range(1, needed, max(1, needed // 8)), start=2):
        each = window(f"w{number}", (0, at(number), f"n{number}"), (number, at(1), "a"), day=number, read=number)
        after = [(0, f"n{number}"), *present[1:], (number, "a")]
        told = list[str]()
        with Dying(server, last, deaf=deaf) as between:
            try:
                Delta(uri, storage_options=options(between.url)).apply(each)
            except DestinationUnavailable as error:
                told.append(error.message)
        is_held = Delta(uri, storage_options=options(server)).holds("acme", "people", each.id)
        assert (after if is_held else present) == names(uri, server)
        assert told or is_held
        assert all(uri in message and SECRET not in message for message in told)
        assert is_held is Delta(uri, storage_options=options(server)).apply(each).already
        assert after == names(uri, server)
        present = after


@pytest.mark.parametrize(
    ("uri", "more", "words"),
    [
        ("s3://nobody/lake", {}, "s3://nobody/lake: there is no such bucket"),
        ("s3://lake/x", {"aws_endpoint_url": "http://127.0.0.1:9"}, "s3://lake/x cannot be reached"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(server: str, uri: str, more: dict[str, str], words: str) -> None:
    """Whatever is asked first, and without a secret."""
    destination = Delta(uri, storage_options=options(server, **more))
    for operation in (
        destination.check,
        lambda: destination.standing("acme", "people"),
        lambda: destination.apply(window("w1", (1, at(1), "a"))),
    ):
        with pytest.raises(DestinationUnavailable, match=words) as raised:
            operation()
        assert SECRET not in str(raised.value)
        assert "\n" not in raised.value.message


def test_a_secret_is_in_no_representation() -> None:
    """Neither the destination nor its storage shows what it was given."""
    destination = Delta("s3://lake/x", storage_options=options("http://127.0.0.1:9"))

    assert SECRET not in repr(destination) + repr(Bucket("s3://lake/x", options("http://127.0.0.1:9")))


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        ("<Code>NoSuchBucket</Code>", DestinationUnavailable, "s3://b: there is no such bucket"),
        ("<Code>InvalidAccessKeyId</Code>", DestinationUnavailable, "s3://b refuses these credentials"),
        ("AWS Error ACCESS_DENIED during PutObject", DestinationUnavailable, "s3://b refuses these credentials"),
        ("PUT http://169.254.169.254/latest/api/token", DestinationUnavailable, "s3://b: no credentials were found"),
        ("No space left on device (os error 28)", NoSpace, "the disk is full at s3://b"),
        ("\x1b[31mwhat\x1b[0m of s3cr3t\nand more", DestinationUnavailable, r"^s3://b: what of \*\*\*$"),
        ("", DestinationUnavailable, "s3://b: ValueError"),
    ],
)
def test_storage_errors_are_one_sentence(text: str, expected: type[Exception], words: str) -> None:
    """What went wrong and where; secrets are struck out."""
    error = explained(ValueError(text), "s3://b", {"aws_secret_access_key": "s3cr3t", "aws_region": "what"})

    assert type(error) is expected
    with pytest.raises(expected, match=words):
        raise error

"""The bytes of files, from a host that is not Marketo's API."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import anyio
import pytest

from syncengine.assets.file_bytes import AT_ONCE, LOST_MAX, TRIES, FileBytes
from syncengine.errors import CallRejected, FileDamaged
from syncengine.transport.wire import Wire, WireError
from tests.scripted import TOKEN, Answer, ScriptedWire, Step
from tests.virtual import virtual, virtual_clock

BODY = b"\x89PNG" * 1_000
URL = "https://files.example/rs/1/images/logo.png"
BROKEN = WireError("the connection was refused", sent=False)


def file(body: bytes = BODY, **changes: object) -> Answer:
    """An answer with these bytes."""
    return Answer(body=body, headers={"Content-Type": "image/png"}, **changes)  # type: ignore[arg-type]  # fields of an answer


@dataclass
class Hosts:
    """Hosts of files, each of which plays its steps; `opened` are their addresses, as they were asked for."""

    steps: Sequence[Step]
    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    wires: list[ScriptedWire] = field(default_factory=list)

    @asynccontextmanager
    async def wire_to(self, origin: str) -> AsyncIterator[Wire]:
        self.opened.append(origin)
        self.wires.append(ScriptedWire(virtual_clock(), *self.steps))
        yield self.wires[-1]
        self.closed.append(origin)

    @property
    def targets(self) -> list[str]:
        """What was asked for, in order."""
        return [request.target for wire in self.wires for request in wire.requests]

    def files(self) -> FileBytes:
        """Who fetches from them."""
        return FileBytes(self.wire_to, virtual_clock())


@virtual
async def test_a_file_comes_whole(tmp_path: Path) -> None:
    """To where it is wanted, with its hash; of an empty one, too."""
    part = tmp_path / "part"
    async with Hosts([file()]).files() as files:
        assert sha256(BODY).hexdigest() == await files.fetch(URL, len(BODY), part)
        assert BODY == part.read_bytes()
        assert len(BODY) == files.fetched
    async with Hosts([file(b"")]).files() as files:
        assert sha256(b"").hexdigest() == await files.fetch(URL, 0, part)
        assert b"" == part.read_bytes()


@pytest.mark.parametrize("size", [0, 1, len(BODY) - 1, len(BODY) + 1, 10 * len(BODY)])
@virtual
async def test_bytes_of_another_size_are_not_taken(tmp_path: Path, size: int) -> None:
    """They are not the file that the list tells of; asking again would not help, and what is too long is not stored."""
    hosts = Hosts([file(piece_bytes=100)])
    async with hosts.files() as files:
        with pytest.raises(FileDamaged, match=f"{size} were announced"):
            await files.fetch(URL, size, tmp_path / "part")
        assert (0, 1) == (files.fetched, len(hosts.targets))
    assert (tmp_path / "part").stat().st_size <= size


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404, 500])
@virtual
async def test_an_answer_that_is_no_file_is_refused(tmp_path: Path, status: int) -> None:
    """A redirect, too: nobody knows where it leads. Nothing of its body is taken."""
    hosts = Hosts([Answer(status=status, body=BODY, headers={"Location": "https://evil.example/x"})])
    async with hosts.files() as files:
        with pytest.raises(CallRejected, match=f"HTTP {status}") as refused:
            await files.fetch(URL, len(BODY), tmp_path / "part")
        assert (str(status), 0) == (refused.value.code, files.fetched)
    assert (["https://files.example"], 1) == (hosts.opened, len(hosts.targets))
    assert 0 == (tmp_path / "part").stat().st_size


@pytest.mark.parametrize(
    "url",
    [
        "",
        "logo.png",
        "/rs/1/logo.png",
        "//files.example/logo.png",
        "ftp://files.example/logo.png",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https:///logo.png",
        "https://user:secret@files.example/logo.png",
        "https://files.example@evil.example/logo.png",
        "https://[::1/logo.png",
        "https://a\u2100b/logo.png",
        "https://files.example:99999/logo.png",
        "https://files.example:port/logo.png",
    ],
)
@virtual
async def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    """Before anybody is asked; it spoils one file and no more."""
    hosts = Hosts([file()])
    async with hosts.files() as files:
        with pytest.raises(CallRejected, match="the address of the file cannot be used"):
            await files.fetch(url, len(BODY), tmp_path / "part")
    assert [] == hosts.opened


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("http://files.example", "http://files.example", "/"),
        ("https://files.example:8443/a.png", "https://files.example:8443", "/a.png"),
        ("https://files.example/a b/\u00e9#1.png", "https://files.example", "/a%20b/%C3%A9"),
        ("https://files.example/a%20b%2Fc.png", "https://files.example", "/a%20b%2Fc.png"),
        ("https://files.example/a.png?v=1&w=a b", "https://files.example", "/a.png?v=1&w=a%20b"),
        ('https://files.example/"<a>".png', "https://files.example", "/%22%3Ca%3E%22.png"),
    ],
)
@virtual
async def test_an_address_is_encoded_once(tmp_path: Path, url: str, origin: str, target: str) -> None:
    """What is encoded already stays as it is."""
    hosts = Hosts([file()])
    async with hosts.files() as files:
        await files.fetch(url, len(BODY), tmp_path / "part")
    assert ([origin], [target]) == (hosts.opened, hosts.targets)


@virtual
async def test_the_host_of_files_learns_nothing_of_us(tmp_path: Path) -> None:
    """Neither a token nor anything else that tells who asks; bytes are to come as they are."""
    hosts = Hosts([file()])
    async with hosts.files() as files:
        await files.fetch(URL, len(BODY), tmp_path / "part")
    (request,) = hosts.wires[0].requests
    assert ("GET", {"Accept-Encoding": "identity"}, None) == (request.method, dict(request.headers), request.body)
    assert TOKEN not in request.target


@pytest.mark.parametrize(
    "trouble",
    [BROKEN, WireError("reset", sent=True), file(breaks_at=0), file(breaks_at=1_000, piece_bytes=100)],
    ids=["refused", "reset", "no bytes", "half of it"],
)
@virtual
async def test_a_file_that_breaks_off_is_fetched_again(tmp_path: Path, trouble: Step) -> None:
    """From its beginning, after a while; then it is whole."""
    hosts = Hosts([trouble] * (TRIES - 1) + [file()])
    async with hosts.files() as files:
        assert sha256(BODY).hexdigest() == await files.fetch(URL, len(BODY), tmp_path / "part")
        assert (len(BODY), TRIES) == (files.fetched, len(hosts.targets))
    assert BODY == (tmp_path / "part").read_bytes()
    first, second, third = hosts.wires[0].sent_at
    assert 2 <= second - first < third - second


@virtual
async def test_a_host_that_cannot_be_read_damages_its_file_alone(tmp_path: Path) -> None:
    """It is no fault of Marketo's API; the host is named."""
    hosts = Hosts([BROKEN])
    async with hosts.files() as files:
        with pytest.raises(FileDamaged, match=r"files\.example cannot be read: the connection was refused"):
            await files.fetch(URL, len(BODY), tmp_path / "part")
    assert TRIES == len(hosts.targets)


@virtual
async def test_a_host_that_is_lost_is_tried_once_for_each_of_the_others(tmp_path: Path) -> None:
    """Thousands of files would wait for nothing; another host is not lost for it."""
    hosts = Hosts([BROKEN])
    async with hosts.files() as files:
        for number in range(LOST_MAX + 3):
            with pytest.raises(FileDamaged):
                await files.fetch(f"{URL}?{number}", len(BODY), tmp_path / "part")
        assert LOST_MAX * TRIES + 3 == len(hosts.targets)
        with pytest.raises(FileDamaged):
            await files.fetch("https://other.example/x", len(BODY), tmp_path / "part")
    assert TRIES == len(hosts.wires[1].requests)


@virtual
async def test_a_host_that_is_found_again_is_as_any_other(tmp_path: Path) -> None:
    """One file that comes is enough; only files in a row count."""
    hosts = Hosts([*[BROKEN] * (LOST_MAX * TRIES), file(), BROKEN])
    async with hosts.files() as files:
        for _ in range(LOST_MAX):
            with pytest.raises(FileDamaged):
                await files.fetch(URL, len(BODY), tmp_path / "part")
        await files.fetch(URL, len(BODY), tmp_path / "part")
        with pytest.raises(FileDamaged):
            await files.fetch(URL, len(BODY), tmp_path / "part")
    assert LOST_MAX * TRIES + 1 + TRIES == len(hosts.targets)


@pytest.mark.parametrize(
    "slow", [file(header_seconds=1_000.0), file(piece_seconds=200.0)], ids=["before it answers", "while it sends"]
)
@virtual
async def test_a_host_that_is_silent_damages_its_file_alone(tmp_path: Path, slow: Answer) -> None:
    """As one that cannot be reached does."""
    async with Hosts([slow]).files() as files:
        with pytest.raises(FileDamaged, match=r"files\.example"):
            await files.fetch(URL, len(BODY), tmp_path / "part")


@virtual
async def test_a_large_file_may_take_its_time(tmp_path: Path) -> None:
    """As long as its bytes flow."""
    async with Hosts([file(piece_seconds=10.0, piece_bytes=200)]).files() as files:
        assert sha256(BODY).hexdigest() == await files.fetch(URL, len(BODY), tmp_path / "part")


@virtual
async def test_files_share_the_way_to_their_host(tmp_path: Path) -> None:
    """Some at a time; every way is closed in the end."""
    hosts = Hosts([file()])
    async with hosts.files() as files, anyio.create_task_group() as group:
        for number in range(3 * AT_ONCE):
            group.start_soon(files.fetch, URL, len(BODY), tmp_path / f"{number}.part")
        group.start_soon(files.fetch, "https://other.example/x", len(BODY), tmp_path / "x.part")
    assert ["https://files.example", "https://other.example"] == sorted(hosts.opened) == sorted(hosts.closed)
    assert AT_ONCE == max(wire.most_open for wire in hosts.wires)
    assert (3 * AT_ONCE + 1) * len(BODY) == files.fetched
    parts = [*(f"{number}.part" for number in range(3 * AT_ONCE)), "x.part"]
    assert {BODY} == {(tmp_path / name).read_bytes() for name in parts}

"""A file of 64 KiB from the sandbox, broken in every way at sampled bytes, and disks that do not take it."""

import hashlib
import os
import random
import resource
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest

from syncengine.clock import Clock
from syncengine.errors import FileDamaged, NoSpace, Unavailable
from syncengine.marketo.endpoints import exports, identity
from syncengine.marketo.endpoints.exports import LEADS, Filter
from syncengine.sandbox.instance import Instance
from syncengine.sandbox.options import SandboxOptions
from syncengine.transport.book import MemorySlotStore
from syncengine.transport.client import Client
from syncengine.transport.download import BREAKS_MAX, Expected, _Part, download
from syncengine.transport.gate import Gate
from syncengine.transport.turns import GateLimits
from syncengine.transport.wire import READ_SECONDS, WireRequest
from tests.conftest import Place
from tests.simulation.wire import SandboxAnswer, SandboxWire
from tests.virtual import ORIGIN, virtual, virtual_clock

FIELDS = ("id", "email", "firstName", "lastName", "company", "notes", "createdAt")
SAMPLES = 40


class TwistedWire(SandboxWire):
    """The network to a server that says of the parts of a file that they are others."""

    def __init__(self, instance: Instance, clock: Clock, said: Sequence[str] = ()) -> None:
        super().__init__(instance, clock)
        self.said = list(said)

    @asynccontextmanager
    async def send(self, request: WireRequest) -> AsyncIterator[SandboxAnswer]:
        async with super().send(request) as answer:
            if answer.status == 206 and self.said:
                answer.headers = {**answer.headers, "Content-Range": self.said.pop(0)}
            yield answer


@dataclass
class Site:
    """An instance with one finished export, and where its file is to go."""

    instance: Instance
    clock: Clock
    place: Place
    export_id: str = ""
    size: int = 0
    sha256: str = ""

    def client(self, said: Sequence[str] = ()) -> Client:
        """A process of its own: nothing is shared with another but the server and the disk."""
        gate = Gate(MemorySlotStore(), GateLimits(), self.clock, holder="pid 1")
        return Client(TwistedWire(self.instance, self.clock, said), gate, self.clock, lambda: identity.token("id", "s"))

    async def fetch(self, *faults: dict[str, Any], said: Sequence[str] = ()) -> str:
        """Download anew under these faults; no unfinished file ever has the name of a finished one."""
        self.instance.set_faults([{"path": "*/file.json", **fault} for fault in faults])
        self.instance.reset_counters()

        def watch(_: int) -> None:
            assert not self.place.path.exists()

        expected = Expected(self.size, self.sha256)
        return await download(self.client(said), exports.file(LEADS, self.export_id), self.place.path, expected, watch)

    def take(self) -> str:
        """Whose bytes are there, by their hash; the file is taken away, and no part may be left beside it."""
        assert not self.place.part.exists()
        digest = hashlib.sha256(self.place.path.read_bytes()).hexdigest()
        self.place.path.unlink()
        return digest

    def sent_bytes(self) -> int:
        return int(self.instance.report()["file_bytes"].get(self.export_id, 0))

    def offsets(self, seed: object) -> list[int]:
        """Both ends, and places between."""
        edges = [0, 1, self.size // 2, self.size - 2, self.size - 1]
        return sorted({*edges, *random.Random(f"{seed}").sample(range(self.size), SAMPLES)})


async def site(place: Place) -> Site:
    """A sandbox that exports a little more than 64 KiB."""
    options = SandboxOptions(
        start=ORIGIN, leads=800, years=0.08, calls_per_window=10_000, client_id="id", client_secret="s"
    )
    here = Site(Instance(options), virtual_clock(), place)
    client = here.client()
    chosen = Filter("createdAt", ORIGIN.replace(month=2, day=1), ORIGIN)
    job = await client.send(exports.create(LEADS, FIELDS, chosen))
    await client.send(exports.enqueue(LEADS, job.export_id))
    await here.clock.sleep(300.0)
    job = await client.send(exports.status(LEADS, job.export_id))
    here.export_id, here.size, here.sha256 = job.export_id, job.file_bytes or 0, job.sha256 or ""
    assert 65_536 <= here.size
    return here


@pytest.mark.parametrize("action", ["reset", "truncate", "stall"])
@virtual
async def test_a_body_that_breaks_costs_nothing_but_time(place: Place, action: str) -> None:
    """Reset, ended cleanly or fallen silent at any byte: the rest is asked for, and no byte travels twice."""
    here = await site(place)
    for offset in here.offsets(action):
        began = here.clock.monotonic()
        told = await here.fetch({"action": action, "nth": 1, "bytes": offset, "seconds": 2 * READ_SECONDS})

        assert (here.sha256, here.sha256, here.size) == (told, here.take(), here.sent_bytes()), offset
        assert (action == "stall") == (here.clock.monotonic() - began >= READ_SECONDS)


@virtual
async def test_a_range_that_is_ignored_starts_the_file_anew(place: Place) -> None:
    """The whole file in answer to a range is not appended to the part that is there, but takes its place."""
    here = await site(place)
    for offset in here.offsets("ignored"):
        told = await here.fetch({"action": "reset", "nth": 1, "bytes": offset}, {"action": "ignore_range", "nth": 2})

        assert (here.sha256, here.sha256, offset + here.size) == (told, here.take(), here.sent_bytes()), offset


WRONG_RANGES = ["", "items", "bytes {late}-{last}/{size}", "bytes 0-{last}/{size}", "bytes {at}-{last}/{more}"]


@pytest.mark.parametrize("wrong", WRONG_RANGES)
@virtual
async def test_another_part_than_the_one_asked_for_is_not_appended(place: Place, wrong: str) -> None:
    """A range that starts elsewhere, belongs to another file or cannot be read: the file is fetched from its start."""
    here = await site(place)
    for offset in here.offsets(wrong)[1:]:
        said = wrong.format(at=offset, late=offset + 1, last=here.size - 1, size=here.size, more=here.size + 1)
        told = await here.fetch({"action": "reset", "nth": 1, "bytes": offset}, said=[said])

        assert (here.sha256, here.sha256, offset + here.size) == (told, here.take(), here.sent_bytes()), offset


@pytest.mark.parametrize("is_resumed", [False, True], ids=["at once", "resumed"])
@virtual
async def test_a_wrong_bit_leaves_nothing_and_the_next_try_is_clean(place: Place, is_resumed: bool) -> None:
    """Neither a file nor a part stays of bytes that are not the announced ones, before the break or after it."""
    here = await site(place)
    for offset in here.offsets(is_resumed):
        flip = {"action": "flip", "nth": 2 if is_resumed else 1, "bytes": offset // 2}
        with pytest.raises(FileDamaged):
            await here.fetch({"action": "reset", "nth": 1, "bytes": offset // 2} if is_resumed else flip, flip)
        assert place.holds(None, None), offset

    assert (here.sha256, here.sha256, here.size) == (await here.fetch(), here.take(), here.sent_bytes())


@virtual
async def test_a_later_process_fetches_the_rest_alone(place: Place) -> None:
    """After five breaks in a row, with growing waits, a process gives up; its part is the next one's beginning."""
    here = await site(place)
    for offset in here.offsets("later"):
        began = here.clock.monotonic()
        with pytest.raises(Unavailable, match=f"5 times in a row at byte {offset} of {here.size}") as caught:
            await here.fetch({"action": "reset", "nth": 1, "bytes": offset}, {"action": "drop_before"})
        assert ("NET_POST", "leads.export.file", True) == (
            caught.value.code,
            caught.value.call,
            caught.value.advice != "",
        )
        assert pytest.approx(2.0 + 4.0 + 6.0 + 8.0, abs=0.1) == here.clock.monotonic() - began
        assert (offset, offset, False) == (place.part.stat().st_size, here.sent_bytes(), place.path.exists())

        assert (here.sha256, here.sha256, here.size - offset) == (await here.fetch(), here.take(), here.sent_bytes())


@virtual
async def test_many_breaks_in_one_file_are_survived_as_long_as_bytes_come(place: Place) -> None:
    """A connection that dies every few hundred bytes, dozens of times, still brings each byte once."""
    here = await site(place)
    gains = [700] * (here.size // 700)
    told = await here.fetch(*({"action": "reset", "nth": n + 1, "bytes": gain} for n, gain in enumerate(gains)))

    assert len(gains) > 10 * BREAKS_MAX
    assert (here.sha256, here.sha256, here.size) == (told, here.take(), here.sent_bytes())


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: a write takes what fits, and the next one fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@virtual
async def test_a_disk_that_fills_up_keeps_the_part(place: Place) -> None:
    """What was written before it was full is the next run's beginning, byte for byte."""
    here = await site(place)
    for offset in here.offsets("full")[1:]:
        with file_size_limit(offset), pytest.raises(NoSpace, match="it is full"):
            await here.fetch()
        assert (offset, False) == (place.part.stat().st_size, place.path.exists())

        assert (here.sha256, here.sha256, here.size - offset) == (await here.fetch(), here.take(), here.sent_bytes())


class StingyFile(BytesIO):
    """Takes three bytes at a time."""

    def write(self, data: Any) -> int:
        return super().write(data[:3])


def test_a_write_that_takes_less_than_it_was_given_is_gone_on_with() -> None:
    """Each byte is written and hashed once, in order."""
    part = _Part(StingyFile())
    part.append(b"12345")
    part.append(b"6789")

    written = b"123456789"
    assert (written, 9, hashlib.sha256(written).digest()) == (part.file.getvalue(), part.size, part.digest.digest())  # type: ignore[attr-defined]  # the file is ours


@virtual
async def test_a_file_is_on_disk_before_it_has_its_name(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes are synced under the part's name, then it is renamed, then the folder is synced."""
    here, synced, sync = await site(place), list[tuple[int, bool]](), os.fsync

    def watched(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, place.path.exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    await here.fetch()

    assert [(place.path.stat().st_ino, False), (place.path.parent.stat().st_ino, True)] == synced

"""A file brought whole or not at all: at once, from a part on disk, and against answers that are no file."""

import hashlib
import random
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import anyio
import orjson
import pytest

from syncengine.errors import (
    CallRejected,
    FileDamaged,
    NoSpace,
    NotFound,
    PermissionDenied,
    QuotaExhausted,
    SyncEngineError,
    Unavailable,
)
from syncengine.marketo.call import Call
from syncengine.observe.events import Refused
from syncengine.transport.download import BREAKS_MAX, Expected, download
from syncengine.transport.wire import WireError, WireRequest
from tests.conftest import Place, cancelled_at
from tests.scripted import Answer, Step, Told, client_over, refused, rows
from tests.virtual import virtual, virtual_clock

FILE = random.Random(1).randbytes(100_000)
SHA256 = hashlib.sha256(FILE).hexdigest()
WHOLE = Expected(len(FILE), SHA256)
UNHASHED = Expected(len(FILE), None)
CALL: Call[None] = Call("leads.export.file", "GET", "/bulk/v1/leads/export/1/file.json", lambda _: None)
CSV, TEXT, HTML = ({"Content-Type": f"text/{kind};charset=UTF-8"} for kind in ("csv", "plain", "html"))
DROPPED = WireError("the connection broke", sent=True)


def served(content: bytes = FILE, **changes: Any) -> Callable[[WireRequest], Answer]:
    """A server that has the file and understands ranges."""

    def answer(request: WireRequest) -> Answer:
        start = int(request.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        body, headers = content[start:], {**CSV, "Content-Length": str(len(content) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return Answer(206 if start else 200, body, headers, **changes)

    return answer


def ranges(told: Told) -> list[str | None]:
    return [request.headers.get("Range") for request in told.wire.requests]


async def fetch(told: Told, place: Place, expected: Expected = WHOLE) -> str:
    return await download(told.client, CALL, place.path, expected)


@virtual
async def test_a_file_comes_whole_in_one_call(place: Place) -> None:
    """It is asked for as it is, progress tells each step, no part stays beside it, and it is its owner's alone."""
    told, seen = client_over(virtual_clock(), served(piece_bytes=30_000)), list[int]()
    assert SHA256 == await download(told.client, CALL, place.path, WHOLE, seen.append)
    (request,) = told.wire.requests

    assert place.holds(FILE, None)
    assert ([0, 30_000, 60_000, 90_000, 100_000], 0o100600) == (seen, place.path.stat().st_mode)
    assert ("identity", None) == (request.headers["Accept-Encoding"], request.headers.get("Range"))


@pytest.mark.parametrize("size", [0, 1, 65_536, len(FILE) - 1, len(FILE), len(FILE) + 1])
@virtual
async def test_a_part_on_disk_is_gone_on_from(place: Place, size: int) -> None:
    """A new process asks for what is missing, or for nothing; a part that is too long can be no beginning."""
    place.put((FILE + b"x")[:size])
    told = client_over(virtual_clock(), served())
    asked = [] if size == len(FILE) else [f"bytes={size}-" if 0 < size < len(FILE) else None]

    assert (SHA256, asked, True) == (await fetch(told, place), ranges(told), place.holds(FILE, None))


@virtual
async def test_a_part_of_another_file_is_found_out(place: Place) -> None:
    """A beginning that is not the file's own ends with the hash, and the next try is clean."""
    place.put(b"x" * 50_000)
    told = client_over(virtual_clock(), served())
    with pytest.raises(FileDamaged, match=f"Marketo announced 100000 bytes and {SHA256[:12]}"):
        await fetch(told, place)

    assert place.holds(None, None)
    assert (SHA256, ["bytes=50000-", None]) == (await fetch(told, place), ranges(told))


@virtual
async def test_an_empty_file_costs_no_call(place: Place) -> None:
    """An export without rows may have no bytes at all."""
    told = client_over(virtual_clock(), served())
    await fetch(told, place, Expected(0, None))

    assert (True, []) == (place.holds(b"", None), told.wire.requests)


@virtual
async def test_without_an_announced_hash_the_size_decides(place: Place) -> None:
    """The file's own hash is given for the books; one byte more or less is still no file."""
    assert SHA256 == await fetch(client_over(virtual_clock(), served()), place, UNHASHED)
    assert place.holds(FILE, None)
    place.path.unlink()
    for content in (FILE + b"x", FILE[:-1]):
        for answer in (served(content), Answer(200, content, CSV)):
            with pytest.raises((FileDamaged, Unavailable)):
                await fetch(client_over(virtual_clock(), answer), place, UNHASHED)
            assert not place.path.exists()


@virtual
async def test_a_body_that_does_not_end_is_not_written_on(place: Place) -> None:
    """Past the announced size nothing more is taken, and nothing that was taken is kept."""
    told, seen = client_over(virtual_clock(), Answer(200, FILE * 3, CSV)), list[int]()
    with pytest.raises(FileDamaged, match="longer than the 100000 bytes"):
        await download(told.client, CALL, place.path, UNHASHED, seen.append)

    assert (65_536, True) == (max(seen), place.holds(None, b""))


@virtual
async def test_a_file_that_is_there_is_only_hashed(place: Place) -> None:
    """Whole, it costs no call; changed on disk, it is removed and said to be damaged."""
    told = client_over(virtual_clock(), served())
    place.path.write_bytes(FILE)
    assert (SHA256, []) == (await fetch(told, place), told.wire.requests)
    for damaged in (FILE[:-1], FILE[:-1] + b"x"):
        place.path.write_bytes(damaged)
        with pytest.raises(FileDamaged, match="changed on disk"):
            await fetch(told, place)
        assert place.holds(None, None)


REFUSALS: dict[str, tuple[Step, type[SyncEngineError], int]] = {
    "404": (Answer(404, b"Not found", TEXT), NotFound, 1),
    "610": (refused("610"), NotFound, 1),
    "1013": (refused("1013"), NotFound, 1),
    "603": (refused("603"), PermissionDenied, 1),
    "607": (refused("607"), QuotaExhausted, 1),
    "1003": (refused("1003"), CallRejected, 1),
    "503": (Answer(503, b"<html>", HTML), Unavailable, 5),
    "no file": (rows({"id": 1}), Unavailable, 5),
    "302": (Answer(302, b"", {"Location": "https://elsewhere.example"}), CallRejected, 1),
}


@virtual
async def test_a_part_from_which_nothing_goes_on_is_begun_again(place: Place) -> None:
    """416 for the rest of a file: the part cannot be its beginning, and the file is asked for from its first byte."""
    place.put(FILE[:7])
    told = client_over(virtual_clock(), *[Answer(416, b"", TEXT)] * 5, served())

    assert (SHA256, [*["bytes=7-"] * 5, None]) == (await fetch(told, place), ranges(told))


@pytest.mark.parametrize("held", [b"", FILE[:7]], ids=["fresh", "resumed"])
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
@virtual
async def test_an_error_in_place_of_a_file_is_an_error(
    place: Place, held: bytes, refusal: tuple[Step, type[SyncEngineError], int]
) -> None:
    """Nothing of it is written, and what was there before stays."""
    step, error, calls = refusal
    place.put(held)
    told = client_over(virtual_clock(), step)
    with pytest.raises(error):
        await fetch(told, place)

    assert (True, calls) == (place.holds(None, held), len(told.wire.requests))


@virtual
async def test_an_error_with_the_content_type_of_a_file_costs_no_prefix(place: Place) -> None:
    """Its length gives it away before a byte of it is written."""
    body = orjson.dumps({"success": False, "errors": [{"code": "606", "message": "too many"}]})
    place.put(FILE[:70_000])
    told = client_over(virtual_clock(), Answer(200, body, {**CSV, "Content-Length": str(len(body))}), served())
    with pytest.raises(FileDamaged):
        await fetch(told, place)

    assert place.holds(None, FILE[:70_000])
    assert (SHA256, [f"bytes={70_000}-"] * 2) == (await fetch(told, place), ranges(told))


@pytest.mark.parametrize("expected", [WHOLE, UNHASHED], ids=["hash", "no hash"])
@pytest.mark.parametrize("headers", [CSV, HTML], ids=["as a file", "as a page"])
@virtual
async def test_an_error_without_a_length_never_becomes_part_of_a_file(
    place: Place, headers: dict[str, str], expected: Expected
) -> None:
    """A page that a gateway sends in pieces, followed by a server that goes on as asked: no wrong byte is published."""
    told = client_over(virtual_clock(), Answer(200, b"<html>maintenance</html>", headers), served())
    with suppress(FileDamaged):
        await fetch(told, place, expected)

    assert place.holds(FILE, None) or place.holds(None, None), place


@virtual
async def test_a_server_that_answers_each_range_wrongly_is_given_up(place: Place) -> None:
    """The same beginning over and over is no progress."""
    wrong = Answer(206, FILE[7:], {**CSV, "Content-Range": f"bytes 7-{len(FILE) - 1}/{len(FILE)}"})
    cut = served(breaks_at=40_000)
    told = client_over(virtual_clock(), lambda request: wrong if "Range" in request.headers else cut(request))
    with pytest.raises(Unavailable):
        await fetch(told, place)

    assert not place.path.exists()
    assert len(told.wire.requests) <= 2 * BREAKS_MAX


@virtual
async def test_a_resumed_download_takes_a_living_token(place: Place) -> None:
    """A token may die while bytes flow; only the next request needs another one, and gets it."""
    cut, rest = served(breaks_at=50_000, piece_bytes=10_000, piece_seconds=20.0), served()

    def judged(request: WireRequest) -> Answer:
        return told.wire.issuer.judge(request) or (rest if "Range" in request.headers else cut)(request)

    told = client_over(virtual_clock(), judged, life=60.0)

    assert (SHA256, True) == (await fetch(told, place), place.holds(FILE, None))
    assert ([None, "bytes=50000-"], 2, []) == (ranges(told), told.wire.issuer.issued, told.told(Refused))


@virtual
async def test_a_token_refused_at_a_resume_is_renewed(place: Place) -> None:
    """602 in place of a file is no end: the same range is asked for with a new token."""

    def taken_back(request: WireRequest) -> Answer:
        told.wire.issuer.dies_at = told.clock.monotonic()
        return refused("602")

    told = client_over(virtual_clock(), served(breaks_at=50_000), taken_back, served())

    assert (SHA256, [None, "bytes=50000-", "bytes=50000-"]) == (await fetch(told, place), ranges(told))
    assert 2 == told.wire.issuer.issued


@virtual
async def test_a_long_download_is_in_flight_until_its_last_byte(place: Place) -> None:
    """Ten minutes of bytes hold one place of ten, and none afterwards."""
    told = client_over(virtual_clock(), served(piece_bytes=2_000, piece_seconds=12.0))
    seen = set()

    async def watch() -> None:
        while True:
            await told.clock.sleep(7.0)
            seen.add((await told.client.gate.use()).in_flight)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        await fetch(told, place)
        tasks.cancel_scope.cancel()

    assert ({1}, 0) == (seen, (await told.client.gate.use()).in_flight)


@pytest.mark.parametrize("way", ["scope", "task"])
@virtual
async def test_a_download_cancelled_at_any_await_leaves_a_beginning(place: Place, way: str) -> None:
    """Wherever it ends there is a prefix of the file, and no place in flight; the next call completes it."""
    for nth in count(1):
        steps = (served(breaks_at=40_000, piece_bytes=20_000), served(piece_bytes=20_000, piece_seconds=1.0))
        told = client_over(virtual_clock(), *steps)
        was_under_way = await cancelled_at(fetch(told, place), nth, way)
        assert (0, False) == (told.wire.open, None in {slot.flight_free_at for slot in told.store.book.slots.values()})
        assert place.path.exists() or FILE.startswith(place.part.read_bytes() if place.part.exists() else b""), nth
        assert (SHA256, True) == (await fetch(told, place), place.holds(FILE, None)), nth
        place.path.unlink()
        if not was_under_way:
            break

    assert 15 <= nth


@virtual
async def test_a_file_without_room_is_not_begun(place: Place) -> None:
    """What does not fit beside the reserve is told before any call."""
    told = client_over(virtual_clock(), served())
    with pytest.raises(NoSpace, match="are needed"):
        await fetch(told, place, Expected(10**18, None))

    assert (True, []) == (place.holds(None, None), told.wire.requests)

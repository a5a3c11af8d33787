"""Sending a chunk: what its bytes and its JSON are, and that nothing but what was planned can leave."""

import csv
import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from aiohttp import BodyPartReader, web
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syncengine.clock import SystemClock
from syncengine.errors import LeaseLost, SourceUnusable
from syncengine.imports.body import header_line
from syncengine.imports.header import Column
from syncengine.imports.route import Route
from syncengine.imports.target import Kind, Target
from syncengine.imports.upload import (
    Payload,
    bulk,
    handed_over,
    import_target,
    json_bytes,
    room_bytes,
    row_bytes_max,
    synchronous,
)
from syncengine.marketo.call import Repeat
from syncengine.marketo.endpoints.imports import CustomObjectImport, LeadImport, ProgramMemberImport
from syncengine.marketo.limits import BODY_BYTES_MAX, IMPORT_FILE_BYTES_MAX
from syncengine.transport.upload import Outgoing
from syncengine.transport.wire import HttpWire, WireRequest
from tests.unit.imports.table import COLUMNS, chunk, record

LEADS = Target(kind=Kind.LEADS, keys=("email",))
CARS = Target(kind=Kind.CUSTOM_OBJECTS, keys=("vin",), api_name="car_c")
MEMBERS = Target(kind=Kind.PROGRAM_MEMBERS, keys=("email",), program_id=7, status="On List")
HOSTILE = [
    ("a@x.example", 'say "hi", then\r\nleave', "1"),
    ("b@x.example", "\u2028 \u0085 \x0b naïve 日本", "2"),
    ("c@x.example", "--syncengine\r\n\r\n--", ""),
    ("d@x.example", "=1+1\t", "-4"),
]


def payload(folder: Path, *rows: Sequence[str]) -> Payload:
    """A chunk of these rows."""
    made = chunk(folder, *rows)
    return Payload(made, COLUMNS, made.bodies[0].stat().st_size)


def file_of(*rows: Sequence[str]) -> bytes:
    """What has to arrive at Marketo."""
    return header_line([column.name for column in COLUMNS]) + b"".join(record(row) for row in rows)


def test_the_file_is_header_and_records(tmp_path: Path) -> None:
    """With the hash that the journal keeps, and a length that is known before a byte is read."""
    sent = payload(tmp_path, *HOSTILE)
    form, file = sent.form(sent.sha256()), file_of(*HOSTILE)
    assert hashlib.sha256(file).hexdigest() == sent.sha256()
    assert form.head + file + form.tail == b"".join(form.pieces())
    assert form.size == len(b"".join(form.pieces()))


@pytest.mark.parametrize("how", ["a byte", "shorter", "longer"])
async def test_a_source_that_changed_on_the_way_never_leaves_whole(tmp_path: Path, how: str) -> None:
    """What arrives is never another file than the journal says: the body ends before its last byte."""
    sent = payload(tmp_path, *HOSTILE)
    form, body = sent.form(sent.sha256()), sent.rows.bodies[0]
    before = body.read_bytes()
    body.write_bytes({"a byte": b"z" + before[1:], "shorter": before[:-1], "longer": before + b"more"}[how])
    outgoing, left = Outgoing(form), b""
    try:
        async for piece in outgoing.pieces():
            left += piece
    except SourceUnusable as error:
        assert "has changed since this import was planned" in error.message  # noqa: PT017
    if how == "longer":
        # Bytes behind the last record are none of the chunk's.
        assert (form.size, True) == (len(left), outgoing.is_whole)
    else:
        assert not outgoing.is_whole
        assert len(left) < form.size
        assert not left.endswith(form.tail)


def test_rows_are_objects_of_a_call(tmp_path: Path) -> None:
    """By the types of their fields; what is empty clears."""
    sent = payload(tmp_path, ("a@x", "A", "1"), ("b@x", "", ""))
    assert [
        {"email": "a@x", "firstName": "A", "leadScore": 1},
        {"email": "b@x", "firstName": None, "leadScore": None},
    ] == sent.objects(sent.sha256())


def test_rows_of_another_file_than_was_planned_are_no_objects(tmp_path: Path) -> None:
    """Nor are they the bytes that a look may compare."""
    sent = payload(tmp_path, ("a@x", "A", "1"), ("b@x", "B", "2"))
    planned, body = sent.sha256(), sent.rows.bodies[0]
    sent.verify(planned)
    body.write_bytes(body.read_bytes()[::-1])
    for use in (sent.objects, sent.verify):
        with pytest.raises(SourceUnusable, match="has changed since this import was planned"):
            use(planned)


@pytest.mark.parametrize("stale_at", [1, 2])
def test_a_body_is_checked_before_its_first_byte_and_before_its_last(tmp_path: Path, stale_at: int) -> None:
    """What the check raises ends it there: Marketo has no whole file."""
    sent, checks, left = payload(tmp_path, *HOSTILE), list[int](), b""

    def check() -> None:
        checks.append(len(left))
        if len(checks) == stale_at:
            raise LeaseLost("too late")

    form = sent.form(sent.sha256(), check)
    try:
        for piece in form.pieces():
            left += piece
    except LeaseLost:
        checks.append(-1)
    assert (stale_at + 1, -1) == (len(checks), checks[-1])
    assert not left.endswith(form.tail)
    assert (stale_at == 1) == (file_of(*HOSTILE)[:5] not in left)


COLUMN_SETS = st.lists(
    st.builds(
        Column,
        st.sampled_from(["email", "f", "naïveField", 'q"uote', "leadScore"]),
        st.sampled_from(["integer", "float", "boolean", "date", "datetime", "string", "email"]),
        st.none(),
        st.just(0),
        is_key=st.booleans(),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda each: each.name,
)
CELL = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.text(st.sampled_from('\0\x01\x1f\x7f"\\,\n\r é'), max_size=40)
    | st.sampled_from(["f", "0", "1e9", "1e15", "-1e-7", "2e0", "", "5", "no", "9" * 10])
)


@settings(deadline=None)
@given(st.data(), COLUMN_SETS)
@example(None, [Column("f", "string", None, 0, is_key=True)])
def test_a_row_is_never_longer_as_json_than_was_reckoned(data: Any, columns: list[Column]) -> None:
    """A row that is small enough as CSV fits into a call, whatever its cells hold."""
    cells = [data.draw(CELL) for _ in columns] if data else ["\x01" * 50]
    line = record(cells)
    room = room_bytes(Route.REST, columns, IMPORT_FILE_BYTES_MAX)
    # What `row_bytes_max` gives for a room in which this row just fits.
    names = room - 6 * row_bytes_max(Route.REST, columns, IMPORT_FILE_BYTES_MAX)
    assert json_bytes(columns, line) <= names + 6 * len(line)


@pytest.mark.parametrize("target", [LEADS, CARS])
def test_a_full_call_is_within_its_megabyte(target: Target) -> None:
    """With all that stands around the rows: partition, lookup field, names of objects."""
    rows: list[dict[str, object]] = [{"email": "x" * 3_000}] * 300
    size = sum(len(orjson.dumps(row)) + 1 for row in rows)
    room = room_bytes(Route.REST, COLUMNS, IMPORT_FILE_BYTES_MAX)
    for call in (synchronous(target, rows), handed_over(target, "123-ABC-456", rows)):
        assert len(orjson.dumps(call.json)) - size + room <= BODY_BYTES_MAX


def test_a_full_file_is_within_ten_megabytes(tmp_path: Path) -> None:
    """Header and multipart overhead included, to the byte."""
    room = room_bytes(Route.BULK, COLUMNS, 1_000)
    assert room == row_bytes_max(Route.BULK, COLUMNS, 1_000)
    cells = ["a@x", "", "1"]
    cells[1] = "x" * (room - len(record(cells)))
    sent = payload(tmp_path, cells)
    assert (room, 1_000) == (sent.row_bytes, sent.form(sent.sha256()).size)


def test_calls_say_where_rows_go() -> None:
    """List, partition, program and status; people found by id are never created."""
    assert LeadImport(lookup_field="email", list_id=4, partition="P") == import_target(
        Target(kind=Kind.LEADS, keys=("email",), list_id=4, partition="P")
    )
    assert (CustomObjectImport("car_c"), ProgramMemberImport(7, "On List")) == (
        import_target(CARS),
        import_target(MEMBERS),
    )
    people: list[dict[str, object]] = [{"id": 1, "firstName": "A"}]
    by_id = synchronous(Target(kind=Kind.LEADS, keys=("id",)), people)
    assert {"action": "updateOnly", "lookupField": "id", "input": people} == by_id.json
    rows: list[dict[str, object]] = [{"email": "a@x"}]
    by_email = synchronous(Target(kind=Kind.LEADS, keys=("email",), partition="P"), rows)
    assert ("createOrUpdate", "P") == (by_email.json["action"], by_email.json["partitionName"])
    assert "/rest/v1/customobjects/car_c.json" == synchronous(CARS, rows).path
    assert "/subscriptions/123-ABC-456/customobjects/car_c" == handed_over(CARS, "123-ABC-456", rows).path
    assert {"field1": "email"} == handed_over(LEADS, "123-ABC-456", rows).json["dedupeFields"]


def test_a_file_is_never_sent_twice_by_itself(tmp_path: Path) -> None:
    """Nor are people who may be created: whoever sends them again has looked first."""
    sent = payload(tmp_path, *HOSTILE)
    calls = (bulk(LEADS, sent.form(sent.sha256())), synchronous(LEADS, [{"email": "a"}]))
    assert [Repeat.UNSAFE] * 2 == [call.repeat for call in calls]


@asynccontextmanager
async def server(kept: list[bytes]) -> AsyncIterator[str]:
    """The address of aiohttp's own server, whose own parser reads the form's one part into `kept`."""

    async def read(request: web.BaseRequest) -> web.Response:
        reader = await request.multipart()
        part = await reader.next()
        assert isinstance(part, BodyPartReader)
        pieces = []
        while piece := await part.read_chunk():
            pieces.append(bytes(piece))
        kept.append(b"".join(pieces))
        assert await reader.next() is None
        return web.json_response({})

    runner = web.ServerRunner(web.Server(read), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_aiohttps_server_reads_the_chunk_back(tmp_path: Path, no_proxy: None) -> None:
    """Byte for byte, through a real connection, for a chunk of several megabytes."""
    rows = [*HOSTILE, *[(f"p{n}@x.example", "N" * (n % 90) + "é,\n", str(n)) for n in range(40_000)]]
    sent = payload(tmp_path, *rows)
    kept: list[bytes] = []
    async with server(kept) as address, HttpWire(address, SystemClock(), user_agent="test") as wire:
        request = WireRequest("POST", "/bulk/v1/leads.json", upload=Outgoing(sent.form(sent.sha256())))
        async with wire.send(request) as answer:
            assert 200 == answer.status
    assert [file_of(*rows)] == kept


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=5), st.integers(1, 500))
def test_python_multipart_reads_the_chunk_back(rows: list[tuple[str, str, str]], step: int) -> None:
    """Byte for byte, in whatever pieces the body comes, and its cells are those of the rows."""
    parser = pytest.importorskip("python_multipart")
    with TemporaryDirectory() as folder:
        sent = payload(Path(folder), *HOSTILE, *rows)
        form = sent.form(sent.sha256())
        body = b"".join(form.pieces())
    kept: list[bytes] = []

    def take(part: Any) -> None:
        part.file_object.seek(0)
        kept.append(part.file_object.read())

    headers = {"Content-Type": form.content_type.encode(), "Content-Length": str(form.size).encode()}
    read = parser.create_form_parser(headers, on_field=None, on_file=take)
    for at in range(0, len(body), step):
        read.write(body[at : at + step])
    read.finalize()
    assert [file_of(*HOSTILE, *rows)] == kept
    read_back = [tuple(row) for row in csv.reader(io.StringIO(kept[0].decode(), newline=""))]
    assert [tuple(column.name for column in COLUMNS), *HOSTILE, *rows] == read_back

"""Tests of the sandbox over real HTTP on loopback, with a clock sixty times fast."""

import hashlib
import io
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout, FormData

from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.server import Ready, serve, write_ready
from tests.unit.sandbox.caller import small_options, text_of

SPEED = 6_000
KEY = {"X-Sandbox-Key": "key"}
PLENTY = {"calls_per_window": 10_000, "token_seconds": 10**7, "calls_per_day": 10**6, "speed": SPEED}


class Client:
    """A session that has a token."""

    def __init__(self, session: ClientSession, headers: dict[str, str], port: int = 0) -> None:
        self.session = session
        self.headers = headers
        self.port = port

    async def json(self, method: str, path: str, **more: Any) -> Any:
        async with self.session.request(method, path, headers=self.headers | KEY, **more) as reply:
            return orjson.loads(await reply.read())

    async def finished_job(self) -> dict[str, Any]:
        """Export all leads of the last month and wait for the file."""
        now = (await self.json("GET", "/__sandbox__/clock"))["unix_seconds"]
        window = {"startAt": text_of(now - 30 * 86_400), "endAt": text_of(now)}
        asked = {"fields": ["id", "email", "notes", "nickname"], "filter": {"createdAt": window}}
        made = await self.json("POST", "/bulk/v1/leads/export/create.json", json=asked)
        job_id = made["result"][0]["exportId"]
        await self.json("POST", f"/bulk/v1/leads/export/{job_id}/enqueue.json")
        while True:
            job = (await self.json("GET", f"/bulk/v1/leads/export/{job_id}/status.json"))["result"][0]
            if job["status"] == "Completed":
                return dict(job)
            await anyio.sleep(0.005)


@asynccontextmanager
async def sandbox(**options: Any) -> AsyncIterator[Client]:
    """A running sandbox and a client with a token."""
    settings: SandboxOptions = small_options(**{"leads": 3_000, **PLENTY, **options})
    places: list[Ready] = []
    is_ready = anyio.Event()

    def announce(ready: Ready) -> None:
        places.append(ready)
        is_ready.set()

    async def run() -> None:
        await serve(settings, ready=announce)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await is_ready.wait()
        async with ClientSession(places[0].base_url, timeout=ClientTimeout(total=20)) as session:
            form = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}
            async with session.post("/identity/oauth/token", data=form) as reply:
                token = (await reply.json())["access_token"]
            port = int(places[0].base_url.rpartition(":")[2])
            yield Client(session, {"Authorization": f"Bearer {token}"}, port)
        tasks.cancel_scope.cancel()


async def test_a_file_arrives_whole_and_in_parts() -> None:
    """Its bytes have the announced size and checksum, and the counter saw each byte once."""
    async with sandbox() as client:
        job = await client.finished_job()
        path = f"/bulk/v1/leads/export/{job['exportId']}/file.json"
        async with client.session.get(path, headers=client.headers) as reply:
            content = await reply.read()
        part_headers = {**client.headers, "Range": "bytes=100-199", "Accept-Encoding": "gzip"}
        async with client.session.get(path, headers=part_headers) as reply:
            part = await reply.read()
            assert (reply.status, reply.headers["Content-Range"]) == (206, f"bytes 100-199/{len(content)}")
            assert "Content-Encoding" not in reply.headers
        assert job["fileChecksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert (job["fileSize"], part) == (len(content), content[100:200])
        counters = await client.json("GET", "/__sandbox__/counters")
        assert counters["file_bytes"] == {job["exportId"]: len(content) + 100}
        assert counters["in_flight"] == 0


async def test_json_is_compressed_when_asked_and_dates_are_the_sandboxs() -> None:
    """Large replies take gzip, and Date tells the sandbox's time."""
    async with sandbox(start=None, speed=1) as client:
        headers = {**client.headers, "Accept-Encoding": "gzip"}
        async with client.session.get("/rest/v1/leads/describe.json", headers=headers) as reply:
            assert reply.headers["Content-Encoding"] == "gzip"
            assert len((await reply.json())["result"]) == 66
            assert reply.headers["Date"].endswith("GMT")
        async with client.session.get("/rest/v1/stats/usage.json", headers=headers) as reply:
            assert "Content-Encoding" not in reply.headers


@pytest.mark.parametrize("action", ["drop_before", "drop_after", "reset"])
async def test_broken_connections_break(action: str, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets an error, the call is no longer in flight, and the next call works."""
    async with sandbox() as client:
        rules = [{"action": action, "path": "*describe.json", "bytes": 100, "times": 5}]
        await client.json("POST", "/__sandbox__/faults", json=rules)
        with pytest.raises(ClientError):
            await client.json("POST", "/rest/v1/leads/describe.json", params={"_method": "GET"})
        await client.json("POST", "/__sandbox__/faults", json=[])
        assert len((await client.json("GET", "/rest/v1/leads/describe.json"))["result"]) == 66
        assert (await client.json("GET", "/__sandbox__/counters"))["in_flight"] == 0
        assert [record.message for record in caplog.records] == []


async def test_a_truncated_body_ends_cleanly() -> None:
    """Nothing but its size betrays that bytes are missing."""
    async with sandbox() as client:
        job = await client.finished_job()
        rules = [{"action": "truncate", "path": "*file.json", "bytes": 1_000}]
        await client.json("POST", "/__sandbox__/faults", json=rules)
        path = f"/bulk/v1/leads/export/{job['exportId']}/file.json"
        async with client.session.get(path, headers=client.headers) as reply:
            assert "Content-Length" not in reply.headers
            assert len(await reply.read()) == 1_000


async def test_a_client_that_leaves_frees_its_place_and_is_charged_for_little(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A throttled download that is broken off was sent in part only, and is no error of the server."""
    async with sandbox(bandwidth=100.0, speed=600, leads=60_000, job_seconds=(1, 1), status_seconds=1) as client:
        job = await client.finished_job()
        path = f"/bulk/v1/leads/export/{job['exportId']}/file.json"
        async with client.session.get(path, headers=client.headers) as reply:
            received = len(await reply.content.readexactly(5_000))
        counters: dict[str, Any] = {"in_flight": 1}
        while counters["in_flight"]:
            await anyio.sleep(0.01)
            counters = await client.json("GET", "/__sandbox__/counters")
        assert received <= counters["file_bytes_total"] < received + 65_536 < job["fileSize"]
        assert [record.message for record in caplog.records] == []


async def test_ten_waiting_calls_refuse_the_eleventh() -> None:
    """Calls are in flight while their answer waits."""
    async with sandbox(latency_seconds=(600.0, 600.0), speed=6_000) as client:
        codes: list[str] = []

        async def call() -> None:
            answer = await client.json("GET", "/rest/v1/stats/usage.json")
            codes.extend(error["code"] for error in answer.get("errors", []))

        async with anyio.create_task_group() as tasks:
            for _ in range(12):
                tasks.start_soon(call)
        assert codes == ["615", "615"]


async def test_too_large_requests_are_refused() -> None:
    """413 for the body, 414 for the URI, though the HTTP parser would take more."""
    async with sandbox() as client:
        path = "/bulk/v1/leads/export/create.json"
        big = io.BytesIO(b"x" * 1_200_000)
        async with client.session.post(path, headers=client.headers, data=big) as reply:
            assert reply.status == 413
        query = {"fields": "x" * 9_000}
        async with client.session.get("/rest/v1/leads/describe.json", headers=client.headers, params=query) as reply:
            assert reply.status == 414


async def test_the_truth_is_streamed() -> None:
    """One JSON line for each lead."""
    async with sandbox(leads=1_200) as client, client.session.get("/__sandbox__/truth/leads", headers=KEY) as reply:
        lines = (await reply.read()).splitlines()
        assert len(lines) == 1_200
        assert orjson.loads(lines[0])["id"] == 1001


async def test_only_loopback_is_served() -> None:
    """People's data never leaves the machine by mistake."""
    with pytest.raises(ValueError, match="loopback"):
        await serve(small_options(), host="0.0.0.0", ready=print)  # noqa: S104  # the very thing that is refused


def test_the_ready_file_is_written_for_the_owner_alone(tmp_path: Path) -> None:
    """It holds the secret, so nobody else may read it, and no partial file stays."""
    path = tmp_path / "ready.json"
    write_ready(path, Ready("http://127.0.0.1:1", "id", "secret", "key", "123-ABC-456"))
    assert orjson.loads(path.read_bytes())["client_secret"] == "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """From the moment at which the ready file exists, SIGTERM and SIGINT end it with 0 and without a word."""
    path = tmp_path / "ready.json"
    script = (
        "from pathlib import Path; from syncengine.sandbox.options import SandboxOptions; "
        "from syncengine.sandbox.server import run; "
        f"run(SandboxOptions(leads=1, activities=1), ready_file=Path({str(path)!r}))"
    )
    async with await anyio.open_process([sys.executable, "-c", script], stderr=subprocess.PIPE) as process:
        while not path.exists() and process.returncode is None:  # noqa: ASYNC110  # a file raises no event
            await anyio.sleep(0.01)
        process.send_signal(number)
        assert process.stderr is not None
        words = b"".join([part async for part in process.stderr])
        assert (await process.wait(), words) == (0, b"")


async def test_a_file_is_imported_over_http() -> None:
    """aiohttp's own form is understood, and the batch ends with all rows written."""
    rows = "".join(f"new{number}@example.com,Name {number}\n" for number in range(3_000))
    async with sandbox() as client:
        form = FormData()
        form.add_field("file", f"email,lastName\n{rows}".encode(), filename="leads.csv", content_type="text/csv")
        made = await client.json("POST", "/bulk/v1/leads.json", params={"format": "csv"}, data=form)
        batch = made["result"][0]
        while batch["status"] != "Complete":
            batch = (await client.json("GET", f"/bulk/v1/leads/batch/{batch['batchId']}.json"))["result"][0]
            await anyio.sleep(0.005)
        assert batch["numOfLeadsProcessed"] == 3_000
        query = {"filterType": "email", "filterValues": "NEW2999@example.com", "fields": "lastName"}
        assert (await client.json("GET", "/rest/v1/leads.json", params=query))["result"] == [{"lastName": "Name 2999"}]


async def test_a_body_of_ten_megabytes_is_the_most() -> None:
    """One byte more is HTTP 413; other calls keep their megabyte."""
    async with sandbox() as client:
        for path, size in (("/bulk/v1/leads.json", 10_000_001), ("/rest/v1/leads.json", 1_000_001)):
            reply = await client.session.post(
                path, params={"format": "csv"}, data=io.BytesIO(b"x" * size), headers=client.headers
            )
            assert reply.status == 413


async def test_a_call_that_is_cut_was_never_made() -> None:
    """Neither the cut on purpose nor a client that leaves in the middle of its body makes a batch or a count."""
    async with sandbox() as client:
        await client.json("POST", "/__sandbox__/faults", json=[{"action": "cut", "path": "/bulk/*", "bytes": 100_000}])
        with pytest.raises(ClientError):
            await client.session.post("/bulk/v1/leads.json", data=io.BytesIO(b"x" * 9_000_000), headers=client.headers)
        await client.json("POST", "/__sandbox__/faults", json=[])
        target = client.session._base_url  # the session's own address
        assert target is not None
        stream = await anyio.connect_tcp("127.0.0.1", target.port or 0)
        await stream.send(
            b"POST /bulk/v1/leads.json?format=csv HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf"
        )
        await stream.aclose()
        await anyio.sleep(0.05)
        counters = await client.json("GET", "/__sandbox__/counters")
        assert "leads.import.create" not in counters["calls"]
        assert (counters["in_flight"], counters["imports_created"]) == (0, {})


@pytest.mark.parametrize(("action", "batches"), [("drop_before", 0), ("drop_after", 1)])
async def test_the_answer_to_an_import_can_be_lost(action: str, batches: int) -> None:
    """The client sees the same, the batch is there or not."""
    rows = b"email\n" + b"".join(b"p%d@example.com\n" % number for number in range(300_000))
    async with sandbox() as client:
        await client.json("POST", "/__sandbox__/faults", json=[{"action": action, "path": "/bulk/v1/leads.json"}])
        form = FormData()
        form.add_field("file", io.BytesIO(rows), filename="leads.csv")
        with pytest.raises(ClientError):
            await client.json("POST", "/bulk/v1/leads.json", params={"format": "csv"}, data=form)
        async with client.session.get("/__sandbox__/truth/imports", headers=KEY) as reply:
            lines = (await reply.read()).splitlines()
        assert len(lines) == batches
        assert all(orjson.loads(line)["sha256"] == hashlib.sha256(rows).hexdigest() for line in lines)

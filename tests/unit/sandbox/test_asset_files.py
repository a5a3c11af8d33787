"""Tests of the bytes of files, over HTTP too."""

from hashlib import sha256

import pytest
from yarl import URL

from syncengine.sandbox.asset_files import mime_type
from tests.unit.sandbox.asset_caller import asked, known, of_kind
from tests.unit.sandbox.caller import Caller
from tests.unit.sandbox.test_server import sandbox


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.PNG", "image/png"),
        ("a.css", "text/css"),
        ("", "application/octet-stream"),
        ("png", "application/octet-stream"),
    ],
)
def test_the_end_of_a_name_tells_the_type(name: str, expected: str) -> None:
    """In any case; what is unknown is bytes."""
    assert mime_type(name) == expected


def test_files_are_of_many_sizes_and_share_names() -> None:
    """From nothing to two megabytes; an address is good for one of them alone."""
    rows = [line["versions"][0]["row"] for line in of_kind(known(Caller(assets=800)), "file")]
    sizes = [row["size"] for row in rows]
    assert min(sizes) == 0
    assert 1_900_000 < max(sizes) <= 2_000_000
    assert sorted(sizes)[len(sizes) // 2] < 10_000
    assert len({row["name"] for row in rows}) < len(rows) == len({row["url"] for row in rows})


def test_files_are_beside_the_limits() -> None:
    """They need no token, spend no quota and are counted apart; faults strike them, too."""
    caller = Caller(assets=60, calls_per_day=3, calls_per_window=3)
    row = asked(caller, "files")["result"][0]
    path = URL(row["url"]).path
    for _ in range(10):
        assert caller.call("GET", path, headers={"Authorization": ""}).status == 200
    report = caller.instance.report()
    assert (report["files_fetched"], report["codes"]) == (10, {})
    assert caller.control("POST", "faults", [{"path": "/rs/*", "action": "http", "status": 503}]).status == 200
    assert caller.call("GET", path).status == 503


@pytest.mark.parametrize(
    "path", ["/rs/123-ABC-456/images/99999_a", "/rs/123-ABC-456/images/x", "/rs/other/images/14_a"]
)
def test_an_address_of_nothing_is_not_found(path: str) -> None:
    """A plain page says so."""
    assert Caller(assets=60).call("GET", path).status == 404


ODD_NAMES = ("..", "../x", 'a/b\\c:d*e?"<>|', "100%", "100%25", "line\nfeed", "", "#?&", "\U0001f680.png", "x" * 300)


async def test_the_address_in_a_row_leads_to_the_bytes() -> None:
    """It names the host that was called, and is good whatever the file's name is."""
    async with sandbox(assets=200) as client:
        listing = "/rest/asset/v1/files.json?maxReturn=200"
        rows = (await client.json("GET", listing))["result"]
        renamed = [
            {"do": "rename", "kind": "file", "id": row["id"], "name": name}
            for row, name in zip(rows, ODD_NAMES, strict=False)
        ]
        assert len(renamed) == len(ODD_NAMES)
        await client.json("POST", "/__sandbox__/change", json={"assets": renamed})
        truth = {line["id"]: line for line in of_kind(known(Caller(assets=200)), "file")}
        for row in (await client.json("GET", listing))["result"]:
            assert row["url"].startswith(f"http://127.0.0.1:{client.port}/rs/123-ABC-456/images/")
            async with client.session.get(URL(row["url"], encoded=True)) as reply:
                content = await reply.read()
            assert (reply.status, len(content)) == (200, row["size"])
            assert sha256(content).hexdigest() == truth[row["id"]]["versions"][0]["sha256"]

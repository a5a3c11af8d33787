"""Fetching what Marketo lists of a batch."""

from pathlib import Path

import pytest

from syncengine.errors import Unavailable
from syncengine.imports.listed import TRIES, fetch
from syncengine.marketo.endpoints import imports
from tests.scripted import Answer, client_over, refused
from tests.virtual import virtual, virtual_clock

CSV = {"Content-Type": "text/csv"}
FILE = b"email,Import Failure Reason\n" + b"a@x.example,no\n" * 9_000
CALL = imports.failures(imports.LeadImport(), 7)


def files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@virtual
async def test_a_list_is_brought_whole(tmp_path: Path) -> None:
    """Under its name only when it is."""
    told = client_over(virtual_clock(), Answer(body=FILE, headers=CSV))
    assert await fetch(told.client, CALL, tmp_path / "1.failures.csv")
    assert {"1.failures.csv": FILE} == files(tmp_path)
    assert ["/bulk/v1/leads/batch/7/failures.json"] == [each.target for each in told.wire.requests]


@virtual
async def test_a_list_that_broke_off_is_fetched_again(tmp_path: Path) -> None:
    """Its first part alone would be an account with rows missing."""
    broken = Answer(body=FILE, headers=CSV, breaks_at=70_000)
    told = client_over(virtual_clock(), broken, broken, Answer(body=FILE, headers=CSV))
    assert await fetch(told.client, CALL, tmp_path / "1.csv")
    assert (FILE, 3) == ((tmp_path / "1.csv").read_bytes(), len(told.wire.requests))


@virtual
async def test_a_connection_that_keeps_breaking_is_told(tmp_path: Path) -> None:
    """After some tries, with ever longer waits; and nothing half is left."""
    told = client_over(virtual_clock(), Answer(body=FILE, headers=CSV, breaks_at=10))
    with pytest.raises(Unavailable, match=f"broke {TRIES} times"):
        await fetch(told.client, CALL, tmp_path / "1.csv")
    waits = [round(later - at) for at, later in zip(told.wire.sent_at, told.wire.sent_at[1:], strict=False)]
    assert ({}, [5, 10, 15, 20]) == (files(tmp_path), waits)


@virtual
async def test_no_list_is_no_file(tmp_path: Path) -> None:
    """Marketo answers 404 where no row failed; it is believed at the third time."""
    told = client_over(virtual_clock(), Answer(404, b"", CSV))
    assert not await fetch(told.client, CALL, tmp_path / "1.csv")
    waits = [round(later - at) for at, later in zip(told.wire.sent_at, told.wire.sent_at[1:], strict=False)]
    assert ({}, [5, 10]) == (files(tmp_path), waits)


@pytest.mark.parametrize("missed", [1, 2])
@virtual
async def test_a_list_that_appears_a_little_later_is_waited_for(
    tmp_path_factory: pytest.TempPathFactory, missed: int
) -> None:
    """Files can lag behind the status that announces them; taken for none, failed rows would count as imported."""
    folder = tmp_path_factory.mktemp("lists")
    told = client_over(virtual_clock(), *[Answer(404, b"", CSV)] * missed, Answer(body=FILE, headers=CSV))
    assert await fetch(told.client, CALL, folder / "1.csv")
    assert ({"1.csv": FILE}, missed + 1) == (files(folder), len(told.wire.requests))


@virtual
async def test_a_list_with_fewer_rows_than_the_batch_says_is_asked_for_again(tmp_path: Path) -> None:
    """It may not be whole yet; a quoted line end makes no row of its own."""
    short, whole = b"email,Reason\na@x,no\n", b'email,Reason\na@x,"n\no"\n\nb@x,no\n'
    told = client_over(virtual_clock(), *[Answer(body=body, headers=CSV) for body in (short, short, whole)])
    assert await fetch(told.client, CALL, tmp_path / "1.csv", rows=2)
    assert ({"1.csv": whole}, 3) == (files(tmp_path), len(told.wire.requests))


@virtual
async def test_a_list_that_stays_short_is_taken_as_it_is(tmp_path: Path) -> None:
    """What it has is better than nothing: the account says how many are missing."""
    told = client_over(virtual_clock(), Answer(body=b"email,Reason\na@x,no\n", headers=CSV))
    assert await fetch(told.client, CALL, tmp_path / "1.csv", rows=2)
    assert (TRIES, ["1.csv"]) == (len(told.wire.requests), list(files(tmp_path)))


@virtual
async def test_an_error_in_a_files_clothes_is_no_list(tmp_path: Path) -> None:
    """Its type is that of the file; taken for one it would say that nothing failed."""
    told = client_over(virtual_clock(), refused("606", headers=CSV), Answer(body=FILE, headers=CSV))
    assert await fetch(told.client, CALL, tmp_path / "1.csv")
    assert FILE == (tmp_path / "1.csv").read_bytes()
    told = client_over(virtual_clock(), refused("606", headers=CSV))
    with pytest.raises(Unavailable, match="an error came where a list was asked for"):
        await fetch(told.client, CALL, tmp_path / "2.csv")
    assert {"1.csv": FILE} == files(tmp_path)

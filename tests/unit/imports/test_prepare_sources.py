"""Plans from several files, other kinds of sources, and such as cannot be read."""

import gzip
import io
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from syncengine.errors import SourceUnusable
from syncengine.imports.asked import Asked
from syncengine.imports.route import Route
from syncengine.sources import STANDARD_INPUT
from tests.unit.imports.plans import HEADER, LEADS, any_in, asked, planned, sent, written
from tests.unit.imports.table import EMAIL, NAME, SCORE


async def test_files_with_the_same_header_are_one_import(tmp_path: Path) -> None:
    """Also when their columns stand in another order: they are sent in that of the first."""
    one = written(tmp_path, HEADER + b"a@x,A,1\n", "one.csv")
    two = written(tmp_path, b"leadScore,email,firstName\n2,b@x,B\n3,a@x,A\n", "two.csv")
    async with planned(tmp_path, asked(one, two)) as plan:
        assert [b"b@x,B,2\na@x,A,3\n"] == sent(plan)
        assert ([EMAIL, NAME, SCORE], 3, 1) == (list(plan.columns), plan.rows, plan.superseded)
        assert [str(one), str(two)] == [each["name"] for each in plan.sources]


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        (b"email,firstName\n", b"b@x,B\n", "leadScore"),
        (b"firstName,leadScore\n", b"B,2\n", "email"),
    ],
)
async def test_files_with_different_headers_stop(tmp_path: Path, header: bytes, row: bytes, column: str) -> None:
    """Which of them is meant is not guessed, and no row is read."""
    one = written(tmp_path, HEADER + b"a@x,A,1\n", "one.csv")
    two = written(tmp_path, header + row, "two.csv")
    async with planned(tmp_path, asked(one, two)) as plan:
        assert (True, 0, ()) == (plan.stops, plan.rows, plan.chunks)
        assert column in {each.column for each in plan.findings}


async def test_several_compressed_files_are_each_read(tmp_path: Path) -> None:
    """Each is written out in a folder of its own."""
    paths = [
        written(tmp_path, gzip.compress(HEADER + b"%s@x,A,1\n" % name), f"{n}.csv.gz")
        for n, name in enumerate((b"a", b"b", b"c"))
    ]
    async with planned(tmp_path, asked(*paths)) as plan:
        assert [b"a@x,A,1\nb@x,A,1\nc@x,A,1\n"] == sent(plan)
        bodies = [plan.folder / body.path for body in plan.bodies]
        assert [body.sha256 for body in plan.bodies] == [sha256(path.read_bytes()).hexdigest() for path in bodies]
        assert {False} == {Path(body.path).is_absolute() for body in plan.bodies}
        assert [sha256(path.read_bytes()).hexdigest() for path in paths] == [each["sha256"] for each in plan.sources]


async def test_one_map_serves_files_with_other_headings(tmp_path: Path) -> None:
    """Each has some of its headings; one that no file has is told, once."""
    one = written(tmp_path, b"E-Mail,firstName\na@x,A\n", "one.csv")
    two = written(tmp_path, b"firstName,Mail\nB,b@x\n", "two.csv")
    mapping = {"E-Mail": "email", "Mail": "email"}
    async with planned(tmp_path, asked(one, two, mapping=mapping)) as plan:
        assert ([b"a@x,A\nb@x,B\n"], ()) == (sent(plan), plan.findings)
    async with planned(tmp_path, asked(one, two, mapping=mapping | {"Gone": "email"})) as plan:
        assert ["Gone"] == [each.column for each in plan.findings]


async def test_the_same_query_of_another_database_is_another_import(tmp_path: Path) -> None:
    """Nor does its password make one."""
    found = []
    for name in ("a", "b"):
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as database:
            database.execute("CREATE TABLE p AS SELECT 'a@x' AS email")
        address = f"duckdb:///{tmp_path}/{name}.duckdb"
        order = Asked(target=LEADS, database=address, query="SELECT email FROM p", route=Route.BULK)
        async with planned(tmp_path, order) as plan:
            secret = replace(plan, asked=replace(order, database="postgresql://u:one@h/d"))
            found += [plan.fingerprint, secret.fingerprint]
            changed = replace(plan, asked=replace(order, database="postgresql://u:two@h/d"))
            assert secret.fingerprint == changed.fingerprint
    assert (3, found[1]) == (len(set(found)), found[3])


async def test_one_fault_of_two_files_is_told_once(tmp_path: Path) -> None:
    """They have one header."""
    paths = [written(tmp_path, b"email,shoe\na@x,1\n", f"{n}.csv") for n in range(2)]
    async with planned(tmp_path, asked(*paths)) as plan:
        assert 1 == len(plan.findings)


async def test_standard_input_is_read_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be read only once, so it lies in the run's folder; it is told in words."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(HEADER + b"a@x,A,1\n")))
    async with planned(tmp_path, asked("-")) as plan:
        assert [b"a@x,A,1\n"] == sent(plan)
        assert (STANDARD_INPUT, "source-0/source.csv") == (plan.sources[0]["name"], plan.bodies[1].path)


async def test_a_query_gives_rows(tmp_path: Path) -> None:
    """They lie in the spool, whose hash is theirs; the query is known again without showing its password."""
    with duckdb.connect(str(tmp_path / "w.duckdb")) as database:
        database.execute("CREATE TABLE p AS SELECT 'a@x' AS email, 'A' AS n, 7 AS s")
    order = Asked(
        target=LEADS,
        database=f"duckdb:///{tmp_path}/w.duckdb",
        query='SELECT email, n AS "firstName", s AS "leadScore" FROM p',
        route=Route.BULK,
    )
    async with planned(tmp_path, order) as plan:
        assert [b"a@x,A,7\n"] == [each.replace(b"\r", b"") for each in sent(plan)]
        assert (plan.bodies[0].sha256, plan.bodies[0]) == (plan.sources[0]["sha256"], plan.bodies[1])
        assert 64 == len(plan.sources[0]["origin"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (HEADER + b'a@x,"A,1\n', "line 2"),
        (b"PK\x03\x04zip", "is a spreadsheet or an archive"),
    ],
)
async def test_a_source_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path, content: bytes, message: str) -> None:
    """And is told in a sentence."""
    path = written(tmp_path, content)
    with pytest.raises(SourceUnusable, match=message):
        async with planned(tmp_path, asked(path)):
            pass
    assert not any_in(tmp_path / "ours")

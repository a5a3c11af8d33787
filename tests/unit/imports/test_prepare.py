"""From what was asked for to a plan: header, rows, keys, chunks."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from syncengine.errors import ConfigError
from syncengine.imports.bodies import body_of
from syncengine.imports.deal import aside_file
from syncengine.imports.findings import Effect
from syncengine.imports.header import Column
from syncengine.imports.prepare import can_be_read, prepared
from syncengine.imports.route import REST_ROWS_MAX, Route
from tests.unit.imports.plans import HEADER, LEADS, any_in, asked, planned, sent, told, written
from tests.unit.imports.table import EMAIL, FIELDS, NAME, ended, record


async def test_a_clean_file_is_sent_as_it_lies_there(tmp_path: Path) -> None:
    """Nothing is copied: the chunks are ranges of the file, whose hash is kept."""
    path = written(tmp_path, HEADER + b"a@x,A,1\nb@x,B,2\n")
    async with planned(tmp_path, asked(path)) as plan:
        assert [b"a@x,A,1\nb@x,B,2\n"] == sent(plan)
        assert (2, 0, 0, Route.BULK, (), False) == (
            plan.rows,
            plan.quarantined,
            plan.superseded,
            plan.route,
            plan.findings,
            plan.stops,
        )
        digest = sha256(path.read_bytes()).hexdigest()
        assert [("spool.csv", 0), (str(path), path.stat().st_size)] == [(body.path, body.size) for body in plan.bodies]
        assert (digest, digest) == (plan.bodies[1].sha256, plan.sources[0]["sha256"])
        assert (("000001.arrow", 2, 16),) == plan.chunks
        assert 16 == plan.bytes


async def test_rows_are_set_aside_and_superseded(tmp_path: Path) -> None:
    """The rest is sent; each row is in one place, and the findings tell how many."""
    path = written(tmp_path, HEADER + b"a@x,A,1\nragged\nb@x,B,x\n\nA@x,A2,2\n,C,3\n")
    async with planned(tmp_path, asked(path)) as plan:
        assert [b"A@x,A2,2\n"] == sent(plan)
        assert (5, 3, 1) == (plan.rows, plan.quarantined, plan.superseded)
        assert [1, 2, 3, 5] == [row for row, _, _ in ended(aside_file(plan.folder))]
        tells = "has a row with the same key further down, which is imported in its place"
        assert [
            (Effect.TELLS, "the line", "is blank and holds no row", 1),
            (Effect.TELLS, "the row", tells, 1),
        ] == told(plan)[-2:]
        assert {Effect.SETS_ASIDE} == {effect for effect, _, _, _ in told(plan)[:-2]}
        assert not plan.stops


@pytest.mark.parametrize("allow_clear", [False, True])
async def test_empty_cells_are_refused_unless_they_are_meant(tmp_path: Path, *, allow_clear: bool) -> None:
    """They clear fields of people whom Marketo has."""
    path = written(tmp_path, HEADER + b"a@x,,1\nb@x,,\n")
    async with planned(tmp_path, asked(path, allow_clear=allow_clear)) as plan:
        effect = Effect.TELLS if allow_clear else Effect.STOPS
        what = "has empty cells, which clear the field in Marketo"
        assert [(effect, "firstName", what, 2), (effect, "leadScore", what, 1)] == told(plan)
        assert (not allow_clear, 1 if allow_clear else 0, 2) == (plan.stops, len(plan.chunks), plan.rows)


async def test_a_header_alone_is_told(tmp_path: Path) -> None:
    """There is nothing to import, and nothing that stops."""
    async with planned(tmp_path, asked(written(tmp_path, HEADER))) as plan:
        assert [(Effect.TELLS, "the sources", "hold no row below their header", None)] == told(plan)
        assert (0, (), False) == (plan.rows, plan.chunks, plan.stops)


async def test_a_header_that_is_wrong_stops_before_a_row_is_read(tmp_path: Path) -> None:
    """Without its key nobody knows whom a row means; other faults are told with what the rows have."""
    path = written(tmp_path, b"e-mail,firstName\na@x,A\n")
    async with planned(tmp_path, asked(path)) as plan:
        assert (True, 0) == (plan.stops, plan.rows)
    path = written(tmp_path, b"email,frstName,leadScore\na@x,A,x\n")
    async with planned(tmp_path, asked(path)) as plan:
        assert [(Effect.STOPS, "frstName"), (Effect.SETS_ASIDE, "leadScore")] == [each[:2] for each in told(plan)]
        assert (True, 1, ()) == (plan.stops, plan.rows, plan.chunks)


async def test_columns_are_mapped_and_left_out(tmp_path: Path) -> None:
    """What is left out is not sent."""
    path = written(tmp_path, b"Notes,E-Mail,First\nx,a@x,A\n")
    mapping = {"Notes": "", "E-Mail": "email", "First": "firstName"}
    async with planned(tmp_path, asked(path, mapping=mapping)) as plan:
        assert [b"a@x,A\n"] == sent(plan)
        assert [Column("email", "email", 255, 1, is_key=True), replace(NAME, place=2)] == list(plan.columns)


async def test_a_plan_that_is_begun_keeps_its_folder(tmp_path: Path) -> None:
    """Under the name that it was given; the caller's own error is raised, and a plan that is dropped is gone."""
    path = written(tmp_path, HEADER + b"a@x,A,1\n")
    async with planned(tmp_path, asked(path)) as plan:
        plan.folder.rename(tmp_path / "kept")
    assert ["000001.arrow", "aside.arrow", "source-0", "spool.csv"] == sorted(any_in(tmp_path / "kept"))
    with pytest.raises(ZeroDivisionError):
        async with planned(tmp_path, asked(path)):
            _ = 1 // 0
    assert not any_in(tmp_path / "ours")


async def test_chunks_are_filled_to_the_file_that_marketo_takes(tmp_path: Path) -> None:
    """Each but the last to within a row."""
    rows = [record((f"p{n:05}@x.example", "N" * 10, "1")) for n in range(1_000)]
    path = written(tmp_path, HEADER + b"".join(rows))
    async with planned(tmp_path, asked(path), file_bytes=10_000) as plan:
        assert b"".join(rows) == b"".join(sent(plan))
        assert all(plan.room - len(rows[0]) < size <= plan.room for _, _, size in plan.chunks[:-1])
        assert -(-plan.bytes // plan.room) == len(plan.chunks)


async def test_calls_take_three_hundred_rows(tmp_path: Path) -> None:
    """And a file where a row is too large for any of them, unless calls were asked for."""
    rows = b"".join(b"p%d@x,N,1\n" % n for n in range(301))
    path = written(tmp_path, HEADER + rows)
    async with planned(tmp_path, asked(path, route=Route.AUTO)) as plan:
        assert (Route.REST, [300, 1]) == (plan.route, [count for _, count, _ in plan.chunks])
    large = written(tmp_path, HEADER + rows + b"z@x,%s,1\n" % (b"x" * 20), "large.csv")
    async with planned(tmp_path, asked(large, route=Route.AUTO), has_ingestion=True) as plan:
        assert (Route.INGESTION, [302]) == (plan.route, [count for _, count, _ in plan.chunks])
    assert 3_000 == REST_ROWS_MAX


async def test_rows_that_only_a_file_can_carry_take_the_others_with_them(tmp_path: Path) -> None:
    """Where any way will do; where calls were asked for they are set aside."""
    fields = (*FIELDS[:1], replace(FIELDS[1], length=None, data_type="text"))
    path = written(tmp_path, b"email,firstName\na@x,A\nb@x,%s\n" % (b"x" * 300_000))
    ways = []
    for route in (Route.AUTO, Route.REST):
        (tmp_path / route.value).mkdir()
        order = asked(path, route=route)
        reading = prepared(
            order,
            fields,
            tmp_path / route.value,
            has_ingestion=False,
            file_bytes_max=10_000_000,
            observe=lambda _: None,
        )
        async with reading as plan:
            ways.append((plan.route, plan.quarantined, [count for _, count, _ in plan.chunks]))
    assert [(Route.BULK, 0, [2]), (Route.REST, 1, [1])] == ways


async def test_a_way_that_does_not_do_is_refused(tmp_path: Path) -> None:
    """In a sentence, and nothing is left behind."""
    path = written(tmp_path, HEADER + b"a@x,A,1\n")
    with pytest.raises(ConfigError, match="--route ingestion does not do"):
        async with planned(tmp_path, asked(path, route=Route.INGESTION)):
            pass
    assert not any_in(tmp_path / "ours")


async def test_the_same_import_has_the_same_fingerprint(tmp_path: Path) -> None:
    """Of where to, what from, and how it is read; not of the way it goes or the policy."""
    path = written(tmp_path, HEADER + b"a@x,A,1\n")
    orders = [
        asked(path),
        asked(path, route=Route.REST),
        asked(path, failures_max=0.9),
        asked(path, allow_clear=True),
        replace(asked(path), target=replace(LEADS, list_id=4)),
        asked(path, encoding="utf-8"),
    ]
    found = []
    for order in orders:
        async with planned(tmp_path, order) as plan:
            found.append(plan.fingerprint)
    written(tmp_path, HEADER + b"a@x,A,2\n")
    async with planned(tmp_path, asked(path)) as plan:
        found.append(plan.fingerprint)
    assert [True, True, True, False, False, False, False] == [each == found[0] for each in found]


async def test_another_map_is_another_import(tmp_path: Path) -> None:
    """Names that were swapped and are put right are not the unfinished run with the wrong ones."""
    path = written(tmp_path, b"email,a,b\na@x,A,1\nb@x,1,2\n")
    fields = (*FIELDS[:2], replace(FIELDS[2], data_type="string"))
    found = set()
    for one, other in (("firstName", "leadScore"), ("leadScore", "firstName")):
        order = asked(path, mapping={"a": one, "b": other})
        reading = prepared(order, fields, tmp_path, has_ingestion=False, file_bytes_max=9_999, observe=lambda _: None)
        async with reading as plan:
            assert not plan.stops
            found.add(plan.fingerprint)
    assert 2 == len(found)


def test_files_are_known_by_their_bytes(tmp_path: Path) -> None:
    """And by their place: relative to our folder where they lie in it, as that gets another name."""
    path = written(tmp_path, b"abc")
    digest = sha256(b"abc").hexdigest()
    assert {"path": "people.csv", "size": 3, "sha256": digest} == body_of(path, tmp_path).facts()
    assert str(path) == body_of(path, tmp_path / "ours").path


def test_sources_are_read_when_they_have_the_same_columns() -> None:
    """And a key among them."""
    assert can_be_read([(EMAIL, NAME), (EMAIL, NAME)])
    assert not can_be_read([(EMAIL, NAME), (EMAIL,)])
    assert not can_be_read([(EMAIL,), (NAME,)])
    assert not can_be_read([(NAME,), (NAME,)])
    assert not can_be_read([()])

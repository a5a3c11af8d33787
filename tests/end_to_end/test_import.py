"""Files and queries of every kind into the sandbox, by every route: each lead is its row, cell by cell, and once."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.imported import (
    SCHEMA,
    Ended,
    Person,
    imported,
    key_of,
    keys_of,
    known_keys,
    people,
    query,
    quoted,
    ran,
    write_csv,
    write_duckdb,
    write_jsonl,
    write_parquet,
    write_postgres,
    wrong,
)
from tests.end_to_end.processes import Sandbox, command, days_ago, sandbox, settle, started, write_config
from tests.servers import postgres_server

ROWS = 700
SPEED = 600.0
HEADER = ",".join(SCHEMA.names).encode()
# So small that a few hundred rows fill a chunk.
SMALL_CHUNKS = "[imports]\nfile_bytes = 100000\n"


@dataclass(frozen=True)
class Stage:
    """A sandbox with the leads that it has by now, and a folder with a configuration for it."""

    running: Sandbox
    folder: Path
    before: Sequence[Person]

    def people(self, count: int = ROWS) -> list[dict[str, Any]]:
        """Rows that are new to the sandbox but for the first ninety."""
        prefix = "".join(each for each in self.folder.name.lower() if each.isalnum())
        return list(people(count, prefix=prefix, known=known_keys(self.before, 90)))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One instance for all tests of this file, which bring people of their own."""
    with sandbox(tmp_path_factory.mktemp("instance"), leads=300, activities=100, speed=SPEED) as started_one:
        yield started_one


@pytest.fixture
def stage(running: Sandbox, tmp_path: Path) -> Stage:
    """The instance as a test finds it."""
    write_config(tmp_path, running.base_url, running.speed, more=SMALL_CHUNKS)
    return Stage(running, tmp_path, list(running.truth("leads")))


def assert_whole(stage: Stage, ended: Ended, rows: Sequence[Person], *, chunks_min: int = 2) -> None:
    """Every row is accounted for, every lead is its row, and nobody is there twice."""
    distinct = len(keys_of(rows))
    assert ended.code == 0, ended.said
    assert {"imported": distinct, "superseded": len(rows) - distinct} == ended.counts
    assert len(rows) == ended.report["rows"]
    assert ended.report["chunks"] >= chunks_min
    assert [] == wrong(stage.running, stage.before, rows)
    assert [] == list(stage.running.truth("duplicate_leads"))
    assert "superseded.csv" in ended.report["files"]
    summary = read_summary(ended)
    assert {**ended.report, "files": summary["files"]} == summary
    assert [] == [path for path in (stage.folder / "state" / "imports").rglob("*") if path.is_file()]


def read_summary(ended: Ended) -> Any:
    """The account that lies in the run's folder."""
    return json.loads((Path(ended.report["folder"]) / "summary.json").read_bytes())


def rows_of(ended: Ended, name: str) -> list[dict[str, str]]:
    """The rows of a file of the account."""
    with (Path(ended.report["folder"]) / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


FILES: dict[str, Callable[[Path, Sequence[Person]], object]] = {
    "people.csv": write_csv,
    "people, CR LF.csv": lambda path, rows: write_csv(path, rows, line_end="\r\n"),
    "people.tsv": lambda path, rows: write_csv(path, rows, delimiter="\t"),
    "semicolons.csv": lambda path, rows: write_csv(path, rows, delimiter=";"),
    "people.csv.gz": write_csv,
    "people.jsonl": write_jsonl,
    "people.ndjson.gz": write_jsonl,
    "people.parquet": write_parquet,
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_any_kind_is_imported_cell_by_cell(stage: Stage, name: str) -> None:
    """In several chunks of bulk import, some people being known before."""
    rows = stage.people()
    FILES[name](stage.folder / name, rows)
    ended = imported("leads", name, "--route", "bulk", "--allow-clear", folder=stage.folder)
    assert_whole(stage, ended, rows)
    assert [name] == ended.report["sources"]


def test_standard_input_is_imported_cell_by_cell(stage: Stage) -> None:
    """What is piped in is a file like any other."""
    rows = stage.people()
    given = write_csv(stage.folder / "given.csv", rows)
    ended = imported("leads", "-", "--route", "bulk", "--allow-clear", folder=stage.folder, given=given)
    assert_whole(stage, ended, rows)


def test_a_query_of_duckdb_is_imported_cell_by_cell(stage: Stage) -> None:
    """Numbers, truths, days and instants keep their values on the way through text."""
    rows = stage.people()
    address = write_duckdb(stage.folder / "people.duckdb", rows)
    words = ("--from", address, "--query", query(), "--route", "bulk", "--allow-clear")
    assert_whole(stage, imported("leads", *words, folder=stage.folder), rows)


def test_a_query_of_postgres_is_imported_cell_by_cell(stage: Stage) -> None:
    """The same from a server."""
    rows = stage.people()
    with postgres_server() as server:
        address = write_postgres(server.conninfo, rows)
        words = ("--from", address, "--query", query(), "--route", "bulk", "--allow-clear")
        assert_whole(stage, imported("leads", *words, folder=stage.folder), rows)


def test_several_files_are_one_import(stage: Stage) -> None:
    """Of a key that stands in two files the later file's row goes in; each file keeps its own rows, packed or not."""
    rows = stage.people(1_200)
    names = ("first.csv.gz", "second.csv.gz", "third.jsonl.gz", "fourth.csv")
    for place, name in enumerate(names):
        part = rows[place * 300 : place * 300 + 300]
        (write_jsonl if "jsonl" in name else write_csv)(stage.folder / name, part)
    ended = imported("leads", *names, "--route", "bulk", "--allow-clear", folder=stage.folder)
    assert_whole(stage, ended, rows)


def test_a_file_that_fits_into_one_chunk_arrives_as_it_is(stage: Stage) -> None:
    """Byte for byte: the sandbox's own parser of forms hands on the very file, quotes and line ends included."""
    rows = [row for number, row in enumerate(stage.people(300)) if key_of(number) == number]
    path = write_csv(stage.folder / "people.csv", rows, line_end="\r\n")
    ended = imported("leads", "people.csv", "--route", "bulk", "--allow-clear", folder=stage.folder)
    (batch_id,) = ended.report["batches"]
    (batch,) = (each for each in stage.running.truth("imports") if each["batchId"] == batch_id)
    with_lf = path.read_bytes().replace(HEADER + b"\r\n", HEADER + b"\n", 1)
    assert (len(with_lf), sha256(with_lf).hexdigest()) == (batch["size"], batch["sha256"])


def test_the_synchronous_route_brings_the_same(stage: Stage) -> None:
    """It is what a few thousand rows take by themselves: 300 a call."""
    rows = stage.people()
    write_csv(stage.folder / "people.csv", rows)
    ended = imported("leads", "people.csv", "--allow-clear", folder=stage.folder)
    assert_whole(stage, ended, rows)
    assert "rest" == ended.report["route"]
    assert -(-len(keys_of(rows)) // 300) == ended.report["chunks"]


def test_the_ingestion_route_brings_the_same(stage: Stage) -> None:
    """Where the subscription has it, 1,000 a call; the account says what such an answer does not tell."""
    more = f'[imports]\ningestion = true\ningestion_url = "{stage.running.base_url}"\n'
    write_config(stage.folder, stage.running.base_url, SPEED, more=more)
    rows = stage.people(1_200)
    write_parquet(stage.folder / "people.parquet", rows)
    ended = imported("leads", "people.parquet", "--allow-clear", folder=stage.folder)
    settle(stage.running)
    assert_whole(stage, ended, rows)
    assert "ingestion" == ended.report["route"]
    assert -(-len(keys_of(rows)) // 1_000) == ended.report["chunks"]
    assert ended.report["chunks"] == ended.report["calls"]
    assert "Observability" in ended.report["notes"][0]


def test_rows_that_marketo_refuses_or_warns_about_are_told_and_can_be_sent_again(stage: Stage) -> None:
    """Each with its line and Marketo's reason; mended, they go in by `retry-failed`."""
    rows = stage.people(400)
    for number in (17, 390):
        rows[number] |= {"contractDate": "2023-02-30"}
    rows[44] |= {"email": "no address at all"}
    write_csv(stage.folder / "people.csv", rows)
    ended = imported("leads", "people.csv", "--route", "bulk", "--allow-clear", folder=stage.folder)
    distinct = len(keys_of(rows))
    assert 1 == ended.code
    counts = {"imported": distinct - 3, "warned": 1, "failed": 2, "superseded": len(rows) - distinct}
    assert counts == ended.counts
    failed = rows_of(ended, "failed.csv")
    assert ["18", "391"] == [row["row"] for row in failed]
    assert {"Invalid data type in field Contract Date"} == {row["reason"] for row in failed}
    assert [("45", "Invalid email address")] == [(row["row"], row["reason"]) for row in rows_of(ended, "warnings.csv")]
    replay = Path(ended.report["folder"]) / "replay.csv"
    replay.write_bytes(replay.read_bytes().replace(b"2023-02-30", b"2023-02-28"))
    for number in (17, 390):
        rows[number] |= {"contractDate": "2023-02-28"}
    again = ran("imports", "retry-failed", ended.report["run_id"], folder=stage.folder)
    assert (0, {"imported": 2}) == (again.code, again.counts)
    assert [] == wrong(stage.running, stage.before, rows)


def test_rows_that_cannot_go_in_are_quarantined_with_their_line(stage: Stage) -> None:
    """Nothing that is certain to fail is sent; what is wrong with it stands beside it."""
    rows = stage.people(300)
    rows[10] |= {"email": "jörg@example.com"}
    rows[11] |= {"email": " "}
    rows[12] |= {"firstName": "x" * 256}
    rows[13] |= {"leadScore": "many"}
    write_csv(stage.folder / "people.csv", rows)
    ended = imported("leads", "people.csv", "--route", "bulk", "--allow-clear", folder=stage.folder)
    assert 1 == ended.code
    assert 4 == ended.counts["quarantined"]
    kept = rows_of(ended, "quarantine.csv")
    assert ["11", "12", "13", "14"] == [row["row"] for row in kept]
    assert "email has characters beyond ASCII, which Marketo refuses" == kept[0]["reason"]
    lines = (stage.folder / "people.csv").read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    # A row begins on its line with its first cell, which for these has nothing that a spreadsheet would run.
    assert [line_start(rows[number]) for number in range(10, 14)] == [
        lines[int(row["line"]) - 1].decode()[: len(line_start(rows[number]))] for number, row in enumerate(kept, 10)
    ]
    assert [] == wrong(stage.running, stage.before, [*rows[:10], *rows[14:]])


def line_start(row: Person) -> str:
    """How the first line of a row begins in a file with commas."""
    return quoted(str(row["firstName"]), ",").splitlines()[0]


@pytest.mark.parametrize("route", ["bulk", "rest"])
def test_custom_objects_are_imported(stage: Stage, route: str) -> None:
    """Each record is its row, found by its dedupe field."""
    header = ["vIN", "color", "year", "price", "isLeased", "boughtOn"]
    cars = [[f"{route}{n}", f'red, "{n}"', str(n), f"{n / 4}", "true", "2024-02-29"] for n in range(700)]
    with (stage.folder / "cars.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *cars])
    ended = imported("custom-objects", "car_c", "cars.csv", "--route", route, folder=stage.folder)
    assert (0, {"imported": 700}) == (ended.code, ended.counts), ended.said
    there = [row for row in stage.running.truth("custom_objects/car_c") if str(row["vIN"]).startswith(route)]
    found = [[row["vIN"], row["color"], row["year"], row["price"], row["isLeased"], row["boughtOn"]] for row in there]
    wanted = [[vin, color, int(year), float(price), True, day] for vin, color, year, price, _, day in cars]
    assert wanted == sorted(found, key=lambda car: car[2])


def test_program_members_are_imported(stage: Stage) -> None:
    """People become members with the status that was asked for, those that are new as well."""
    rows = stage.people(500)
    write_csv(stage.folder / "members.csv", rows)
    program = next(each for each in stage.running.truth("programs") if each["channel"] == "Tradeshow")
    words = ("program-members", str(program["id"]), "members.csv", "--status", "Invited", "--allow-clear")
    ended = imported(*words, folder=stage.folder)
    assert_whole(stage, ended, rows, chunks_min=1)
    ids = {lead["id"] for lead in stage.running.truth("leads") if str(lead["email"]).casefold() in keys_of(rows)}
    members = [each for each in stage.running.truth("program_members") if each["programId"] == program["id"]]
    of_ours = [each for each in members if each["leadId"] in ids]
    assert ids == {each["leadId"] for each in of_ours}
    assert len(ids) == len(of_ours)
    assert {"Invited"} == {each["statusName"] for each in of_ours}


def test_an_import_goes_in_while_a_sync_runs(tmp_path: Path) -> None:
    """Both end well, share the instance's limits, and the next sync brings what was imported."""
    with sandbox(tmp_path, leads=3_000, activities=4_000, years=1.5, speed=300) as running:
        write_config(tmp_path, running.base_url, running.speed, more=SMALL_CHUNKS, start=days_ago(549))
        stage = Stage(running, tmp_path, list(running.truth("leads")))
        rows = stage.people()
        write_csv(tmp_path / "people.csv", rows)
        with started("sync", "--log", "-", folder=tmp_path) as sync:
            assert sync.stderr is not None
            assert any(b'"state":"QUEUED"' in line for line in sync.stderr)
            ended = imported("leads", "people.csv", "--route", "bulk", "--allow-clear", folder=tmp_path)
            sync.stderr.read()
            assert sync.wait(120) == 0
        assert_whole(stage, ended, rows)
        counters = running.counters()
        assert counters["largest_window"] <= 100
        assert counters["most_in_flight"] <= 10
        settle(running)
        done = command("sync", "--quiet", folder=tmp_path)
        assert done.returncode == 0, done.stderr

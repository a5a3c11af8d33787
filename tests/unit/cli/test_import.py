"""`syncengine import` against a sandbox: what is told, and the exit codes."""

import io
import itertools
from pathlib import Path

import duckdb
import pytest

from tests.unit.cli.live import Shell

NAMES = itertools.count()


def people(count: int) -> list[str]:
    """A header and so many new people."""
    start = next(NAMES)
    return ["email,firstName,leadScore", *(f"p{start}-{n}@x.example,N{n},{n}" for n in range(count))]


def test_a_file_of_people_goes_in(shell: Shell) -> None:
    """Exit 0, what became of the rows, and where the account is."""
    code, out = shell.run("import", "leads", shell.file("people.csv", *people(3)))
    assert (0, []) == (code, [line for line in shell.told.splitlines() if "Traceback" in line])
    (account,) = shell.accounts()
    assert [
        f"Import {account.name} into leads",
        "outcome   rows  file",
        "imported     3",
        f"The account is in {account}.",
    ] == [line.rstrip() for line in out.splitlines()[-5:-1]]
    assert out.splitlines()[-1].startswith("Done: 3 rows, ")
    assert ["summary.json"] == [path.name for path in account.iterdir()]


def test_rows_that_do_not_go_in_end_with_1(shell: Shell) -> None:
    """And are told with their files, which can be sent again."""
    file = shell.file("people.csv", *people(20), f"bad{next(NAMES)}@x.example,B,9999999999", "c@x.example,C,many")
    code, value = shell.as_json("import", "leads", file)
    report = value["report"]
    assert (1, "partial", 22) == (code, report["outcome"], report["rows"])
    assert (20, 1, 1) == tuple(report["counts"][name] for name in ("imported", "failed", "quarantined"))
    assert ["summary.json", "failed.csv", "quarantine.csv", "replay.csv"] == report["files"]
    code, out = shell.run("imports", "retry-failed", report["run_id"])
    assert 1 == code
    assert "1 of 1 rows go into leads by " in out


def test_programs_read_one_value(shell: Shell) -> None:
    """The plan with its findings, and the report; people's lines go to standard error then."""
    file = shell.file("people.csv", *people(2), "", "dot@x.example,D,x")
    code, value = shell.as_json("import", "leads", file, "--max-failures", "100%")
    assert (1, {"plan", "report"}) == (code, set(value))
    plan = value["plan"]
    assert (3, 2, 1, "rest", False) == (plan["rows"], plan["sent"], plan["quarantined"], plan["route"], plan["stops"])
    assert [
        ("set aside", "leadScore", "is no whole number", 1, [f"{file} line 5"]),
        ("for information", "the line", "is blank and holds no row", 1, []),
    ] == [tuple(each[key] for key in ("effect", "column", "what", "rows", "examples")) for each in plan["findings"]]
    assert "The account is in " in shell.told


def test_a_dry_run_sends_nothing(shell: Shell) -> None:
    """It shows the plan and ends with 0, or with 2 when something has to be mended."""
    file = shell.file("people.csv", *people(3))
    code, out = shell.run("import", "leads", file, "--dry-run")
    assert (0, "A dry run: nothing was sent.") == (code, out.splitlines()[-1])
    assert "3 of 3 rows go into leads by rest: 1 chunk, " in out
    code, value = shell.as_json("import", "leads", file, "--dry-run", "--route", "bulk")
    assert (0, None, "bulk") == (code, value["report"], value["plan"]["route"])
    code, _ = shell.run("import", "leads", shell.file("wrong.csv", "email,shoe", "a@x.example,1"), "--dry-run")
    assert (2, [], "[]") == (code, shell.accounts(), str(shell.as_json("imports")[1]))


def test_what_stops_an_import_ends_with_2(shell: Shell) -> None:
    """With what to do about it, and nothing is sent."""
    file = shell.file("people.csv", "email,First Name,leadScore", "a@x.example,A,", "b@x.example,B,1")
    code, out = shell.run("import", "leads", file)
    assert (2, []) == (code, shell.accounts())
    assert "did you mean 'firstName'?" in out
    assert "has empty cells, which clear the field in Marketo" in out
    assert "--allow-clear" in out
    assert out.splitlines()[-1].startswith("Nothing was sent: mend what stops the import")
    code, value = shell.as_json("import", "leads", file)
    assert (2, None, True) == (code, value["report"], value["plan"]["stops"])


def test_a_map_and_leave_to_clear_mend_it(shell: Shell) -> None:
    """As the findings say."""
    file = shell.file("people.csv", "email,First Name,leadScore", f"m{next(NAMES)}@x.example,A,")
    mapped = shell.file("map.toml", "[columns]", '"First Name" = "firstName"')
    code, value = shell.as_json("import", "leads", file, "--map", mapped, "--allow-clear")
    assert (0, ["email", "firstName", "leadScore"]) == (code, value["plan"]["columns"])


def test_time_that_is_over_ends_with_9(shell: Shell) -> None:
    """The run is resumed later, by its id."""
    file = shell.file("people.csv", *people(3))
    code, value = shell.as_json("import", "leads", file, "--route", "bulk", "--max-wait", "1s")
    report = value["report"]
    assert (9, "waiting", 3) == (code, report["outcome"], report["counts"]["waiting"])
    assert f"To go on: syncengine imports resume {report['run_id']}" in shell.told
    code, value = shell.as_json("imports", "resume", report["run_id"])
    assert (9, "waiting") == (code, value["outcome"])  # on the run's own terms, unless other ones are given
    code, value = shell.as_json("imports", "resume", report["run_id"], "--max-wait", "2h")
    assert (0, 3) == (code, value["counts"]["imported"])


def test_standard_input_is_a_file_too(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told in words."""
    text = "".join(f"{line}\n" for line in people(2))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code, value = shell.as_json("import", "leads", "-")
    assert (0, ["standard input"], 2) == (code, value["plan"]["sources"], value["report"]["counts"]["imported"])


def test_a_query_is_a_source_too(shell: Shell, tmp_path: Path) -> None:
    """Its columns are the header."""
    with duckdb.connect(str(tmp_path / "w.duckdb")) as database:
        database.execute(f"CREATE TABLE p AS SELECT 'q{next(NAMES)}@x.example' AS email, 7 AS score")
    query = 'SELECT email, score AS "leadScore" FROM p'
    code, value = shell.as_json("import", "leads", "--from", "duckdb:///w.duckdb", "--query", query)
    assert (0, 1) == (code, value["report"]["counts"]["imported"])


def test_custom_objects_and_members_go_in(shell: Shell) -> None:
    """By their own commands."""
    cars = shell.file("cars.csv", "vIN,color", f"VIN{next(NAMES)},red")
    code, value = shell.as_json("import", "custom-objects", "car_c", cars)
    assert (0, "custom object car_c") == (code, value["report"]["target"])
    members = shell.file("members.csv", *people(2))
    code, _ = shell.run("import", "program-members", "4001", members, "--status", "Nowhere")
    assert 2 == code
    status = shell.told.split(" has '")[1].split("'")[0]
    code, value = shell.as_json("import", "program-members", "4001", members, "--status", status)
    assert (0, "members of program 4001") == (code, value["report"]["target"])


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no file": (("leads",), "no file was named"),
    "a file that is not there": (("leads", "nowhere.csv"), "nowhere.csv"),
    "a folder": (("leads", "."), "."),
    "both file and query": (
        ("leads", "people.csv", "--from", "duckdb:///x", "--query", "SELECT 1"),
        "rows come from files or from a query, not from both",
    ),
    "a query without a database": (("leads", "--query", "SELECT 1"), "--from and --query go together"),
    "an unknown kind of database": (
        ("leads", "--from", "mysql://x", "--query", "SELECT 1"),
        "rows come from postgresql:// or duckdb:/// addresses",
    ),
    "a database that is not there": (("leads", "--from", "duckdb:///no.duckdb", "--query", "SELECT 1"), "no.duckdb"),
    "standard input twice": (("leads", "-", "-"), "standard input (-) is read alone"),
    "standard input beside a file": (("leads", "-", "people.csv"), "standard input (-) is read alone"),
    "an unknown lookup field": (
        ("leads", "people.csv", "--lookup-field", "emial"),
        "--lookup-field 'emial' is no field of leads. Did you mean 'email'?",
    ),
    "an unknown list": (("leads", "people.csv", "--list-id", "99"), "there is no static list 99"),
    "an unknown partition": (("leads", "people.csv", "--partition", "Mars"), "there is no partition 'Mars'"),
    "an unknown program": (
        ("program-members", "99", "people.csv", "--status", "On List"),
        "there is no program 99",
    ),
    "an unknown status": (("program-members", "4001", "people.csv", "--status", "Nowhere"), "has no status 'Nowhere'"),
    "an unknown custom object": (("custom-objects", "cra_c", "people.csv"), "did you mean 'car_c'?"),
    "a list with a way that knows none": (
        ("leads", "people.csv", "--list-id", "2001", "--route", "rest"),
        "--route rest does not do for this import",
    ),
    "a way that the subscription lacks": (
        ("leads", "people.csv", "--route", "ingestion"),
        "--route ingestion does not do for this import",
    ),
    "no share": (("leads", "people.csv", "--max-failures", "lots"), "--max-failures 'lots' is no share"),
    "no length of time": (("leads", "people.csv", "--max-wait", "soon"), "--max-wait 'soon' is no length of time"),
    "an endless wait": (("leads", "people.csv", "--max-wait", "99999999999d"), "is no length of time"),
    "a map that is not there": (("leads", "people.csv", "--map", "no.toml"), "the map no.toml cannot be read"),
    "an unknown encoding": (("leads", "people.csv", "--encoding", "klingon"), "klingon"),
    "a wrong encoding": (("leads", "latin.csv"), "latin.csv, line 2"),
    "an empty file": (("leads", "empty.csv"), "empty.csv is empty: not even a header"),
    "an unclosed quote": (("leads", "quote.csv"), "quote.csv, line 2"),
    "no status": (("program-members", "4001", "people.csv"), "--status"),
    "no number": (("leads", "people.csv", "--list-id", "many"), "many"),
}


@pytest.mark.parametrize("what", WRONG)
def test_bad_input_gets_a_sentence(shell: Shell, what: str) -> None:
    """Exit 2, what is wrong in words, no traceback, and nothing is sent or left behind."""
    shell.file("people.csv", *people(2))
    (shell.folder / "latin.csv").write_bytes("email,firstName\na@x.example,Jörg\n".encode("latin-1"))
    (shell.folder / "empty.csv").write_bytes(b"")
    (shell.folder / "quote.csv").write_bytes(b'email,firstName\na@x.example,"A\n')
    words, message = WRONG[what]
    code, out = shell.run("import", *words)
    assert (2, True, False) == (code, message in shell.told, "Traceback" in shell.told + out)
    assert [] == shell.accounts()
    assert [] == list(shell.folder.glob("state/imports/acme/*"))


HARMLESS: dict[str, tuple[list[str], dict[str, int]]] = {
    "a header alone": (["email,firstName"], {}),
    "a NUL": (["email,firstName", "nul{n}@x.example,a\0b", "ok{n}@x.example,A"], {"imported": 1, "quarantined": 1}),
    "ragged rows": (
        ["email,firstName", "r{n}@x.example", "s{n}@x.example,A,B", "t{n}@x.example,A"],
        {"imported": 1, "quarantined": 2},
    ),
    "a column of wrong types": (["email,leadScore", *["w{n}@x.example,many"] * 3], {"quarantined": 3}),
    "one key many times": (["email,firstName", *["k{n}@x.example,A"] * 500], {"imported": 1, "superseded": 499}),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_bad_rows_are_told_one_by_one(shell: Shell, what: str) -> None:
    """Each lands in its file with its line, the rest goes in, and the numbers add up."""
    lines, counts = HARMLESS[what]
    number = next(NAMES)
    file = shell.file("people.csv", *[line.replace("{n}", str(number)) for line in lines])
    code, value = shell.as_json("import", "leads", file)
    report = value["report"]
    assert counts == {name: count for name, count in report["counts"].items() if count}
    assert len(lines) - 1 == report["rows"] == sum(counts.values())
    assert (1 if "quarantined" in counts else 0) == code
    if not counts:
        assert ["hold no row below their header"] == [each["what"] for each in value["plan"]["findings"]]

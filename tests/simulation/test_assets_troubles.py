"""Pulls of assets in trouble: the report says what is missing, the rest is there, and the next pull completes."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from syncengine.assets.desk import Desk
from syncengine.assets.parts import chosen_kinds, full_is_due
from syncengine.errors import QuotaExhausted
from tests.simulation.assets import Library, Meddler, asked_twice, contents, contents_asked
from tests.simulation.seeded import seeded
from tests.simulation.small import quick_folder

DESIGNS = ("email_v2", "email_template_v2", "fragment")
EMAIL = "/rest/asset/v1/email/14/content.json"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    """A folder for what a simulated machine keeps."""
    with quick_folder(tmp_path) as folder:
        yield folder


def failing(code: str, path: str, **more: Any) -> dict[str, Any]:
    """A rule that lets calls fail."""
    return {"action": "error", "code": code, "path": path, **more}


def documents(library: Library, kind: str, number: int) -> list[dict[str, Any]]:
    """The files of an asset's versions."""
    lying = (path for path in contents(library.folder) if re.search(rf"\.{kind}(\.draft)?\.json$", path))
    read = [orjson.loads((library.folder / path).read_bytes()) for path in lying]
    return [each for each in read if each["id"] == number]


@seeded
async def test_a_part_that_marketo_does_not_give_is_noted_and_costs_nothing_else(room: Path) -> None:
    """709 is a rule of the asset's own: its other parts are there, its file says what is not, and all is done."""
    library = Library(room)
    library.faults(failing("709", EMAIL, message="Business rule violated"))
    report = await library.pull()
    assert ("done", ()) == (report.outcome, report.problems)
    mine = documents(library, "email", 14)
    assert [line for line in report.notes if line.startswith("email 14 ") and line.endswith("no content (709)")]
    assert all(each["unavailable"] == {"content": "709"} and each["html"] for each in mine)
    wrong = library.problems()
    assert len(mine) == len({line.partition(": other ")[0] for line in wrong}) > 0


@seeded
async def test_nothing_found_is_an_empty_part(room: Path) -> None:
    """702 for one content is no trouble: the file has nothing there, and all others are as they have to be."""
    library = Library(room)
    library.faults(failing("702", EMAIL, message="No data"))
    report = await library.pull()
    assert ("done", ()) == (report.outcome, report.problems)
    assert all("content" not in each["content"] for each in documents(library, "email", 14))
    assert {": other content"} == {line[line.index(": other") :] for line in library.problems()}


@seeded
async def test_an_asset_that_goes_between_its_list_and_its_content_is_gone_in_the_next_pull(room: Path) -> None:
    """Marketo answers with a warning and no result: the pull goes on, and the next one removes what it had listed."""
    library = Library(room, latency_seconds=(0.0, 0.0))
    victims = [
        ("email", 14),
        ("landing-page", 4_001),
        ("snippet", 14),
        ("fragment", 14),
        ("program", library.ids("program")[0]),
    ]
    there = [(kind, number) for kind, number in victims if number in library.ids(kind)]
    assert len(there) > 3

    def delete(_: int) -> None:
        library.change(*({"do": "delete", "kind": kind, "id": number} for kind, number in there))

    report = await library.pull(wrap=lambda wire: Meddler(wire, [34], delete))
    assert "done" == report.outcome, report.problems
    assert [line for line in library.problems() if "too much" in line]
    await library.pull()
    assert [] == library.problems()
    assert await library.fresh() == contents(library.folder)


@seeded
async def test_an_instance_without_the_new_designer_lacks_nothing(room: Path) -> None:
    """It answers 610 to these paths: the report names the kinds that it has not, and all is done."""
    library = Library(room, assets_v2=False)
    report = await library.pull()
    assert ("done", DESIGNS, ()) == (report.outcome, report.absent, report.problems)
    assert [] == library.problems()


@pytest.mark.parametrize(
    ("kind", "path", "code"),
    [
        ("program", "/rest/asset/v1/programs.json", "603"),
        ("form", "/rest/asset/v1/forms.json", "611"),
        ("landing_page_template", "/rest/asset/v1/landingPageTemplates.json", "603"),
        ("email_v2", "/rest/asset/v2/email/filter", "611"),
    ],
)
@seeded
async def test_a_list_that_cannot_be_read_costs_its_kind_alone(room: Path, kind: str, path: str, code: str) -> None:
    """What lay there of it stays, all other kinds come, and the next pull brings what was missing."""
    library = Library(room)
    await library.pull()
    await library.later()
    library.change(asset_churn={"edit": 13, "move": 3}, seed=5)
    before = {each: body for each, body in contents(library.folder).items() if f".{kind}." in each}
    library.faults(failing(code, path, message="no"))
    report = await library.pull()
    assert ("partial", {"603": ("PermissionDenied",), "611": ("Unavailable",)}[code]) == (report.outcome, report.errors)
    (problem,) = report.problems
    assert problem.startswith(f"{kind}: ")
    assert code in problem
    assert kind not in {each.kind for each in report.kinds}
    assert before == {each: body for each, body in contents(library.folder).items() if f".{kind}." in each}
    assert [] == [line for line in library.problems() if f".{kind}." not in line and " lies in " not in line]
    library.faults()
    assert "done" == (await library.pull()).outcome
    assert [] == library.problems()


@seeded
async def test_without_folders_nothing_is_touched(room: Path) -> None:
    """Nobody knows where anything lies: no file is moved, written or removed, and the report says why."""
    library = Library(room)
    await library.pull()
    await library.later()
    library.change(asset_churn={"edit": 4, "move": 4, "rename": 4, "delete": 4}, seed=5)
    before = contents(library.folder)
    library.faults(failing("603", "/rest/asset/v1/folders.json", message="Access denied"))
    report = await library.pull()
    assert ("partial", ("PermissionDenied",)) == (report.outcome, report.errors)
    assert before == contents(library.folder)
    library.faults()
    await library.pull()
    assert await library.fresh() == contents(library.folder)


@pytest.mark.parametrize("path", [EMAIL, "/rest/asset/v2/email/bulk/get", "/rest/asset/v1/program/{program}.json"])
@seeded
async def test_a_content_that_never_comes_costs_its_asset_alone(room: Path, path: str) -> None:
    """The report names it, everything else is there; the next pull fetches it and nothing else."""
    library = Library(room)
    library.faults(failing("611", path.format(program=library.ids("program")[0]), message="System error"))
    report = await library.pull()
    assert "partial" == report.outcome
    assert report.problems
    assert all("611" in line for line in report.problems)
    missing = library.problems()
    assert len(missing) == len(report.problems)
    assert all(line.endswith("is missing") for line in missing)
    library.faults()
    library.heard.clear()
    assert "done" == (await library.pull()).outcome
    assert len(contents_asked(library.heard)) == len({line.split(",")[1] for line in missing})
    assert [] == library.problems()


@pytest.mark.parametrize("is_ours", [True, False])
@seeded
async def test_calls_that_are_used_up_end_the_pull_and_tomorrow_it_goes_on(room: Path, is_ours: bool) -> None:
    """What was fetched is kept and not fetched again, whether we hold our own bound or Marketo says 607."""
    library = Library(room, calls_per_day=120 if is_ours else 50_000)
    if not is_ours:
        library.faults(failing("607", "/rest/asset/*", nth=120, times=1))
    with pytest.raises(QuotaExhausted) as raised:
        await library.pull()
    kept = contents(library.folder)
    assert [line for line in library.problems() if "missing" in line]
    assert [] == [line for line in library.problems() if "other" in line]
    await library.clock.sleep((raised.value.resume_at - library.clock.now()).total_seconds() + 1.0)
    for _ in range(4):
        try:
            report = await library.pull()
        except QuotaExhausted as error:
            await library.clock.sleep((error.resume_at - library.clock.now()).total_seconds() + 1.0)
        else:
            break
    assert "done" == report.outcome
    assert [] == library.problems()
    assert kept.items() <= contents(library.folder).items()


@pytest.mark.parametrize("way", ["short lives", "602"])
@seeded
async def test_a_token_that_ends_in_the_middle_costs_nothing(room: Path, way: str) -> None:
    """Marketo's tokens live for seconds, or a call is told that its own is over: all is fetched all the same."""
    library = Library(room, token_seconds=20.0 if way == "short lives" else 3_600.0)
    if way != "short lives":
        library.faults(failing(way, "/rest/asset/v1/*", nth=90, times=1, message="Access token expired"))
    report = await library.pull()
    assert ("done", ()) == (report.outcome, report.problems)
    assert library.server.report()["calls"]["identity"] > 1
    assert [] == library.problems()
    assert [] == library.broken_limits()


@pytest.mark.parametrize("action", ["drop_after", "truncate", "http"])
@seeded
async def test_answers_that_break_off_are_asked_for_again(room: Path, action: str) -> None:
    """Gateways and broken lines, every fifteenth call: all is there, and nothing is there in part."""
    library = Library(room)
    library.faults({"action": action, "path": "/rest/asset/*", "every": 15, "bytes": 30, "status": 502})
    report = await library.pull()
    assert ("done", ()) == (report.outcome, report.problems)
    assert [] == library.problems()


@pytest.mark.parametrize("action", ["truncate", "reset", "http"])
@seeded
async def test_bytes_of_a_file_that_never_come_whole_cost_that_file_alone(room: Path, action: str) -> None:
    """No half file lies in the folder; the report names it, and the next pull brings it and no other."""
    kinds = chosen_kinds(("file",))
    library = Library(room, assets=120)
    large = max(library.server.data.assets.of("file"), key=lambda one: one.facts["size"])
    rule = {"action": action, "bytes": 300, "status": 404}
    library.faults({**rule, "path": f"/rs/*/{large.id}_*"})
    assert large.facts["size"] > 300
    report = await library.pull(with_files=True, kinds=kinds)
    fetched = library.server.report()["files_fetched"]
    assert "partial" == report.outcome
    assert any(f"file {large.id} " in line for line in report.problems)
    assert [] == documents(library, "file", large.id)
    library.faults()
    assert "done" == (await library.pull(with_files=True, kinds=kinds)).outcome
    assert library.server.report()["files_fetched"] == fetched + 1
    assert await library.fresh(with_files=True, kinds=kinds) == contents(library.folder)


@seeded
async def test_two_pulls_of_one_kind_of_call_ask_nothing_twice_after_a_trouble(room: Path) -> None:
    """What came before a list could not be read is not asked for again by the next pull."""
    library = Library(room)
    library.faults(failing("603", "/rest/asset/v1/emails.json", message="Access denied"))
    await library.pull()
    library.faults()
    await library.pull()
    lists = re.compile(r"s\.json\?(status|offset|maxReturn|root)|segmentation|/filter|identity|byName")
    assert [] == [each for each in asked_twice(library.heard) if not lists.search(each)]


@seeded
async def test_a_kind_that_fails_halfway_loses_no_file(room: Path) -> None:
    """Its files were moved to their new names already, when its contents could not be fetched: they stay there."""
    library = Library(room)
    await library.pull()
    await library.later()
    renamed = [{"do": "rename", "kind": "form", "id": number, "name": f"A{number}"} for number in library.ids("form")]
    library.change(*renamed)
    before = sorted(path for path in contents(library.folder) if ".form." in path)
    library.faults(failing("603", "/rest/asset/v1/form/*/fields.json"))
    report = await library.pull()
    assert ("partial", ("PermissionDenied",)) == (report.outcome, report.errors)
    after = sorted(path for path in contents(library.folder) if ".form." in path)
    assert len(before) == len(after)
    assert before != after
    library.faults()
    assert "done" == (await library.pull()).outcome
    assert [] == library.problems()


@seeded
async def test_a_fetch_that_fails_is_no_deletion(room: Path) -> None:
    """What is neither in the folder nor could be fetched is there all the same: no table says that it is gone."""
    library = Library(room)
    kinds = chosen_kinds(("form",))
    await library.pull(kinds=kinds, with_tables=True)
    number = library.ids("form")[0]
    for path in list(contents(library.folder)):
        if ".form." in path and orjson.loads((library.folder / path).read_bytes())["id"] == number:
            (library.folder / path).unlink()
    library.faults(failing("611", f"/rest/asset/v1/form/{number}/fields.json"))
    report = await library.pull(kinds=kinds, with_tables=True)
    assert "partial" == report.outcome
    with duckdb.connect(str(library.warehouse), read_only=True) as warehouse:
        gone = warehouse.sql("SELECT id FROM marketo.asset_form WHERE _deleted_at IS NOT NULL").fetchall()
        told = warehouse.sql("SELECT id FROM marketo.asset_history WHERE gone").fetchall()
    assert ([], []) == (gone, told)


@seeded
async def test_a_list_without_pages_that_is_empty_once_loses_nothing(room: Path) -> None:
    """All segmentations seem to be gone in one answer: it is asked again before that is believed."""
    library = Library(room, assets=200)
    kinds = chosen_kinds(("segmentation",))
    await library.pull(kinds=kinds)
    before = contents(library.folder)
    assert [path for path in before if ".segmentation." in path]
    library.faults(failing("702", "/rest/asset/v1/segmentation.json", message="No data", times=2))
    report = await library.pull(kinds=kinds)
    assert () == report.changes
    assert before == contents(library.folder)


@seeded
async def test_a_full_pull_that_misses_a_content_is_due_again(room: Path) -> None:
    """Only one that brought all of them counts for the time until the next."""
    library = Library(room)
    kinds, week = chosen_kinds(("form",)), timedelta(days=7)

    async def is_due(desk: Desk) -> bool:
        return await full_is_due(desk.parts.store, desk.parts.instance, week, library.clock.now())

    library.faults(failing("611", f"/rest/asset/v1/form/{library.ids('form')[0]}/fields.json"))
    await library.pull(kinds=kinds, full=True)
    assert await library.do(is_due)
    library.faults()
    await library.pull(kinds=kinds, full=True)
    assert not await library.do(is_due)

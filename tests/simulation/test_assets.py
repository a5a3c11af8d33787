"""Pulls of assets: what lies in the folder afterwards, what a second pull costs, and what it makes of changes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from syncengine.asset_reports import AssetChange
from syncengine.assets.parts import chosen_kinds
from syncengine.assets.places import UNFILED
from syncengine.config import AssetSettings
from tests.simulation.assets import Library, asked_twice, contents, contents_asked, marks
from tests.simulation.seeded import seeded
from tests.simulation.small import quick_folder
from tests.unit.exports.opened import opened, settings_for
from tests.virtual import virtual

CHURN = {"edit": 20, "move": 5, "rename": 5, "delete": 5}
WHAT = {"edit": "changed", "move": "moved", "rename": "renamed", "delete": "removed", "create": "added"}
# Their lists say all there is of them.
ROW_ONLY = {"channel", "file", "redirect-rule", "static-list", "landing-page-domain"}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    """A folder for what a simulated machine keeps."""
    with quick_folder(tmp_path) as folder:
        yield folder


Told = dict[tuple[str, str], tuple[str, ...]]


def told(changes: tuple[AssetChange, ...]) -> Told:
    """What became of each asset, kinds as the sandbox calls them."""
    return {(each.kind.replace("_", "-"), str(each.id)): each.what for each in changes}


def expected(done: list[dict[str, Any]]) -> Told:
    """What has to be told of what was done, each asset being changed once."""
    return {(each["kind"], str(each["id"])): (WHAT[each["do"]],) for each in done}


def with_contents(done: list[dict[str, Any]], *verbs: str) -> set[tuple[str, str]]:
    """The assets of which more has to be asked after changes of some sorts."""
    return {(each["kind"], str(each["id"])) for each in done if each["do"] in verbs and each["kind"] not in ROW_ONLY}


async def pulled_as_anew(library: Library, **asked: Any) -> None:
    """Pull, and compare the folder with the truth, and byte by byte with one that is pulled anew."""
    report = await library.pull(**asked)
    assert report.outcome == "done", report.problems
    assert [] == library.problems()
    assert await library.fresh() == contents(library.folder)


@pytest.mark.parametrize("seed", [3, 7])
@seeded
async def test_a_pull_brings_all_that_the_instance_has(room: Path, seed: int) -> None:
    """Every kind, version, row, part and document lies in one file in its place, nothing else does; within limits."""
    library = Library(room, seed, assets=120)
    report = await library.pull()
    assert ("done", ()) == (report.outcome, report.problems)
    assert [] == library.problems()
    assert [] == library.broken_limits()
    assert [] == asked_twice(library.heard)
    assert len(library.heard) == report.calls == sum(report.calls_by_name.values())
    assert all(each.versions == each.fetched and each.added for each in report.kinds)
    assert not list(library.folder.rglob(UNFILED))


@seeded
async def test_a_large_instance_is_pulled_whole_and_then_costs_its_lists(room: Path) -> None:
    """200 programs, 3 workspaces and 2,000 assets: as the truth has them, within all limits, and 50 calls later on.

    Without emails and pages, whose contents are half of all calls.
    """
    library = Library(room, programs=200, workspaces=3, assets=2_000, campaigns=20)
    kinds = chosen_kinds((), ("email", "landing_page"))
    assert "done" == (await library.pull(kinds=kinds)).outcome
    assert [] == library.problems(kinds=kinds)
    library.heard.clear()
    before = marks(library.folder)
    assert (await library.pull(kinds=kinds)).calls < 50
    assert set() == contents_asked(library.heard)
    assert before == marks(library.folder)
    assert [] == library.broken_limits()


@seeded
async def test_a_second_pull_reads_lists_and_touches_no_file(room: Path) -> None:
    """Nothing has changed: no content is asked for, and bytes, inodes and times of all files are as before."""
    library = Library(room)
    await library.pull()
    before, bytes_before = marks(library.folder), contents(library.folder)
    library.heard.clear()
    await library.later(86_400.0)
    report = await library.pull()
    assert ("done", ()) == (report.outcome, report.changes)
    assert set() == contents_asked(library.heard)
    assert (before, bytes_before) == (marks(library.folder), contents(library.folder))
    assert all(not each.fetched and bool(each.unchanged) == bool(each.versions) for each in report.kinds)


@pytest.mark.parametrize("seed", [1, 2])
@seeded
async def test_a_comparison_names_what_was_done_and_the_next_pull_fetches_only_that(room: Path, seed: int) -> None:
    """Edits, moves, renames and deletions of all kinds: told one by one, fetched once, and then as if pulled anew."""
    library = Library(room, assets=110)
    await library.pull()
    await library.later()
    done = library.change(asset_churn=CHURN, seed=seed)
    before, bytes_before = marks(library.folder), contents(library.folder)
    found = await library.diff()
    assert expected(done) == told(found.changes)
    assert (before, bytes_before) == (marks(library.folder), contents(library.folder))
    library.heard.clear()
    report = await library.pull()
    assert told(report.changes) == expected(done)
    assert with_contents(done, "edit", "rename") == contents_asked(library.heard)
    # A list of several parts in which something is missing is read twice before that is believed to be gone.
    assert [] == [target for target in asked_twice(library.heard) if "/filter?" not in target]
    await pulled_as_anew(library)


@pytest.mark.parametrize("seed", [4, 5])
@seeded
async def test_pulls_after_change_upon_change_end_as_one_anew(room: Path, seed: int) -> None:
    """Three rounds of changes with a pull after each: no trace of what was before is left in the folder."""
    library = Library(room, seed)
    await library.pull()
    for number in range(3):
        await library.later()
        library.change(asset_churn={"edit": 4, "move": 6, "rename": 6, "delete": 3}, seed=seed * 10 + number)
        await library.pull()
        assert [] == library.problems()
    assert await library.fresh() == contents(library.folder)


@pytest.mark.parametrize("kind", ["folder", "program"])
@pytest.mark.parametrize("verb", ["rename", "move"])
@seeded
async def test_what_lies_in_a_folder_goes_with_it(room: Path, kind: str, verb: str) -> None:
    """A folder or program that is renamed or moved takes all along; none of what lies in it is fetched or named."""
    library = Library(room)
    store = library.server.data.assets
    await library.pull()
    await library.later()
    mine = [one for one in store.of(kind) if not one.facts.get("isSystem")]
    chosen = max(mine, key=lambda one: len(store.children(one.as_place)))
    assert len(store.children(chosen.as_place)) > 1
    below = (chosen, *store.below(chosen.as_place))
    target = next(one for one in mine if one not in below and one.as_place != chosen.place)
    if kind == "program":
        target = next(one for one in store.of("folder") if store.takes(one, kind) and one.as_place != chosen.place)
    change = {"name": "Quite another name"} if verb == "rename" else {"to": target.as_place.reference()}
    done = library.change({"do": verb, "kind": kind, "id": chosen.id, **change})
    library.heard.clear()
    report = await library.pull()
    assert expected(done) == told(report.changes)
    assert with_contents(done, "rename") == contents_asked(library.heard)
    await pulled_as_anew(library)


@seeded
async def test_assets_may_exchange_their_names(room: Path) -> None:
    """Two emails of one folder, and two folders of another: each file has the content of the asset that it names."""
    library = Library(room)
    store = library.server.data.assets
    await library.pull()
    await library.later()
    done = []
    for kind in ("email", "folder"):
        for one in store.of(kind):
            twins = [each for each in store.of(kind) if each.place == one.place and each.name != one.name]
            if twins and not one.facts.get("isSystem") and not twins[0].facts.get("isSystem"):
                names = one.name, twins[0].name
                done += library.change(
                    {"do": "rename", "kind": kind, "id": one.id, "name": names[1]},
                    {"do": "rename", "kind": kind, "id": twins[0].id, "name": names[0]},
                )
                break
    assert len(done) == 4
    assert expected(done) == told((await library.diff()).changes)
    await pulled_as_anew(library)


@pytest.mark.parametrize("kind", ["email", "landing-page"])
@seeded
async def test_assets_of_one_name_may_exchange_their_places(room: Path, kind: str) -> None:
    """Three of them go round in a circle of folders: their files do the same, and nothing is fetched for it."""
    library = Library(room, workspaces=1, assets=100)
    store = library.server.data.assets
    homes = [one.as_place.reference() for one in store.of("folder") if store.takes(one, kind)][:3]
    made = [library.change({"do": "create", "kind": kind, "name": "Same", "to": home})[0] for home in homes]
    await library.pull()
    moves = zip(made, [*homes[1:], homes[0]], strict=True)
    done = library.change(*({"do": "move", "kind": kind, "id": each["id"], "to": home} for each, home in moves))
    library.heard.clear()
    report = await library.pull()
    assert len(done) == 3
    assert expected(done) == told(report.changes)
    assert set() == contents_asked(library.heard)
    await pulled_as_anew(library)


@seeded
async def test_a_name_that_is_free_may_be_taken_by_another_asset(room: Path) -> None:
    """One asset is deleted, a second one takes its name and place, a third one is new and takes that of the second."""
    library = Library(room)
    await library.pull()
    await library.later()
    gone, heir = library.asset("form", 0), library.asset("form", 1)
    assert gone.place is not None
    assert heir.place is not None
    place, name = gone.place.reference(), heir.name
    home = heir.place.reference()
    done = library.change(
        {"do": "delete", "kind": "form", "id": gone.id},
        {"do": "rename", "kind": "form", "id": heir.id, "name": gone.name},
        {"do": "create", "kind": "form", "name": name, "to": home, "version": "approved"},
    )
    if place != home:
        library.change({"do": "move", "kind": "form", "id": heir.id, "to": place})
    found = told((await library.diff()).changes)
    assert {"form"} == {kind for kind, _ in found}
    assert ("removed",) == found["form", str(gone.id)]
    assert "renamed" in found["form", str(heir.id)]
    assert ("added",) == found["form", str(done[-1]["id"])]
    await pulled_as_anew(library)


@seeded
async def test_a_name_may_change_in_its_case_alone(room: Path) -> None:
    """On any file system: an email in capitals, the folder that it lies in too, and one beside it that is alike now."""
    library = Library(room)
    await library.pull()
    await library.later()
    email, folder = library.asset("email", 3), library.asset("folder", 2)
    assert email.place is not None
    library.change(
        {"do": "rename", "kind": "email", "id": email.id, "name": email.name.swapcase()},
        {"do": "rename", "kind": "folder", "id": folder.id, "name": folder.name.swapcase()},
        {"do": "create", "kind": "email", "name": email.name, "to": email.place.reference()},
    )
    await pulled_as_anew(library)
    paths = [path.casefold() for path in contents(library.folder)]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize("kind", ["form", "segmentation", "snippet", "email"])
@seeded
async def test_what_has_another_name_is_told_to_be_renamed_alone(room: Path, kind: str) -> None:
    """Its date is new, also where its dynamic content or its segments repeat it: what it holds is as before."""
    library = Library(room, assets=120)
    kinds = chosen_kinds((kind.replace("-", "_"),))
    await library.pull(kinds=kinds)
    await library.later()
    found = library.server.data.assets.of(kind)
    asset = max(found, key=lambda one: one.facts.get("segmentation") or 0)
    library.change({"do": "rename", "kind": kind, "id": asset.id, "name": "Quite another name"})
    report = await library.pull(kinds=kinds)
    assert [("renamed",)] == [each.what for each in report.changes]


@seeded
async def test_a_program_that_is_renamed_is_told_alone(room: Path) -> None:
    """The designs that lie in it show its name, as others show their folder's: nothing has become of them."""
    library = Library(room, assets=120)
    store = library.server.data.assets
    await library.pull(kinds=chosen_kinds(("program", "email_v2")))
    await library.later()
    inside = next(one for one in store.of("email-v2") if one.place is not None and one.place.kind == "program")
    assert inside.place is not None
    done = library.change({"do": "rename", "kind": "program", "id": inside.place.id, "name": "Quite another name"})
    report = await library.pull(kinds=chosen_kinds(("program", "email_v2")))
    assert expected(done) == told(report.changes)


@pytest.mark.parametrize("kind", ["email", "email-v2", "smart-campaign"])
@seeded
async def test_what_is_moved_out_of_a_program_is_told_to_be_moved_alone(room: Path, kind: str) -> None:
    """Which program it lies in is where it lies, whatever else of the program its row repeats."""
    library = Library(room, assets=120, campaigns=12)
    store = library.server.data.assets
    await library.pull(kinds=chosen_kinds(("program", kind.replace("-", "_"))))
    await library.later()
    asset = next(one for one in store.of(kind) if one.place is not None and one.place.kind == "program")
    target = next(one for one in store.of("folder") if store.takes(one, kind))
    library.change({"do": "move", "kind": kind, "id": asset.id, "to": target.as_place.reference()})
    report = await library.pull(kinds=chosen_kinds(("program", kind.replace("-", "_"))))
    assert [("moved",)] == [each.what for each in report.changes]


@pytest.mark.parametrize("kind", ["email", "landing-page", "form", "email-template"])
@seeded
async def test_drafts_come_and_go_beside_what_is_approved(room: Path, kind: str) -> None:
    """An edit makes a draft's file, approval or its being discarded removes it; what is approved stays as it lies."""
    library = Library(room, assets=120)
    kinds = chosen_kinds((kind.replace("-", "_"), "landing_page_template"))
    await library.pull(kinds=kinds)
    asset = next(one for one in library.server.data.assets.of(kind) if set(one.versions) == {"approved"})

    async def changed_to(*endings: str) -> None:
        report = await library.pull(kinds=kinds)
        assert {(kind, str(asset.id)): ("changed",)} == told(report.changes)
        assert [] == library.problems(kinds=kinds)
        (path,) = {(each.path or each.path_before).removesuffix(".draft") for each in report.changes}
        lying = {file.removeprefix(path) for file in contents(library.folder) if file.startswith(path)}
        assert {ending for ending in lying if ending.endswith(".json")} == set(endings)

    await library.later()
    approved = contents(library.folder)
    library.change({"do": "edit", "kind": kind, "id": asset.id})
    await changed_to(".json", ".draft.json")
    assert approved.items() <= contents(library.folder).items()
    asset.versions.pop("draft")
    await changed_to(".json")
    assert approved == contents(library.folder)
    await library.later()
    library.change({"do": "edit", "kind": kind, "id": asset.id})
    await library.pull(kinds=kinds)
    library.change({"do": "approve", "kind": kind, "id": asset.id})
    await changed_to(".json")
    assert await library.fresh(kinds=kinds) == contents(library.folder)


@pytest.mark.parametrize("kind", ["email", "landing_page", "email_v2"])
@seeded
async def test_a_kind_that_is_pulled_alone_is_as_in_a_pull_of_all(room: Path, kind: str) -> None:
    """Its files, and those of the folders, byte by byte and in their places; no other kind is asked for."""
    library = Library(room)
    only = await library.fresh(kinds=chosen_kinds((kind,)))
    whole = await library.fresh()
    mine = (f".{kind}.", ".folder.", ".syncengine-assets.")
    assert {path: body for path, body in whole.items() if any(each in path for each in mine)} == only


@seeded
async def test_kinds_that_are_left_out_stay_as_they_are(room: Path) -> None:
    """A pull of emails alone moves, changes and removes no file of another kind; the next whole pull brings all."""
    library = Library(room)
    await library.pull()
    await library.later()
    done = library.change(asset_churn=CHURN, seed=8)
    before = contents(library.folder)
    report = await library.pull(kinds=chosen_kinds(("email",)))
    assert {each.kind for each in report.changes} <= {"email", "folder"}
    others = {path: body for path, body in before.items() if ".email." not in path and ".folder." not in path}
    assert others.items() <= contents(library.folder).items()
    wrong = [line for line in library.problems(kinds=("email", "folder")) if " lies in " not in line]
    assert {line for line in wrong if ".email." in line or ".folder." in line or "missing" in line} == set()
    rest = told((await library.diff()).changes)
    assert {key: what for key, what in expected(done).items() if key[0] not in {"email", "folder"}} == rest
    await pulled_as_anew(library)


@seeded
async def test_a_full_pull_finds_what_bumped_no_date(room: Path) -> None:
    """Marketo dates no change of a token's value: an ordinary pull cannot see it, one of all contents does."""
    library = Library(room)
    await library.pull()
    program = next(one for one in library.server.data.assets.of("program") if one.facts["tokens"])
    program.facts["tokens"] = [token | {"value": "quite another"} for token in program.facts["tokens"]]
    assert () == (await library.pull()).changes
    before = marks(library.folder)
    report = await library.pull(full=True)
    assert {("program", str(program.id)): ("changed",)} == told(report.changes)
    touched = {path for path, mark in marks(library.folder).items() if before[path] != mark}
    assert {f"{each.path}.json" for each in report.changes} == touched
    assert [] == library.problems()


@seeded
async def test_bytes_of_files_are_brought_once(room: Path) -> None:
    """They lie beside the file's description, byte for byte; a second pull fetches none, and a changed one anew."""
    library = Library(room, assets=120)
    report = await library.pull(with_files=True)
    fetched = library.server.report()["files_fetched"]
    assert (report.outcome, report.problems) == ("done", ())
    assert fetched == len(library.ids("file")) > 5
    assert report.files_bytes == sum(one.facts["size"] for one in library.server.data.assets.of("file"))
    before = marks(library.folder)
    assert 0 == (await library.pull(with_files=True)).files_bytes
    assert (fetched, before) == (library.server.report()["files_fetched"], marks(library.folder))
    await library.later()
    library.change({"do": "edit", "kind": "file", "id": library.ids("file")[0]})
    await library.pull(with_files=True)
    assert library.server.report()["files_fetched"] == fetched + 1
    assert await library.fresh(with_files=True) == contents(library.folder)


@virtual
async def test_a_sync_brings_streams_and_assets_through_one_queue(tmp_path: Path) -> None:
    """With a path for assets: one report with both, the folder and its tables are there, and no limit is broken."""
    settings = settings_for(tmp_path, assets=AssetSettings(path=tmp_path / "assets", kinds=("email", "program")))
    few: Mapping[str, Any] = {"assets": 30, "programs": 3, "workspaces": 1}
    async with opened(settings, **few) as here:
        report = await here.engine.sync()
        counters = here.marketo.report()
    assert "done" == report.outcome
    assert {"leads", "activities"} == {each.stream for each in report.streams}
    assert report.assets is not None
    assert ("done", ["folder", "program", "email"]) == (
        report.assets.outcome,
        [each.kind for each in report.assets.kinds],
    )
    assert (counters["largest_window"] <= 100, counters["most_in_flight"] <= 10) == (True, True)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as database:
        for each in report.assets.kinds:
            count = f"SELECT count(*) FROM marketo.asset_{each.kind}"
            assert [(each.versions,)] == database.execute(count).fetchall()


@virtual
async def test_what_is_missing_of_the_assets_is_missing_of_the_sync(tmp_path: Path) -> None:
    """A list that may not be read makes the whole run partial; the streams and the other kinds are there."""
    settings = settings_for(tmp_path, assets=AssetSettings(path=tmp_path / "assets", kinds=("email", "program")))
    denied = {"action": "error", "code": "603", "path": "/rest/asset/v1/emails.json"}
    async with opened(settings, denied, assets=30, programs=3, workspaces=1) as here:
        report = await here.engine.sync()
    assert ("partial", ("PermissionDenied",)) == (report.outcome, report.errors)
    assert report.assets is not None
    assert ("partial", ["folder", "program"]) == (report.assets.outcome, [each.kind for each in report.assets.kinds])
    assert all(not each.problems for each in report.streams)
    assert list((tmp_path / "assets").rglob("*.program.json"))


@seeded
async def test_bytes_of_files_stay_as_long_as_the_file_is_the_same(room: Path) -> None:
    """Also through a pull of all contents that does not ask for bytes; of a file that changed no old bytes are left."""
    library = Library(room)
    kinds = chosen_kinds(("file",))
    await library.pull(kinds=kinds, with_files=True)
    before = marks(library.folder)
    await library.pull(kinds=kinds, full=True)
    assert before == marks(library.folder)
    await library.later()
    number = library.ids("file")[0]
    library.change({"do": "edit", "kind": "file", "id": number})
    (change,) = (await library.pull(kinds=kinds)).changes
    assert [f"{change.path}.json"] == [path for path in contents(library.folder) if path.startswith(f"{change.path}.")]
    await library.pull(kinds=kinds, with_files=True)
    assert 2 == len([path for path in contents(library.folder) if path.startswith(f"{change.path}.")])


@virtual
async def test_a_sync_brings_its_streams_whatever_keeps_the_assets_from_coming(tmp_path: Path) -> None:
    """A folder that is not ours is left as it is, and a file in the way spoils the pull: the streams are brought."""
    folder = tmp_path / "assets"
    settings = settings_for(tmp_path, assets=AssetSettings(path=folder, kinds=("channel",)))
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    async with opened(settings, assets=0, programs=3, workspaces=1) as here:
        report = await here.engine.sync()
        assert ("partial", ("ConfigError",)) == (report.outcome, report.errors)
        assert all(each.rows or not each.problems for each in report.streams)
        assert ["notes.txt"] == [path.name for path in folder.iterdir()]
        (folder / "notes.txt").unlink()
        assert "done" == (await here.engine.sync()).outcome
        for path in (folder / "_instance").iterdir():
            path.unlink()
            path.mkdir()
        report = await here.engine.sync()
    assert ("partial", ("StateUnusable",)) == (report.outcome, report.errors)
    assert not any(each.problems for each in report.streams)


@seeded
async def test_a_quick_pull_asks_long_lists_for_what_is_newer_alone(room: Path) -> None:
    """Two calls, however long the list is: what has a later date is brought, and what is gone shows in the count."""
    library = Library(room, lists=900)
    kinds = chosen_kinds(("static_list",))
    await library.pull(kinds=kinds)
    await library.later()
    one, two, three = library.ids("static-list")[:3]
    home = {"type": "Folder", "id": library.ids("folder")[-1]}
    library.change({"do": "rename", "kind": "static-list", "id": one, "name": "Another name"})
    library.change({"do": "move", "kind": "static-list", "id": two, "to": home})
    report = await library.pull(kinds=kinds, quick=True)
    assert {("static-list", str(one)): ("renamed",)} == told(report.changes)
    assert 2 == report.calls_by_name["static_list.list"]
    report = await library.pull(kinds=kinds)
    assert {("static-list", str(two)): ("moved",)} == told(report.changes)
    assert 5 == report.calls_by_name["static_list.list"]
    library.change({"do": "delete", "kind": "static-list", "id": three})
    report = await library.pull(kinds=kinds, quick=True)
    assert {("static-list", str(three)): ("removed",)} == told(report.changes)

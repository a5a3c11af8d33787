"""A watched folder against a small instance, in virtual time."""

import os
from pathlib import Path

import orjson
import pytest

from syncengine.errors import StateUnusable
from syncengine.service.folders.inbox import LOOK_SECONDS, Inbox
from tests.unit.imports.world import people
from tests.unit.service.folders.watched import BULK, watched
from tests.virtual import virtual


@virtual
async def test_a_dropped_file_is_imported_once_it_stands_still(tmp_path: Path) -> None:
    """It ends in done, with its account beside it."""
    found = watched(tmp_path)
    assert (0, None) == (await found.inbox.look(), await found.inbox.take_one(found.world.desk()))
    found.drop()
    looks = []
    for _ in range(7):
        looks.append((await found.inbox.look(), found.inbox.settling))
        await found.world.clock.sleep(LOOK_SECONDS)
    assert [(0, 1)] * 5 + [(1, 0)] * 2 == looks
    ended = await found.inbox.take_one(found.world.desk())
    assert ended is not None
    assert ("people.csv", "done", 3) == (ended.name, ended.outcome, ended.report and ended.report.counts["imported"])
    assert {"people.csv": ["people.csv", "report.json", "report.txt"]} == found.lying("done")
    assert ended.folder.parent == found.root / "done"
    assert 3 == len(await found.world.people("p0@x.example", "p1@x.example", "p2@x.example"))
    now = found.inbox.standing
    assert (1, 0, 0, "", "waiting") == (now.done, now.failed, now.waiting, now.working, now.state)
    assert (0, None) == (await found.ready(), await found.inbox.take_one(found.world.desk()))


@virtual
async def test_rows_that_do_not_go_in_are_beside_the_drop(tmp_path: Path) -> None:
    """With the files of the account, and what to do in words."""
    found = watched(tmp_path)
    found.drop(rows=[*people(20), ("a@x.example", "A", "9999999999"), ("b@x.example", "B", "many")])
    ended = await found.one()
    assert ("failed", "partial") == (ended.outcome, ended.report and ended.report.outcome)
    files = ["failed.csv", "people.csv", "quarantine.csv", "replay.csv", "report.json", "report.txt"]
    assert {"people.csv": files} == found.lying("failed")
    told = (ended.folder / "report.txt").read_text()
    assert f"syncengine imports retry-failed {ended.run_id}" in told
    assert (0, 1) == (found.inbox.standing.done, found.inbox.standing.failed)
    assert b"a@x.example" not in (ended.folder / "report.json").read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "settings", "told"),
    [
        ("a.xlsx", b"PK", "", "A.xlsx is none of the kinds of files that are imported."),
        (os.fsdecode(b"a\xff.csv"), b"email\n", "", "The name a_.csv is not UTF-8."),
        ("a.csv", b"email,shoe\na@x.example,1\n", "", "stops the import: shoe "),
        ("a.csv", b"email\na@x.example\n", "lookup = 'id'", "The settings a.csv.toml have 1 problem."),
        ("a.csv", b"email\na@x.example\n", "list_id = 9", "There is no static list 9."),
        ("a.csv.gz", b"\x1f\x8bxx", "", "is damaged: its gzip breaks"),
        ("a.csv", b"email\n\xff\n", "", "byte 0xFF at offset"),
    ],
)
@virtual
async def test_what_cannot_be_imported_fails_with_the_reason(
    tmp_path: Path, name: str, content: bytes, settings: str, told: str
) -> None:
    """Nothing of it was sent, and nothing is kept of it but in its folder."""
    found = watched(tmp_path)
    found.written(name, content)
    if settings:
        found.written(f"{name}.toml", settings.encode())
    ended = await found.one()
    assert ("failed", "") == (ended.outcome, ended.run_id)
    text = (ended.folder / "report.txt").read_text()
    assert told in text
    assert ": nothing was sent" in text.splitlines()[0]
    assert f"mv {ended.folder} {found.root}/working/" in text
    assert "failed" == orjson.loads((ended.folder / "report.json").read_bytes())["outcome"]
    assert ([], {}) == (found.world.lying_about(), found.lying("working"))


@virtual
async def test_a_failed_drop_is_tried_again_when_its_folder_is_moved_back(tmp_path: Path) -> None:
    """After it was mended where it lies; what an earlier end said is gone."""
    found = watched(tmp_path)
    found.drop("failed.csv", settings="lookup = 'id'")
    ended = await found.one()
    (ended.folder / "failed.csv.toml").write_text("")
    ended.folder.rename(found.root / "working" / ended.folder.name)
    assert "done" == (await found.one()).outcome
    assert {"failed.csv": ["failed.csv", "failed.csv.toml", "report.json", "report.txt"]} == found.lying("done")


@virtual
async def test_drops_are_imported_in_the_order_in_which_they_arrived(tmp_path: Path) -> None:
    """The later values of a person stay."""
    found = watched(tmp_path)
    for number, name in enumerate(("c.csv", "a.csv", "b.csv")):
        found.drop(name, [("p@x.example", name, "1")])
        os.utime(found.root / name, (1_000 + number, 1_000 + number))
    assert 3 == await found.ready()
    names = []
    while ended := await found.inbox.take_one(found.world.desk()):
        names.append(ended.name)
        assert 2 - len(names) + 1 == found.inbox.standing.waiting
    assert ["c.csv", "a.csv", "b.csv"] == names
    assert "b.csv" == (await found.world.people("p@x.example"))[0]["firstName"]


@virtual
async def test_the_same_file_may_be_dropped_again(tmp_path: Path) -> None:
    """It is another drop each time, with a run of its own."""
    found = watched(tmp_path)
    for number in range(2):
        found.drop()
        ended = await found.one()
        assert "done" == ended.outcome
        assert number + 1 == len(await found.world.desk().all())


@virtual
async def test_settings_of_the_folder_are_for_all_in_it(tmp_path: Path) -> None:
    """Where a drop has none of its own; each drop keeps those on which it was taken."""
    found = watched(tmp_path)
    found.written("inbox.toml", b"max_failures = 'x'")
    found.drop("a.csv")
    found.drop("b.csv", settings=BULK)
    outcomes = {(ended := await found.one()).name: ended.outcome for _ in range(2)}
    assert {"a.csv": "failed", "b.csv": "done"} == outcomes
    assert ["a.csv", "inbox.toml", "report.json", "report.txt"] == found.lying("failed")["a.csv"]
    assert (found.root / "inbox.toml").exists()


@virtual
async def test_a_drop_waits_for_its_settings_where_it_needs_them(tmp_path: Path) -> None:
    """The standing says so; the time begins when they are there."""
    found = watched(tmp_path, needs_sidecar=True)
    found.drop()
    assert 0 == await found.ready()
    assert (1, "without settings of their own wait: people.csv") == (
        found.inbox.standing.waiting,
        found.inbox.standing.reason,
    )
    found.written("people.csv.toml", BULK.encode())
    assert (0, 1) == (await found.inbox.look(), found.inbox.settling)
    assert "done" == (await found.one()).outcome
    assert "" == found.inbox.standing.reason


@virtual
async def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    """A link may lead anywhere; the standing names some of them."""
    found = watched(tmp_path)
    (tmp_path / "secret.csv").write_text("email\na@x.example\n")
    found.root.mkdir()
    (found.root / "a.csv").symlink_to(tmp_path / "secret.csv")
    os.mkfifo(found.root / "b.csv")
    for name in ("c", "d", "e"):
        (found.root / name).mkdir()
    assert 0 == await found.ready()
    reason = found.inbox.standing.reason
    assert reason.startswith("left alone, for they are no files: ")
    assert reason.endswith(" and 2 more")


@virtual
async def test_a_drop_that_changed_since_the_last_look_is_not_taken(tmp_path: Path) -> None:
    """Its settings came since: the next look sees them, and until then none of those behind it goes first."""
    found = watched(tmp_path)
    found.drop("a.csv")
    os.utime(found.root / "a.csv", (1_000, 1_000))
    found.drop("b.csv")
    assert 2 == await found.ready()
    found.written("a.csv.toml", BULK.encode())
    for _ in range(2):
        assert None is await found.inbox.take_one(found.world.desk())
    assert ["a.csv", "b.csv"] == [(await found.one()).name, (await found.one()).name]


@virtual
async def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """The daemon lives on, and takes it up when it can be used."""
    found = watched(tmp_path)
    found.root.write_text("no folder")
    with pytest.raises(StateUnusable, match="cannot be used: Not a directory"):
        await found.inbox.look()
    assert f"the watched folder {found.root} cannot be used: Not a directory" == found.inbox.standing.reason
    found.root.unlink()
    found.drop()
    assert 1 == await found.ready()
    assert "" == found.inbox.standing.reason
    (found.root / "done").rmdir()
    (found.root / "done").write_text("no folder")
    with pytest.raises(StateUnusable, match="cannot be used: "):
        await found.inbox.take_one(found.world.desk())
    (found.root / "done").unlink()
    assert "done" == (await found.one()).outcome
    assert 1 == len(await found.world.desk().all())


@virtual
async def test_a_look_alone_changes_nothing(tmp_path: Path) -> None:
    """What lies in working is counted, and what is nobody's is told."""
    found = watched(tmp_path)
    found.drop()
    await found.inbox.look()
    strange = found.root / "working" / "mine"
    strange.mkdir()
    (strange / "a.csv").write_text("x")
    assert 1 == await found.ready()
    assert "left alone in working, for they are none of ours: mine" == found.inbox.standing.reason
    assert "done" == (await found.one()).outcome
    assert 0 == await found.ready()


@virtual
async def test_who_shows_the_standing_is_told_of_each_change(tmp_path: Path) -> None:
    """Also of the drop that is being imported, which may take hours."""
    found, seen = watched(tmp_path), list[tuple[str, str, int]]()

    def note() -> None:
        seen.append((inbox.standing.state, inbox.standing.working, inbox.standing.done))

    inbox = Inbox("inbox", found.settings(settle_seconds=0.0), clock=found.world.clock, changed=note)
    found.drop()
    for _ in range(2):
        await inbox.look()
    seen.clear()
    await inbox.take_one(found.world.desk())
    assert [("running", "people.csv", 0), ("running", "people.csv", 1), ("waiting", "", 1)] == seen

"""A watched folder against a small instance, in virtual time."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncengine.config.service import InboxSettings
from syncengine.errors import AlreadyRunning, CredentialsRejected, PermissionDenied, StateUnusable
from syncengine.jobs.lease import holding
from syncengine.service.inbox import LOOK_SECONDS, DropReport, Inbox
from tests.unit.imports.table import record
from tests.unit.imports.world import HEADER, INSTANCE, World, build, fault, people
from tests.virtual import virtual

BULK = 'route = "bulk"\n'


@dataclass
class Watched:
    """A watched folder and the world around it; each `again` is a new process over the same."""

    world: World
    root: Path
    inbox: Inbox

    def again(self) -> "Watched":
        return Watched(self.world, self.root, Inbox("inbox", self.settings(), clock=self.world.clock))

    def settings(self, **more: Any) -> InboxSettings:
        return InboxSettings(path=self.root, **more)

    def drop(self, name: str = "people.csv", rows: Sequence[Sequence[str]] = (), *, settings: str = "") -> None:
        """A file of people, with its settings if there are any."""
        self.written(name, b"".join(record(row) for row in (HEADER, *(rows or people(3)))))
        if settings:
            self.written(f"{name}.toml", settings.encode())

    def written(self, name: str, content: bytes) -> None:
        self.root.mkdir(exist_ok=True)
        (self.root / name).write_bytes(content)

    async def ready(self) -> int:
        """How many drops are ready once they have stood still."""
        await self.inbox.look()
        await self.world.clock.sleep(11.0)
        return await self.inbox.look()

    async def one(self) -> DropReport:
        """What becomes of the next drop."""
        await self.ready()
        found = await self.inbox.take_one(self.world.desk())
        assert found is not None
        return found

    def lying(self, *where: str) -> dict[str, list[str]]:
        """What lies in the folders of drops in a place."""
        return {
            path.name[23:]: sorted(each.name for each in path.iterdir())
            for path in self.root.joinpath(*where).iterdir()
        }


def watched(
    tmp_path: Path, *faults: Mapping[str, Any], options: Mapping[str, Any] | None = None, **more: Any
) -> Watched:
    world = build(tmp_path, *faults, **(options or {}))
    root = tmp_path / "inbox"
    return Watched(world, root, Inbox("inbox", InboxSettings(path=root, **more), clock=world.clock))


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
    """Nor one whose settings came since; the next look sees them as they are."""
    found = watched(tmp_path)
    found.drop("a.csv")
    found.drop("b.csv")
    assert 2 == await found.ready()
    found.written("a.csv", b"email,firstName,leadScore\nq@x.example,Q,1\n")
    found.written("b.csv.toml", BULK.encode())
    assert None is await found.inbox.take_one(found.world.desk())
    assert ["a.csv", "b.csv"] == sorted([(await found.one()).name, (await found.one()).name])


@virtual
async def test_what_can_be_waited_for_keeps_a_drop_in_working(tmp_path: Path) -> None:
    """Its turn comes again, before those that arrived later; then nothing was sent twice."""
    found = watched(tmp_path)
    found.drop("a.csv", people(2))
    found.drop("b.csv", people(2, name="q"))
    os.utime(found.root / "a.csv", (1_000, 1_000))
    store, clock = found.world.parts.store, found.world.clock
    await found.ready()
    async with holding(store, clock, INSTANCE, "import people"):
        for _ in range(2):
            with pytest.raises(AlreadyRunning):
                await found.inbox.take_one(found.world.desk())
            assert ["a.csv"] == list(found.lying("working"))
    assert ("", "waiting") == (found.inbox.standing.working, found.inbox.standing.state)
    later = found.again()
    assert 1 == await later.inbox.look()
    assert "a.csv" == (await later.one()).name
    assert "b.csv" == (await later.one()).name
    assert 2 == len(await found.world.desk().all())


@pytest.mark.parametrize(("code", "error"), [("603", PermissionDenied), ("601", CredentialsRejected)])
@virtual
async def test_a_role_that_may_not_is_no_fault_of_the_drop(tmp_path: Path, code: str, error: type[Exception]) -> None:
    """It stays until somebody mends the role or the credentials."""
    found = watched(
        tmp_path, fault("error", "/rest/v1/leads.json", code=code), fault("error", "describe.json", code=code)
    )
    found.drop()
    await found.ready()
    with pytest.raises(error):
        await found.inbox.take_one(found.world.desk())
    found.world.marketo.set_faults([])
    assert "done" == (await found.one()).outcome


@virtual
async def test_a_run_whose_time_is_over_goes_on_by_its_settings(tmp_path: Path) -> None:
    """It is no end: the drop waits in working, and another process resumes it."""
    found = watched(tmp_path, options={"import_seconds": (600.0, 600.0)})
    found.drop(settings=BULK + 'max_wait = "60s"\n')
    first = await found.one()
    assert ("waiting", found.root / "working") == (first.outcome, first.folder.parent)
    (first.folder / "people.csv.toml").write_text(BULK + 'max_wait = "2h"\n')
    second = await found.again().one()
    assert ("done", first.run_id) == (second.outcome, second.run_id)
    assert 1 == len(await found.world.desk().all())


@virtual
async def test_a_run_that_stopped_ends_and_goes_on_when_it_is_moved_back(tmp_path: Path) -> None:
    """On other terms, as its report says; what was sent is not sent again."""
    rows = [(f"f{number}@x.example", "F", "9999999999") for number in range(5)]
    found = watched(tmp_path)
    found.drop(rows=[*rows, *people(2_500)], settings='route = "rest"\nmax_failures = "0.1%"\n')
    first = await found.one()
    assert ("failed", "stopped") == (first.outcome, first.report and first.report.outcome)
    told = (first.folder / "report.txt").read_text()
    assert 'max_failures = "100%" into people.csv.toml' in told
    assert f"syncengine imports abandon {first.run_id}" in told
    (first.folder / "people.csv.toml").write_text('max_failures = "100%"\n')
    first.folder.rename(found.root / "working" / first.folder.name)
    second = await found.one()
    assert (first.run_id, "partial", 2_500) == (
        second.run_id,
        second.report and second.report.outcome,
        second.report and second.report.counts["imported"],
    )


@virtual
async def test_a_run_that_was_ended_by_hand_takes_its_drop_along(tmp_path: Path) -> None:
    """Given up, say: the drop only moves."""
    found = watched(tmp_path, options={"import_seconds": (600.0, 600.0)})
    found.drop(settings=BULK + 'max_wait = "60s"\n')
    first = await found.one()
    await found.world.desk().abandon(first.run_id)
    second = await found.one()
    assert ("failed", first.run_id, "abandoned") == (
        second.outcome,
        second.run_id,
        second.report and second.report.outcome,
    )
    assert "unresolved.csv" in found.lying("failed")["people.csv"]


@virtual
async def test_rows_that_are_held_keep_their_drop_where_its_run_finds_it(tmp_path: Path) -> None:
    """Until the operator has decided; then it ends by itself."""
    lost = fault("drop_after", "/bulk/v1/leads.json", times=1)
    found = watched(tmp_path, lost, options={"import_seconds": (10.0, 10.0)})
    found.drop(settings=BULK + 'on_ambiguous = "hold"\n')
    first = await found.one()
    assert ("waiting", "partial") == (first.outcome, first.report and first.report.outcome)
    assert f"syncengine imports resume {first.run_id} --on-ambiguous verify" in first.advice
    (first.folder / "people.csv.toml").write_text(BULK)
    assert ("done", first.run_id) == ((second := await found.one()).outcome, second.run_id)


@virtual
async def test_a_file_that_is_gone_under_a_run_ends_with_what_to_do(tmp_path: Path) -> None:
    """Somebody has changed it in working: neither may be guessed."""
    found = watched(tmp_path, options={"import_seconds": (600.0, 600.0)})
    found.drop(rows=people(4_000), settings=BULK + 'max_wait = "1s"\n')
    first = await found.one()
    (first.folder / "people.csv").write_bytes(b"email\nother@x.example\n")
    second = await found.one()
    assert ("failed", first.run_id) == (second.outcome, second.run_id)
    told = (second.folder / "report.txt").read_text()
    assert "has changed since run" in told
    assert f"To give the run up: syncengine imports abandon {first.run_id}" in told


@virtual
async def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """The daemon lives on, and takes it up when it can be used."""
    found = watched(tmp_path)
    found.root.write_text("no folder")
    assert 0 == await found.inbox.look()
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

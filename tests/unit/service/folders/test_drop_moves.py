"""Drops on the disk, also where whoever moves them dies between two steps."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from syncengine.errors import NoSpace, StateUnusable
from syncengine.service.folders.drop_moves import (
    Taken,
    end,
    entries,
    names_in_use,
    on_disk,
    put_back,
    take,
    working,
)
from syncengine.service.folders.drops import Drop, Places, sorted_out

FOLDER = "20261125-081500-000000-a.csv"


def inbox(tmp_path: Path, **files: str) -> Places:
    """A watched folder with these files; a dot in a name is written __."""
    places = Places(tmp_path / "inbox")
    entries(places)
    for name, content in files.items():
        (places.root / name.replace("__", ".")).write_text(content)
    return places


def the_drop(places: Places, name: str = "a.csv") -> Drop:
    lying = sorted_out(entries(places), needs_sidecar=False)
    return next(each for each in lying.drops if each.name == name)


def tree(places: Places) -> dict[str, str]:
    """Every file in the folder with what it holds."""
    return {
        str(path.relative_to(places.root)): path.read_text() for path in places.root.rglob("*") if not path.is_dir()
    }


def all_of(steps: Iterator[str]) -> list[str]:
    return list(steps)


def test_a_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    """For its owner alone; with ours in it, for whoever may use it."""
    places = Places(tmp_path / "far" / "inbox")
    assert [] == entries(places)
    assert 0o700 == places.root.stat().st_mode & 0o777
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o750)
    entries(Places(shared))
    for root, mode in ((places.root, 0o700), (shared, 0o750)):
        found = {path.name: path.stat().st_mode & 0o777 for path in root.iterdir()}
        assert found == dict.fromkeys(("working", "done", "failed"), mode)
    assert {"working", "done", "failed"} == {entry.name for entry in entries(places)}


@pytest.mark.parametrize("settings", ["a__csv__toml", "inbox__toml", ""])
def test_a_drop_is_taken_with_its_settings(tmp_path: Path, settings: str) -> None:
    """Its own go with it; of the folder's it gets a copy, so that it goes on as it was begun."""
    places = inbox(tmp_path, a__csv="rows", **({settings: "said"} if settings else {}))
    all_of(take(places, the_drop(places), FOLDER))
    name = settings.replace("__", ".")
    there = {f"working/{FOLDER}/a.csv": "rows", **({f"working/{FOLDER}/{name}": "said"} if name else {})}
    assert tree(places) == there | ({"inbox.toml": "said"} if name == "inbox.toml" else {})
    assert (Taken(FOLDER, "a.csv", name),) == working(places).taken
    assert [FOLDER] == names_in_use(places)


@pytest.mark.parametrize("settings", ["a__csv__toml", "inbox__toml"])
@pytest.mark.parametrize("steps", range(4))
def test_who_dies_while_taking_leaves_all_or_nothing(tmp_path: Path, settings: str, steps: int) -> None:
    """What was half taken is put back, settings and all; what was taken stays so."""
    places = inbox(tmp_path, a__csv="rows", **{settings: "said"})
    before = tree(places)
    done = all_of(islice(take(places, the_drop(places), FOLDER), steps))
    found = working(places)
    if "taken" in done:
        assert ((), [FOLDER]) == (found.half, [each.folder for each in found.taken])
        return
    for folder in found.half:
        all_of(put_back(places, folder))
    assert (before, []) == (tree(places), list(places.working.iterdir()))


@pytest.mark.parametrize("steps", range(3))
def test_who_dies_while_putting_back_is_followed_by_another(tmp_path: Path, steps: int) -> None:
    """Nothing is lost, and nothing stays."""
    places = inbox(tmp_path, a__csv="rows", a__csv__toml="said")
    before = tree(places)
    all_of(islice(take(places, the_drop(places), FOLDER), 3))
    all_of(islice(put_back(places, FOLDER), steps))
    for folder in working(places).half:
        all_of(put_back(places, folder))
    if not working(places).taken:
        assert (before, []) == (tree(places), list(places.working.iterdir()))
    else:
        assert 0 == steps


def test_a_drop_that_has_changed_is_put_back(tmp_path: Path) -> None:
    """With its settings: it is taken when it stands still."""
    places = inbox(tmp_path, a__csv="rows", a__csv__toml="said")
    drop = the_drop(places)
    (places.root / "a.csv").write_text("rows and more")
    all_of(take(places, drop, FOLDER))
    assert {"a.csv": "rows and more", "a.csv.toml": "said"} == tree(places)
    assert [] == list(places.working.iterdir())


def test_a_drop_that_went_away_is_not_missed(tmp_path: Path) -> None:
    """Its settings are put back, where they may wait for it."""
    places = inbox(tmp_path, a__csv="rows", a__csv__toml="said")
    drop = the_drop(places)
    (places.root / "a.csv").unlink()
    all_of(take(places, drop, FOLDER))
    assert {"a.csv.toml": "said"} == tree(places)


def test_what_is_put_back_overwrites_nothing(tmp_path: Path) -> None:
    """What has come under its name meanwhile goes first; the older one is kept."""
    places = inbox(tmp_path, a__csv="rows", a__csv__toml="old")
    all_of(islice(take(places, the_drop(places), FOLDER), 2))
    (places.root / "a.csv.toml").write_text("new")
    all_of(put_back(places, FOLDER))
    assert {"a.csv": "rows", "a.csv.toml": "new", f"failed/{FOLDER}/a.csv.toml": "old"} == tree(places)


def test_what_is_not_ours_in_working_is_left_alone(tmp_path: Path) -> None:
    """Files, and folders with files after which they are not called."""
    places = inbox(tmp_path)
    (places.working / "note.txt").write_text("mine")
    (places.working / "mine").mkdir()
    (places.working / "mine" / "a.csv").write_text("mine")
    (places.working / ".hidden").write_text("mine")
    found = working(places)
    assert ((), (), ("mine", "note.txt")) == (found.taken, found.half, found.strange)


def test_drops_go_on_in_the_order_in_which_they_were_taken(tmp_path: Path) -> None:
    """As their folders are called."""
    places = inbox(tmp_path)
    for name in ("20261125-081500-000002-a.csv", "20261125-081500-000001-b.csv"):
        (places.working / name).mkdir()
        (places.working / name / name[-5:]).write_text("rows")
    assert ["b.csv", "a.csv"] == [each.name for each in working(places).taken]


def ended(places: Places, account: Path, name: str = "a.csv", *, is_done: bool = True) -> Iterator[str]:
    report = {"report.json": b"{}", "report.txt": b"done"}
    return end(places, Taken(FOLDER, name, ""), report, [account, account.with_name("gone.csv")], is_done=is_done)


@pytest.mark.parametrize("is_done", [True, False])
def test_an_end_is_one_folder_with_everything(tmp_path: Path, is_done: bool) -> None:
    """The drop, its account, and a copy of the files of that; what somebody has tidied away is not missed."""
    places = inbox(tmp_path, a__csv="rows")
    (tmp_path / "failed.csv").write_text("row 1")
    all_of(take(places, the_drop(places), FOLDER))
    all_of(ended(places, tmp_path / "failed.csv", is_done=is_done))
    own = f"{'done' if is_done else 'failed'}/{FOLDER}"
    assert tree(places) == {
        f"{own}/a.csv": "rows",
        f"{own}/failed.csv": "row 1",
        f"{own}/report.json": "{}",
        f"{own}/report.txt": "done",
    }
    assert not (tmp_path / "failed.csv").samefile(places.root / own / "failed.csv")


def test_an_end_may_be_cut_short_anywhere(tmp_path: Path) -> None:
    """Until its last step the drop is in working; the next one writes everything again."""
    (tmp_path / "failed.csv").write_text("row 1")
    for steps in range(4):
        places = inbox(tmp_path / str(steps), a__csv="rows")
        all_of(take(places, the_drop(places), FOLDER))
        all_of(islice(ended(places, tmp_path / "failed.csv"), steps))
        assert [FOLDER] == [each.folder for each in working(places).taken]
        all_of(ended(places, tmp_path / "failed.csv"))
        assert 4 == len(tree(places))
        assert [] == list(places.working.iterdir())


def test_an_account_never_replaces_a_drop(tmp_path: Path) -> None:
    """One that is called as a file of ours is; and what an earlier end has left goes."""
    places = inbox(tmp_path, failed__csv="rows")
    (tmp_path / "failed.csv").write_text("row 1")
    folder = "20261125-081500-000000-failed.csv"
    all_of(take(places, the_drop(places, "failed.csv"), folder))
    (places.working / folder / "replay.csv").write_text("of an earlier end")
    all_of(end(places, Taken(folder, "failed.csv", ""), {}, [tmp_path / "failed.csv"], is_done=False))
    assert {f"failed/{folder}/failed.csv": "rows", f"failed/{folder}/account-failed.csv": "row 1"} == tree(places)


def test_a_longest_name_is_taken_and_ended(tmp_path: Path) -> None:
    """255 bytes, and characters of every kind."""
    name = "\U0001f600\n" * 50 + "a.csv"
    places = inbox(tmp_path)
    (places.root / name).write_text("rows")
    folder = FOLDER[:23] + "\U0001f600_" * 36
    all_of(take(places, the_drop(places, name), folder))
    assert [name] == [each.name for each in working(places).taken]
    all_of(end(places, working(places).taken[0], {"report.txt": b"x"}, [], is_done=True))
    assert {"report.txt", name} == {path.name for path in (places.end(is_done=True) / folder).iterdir()}


def test_what_the_disk_refuses_is_a_sentence(tmp_path: Path) -> None:
    """With where, and what to do."""
    with (
        pytest.raises(StateUnusable, match=r"the watched folder .*inbox cannot be used: Permission denied"),
        on_disk(tmp_path / "inbox"),
    ):
        raise PermissionError(13, "Permission denied")
    with pytest.raises(NoSpace, match="is full"), on_disk(tmp_path):
        raise OSError(28, "No space left on device")
    with pytest.raises(StateUnusable, match=r"cannot be used: OSError$"), on_disk(tmp_path):
        raise OSError

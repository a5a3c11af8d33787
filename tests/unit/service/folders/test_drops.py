"""Which files of a watched folder are drops, and when they are complete."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.service.folders.drops import (
    STAMP_CHARACTERS,
    Drop,
    Entry,
    Settling,
    What,
    drop_in,
    file_beside,
    folder_name,
    is_kind,
    is_passed_over,
    legal,
    settings_in,
    shown,
    sorted_out,
)

AT = datetime(2026, 11, 25, 8, 15, tzinfo=UTC)
SIGHT = (5, 1_000, 7)
# Whatever a file system may have as a name, bytes that are no text included.
NAMES = st.binary(min_size=1, max_size=255).filter(lambda raw: not {0, 47} & set(raw)).map(os.fsdecode)


def file(name: str, mtime: int = 1_000, what: What = What.FILE) -> Entry:
    return Entry(name, what, (5, mtime, 7))


def drop(name: str, *sights: tuple[int, int, int]) -> Drop:
    return Drop(name, "", sights or (SIGHT,))


@pytest.mark.parametrize(
    "name", [".hidden.csv", "a.csv.part", "a.tmp", "a.CRDOWNLOAD", "a.csv.filepart", "a.csv~", ".a.csv.swp", "a.swp"]
)
def test_what_is_not_whole_yet_is_passed_over(name: str) -> None:
    """By the names under which programs keep it."""
    assert is_passed_over(name)
    assert () == sorted_out([file(name)], needs_sidecar=False).drops


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("a.csv", True),
        ("A.CSV", True),
        ("a.tsv.gz", True),
        ("a.parquet", True),
        ("a.jsonl", True),
        ("a.csv.toml", False),
        ("a.xlsx", False),
        ("csv", False),
        ("a.gz", False),
    ],
)
def test_a_kind_is_told_by_the_ending(name: str, is_one: bool) -> None:
    """The same that the import command reads."""
    assert is_one is is_kind(name)


@pytest.mark.parametrize(
    ("names", "needs_sidecar", "settings"),
    [
        (["a.csv"], False, {"a.csv": ""}),
        (["a.csv", "a.csv.toml"], False, {"a.csv": "a.csv.toml"}),
        (["a.csv", "a.csv.toml", "b.csv", "inbox.toml"], False, {"a.csv": "a.csv.toml", "b.csv": "inbox.toml"}),
        (["a.csv", "a.csv.toml", "b.csv", "inbox.toml"], True, {"a.csv": "a.csv.toml"}),
        (["a.csv.toml", "inbox.toml"], False, {}),
        (["a.pdf", "b.csv"], True, {"a.pdf": ""}),
        (["working", "done", "failed"], False, {}),
    ],
)
def test_a_drop_has_its_own_settings_or_those_of_the_folder(
    names: Sequence[str], needs_sidecar: bool, settings: dict[str, str]
) -> None:
    """Where it needs its own it waits for them; what is never imported waits for nothing."""
    found = sorted_out(map(file, names), needs_sidecar=needs_sidecar)
    assert settings == {each.name: each.settings for each in found.drops}
    assert found.without_settings == (("b.csv",) if needs_sidecar and "b.csv" in names else ())


def test_settings_that_are_no_file_keep_a_drop_back() -> None:
    """Without them nobody knows where its rows belong."""
    found = sorted_out([file("a.csv"), file("a.csv.toml", what=What.LINK)], needs_sidecar=False)
    assert ((), ("a.csv.toml (link)",)) == (found.drops, found.left_alone)


def test_what_is_no_file_is_left_alone_and_told() -> None:
    """Folders, links, pipes; not the folders that are ours, and nothing hidden."""
    entries = [
        file("a", what=What.FOLDER),
        file("b.csv", what=What.LINK),
        file("c.csv", what=What.OTHER),
        file("working", what=What.FOLDER),
        file(".git", what=What.FOLDER),
    ]
    found = sorted_out(entries, needs_sidecar=False)
    assert ((), ("a (folder)", "b.csv (link)", "c.csv (no file)")) == (found.drops, found.left_alone)


def test_drops_come_in_the_order_in_which_they_arrived() -> None:
    """By their time, and by name where that is the same."""
    found = sorted_out([file("c.csv", 5), file("b.csv", 9), file("a.csv", 9), file("d.csv", 1)], needs_sidecar=False)
    assert ["d.csv", "c.csv", "a.csv", "b.csv"] == [each.name for each in found.drops]


def test_a_drop_is_complete_when_it_has_stood_still() -> None:
    """Whatever changes of it or of its settings begins the time anew; so does going away."""
    settling, grown = Settling(10.0), drop("grows", (6, 1_000, 7))
    assert () == settling.complete([drop("same"), drop("grows"), drop("goes")], 0.0)
    assert () == settling.complete([drop("same"), grown], 9.0)
    assert (drop("same"),) == settling.complete([drop("same"), grown, drop("goes")], 10.0)
    changed = drop("same", SIGHT, (1, 1, 1))
    assert (grown,) == settling.complete([grown, changed], 19.0)
    assert (grown, changed) == settling.complete([grown, changed, drop("goes")], 29.0)


def test_no_drop_overtakes_another() -> None:
    """One that is complete waits for those before it."""
    settling = Settling(10.0)
    settling.complete([drop("b")], 0.0)
    assert () == settling.complete([drop("a"), drop("b")], 10.0)
    assert (drop("a"), drop("b")) == settling.complete([drop("a"), drop("b")], 20.0)


def test_one_look_never_makes_a_drop_complete() -> None:
    """Not even where no time has to pass: it compares nothing."""
    settling = Settling(0.0)
    assert () == settling.complete([drop("a")], 5.0)
    assert 1 == len(settling.complete([drop("a")], 5.0))


@given(name=NAMES)
def test_any_name_gives_a_folder_and_is_found_in_it(name: str) -> None:
    """Short enough for any file system, all of it to be seen, and it leads nowhere else."""
    folder = folder_name(name, AT, ())
    assert len(os.fsencode(folder)) <= 255
    assert folder.isprintable() or set(folder) & set(" \u00a0\u3000")
    assert "/" not in folder
    assert not folder.startswith(".")
    if not name.lower().endswith(".toml"):
        others = ["report.json", "failed.csv", f"{name}.toml", "inbox.toml"]
        assert name == drop_in(folder, [*(each for each in others if each != name), name])


def test_a_folder_has_a_stamp_of_its_own() -> None:
    """Also of two drops of one name in one moment."""
    first = folder_name("a.csv", AT, ())
    second = folder_name("b.csv", AT, ["x", first])
    assert ("20261125-081500-000000-a.csv", "20261125-081500-000001-b.csv") == (first, second)
    assert "-a.csv" == first[STAMP_CHARACTERS:]


def test_a_long_name_is_cut_between_characters() -> None:
    """And the settings of its like are never taken for it."""
    name = "\U0001f600" * 62 + ".csv"
    assert legal(name) == "\U0001f600" * 45
    assert name == drop_in(folder_name(name, AT, ()), [f"{name}.toml", name])


def test_names_are_shown_without_what_cannot_be_seen() -> None:
    """Line ends, escapes, reversed text, bytes that are none."""
    assert "a_b_c_d_.csv" == shown("a\nb\x1bc\u202ed\udcff.csv")


def test_our_files_leave_a_drop_of_the_same_name_alone() -> None:
    """In whatever case, for some disks know none."""
    assert ["account-failed.csv", "account-report.json", "failed.csv"] == [
        file_beside("failed.csv", "failed.csv"),
        file_beside("Report.JSON", "report.json"),
        file_beside("people.csv", "failed.csv"),
    ]


def test_a_drops_own_settings_come_before_those_of_all() -> None:
    """As they were when it was taken."""
    assert ["a.csv.toml", "inbox.toml", ""] == [
        settings_in("a.csv", ["inbox.toml", "a.csv", "a.csv.toml"]),
        settings_in("a.csv", ["a.csv", "inbox.toml"]),
        settings_in("a.csv", ["a.csv", "b.csv.toml"]),
    ]

"""The folder on disk, whatever happens to it."""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

import orjson
import pytest

from syncengine.assets.documents import Document, Key, as_html, as_json
from syncengine.assets.tree import MARKER, WORKSHOP, Entry, Tree, bytes_ending
from syncengine.errors import ConfigError, NoSpace, StateUnusable
from tests.unit.assets.made import document, entry, files_of, laid

ORIGIN = "https://123-abc-456.mktorest.example"
HERE, THERE = "Here/Hi.email", "There/Hi.email"

Wanted = Mapping[str, Document]
Effect = Callable[[int], None]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A folder that is ours and empty."""
    made = Tree(tmp_path / "assets")
    made.claim("acme", ORIGIN)
    made.tidy({})
    return made


def is_work(name: str) -> bool:
    """Whether a file is what was under way, or the marker."""
    return name.startswith(WORKSHOP) or name == MARKER


def test_a_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    """With all folders above it, and a marker that says whose it is."""
    tree = Tree(tmp_path / "a" / "b")
    tree.claim("acme", ORIGIN)
    assert {"format": 1, "instance": "acme", "origin": ORIGIN} == tree.owner()
    tree.claim("acme", ORIGIN)
    tree.claim("acme", ORIGIN, write=False)


@pytest.mark.parametrize("inside", [(), (".git",), (".git", ".gitignore", ".gitattributes")])
def test_an_empty_folder_is_taken(tmp_path: Path, inside: tuple[str, ...]) -> None:
    """One that has just been made a repository of Git is as good as empty."""
    for name in inside:
        (tmp_path / name).mkdir()
    Tree(tmp_path).claim("acme", ORIGIN)
    assert (tmp_path / MARKER).is_file()
    assert all((tmp_path / name).is_dir() for name in inside)


@pytest.mark.parametrize("name", ["report.xlsx", ".ssh", "News.email.json"])
def test_a_folder_with_anything_else_in_it_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written to it, and the message names what lies there."""
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match=r"holds .* and is no folder of assets"):
        Tree(tmp_path).claim("acme", ORIGIN)
    assert [name] == [path.name for path in tmp_path.iterdir()]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """It stays as it is."""
    path = tmp_path / "assets"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="is a file"):
        Tree(path).claim("acme", ORIGIN)
    assert "mine" == path.read_text()


@pytest.mark.parametrize(
    ("instance", "origin"), [("other", ORIGIN), ("acme", "https://sandbox.example"), ("other", "https://x.example")]
)
def test_the_folder_of_another_instance_is_refused(tree: Tree, instance: str, origin: str) -> None:
    """By its name or by its address."""
    with pytest.raises(ConfigError, match=r"holds the assets of 'acme' at https://123-abc"):
        tree.claim(instance, origin)


def test_a_folder_of_another_format_is_refused(tree: Tree) -> None:
    """Whoever's it is."""
    (tree.root / MARKER).write_bytes(orjson.dumps({"format": 2, "instance": "acme", "origin": ORIGIN}))
    with pytest.raises(ConfigError, match=r"another version of syncengine \(format 2\)"):
        tree.claim("acme", ORIGIN)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<<<<<<< HEAD"])
def test_a_marker_that_cannot_be_read_is_named(tree: Tree, body: bytes) -> None:
    """It is neither replaced nor taken for another's."""
    (tree.root / MARKER).write_bytes(body)
    with pytest.raises(ConfigError, match="cannot be read"):
        tree.claim("acme", ORIGIN)
    with pytest.raises(ConfigError, match="cannot be read"):
        tree.owner()
    assert body == (tree.root / MARKER).read_bytes()


def test_what_only_looks_makes_no_folder(tmp_path: Path) -> None:
    """A question about a folder that is none says how to make one."""
    tree = Tree(tmp_path / "assets")
    with pytest.raises(ConfigError, match="no folder of assets") as refused:
        tree.claim("acme", ORIGIN, write=False)
    assert "assets pull" in refused.value.advice
    with pytest.raises(ConfigError, match="no folder of assets"):
        tree.owner()
    assert [] == list(tmp_path.iterdir())


def test_what_was_written_is_found(tree: Tree) -> None:
    """With all that it says, and again by another process."""
    live, draft = document(html="<p>", subject="Hi"), document(version="draft")
    known = laid(tree, (HERE, live), (f"{HERE}.draft", draft), ("Forms/F.form", document("form", 1)))
    assert known == tree.scan() == Tree(tree.root).scan()
    assert live == tree.read(known[live.key])
    assert {"Hi.email.html", "Hi.email.json", "Hi.email.draft.json"} == {
        path.name for path in (tree.root / "Here").iterdir()
    }


def test_a_version_is_found_wherever_it_lies(tree: Tree) -> None:
    """A file says itself what it is; somebody may have moved it."""
    known = laid(tree, (HERE, document(html="<p>")))
    (tree.root / "Here").rename(tree.root / "Elsewhere")
    (found,) = tree.scan().values()
    assert PurePosixPath("Elsewhere/Hi.email") == found.path
    assert known == {found.key: replace(found, path=PurePosixPath(HERE))}


def test_of_two_copies_the_first_by_path_counts(tree: Tree) -> None:
    """Always the same one."""
    laid(tree, (THERE, document()), (HERE, document()))
    assert [PurePosixPath(HERE)] == [each.path for each in tree.scan().values()]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"<<<<<<< HEAD",
        b'{"format": 2}',
        b'{"format": 1, "kind": "email"}',
        as_json(document())[:-20],
    ],
)
def test_what_is_no_whole_file_is_passed_over(tree: Tree, body: bytes) -> None:
    """It is fetched again, whatever broke it."""
    known = laid(tree, (THERE, document("email", 2)))
    (tree.root / "Here").mkdir()
    (tree.root / "Here" / "Hi.email.json").write_bytes(body)
    assert known == tree.scan()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("asset", None),
        ("asset", [1]),
        ("id", [1]),
        ("version", []),
        ("html", 5),
        ("html", {}),
        ("content", None),
        ("unavailable", [1]),
        ("name", None),
    ],
)
def test_what_was_changed_by_hand_into_no_asset_is_passed_over(tree: Tree, member: str, value: object) -> None:
    """One spoilt file keeps nobody from pulling: it is fetched again."""
    laid(tree, (HERE, document(html="<p>")))
    path = tree.root / f"{HERE}.json"
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {member: value}))
    assert {} == tree.scan()


def test_a_repository_of_git_is_not_looked_into(tree: Tree) -> None:
    """Whatever lies in it."""
    laid(tree, (".git/Hi.email", document()), ("Sub/.git/Hi.email", document("email", 2)))
    assert {} == tree.scan()


def test_unchanged_files_are_not_touched(tree: Tree) -> None:
    """Neither their bytes nor their dates."""
    same = document(html="<p>", subject="Hi")
    laid(tree, (HERE, same))
    files = [tree.root / f"{HERE}{ending}" for ending in (".html", ".json")]
    before = [path.stat() for path in files]
    assert tree.write(PurePosixPath(HERE), same) is False
    after = [path.stat() for path in files]
    assert [(each.st_ino, each.st_mtime_ns) for each in before] == [(each.st_ino, each.st_mtime_ns) for each in after]


@pytest.mark.parametrize("broken", [".html", ".json"])
def test_a_file_that_is_not_as_it_should_be_is_written_again(tree: Tree, broken: str) -> None:
    """One that is gone too."""
    laid(tree, (HERE, document(html="<p>")))
    good = files_of(tree, is_work)
    (tree.root / f"{HERE}{broken}").write_text("broken")
    assert tree.write(PurePosixPath(HERE), document(html="<p>")) is True
    assert good == files_of(tree, is_work)
    (tree.root / f"{HERE}{broken}").unlink()
    assert tree.write(PurePosixPath(HERE), document(html="<p>")) is True
    assert good == files_of(tree, is_work)


def test_html_that_is_gone_is_removed(tree: Tree) -> None:
    """And an empty one is there."""
    laid(tree, (HERE, document(html="<p>")))
    assert tree.write(PurePosixPath(HERE), document()) is True
    assert [f"{HERE}.json"] == list(files_of(tree, is_work))
    assert tree.write(PurePosixPath(HERE), document(html="")) is True
    assert b"" == files_of(tree)[f"{HERE}.html"]


def test_a_version_that_changed_meanwhile_is_not_read_as_something_else(tree: Tree) -> None:
    """Somebody works in the folder while it is compared."""
    (known,) = laid(tree, (HERE, document(html="<p>"))).values()
    (tree.root / f"{HERE}.html").write_text("mine")
    with pytest.raises(StateUnusable, match=r"Hi\.email\.json was changed"):
        tree.read(known)
    (tree.root / f"{HERE}.json").unlink()
    with pytest.raises(StateUnusable, match=r"Hi\.email\.json cannot be used"):
        tree.read(known)


def test_names_are_exchanged(tree: Tree) -> None:
    """In circles of any length, and in chains."""
    paths = [f"At/{name}.email" for name in "abcde"]
    laid(tree, *((path, document("email", number, html=f"{number}")) for number, path in enumerate(paths)))
    a, b, c, d, e = map(PurePosixPath, paths)
    new = PurePosixPath("New/f.email")
    tree.move({a: b, b: c, c: a, d: e, e: new})
    assert {0: b, 1: c, 2: a, 3: e, 4: new} == {key.asset.id: each.path for key, each in tree.scan().items()}
    assert {0: "0", 1: "1", 2: "2", 3: "3", 4: "4"} == {
        key.asset.id: tree.read(each).html for key, each in tree.scan().items()
    }
    tree.tidy({key: each.path for key, each in tree.scan().items()})
    assert 10 == len(files_of(tree, is_work))


def test_what_a_crash_left_aside_is_moved_with_the_rest(tree: Tree) -> None:
    """It was on its way to another name when the process died, and others exchange theirs now."""
    a, b, c = (PurePosixPath(name, "Hi.email") for name in "abc")
    aside = PurePosixPath(WORKSHOP, "0-Hi.email")
    laid(tree, *((str(path), document("email", number)) for number, path in enumerate((a, b, aside))))
    Tree(tree.root).move({a: b, b: a, aside: c})
    assert {0: b, 1: a, 2: c} == {key.asset.id: each.path for key, each in tree.scan().items()}


def test_bytes_follow_their_file(tree: Tree) -> None:
    """When it is moved, exchanged or removed; their name says what they are."""
    one, two = PurePosixPath("a/x[1].file"), PurePosixPath("a/y.file")
    for number, (path, name) in enumerate([(one, "x[1].PNG"), (two, "y.html")]):
        part = tree.workshop() / "part"
        part.write_bytes(b"bytes of " + name.encode())
        tree.adopt(part, path, name)
        tree.write(path, document("file", number, name=name))
    tree.move({one: two, two: one})
    assert b"bytes of x[1].PNG" == files_of(tree)["a/y.file.png"]
    assert b"bytes of y.html" == files_of(tree)["a/x[1].file.bin"]
    assert {0: 17, 1: 15} == {key.asset.id: each.size for key, each in tree.scan().items()}
    assert files_of(tree)["a/y.file.png"] == tree.file(two, ".png").read_bytes()
    tree.remove(two)
    assert {"a/x[1].file.bin", "a/x[1].file.json"} == set(files_of(tree, is_work))


def test_a_file_has_one_ending(tree: Tree) -> None:
    """What it had before is gone, and no other file's is."""
    path = PurePosixPath("a/x.file")
    laid(tree, ("a/x.file", document("file", 1)), ("a/x.file.file", document("file", 2)))
    for name in ("x.png", "x.file.png", "x.JPG"):
        part = tree.workshop() / "part"
        part.write_text(name)
        tree.adopt(part, path if name != "x.file.png" else PurePosixPath("a/x.file.file"), name)
    assert {"a/x.file.json", "a/x.file.jpg", "a/x.file.file.json", "a/x.file.file.png"} == set(files_of(tree, is_work))


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("logo.png", ".png"),
        ("LOGO.PNG", ".png"),
        ("a.tar.gz", ".gz"),
        ("page.html", ".bin"),
        ("data.JSON", ".bin"),
        ("none", ".bin"),
        (".png", ".bin"),
        ("a.p/g", ".bin"),
        ("a.toolong", ".bin"),
        ("a.\u00e9", ".bin"),
        ("a.", ".bin"),
    ],
)
def test_bytes_have_a_plain_ending(name: str, ending: str) -> None:
    """Never one that our own files have."""
    assert ending == bytes_ending(name)


def test_what_is_removed_is_gone_with_all_that_lies_beside_it(tree: Tree) -> None:
    """And the other version stays; removed again, nothing happens."""
    laid(tree, (HERE, document(html="<p>")), (f"{HERE}.draft", document(version="draft", html="<p>")))
    tree.remove(PurePosixPath(HERE))
    assert {f"{HERE}.draft.html", f"{HERE}.draft.json"} == set(files_of(tree, is_work))
    tree.remove(PurePosixPath(HERE))


def test_tidying_removes_what_is_ours_and_nobodys(tree: Tree) -> None:
    """And folders that are empty then; the marker stays, and what is kept is not touched."""
    kept = laid(tree, (HERE, document(html="<p>")))
    laid(tree, (THERE, document("email", 2, html="<p>")), ("Deep/er/still/X.form.draft", document("form", 3)))
    (tree.root / "Deep" / "logo.file.png").write_bytes(b"png")
    (tree.workshop() / "1-2.part").write_text("half")
    before = (tree.root / f"{HERE}.json").stat()
    tree.tidy({key: each.path for key, each in kept.items()})
    assert {MARKER, f"{HERE}.html", f"{HERE}.json"} == set(files_of(tree))
    assert {MARKER, "Here"} == {path.name for path in tree.root.iterdir()}
    assert before.st_mtime_ns == (tree.root / f"{HERE}.json").stat().st_mtime_ns


def test_tidying_leaves_what_is_not_ours(tree: Tree) -> None:
    """A repository of Git, notes, and files that only look a little like ours."""
    mine = ("README.md", "Here/notes.txt", "Here/x.email", "Here/x.mail.json", ".gitignore", ".git/x.email.json")
    for name in (*mine, ".git/objects/00/x", "Sub/.git/x.form.html"):
        (tree.root / name).parent.mkdir(parents=True, exist_ok=True)
        (tree.root / name).write_text("mine")
    (tree.root / ".git" / "refs").mkdir()
    before = files_of(tree)
    tree.tidy({})
    assert before == files_of(tree)
    assert (tree.root / ".git" / "refs").is_dir()


def test_html_that_belongs_to_no_version_any_more_is_tidied_away(tree: Tree) -> None:
    """The version lost its HTML, and the process died before that was removed: what is left is not the asset's."""
    known = laid(tree, (HERE, document()))
    (tree.root / f"{HERE}.html").write_text("<p>left</p>")
    assert known == tree.scan()
    tree.tidy({key: each.path for key, each in tree.scan().items()})
    assert [f"{HERE}.json"] == list(files_of(tree, is_work))


def test_bytes_come_to_their_place_whole(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is on disk before it gets its name, and the HTML has its before the JSON that announces it."""
    done: list[str] = []
    sync, rename = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        done.append("on disk")
        sync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        done.append(Path(target).name)
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    tree.write(PurePosixPath(HERE), document(html="<p>"))
    assert ["on disk", "Hi.email.html", "on disk", "Hi.email.json"] == done
    part = tree.workshop() / "part"
    part.write_bytes(b"png")
    tree.adopt(part, PurePosixPath("a/x.file"), "x.png")
    assert ["on disk", "x.file.png"] == done[4:]


# Whatever the process does to the disk; it may die before any of them.
SYNC = os.fsync
EFFECTS = ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (Path, "rmdir"))


class PowerCut(BaseException):
    """The process ends here, and nothing after this is done."""


class Disk:
    """The disk, which calls `before` ahead of each of the effects; they are counted from 0."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def run(self, work: Callable[[], object], before: Effect) -> None:
        """Work on the disk."""
        numbers = count()
        with self._monkeypatch.context() as patched:
            for owner, name in EFFECTS:
                patched.setattr(owner, name, watched(getattr(owner, name), lambda: before(next(numbers))))
            work()

    def dies(self, work: Callable[[], object], at: int) -> bool:
        """Work until the effect number `at`; whether it came so far."""

        def cut(number: int) -> None:
            if number >= at:
                raise PowerCut

        try:
            self.run(work, cut)
        except PowerCut:
            return True
        return False


def watched(effect: Callable[..., Any], ahead: Callable[[], None]) -> Callable[..., Any]:
    """An effect before which something happens; what is not on disk when the process dies is lost by half."""

    def run(*args: Any, **named: Any) -> Any:
        try:
            ahead()
        except PowerCut:
            if effect is SYNC:
                with suppress(OSError):
                    os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)
            raise
        return effect(*args, **named)

    return run


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """The disk under a tree."""
    return Disk(monkeypatch)


def bring(root: Path, wanted: Wanted) -> None:
    """What a pull does with a folder: remove what is gone, move what lies elsewhere, write what differs, tidy."""
    tree = Tree(root)
    tree.claim("acme", ORIGIN)
    known, paths = tree.scan(), {each.key: PurePosixPath(path) for path, each in wanted.items()}
    for key, lying in known.items():
        if key not in paths:
            tree.remove(lying.path)
    tree.move({lying.path: paths[key] for key, lying in known.items() if lying.path != paths.get(key, lying.path)})
    for each in wanted.values():
        old = known.get(each.key)
        is_due = old is None or old.sha256 != entry(each).sha256
        if each.key.asset.kind == "file" and (is_due or old is None or old.size != each.listed.row["size"]):
            part = tree.workshop() / f"{each.key.asset.id}.part"
            part.write_bytes(b"x" * each.listed.row["size"])
            tree.adopt(part, paths[each.key], each.listed.name)
        if is_due:
            tree.write(paths[each.key], each)
    tree.tidy(paths)


def logo(size: int, name: str = "logo.png", identity: int = 1) -> Document:
    """A file with so many bytes."""
    return document("file", identity, name=name, size=size)


A, B, C = (document("email", number, html=f"<p>{number}</p>", subject=f"{number}") for number in (1, 2, 3))
A_NEW = document("email", 1, html="<p>new</p>", subject="new")
A_DRAFT = document("email", 1, "draft", html="<p>draft</p>")
PLAIN = document("email", 2)
CHANGES: Mapping[str, tuple[Wanted, Wanted]] = {
    "the first": ({}, {"a/A.email": A, "b/B.email": PLAIN}),
    "changed": ({"a/A.email": A, "a/A.email.draft": A_DRAFT}, {"a/A.email": A_NEW, "a/A.email.draft": A_DRAFT}),
    "html is new": ({"b/B.email": PLAIN}, {"b/B.email": B}),
    "approved": ({"a/A.email.draft": A_DRAFT}, {"a/A.email": A_NEW}),
    "moved": ({"a/A.email": A, "b/B.email": B}, {"c/A.email": A, "c/d/B.email": B}),
    "moved and changed": ({"a/A.email": A, "b/B.email": B}, {"b/A.email": A_NEW, "b/B.email": B}),
    "exchanged": ({"a/X.email": A, "b/X.email": B}, {"b/X.email": A, "a/X.email": B}),
    "in a circle": (
        {"a/X.email": A, "b/X.email": PLAIN, "c/X.email": C},
        {"b/X.email": A, "c/X.email": PLAIN, "a/X.email": C},
    ),
    "in the place of one that is gone": ({"a/X.email": A, "b/Y.email": B}, {"a/X.email": B}),
    "removed": ({"a/A.email": A, "a/A.email.draft": A_DRAFT, "b/B.email": B}, {"b/B.email": B}),
    "all removed": ({"a/A.email": A, "b/c/d/B.email": B}, {}),
    "bytes": ({"a/l.file": logo(3)}, {"a/l.file": logo(4, "logo.jpg")}),
    "bytes exchanged": (
        {"a/x.file": logo(3), "b/x.file": logo(5, "other.gif", 2)},
        {"b/x.file": logo(3), "a/x.file": logo(5, "other.gif", 2)},
    ),
}


def whole_versions(root: Path, *states: Wanted) -> bool:
    """Whether all that a scan finds is one of the versions that were to be there, and each file one of theirs."""
    tree, right = Tree(root), [each for state in states for each in state.values()]
    bodies = {as_json(each) for each in right} | {as_html(each.html or "") for each in right}
    bodies |= {b"x" * int(each.listed.row.get("size", 0)) for each in right}
    return set(files_of(tree, is_work).values()) <= bodies and all(
        tree.read(found) in right for found in tree.scan().values()
    )


def state_of(root: Path) -> dict[str, bytes]:
    """All files, what was under way included."""
    return files_of(Tree(root))


@pytest.mark.parametrize("change", CHANGES)
def test_a_crash_at_any_moment_leaves_whole_versions_and_the_next_pull_completes(
    change: str, disk: Disk, tmp_path: Path
) -> None:
    """Whichever write, rename or removal it was that was not done any more."""
    before, after = CHANGES[change]
    straight = tmp_path / "straight"
    bring(straight, before)
    bring(straight, after)
    for at in count():
        root = tmp_path / str(at)
        bring(root, before)
        died = disk.dies(lambda root=root: bring(root, after), at)  # type: ignore[misc]  # bound at once
        assert whole_versions(root, before, after)
        bring(root, after)
        assert state_of(straight) == state_of(root)
        if not died:
            assert at > 3
            return


@pytest.mark.parametrize("change", ["exchanged", "bytes exchanged"])
def test_crashes_one_after_the_other_lose_nothing(change: str, disk: Disk, tmp_path: Path) -> None:
    """The second pull dies too, at another moment."""
    before, after = CHANGES[change]
    straight = tmp_path / "straight"
    bring(straight, after)
    for first in range(1, 12, 2):
        for second in range(0, 12, 4):
            root = tmp_path / f"{first}-{second}"
            bring(root, before)
            for at in (first, second):
                disk.dies(lambda root=root: bring(root, after), at)  # type: ignore[misc]  # bound at once
                assert whole_versions(root, before, after)
            bring(root, after)
            assert state_of(straight) == state_of(root)


def test_a_crash_while_a_folder_is_made_ours_does_not_make_it_foreign(disk: Disk, tmp_path: Path) -> None:
    """The next pull takes it as the first would have."""
    for at in count():
        tree = Tree(tmp_path / str(at))
        died = disk.dies(lambda tree=tree: tree.claim("acme", ORIGIN), at)  # type: ignore[misc]  # bound at once
        Tree(tree.root).claim("acme", ORIGIN)
        assert "acme" == tree.owner()["instance"]
        if not died:
            return


def test_a_crash_when_html_is_taken_away_leaves_none_for_long(disk: Disk, tmp_path: Path) -> None:
    """What the version does not have any more is gone after the next pull."""
    for at in count():
        root = tmp_path / str(at)
        bring(root, {"b/B.email": B})
        died = disk.dies(lambda root=root: bring(root, {"b/B.email": PLAIN}), at)  # type: ignore[misc]  # bound at once
        assert whole_versions(root, {"b": B}, {"b": PLAIN})
        bring(root, {"b/B.email": PLAIN})
        assert {MARKER, "b/B.email.json"} == set(state_of(root))
        if not died:
            return


def operations(root: Path) -> Iterator[Callable[[], object]]:
    """Everything that is done to a folder in which A and B lie."""
    tree, a, b = Tree(root), PurePosixPath("a/A.email"), PurePosixPath("b/B.email")
    part = tree.workshop() / "part"
    part.write_bytes(b"xx")
    yield lambda: tree.write(a, A_NEW)
    yield lambda: tree.write(a, document("email", 1))
    yield lambda: tree.move({a: b, b: a})
    yield lambda: tree.remove(a)
    yield lambda: tree.adopt(part, PurePosixPath("a/x.file"), "x.png")
    yield lambda: tree.tidy({})


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, NoSpace),
        (errno.EDQUOT, NoSpace),
        (errno.EACCES, StateUnusable),
        (errno.EROFS, StateUnusable),
        (errno.EIO, StateUnusable),
    ],
)
def test_what_the_disk_refuses_is_said_and_not_lost(
    number: int, error: type[Exception], disk: Disk, tmp_path: Path
) -> None:
    """At whichever step: no room is one thing, a disk that cannot be used another; what lies there stays whole."""
    before = {"a/A.email": A, "b/B.email": B}
    for which in range(6):
        root = tmp_path / str(which)
        bring(root, before)

        def refuse(_: int) -> None:
            raise OSError(number, os.strerror(number), "the path")

        with pytest.raises(error) as refused:
            disk.run(list(operations(root))[which], refuse)
        assert whole_versions(root, before, {"a": A_NEW, "b": document("email", 1)})
        assert ("No room" in str(refused.value)) == (error is NoSpace)
        assert error is NoSpace or "the path cannot be used" in str(refused.value)


def test_a_folder_that_has_gone_is_no_crash(tmp_path: Path) -> None:
    """A question to it is answered, or refused in words."""
    tree = Tree(tmp_path / "nowhere")
    assert {} == tree.scan()
    with pytest.raises(StateUnusable):
        tree.workshop()
    with pytest.raises(StateUnusable):
        tree.read(entry(document()))
    tree.remove(PurePosixPath(HERE))


def test_a_version_lies_where_its_key_says_only_once(tree: Tree) -> None:
    """Ids are unique only within a kind: an email and a form of one id are two."""
    known = laid(tree, ("a/X.email", document("email", 7)), ("a/X.form", document("form", 7)))
    found: dict[Key, Entry] = tree.scan()
    assert known == found
    assert 2 == len(found)

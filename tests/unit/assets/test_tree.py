"""The folder on disk: what lies in it is found, replaced, moved and removed."""

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path, PurePosixPath

import orjson
import pytest

from syncengine.assets.disk import WORKSHOP, new_part
from syncengine.assets.documents import Document, FileBody, Key, as_json
from syncengine.assets.entry import Entry
from syncengine.assets.marker import MARKER
from syncengine.assets.tree import Tree, bytes_ending
from syncengine.errors import StateUnusable
from tests.unit.assets.made import document, entry, files_of, laid, ours

HERE, THERE = "Here/Hi.email", "There/Hi.email"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A folder that is ours and empty."""
    made = ours(tmp_path / "assets")
    made.tidy({})
    return made


def is_work(name: str) -> bool:
    """Whether a file is what was under way, or the marker."""
    return name.startswith(WORKSHOP) or name == MARKER


def store(tree: Tree, path: PurePosixPath, number: int, name: str, body: bytes | None = None) -> Document:
    """A file with its bytes at a path; they are its name where nothing else is said."""
    part, body = new_part(tree.root), name.encode() if body is None else body
    part.write_bytes(body)
    made = document("file", number, name=name, body=FileBody(bytes_ending(name), len(body), sha256(body).hexdigest()))
    tree.write(path, made, part)
    return made


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
    """It is fetched again, whatever broke it; who wants to know is told where it lies."""
    known = laid(tree, (THERE, document("email", 2)))
    (tree.root / "Here").mkdir()
    (tree.root / "Here" / "Hi.email.json").write_bytes(body)
    spoilt: list[PurePosixPath] = []
    assert known == tree.scan(spoilt) == tree.scan()
    assert [PurePosixPath("Here/Hi.email.json")] == spoilt


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("asset", None),
        ("asset", [1]),
        ("asset", {"id": 1, "name": "Another"}),
        ("id", [1]),
        ("id", 2),
        ("version", []),
        ("version", "draft"),
        ("html", 5),
        ("html", {}),
        ("html", None),
        ("content", None),
        ("content", {"content": [1]}),
        ("unavailable", [1]),
        ("name", None),
        ("name", "Another"),
        ("kind", "form"),
        ("bytes", {"ending": ".png", "size": 3, "sha256": "0"}),
        ("sha256", "0" * 64),
        ("sha256", None),
    ],
)
def test_what_was_changed_by_hand_is_passed_over(tree: Tree, member: str, value: object) -> None:
    """One spoilt file keeps nobody from pulling: it is fetched again, also when it looks like another asset."""
    laid(tree, (HERE, document(html="<p>")))
    path = tree.root / f"{HERE}.json"
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {member: value}))
    spoilt: list[PurePosixPath] = []
    assert {} == tree.scan(spoilt)
    assert [PurePosixPath(f"{HERE}.json")] == spoilt


def test_html_that_was_changed_by_hand_spoils_its_json(tree: Tree) -> None:
    """The two are one version."""
    laid(tree, (HERE, document(html="<p>")))
    (tree.root / f"{HERE}.html").write_text("<b>")
    spoilt: list[PurePosixPath] = []
    assert {} == tree.scan(spoilt)
    assert [PurePosixPath(f"{HERE}.json")] == spoilt


def test_json_that_is_only_written_otherwise_is_what_it_was(tree: Tree) -> None:
    """A formatter has been at it: the next pull has nothing to fetch."""
    known = laid(tree, (HERE, document(html="<p>", subject="Hi")))
    path = tree.root / f"{HERE}.json"
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes())))
    assert known == tree.scan()
    assert tree.write(PurePosixPath(HERE), tree.read(known[document().key])) is True
    assert as_json(document(html="<p>", subject="Hi")) == path.read_bytes()


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
    store(tree, one, 0, "x[1].PNG")
    store(tree, two, 1, "y.html")
    known = tree.scan()
    assert [(".png", 8), (".bin", 6)] == [
        (body.ending, body.size) for each in known.values() if (body := tree.read(each).bytes)
    ]
    tree.move({one: two, two: one})
    assert b"x[1].PNG" == files_of(tree)["a/y.file.png"] == tree.file(two, ".png").read_bytes()
    assert b"y.html" == files_of(tree)["a/x[1].file.bin"]
    assert known == {key: replace(each, path=known[key].path) for key, each in tree.scan().items()}
    tree.remove(two)
    assert {"a/x[1].file.bin", "a/x[1].file.json"} == set(files_of(tree, is_work))


def test_a_file_has_one_ending(tree: Tree) -> None:
    """What it had before is gone, and no other file's is."""
    path, other = PurePosixPath("a/x.file"), PurePosixPath("a/x.file.file")
    store(tree, path, 1, "x.png")
    store(tree, other, 2, "x.file.png")
    store(tree, path, 1, "x.JPG")
    assert {"a/x.file.json", "a/x.file.jpg", "a/x.file.file.json", "a/x.file.file.png"} == set(files_of(tree, is_work))
    assert (b"x.JPG", b"x.file.png") == (tree.file(path, ".jpg").read_bytes(), tree.file(other, ".png").read_bytes())


def test_bytes_that_are_written_again_replace_those_that_lie_there(tree: Tree) -> None:
    """Also when all that the JSON says of them is as it was: nobody has read those on disk."""
    path = PurePosixPath("a/x.file")
    written = store(tree, path, 1, "x.png", b"right")
    tree.file(path, ".png").write_bytes(b"wrong")
    assert written.key in tree.scan()
    part = new_part(tree.root)
    part.write_bytes(b"right")
    assert tree.write(path, written, part) is True
    assert b"right" == tree.file(path, ".png").read_bytes()
    assert not part.exists()


def test_bytes_that_nobody_wants_any_more_are_removed(tree: Tree) -> None:
    """A version that is written without them has none, and says none."""
    path = PurePosixPath("a/x.file")
    written = store(tree, path, 1, "x.png")
    assert tree.write(path, replace(written, bytes=None)) is True
    assert ["a/x.file.json"] == list(files_of(tree, is_work))
    assert "bytes" not in orjson.loads(tree.file(path, ".json").read_bytes())


def test_a_row_that_is_new_keeps_the_bytes(tree: Tree) -> None:
    """They are not fetched again for another description."""
    path = PurePosixPath("a/x.file")
    written = store(tree, path, 1, "x.png")
    assert tree.write(path, replace(document("file", 1, name="x.png", description="new"), bytes=written.bytes)) is True
    (entry,) = tree.scan().values()
    assert entry.has_bytes
    assert b"x.png" == tree.file(path, ".png").read_bytes()
    assert written.bytes == tree.read(entry).bytes


@pytest.mark.parametrize("left", [None, b"", b"x.pn", b"x.png!"])
def test_a_file_whose_bytes_are_not_there_is_known_without_them(tree: Tree, left: bytes | None) -> None:
    """Gone, or of another size: they are to be fetched again, and what is known of the file stays."""
    path = PurePosixPath("a/x.file")
    written = store(tree, path, 1, "x.png")
    there = tree.scan()
    if left is None:
        tree.file(path, ".png").unlink()
    else:
        tree.file(path, ".png").write_bytes(left)
    spoilt: list[PurePosixPath] = []
    (entry,) = tree.scan(spoilt).values()
    assert ([], False, True) == (spoilt, entry.has_bytes, there[written.key].has_bytes)
    assert replace(written, bytes=None) == tree.read(entry)
    assert there[written.key].row_sha256 == entry.row_sha256


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
    new_part(tree.root).write_text("half")
    before = (tree.root / f"{HERE}.json").stat()
    tree.tidy({key: each.path for key, each in kept.items()})
    assert {MARKER, f"{HERE}.html", f"{HERE}.json"} == set(files_of(tree))
    assert {MARKER, "Here"} == {path.name for path in tree.root.iterdir()}
    assert before.st_mtime_ns == (tree.root / f"{HERE}.json").stat().st_mtime_ns


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
    store(tree, PurePosixPath("a/x.file"), 1, "x.png")
    assert ["on disk", "x.file.png", "on disk", "x.file.json"] == done[4:]


def test_a_folder_that_has_gone_is_no_crash(tmp_path: Path) -> None:
    """A question to it is answered, or refused in words."""
    tree = Tree(tmp_path / "nowhere")
    assert {} == tree.scan()
    with pytest.raises(StateUnusable):
        tree.read(entry(document()))
    tree.remove(PurePosixPath(HERE))
    tree.tidy({})
    assert not tree.root.exists()


def test_a_version_lies_where_its_key_says_only_once(tree: Tree) -> None:
    """Ids are unique only within a kind: an email and a form of one id are two."""
    known = laid(tree, ("a/X.email", document("email", 7)), ("a/X.form", document("form", 7)))
    found: dict[Key, Entry] = tree.scan()
    assert known == found
    assert 2 == len(found)

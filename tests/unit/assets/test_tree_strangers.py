"""What lies in a folder of assets and is somebody else's: it is neither found, nor changed, nor removed."""

import os
from pathlib import Path, PurePosixPath

import orjson
import pytest

from syncengine.assets.disk import WORKSHOP, new_part
from syncengine.assets.documents import FileBody, as_json, hash_of
from syncengine.assets.marker import MARKER, claim, owner
from syncengine.assets.tree import Tree
from syncengine.errors import StateUnusable
from tests.unit.assets.made import document, files_of, laid, ours

HERE = "Here/Hi.email"
MINE = (
    "README.md",
    "Here/notes.txt",
    "Here/x.email",
    "Here/x.mail.json",
    "Here/x.email.txt",
    "Here/x.email.draft.md",
    "Here/notes.form.md",
    "Here/x.email.JSON",
    "Here/x.email.json.orig",
    "Here/x.file",
    "Here/x.file.toolong",
    "Here/email.json",
    ".gitignore",
    ".git/x.email.json",
    ".git/objects/00/x",
    "Sub/.git/x.form.html",
    ".obsidian/x.email.json",
    "Here/.idea/x.email.json",
)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A folder that is ours and holds one email."""
    made = ours(tmp_path / "assets")
    laid(made, (HERE, document(html="<p>")))
    made.tidy({document().key: PurePosixPath(HERE)})
    return made


def put(root: Path, *names: str) -> None:
    """Files of somebody else's."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("mine")


def test_names_that_are_not_of_our_form_are_the_users(tree: Tree) -> None:
    """Notes, other endings, and folders whose name begins with a dot, a repository of Git among them."""
    put(tree.root, *MINE)
    (tree.root / ".git" / "refs").mkdir()
    before = files_of(tree)
    spoilt: list[PurePosixPath] = []
    (found,) = tree.scan(spoilt).values()
    assert ([], PurePosixPath(HERE)) == (spoilt, found.path)
    tree.remove(found.path)
    tree.tidy({})
    assert {name: before[name] for name in sorted((MARKER, *MINE))} == files_of(tree)
    assert (tree.root / ".git" / "refs").is_dir()


@pytest.mark.parametrize(
    "name",
    ["x.form.json", "x.form.html", "x.form.draft.json", "x.form.draft.html", "x.file.md", "x.file.png", ".form.json"],
)
def test_names_of_our_form_are_ours(tree: Tree, name: str) -> None:
    """What has one and belongs to no version is tidied away."""
    put(tree.root, f"Here/{name}")
    tree.tidy({document().key: PurePosixPath(HERE)})
    assert {MARKER, f"{HERE}.html", f"{HERE}.json"} == set(files_of(tree))


def test_whole_versions_in_hidden_folders_are_not_found(tree: Tree) -> None:
    """Whatever made them: a work tree of Git, say."""
    laid(tree, (".git/Hi.email", document("email", 2)), ("Sub/.trash/Hi.email", document("email", 3)))
    assert [1] == [key.asset.id for key in tree.scan()]


def test_the_folder_of_another_instance_inside_is_left_alone(tree: Tree) -> None:
    """It has a marker of its own: neither its versions nor what lies below them are ours."""
    inner = Tree(tree.root / "Here" / "other")
    claim(inner.root, "other", "https://other.example")
    laid(inner, ("Deep/Hi.email", document("email", 2)), ("Hi.form", document("form", 2)))
    put(inner.root, "Deep/lost.form.json")
    before = files_of(inner)
    spoilt: list[PurePosixPath] = []
    assert ([1], []) == ([key.asset.id for key in tree.scan(spoilt)], spoilt)
    tree.remove(PurePosixPath(HERE))
    tree.tidy({})
    assert before == files_of(inner)
    assert "other" == owner(inner.root)["instance"]
    inner.tidy({})
    assert [MARKER] == list(files_of(inner))


@pytest.mark.parametrize("name", ["Linked", "Here/Linked", WORKSHOP])
def test_a_link_in_the_place_of_a_folder_is_refused(tree: Tree, tmp_path: Path, name: str) -> None:
    """What would be written or removed there lies somewhere else; nothing is touched."""
    put(tmp_path / "elsewhere", "x.form.json", "0-1.part")
    (tree.root / name).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(StateUnusable, match=r"is a link"):
        tree.scan()
    with pytest.raises(StateUnusable, match=r"is a link"):
        tree.tidy({})
    with pytest.raises(StateUnusable, match=r"is a link"):
        tree.copy_to(tmp_path / "copy")
    assert {"x.form.json", "0-1.part"} == {path.name for path in (tmp_path / "elsewhere").iterdir()}


def test_a_link_that_begins_with_a_dot_is_the_users(tree: Tree, tmp_path: Path) -> None:
    """It is a folder that we do not look into."""
    put(tmp_path / "elsewhere", "x.form.json")
    (tree.root / ".venv").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert 1 == len(tree.scan())
    tree.tidy({})
    assert (tmp_path / "elsewhere" / "x.form.json").exists()
    assert (tree.root / ".venv").is_symlink()


def test_only_folders_that_we_have_emptied_are_removed(tree: Tree) -> None:
    """One that somebody made and has put nothing into yet stays, also beside and above ours."""
    for name in ("Plans", "Here/Plans", "There/Plans"):
        (tree.root / name).mkdir(parents=True)
    laid(tree, ("There/Deep/er/Hi.email", document("email", 2)))
    tree.tidy({document().key: PurePosixPath(HERE)})
    assert {"Here", "Here/Plans", "Plans", "There", "There/Plans"} == {
        path.relative_to(tree.root).as_posix() for path in tree.root.rglob("*") if path.is_dir()
    }


def test_folders_that_a_move_leaves_empty_are_removed(tree: Tree) -> None:
    """Those above them too, and none that has something in it."""
    laid(tree, ("a/b/c/Hi.email", document("email", 2)), ("a/x.form", document("form", 2)))
    tree.move({PurePosixPath("a/b/c/Hi.email"): PurePosixPath("d/Hi.email")})
    tree.tidy({key: each.path for key, each in tree.scan().items()})
    assert {"Here", "a", "d"} == {
        path.relative_to(tree.root).as_posix() for path in tree.root.rglob("*") if path.is_dir()
    }


@pytest.mark.parametrize(
    "ending",
    ["/../../../precious.txt", "/../../.gitignore", ".md\0", "x" * 300],
    ids=["above", "beside", "nul", "long"],
)
@pytest.mark.parametrize("is_signed", [True, False])
def test_what_a_file_says_of_its_bytes_reaches_no_other_file(
    tree: Tree, tmp_path: Path, ending: str, *, is_signed: bool
) -> None:
    """An ending is a dot and a few letters: what else stands there was put there by somebody, and is not followed."""
    put(tmp_path, "precious.txt")
    put(tree.root, ".gitignore")
    path = PurePosixPath("Files/x.file")
    lie = document("file", 1, name="x.png", body=FileBody(ending, 4, hash_of(b"mine")))
    body = as_json(lie) if is_signed else as_json(lie).replace(b"x.png", b"y.png")
    (tree.root / path).mkdir(parents=True)
    tree.file(path, ".json").write_bytes(body)
    tree.scan()
    tree.write(path, document("file", 1, name="x.png"))
    tree.file(path, ".json").write_bytes(body)
    tree.remove(path)
    tree.tidy({})
    assert ("mine", "mine") == ((tmp_path / "precious.txt").read_text(), (tree.root / ".gitignore").read_text())


def test_a_copy_has_what_is_ours(tree: Tree, tmp_path: Path) -> None:
    """Its versions are those of the original, and nothing of the user's comes along."""
    part = new_part(tree.root)
    part.write_bytes(b"png")
    body = FileBody(".png", 3, hash_of(b"png"))
    tree.write(PurePosixPath("a/x.file"), document("file", 1, name="x.png", body=body), part)
    put(tree.root, *MINE)
    copy = Tree(tmp_path / "copies" / "copy")
    tree.copy_to(copy.root)
    ours_alone = {MARKER, f"{HERE}.html", f"{HERE}.json", "a/x.file.json", "a/x.file.png"}
    assert {name: body for name, body in files_of(tree).items() if name in ours_alone} == files_of(copy)
    assert tree.scan() == copy.scan()
    claim(copy.root, "acme", str(owner(tree.root)["origin"]), write=False)


def test_what_is_done_to_a_copy_is_not_done_to_the_original(tree: Tree, tmp_path: Path) -> None:
    """They share their bytes, of which none is ever written to."""
    laid(tree, ("a/x.form", document("form", 1)))
    before = {name: (body, (tree.root / name).stat().st_mtime_ns) for name, body in files_of(tree).items()}
    copy = Tree(tmp_path / "copy")
    tree.copy_to(copy.root)
    copy.write(PurePosixPath(HERE), document(subject="new"))
    copy.write(PurePosixPath(HERE), document(subject="newer", html="<b>"))
    copy.move({PurePosixPath(HERE): PurePosixPath("b/Hi.email")})
    copy.remove(PurePosixPath("a/x.form"))
    copy.tidy({document().key: PurePosixPath("b/Hi.email")})
    assert before == {name: (body, (tree.root / name).stat().st_mtime_ns) for name, body in files_of(tree).items()}
    assert {MARKER, "b/Hi.email.html", "b/Hi.email.json"} == set(files_of(copy))


def test_a_copy_on_another_disk_is_one_of_the_bytes(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no link can be made."""

    def refused(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    tree.copy_to(tmp_path / "copy")
    assert files_of(tree) == files_of(Tree(tmp_path / "copy"))
    assert (tree.root / MARKER).stat().st_ino != (tmp_path / "copy" / MARKER).stat().st_ino


def test_a_json_without_announced_html_takes_none_that_lies_beside_it(tree: Tree) -> None:
    """Which endings a version has is told by its JSON alone."""
    path = PurePosixPath("Plain/x.form")
    laid(tree, (str(path), document("form", 1)))
    tree.file(path, ".html").write_text("left")
    tree.remove(path)
    assert not tree.file(path, ".json").exists()
    assert tree.file(path, ".html").exists()
    tree.tidy({document().key: PurePosixPath(HERE)})
    assert not tree.file(path, ".html").exists()
    assert orjson.loads(tree.file(PurePosixPath(HERE), ".json").read_bytes())["name"] == "Welcome"

"""Whose folder it is."""

from pathlib import Path

import orjson
import pytest

from syncengine.assets.disk import WORKSHOP
from syncengine.assets.marker import MARKER, claim, owner
from syncengine.errors import ConfigError, StateUnusable
from tests.unit.assets.made import ADDRESS as ORIGIN


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that is ours."""
    claim(tmp_path / "assets", "acme", ORIGIN)
    return tmp_path / "assets"


def test_a_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    """With all folders above it, and a marker that says whose it is."""
    root = tmp_path / "a" / "b"
    claim(root, "acme", ORIGIN)
    assert {"format": 1, "instance": "acme", "origin": ORIGIN} == owner(root)
    claim(root, "acme", ORIGIN)
    claim(root, "acme", ORIGIN, write=False)


@pytest.mark.parametrize("inside", [(), (".git",), (".git", ".gitignore", ".gitattributes")])
def test_an_empty_folder_is_taken(tmp_path: Path, inside: tuple[str, ...]) -> None:
    """One that has just been made a repository of Git is as good as empty."""
    for name in inside:
        (tmp_path / name).mkdir()
    claim(tmp_path, "acme", ORIGIN)
    assert (tmp_path / MARKER).is_file()
    assert all((tmp_path / name).is_dir() for name in inside)


@pytest.mark.parametrize("name", ["report.xlsx", ".ssh", "News.email.json"])
def test_a_folder_with_anything_else_in_it_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written to it, and the message names what lies there."""
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match=r"holds .* and is no folder of assets"):
        claim(tmp_path, "acme", ORIGIN)
    assert [name] == [path.name for path in tmp_path.iterdir()]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """It stays as it is."""
    path = tmp_path / "assets"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="is a file"):
        claim(path, "acme", ORIGIN)
    assert "mine" == path.read_text()


@pytest.mark.parametrize(
    ("instance", "origin"), [("other", ORIGIN), ("acme", "https://sandbox.example"), ("other", "https://x.example")]
)
def test_the_folder_of_another_instance_is_refused(root: Path, instance: str, origin: str) -> None:
    """By its name or by its address."""
    with pytest.raises(ConfigError, match=r"holds the assets of 'acme' at https://123-abc"):
        claim(root, instance, origin)


def test_a_folder_of_another_format_is_refused(root: Path) -> None:
    """Whoever's it is."""
    (root / MARKER).write_bytes(orjson.dumps({"format": 2, "instance": "acme", "origin": ORIGIN}))
    with pytest.raises(ConfigError, match=r"another version of syncengine \(format 2\)"):
        claim(root, "acme", ORIGIN)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<<<<<<< HEAD"])
def test_a_marker_that_cannot_be_read_is_named(root: Path, body: bytes) -> None:
    """It is neither replaced nor taken for another's."""
    (root / MARKER).write_bytes(body)
    with pytest.raises(ConfigError, match="cannot be read"):
        claim(root, "acme", ORIGIN)
    with pytest.raises(ConfigError, match="cannot be read"):
        owner(root)
    assert body == (root / MARKER).read_bytes()


def test_what_only_looks_makes_no_folder(tmp_path: Path) -> None:
    """A question about a folder that is none says how to make one."""
    root = tmp_path / "assets"
    with pytest.raises(ConfigError, match="no folder of assets") as refused:
        claim(root, "acme", ORIGIN, write=False)
    assert "assets pull" in refused.value.advice
    with pytest.raises(ConfigError, match="no folder of assets"):
        owner(root)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [True, False])
def test_a_folder_that_cannot_be_looked_into_is_refused_in_words(tmp_path: Path, *, write: bool) -> None:
    """A file stands above it."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises((ConfigError, StateUnusable)):
        claim(tmp_path / "file" / "assets", "acme", ORIGIN, write=write)
    assert "mine" == (tmp_path / "file").read_text()


def test_what_a_crash_left_in_the_workshop_does_not_make_a_folder_foreign(tmp_path: Path) -> None:
    """The process died before the marker had its name."""
    (tmp_path / WORKSHOP).mkdir()
    (tmp_path / WORKSHOP / "0.part").write_bytes(b"{")
    claim(tmp_path, "acme", ORIGIN)
    assert "acme" == owner(tmp_path)["instance"]


def test_a_folder_that_is_ours_is_not_written_to_by_a_claim(root: Path) -> None:
    """Neither its marker nor anything else, whatever lies beside it by now."""
    (root / "README.md").write_text("mine")
    before = [(path.name, path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(root.iterdir())]
    claim(root, "acme", ORIGIN)
    assert before == [(path.name, path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(root.iterdir())]

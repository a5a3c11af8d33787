"""The folder on disk, whatever happens to the process or the disk."""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from syncengine.assets.disk import WORKSHOP, new_part
from syncengine.assets.documents import Document, FileBody, as_html, as_json
from syncengine.assets.marker import MARKER, owner
from syncengine.assets.tree import Tree, bytes_ending
from syncengine.errors import NoSpace, StateUnusable
from tests.unit.assets.made import document, entry, files_of, ours, seen

Wanted = Mapping[str, Document]
Effect = Callable[[int], None]


def is_work(name: str) -> bool:
    """Whether a file is what was under way, or the marker."""
    return name.startswith(WORKSHOP) or name == MARKER


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
    tree = ours(root)
    known, paths = tree.scan(), {each.key: PurePosixPath(path) for path, each in wanted.items()}
    for key, lying in known.items():
        if key not in paths:
            tree.remove(lying.path)
    tree.move({lying.path: paths[key] for key, lying in known.items() if lying.path != paths.get(key, lying.path)})
    for each in wanted.values():
        old = known.get(each.key)
        # Files are written anew each time: only what lies there tells whether that changes anything.
        is_due = old is None or old.sha256 != entry(each).sha256 or each.key.asset.kind == "file"
        part = None
        if each.bytes is not None and (old is None or old.sha256 != entry(each).sha256):
            part = new_part(root)
            part.write_bytes(b"x" * each.bytes.size)
        if is_due or part is not None:
            tree.write(paths[each.key], each, part)
    tree.tidy(paths)


def logo(size: int, name: str = "logo.png", identity: int = 1) -> Document:
    """A file with so many bytes."""
    body = FileBody(bytes_ending(name), size, sha256(b"x" * size).hexdigest())
    return document("file", identity, name=name, size=size, body=body)


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
    "bytes of the same size": (
        {"a/l.file": logo(3)},
        {"a/l.file": replace(logo(3, "new.png"), listed=seen("file", 1, name="new.png", size=3, mimeType="x"))},
    ),
    "bytes are not wanted any more": ({"a/l.file": logo(3)}, {"a/l.file": replace(logo(3), bytes=None)}),
    "bytes are wanted now": ({"a/l.file": replace(logo(3), bytes=None)}, {"a/l.file": logo(3)}),
    "bytes exchanged": (
        {"a/x.file": logo(3), "b/x.file": logo(5, "other.gif", 2)},
        {"b/x.file": logo(3), "a/x.file": logo(5, "other.gif", 2)},
    ),
}


def whole_versions(root: Path, *states: Wanted) -> bool:
    """Whether all that a scan finds is one of the versions that were to be there, and each file one of theirs."""
    tree, right = Tree(root), [each for state in states for each in state.values()]
    bare = [replace(each, bytes=None) for each in right if each.bytes]  # the bytes are not there yet
    bodies = {as_json(each) for each in right} | {as_html(each.html or "") for each in right}
    bodies |= {b"x" * each.bytes.size for each in right if each.bytes}
    return set(files_of(tree, is_work).values()) <= bodies and all(
        read in right or replace(read, bytes=None) in bare
        for found in tree.scan().values()
        if (read := tree.read(found))
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
        root = tmp_path / str(at)
        died = disk.dies(lambda root=root: ours(root), at)  # type: ignore[misc]  # bound at once
        ours(root)
        assert "acme" == owner(root)["instance"]
        assert not died or at < 20
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
    part = new_part(root)
    part.write_bytes(b"xx")
    yield lambda: tree.write(a, A_NEW)
    yield lambda: tree.write(a, document("email", 1))
    yield lambda: tree.move({a: b, b: a})
    yield lambda: tree.remove(a)
    yield lambda: tree.write(PurePosixPath("a/x.file"), logo(2), part)
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

"""Changes in words and lines."""

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from syncengine.asset_reports import AssetChange
from syncengine.assets.changes import changes
from syncengine.assets.differences import LINES_MAX, in_words, with_lines
from syncengine.assets.documents import Document, Place
from syncengine.assets.tree import Tree
from syncengine.errors import StateUnusable
from tests.unit.assets.made import document, laid, ours

AT = "Here/Hi.email"
Lying = tuple[str, Document]


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Tree, Tree]:
    """Two folders: how it was, and how it is."""
    return ours(tmp_path / "before"), ours(tmp_path / "after")


def told(trees: tuple[Tree, Tree], before: tuple[Lying, ...], after: tuple[Lying, ...]) -> AssetChange:
    """The one change between two states, with its lines."""
    (change,) = changes(laid(trees[0], *before), laid(trees[1], *after))
    found = with_lines(change, *trees)
    assert in_words(change) == AssetChange(
        found.kind, found.id, found.name, found.what, found.path, found.path_before, found.versions
    )
    return found


def between(trees: tuple[Tree, Tree], before: dict[str, Any], after: dict[str, Any]) -> AssetChange:
    """What is told of an email that changed."""
    return told(trees, ((AT, document(**before)),), ((AT, document(**after)),))


def changed_lines(change: AssetChange) -> list[str]:
    """The lines that came and went, blanks around them aside."""
    return [line[0] + line[1:].strip() for line in change.diff if line[0] in "+-" and line[:3] not in {"+++", "---"}]


def test_members_and_lines_that_differ_are_named(trees: tuple[Tree, Tree]) -> None:
    """Of the row, of the parts, and of the HTML, in this order."""
    change = between(
        trees,
        {"subject": "Hi", "template": 1, "parts": {"content": [1]}, "html": "<a>\n<b>\n<c>"},
        {"subject": "Ho", "parts": {"content": [1], "variables": []}, "html": "<a>\n<B>\n<c>"},
    )
    assert ("subject", "template", "variables", "html") == change.fields
    expected = ['-"subject": "Hi",', '+"subject": "Ho"', '-"template": 1', "+],", '+"variables": []', "-<b>", "+<B>"]
    assert sorted([*expected, "-]"]) == sorted(changed_lines(change))
    heads = [
        f"{sign} {side}/{AT}{ending}" for ending in (".json", ".html") for sign, side in (("---", "a"), ("+++", "b"))
    ]
    assert heads == [line for line in change.diff if line[:3] in {"---", "+++"}]
    assert (("changed",), ("approved",), AT, AT) == (change.what, change.versions, change.path, change.path_before)


def test_html_alone_shows_html_alone(trees: tuple[Tree, Tree]) -> None:
    """Its hash in the JSON is nothing to read."""
    change = between(trees, {"html": "<p>"}, {"html": "<b>"})
    assert ("html",) == change.fields
    assert ["-<p>", "+<b>"] == changed_lines(change)


def test_what_the_change_says_is_not_said_again(trees: tuple[Tree, Tree]) -> None:
    """Where it lies, and when it was saved; the name is one of its members."""
    before = ((AT, document(subject="Hi")),)
    after = (("There/Bye.email", document(subject="Hi", name="Bye", home=Place("Program", 9), updatedAt="2027-01-01")),)
    change = told(trees, before, after)
    assert (("moved", "renamed"), ("name",)) == (change.what, change.fields)
    assert ['-"name": "Welcome",', '+"name": "Bye",'] == changed_lines(change)
    assert ("Bye", "There/Bye.email", AT) == (change.name, change.path, change.path_before)


def test_an_asset_that_was_only_moved_has_no_lines(trees: tuple[Tree, Tree]) -> None:
    """Nor one that was saved again as it was."""
    moved = told(trees, ((AT, document()),), (("There/Hi.email", document(home=Place("Folder", 9))),))
    assert ((), ()) == (moved.fields, moved.diff)


def test_an_asset_that_was_saved_as_it_was_has_no_lines(trees: tuple[Tree, Tree]) -> None:
    """It counts as changed all the same: somebody has saved it."""
    change = between(trees, {"updatedAt": "2026-01-01"}, {"updatedAt": "2027-01-01"})
    assert (("changed",), (), ()) == (change.what, change.fields, change.diff)


@pytest.mark.parametrize("is_new", [True, False])
def test_what_is_new_or_gone_is_told_without_lines(trees: tuple[Tree, Tree], *, is_new: bool) -> None:
    """All of them would be new; the versions are named."""
    both = ((AT, document(html="<p>")), (f"{AT}.draft", document(version="draft")))
    change = told(trees, () if is_new else both, both if is_new else ())
    assert ((), (), ("approved", "draft")) == (change.fields, change.diff, change.versions)
    expected = (("added",), AT, "") if is_new else (("removed",), "", AT)
    assert expected == (change.what, change.path, change.path_before)


def test_a_draft_that_comes_or_goes_is_told_as_a_whole(trees: tuple[Tree, Tree]) -> None:
    """Against nothing, as Git shows a file that is new."""
    live, draft = (AT, document(subject="Hi")), (f"{AT}.draft", document(version="draft", html="<p>"))
    come = told(trees, (live,), (live, draft))
    assert (("changed",), ("draft",), ("draft version added",)) == (come.what, come.versions, come.fields)
    assert ["--- /dev/null", f"+++ b/{AT}.draft.json"] == list(come.diff[:2])
    assert ["--- /dev/null", f"+++ b/{AT}.draft.html"] == list(come.diff[-4:-2])
    assert all(line[:1] in {"+", "@", "-"} for line in come.diff)


def test_a_draft_that_is_gone_is_told_as_a_whole(trees: tuple[Tree, Tree]) -> None:
    """The asset itself is still there, and so it lies somewhere."""
    live, draft = (AT, document(subject="Hi")), (f"{AT}.draft", document(version="draft"))
    gone = told(trees, (live, draft), (live,))
    assert (("changed",), ("draft",), ("draft version removed",)) == (gone.what, gone.versions, gone.fields)
    assert [f"--- a/{AT}.draft.json", "+++ /dev/null"] == list(gone.diff[:2])
    assert AT == gone.path


def test_a_draft_alone_that_changed_lies_where_its_asset_lies(trees: tuple[Tree, Tree]) -> None:
    """Its own lines are of its own files."""
    live = (AT, document(subject="Hi"))
    before = (live, (f"{AT}.draft", document(version="draft", subject="Hi")))
    after = (live, (f"{AT}.draft", document(version="draft", subject="Ho")))
    change = told(trees, before, after)
    assert (("draft",), AT, AT) == (change.versions, change.path, change.path_before)
    assert [f"--- a/{AT}.draft.json", f"+++ b/{AT}.draft.json"] == list(change.diff[:2])


def test_a_draft_that_moves_with_its_asset_is_told_by_the_asset(trees: tuple[Tree, Tree]) -> None:
    """What visitors see is told to have moved, also where only the draft says something new besides."""
    there = "There/Hi.email"
    moved: dict[str, Any] = {"home": Place("Folder", 9)}
    before = ((AT, document()), (f"{AT}.draft", document(version="draft")))
    after = ((there, document(**moved)), (f"{there}.draft", document(version="draft", subject="Ho", **moved)))
    change = told(trees, before, after)
    assert (("moved", "changed"), there, AT) == (change.what, change.path, change.path_before)
    assert ("subject",) == change.fields


def test_an_approval_is_told_by_both_versions(trees: tuple[Tree, Tree]) -> None:
    """The draft has gone, and what visitors see is new."""
    change = told(trees, ((f"{AT}.draft", document(version="draft")),), ((AT, document()),))
    assert ("draft version removed", "approved version added") == change.fields
    assert (AT, f"{AT}.draft") == (change.path, change.path_before)


def test_a_member_that_differs_in_both_versions_is_named_once(trees: tuple[Tree, Tree]) -> None:
    """The lines of both follow each other."""
    before = ((AT, document(subject="Hi")), (f"{AT}.draft", document(version="draft", subject="Hi")))
    after = ((AT, document(subject="Ho")), (f"{AT}.draft", document(version="draft", subject="Ho")))
    change = told(trees, before, after)
    assert ("subject",) == change.fields
    assert ['-"subject": "Hi"', '+"subject": "Ho"'] * 2 == changed_lines(change)


def test_texts_that_are_too_long_are_not_compared(trees: tuple[Tree, Tree]) -> None:
    """It would take for ever; that they differ is said."""
    half = "x\n" * (LINES_MAX // 2)
    change = between(trees, {"html": half}, {"html": half + "y"})
    assert (f"a/{AT}.html and b/{AT}.html differ: too long to be shown",) == change.diff
    assert ("html",) == change.fields


def test_a_folder_that_changes_while_it_is_compared_is_not_guessed(trees: tuple[Tree, Tree]) -> None:
    """The command is to be run again."""
    (change,) = changes(laid(trees[0], (AT, document())), laid(trees[1], (AT, document(subject="Ho"))))
    trees[1].write(PurePosixPath(AT), document(html="<p>"))
    trees[1].file(PurePosixPath(AT), ".html").write_text("mine")
    with pytest.raises(StateUnusable, match="was changed"):
        with_lines(change, *trees)

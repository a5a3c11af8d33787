"""What is known of a version without its content."""

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import orjson
import pytest

from syncengine.assets.documents import FileBody, Place, as_json, core_sha256
from syncengine.assets.entry import entry_of
from tests.unit.assets.made import HOME, SAVED, document, entry

PATH = PurePosixPath("Here/Welcome.email")


def test_an_entry_says_what_its_list_says() -> None:
    """And where it lies."""
    each = document("email", 7, "draft", subject="Hi")
    found = entry_of(each, PATH)
    assert (each.key, PATH, "Welcome", HOME, SAVED) == (found.key, found.path, found.name, found.home, found.updated)
    assert (each.listed.sha256, core_sha256(each)) == (found.row_sha256, found.core_sha256)
    assert ((), False) == (found.refused, found.has_bytes)


def test_an_entry_has_the_hash_that_its_file_states() -> None:
    """Whatever the file is."""
    for each in (
        document(html="<p>", unavailable={"variables": "709"}),
        document("file", 1, body=FileBody(".a", 1, "b")),
    ):
        assert orjson.loads(as_json(each))["sha256"] == entry(each).sha256


def test_what_marketo_refuses_is_named_with_its_reason() -> None:
    """In the order of the names."""
    each = document(unavailable={"variables": "709", "dynamicContent a": "709", "html": "610"})
    assert ("dynamicContent a (709)", "html (610)", "variables (709)") == entry(each).refused


def test_an_entry_tells_whether_bytes_lie_beside_it() -> None:
    """They are part of what its file is, and not of what the asset is."""
    without = document("file", 1, name="x.png")
    found = [entry(replace(without, bytes=body)) for body in (None, FileBody(".png", 3, "a"), FileBody(".png", 3, "b"))]
    assert [False, True, True] == [each.has_bytes for each in found]
    assert 3 == len({each.sha256 for each in found})
    assert 1 == len({each.core_sha256 for each in found})


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Another"},
        {"home": Place("Program", 5)},
        {"updatedAt": "2027-01-01"},
        {"subject": "Ho"},
        {"parts": {"content": [2]}},
        {"html": "<b>"},
        {"unavailable": {"variables": "709"}},
        {"version": "draft"},
        {"identity": 2},
    ],
)
def test_any_difference_is_another_hash(other: dict[str, Any]) -> None:
    """Of all that the file holds; only the path is none of it."""
    same: dict[str, Any] = {"subject": "Hi", "parts": {"content": [1]}, "html": "<p>"}
    one = entry(document(**same))
    assert one.sha256 != entry(document(**(same | other))).sha256
    assert one == replace(entry(document(**same), "There/X.email"), path=one.path)

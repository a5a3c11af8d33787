"""Names of files, whatever streams are called, and which parts a range of keys could be in."""

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.destinations.lake_parts import Part, file_name, os_errors
from syncengine.errors import DestinationUnavailable, NoSpace


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("leads", "leads"),
        ("custom.car_c", "custom.car_c"),
        ("..", "-2e."),
        (".hidden", "-2ehidden"),
        ("a/b", "a-2fb"),
        ("sp ace-d", "sp-20ace-2dd"),
        ("ü", "-c3-bc"),
        ("nul\x00", "nul-00"),
        ("", "-e3b0c44298fc1c14"),
    ],
)
def test_a_name_becomes_a_file_name(name: str, expected: str) -> None:
    """Plain names stay; what a file system, a shell or an address could misread is spelt out."""
    assert expected == file_name(name)


@given(st.lists(st.text(max_size=300), unique=True, max_size=20))
def test_different_names_never_share_a_file(names: list[str]) -> None:
    """However long or strange the names, each has a file name of its own that fits every file system."""
    files = [file_name(name) for name in names]

    assert len(names) == len(set(files))
    assert all(0 < len(file.encode()) < 200 and "/" not in file and not file.startswith(".") for file in files)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((1, 9), False), ((1, 10), True), ((15, 15), True), ((20, 99), True), ((21, 99), False), ((None, None), True)],
)
def test_a_part_is_passed_over_only_when_no_key_can_be_there(
    bounds: tuple[int | None, int | None], expected: bool
) -> None:
    """Both ends count, and what is unknown excludes nothing."""
    assert expected is Part("p", 1, 1, 10, 20).overlaps(*bounds)
    assert Part("p", 1, 1).overlaps(*bounds)


@pytest.mark.parametrize(("code", "expected"), [(errno.ENOSPC, NoSpace), (errno.EIO, DestinationUnavailable)])
def test_errors_of_the_system_name_the_place(code: int, expected: type[Exception]) -> None:
    """A full disk is told apart from one that fails."""
    with pytest.raises(expected, match="/lake"), os_errors(Path("/lake")):
        raise OSError(code, "trouble")

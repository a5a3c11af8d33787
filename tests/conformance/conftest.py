"""Each kind of destination in turn, for the suites of this folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.places import KINDS, Place, Places

MakePlace = Callable[[Path], Place]


@pytest.fixture(scope="session")
def places() -> Iterator[Places]:
    """Places of every kind, with what they share, for a session."""
    with Places() as shared:
        yield shared


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of destination in turn."""
    return str(request.param)


@pytest.fixture
def place(kind: str, places: Places, tmp_path: Path) -> Place:
    """A place of each kind in turn, empty."""
    return places.make(kind, tmp_path)

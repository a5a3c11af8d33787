"""What the tests of this folder run in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.small import quick_folder


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """In memory, where the machine has some: a simulated death ends a process, not the machine."""
    with quick_folder(tmp_path) as folder:
        yield folder

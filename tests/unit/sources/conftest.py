"""What tests of sources share: files to open, and a real Postgres server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.sources import Source
from syncengine.sources.delimited import Delimited
from syncengine.sources.opening import open_source
from tests.servers import postgres_server
from tests.unit.sources.reading import Delimits, Opens


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The connection string of a server that lives for a session."""
    with postgres_server() as running:
        yield running.conninfo


@pytest.fixture
def opened(tmp_path: Path) -> Opens:
    """Writes bytes to a file and opens it, as what its name says."""

    def open_(data: bytes, name: str = "people.csv", **options: Any) -> Source:
        path = tmp_path / name
        path.write_bytes(data)
        return open_source(str(path), work=tmp_path / "work", **options)

    return open_


@pytest.fixture
def delimited(tmp_path: Path) -> Delimits:
    """Writes bytes to people.csv and opens it as CSV, loaded in blocks of any size."""

    def open_(data: bytes, **options: Any) -> Delimited:
        path = tmp_path / "people.csv"
        path.write_bytes(data)
        return Delimited(path, "people.csv", **options)

    return open_

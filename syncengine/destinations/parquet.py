"""A folder of Parquet files as a destination: immutable parts, and one manifest that says which of them count.

Apart from the manifest, which knows the steps to disk, and from the merge: here are the folder, its lock, the errors.

What a reader may rely on:

    manifest.json                     replaced in one step after each window
        format    1
        version   grows by one with each window
        tables    name of the stream, or of a table of ours (`_marketo_sync`, `_rejected`) ->
            folder    where its parts lie
            columns   name, and type: text, integer, float, boolean, date, timestamp, json (text in the file)
            key       the columns that identify a row
            rows      how many the table has
            parts     path below the folder, rows, bytes, least and greatest first key where that is an integer
        dropped   parts that no table has any more -> since when
    parts/<table>/<sha256>.parquet    never changed

Whoever reads the parts that one manifest names sees each window once, all of it or nothing. These parts stay for an
hour after the manifest that drops them. Whoever globs the folder instead sees a row at least once: rewritten parts
stand beside those that they replace. A part lacks the columns that came after it; they are NULL there. In DuckDB:
`read_parquet([...], union_by_name = true)` with the paths from `tables(path)["leads"]`.

The folder has to be on a file system that renames in one step, syncs, and locks between those who write: a local one.
"""

import fcntl
import math
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncengine.clock import SystemClock
from syncengine.destinations import Applied, Guarantee, Standing, View, Window
from syncengine.destinations.lake_parts import Part, os_errors
from syncengine.destinations.parquet_manifest import Disk, Manifest, publish, read_manifest, with_strays, write_manifest
from syncengine.errors import DestinationUnavailable

if TYPE_CHECKING:
    import pyarrow as pa

    from syncengine.destinations.duckdb_ledger import Ledger
    from syncengine.destinations.lake_bench import Bench
    from syncengine.destinations.lake_merge import Lake

LOCK_POLL_SECONDS = 0.25


def tables(path: Path) -> dict[str, list[Path]]:
    """The parts of each table, by one manifest; empty for a folder that nothing was written to."""
    manifest = read_manifest(path.absolute()) or Manifest()
    return {name: [path.absolute() / part.path for part in sheet.parts] for name, sheet in manifest.sheets.items()}


class Parquet:
    """The tables of one instance in one folder."""

    guarantee = Guarantee.MANIFEST

    def __init__(
        self,
        path: Path,
        *,
        lock_wait_seconds: float = 30.0,
        memory_bytes: int = 512_000_000,
        threads: int = 2,
        pause: Callable[[float], object] | None = None,
        now: Callable[[], datetime] | None = None,
        disk: Disk | None = None,
    ) -> None:
        self._path = path.absolute()
        self._lock_tries = 1 + math.ceil(lock_wait_seconds / LOCK_POLL_SECONDS)
        self._memory_bytes = memory_bytes
        self._threads = threads
        self._closing = threading.Event()
        self._pause = pause or self._closing.wait
        self._now = now or SystemClock().now
        self._disk = disk or Disk()
        self._has_swept = False

    def check(self) -> str:
        """Create folder and manifest where they are missing; name the folder."""
        with self._written():
            return f"Parquet files, {self._path}"

    def standing(self, instance: str, stream: str) -> Standing:
        """Committed stretches, those that touch or overlap as one, and the highest epoch."""
        with self._asked() as asked:
            if asked is None:
                return Standing()
            bench, _, ledger = asked
            ledger.claim(bench.db, instance, stream)
            return ledger.standing(bench.db, instance, stream)

    def holds(self, instance: str, stream: str, window_id: str) -> bool:
        """Whether the ledger has the window."""
        with self._asked() as asked:
            return asked is not None and asked[2].holds(asked[0].db, instance, stream, window_id)

    def apply(self, window: Window) -> Applied:
        """Write the parts that the window changes anew, then the manifest.

        Besides the protocol's errors raises ConfigError for a folder with other things in it, and whatever the
        window's batches raise.
        """
        from syncengine.destinations import lake_merge

        with self._written() as manifest, self._bench(manifest) as (bench, lake, ledger):
            if lake_merge.is_known(bench, ledger, window):
                return Applied(already=True)
            rows = lake_merge.staged(bench, window)
            applied, changes = lake_merge.merged(bench, lake, ledger, rows)
            with os_errors(self._path):
                publish(self._disk, self._path, manifest, changes, self._now())
            return applied

    def keys(
        self,
        instance: str,
        stream: str,
        field: str,
        *,
        changed_after: datetime | None = None,
        only: tuple[str, Collection[int]] | None = None,
    ) -> "pa.Array[Any]":
        """The distinct values of a field of rows that live, sorted; empty if unknown."""
        import pyarrow as pa

        from syncengine.destinations.lake_keys import keys_in

        with self._asked() as asked:
            if asked is None:
                return pa.array([], pa.int64())
            bench, lake, ledger = asked
            ledger.claim(bench.db, instance, stream)
            return keys_in(bench, lake, stream, field, changed_after=changed_after, only=only)

    def show(self, instance: str, views: Sequence[View]) -> bool:  # noqa: ARG002  # the protocol's
        """Files have no views."""
        return False

    def close(self) -> None:
        """Stop waiting for a lock; nothing else is held between operations."""
        self._closing.set()

    @contextmanager
    def _asked(self) -> "Iterator[tuple[Bench, Lake, Ledger] | None]":
        # A question takes no lock: the manifest is read in one step, and its parts stay long enough.
        with os_errors(self._path):
            manifest = read_manifest(self._path)
        if manifest is None:
            yield None
            return
        with self._bench(manifest) as asked:
            yield asked

    @contextmanager
    def _bench(self, manifest: Manifest) -> "Iterator[tuple[Bench, Lake, Ledger]]":
        from syncengine.destinations.duckdb_ledger import Ledger
        from syncengine.destinations.lake_bench import SCHEMA, opened_bench
        from syncengine.destinations.lake_merge import Lake, lay_out_books, lay_out_tables

        lake = Lake(manifest.sheets, _Folder(self._path))
        with opened_bench(
            self._path / ".work", self._path, memory_bytes=self._memory_bytes, threads=self._threads
        ) as bench:
            ledger = Ledger(SCHEMA, str(self._path))
            lay_out_books(bench, lake, ledger)
            lay_out_tables(bench, lake)
            yield bench, lake, ledger

    @contextmanager
    def _written(self) -> Iterator[Manifest]:
        with ExitStack() as held:
            with os_errors(self._path):
                self._disk.make_folder(self._path)
                held.enter_context(self._locked())
                manifest = read_manifest(self._path)
                if manifest is None:
                    manifest = Manifest()
                    write_manifest(self._disk, self._path, manifest)
                if not self._has_swept:
                    manifest = with_strays(self._path, manifest, self._now())
                    self._has_swept = True
            yield manifest

    @contextmanager
    def _locked(self) -> Iterator[None]:
        handle = os.open(self._path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            for tries in range(self._lock_tries, 0, -1):
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if tries == 1 or self._closing.is_set():
                        holder = os.pread(handle, 20, 0).decode("ascii", "replace") or "another process"
                        raise DestinationUnavailable(
                            f"{self._path} is being written by {holder}", advice="wait for it, then run again"
                        ) from None
                self._pause(LOCK_POLL_SECONDS)
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"PID {os.getpid()}".encode(), 0)
            yield
        finally:
            os.close(handle)


@dataclass(frozen=True, slots=True)
class _Folder:
    root: Path

    def local(self, table: str, part: Part, stored: tuple[str, ...] | None = None) -> Path:  # noqa: ARG002
        return self.root / part.path

"""Delta tables as a destination, in a local folder or an S3 bucket: one table for each stream.

Apart from a table's log, where one commit is made: here is the order of commits, so that a window counts once.

Theory of operation. Delta commits one table at a time. The window's own table decides: its commit carries the window's
id as an application transaction, and a window has been applied if its table has that id, whatever else says. Before
that commit come, in this order: the window's row in the ledger `_marketo_sync`, as an intent without `committed_at`;
its marks, to `_marketo_marks` and to the table whose rows they mark, where it makes no difference to find them again;
and what was refused, to `_rejected`, once for each window. An intent gets its `committed_at` when the next window is
applied, or is dropped if its window never was. Whoever dies in between has left marks early, or an intent that nobody
counts. Each commit is made on the version that was read: of two that write at once one begins again, and each carries
the stream's epoch, which tells the older that it is the older.

What a reader may rely on: every table, read by itself, has each window once, all of it or nothing. A window's marks may
be seen before the window. Parts that are no longer in a table are kept for seven days for those who read an older
version. JSON is text. Column names that other engines do not take in Delta (` ,;{}()`, tab, newline, `=`) have `_`
there and a suffix made from the exact name; the field's metadata has the name itself under `syncengine.name`. A
table's folder has the stream's name; in it every byte but letters, digits, `_` and inner dots is `-` and its
hexadecimal digits.

S3 needs no lock table: a version is put only if it does not exist yet, which S3 and everything like it does today
(conditional writes). Credentials come from `storage_options` (`aws_access_key_id`, `aws_secret_access_key`,
`aws_session_token`, `aws_region`, `aws_endpoint_url`, `aws_allow_http`) or else from the environment as AWS's own tools
have it. A local folder is for one machine; a power cut in the instant of a commit may need the last file of the log to
be removed by hand, since deltalake does not sync it before it has its name.
"""

import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncengine.clock import SystemClock
from syncengine.destinations import Applied, Guarantee, Standing, View, Window
from syncengine.destinations.bookkeeping import LEDGER, MARKS, REJECTED
from syncengine.destinations.delta_storage import Storage, storage
from syncengine.destinations.lake_parts import Change, os_errors
from syncengine.errors import ConfigError, DestinationFenced, DestinationUnavailable

if TYPE_CHECKING:
    import pyarrow as pa

    from syncengine.destinations.delta_log import Commit
    from syncengine.destinations.delta_reading import Reading
    from syncengine.destinations.lake_bench import Bench
    from syncengine.destinations.lake_merge import Staged

TRIES = 5


class Delta:
    """The tables of one instance below one address: a folder, or s3://bucket/prefix."""

    guarantee = Guarantee.TRANSACTIONAL

    def __init__(
        self,
        uri: str,
        *,
        storage_options: Mapping[str, str] | None = None,
        work_folder: Path | None = None,
        memory_bytes: int = 512_000_000,
        threads: int = 2,
        now: Callable[[], datetime] | None = None,
        commit: "Commit | None" = None,
    ) -> None:
        """`work_folder` has room for the parts that one window rewrites; the system's temporary folder by default."""
        _require_deltalake()
        self._storage: Storage = storage(uri, storage_options or {})
        self._work = work_folder
        self._memory_bytes = memory_bytes
        self._threads = threads
        self._now = now or SystemClock().now
        self._commit = commit or _commit()

    def check(self) -> str:
        """Prove that objects can be written and removed; name the address."""
        import deltalake

        self._storage.prove()
        with self._bench() as bench:
            self._read(bench)
        return f"Delta {deltalake.__version__}, {self._storage.place}"

    def standing(self, instance: str, stream: str) -> Standing:
        """Committed stretches, those that touch or overlap as one, and the highest epoch."""
        with self._bench() as bench:
            read = self._read(bench, stream)
            read.claim(instance, stream)
            read.settle(stream, self._now())
            return read.ledger.standing(bench.db, instance, stream)

    def holds(self, instance: str, stream: str, window_id: str) -> bool:
        """Whether the window's own table has it."""
        with self._bench() as bench:
            read = self._read(bench, stream)
            return read.tables[stream].holds(window_id) and read.is_owned(instance, stream)

    def apply(self, window: Window) -> Applied:
        """Commit the window to its table, after what it does to others.

        When somebody else writes at once it is decided anew, a few times. Besides the protocol's errors raises
        whatever the window's batches raise.
        """
        from syncengine.destinations.delta_log import Overtaken
        from syncengine.destinations.lake_merge import lay_out_tables, merged

        rows: Staged | None = None
        applied = Applied(already=True)
        streams = sorted({window.stream, *([window.marks.stream] if window.marks else [])})
        with self._bench() as bench:
            for _ in range(TRIES):
                read = self._read(bench, *streams, MARKS, REJECTED)
                try:
                    if self._is_known(read, window):
                        return applied
                    lay_out_tables(bench, read.lake)
                    rows = _staged(bench, window, rows)
                    applied, changes = merged(bench, read.lake, read.ledger, rows, as_intent=True)
                    self._commit_all(read, window, changes)
                except Overtaken:
                    continue
                return applied
        raise DestinationUnavailable(
            f"others keep writing to {window.stream} at {self._storage.place}; the window was not applied",
            advice="run again when they are done",
        )

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
        from syncengine.destinations.lake_keys import keys_in
        from syncengine.destinations.lake_merge import lay_out_tables

        with self._bench() as bench:
            read = self._read(bench, stream)
            read.claim(instance, stream)
            lay_out_tables(bench, read.lake)
            return keys_in(bench, read.lake, stream, field, changed_after=changed_after, only=only)

    def show(self, instance: str, views: Sequence[View]) -> bool:  # noqa: ARG002  # the protocol's
        """Delta has no views."""
        return False

    def close(self) -> None:
        """Nothing is held between operations."""

    @contextmanager
    def _bench(self) -> "Iterator[Bench]":
        from syncengine.destinations.delta_log import stored_name
        from syncengine.destinations.lake_bench import opened_bench

        work = self._work or _own_folder(Path(tempfile.gettempdir()) / f"syncengine-{os.getuid()}")
        with opened_bench(
            work,
            work / "bench",
            memory_bytes=self._memory_bytes,
            threads=self._threads,
            stored_name=stored_name,
        ) as bench:
            yield bench

    def _read(self, bench: "Bench", *names: str) -> "Reading":
        from syncengine.destinations.delta_reading import read_lake

        return read_lake(self._storage, bench, names)

    def _is_known(self, read: "Reading", window: Window) -> bool:
        from syncengine.destinations.lake_merge import is_known, recorded

        own = read.tables[window.stream]
        read.claim(window.instance, window.stream)
        if window.marks is not None:
            read.claim(window.instance, window.marks.stream)
        if own.epoch() > window.epoch:
            raise DestinationFenced(
                f"a later run has written {window.stream} of {window.instance} to {self._storage.place}",
                advice="this run stops; the later one goes on",
            )
        read.settle(window.stream, self._now())
        if is_known(read.bench, read.ledger, window):
            return True
        if own.holds(window.id):
            # The ledger was lost, or brought back from before.
            self._commit_all(read, window, [recorded(read.bench, read.lake, read.ledger, window)])
            return True
        return False

    def _commit_all(self, read: "Reading", window: Window, changes: Sequence[Change]) -> None:
        from syncengine.destinations.delta_log import EPOCH

        order = {LEDGER: 0, MARKS: 1, REJECTED: 3, window.stream: 4}
        # In another's table the window's id would say that this table's window of that id was applied.
        mark = f"{window.stream}/{window.id}"
        for change in sorted(changes, key=lambda change: order.get(change.table, 2)):
            table = read.tables[change.table]
            if change.table == REJECTED and table.holds(mark):
                continue
            own = change.table == window.stream
            transactions = [(window.id, 1), (EPOCH, window.epoch)] if own else [(mark, 1)]
            self._commit(self._storage, table, change, transactions=transactions, now=self._now())


def _staged(bench: "Bench", window: Window, before: "Staged | None") -> "Staged":
    from syncengine.destinations.duckdb_table import planned
    from syncengine.destinations.lake_bench import SCHEMA
    from syncengine.destinations.lake_merge import staged

    if before is None:
        return staged(bench, window)
    table = planned(bench.db, SCHEMA, window)
    if table.columns != before.table.columns:
        raise DestinationUnavailable(f"the columns of {window.stream} changed meanwhile", advice="run again")
    return replace(before, table=table)


def _own_folder(path: Path) -> Path:
    # In a folder that all may write to, somebody else may have taken the name.
    with os_errors(path.parent):
        path.mkdir(mode=0o700, exist_ok=True)
        if path.lstat().st_uid != os.getuid():
            raise DestinationUnavailable(
                f"{path} belongs to somebody else", advice="set TMPDIR to a folder of your own"
            )
    return path


def _commit() -> "Commit":
    from syncengine.destinations.delta_log import commit

    return commit


def _require_deltalake() -> None:
    try:
        from deltalake.transaction import RemoveAction  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "a Delta destination needs the package deltalake, 1.6.6 or later",
            advice="pip install 'syncengine[delta]'",
        ) from error
